// sexp.h: canonical s-expressions: written without choice, read without recursion or allocation.
//
//   expression = list | string | symbol | keyword | integer
//   list       = "(" [expression { space expression }] ")"
//   string     = '"' { printable ASCII | \" | \\ | \n | \r | \t | \xHH } '"'
//   symbol     = a character of a-z A-Z ! $ % & * / < = > ? ^ _ ~ + - . then those, digits and :
//   keyword    = ":" symbol
//   integer    = [-] digits, of 64 bits with sign
//
// The writer puts one space between items and escapes every byte outside 0x20..0x7e; the reader
// takes any blanks. A list of nodes is flat, in reading order: a list's children follow it.
#ifndef WEFT_MESH_SEXP_H
#define WEFT_MESH_SEXP_H

#include <stddef.h>
#include <stdint.h>

#include "runtime/base/span.h"

#define WEFT_SEXP_DEPTH_MAX 16

enum weft_sexp_kind {
    WEFT_SEXP_LIST,
    WEFT_SEXP_STRING,
    WEFT_SEXP_SYMBOL,
    WEFT_SEXP_KEYWORD, // `text` is without the colon.
    WEFT_SEXP_INTEGER,
};

struct weft_sexp_node {
    enum weft_sexp_kind kind;
    uint32_t count; // LIST: children, without theirs.
    uint32_t end; // The index behind this node and all below it: its next sibling, if there is one.
    int64_t integer;
    struct weft_span text; // Within the source; of a STRING between the quotes, still escaped.
};

// Reads exactly one expression that fills `source`. Returns how many nodes; -EBADMSG: not an
// expression (`*at`, if not NULL, is the byte that is wrong); -E2BIG: too deep or over `node_max`.
int weft_sexp_read(struct weft_span source, struct weft_sexp_node *nodes, uint32_t node_max,
                   size_t *at);

// The bytes of a STRING node. Returns their number, or -EMSGSIZE if `size` is too small.
int weft_sexp_string(const struct weft_sexp_node *node, uint8_t *bytes, size_t size);

struct weft_sexp_writer {
    char *text;
    size_t size;
    size_t length; // Stays below size when nothing overflowed; no zero is written at the end.
    bool overflow; // Sticks: check once at the end.
    bool fresh;    // Nothing yet since the last opening parenthesis.
};

void weft_sexp_writer_init(struct weft_sexp_writer *writer, char *text, size_t size);
void weft_sexp_open(struct weft_sexp_writer *writer);
void weft_sexp_close(struct weft_sexp_writer *writer);
void weft_sexp_put_symbol(struct weft_sexp_writer *writer, const char *symbol);
void weft_sexp_put_keyword(struct weft_sexp_writer *writer, const char *keyword);
void weft_sexp_put_string(struct weft_sexp_writer *writer, struct weft_span bytes);
void weft_sexp_put_integer(struct weft_sexp_writer *writer, int64_t integer);

#endif // WEFT_MESH_SEXP_H
