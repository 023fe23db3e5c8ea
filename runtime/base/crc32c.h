// crc32c.h: the Castagnoli checksum of everything that we write to disk (RFC 3720, appendix B.4).
#ifndef WEFT_BASE_CRC32C_H
#define WEFT_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

// The checksum of `length` bytes, going on from `crc` (0 to begin). Any thread.
uint32_t weft_crc32c(uint32_t crc, const void *data, size_t length);

#endif // WEFT_BASE_CRC32C_H
