// partition.h: where a partition is, by the identifier in its table. No udev runs that early, and
// the kernel tells a partition's name in /sys but not its identifier.
//
// Memory: nothing is kept. Core: any.
#ifndef WEFT_IMAGE_PARTITION_H
#define WEFT_IMAGE_PARTITION_H

#include <stddef.h>
#include <stdint.h>

// 36 letters to the 16 bytes that a table holds: the first three groups stand the other way round
// (UEFI 2.10, appendix A). Returns 0, or -EINVAL.
int weft_partition_guid(const char *text, uint8_t guid[16]);

// The path below `dev` of the partition `partuuid` of a disk that `sys` lists under block/. Returns
// 0; -ENODEV if none has it; -EINVAL if it is no identifier; -E2BIG.
int weft_partition_find(const char *sys, const char *dev, const char *partuuid, char *device,
                        size_t size);

#endif // WEFT_IMAGE_PARTITION_H
