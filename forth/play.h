// play.h: runs a unit's text to its end on the machine: output, waiting, ^C. For `weft forth` and
// for the programs that it makes.
#ifndef WEFT_FORTH_PLAY_H
#define WEFT_FORTH_PLAY_H

#include "forth/machine.h"
#include "forth/unit.h"

enum { WEFT_PLAY_OTHER_THROW = 63 };

// Of a person's own machine: 256 MiB, and words know where in the sources they stand.
extern const struct weft_unit_options weft_play_options;

// From now on ^C is caught: it throws -28 in what runs. The flag that it sets.
volatile int *weft_play_catch_interrupt(void);
void weft_play_clear_interrupt(void);

// Until the unit's text is done (DONE), has failed (FAULT) or said BYE. Output goes to standard
// output as it comes, and is flushed before the program waits. Meanwhile its children have their
// turns.
enum weft_unit_state weft_play(struct weft_unit *unit, struct weft_machine *machine);

// What the unit has printed, to `out`; to a terminal at once.
void weft_play_output(struct weft_unit *unit, FILE *out);

// Says the unit's error on standard error, and what the machine lacks if it is about that. The exit
// status for it: 1..62 for THROW -1..-62, else 63.
int weft_play_report(const struct weft_unit_error *error, const struct weft_machine *machine);

#endif // WEFT_FORTH_PLAY_H
