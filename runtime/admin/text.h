// text.h: bytes from anywhere as JSON text, and errors as RFC 9457 problems.
#ifndef WEFT_ADMIN_TEXT_H
#define WEFT_ADMIN_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/error.h"

// A JSON string of `length` bytes; each byte that is not part of valid UTF-8 becomes U+FFFD. NULL
// without memory.
json_t *weft_json_bytes(const char *bytes, size_t length);
json_t *weft_json_text(const char *text);

// A 64-bit id as 16 hex digits: a number would lose bits in readers that only know doubles.
json_t *weft_json_id(uint64_t id);

// {"type","title","status","detail","code","hint"} for `error` (RFC 9457).
json_t *weft_json_problem(unsigned status, const struct weft_error *error);

// The HTTP status that goes with an error code (table in source.h).
unsigned weft_http_status(uint16_t code);

// 1 to 63 of A-Z a-z 0-9 . _ -, and not only dots: what may name a unit, node or port.
bool weft_admin_name_valid(const char *name, size_t length);

#endif // WEFT_ADMIN_TEXT_H
