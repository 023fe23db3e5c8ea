#include "runtime/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime/base/units.h"

// "1" before the digits keeps 0101 from being read as octal.
static const struct weft_error_info table[] = {
#define WEFT_ERROR_INFO(digits, title, explanation) {1##digits - 10000, title, explanation},
    WEFT_ERROR_TABLE(WEFT_ERROR_INFO)
#undef WEFT_ERROR_INFO
};

int weft_error_set(struct weft_error *error, uint16_t code, const char *format, ...)
{
    if (error == NULL) return -1;
    va_list args;
    va_start(args, format);
    memset(error, 0, sizeof(*error));
    error->code = code;
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return -1;
}

void weft_error_hint(struct weft_error *error, const char *format, ...)
{
    if (error == NULL) return;
    va_list args;
    va_start(args, format);
    vsnprintf(error->hint, sizeof(error->hint), format, args);
    va_end(args);
}

const struct weft_error_info *weft_error_find(uint16_t code)
{
    for (size_t i = 0; i < WEFT_COUNT_OF(table); i++) {
        if (table[i].code == code) return &table[i];
    }
    return NULL;
}

const struct weft_error_info *weft_error_at(uint32_t index)
{
    return index < WEFT_COUNT_OF(table) ? &table[index] : NULL;
}
