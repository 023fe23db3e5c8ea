#include "tests/support/disk_sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/base/crc32c.h"

static struct weft_disk_sim_file *find(struct weft_disk_sim *sim, uint32_t number)
{
    for (uint32_t i = 0; i < WEFT_DISK_SIM_FILES; i++)
        if (sim->files[i].exists && sim->files[i].number == number) return &sim->files[i];
    return NULL;
}

void weft_disk_sim_init(struct weft_disk_sim *sim, uint64_t seed)
{
    memset(sim, 0, sizeof(*sim));
    weft_prng_seed(&sim->prng, seed);
    sim->done_percent = 50;
}

static void forget(struct weft_disk_sim *sim, struct weft_disk_sim_write *write)
{
    free(write->copy);
    *write = (struct weft_disk_sim_write){0};
    sim->write_count--;
}

void weft_disk_sim_destroy(struct weft_disk_sim *sim)
{
    weft_disk_sim_land(sim);
    for (uint32_t i = 0; i < WEFT_DISK_SIM_WRITES; i++)
        free(sim->writes[i].copy);
    for (uint32_t i = 0; i < WEFT_DISK_SIM_FILES; i++)
        free(sim->files[i].bytes);
    memset(sim, 0, sizeof(*sim));
}

static int sim_write(void *self, uint32_t file, uint64_t block, const void *blocks,
                     uint32_t block_count, uint64_t cookie)
{
    struct weft_disk_sim *sim = self;
    struct weft_disk_sim_file *to = find(sim, file);
    weft_assert(to && block + block_count <= to->block_count);
    weft_assert((uintptr_t)blocks % WEFT_DISK_BLOCK_BYTES == 0);
    if (sim->write_count == WEFT_DISK_SIM_WRITES) return -ENOBUFS;
    struct weft_disk_sim_write *write = sim->writes;
    while (write->used)
        write++;
    const size_t length = (size_t)block_count * WEFT_DISK_BLOCK_BYTES;
    *write = (struct weft_disk_sim_write){.used = true,
                                          .file = to,
                                          .serial = to->serial,
                                          .block = block,
                                          .block_count = block_count,
                                          .cookie = cookie,
                                          .source = blocks,
                                          .copy = malloc(length)};
    weft_assert(write->copy);
    memcpy(write->copy, blocks, length);
    sim->write_count++;
    return 0;
}

static uint8_t *place_of(const struct weft_disk_sim_write *write)
{
    return write->file->bytes + write->block * WEFT_DISK_BLOCK_BYTES;
}

// Any set of its sectors; often all or none, which random bits alone would hardly ever give.
static void tear(struct weft_disk_sim *sim, struct weft_disk_sim_write *write)
{
    const uint32_t sectors = write->block_count * (WEFT_DISK_BLOCK_BYTES / WEFT_DISK_SIM_SECTOR);
    const uint32_t kind = weft_prng_below(&sim->prng, 3);
    for (uint32_t i = 0; i < sectors; i++) {
        const bool there = kind == 0 || (kind == 1 && weft_prng_below(&sim->prng, 2));
        const size_t at = (size_t)i * WEFT_DISK_SIM_SECTOR;
        if (there) memcpy(place_of(write) + at, write->copy + at, WEFT_DISK_SIM_SECTOR);
    }
}

static int32_t end(struct weft_disk_sim *sim, struct weft_disk_sim_write *write)
{
    const size_t length = (size_t)write->block_count * WEFT_DISK_BLOCK_BYTES;
    weft_assert(memcmp(write->source, write->copy, length) == 0);
    if (weft_prng_below(&sim->prng, 100) < sim->fail_percent) {
        tear(sim, write);
        return -EIO;
    }
    memcpy(place_of(write), write->copy, length);
    return 0;
}

static uint32_t sim_poll(void *self, struct weft_disk_done *done, uint32_t limit)
{
    struct weft_disk_sim *sim = self;
    uint32_t count = 0;
    const uint32_t from = weft_prng_below(&sim->prng, WEFT_DISK_SIM_WRITES);
    for (uint32_t i = 0; i < WEFT_DISK_SIM_WRITES && count < limit; i++) {
        struct weft_disk_sim_write *write = &sim->writes[(from + i) % WEFT_DISK_SIM_WRITES];
        if (!write->used || weft_prng_below(&sim->prng, 100) >= sim->done_percent) continue;
        done[count].cookie = write->cookie;
        done[count++].result = end(sim, write);
        forget(sim, write);
    }
    return count;
}

static int sim_read(void *self, uint32_t file, uint64_t block, void *blocks, uint32_t block_count)
{
    const struct weft_disk_sim_file *from = find(self, file);
    if (!from) return -ENOENT;
    memset(blocks, 0, (size_t)block_count * WEFT_DISK_BLOCK_BYTES);
    if (block >= from->block_count) return 0;
    if (block_count > from->block_count - block)
        block_count = (uint32_t)(from->block_count - block);
    memcpy(blocks, from->bytes + block * WEFT_DISK_BLOCK_BYTES,
           (size_t)block_count * WEFT_DISK_BLOCK_BYTES);
    return 0;
}

static int sim_remove(void *self, uint32_t file)
{
    struct weft_disk_sim_file *gone = find(self, file);
    if (!gone) return 0;
    free(gone->bytes);
    *gone = (struct weft_disk_sim_file){0};
    return 0;
}

static int sim_create(void *self, uint32_t file, uint64_t block_count)
{
    struct weft_disk_sim *sim = self;
    sim_remove(self, file);
    for (uint32_t i = 0; i < WEFT_DISK_SIM_FILES; i++) {
        if (sim->files[i].exists) continue;
        uint8_t *bytes = calloc(block_count, WEFT_DISK_BLOCK_BYTES);
        if (!bytes) return -ENOMEM;
        sim->files[i] = (struct weft_disk_sim_file){.exists = true,
                                                    .number = file,
                                                    .serial = ++sim->serial,
                                                    .block_count = block_count,
                                                    .bytes = bytes};
        return 0;
    }
    return -ENOSPC;
}

static int sim_list(void *self, uint32_t *files, uint32_t limit)
{
    const struct weft_disk_sim *sim = self;
    uint32_t count = 0;
    uint64_t next = 0; // The smallest number not listed yet.
    while (count < limit) {
        const struct weft_disk_sim_file *best = NULL;
        for (uint32_t i = 0; i < WEFT_DISK_SIM_FILES; i++) {
            const struct weft_disk_sim_file *file = &sim->files[i];
            if (!file->exists || file->number < next) continue;
            if (!best || file->number < best->number) best = file;
        }
        if (!best) break;
        files[count++] = best->number;
        next = (uint64_t)best->number + 1;
    }
    return (int)count;
}

struct weft_disk weft_disk_sim_disk(struct weft_disk_sim *sim)
{
    return (struct weft_disk){.write = sim_write,
                              .poll = sim_poll,
                              .read = sim_read,
                              .create = sim_create,
                              .remove = sim_remove,
                              .list = sim_list,
                              .self = sim};
}

void weft_disk_sim_crash(struct weft_disk_sim *sim)
{
    for (uint32_t i = 0; i < WEFT_DISK_SIM_WRITES; i++) {
        if (!sim->writes[i].used) continue;
        tear(sim, &sim->writes[i]);
        forget(sim, &sim->writes[i]);
    }
}

void weft_disk_sim_strand(struct weft_disk_sim *sim)
{
    weft_disk_sim_land(sim); // Those of the process before.
    memcpy(sim->stranded, sim->writes, sizeof(sim->writes));
    memset(sim->writes, 0, sizeof(sim->writes));
    sim->write_count = 0;
}

void weft_disk_sim_land(struct weft_disk_sim *sim)
{
    for (uint32_t i = 0; i < WEFT_DISK_SIM_WRITES; i++) {
        struct weft_disk_sim_write *write = &sim->stranded[i];
        if (!write->used) continue;
        if (write->file->exists && write->file->serial == write->serial) tear(sim, write);
        free(write->copy);
        *write = (struct weft_disk_sim_write){0};
    }
}

uint8_t *weft_disk_sim_bytes(struct weft_disk_sim *sim, uint32_t file, uint64_t *block_count)
{
    struct weft_disk_sim_file *found = find(sim, file);
    if (!found) return NULL;
    if (block_count) *block_count = found->block_count;
    return found->bytes;
}

uint64_t weft_disk_sim_hash(const struct weft_disk_sim *sim)
{
    uint64_t hash = 0; // A sum, so that the place of a file in the table does not matter.
    for (uint32_t i = 0; i < WEFT_DISK_SIM_FILES; i++) {
        const struct weft_disk_sim_file *file = &sim->files[i];
        if (!file->exists) continue;
        const uint32_t crc =
            weft_crc32c(file->number, file->bytes, file->block_count * WEFT_DISK_BLOCK_BYTES);
        hash += (((uint64_t)file->number << 32) | crc) * UINT64_C(0x9e3779b97f4a7c15);
    }
    return hash;
}
