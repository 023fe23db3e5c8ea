#include "runtime/base/crc32c.h"

#include <string.h>

#if defined(__x86_64__)
#include <nmmintrin.h>

// SSE4.2 is part of our x86-64-v2 baseline, so nothing has to be picked at run time.
uint32_t weft_crc32c(uint32_t crc, const void *data, size_t length)
{
    const uint8_t *at = data;
    uint64_t sum = (uint32_t)~crc;
    for (; length >= 8; at += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        sum = _mm_crc32_u64(sum, word);
    }
    for (; length > 0; at++, length--) {
        sum = _mm_crc32_u8((uint32_t)sum, *at);
    }
    return ~(uint32_t)sum;
}

#else

#include <stdbool.h>

static uint32_t by_table(uint32_t sum, const uint8_t *at, size_t length)
{
    // One nibble at a time: sixteen constants of the reflected polynomial 0x82f63b78.
    static const uint32_t table[16] = {
        0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
        0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
        0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
    };
    for (; length > 0; at++, length--) {
        sum ^= *at;
        sum = (sum >> 4) ^ table[sum & 15];
        sum = (sum >> 4) ^ table[sum & 15];
    }
    return sum;
}

#if defined(__aarch64__)
#include <sys/auxv.h>

#ifndef HWCAP_CRC32
#define HWCAP_CRC32 (1 << 7)
#endif

// armv8-a makes CRC optional (armv8.1-a does not): asked once per call, which costs two loads.
__attribute__((target("+crc"))) static uint32_t by_instruction(uint32_t sum, const uint8_t *at,
                                                               size_t length)
{
    for (; length >= 8; at += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        sum = __builtin_aarch64_crc32cx(sum, word);
    }
    for (; length > 0; at++, length--) {
        sum = __builtin_aarch64_crc32cb(sum, *at);
    }
    return sum;
}

uint32_t weft_crc32c(uint32_t crc, const void *data, size_t length)
{
    if (getauxval(AT_HWCAP) & HWCAP_CRC32) return ~by_instruction(~crc, data, length);
    return ~by_table(~crc, data, length);
}
#else
uint32_t weft_crc32c(uint32_t crc, const void *data, size_t length)
{
    return ~by_table(~crc, data, length);
}
#endif
#endif
