// proquint.h: a fingerprint as words that can be read aloud (Wilkerson, "A Proposal for Proquints",
// 2009): for each 16 bits, the most significant first, a consonant, a vowel, a consonant, a vowel
// and a consonant.
#ifndef WEFT_BASE_PROQUINT_H
#define WEFT_BASE_PROQUINT_H

// Six words, what stands between them, and the end.
#define WEFT_PROQUINT_BYTES 36

// The first six words of `hex`, 96 bits: nobody makes a key whose words are the same. Colons
// between the digits do not count; "" if there are not 24 digits. Any thread.
void weft_proquint_words(const char *hex, char words[WEFT_PROQUINT_BYTES]);

#endif // WEFT_BASE_PROQUINT_H
