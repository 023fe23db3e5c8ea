// The characters of TOML: strings with their escapes, and UTF-8.
#include <stdarg.h>
#include <stdio.h>

#include "config/toml_parser.h"

bool weft_toml_fail_at(struct parser *p, struct weft_toml_place at, const char *format, ...)
{
    if (p->toml->error_count == WEFT_TOML_ERRORS_MAX) {
        p->give_up = true;
        return false;
    }
    struct weft_toml_error *error = &p->toml->errors[p->toml->error_count++];
    error->at = at;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
    return false;
}

static size_t encode(uint32_t code, char *to) // UTF-8 (RFC 3629 §3).
{
    if (code < 0x80) return to[0] = (char)code, 1;
    if (code < 0x800) {
        to[0] = (char)(0xc0 | code >> 6);
        to[1] = (char)(0x80 | (code & 63));
        return 2;
    }
    if (code < 0x10000) {
        to[0] = (char)(0xe0 | code >> 12);
        to[1] = (char)(0x80 | (code >> 6 & 63));
        to[2] = (char)(0x80 | (code & 63));
        return 3;
    }
    to[0] = (char)(0xf0 | code >> 18);
    to[1] = (char)(0x80 | (code >> 12 & 63));
    to[2] = (char)(0x80 | (code >> 6 & 63));
    to[3] = (char)(0x80 | (code & 63));
    return 4;
}

static bool read_unicode(struct parser *p, int digits, size_t *length)
{
    uint32_t code = 0;
    for (int i = 0; i < digits; i++) {
        const char c = peek(p, (size_t)i);
        const char *hex = "0123456789abcdef", *found = c ? strchr(hex, c | 0x20) : NULL;
        if (!found || (c < '0') || (c > '9' && c < 'A'))
            return fail(p, "\\%c needs %d hex digits", digits == 4 ? 'u' : 'U', digits);
        code = code << 4 | (uint32_t)(found - hex);
    }
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return fail(p, "not a Unicode scalar value");
    p->at += digits;
    *length += encode(code, p->scratch + *length);
    return true;
}

static bool read_escape(struct parser *p, bool multi, size_t *length)
{
    static const char names[] = "btnfr\"\\", values[] = "\b\t\n\f\r\"\\";
    const char c = peek(p, 1);
    const char *found = c ? strchr(names, c) : NULL;
    if (found) {
        p->scratch[(*length)++] = values[found - names];
        p->at += 2;
        return true;
    }
    if (c == 'u' || c == 'U') {
        p->at += 2;
        return read_unicode(p, c == 'u' ? 4 : 8, length);
    }
    if (multi) { // A backslash that ends a line swallows all space up to the next character.
        const char *back = p->at++;
        skip_blanks(p);
        if (p->at < p->end && at_newline(p)) {
            while (p->at < p->end) {
                skip_blanks(p);
                if (p->at == p->end || !at_newline(p)) break;
                take_newline(p);
            }
            return true;
        }
        p->at = back;
    }
    return fail(p, "an unknown escape in a string");
}

bool weft_toml_read_string(struct parser *p, const char **text, size_t *text_length,
                           bool may_be_multi)
{
    const char quote = *p->at;
    const char triple[] = {quote, quote, quote, '\0'};
    const struct weft_toml_place start = place(p);
    const bool multi = may_be_multi && looks_at(p, triple);
    size_t length = 0;

    p->at += multi ? 3 : 1;
    if (multi && p->at < p->end && at_newline(p)) take_newline(p);
    for (;;) {
        if (p->at == p->end) return weft_toml_fail_at(p, start, "a string is not closed");
        const char c = *p->at;
        if (c == quote && !multi) break;
        if (multi && looks_at(p, triple)) break;
        if (at_newline(p)) {
            if (!multi) return weft_toml_fail_at(p, start, "a string is not closed on its line");
            p->scratch[length++] = '\n';
            take_newline(p);
        } else if (c == '\\' && quote == '"') {
            if (!read_escape(p, multi, &length)) return false;
        } else if (is_control(c)) {
            return fail(p, "a control character in a string");
        } else {
            p->scratch[length++] = *p->at++;
        }
    }
    p->at += multi ? 3 : 1;
    for (int i = 0; multi && i < 2 && peek(p, 0) == quote; i++) { // """a""""" ends in two quotes.
        p->scratch[length++] = quote;
        p->at++;
    }
    *text = weft_config_pool_copy(p->pool, p->scratch, length);
    *text_length = length;
    if (!*text) p->out_of_memory = p->give_up = true;
    return *text != NULL;
}

// RFC 3629 §4. Returns the length of the sequence at `s`, 0 if it is not one.
static size_t utf8_span(const unsigned char *s, size_t left)
{
    if (s[0] < 0x80) return 1;
    const size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || left < n) return 0;
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) return 0;
    }
    if (s[0] == 0xe0 && s[1] < 0xa0) return 0; // Overlong.
    if (s[0] == 0xed && s[1] > 0x9f) return 0; // Surrogates.
    if (s[0] == 0xf0 && s[1] < 0x90) return 0;
    if (s[0] == 0xf4 && s[1] > 0x8f) return 0;
    return n;
}

bool weft_toml_check_utf8(struct parser *p)
{
    uint32_t line = 1, column = 1;
    for (const char *s = p->at; s < p->end;) {
        const size_t n = utf8_span((const unsigned char *)s, (size_t)(p->end - s));
        if (n == 0)
            return weft_toml_fail_at(p, (struct weft_toml_place){line, column},
                                     "the text is not UTF-8");
        column++;
        if (*s == '\n') line++, column = 1;
        s += n;
    }
    return true;
}
