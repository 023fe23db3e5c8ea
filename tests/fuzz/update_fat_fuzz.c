// Drives that want to be written to: whatever the boot sector, the table and the directory say, a
// file is put inside the file system's own bytes, or refused with one error. So are names changed.
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image/update/fat.h"
#include "image/update/fat_lost.h"
#include "image/update/fat_names.h"
#include "image/update/fat_room.h"
#include "image/update/gpt_device.h"
#include "runtime/base/assert.h"

#define DRIVE_BYTES (9u << 20) // The smallest that FAT16 has clusters for, and a little.
#define GUARD_BYTES 4096       // Behind it, and never touched.

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char content[] = "[node]\nname = \"n1\"\n";
    struct weft_error error = {0};
    uint8_t guard[GUARD_BYTES], after[GUARD_BYTES];
    const int fd = memfd_create("drive", MFD_CLOEXEC);

    weft_assert(fd >= 0 && ftruncate(fd, DRIVE_BYTES + GUARD_BYTES) == 0);
    memset(guard, 0xa5, sizeof(guard));
    weft_assert(pwrite(fd, guard, sizeof(guard), DRIVE_BYTES) == (ssize_t)sizeof(guard));
    // The start of the drive, which holds the tables and the directory of a small one.
    if (size > 0) weft_assert(pwrite(fd, data, size, 0) == (ssize_t)size);
    const int result = weft_update_fat_put(fd, 0, DRIVE_BYTES, "weft.toml",
                                           weft_span_of(content, sizeof(content) - 1), &error);
    weft_assert(result == 0 || error.code == 906);
    const struct weft_gpt_disk sectors = weft_gpt_device(&fd, DRIVE_BYTES);
    (void)weft_fat_names_mend(&sectors, "");
    if (weft_fat_lost_free(&sectors) >= 0) weft_assert(weft_fat_lost_free(&sectors) == 0);
    if (weft_fat_room_make(&sectors, "EFI", 100) >= 0)
        weft_assert(weft_fat_room_make(&sectors, "EFI", 100) == 0);
    const int renamed = weft_fat_names_rename(&sectors, "", "weft.toml", "weft-b_0.3.0+2-1.efi");
    if (result == 0 && renamed == 0)
        weft_assert(weft_fat_names_rename(&sectors, "", "weft-b_0.3.0+2-1.efi", "w.toml") <= 0);
    weft_assert(lseek(fd, 0, SEEK_END) == DRIVE_BYTES + GUARD_BYTES);
    weft_assert(pread(fd, after, sizeof(after), DRIVE_BYTES) == (ssize_t)sizeof(after));
    weft_assert(memcmp(guard, after, sizeof(guard)) == 0);
    close(fd);
    return 0;
}
