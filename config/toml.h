// toml.h: TOML 1.0 (toml.io/en/v1.0.0) to a tree that knows the line and column of everything.
//
// Bounded: at most 1 MiB of text, 16 levels, 65 536 nodes. An error does not end the parse: it goes
// on with the next line, so that one run names every mistake. Nothing is read past `length`.
#ifndef WEFT_CONFIG_TOML_H
#define WEFT_CONFIG_TOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/pool.h"

#define WEFT_TOML_BYTES_MAX  (1u << 20)
#define WEFT_TOML_DEPTH_MAX  16
#define WEFT_TOML_NODES_MAX  65536
#define WEFT_TOML_ERRORS_MAX 128

enum weft_toml_type {
    WEFT_TOML_TABLE,
    WEFT_TOML_ARRAY,
    WEFT_TOML_STRING,
    WEFT_TOML_INT,
    WEFT_TOML_FLOAT,
    WEFT_TOML_BOOL,
    WEFT_TOML_DATETIME, // With an offset.
    WEFT_TOML_DATETIME_LOCAL,
    WEFT_TOML_DATE_LOCAL,
    WEFT_TOML_TIME_LOCAL,
};

struct weft_toml_place {
    uint32_t line, column; // 1-based; the column counts characters, not bytes.
};

struct weft_toml_node {
    enum weft_toml_type type;
    uint8_t origin;                // Which syntax made it; private to the parser.
    bool broken;                   // Its value could not be read; an error says why.
    uint32_t depth;                // Of nesting; the root has 0.
    struct weft_toml_place key_at; // Of the key, or of the value where there is no key.
    struct weft_toml_place at;     // Of the value.
    uint32_t key_chars, chars;     // How wide each is, in characters, on its first line.
    const char *key;               // Zero-terminated; "" for an element of an array.
    size_t key_length;
    struct weft_toml_node *parent, *next, *first, *last; // Children in the order of the file.
    struct weft_toml_node *hash_next;
    uint32_t index;   // In the order of making; the root is 0.
    uint32_t count;   // Of children.
    const char *text; // Of a string, decoded; of a date or time, as written. Zero-terminated.
    size_t text_length;
    int64_t integer; // Of an int; 0 or 1 of a bool.
    double real;
};

struct weft_toml_error {
    struct weft_toml_place at;
    char text[128];
};

struct weft_toml {
    struct weft_toml_node *root; // Never NULL after a parse that returned 0 or -EINVAL.
    struct weft_toml_error *errors;
    size_t error_count; // The first WEFT_TOML_ERRORS_MAX; then the parse gives up.
};

// Fills `toml` with memory from `pool`, which must outlive it. `text` may be freed afterwards.
// Returns 0; -EINVAL when there are errors (the tree holds what could be understood); -ENOMEM.
int weft_toml_parse(struct weft_toml *toml, struct weft_config_pool *pool, const char *text,
                    size_t length);

// The child of that key, or NULL.
struct weft_toml_node *weft_toml_get(const struct weft_toml_node *table, const char *key);

// Reads a number, date, time or boolean into `node`. Returns NULL, or what is wrong with it.
const char *weft_toml_scalar(struct weft_toml_node *node, const char *token, size_t length);

#endif // WEFT_CONFIG_TOML_H
