// panic_log.h: what the kernel said when it died, taken out of the firmware's memory.
#ifndef WEFT_IMAGE_PANIC_LOG_H
#define WEFT_IMAGE_PANIC_LOG_H

#include <stddef.h>

// Moves the records in `pstore` ("/sys/fs/pstore") into `logs` as panic-TIME-NAME, those of one
// panic into one file in the order in which they were said; the newest eight files are kept there.
// `newest` becomes the path of the newest, of this boot or an earlier one; "" if there is none.
// Returns how many records were moved, or a negative errno; a record leaves `pstore` only when it
// is safe on the disk.
int weft_panic_log_take(const char *pstore, const char *logs, char *newest, size_t size);

#endif // WEFT_IMAGE_PANIC_LOG_H
