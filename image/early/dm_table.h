// dm_table.h: the words by which the image's own kernel makes its root (dm-init, "dm-mod.create" of
// the command line), for a kernel that has device mapper only as a module and cannot do it itself.
//
//   root,,,ro,0 29240 verity 1 PARTUUID=57454654-… PARTUUID=57454654-… 4096 4096 3655 1 sha256 …
//   name,uuid,minor,flags,first-sector sectors target parameters
//
// One device of one target, and no uuid or minor: all that the image writes. The rest is refused.
//
// Memory: by value. Pure: who knows the disks is a function that the caller brings.
#ifndef WEFT_IMAGE_DM_TABLE_H
#define WEFT_IMAGE_DM_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct weft_dm_table {
    char name[32];
    bool is_read_only;
    uint64_t first_sector, sectors; // Of 512 bytes.
    char target[16];
    char parameters[1024];
};

// Returns 0; -EINVAL if it is no such text; -E2BIG if a part has no room.
int weft_dm_table_parse(struct weft_dm_table *table, const char *text);

// The device of a partition by its identifier, 36 letters and hyphens: its path, and 0; -ENODEV if
// no disk has it (yet).
typedef int weft_dm_table_find(void *self, const char *partuuid, char *device, size_t size);

// Puts the device in the place of each "PARTUUID=…" of the parameters. Returns 0, -E2BIG, -EINVAL
// for an identifier of another length, or what `find` returned; then the table is as it was.
int weft_dm_table_resolve(struct weft_dm_table *table, weft_dm_table_find *find, void *self);

#endif // WEFT_IMAGE_DM_TABLE_H
