// sha256.h: SHA-256 (FIPS 180-4): names by content, where nobody may be able to make another
// content of the same name. Some 200 MB/s in plain C: for names, not for streams.
//
// Core: any; it keeps nothing.
#ifndef WEFT_BASE_SHA256_H
#define WEFT_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { WEFT_SHA256_BYTES = 32 };

void weft_sha256(const void *bytes, size_t length, uint8_t hash[WEFT_SHA256_BYTES]);

#endif // WEFT_BASE_SHA256_H
