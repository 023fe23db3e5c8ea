#include "bench/actors/sheet.h"

#include <math.h>
#include <string.h>

// Each peer that has a column; the C libraries, which have few rows, share one.
static const char *const columns[] = {WEFT_BENCH_OURS, "erlang", "go", "caf"};
#define COLUMNS        (sizeof(columns) / sizeof(columns[0]))
#define LINE_MAX_WIDTH 110

static bool is_row(const struct weft_bench_figure *figure, const char *row, unsigned cores)
{
    return figure->cores == cores && strcmp(figure->row, row) == 0;
}

static const struct weft_bench_figure *find(const struct weft_bench_sheet *sheet, const char *peer,
                                            unsigned cores, const char *row)
{
    for (size_t i = 0; i < sheet->count; i++) {
        const struct weft_bench_figure *figure = &sheet->figures[i];
        if (is_row(figure, row, cores) && strcmp(figure->peer, peer) == 0) return figure;
    }
    return NULL;
}

bool weft_bench_sheet_add(struct weft_bench_sheet *sheet, const struct weft_bench_figure *figure)
{
    struct weft_bench_figure *known =
        (struct weft_bench_figure *)find(sheet, figure->peer, figure->cores, figure->row);
    if (known != NULL) {
        known->cpu = fmin(known->cpu, figure->cpu);
        known->wall = fmin(known->wall, figure->wall);
        return true;
    }
    if (sheet->count == WEFT_BENCH_FIGURES_MAX) return false;
    sheet->figures[sheet->count++] = *figure;
    return true;
}

// ---- What is compared.

// True if the row is compared by CPU time: on one core, and if every peer told it.
static bool goes_by_cpu(const struct weft_bench_sheet *sheet, const char *row, unsigned cores)
{
    if (cores > 1) return false;
    for (size_t i = 0; i < sheet->count; i++) {
        if (is_row(&sheet->figures[i], row, cores) && isnan(sheet->figures[i].cpu)) return false;
    }
    return true;
}

// In the unit of our own figure, or of the first.
static double value_of(const struct weft_bench_sheet *sheet, const struct weft_bench_figure *figure,
                       const char *unit)
{
    if (figure == NULL) return NAN;
    const bool by_cpu = goes_by_cpu(sheet, figure->row, figure->cores);
    const double value = by_cpu ? figure->cpu : figure->wall;
    const double from = weft_bench_unit_ns(figure->unit), to = weft_bench_unit_ns(unit);
    return from > 0 && to > 0 ? value * from / to : value;
}

static bool has_column(const char *peer)
{
    for (size_t i = 0; i < COLUMNS; i++) {
        if (strcmp(columns[i], peer) == 0) return true;
    }
    return false;
}

static const struct weft_bench_figure *best_without_column(const struct weft_bench_sheet *sheet,
                                                           const char *row, unsigned cores)
{
    const struct weft_bench_figure *best = NULL;
    for (size_t i = 0; i < sheet->count; i++) {
        const struct weft_bench_figure *figure = &sheet->figures[i];
        if (!is_row(figure, row, cores) || has_column(figure->peer)) continue;
        if (best == NULL || figure->cpu < best->cpu) best = figure;
    }
    return best;
}

// The best peer's figure against ours; NAN if there is none.
static double ratio_to_best(const struct weft_bench_sheet *sheet,
                            const struct weft_bench_figure *ours)
{
    double best = NAN;
    for (size_t i = 0; i < sheet->count; i++) {
        const struct weft_bench_figure *figure = &sheet->figures[i];
        if (is_row(figure, ours->row, ours->cores) && strcmp(figure->peer, WEFT_BENCH_OURS) != 0)
            best = fmin(best, value_of(sheet, figure, ours->unit));
    }
    return best / value_of(sheet, ours, ours->unit);
}

// How many times less wall time on several cores than on one; NAN if that was not measured, or is
// no time.
static double speed_up(const struct weft_bench_sheet *sheet, const struct weft_bench_figure *ours)
{
    const struct weft_bench_figure *alone = find(sheet, WEFT_BENCH_OURS, 1, ours->row);
    if (alone == NULL || ours->cores == 1 || weft_bench_unit_ns(ours->unit) == 0) return NAN;
    return alone->wall / ours->wall;
}

static double of_goal(const struct weft_bench_sheet *sheet, const struct weft_bench_figure *ours)
{
    return value_of(sheet, ours, ours->unit) / ours->goal;
}

// ---- JSON.

static void print_number(const char *key, double value)
{
    if (isnan(value))
        printf(",\"%s\":null", key);
    else
        printf(",\"%s\":%.2f", key, value);
}

static void print_json(const struct weft_bench_sheet *sheet, const struct weft_bench_figure *figure)
{
    const double ns = weft_bench_unit_ns(figure->unit);
    printf("{\"row\":\"%s\",\"cores\":%u,\"peer\":\"%s\"", figure->row, figure->cores,
           figure->peer);
    if (ns > 0) {
        print_number("cpu_ns", figure->cpu * ns);
        print_number("wall_ns", figure->wall * ns);
        print_number("goal_ns", figure->goal * ns);
    } else {
        print_number("value", figure->wall);
        printf(",\"unit\":\"%s\"", figure->unit);
        print_number("goal", figure->goal);
    }
    if (strcmp(figure->peer, WEFT_BENCH_OURS) == 0 && !isnan(speed_up(sheet, figure)))
        print_number("speed_up", speed_up(sheet, figure));
    puts("}");
}

// ---- A table.

static void print_cell(int width, double value)
{
    if (isnan(value))
        printf(" %*s", width, "");
    else
        printf(" %*.*f", width, fabs(value) < 99.95 ? 1 : 0, value);
}

static void print_ratio(int width, double value)
{
    if (isnan(value))
        printf(" %*s", width, "");
    else
        printf(" %*.*f", width, value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value);
}

static void print_row(const struct weft_bench_sheet *sheet, const struct weft_bench_figure *first)
{
    const struct weft_bench_figure *ours = find(sheet, WEFT_BENCH_OURS, first->cores, first->row);
    char name[64];
    if (ours != NULL) first = ours;
    snprintf(name, sizeof(name), "%s%s%s", first->row, strcmp(first->unit, "ns") != 0 ? ", " : "",
             strcmp(first->unit, "ns") != 0 ? first->unit : "");
    printf("  %-33s", name);
    for (size_t i = 0; i < (sheet->has_peers ? COLUMNS : 1); i++)
        print_cell(8,
                   value_of(sheet, find(sheet, columns[i], first->cores, first->row), first->unit));
    if (sheet->has_peers) {
        const struct weft_bench_figure *c = best_without_column(sheet, first->row, first->cores);
        if (first->cores == 1) {
            print_cell(6, value_of(sheet, c, first->unit));
            printf(" %-5s", c != NULL ? c->peer : "");
        }
        print_ratio(6, ours != NULL ? ratio_to_best(sheet, ours) : NAN);
    }
    if (first->cores > 1) print_ratio(6, ours != NULL ? speed_up(sheet, ours) : NAN);
    print_cell(8, ours != NULL ? ours->goal : NAN);
    print_ratio(6, ours != NULL ? of_goal(sheet, ours) : NAN);
    putchar('\n');
}

void weft_bench_sheet_head(const struct weft_bench_sheet *sheet, unsigned cores)
{
    if (sheet->json) return;
    if (cores == 1)
        printf("\n  One scheduler: CPU time of the process in ns for each operation, best of "
               "five; wall time\n  where a peer told no other, or the unit is another one.\n");
    else
        printf("\n  %u schedulers: wall time in ns for each operation, best of five. \"of 1\": "
               "wall time on one\n  scheduler, divided by this.\n",
               cores);
    printf("  %-33s %8s", "", WEFT_BENCH_OURS);
    for (size_t i = 1; sheet->has_peers && i < COLUMNS; i++)
        printf(" %8s", columns[i]);
    if (sheet->has_peers && cores == 1) printf(" %12s", "C peer");
    if (sheet->has_peers) printf(" %6s", "x best");
    if (cores > 1) printf(" %6s", "of 1");
    printf(" %8s %6s\n", "goal", "of it");
}

// True if a figure of the same row stands before it, from `from` on.
static bool is_repeated(const struct weft_bench_sheet *sheet, size_t from, size_t at)
{
    for (size_t i = from; i < at; i++) {
        if (strcmp(sheet->figures[i].row, sheet->figures[at].row) == 0) return true;
    }
    return false;
}

void weft_bench_sheet_print(const struct weft_bench_sheet *sheet, size_t from)
{
    for (size_t i = from; i < sheet->count; i++) {
        if (sheet->json)
            print_json(sheet, &sheet->figures[i]);
        else if (!is_repeated(sheet, from, i))
            print_row(sheet, &sheet->figures[i]);
    }
    fflush(stdout);
}

// ---- The sum.

// Prints `text` behind what stands in the line, or at the beginning of the next. The new column.
static int print_wrapped(int column, const char *text)
{
    const int width = (int)strlen(text);
    if (column + width <= LINE_MAX_WIDTH) return column + printf("%s", text);
    return printf("\n   %s", text) - 1;
}

static void print_list(const struct weft_bench_sheet *sheet, unsigned cores, const char *title,
                       double (*measure)(const struct weft_bench_sheet *sheet,
                                         const struct weft_bench_figure *ours),
                       bool more_is_bad)
{
    int column = 0;
    for (size_t i = 0; i < sheet->count; i++) {
        const struct weft_bench_figure *figure = &sheet->figures[i];
        char text[64];
        if (figure->cores != cores || strcmp(figure->peer, WEFT_BENCH_OURS) != 0) continue;
        const double value = measure(sheet, figure);
        if (isnan(value) || (more_is_bad ? value <= 1.005 : value >= 0.995)) continue;
        column += column == 0 ? printf("  %s", title) : printf(",");
        snprintf(text, sizeof(text), " %s %.2f", figure->row, value);
        column = print_wrapped(column, text);
    }
    if (column > 0) putchar('\n');
}

void weft_bench_sheet_sum(const struct weft_bench_sheet *sheet, unsigned cores)
{
    if (sheet->json) return;
    print_list(sheet, cores, "over their goals, times:", of_goal, true);
    print_list(sheet, cores, "behind the best peer, times as fast:", ratio_to_best, false);
    if (cores > 1)
        print_list(sheet, cores, "slower than on one scheduler, times as fast:", speed_up, false);
}
