// programs.h: where the programs and example files of this build are: in the build tree, or
// installed.
//
// A program is looked for in its environment variable, then beside the running tool. Nothing is
// taken from PATH: a swarm of mixed versions would be a riddle.
#ifndef WEFT_LAB_PROGRAMS_H
#define WEFT_LAB_PROGRAMS_H

#include "runtime/base/error.h"

enum weft_lab_program {
    WEFT_LAB_WEFTD,  // $WEFTD
    WEFT_LAB_SWITCH, // $WEFT_SWITCH
    WEFT_LAB_SELF,   // The running tool.
};

#define WEFT_LAB_PATH_BYTES 512

// The program's absolute path. 0, or -1 with `error` W0604 that names the places looked at.
int weft_lab_program_find(enum weft_lab_program program, char path[WEFT_LAB_PATH_BYTES],
                          struct weft_error *error);

// An example such as "udp-calc.fth": $WEFT_SHARE_DIR/examples, the source tree's docs/examples, or
// share/weft/examples of an installation. As above.
int weft_lab_example_find(const char *name, char path[WEFT_LAB_PATH_BYTES],
                          struct weft_error *error);

// How a person calls this tool: $WEFT_SELF or "weft", with WEFT_RUN_DIR in front if that is set, so
// that what is printed can be pasted into another terminal.
void weft_lab_self_prefix(char prefix[256]);

#endif // WEFT_LAB_PROGRAMS_H
