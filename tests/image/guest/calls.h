// calls.h: which system calls the threads of this process make. What strace would tell, where there
// is none.
//
// A process cannot trace itself. A child that shares its memory (vfork) can, and stops nobody but
// the thread that made it; a copy (fork) would have to copy memory that cards write to.
#ifndef WEFT_TESTS_IMAGE_GUEST_CALLS_H
#define WEFT_TESTS_IMAGE_GUEST_CALLS_H

#include <stddef.h>

// Counts for so many seconds and writes lines "THREAD NUMBER-OF-CALL COUNT" to `text`. Returns
// their length. Blocks the calling thread meanwhile, whose own calls are not counted. One at a
// time.
size_t weft_calls_count(int seconds, char *text, size_t limit);

// Stops a process for as long as the calling thread lives. 0 or a negative errno.
int weft_calls_stop(int pid);

#endif // WEFT_TESTS_IMAGE_GUEST_CALLS_H
