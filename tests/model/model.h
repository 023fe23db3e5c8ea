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
};

// Runs every row, prints what it has found. How many rows were not as they must be.
unsigned model_run(const struct model_row *rows, unsigned count);

#endif // WEFT_TESTS_MODEL_MODEL_H
