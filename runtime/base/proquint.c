#include "runtime/base/proquint.h"

#include <ctype.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static int digit_of(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// 16 bits: 4 for a consonant, 2 for a vowel, 4, 2, 4.
static void add_word(uint32_t bits, char *word)
{
    static const char consonants[] = "bdfghjklmnprstvz", vowels[] = "aiou";
    word[0] = consonants[bits >> 12];
    word[1] = vowels[bits >> 10 & 3];
    word[2] = consonants[bits >> 6 & 15];
    word[3] = vowels[bits >> 4 & 3];
    word[4] = consonants[bits & 15];
}

void weft_proquint_words(const char *hex, char words[WEFT_PROQUINT_BYTES])
{
    uint32_t bits = 0;
    size_t digits = 0;
    memset(words, 0, WEFT_PROQUINT_BYTES);
    for (; *hex != '\0' && digits < 24; hex++) {
        const int digit = digit_of(*hex);
        if (*hex == ':') continue;
        if (digit < 0) break;
        bits = bits << 4 | (uint32_t)digit;
        if (++digits % 4 != 0) continue;
        const size_t word = digits / 4 - 1;
        add_word(bits & 0xffff, words + 6 * word);
        if (word < 5) words[6 * word + 5] = '-';
    }
    if (digits < 24) words[0] = '\0';
}
