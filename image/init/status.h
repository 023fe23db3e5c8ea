// status.h: what the node says of itself on the FAT drive (status.txt) and to weftd (boot.json).
#ifndef WEFT_IMAGE_STATUS_H
#define WEFT_IMAGE_STATUS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "image/init/choice.h"
#include "image/init/disk.h"
#include "image/init/say.h"

struct weft_status {
    const char *version, *arch, *slot, *boot_id, *hostname;
    const char *state;       // "ready", "starting", "maintenance", "stopping".
    const char *counter;     // "on trial, 2 tries left", "good", "not counted".
    const char *address;     // "192.0.2.7/24 on eth0, 52:54:00:12:34:56"; "" while there is none.
    const char *fingerprint; // Hex; "" if the node has no key.
    const char *identity;    // weft_identity_state_name.
    const char *measured;    // PCR 11 of the TPM, in hex; "" without one.
    bool data_is_full;
    const char *others;     // Other disks with an image; "" if there are none.
    const char *installed;  // What became of a wish to install; "" if there was none.
    const char *clock;      // weft_net_time_describe.
    const char *panic;      // Where the last panic is kept; "" if there was none.
    const char *last_error; // Of weftd; may be "".
    int64_t wall_s;         // Since 1970.
    uint64_t ready_ms;      // From the kernel's start; 0: not yet.
    const struct weft_choice *choice;
    const struct weft_disk *disk;
    const struct weft_say *say;
};

// For people, with the line ends of every laptop.
void weft_status_text(const struct weft_status *status, FILE *out);

// For weftd and the tool: one object.
void weft_status_json(const struct weft_status *status, FILE *out);

#endif // WEFT_IMAGE_STATUS_H
