// panic_log.h: what the kernel said when it died, taken out of the firmware's memory.
//
// pstore shows a dump in parts, each a file of its own: with EFI variables a kilobyte, part 1 being
// the end of the text. Each begins with a line "Panic#1 Part2" (fs/pstore/platform.c): the reason,
// which dump of that boot it is, and the part. Here the parts become one text again.
#ifndef WEFT_IMAGE_PANIC_LOG_H
#define WEFT_IMAGE_PANIC_LOG_H

#include <stddef.h>

#define WEFT_PANIC_LOG_KEPT 8

// Moves every dump in `pstore` ("/sys/fs/pstore") into `logs`, as panic-TIME-REASON-NUMBER; a file
// that is no part of any as panic-TIME-NAME. The newest eight are kept there. `newest` becomes the
// path of the newest, of this boot or an earlier one; "" if there is none. Returns how many were
// moved, or a negative errno; a record leaves `pstore` only when it is safe on the disk.
int weft_panic_log_take(const char *pstore, const char *logs, char *newest, size_t size);

#endif // WEFT_IMAGE_PANIC_LOG_H
