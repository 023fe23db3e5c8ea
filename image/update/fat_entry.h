// fat_entry.h: one of the 32-byte entries of a directory of a FAT file system, for those who put a
// file there (fat.h) and who change its name (fat_names.h). Microsoft's FAT specification, 1.03.
//
// A file has the entries of its long name, the last part first, and then the one of its short name.
//
// Core: any. Memory: the caller's.
#ifndef WEFT_UPDATE_FAT_ENTRY_H
#define WEFT_UPDATE_FAT_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEFT_FAT_ENTRY_BYTES   32
#define WEFT_FAT_LONG_UNITS    13   // Characters in one entry of a long name.
#define WEFT_FAT_LONG_MARK     0x0f // Its attributes,
#define WEFT_FAT_LONG_LAST     0x40 // and in its first byte, of the last part.
#define WEFT_FAT_ENTRY_DELETED 0xe5 // The first byte of one that is free.

// Of a short name; it stands in each entry of the long one.
uint8_t weft_fat_entry_checksum(const uint8_t short_name[11]);

// The character `index` of an entry of a long name, below WEFT_FAT_LONG_UNITS. 0 or 0xffff: the
// name is over.
uint16_t weft_fat_entry_unit(const uint8_t *entry, size_t index);

// Makes `entry` the part `order` (1: the first) of the long name `name`, plain ASCII.
void weft_fat_entry_put_long(uint8_t *entry, const char *name, size_t order, bool is_last,
                             uint8_t sum);

#endif // WEFT_UPDATE_FAT_ENTRY_H
