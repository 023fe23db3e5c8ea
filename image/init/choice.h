// choice.h: which configuration this boot runs with, and why not another.
//
//   0  /data/state/tried.toml  one that is tried for this start alone (trial.h); broken, it is left
//   out 1  /conf/weft.toml         what stands on the FAT drive is what the user wants 2
//   /data/state/weft.toml   the last one that the node became ready with: for a drive without one
//   -  maintenance             no configuration, or one that is broken
//
// A file on the drive that is there and does not check is never replaced in silence by an older
// one: that ends the search. What each source said is kept for status.txt and boot.json.
//
// Memory: `config` is the caller's to free (weft_config_free) when the choice is not maintenance.
#ifndef WEFT_IMAGE_CHOICE_H
#define WEFT_IMAGE_CHOICE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

#define WEFT_CHOICE_SOURCES_MAX 4

struct weft_choice_source {
    char path[128];
    char verdict[512]; // "taken", "is not there", or what is wrong with it, with its line.
};

struct weft_choice {
    bool maintenance;
    bool broken;       // Maintenance because a file does not check; not because there is none.
    char path[128];    // The file taken; "" in maintenance.
    char problem[512]; // Why maintenance; "" otherwise.
    size_t source_count;
    struct weft_choice_source sources[WEFT_CHOICE_SOURCES_MAX]; // In the order they were tried.
    struct weft_config config;                                  // Zero in maintenance.
};

// Tries the two files. `drive_absent` says why there is no drive to look at ("" if there is one).
void weft_choice_make(struct weft_choice *choice, const char *drive_path, const char *drive_absent,
                      const char *kept_path);

// Takes the file at `path`, whose paths mean what they would in the file `as`, and nothing else.
// True if it is good; else `verdict` says what is wrong with it, and `choice` is as good as new.
bool weft_choice_try(struct weft_choice *choice, const char *path, const char *as,
                     char verdict[512]);
// Adds what was said of a file that was left out, for people.
void weft_choice_note(struct weft_choice *choice, const char *path, const char *verdict);

// Ends the choice in maintenance after all, for a reason that the file's text did not show: it
// contradicts the machine. `config` is freed.
void weft_choice_give_up(struct weft_choice *choice, const char *problem);

void weft_choice_free(struct weft_choice *choice);

#endif // WEFT_IMAGE_CHOICE_H
