// tap.h: the kernel's side of a shared port (punt.h): a TAP interface, and its descriptor.
//
// An interface that is there already is taken up: the image's first process makes a lasting one, so
// that its addresses and routes outlive a node that is started again; without a node it has no
// carrier. Else it is made, and goes with its descriptor. Addresses are for others to give.
//
// Core: the control core.
#ifndef WEFT_DATAPLANE_TAP_H
#define WEFT_DATAPLANE_TAP_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/base/error.h"

// Opens the TAP interface `name` with this MAC address and MTU, up, and without a carrier. Returns
// a descriptor that does not block, of which each read(2) and write(2) is one frame; close(2) ends
// it. Or a negative errno with `error` (W0202).
int weft_tap_open(const char *name, const uint8_t mac[6], uint16_t mtu, struct weft_error *error);

// Whether the interface has a carrier: that of the port behind it. 0 or a negative errno.
int weft_tap_set_carrier(int fd, bool up);

#endif // WEFT_DATAPLANE_TAP_H
