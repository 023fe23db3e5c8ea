// port_wait.h: an end to the wait for the other side of a virtio_user link.
//
// The driver's probe blocks in accept(2) until the first vhost connects, without a limit of its
// own. So a thread watches: when the time is up it connects itself and says nothing, upon which the
// driver gives up with an error. Control core, around one rte_vdev_init.
#ifndef WEFT_DATAPLANE_PORT_WAIT_H
#define WEFT_DATAPLANE_PORT_WAIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct weft_port_wait {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t thread;
    const char *path;
    uint64_t limit_ms;
    bool over;      // The probe has returned.
    bool timed_out; // We have ended it.
};

// Starts to watch a probe that listens on `path`, which outlives the wait. 0 or a negative errno.
int weft_port_wait_start(struct weft_port_wait *wait, const char *path, uint64_t limit_ms);

// After the probe. True if it was the time that ended it.
bool weft_port_wait_stop(struct weft_port_wait *wait);

#endif // WEFT_DATAPLANE_PORT_WAIT_H
