// smoke.h: does a running lab do what it promises? Asked from outside, as a user would.
#ifndef WEFT_LAB_SMOKE_H
#define WEFT_LAB_SMOKE_H

#include <stdio.h>

// Checks the lab that runs in `run`, one line each on `out`. How many checks failed. Blocks for
// some seconds: never in the lab's own process.
int weft_lab_smoke(const char *run, FILE *out);

#endif // WEFT_LAB_SMOKE_H
