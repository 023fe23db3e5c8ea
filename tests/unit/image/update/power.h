// power.h: a disk whose power can be cut at every step: two slots and the kernels of its ESP, as a
// medium of updates (image/update/medium.h), and the boot loader that finds what is left.
//
// A sector that was written and not synced may be old, new or torn after the cut; a file that was
// being written may have any part of its bytes; a rename that was not synced may have left either
// name or, where the new one was free, neither. A removal may have happened or not.
#ifndef WEFT_TEST_POWER_H
#define WEFT_TEST_POWER_H

#include "image/update/medium.h"
#include "runtime/base/prng.h"
#include "tests/unit/image/update/release.h"

#define POWER_SLOT_BYTES (16 * 512)
#define POWER_FILES_MAX  16
#define POWER_FILE_BYTES 2048

struct power_file {
    char name[WEFT_UPDATE_NAME_BYTES]; // Empty: no file.
    uint8_t bytes[POWER_FILE_BYTES];
    size_t length;
};

struct power_shelf {
    struct power_file files[POWER_FILES_MAX];
};

struct power_disk {
    struct weft_prng prng;
    uint8_t now[2][2][POWER_SLOT_BYTES];  // What reads give: slot, part.
    uint8_t safe[2][2][POWER_SLOT_BYTES]; // What is on the disk for certain.
    struct power_shelf shelf, safe_shelf;
    uint64_t steps;  // Writes so far, each sector for itself.
    uint64_t cut_at; // The step that the power fails in; UINT64_MAX: never.
    bool is_off;
    bool broken_sectors; // Reading back a part gives something else: a worn-out disk.
};

void power_disk_init(struct power_disk *disk, unsigned seed);
struct weft_update_medium power_disk_medium(struct power_disk *disk);
// Puts a release into a slot, at once and for certain, with a kernel of that name.
void power_disk_install(struct power_disk *disk, char slot, const struct test_release *release,
                        const char *kernel);
// The power is on again: what was not certain is decided.
void power_disk_restart(struct power_disk *disk);

// Starts the machine as systemd-boot and PID 1 would. A kernel whose release is not healthy, or
// whose slot does not hold what it was built for, panics, and costs a try. Gives the slot that
// became healthy, and has the kernel's name blessed; 0 if none did within 12 starts.
struct power_release {
    const struct test_release *release;
    bool healthy;
};
char power_disk_boot(struct power_disk *disk, const struct power_release *known, size_t count);

#endif // WEFT_TEST_POWER_H
