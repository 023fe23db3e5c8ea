// machine.h: the machine as the Forth alone sees it: files below one directory, clocks, the
// terminal.
//
// Names are resolved by forth/beneath.h.
#ifndef WEFT_FORTH_MACHINE_H
#define WEFT_FORTH_MACHINE_H

#include <stdbool.h>
#include <stdio.h>
#include <termios.h>

#include "forth/keys.h"

struct weft_machine {
    int root;    // The directory of files; -1: none, file words throw -21.
    int library; // Where files to be read are looked for that are not in `root`; -1: nowhere.
    int argument_count;
    char **arguments; // ARG. Borrowed.
    int status;       // What (BYE) said; 0.
    FILE *out;        // Where output goes. Borrowed.
    // For REFILL, as in struct weft_unit_machine; NULL: there is none. `refill_self` is its self.
    int64_t (*refill)(void *self, void *to, size_t size);
    void *refill_self;
    // HELP: writes what is known of a word, and answers its bytes (help.h). NULL: nothing is.
    size_t (*help)(const char *word, size_t length, char *to, size_t size);
    char help_text[1024];
    const volatile int *interrupted; // ^C has come. NULL: nobody catches it.
    struct weft_keys keys;           // Of standard input (keyboard.h): read, not taken yet.
    bool has_waited;                 // Since then, something has come.
    bool is_raw;                     // The terminal gives keys as they are typed, unseen;
    struct termios usual;            // otherwise it does this.
    struct weft_family *family;      // Of its units (family.h). NULL: none, SPAWN throws -21.
};

// A machine without files and arguments.
void weft_machine_init(struct weft_machine *machine);
// Opens `path` as the directory of files, or as the library. 0 or a negative errno.
int weft_machine_files(struct weft_machine *machine, const char *path);
int weft_machine_library(struct weft_machine *machine, const char *path);
void weft_machine_destroy(struct weft_machine *machine);

// The host table of units of this machine, which must outlive them.
void weft_machine_host(struct weft_machine *machine, struct weft_unit_host *host);

#endif // WEFT_FORTH_MACHINE_H
