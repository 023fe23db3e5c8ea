// boot_entry.h: the names of the kernels on the boot loader's partition, and the count in them.
//
// EFI/Linux/weft-SLOT_VERSION+LEFT-DONE.efi, as systemd-boot counts tries (its Automatic Boot
// Assessment): each start takes one from LEFT and adds one to DONE by renaming the file; one with
// none left comes last in the menu. A name without a count is blessed: it is not counted any more.
//
// So that a slot is chosen for good without a variable of the firmware, which may not keep any, the
// name of the other one is given a count with none left.
#ifndef WEFT_IMAGE_BOOT_ENTRY_H
#define WEFT_IMAGE_BOOT_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEFT_BOOT_ENTRY_BYTES 128
#define WEFT_BOOT_TRIES       3

struct weft_boot_entry {
    char slot;        // 'a' or 'b'.
    char version[64]; // "0.1.0"; never empty.
    bool is_counted;
    uint32_t left, done;
};

// Reads a file's name. Returns 0, or -EINVAL if it is none of ours.
int weft_boot_entry_parse(struct weft_boot_entry *entry, const char *name);
// Writes it back.
void weft_boot_entry_name(const struct weft_boot_entry *entry, char name[WEFT_BOOT_ENTRY_BYTES]);

// What the loader left in LoaderBootCountPath: four bytes of attributes, then a path in UTF-16LE
// that ends with a zero. `path` becomes "/EFI/Linux/weft-a_1+2-1.efi". Returns 0, or -EINVAL when
// it is anything but a path of plain ASCII that stays below its root.
int weft_boot_entry_path(const uint8_t *bytes, size_t length, char *path, size_t size);

// The path with which this boot is counted, out of the firmware's variables in `efivars`.
// Returns 0; -ENOENT when it is not counted; or another negative errno.
int weft_boot_entry_counted(const char *efivars, char *path, size_t size);

// Takes the count out of the name of `path` below `esp`: this boot was good. Returns 0, also when
// it is done already; or a negative errno.
int weft_boot_entry_bless(const char *esp, const char *path);

// Lets the loader prefer `slot` among the kernels in `esp`/EFI/Linux: gives its newest one tries
// again if it had none left, and takes those of the other slot. Returns 0; -ENOENT when there is no
// kernel of that slot, and nothing is changed; or a negative errno.
int weft_boot_entry_prefer(const char *esp, char slot);

// Leaves only the kernels of `slot` in `esp`/EFI/Linux, with all their tries: a disk that this was
// copied to has no other slot, and has proved nothing. Returns 0; -ENOENT when there is none of
// that slot, and nothing is changed; or a negative errno.
int weft_boot_entry_only(const char *esp, char slot);

#endif // WEFT_IMAGE_BOOT_ENTRY_H
