#include "image/update/version.h"

#include <string.h>

#define NUMBERS_MAX 4
#define DIGITS_MAX  9

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Bytes of a number without leading zeros, or 0.
static size_t number_length(const char *text, size_t length)
{
    size_t at = 0;

    while (at < length && is_digit(text[at]))
        at++;
    return at > DIGITS_MAX || (at > 1 && text[0] == '0') ? 0 : at;
}

static bool word_valid(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (!is_digit(text[i]) && (text[i] < 'a' || text[i] > 'z')) return false;
    }
    return length > 0;
}

bool weft_update_version_valid(const char *text, size_t length)
{
    size_t at = 0;

    if (length >= WEFT_UPDATE_VERSION_BYTES) return false;
    for (unsigned numbers = 1;; numbers++) {
        const size_t digits = number_length(text + at, length - at);
        at += digits;
        if (digits == 0 || numbers > NUMBERS_MAX) return false;
        if (at == length) return true;
        if (text[at] == '~') return word_valid(text + at + 1, length - at - 1);
        if (text[at++] != '.') return false;
    }
}

// Digits at *text as a number; moves *text behind them.
static unsigned long take_number(const char **text)
{
    unsigned long number = 0;

    while (is_digit(**text))
        number = number * 10 + (unsigned long)(*(*text)++ - '0');
    return number;
}

// As the loader compares what stands behind a tilde: letters by their codes, runs of digits as
// numbers, and digits before letters.
static int compare_words(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        if (is_digit(*a) != is_digit(*b)) return is_digit(*a) ? 1 : -1;
        if (is_digit(*a)) {
            const unsigned long number_a = take_number(&a), number_b = take_number(&b);
            if (number_a != number_b) return number_a < number_b ? -1 : 1;
        } else if (*a++ != *b++) {
            return a[-1] < b[-1] ? -1 : 1;
        }
    }
    return (*a != '\0') - (*b != '\0');
}

int weft_update_version_compare(const char *a, const char *b)
{
    for (;;) {
        const unsigned long number_a = take_number(&a), number_b = take_number(&b);
        if (number_a != number_b) return number_a < number_b ? -1 : 1;
        // What comes before a release is older than the release: the tilde sorts below the end.
        if (*a == '~' || *b == '~') {
            if (*a != *b) return *a == '~' ? -1 : 1;
            return compare_words(a + 1, b + 1);
        }
        if (*a == '\0' || *b == '\0') return (*a != '\0') - (*b != '\0');
        a++, b++;
    }
}
