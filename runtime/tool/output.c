#include "runtime/tool/output.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define COLUMNS_MAX 16

static void duration_print(double ns, char text[64])
{
    const double s = ns / 1e9;

    if (ns < 1000) {
        snprintf(text, 64, "%.0f ns", ns);
    } else if (ns < 1e6) {
        snprintf(text, 64, "%.1f us", ns / 1e3);
    } else if (ns < 1e9) {
        snprintf(text, 64, "%.1f ms", ns / 1e6);
    } else if (s < 60) {
        snprintf(text, 64, "%.1f s", s);
    } else if (s < 3600) {
        snprintf(text, 64, "%d m %d s", (int)(s / 60), (int)s % 60);
    } else if (s < 86400) {
        snprintf(text, 64, "%d h %d m", (int)(s / 3600), (int)(s / 60) % 60);
    } else {
        snprintf(text, 64, "%d d %d h", (int)(s / 86400), (int)(s / 3600) % 24);
    }
}

static void bytes_print(double bytes, char text[64])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;

    while (bytes >= 1024 && unit + 1 < WEFT_COUNT_OF(units)) {
        bytes /= 1024;
        unit++;
    }
    snprintf(text, 64, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
}

static void time_print(json_int_t wall_ns, char text[64])
{
    const time_t seconds = (time_t)(wall_ns / (json_int_t)WEFT_NS_PER_S);
    const unsigned ms = (unsigned)(wall_ns % (json_int_t)WEFT_NS_PER_S / 1000000);
    struct tm when;

    if (localtime_r(&seconds, &when) == NULL) return;
    const size_t used = strftime(text, 48, "%Y-%m-%d %H:%M:%S", &when);
    snprintf(text + used, 64 - used, ".%03u", ms % 1000);
}

const char *weft_output_cell(const json_t *value, enum weft_column_kind kind, char text[64])
{
    const double number = json_number_value(value);

    text[0] = '\0';
    if (value == NULL || json_is_null(value)) return "-";
    if (json_is_boolean(value)) return json_is_true(value) ? "yes" : "no";
    if (json_is_string(value)) {
        return json_string_value(value)[0] != '\0' ? json_string_value(value) : "-";
    }
    switch (kind) {
    case WEFT_COLUMN_BYTES: bytes_print(number, text); break;
    case WEFT_COLUMN_DURATION:
        if (number <= 0) return "-";
        duration_print(number, text);
        break;
    case WEFT_COLUMN_RATIO: snprintf(text, 64, "%.1f %%", number * 100); break;
    case WEFT_COLUMN_TIME: time_print(json_integer_value(value), text); break;
    case WEFT_COLUMN_CPU:
        if (number < 0) return "-";
        snprintf(text, 64, "%.0f", number);
        break;
    default:
        if (json_is_real(value)) {
            snprintf(text, 64, "%.3f", number);
        } else {
            snprintf(text, 64, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        }
    }
    return text;
}

// Columns on a terminal, not bytes: continuation bytes of UTF-8 take no room.
static size_t width(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static bool right(enum weft_column_kind kind)
{
    return kind != WEFT_COLUMN_TEXT && kind != WEFT_COLUMN_STATE && kind != WEFT_COLUMN_TIME;
}

static const char *state_colour(const char *state)
{
    static const char *const good[] = {"alive",   "up",      "ready", "joined",
                                       "running", "waiting", "yes",   "full"};
    static const char *const bad[] = {"dead", "down", "failed", "unreachable", "refused", "no"};

    for (size_t i = 0; i < WEFT_COUNT_OF(good); i++) {
        if (strcmp(state, good[i]) == 0) return "\033[32m";
    }
    for (size_t i = 0; i < WEFT_COUNT_OF(bad); i++) {
        if (strcmp(state, bad[i]) == 0) return "\033[31m";
    }
    return "\033[33m";
}

// Text from elsewhere must not speak to the terminal.
static void print_safe(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        fputc((unsigned char)*text < 0x20 || *text == 0x7f ? '?' : *text, out);
    }
}

static void print_cell(const struct weft_tool *tool, const struct weft_column *column,
                       const char *text, size_t room, bool last)
{
    const size_t pad = room > width(text) ? room - width(text) : 0;
    const bool coloured = tool->colour && column->kind == WEFT_COLUMN_STATE;

    if (right(column->kind)) fprintf(tool->out, "%*s", (int)pad, "");
    if (coloured) fputs(state_colour(text), tool->out);
    print_safe(tool->out, text);
    if (coloured) fputs("\033[0m", tool->out);
    if (last) {
        fputc('\n', tool->out);
    } else {
        fprintf(tool->out, "%*s", right(column->kind) ? 2 : (int)pad + 2, "");
    }
}

static void table_print(const struct weft_tool *tool, const json_t *items,
                        const struct weft_column *columns)
{
    size_t rooms[COLUMNS_MAX], count = 0, i;
    char text[64];
    json_t *item;

    for (; count < COLUMNS_MAX && columns[count].title != NULL; count++) {
        rooms[count] = strlen(columns[count].title);
    }
    json_array_foreach(items, i, item)
    {
        for (size_t c = 0; c < count; c++) {
            const size_t wide = width(
                weft_output_cell(json_object_get(item, columns[c].key), columns[c].kind, text));
            if (wide > rooms[c]) rooms[c] = wide;
        }
    }
    if (tool->colour) fputs("\033[1m", tool->out);
    for (size_t c = 0; c < count; c++) {
        const struct weft_column head = {.kind = right(columns[c].kind) ? WEFT_COLUMN_COUNT
                                                                        : WEFT_COLUMN_TEXT};
        print_cell(tool, &head, columns[c].title, rooms[c], c + 1 == count);
    }
    if (tool->colour) fputs("\033[0m", tool->out);
    json_array_foreach(items, i, item)
    {
        for (size_t c = 0; c < count; c++) {
            const char *shown =
                weft_output_cell(json_object_get(item, columns[c].key), columns[c].kind, text);
            print_cell(tool, &columns[c], shown, rooms[c], c + 1 == count);
        }
    }
}

void weft_output_json(const struct weft_tool *tool, const json_t *document)
{
    const bool lines = tool->format == WEFT_FORMAT_JSONL;

    json_dumpf(document, tool->out,
               JSON_PRESERVE_ORDER | JSON_ENSURE_ASCII | (lines ? JSON_COMPACT : JSON_INDENT(2)));
    fputc('\n', tool->out);
}

void weft_output_list(const struct weft_tool *tool, const json_t *document,
                      const struct weft_column *columns)
{
    const json_t *items = json_object_get(document, "items");
    json_t *item;
    size_t i;

    switch (tool->format) {
    case WEFT_FORMAT_TABLE: table_print(tool, items, columns); break;
    case WEFT_FORMAT_JSON: weft_output_json(tool, document); break;
    case WEFT_FORMAT_JSONL: json_array_foreach(items, i, item) weft_output_json(tool, item); break;
    }
}

void weft_output_record(const struct weft_tool *tool, const json_t *document,
                        const struct weft_column *columns)
{
    size_t room = 0;
    char text[64];

    if (tool->format != WEFT_FORMAT_TABLE) {
        weft_output_json(tool, document);
        return;
    }
    for (size_t c = 0; columns[c].title != NULL; c++) {
        if (strlen(columns[c].title) > room) room = strlen(columns[c].title);
    }
    for (size_t c = 0; columns[c].title != NULL; c++) {
        const json_t *value = json_object_get(document, columns[c].key);
        if (value == NULL) continue;
        const char *shown = weft_output_cell(value, columns[c].kind, text);
        const bool coloured = tool->colour && columns[c].kind == WEFT_COLUMN_STATE;
        fprintf(tool->out, "%-*s  %s", (int)room, columns[c].title,
                coloured ? state_colour(shown) : "");
        print_safe(tool->out, shown);
        fprintf(tool->out, "%s\n", coloured ? "\033[0m" : "");
    }
}

bool weft_duration_parse(const char *text, uint64_t *duration_ns)
{
    static const struct {
        const char *unit;
        uint64_t ns;
    } units[] = {{"", WEFT_NS_PER_S},         {"ms", WEFT_NS_PER_MS},
                 {"s", WEFT_NS_PER_S},        {"us", WEFT_NS_PER_US},
                 {"m", 60 * WEFT_NS_PER_S},   {"h", 3600 * WEFT_NS_PER_S},
                 {"d", 86400 * WEFT_NS_PER_S}};
    char *end;

    if (text[0] < '0' || text[0] > '9') return false;
    const double number = strtod(text, &end);
    for (size_t i = 0; i < WEFT_COUNT_OF(units); i++) {
        if (strcmp(end, units[i].unit) != 0) continue;
        const double ns = number * (double)units[i].ns;
        if (!(ns >= 0 && ns < 1e18)) return false;
        *duration_ns = (uint64_t)ns;
        return true;
    }
    return false;
}
