// floating.c: room for floats; text to floats, and floats to digits. The C library's conversions
// are exact for any number of digits; they only ever see what was made here, of bounded length, and
// without a decimal point, which is the locale's.
#include "forth/floating.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int32_t weft_float_room(struct weft_unit *unit, uint32_t count)
{
    const uint64_t depth = (uint64_t)unit->block->fsp + count;
    if (depth > unit->options.stack_cells_max) return -44;
    return weft_segment_grow(unit, WEFT_SEGMENT_FLOAT_STACK, depth * sizeof(double));
}

int32_t weft_float_push(struct weft_unit *unit, double value)
{
    const int32_t code = weft_float_room(unit, 1);
    if (code == 0) weft_float_stack(unit->block)[unit->block->fsp++] = value;
    return code;
}

double weft_float_nan(double a, double b)
{
    if (a != a) return a;
    return b != b ? b : (double)NAN;
}

// A number as it is read: digits times ten to the power of exponent.
struct decimal {
    const char *text, *end;
    int64_t exponent;
    uint32_t count;
    bool negative;
    bool more; // Digits behind the last one kept, not all of them 0.
    char digits[WEFT_PRECISION_MAX];
};

static bool is_digit(const struct decimal *number)
{
    return number->text < number->end && *number->text >= '0' && *number->text <= '9';
}

static bool accept(struct decimal *number, const char *any)
{
    if (number->text == number->end || *number->text == '\0') return false;
    if (strchr(any, *number->text) == NULL) return false;
    number->text++;
    return true;
}

static bool accept_sign(struct decimal *number)
{
    const bool negative = number->text < number->end && *number->text == '-';
    accept(number, "+-");
    return negative;
}

// Digits of the whole part or of the fraction. Beyond those that can decide how a double is
// rounded, only whether there are any is kept. Answers how many there were.
static uint32_t accept_digits(struct decimal *number, bool fraction)
{
    uint32_t seen = 0;
    for (; is_digit(number); number->text++, seen++) {
        const bool leading = number->count == 0 && *number->text == '0';
        const bool kept = !leading && number->count < WEFT_PRECISION_MAX;
        if (kept) number->digits[number->count++] = *number->text;
        if (!kept && !leading) number->more |= *number->text != '0';
        if (fraction && (kept || leading)) number->exponent--;
        if (!fraction && !kept && !leading) number->exponent++;
    }
    return seen;
}

static void accept_exponent(struct decimal *number)
{
    const bool negative = accept_sign(number);
    int64_t exponent = 0;
    for (; is_digit(number); number->text++) {
        if (exponent < 1000000) exponent = exponent * 10 + (*number->text - '0');
    }
    number->exponent += negative ? -exponent : exponent;
}

static double value_of(const struct decimal *number)
{
    char text[WEFT_PRECISION_MAX + 32];
    if (number->count == 0) return number->negative ? -0.0 : 0.0;
    snprintf(text, sizeof(text), "%.*s%se%lld", (int)number->count, number->digits,
             number->more ? "1" : "", (long long)number->exponent - number->more);
    const double size = strtod(text, NULL);
    return number->negative ? -size : size;
}

bool weft_float_read(const char *text, uint32_t length, enum weft_float_form form, double *value)
{
    struct decimal number;
    memset(&number, 0, offsetof(struct decimal, digits));
    if (length > WEFT_CHUNK_BYTES) return false;
    number.text = text;
    number.end = text + length;
    const bool in_source = form == WEFT_FLOAT_IN_SOURCE;
    while (!in_source && accept(&number, " ")) {
    }
    if (number.text == number.end && !in_source) {
        *value = 0;
        return true;
    }
    if (number.text != text) return false; // Blanks, but not only blanks.
    number.negative = accept_sign(&number);
    const uint32_t whole = accept_digits(&number, false);
    const uint32_t part = accept(&number, ".") ? accept_digits(&number, true) : 0;
    if (whole == 0 && (in_source || part == 0)) return false;
    if (accept(&number, in_source ? "Ee" : "EeDd")) {
        accept_exponent(&number);
    } else if (in_source) {
        return false;
    } else if (number.text < number.end && (*number.text == '+' || *number.text == '-')) {
        accept_exponent(&number);
    }
    if (number.text != number.end) return false;
    *value = value_of(&number);
    return true;
}

void weft_float_digits(double value, uint32_t count, char *digits, int *exponent)
{
    char text[WEFT_PRECISION_MAX + 32];
    snprintf(text, sizeof(text), "%.*e", (int)count - 1, fabs(value));
    const char *from = text;
    for (uint32_t n = 0; n < count; from++) {
        if (*from >= '0' && *from <= '9') digits[n++] = *from; // Not the point.
    }
    *exponent = value == 0 ? 1 : atoi(from + 1) + 1;
}

size_t weft_float_write(double value, char to[WEFT_FLOAT_TEXT_BYTES])
{
    const char *sign = signbit(value) ? "-" : "";
    char digits[17];
    double again = 0;
    int exponent;
    if (!isfinite(value))
        return (size_t)snprintf(to, WEFT_FLOAT_TEXT_BYTES, "%s%s", sign,
                                isnan(value) ? "nan" : "inf");
    for (uint32_t count = 15; count <= 17; count++) {
        weft_float_digits(value, count, digits, &exponent);
        uint32_t used = count;
        while (used > 1 && digits[used - 1] == '0')
            used--;
        const int length = snprintf(to, WEFT_FLOAT_TEXT_BYTES, "%s%c%s%.*sE%d", sign, digits[0],
                                    used > 1 ? "." : "", (int)used - 1, digits + 1, exponent - 1);
        if (weft_float_read(to, (uint32_t)length, WEFT_FLOAT_IN_SOURCE, &again) && again == value)
            return (size_t)length;
    }
    return strlen(to);
}
