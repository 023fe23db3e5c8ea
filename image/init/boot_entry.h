// boot_entry.h: the kernel that this boot was started from, as the loader counts it: a start takes
// a try from the name of its file (image/update/slot.h), and a boot that was good takes the count
// away.
#ifndef WEFT_IMAGE_BOOT_ENTRY_H
#define WEFT_IMAGE_BOOT_ENTRY_H

#include <stddef.h>
#include <stdint.h>

// What the loader left in LoaderBootCountPath: four bytes of attributes, then a path in UTF-16LE
// that ends with a zero. `path` becomes "/EFI/Linux/weft-a_1+2-1.efi". Returns 0, or -EINVAL when
// it is anything but a path of plain ASCII that stays below its root.
int weft_boot_entry_path(const uint8_t *bytes, size_t length, char *path, size_t size);

// The path with which this boot is counted, out of the firmware's variables in `efivars`.
// Returns 0; -ENOENT when it is not counted; or another negative errno.
int weft_boot_entry_counted(const char *efivars, char *path, size_t size);

// Takes the count out of the name of `path` on the ESP at `device`, which nobody has mounted: this
// boot was good. A power failure leaves the one name or the other (fat_names.h). Returns 0, also
// when it is done already; -EBUSY: somebody has mounted it; or another negative errno.
int weft_boot_entry_bless_on(const char *device, const char *path);

// The same where it is mounted, at `esp`, for what fat_names.h does not know: a power failure may
// leave both names there, or none.
int weft_boot_entry_bless(const char *esp, const char *path);

// Would a restart bring anything but the same once more: another try of the kernel at `path`, or
// another kernel that the loader takes before it? 1, 0 or a negative errno.
int weft_boot_entry_has_next(const char *esp, const char *path);

// Leaves only the kernels of `slot` in `esp`/EFI/Linux, with all their tries: a disk that this was
// copied to has no other slot, and has proved nothing. Returns 0; -ENOENT when there is none of
// that slot, and nothing is changed; or a negative errno.
int weft_boot_entry_only(const char *esp, char slot);

#endif // WEFT_IMAGE_BOOT_ENTRY_H
