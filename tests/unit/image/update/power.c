#include "tests/unit/image/update/power.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/units.h"
#include "tests/support/cmocka.h"

#define SECTOR 512

void power_disk_init(struct power_disk *disk, unsigned seed)
{
    memset(disk, 0, sizeof(*disk));
    weft_prng_seed(&disk->prng, seed);
    disk->cut_at = UINT64_MAX;
}

// One step. False if the power fails in it; from then on nothing does anything.
static bool step(struct power_disk *disk)
{
    if (disk->is_off) return false;
    if (disk->steps++ == disk->cut_at) disk->is_off = true;
    return !disk->is_off;
}

static bool toss(struct power_disk *disk)
{
    return weft_prng_below(&disk->prng, 2) == 0;
}

// ---- Slots.

static uint64_t capacity(void *self, char slot, enum weft_update_part part)
{
    (void)self, (void)slot, (void)part;
    return POWER_SLOT_BYTES;
}

static int write_part(void *self, char slot, enum weft_update_part part, uint64_t offset,
                      const uint8_t *bytes, size_t length)
{
    struct power_disk *disk = self;
    uint8_t *to = disk->now[slot - 'a'][part];

    assert_true(part <= WEFT_UPDATE_VERITY && offset + length <= POWER_SLOT_BYTES);
    while (length > 0) {
        const size_t room = SECTOR - offset % SECTOR, count = length < room ? length : room;
        if (!step(disk)) { // Torn: the sector has some of the new bytes.
            if (disk->steps == disk->cut_at + 1) memcpy(to + offset, bytes, count / 2);
            return -EIO;
        }
        memcpy(to + offset, bytes, count);
        offset += count;
        bytes += count;
        length -= count;
    }
    return 0;
}

static int read_part(void *self, char slot, enum weft_update_part part, uint64_t offset,
                     uint8_t *bytes, size_t length)
{
    struct power_disk *disk = self;

    if (disk->is_off) return -EIO;
    memcpy(bytes, disk->now[slot - 'a'][part] + offset, length);
    if (disk->broken_sectors) bytes[length / 2] ^= 4;
    return 0;
}

static int sync_part(void *self, char slot, enum weft_update_part part)
{
    struct power_disk *disk = self;

    if (!step(disk)) return -EIO;
    memcpy(disk->safe[slot - 'a'][part], disk->now[slot - 'a'][part], POWER_SLOT_BYTES);
    return 0;
}

// ---- Files.

static struct power_file *find(struct power_shelf *shelf, const char *name)
{
    for (size_t i = 0; i < POWER_FILES_MAX; i++) {
        if (strcmp(shelf->files[i].name, name) == 0) return &shelf->files[i];
    }
    return NULL;
}

static bool file_at(void *self, uint32_t index, char name[WEFT_UPDATE_NAME_BYTES])
{
    struct power_disk *disk = self;

    for (size_t i = 0; i < POWER_FILES_MAX; i++) {
        if (disk->shelf.files[i].name[0] == '\0' || index-- > 0) continue;
        strcpy(name, disk->shelf.files[i].name);
        return true;
    }
    return false;
}

static int file_read(void *self, const char *name, size_t limit, uint8_t **bytes, size_t *length)
{
    struct power_disk *disk = self;
    const struct power_file *file = disk->is_off ? NULL : find(&disk->shelf, name);

    if (file == NULL) return disk->is_off ? -EIO : -ENOENT;
    if (file->length > limit) return -EFBIG;
    *bytes = malloc(file->length + 1);
    assert_non_null(*bytes);
    memcpy(*bytes, file->bytes, file->length);
    *length = file->length;
    return 0;
}

static struct power_file *make(struct power_shelf *shelf, const char *name)
{
    struct power_file *file = find(shelf, name);

    if (file == NULL) file = find(shelf, "");
    assert_non_null(file);
    memset(file, 0, sizeof(*file));
    strcpy(file->name, name);
    return file;
}

static int file_write(void *self, const char *name, const uint8_t *bytes, size_t length)
{
    struct power_disk *disk = self;

    if (!step(disk)) return -EIO; // Not even made.
    struct power_file *file = make(&disk->shelf, name);
    while (file->length < length) {
        const size_t left = length - file->length, count = left < SECTOR ? left : SECTOR;
        if (!step(disk)) break;
        memcpy(file->bytes + file->length, bytes + file->length, count);
        file->length += count;
    }
    if (disk->is_off) { // Some of it reached the disk.
        struct power_file *torn = make(&disk->safe_shelf, name);
        *torn = *file;
        return -EIO;
    }
    *make(&disk->safe_shelf, name) = *file;
    return 0;
}

static int file_rename(void *self, const char *from, const char *to)
{
    struct power_disk *disk = self;

    if (!step(disk)) return -EIO;
    struct power_file *file = find(&disk->shelf, from);
    if (file == NULL) return -ENOENT;
    struct power_file *other = find(&disk->shelf, to);
    if (other != NULL) memset(other, 0, sizeof(*other));
    strcpy(file->name, to);
    return 0;
}

static int file_remove(void *self, const char *name)
{
    struct power_disk *disk = self;

    if (!step(disk)) return -EIO;
    struct power_file *file = find(&disk->shelf, name);
    if (file == NULL) return -ENOENT;
    memset(file, 0, sizeof(*file));
    return 0;
}

static int files_sync(void *self)
{
    struct power_disk *disk = self;

    if (!step(disk)) return -EIO;
    disk->safe_shelf = disk->shelf;
    return 0;
}

struct weft_update_medium power_disk_medium(struct power_disk *disk)
{
    return (struct weft_update_medium){.capacity = capacity,
                                       .write = write_part,
                                       .read = read_part,
                                       .sync = sync_part,
                                       .file_at = file_at,
                                       .file_read = file_read,
                                       .file_write = file_write,
                                       .file_rename = file_rename,
                                       .file_remove = file_remove,
                                       .files_sync = files_sync,
                                       .self = disk};
}

void power_disk_install(struct power_disk *disk, char slot, const struct test_release *release,
                        const char *kernel)
{
    const enum weft_update_part uki = slot == 'a' ? WEFT_UPDATE_UKI_A : WEFT_UPDATE_UKI_B;

    for (int part = 0; part < 2; part++) {
        memcpy(disk->now[slot - 'a'][part], release->parts[part],
               release->manifest.parts[part].bytes);
        memcpy(disk->safe[slot - 'a'][part], disk->now[slot - 'a'][part], POWER_SLOT_BYTES);
    }
    struct power_file *file = make(&disk->shelf, kernel);
    file->length = release->manifest.parts[uki].bytes;
    memcpy(file->bytes, release->parts[uki], file->length);
    disk->safe_shelf = disk->shelf;
}

// ---- What a cut leaves.

static void decide_sectors(struct power_disk *disk)
{
    for (int i = 0; i < 4; i++) {
        uint8_t *now = disk->now[i / 2][i % 2], *safe = disk->safe[i / 2][i % 2];
        for (size_t at = 0; at < POWER_SLOT_BYTES; at += SECTOR) {
            if (toss(disk)) memcpy(now + at, safe + at, SECTOR);
        }
        memcpy(safe, now, POWER_SLOT_BYTES);
    }
}

// Names that differ between what was certain and what was not: each for itself, so that a rename
// may leave both, one or none.
static void decide_files(struct power_disk *disk)
{
    struct power_shelf after;

    memset(&after, 0, sizeof(after));
    for (size_t i = 0; i < POWER_FILES_MAX; i++) {
        const struct power_file *old = &disk->safe_shelf.files[i];
        if (old->name[0] == '\0') continue;
        if (find(&disk->shelf, old->name) != NULL || toss(disk)) *make(&after, old->name) = *old;
    }
    for (size_t i = 0; i < POWER_FILES_MAX; i++) {
        const struct power_file *new = &disk->shelf.files[i];
        if (new->name[0] == '\0' || find(&disk->safe_shelf, new->name) != NULL) continue;
        if (toss(disk)) *make(&after, new->name) = *new;
    }
    disk->shelf = after;
    disk->safe_shelf = after;
}

void power_disk_restart(struct power_disk *disk)
{
    decide_sectors(disk);
    decide_files(disk);
    disk->is_off = false;
    disk->cut_at = UINT64_MAX;
}

// ---- The loader.

// The file that it would start. A name that is nobody's is never started by this disk.
static struct power_file *choose(struct power_disk *disk, struct weft_update_slot *chosen)
{
    struct power_file *best = NULL;
    struct weft_update_slot slot;

    for (size_t i = 0; i < POWER_FILES_MAX; i++) {
        struct power_file *file = &disk->shelf.files[i];
        if (!weft_update_slot_parse(file->name, &slot)) continue;
        if (best != NULL && weft_update_slot_compare(&slot, chosen) >= 0) continue;
        best = file;
        *chosen = slot;
    }
    return best;
}

// Does the kernel start, find its root intact, and become healthy?
static bool succeeds(const struct power_disk *disk, const struct power_file *file, char slot,
                     const struct power_release *known, size_t count)
{
    const enum weft_update_part uki = slot == 'a' ? WEFT_UPDATE_UKI_A : WEFT_UPDATE_UKI_B;

    for (size_t i = 0; i < count; i++) {
        const struct test_release *release = known[i].release;
        if (file->length != release->manifest.parts[uki].bytes ||
            memcmp(file->bytes, release->parts[uki], file->length) != 0)
            continue;
        for (int part = 0; part < 2; part++) {
            if (memcmp(disk->now[slot - 'a'][part], release->parts[part],
                       release->manifest.parts[part].bytes) != 0)
                return false;
        }
        return known[i].healthy;
    }
    return false;
}

char power_disk_boot(struct power_disk *disk, const struct power_release *known, size_t count)
{
    for (int start = 0; start < 12; start++) {
        struct weft_update_slot slot;
        struct power_file *file = choose(disk, &slot);
        if (file == NULL) return 0;
        const bool had_count = slot.tries_left >= 0;
        if (had_count) { // Boot counting: the try is taken before the kernel is started.
            if (slot.tries_left > 0) slot.tries_left--;
            slot.tries_done = slot.tries_done < 0 ? 1 : slot.tries_done + 1;
            weft_update_slot_name(&slot, file->name);
        }
        if (succeeds(disk, file, slot.slot, known, count)) {
            slot.tries_left = -1;
            weft_update_slot_name(&slot, file->name); // Blessed.
            disk->safe_shelf = disk->shelf;
            return slot.slot;
        }
        disk->safe_shelf = disk->shelf;
    }
    return 0;
}
