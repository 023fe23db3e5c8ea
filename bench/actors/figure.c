#include "bench/actors/figure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void write_number(FILE *file, double value)
{
    if (isnan(value))
        fputs(" -", file);
    else
        fprintf(file, " %.2f", value);
}

void weft_bench_figure_write(FILE *file, const struct weft_bench_figure *figure)
{
    fprintf(file, "figure %s %u %s", figure->peer, figure->cores, figure->row);
    write_number(file, figure->cpu);
    write_number(file, figure->wall);
    fprintf(file, " %s", figure->unit);
    write_number(file, figure->goal);
    putc('\n', file);
}

static bool read_number(const char *text, double *value)
{
    char *end;
    *value = strcmp(text, "-") == 0 ? NAN : strtod(text, &end);
    return isnan(*value) || (end != text && *end == '\0');
}

bool weft_bench_figure_read(const char *line, struct weft_bench_figure *figure)
{
    char cpu[32], wall[32], goal[32];
    if (sscanf(line, "figure %15s %u %39s %31s %31s %7s %31s", figure->peer, &figure->cores,
               figure->row, cpu, wall, figure->unit, goal) != 7)
        return false;
    return read_number(cpu, &figure->cpu) && read_number(wall, &figure->wall) &&
           read_number(goal, &figure->goal);
}

double weft_bench_unit_ns(const char *unit)
{
    static const struct {
        const char *name;
        double ns;
    } units[] = {{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(units[i].name, unit) == 0) return units[i].ns;
    }
    return 0;
}
