// disks.h: every disk of this machine, and which of those with a Weft image it was started from.
//
// The kernel finds its root by identifiers that are the same on every such disk, and takes the
// first that it sees; the firmware took the loader, the kernel and its command line from the disk
// that it prefers. With two disks these need not be one. So the partitions that are written to (the
// loader's, the drive, the data) are those of the disk whose boot partition the loader names, and
// what cannot be told apart is not run.
//
//   loader's disk        root's disk    then
//   the only one         the same       it, and nothing is said
//   one of several       the same       it; the others are named
//   one of several       another        it, in maintenance: the root is read from the other one
//   several match                       the root's, in maintenance: one is a copy of the other
//   not told, or none                   the root's (a loader of another kind); the others are named
//
// A disk is given a boot partition with an identifier of its own when it is installed to, and when
// it grows after it was flashed (gpt.h), so that only two fresh ones, or true copies, are alike.
//
// A disk may be broken so that whoever reads it waits for ever. So each table is read by a process
// of its own, and one that does not answer in time is a disk that is left out.
//
// Core: the one thread of init. Memory: by value; struct weft_disks is some ten kilobytes.
#ifndef WEFT_IMAGE_DISKS_H
#define WEFT_IMAGE_DISKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/init/disk.h"
#include "image/update/gpt.h"

#define WEFT_DISKS_MAX 24

struct weft_disks_entry {
    struct weft_disk disk;
    char esp_guid[WEFT_GPT_TEXT_BYTES]; // Of its boot partition; "" if it has none.
    bool is_ours;                       // It has a slot's root and the drive WEFT-CONF.
    bool has_root;                      // The running root is read from it.
    bool is_read_only;
    bool is_silent; // Its table was not read in time.
};

enum weft_disks_verdict {
    WEFT_DISKS_SURE,
    WEFT_DISKS_APART, // Started from one disk, the root is read from another.
    WEFT_DISKS_ALIKE, // Several disks could be the one.
    WEFT_DISKS_NONE,  // No disk of ours is there.
};

struct weft_disks {
    size_t count;   // Past WEFT_DISKS_MAX the rest is not looked at.
    size_t started; // Index of the one that this node was started from; meaningless for NONE.
    struct weft_disks_entry entries[WEFT_DISKS_MAX]; // By their names.
};

// Fills the entries from `sys` ("/sys") and the tables of the devices in `dev` ("/dev"). `root` is
// the device number that the root lies on, as major:minor. Takes `patience_ns` at most, and that
// only where a disk does not answer. A process that such a disk holds on to is left to whoever
// reaps the orphans.
void weft_disks_find(struct weft_disks *disks, const char *sys, const char *dev, const char *root,
                     uint64_t patience_ns);

// Decides which one it was. `loader_guid`: of the boot partition that the loader was started from,
// in small letters; "" if it does not say.
enum weft_disks_verdict weft_disks_choose(struct weft_disks *disks, const char *loader_guid);

// Is the one that was chosen the one that the loader names, with its partitions known to the
// kernel?
bool weft_disks_has_started(const struct weft_disks *disks, const char *loader_guid);

// Looks again and again until that one is there, and no more once a look has begun `wait_ns` after
// the first: what came while a silent disk was waited for is seen by another look. `loader_guid`
// "": once.
enum weft_disks_verdict weft_disks_wait(struct weft_disks *disks, const char *sys, const char *dev,
                                        const char *root, const char *loader_guid, uint64_t wait_ns,
                                        uint64_t patience_ns);

// Reads what the loader left of that in the firmware's variables in `efivars`. "" without one.
void weft_disks_loader_guid(const char *efivars, char guid[WEFT_GPT_TEXT_BYTES]);

// The disks with an image that are not the one, for people: "/dev/sdb (serial X, 8000 MB)". "" if
// there are none.
void weft_disks_others(const struct weft_disks *disks, char *text, size_t size);

// Likewise those that did not answer.
void weft_disks_silent(const struct weft_disks *disks, char *text, size_t size);

// One disk for people, as above.
void weft_disks_name(const struct weft_disk *disk, char *text, size_t size);

#endif // WEFT_IMAGE_DISKS_H
