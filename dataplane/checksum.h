// checksum.h: the Internet checksum (RFC 1071): the ones' complement of a ones' complement sum.
//
// A sum is kept in host order words as they lie in memory: the result may be stored as it is, on
// either byte order (RFC 1071, section 2 (B)). Pure functions; any thread.
#ifndef WEFT_DATAPLANE_CHECKSUM_H
#define WEFT_DATAPLANE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "runtime/base/endian.h" // Which also says that memory is little-endian.

// Adds `length` bytes to `sum`. Only the last piece of a message may have an odd length.
uint64_t weft_checksum_add(uint64_t sum, const uint8_t *bytes, size_t length);

// The pseudo header of UDP over IPv4 (RFC 768). Addresses in host order; `length` of UDP with
// header.
// Words are made in registers as they would lie in memory: what was just stored in small pieces is
// slow to load again as a large one.
static inline uint64_t weft_checksum_pseudo_ip4(uint32_t source, uint32_t destination,
                                                uint8_t protocol, uint16_t length)
{
    return (uint64_t)__builtin_bswap32(source) + __builtin_bswap32(destination) +
           __builtin_bswap16(protocol) + __builtin_bswap16(length);
}

// Folds `sum` to 16 bits without complementing it.
static inline uint16_t weft_checksum_fold(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

// The checksum to store with memcpy, in memory order. Of a message that carries its checksum: 0 if
// good.
static inline uint16_t weft_checksum_finish(uint64_t sum)
{
    return (uint16_t)~weft_checksum_fold(sum);
}

// The checksum of a 20 byte IPv4 header, by hand: the one length the fast path sees.
static inline uint16_t weft_checksum_ip4_header(const uint8_t *header)
{
    uint32_t word[5];
    memcpy(word, header, sizeof(word));
    return weft_checksum_finish((uint64_t)word[0] + word[1] + word[2] + word[3] + word[4]);
}

#endif // WEFT_DATAPLANE_CHECKSUM_H
