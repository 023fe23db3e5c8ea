#include "image/init/power_button.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/input.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool has_power_key(int fd)
{
    unsigned char keys[KEY_MAX / 8 + 1] = {0};
    if (ioctl(fd, EVIOCGBIT(EV_KEY, sizeof(keys)), keys) < 0) return false;
    return (keys[KEY_POWER / 8] >> KEY_POWER % 8 & 1) != 0;
}

// A keyboard may be pulled out. Its device would be ready from then on, and say nothing.
static void let_go(struct weft_power_button *buttons, size_t i)
{
    weft_loop_unwatch(buttons->loop, buttons->fds[i]);
    close(buttons->fds[i]);
    buttons->fds[i] = buttons->fds[--buttons->count];
}

// Whichever it was: all are asked, there are hardly ever two.
static void take_event(void *self, short events)
{
    struct weft_power_button *buttons = self;
    struct input_event event;
    (void)events;
    for (size_t i = buttons->count; i-- > 0;) {
        ssize_t length;
        while ((length = read(buttons->fds[i], &event, sizeof(event))) == (ssize_t)sizeof(event)) {
            if (event.type == EV_KEY && event.code == KEY_POWER && event.value == 1)
                buttons->pressed(buttons->self);
        }
        if (length < 0 && errno != EAGAIN && errno != EINTR) let_go(buttons, i);
    }
}

void weft_power_button_watch(struct weft_power_button *buttons, struct weft_loop *loop,
                             const char *directory, void (*pressed)(void *self), void *self)
{
    *buttons = (struct weft_power_button){.loop = loop, .pressed = pressed, .self = self};
    DIR *stream = opendir(directory);
    if (stream == NULL) return;
    for (const struct dirent *entry;
         buttons->count < WEFT_POWER_BUTTONS_MAX && (entry = readdir(stream)) != NULL;) {
        char path[PATH_MAX];
        if (strncmp(entry->d_name, "event", 5) != 0) continue;
        snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0) continue;
        if (has_power_key(fd) && weft_loop_watch(loop, fd, POLLIN, take_event, buttons) == 0)
            buttons->fds[buttons->count++] = fd;
        else
            close(fd);
    }
    closedir(stream);
}
