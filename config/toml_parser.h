// toml_parser.h: the parser's place in the text, shared by toml.c (tables) and toml_text.c
// (strings).
//
// Private to those two. Every look ahead is checked against the end of the text.
#ifndef WEFT_CONFIG_TOML_PARSER_H
#define WEFT_CONFIG_TOML_PARSER_H

#include <string.h>

#include "config/toml.h"

#define HASH_BUCKETS 4096 // At most 16 nodes each on average: a table of 65 536 keys stays linear.

// Which syntax made a table decides who may add to it (TOML 1.0, "Table" and "Inline Table").
enum origin { IMPLICIT, HEADER, DOTTED, CLOSED, TABLES };

struct parser {
    struct weft_toml *toml;
    struct weft_config_pool *pool;
    const char *at, *end;
    const char *counted; // The column of `at` is counted from here on: `at` never goes back.
    uint32_t line, column;
    uint32_t node_count;
    int brackets; // Of arrays that are open: after an error in one, its other lines are skipped.
    bool out_of_memory, give_up;
    char *scratch; // As long as the text: a string decoded is never longer than its source.
    struct weft_toml_node *buckets[HASH_BUCKETS];
};

static inline bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static inline struct weft_toml_place place(struct parser *p)
{
    for (; p->counted < p->at; p->counted++) {
        p->column += !is_continuation(*p->counted);
    }
    return (struct weft_toml_place){p->line, p->column};
}

// Notes an error, unless there are too many already. Always false.
bool weft_toml_fail_at(struct parser *p, struct weft_toml_place at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define fail(p, ...) weft_toml_fail_at((p), place(p), __VA_ARGS__)

static inline char peek(const struct parser *p, size_t ahead)
{
    return (size_t)(p->end - p->at) > ahead ? p->at[ahead] : '\0';
}

static inline bool looks_at(const struct parser *p, const char *text)
{
    const size_t length = strlen(text);
    return (size_t)(p->end - p->at) >= length && memcmp(p->at, text, length) == 0;
}

static inline bool at_newline(const struct parser *p)
{
    return peek(p, 0) == '\n' || (peek(p, 0) == '\r' && peek(p, 1) == '\n');
}

static inline void take_newline(struct parser *p)
{
    p->at += *p->at == '\r' ? 2 : 1;
    p->counted = p->at;
    p->line++;
    p->column = 1;
}

static inline void skip_blanks(struct parser *p)
{
    while (peek(p, 0) == ' ' || peek(p, 0) == '\t') {
        p->at++;
    }
}

static inline bool is_control(char c)
{
    return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

// Reads the string at the place, quotes and all, into `text`, copied to the pool.
bool weft_toml_read_string(struct parser *p, const char **text, size_t *text_length,
                           bool may_be_multi);

// Whether all that is left is UTF-8; notes where it is not.
bool weft_toml_check_utf8(struct parser *p);

#endif // WEFT_CONFIG_TOML_PARSER_H
