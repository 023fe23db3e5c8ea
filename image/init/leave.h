// leave.h: the end of a boot, in order: the node is asked to stop, what is worth it is noted, the
// disk is left whole, the machine goes off or starts again.
#ifndef WEFT_IMAGE_LEAVE_H
#define WEFT_IMAGE_LEAVE_H

#include "image/init/boot.h"

// Begins it; `why` is said. A second wish is ignored, but for power-off after reboot.
void weft_leave(struct weft_boot *boot, enum weft_boot_end end, const char *why);

// Before anything runs: says what there is to say on the drive, leaves it, and does not return.
void weft_leave_early(struct weft_boot *boot, enum weft_boot_end end, const char *why);

// To be called when the node has ended. Does not return if that was the last thing waited for.
void weft_leave_node_ended(struct weft_boot *boot);

#endif // WEFT_IMAGE_LEAVE_H
