#include "dataplane/checksum.h"

uint64_t weft_checksum_add(uint64_t sum, const uint8_t *bytes, size_t length)
{
    // 32 bits at a time into 64: 2^32 words could be added before a carry is lost.
    while (length >= 16) {
        uint32_t word[4];
        memcpy(word, bytes, sizeof(word));
        sum += (uint64_t)word[0] + word[1] + word[2] + word[3];
        bytes += 16;
        length -= 16;
    }
    while (length >= 2) {
        uint16_t half;
        memcpy(&half, bytes, sizeof(half));
        sum += half;
        bytes += 2;
        length -= 2;
    }
    if (length == 1) {
        const uint8_t padded[2] = {*bytes, 0}; // RFC 1071: pad with a zero byte.
        uint16_t half;
        memcpy(&half, padded, sizeof(half));
        sum += half;
    }
    return sum;
}
