// model.h: a table of cases, each with what must come of it, and the loop that runs them.
#ifndef WEFT_TESTS_MODEL_MODEL_H
#define WEFT_TESTS_MODEL_MODEL_H

#include "tests/model/explore.h"

struct model_row {
    const struct explore_case *what;
    const char *mutant; // What is left out, and must be found out. NULL: nothing, and it must hold.
    unsigned weakness;  // Of the mutant.
    const void *weak_address;
    uint64_t must_see, may_not_see; // Outcomes, by bit (explore_saw).
    bool is_long;                   // Takes minutes: only with --long.
};

// Runs every row, prints what it has found; what `main` returns: 1 if one was not as it must be.
int model_main(int argc, char **argv, const struct model_row *rows, unsigned count);

#endif // WEFT_TESTS_MODEL_MODEL_H
