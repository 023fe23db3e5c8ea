// command.h: what the control core asks of a unit, and how it ended.
//
// A command is made, owned and freed by the control core. While a worker holds it, only that worker
// writes to it; it comes back by the core ring, and then `done` runs on the control core.
#ifndef WEFT_NODE_COMMAND_H
#define WEFT_NODE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/actor/actor.h"
#include "runtime/base/error.h"
#include "runtime/base/list.h"

#define WEFT_RESIDENT_NAME_BYTES   32 // With its zero byte.
#define WEFT_COMMAND_OUTPUT_BYTES  65536
#define WEFT_COMMAND_MESSAGE_BYTES 1024

enum weft_command_verb {
    WEFT_COMMAND_LOAD,    // Make the unit and run its source.
    WEFT_COMMAND_RESTORE, // Make the unit from its image in the journal; from its source if it has
                          // none.
    WEFT_COMMAND_ADOPT,   // Make the unit from an image of a file: new to the journal.
    WEFT_COMMAND_EVAL,
    WEFT_COMMAND_INPUT,  // What a user has typed, to the program that asks for it.
    WEFT_COMMAND_SAVE,   // Write its image down.
    WEFT_COMMAND_UNLOAD, // End it and forget it, also in the journal.
    WEFT_COMMAND_KILL,   // End it; its policy says whether it comes back.
};

struct weft_resident;

struct weft_command {
    struct weft_list link; // In the unit's queue, while a worker holds it.
    enum weft_command_verb verb;
    struct weft_resident *resident;
    const char *text; // Source or text to evaluate; outlives the command.
    size_t text_length;
    bool ends_input;      // Of INPUT: there is no more behind it.
    const uint8_t *image; // Of RESTORE and ADOPT; NULL for none.
    size_t image_length;
    bool is_held;    // Of RESTORE and ADOPT: it does not run before weft_unit_actor_release_held.
    bool has_family; // Its children are restored with it.
    uint8_t *saved;  // Of SAVE: where to, `saved_length` bytes; then so many are there.
    size_t saved_length;
    void (*done)(struct weft_command *command); // On the control core.
    void *self;

    // The result, written by the worker.
    struct weft_error error; // code 0: it is done.
    int32_t throw_code;      // Of the unit's own error (W0401, W0404).
    uint32_t line, column;   // Of that error, from 1; 0: not known.
    char file[64];
    char message[WEFT_COMMAND_MESSAGE_BYTES]; // That error for people, with the source line marked.
    uint64_t reduction_count;
    bool compiling; // A definition is still open.
    bool asks;      // The unit waits for a user's input.
    bool output_cut;
    uint32_t output_length;
    char output[WEFT_COMMAND_OUTPUT_BYTES];
};

#endif // WEFT_NODE_COMMAND_H
