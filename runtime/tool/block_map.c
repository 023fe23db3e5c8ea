#include "runtime/tool/block_map.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANGES_MAX 100000

static uint64_t number_in(const char *text, const char *tag)
{
    const char *at = strstr(text, tag);

    return at != NULL ? strtoull(at + strlen(tag), NULL, 10) : 0;
}

// "A-B" or "A" behind the end of a tag. False if it is neither.
static bool read_range(const char *text, struct weft_block_range *range)
{
    int used = 0;

    if (sscanf(text, " %" SCNu64 " %n", &range->first, &used) != 1) return false;
    range->last = range->first;
    text += used;
    if (*text == '-' && sscanf(text + 1, " %" SCNu64 " %n", &range->last, &used) != 1) return false;
    return range->last >= range->first && range->last < UINT64_MAX / 65536;
}

static bool add_range(struct weft_block_map *map, const char *text)
{
    struct weft_block_range range;

    if (map->count == RANGES_MAX || !read_range(text, &range)) return false;
    if (map->count > 0 && range.first <= map->ranges[map->count - 1].last) return false;
    struct weft_block_range *more = realloc(map->ranges, (map->count + 1) * sizeof(map->ranges[0]));
    if (more == NULL) return false;
    map->ranges = more;
    map->ranges[map->count++] = range;
    return true;
}

int weft_block_map_parse(const char *text, struct weft_block_map *map, struct weft_error *error)
{
    memset(map, 0, sizeof(*map));
    map->image_bytes = number_in(text, "<ImageSize>");
    map->block_bytes = (uint32_t)number_in(text, "<BlockSize>");
    bool good = map->block_bytes >= 512 && map->block_bytes <= 65536;
    for (const char *at = text; good && (at = strstr(at, "<Range")) != NULL;) {
        at = strchr(at, '>');
        good = at != NULL && add_range(map, ++at);
    }
    if (good && map->count > 0) return 0;
    weft_block_map_destroy(map);
    return weft_error_set(error, 902, "the block map is malformed");
}

int weft_block_map_all(uint64_t image_bytes, struct weft_block_map *map, struct weft_error *error)
{
    *map = (struct weft_block_map){
        .image_bytes = image_bytes, .block_bytes = 4096, .count = 1, .ranges = NULL};
    map->ranges = malloc(sizeof(map->ranges[0]));
    if (map->ranges == NULL) return weft_error_set(error, 902, "no memory for a block map");
    map->ranges[0] = (struct weft_block_range){.first = 0, .last = UINT64_MAX / 65536 - 1};
    return 0;
}

void weft_block_map_destroy(struct weft_block_map *map)
{
    free(map->ranges);
    *map = (struct weft_block_map){.count = 0};
}

size_t weft_block_map_run(const struct weft_block_map *map, uint64_t offset, size_t length,
                          bool *mapped)
{
    const uint64_t block = offset / map->block_bytes;
    uint64_t end = UINT64_MAX; // The first byte of the other kind.
    size_t low = 0, high = map->count;

    while (low < high) { // The first range that does not end before the block.
        const size_t middle = (low + high) / 2;
        if (map->ranges[middle].last < block)
            low = middle + 1;
        else
            high = middle;
    }
    *mapped = low < map->count && map->ranges[low].first <= block;
    if (*mapped)
        end = (map->ranges[low].last + 1) * map->block_bytes;
    else if (low < map->count)
        end = map->ranges[low].first * map->block_bytes;
    return end - offset < length ? (size_t)(end - offset) : length;
}

uint64_t weft_block_map_bytes(const struct weft_block_map *map)
{
    uint64_t blocks = 0;

    for (size_t i = 0; i < map->count; i++)
        blocks += map->ranges[i].last - map->ranges[i].first + 1;
    const uint64_t bytes = blocks * map->block_bytes;
    return map->image_bytes != 0 && bytes > map->image_bytes ? map->image_bytes : bytes;
}
