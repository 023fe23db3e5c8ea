// The values of TOML that are one token: numbers, booleans, dates and times.
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config/toml.h"

static bool is_token(const char *token, size_t length, const char *word)
{
    return length == strlen(word) && memcmp(token, word, length) == 0;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return 99;
}

// Digits with single underscores between them; a sign only for base 10, where no zero may lead.
static const char *read_int(struct weft_toml_node *node, const char *token, size_t length)
{
    int base = 10;
    bool negative = false;
    size_t i = 0;
    if (length > 2 && token[0] == '0' && strchr("xob", token[1])) {
        base = token[1] == 'x' ? 16 : token[1] == 'o' ? 8 : 2;
        i = 2;
    } else if (length > 0 && (token[0] == '+' || token[0] == '-')) {
        negative = token[0] == '-';
        i = 1;
    }
    if (i == length) return "a number has no digits";
    if (base == 10 && token[i] == '0' && length > i + 1) return "a number starts with a zero";

    uint64_t value = 0;
    const uint64_t limit = (uint64_t)INT64_MAX + negative;
    for (bool was_digit = false; i < length; i++) {
        if (token[i] == '_') {
            if (!was_digit || i + 1 == length) return "an underscore is not between digits";
            was_digit = false;
            continue;
        }
        const int digit = digit_value(token[i]);
        if (digit >= base) return "not a value (a string needs quotes)";
        if (value > (limit - (unsigned)digit) / (unsigned)base) return "a number above 64 bits";
        value = value * (unsigned)base + (unsigned)digit;
        was_digit = true;
    }
    node->type = WEFT_TOML_INT;
    node->integer = negative ? (int64_t)(0 - value) : (int64_t)value;
    return NULL;
}

// How many bytes of digits and well-placed underscores stand at `token`; 0 for none or ill-placed.
static size_t span_digits(const char *token, size_t length)
{
    size_t i = 0;
    while (i < length && (isdigit((unsigned char)token[i]) || token[i] == '_')) {
        if (token[i] == '_' &&
            (i == 0 || i + 1 == length || !isdigit((unsigned char)token[i - 1]) ||
             !isdigit((unsigned char)token[i + 1])))
            return 0;
        i++;
    }
    return i;
}

static const char *read_float(struct weft_toml_node *node, const char *token, size_t length)
{
    static const char malformed[] = "a malformed number";
    size_t i = token[0] == '+' || token[0] == '-';
    size_t digits = span_digits(token + i, length - i);
    if (digits == 0) return malformed;
    if (token[i] == '0' && digits > 1) return "a number starts with a zero";
    i += digits;
    if (i < length && token[i] == '.') {
        digits = span_digits(token + i + 1, length - i - 1);
        if (digits == 0) return "a number needs digits on both sides of its point";
        i += 1 + digits;
    }
    if (i < length && (token[i] == 'e' || token[i] == 'E')) {
        i++;
        if (i < length && (token[i] == '+' || token[i] == '-')) i++;
        digits = span_digits(token + i, length - i);
        if (digits == 0) return "an exponent has no digits";
        i += digits;
    }
    if (i != length) return malformed;

    char plain[256];
    size_t n = 0;
    for (i = 0; i < length; i++) {
        if (token[i] == '_') continue;
        if (n + 1 == sizeof(plain)) return "a number of more than 255 digits";
        plain[n++] = token[i];
    }
    plain[n] = '\0';
    node->type = WEFT_TOML_FLOAT;
    node->real = strtod(plain, NULL); // The process runs in the C locale.
    return NULL;
}

static bool read_two(const char *text, size_t length, size_t at, int *value)
{
    if (at + 2 > length) return false;
    if (!isdigit((unsigned char)text[at]) || !isdigit((unsigned char)text[at + 1])) return false;
    *value = (text[at] - '0') * 10 + text[at + 1] - '0';
    return true;
}

// RFC 3339 §5.6 partial-time. Returns its length, 0 if malformed.
static size_t span_time(const char *text, size_t length)
{
    int hour, minute, second;
    if (!read_two(text, length, 0, &hour) || hour > 23) return 0;
    if (length < 8 || text[2] != ':' || text[5] != ':') return 0;
    if (!read_two(text, length, 3, &minute) || minute > 59) return 0;
    if (!read_two(text, length, 6, &second) || second > 60) return 0;
    if (length == 8 || text[8] != '.') return 8;
    size_t i = 9;
    while (i < length && isdigit((unsigned char)text[i])) {
        i++;
    }
    return i == 9 ? 0 : i;
}

static bool date_is_valid(const char *text, size_t length)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int century, year, month, day;
    if (length < 10 || text[4] != '-' || text[7] != '-') return false;
    if (!read_two(text, length, 0, &century) || !read_two(text, length, 2, &year)) return false;
    if (!read_two(text, length, 5, &month) || !read_two(text, length, 8, &day)) return false;
    year += century * 100;
    if (month < 1 || month > 12 || day < 1) return false;
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day <= days[month - 1] + (month == 2 && leap);
}

static bool offset_is_valid(const char *text, size_t length)
{
    int hour, minute;
    if (length == 1) return text[0] == 'Z' || text[0] == 'z';
    return length == 6 && (text[0] == '+' || text[0] == '-') && text[3] == ':' &&
           read_two(text, length, 1, &hour) && hour <= 23 && read_two(text, length, 4, &minute) &&
           minute <= 59;
}

static const char *read_date(struct weft_toml_node *node, const char *token, size_t length)
{
    static const char malformed[] = "a malformed date or time";
    size_t i = 0;
    node->type = WEFT_TOML_TIME_LOCAL;
    if (token[2] != ':') {
        if (!date_is_valid(token, length)) return malformed;
        node->type = WEFT_TOML_DATE_LOCAL;
        if (length == 10) return NULL;
        if (!strchr("Tt ", token[10])) return malformed;
        node->type = WEFT_TOML_DATETIME_LOCAL;
        i = 11;
    }
    const size_t time_length = span_time(token + i, length - i);
    if (time_length == 0) return malformed;
    i += time_length;
    if (i == length) return NULL;
    if (node->type == WEFT_TOML_TIME_LOCAL) return malformed;
    node->type = WEFT_TOML_DATETIME;
    return offset_is_valid(token + i, length - i) ? NULL : malformed;
}

const char *weft_toml_scalar(struct weft_toml_node *node, const char *token, size_t length)
{
    if (length == 0) return "a value is missing";
    if (is_token(token, length, "true") || is_token(token, length, "false")) {
        node->type = WEFT_TOML_BOOL;
        node->integer = token[0] == 't';
        return NULL;
    }
    const size_t sign = token[0] == '+' || token[0] == '-';
    if (is_token(token + sign, length - sign, "inf")) {
        node->type = WEFT_TOML_FLOAT;
        node->real = token[0] == '-' ? -INFINITY : INFINITY;
        return NULL;
    }
    if (is_token(token + sign, length - sign, "nan")) {
        node->type = WEFT_TOML_FLOAT;
        node->real = NAN;
        return NULL;
    }
    if (sign == length || !isdigit((unsigned char)token[sign]))
        return "not a value (a string needs quotes)";
    if (sign == 0 && length > 4 && (token[4] == '-' || token[2] == ':') &&
        isdigit((unsigned char)token[1]) && token[1] != 'x')
        if (token[2] == ':' || isdigit((unsigned char)token[3]))
            return read_date(node, token, length);
    const bool prefixed = length > 1 && token[0] == '0' && strchr("xob", token[1]);
    if (!prefixed &&
        (memchr(token, '.', length) || memchr(token, 'e', length) || memchr(token, 'E', length)))
        return read_float(node, token, length);
    return read_int(node, token, length);
}
