// power_button.h: the machine's power button, as an input device of the kernel's.
#ifndef WEFT_IMAGE_POWER_BUTTON_H
#define WEFT_IMAGE_POWER_BUTTON_H

#include <stddef.h>

#include "image/init/loop.h"

#define WEFT_POWER_BUTTONS_MAX 4

struct weft_power_button {
    struct weft_loop *loop;
    void (*pressed)(void *self);
    void *self;
    int fds[WEFT_POWER_BUTTONS_MAX];
    size_t count;
};

// Calls `pressed` when any of the devices in `directory` ("/dev/input") that has a power key says
// that it was pressed. A machine without one is no failure.
void weft_power_button_watch(struct weft_power_button *buttons, struct weft_loop *loop,
                             const char *directory, void (*pressed)(void *self), void *self);

#endif // WEFT_IMAGE_POWER_BUTTON_H
