// endian.h: integers of the wire and the disk, byte by byte: no cast, no alignment, no host order.
// Ours are little-endian (le); the Internet's headers are big-endian (be).
#ifndef WEFT_BASE_ENDIAN_H
#define WEFT_BASE_ENDIAN_H

#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Weft runs on little-endian machines (armv8-a, x86-64)"
#endif

static inline uint16_t weft_le16_get(const void *from)
{
    uint16_t value;
    memcpy(&value, from, sizeof(value));
    return value;
}

static inline uint32_t weft_le32_get(const void *from)
{
    uint32_t value;
    memcpy(&value, from, sizeof(value));
    return value;
}

static inline uint64_t weft_le64_get(const void *from)
{
    uint64_t value;
    memcpy(&value, from, sizeof(value));
    return value;
}

static inline void weft_le16_put(void *to, uint16_t value)
{
    memcpy(to, &value, sizeof(value));
}

static inline void weft_le32_put(void *to, uint32_t value)
{
    memcpy(to, &value, sizeof(value));
}

static inline void weft_le64_put(void *to, uint64_t value)
{
    memcpy(to, &value, sizeof(value));
}

static inline uint16_t weft_be16_get(const void *from)
{
    return __builtin_bswap16(weft_le16_get(from));
}

static inline uint32_t weft_be32_get(const void *from)
{
    return __builtin_bswap32(weft_le32_get(from));
}

static inline void weft_be16_put(void *to, uint16_t value)
{
    weft_le16_put(to, __builtin_bswap16(value));
}

static inline void weft_be32_put(void *to, uint32_t value)
{
    weft_le32_put(to, __builtin_bswap32(value));
}

#endif // WEFT_BASE_ENDIAN_H
