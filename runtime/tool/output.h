// output.h: one JSON document, shown as a table, as JSON or as JSON lines. The table is made from
// the same document, so the three never differ in what they know.
#ifndef WEFT_TOOL_OUTPUT_H
#define WEFT_TOOL_OUTPUT_H

#include <jansson.h>

#include "runtime/base/units.h"
#include "runtime/tool/command.h"

enum weft_column_kind {
    WEFT_COLUMN_TEXT,     // As it is; booleans as yes and no.
    WEFT_COLUMN_COUNT,    // An integer.
    WEFT_COLUMN_BYTES,    // 64.0 KiB
    WEFT_COLUMN_DURATION, // From ns: 35.0 us, 1.2 s, 2 h 5 m.
    WEFT_COLUMN_RATIO,    // 12.5 %
    WEFT_COLUMN_STATE,    // Text, coloured by what it says.
    WEFT_COLUMN_TIME,     // From ns since 1970: 2023-11-14 22:13:20, local time.
    WEFT_COLUMN_CPU,      // A number, "-" if negative.
};

struct weft_column {
    const char *title; // "BUSY"
    const char *key;   // "busy_ratio"
    enum weft_column_kind kind;
};

// Shows document.items. `columns` is ended by one without a title.
void weft_output_list(const struct weft_tool *tool, const json_t *document,
                      const struct weft_column *columns);
// Shows one object, one line for each key.
void weft_output_record(const struct weft_tool *tool, const json_t *document,
                        const struct weft_column *columns);
// Shows one item of a stream: one JSON line, or what `line` prints.
void weft_output_json(const struct weft_tool *tool, const json_t *document);

// A value as the table shows it. `text` holds at least 64 bytes; longer texts are not copied: use
// the return value.
const char *weft_output_cell(const json_t *value, enum weft_column_kind kind, char text[64]);

// "500ms", "5s", "1m", "2h", "1d", "90" (seconds) to ns. False if it is none of these.
bool weft_duration_parse(const char *text, uint64_t *duration_ns);

#endif // WEFT_TOOL_OUTPUT_H
