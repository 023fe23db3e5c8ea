// run.h: another program, run to its end: mkfs.ext4, before the node is started.
#ifndef WEFT_IMAGE_RUN_H
#define WEFT_IMAGE_RUN_H

#include <stddef.h>

// Runs `arguments[0]` (a path; the list ends with NULL) and waits. What it writes last is in
// `said`, with a zero byte. Returns its exit status, or a negative errno: -ENOEXEC if it ended by a
// signal.
int weft_run(const char *const *arguments, char *said, size_t size);

#endif // WEFT_IMAGE_RUN_H
