// trial.h: a configuration that is tried for one start, and gone with it unless somebody confirms
// it.
//
// Over the admin port a file comes to /data/state/try.toml, whose first line says for how long:
//
//   # weft try 60
//
// The next start takes it under another name before it reads a byte of it, so whatever happens then
// (a panic, a power cut, a network that nobody reaches) the start after that is the usual one. Its
// paths mean what they would mean on the drive.
//
// Core: the one thread of init, at start and out of the loop.
#ifndef WEFT_IMAGE_TRIAL_H
#define WEFT_IMAGE_TRIAL_H

#include <stdint.h>

#define WEFT_TRIAL_SECONDS_MIN 10
#define WEFT_TRIAL_SECONDS_MAX 3600

// Takes the file at `wish` as `taken`. 0 and *seconds; -ENOENT if there is none; -EINVAL when its
// first line is wrong (it is gone all the same); or another negative errno.
int weft_trial_take(const char *wish, const char *taken, uint32_t *seconds);

// "# weft try 60\n" to 60; 0 if that is not how `text` begins, or it is out of range.
uint32_t weft_trial_seconds(const char *text);

#endif // WEFT_IMAGE_TRIAL_H
