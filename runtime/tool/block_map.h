// block_map.h: which blocks of an image hold something, as bmaptool writes it (.bmap, format 2.0).
//
// Of the XML only what is needed: BlockSize, and each <Range chksum="HEX"> A-B </Range> in rising
// order. The file is checked by SHA256SUMS like every other of a release.
#ifndef WEFT_TOOL_BLOCK_MAP_H
#define WEFT_TOOL_BLOCK_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/error.h"

struct weft_block_map {
    uint64_t image_bytes; // 0: not said.
    uint32_t block_bytes;
    size_t count;
    struct weft_block_range {
        uint64_t first, last; // Blocks, both its own.
    } * ranges;
};

// Reads the text. 0, or -1 with W0902. The caller destroys it.
int weft_block_map_parse(const char *text, struct weft_block_map *map, struct weft_error *error);
// Everything of an image without a map.
int weft_block_map_all(uint64_t image_bytes, struct weft_block_map *map, struct weft_error *error);
void weft_block_map_destroy(struct weft_block_map *map);

// How many of the `length` bytes at `offset` are of one kind: mapped (*mapped) or not.
size_t weft_block_map_run(const struct weft_block_map *map, uint64_t offset, size_t length,
                          bool *mapped);
// Bytes that are mapped.
uint64_t weft_block_map_bytes(const struct weft_block_map *map);

#endif // WEFT_TOOL_BLOCK_MAP_H
