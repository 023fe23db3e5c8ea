// start.h: the steps from power-on to the node's start, in the order in which init.c takes them.
#ifndef WEFT_IMAGE_START_H
#define WEFT_IMAGE_START_H

#include "image/init/boot.h"

// /proc and the like, a console, and what the image says of itself.
void weft_start_kernel(struct weft_boot *boot);
// The FAT drive and the data partition: found, grown, reset when that was asked for, mounted; and
// whose identity lies there.
void weft_start_disk(struct weft_boot *boot);
// Names the other disks with an image anew: they come when they come.
void weft_start_look_for_disks(struct weft_boot *boot);
// Clock, entropy, the last panic: what the data partition remembers.
void weft_start_memory(struct weft_boot *boot);
// Which configuration, and whether it fits this machine.
void weft_start_config(struct weft_boot *boot);
// Huge pages, CPUs, cards; and the file that weftd is started with.
void weft_start_machine(struct weft_boot *boot);
// That file, for a node in maintenance.
void weft_start_maintenance(struct weft_boot *boot);
// At run time, before that: what the ports shared with the kernel is its own again, since in
// maintenance nobody carries frames for it. `boot->config` is still that of the ports; afterwards
// boot->admin is a card.
void weft_start_take_back(struct weft_boot *boot);

#endif // WEFT_IMAGE_START_H
