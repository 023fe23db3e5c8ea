#include "image/init/watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/watchdog.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int weft_watchdog_open(struct weft_watchdog *watchdog, uint64_t now_ns)
{
    int seconds = WEFT_WATCHDOG_TIMEOUT_S;
    *watchdog = (struct weft_watchdog){.fd = -1};
    weft_watchdog_excuse(watchdog, now_ns);
    watchdog->fd = open("/dev/watchdog", O_WRONLY | O_CLOEXEC);
    if (watchdog->fd < 0) return -errno;
    ioctl(watchdog->fd, WDIOC_SETTIMEOUT, &seconds); // Else it keeps its own: shorter is no harm.
    weft_watchdog_feed(watchdog);
    return 0;
}

// In the child. It dies with init, and with what it feeds for.
static void feed_for(const struct weft_watchdog *watchdog, uint64_t every_ns, unsigned count)
{
    const struct timespec pause = {.tv_sec = (time_t)(every_ns / WEFT_NS_PER_S),
                                   .tv_nsec = (long)(every_ns % WEFT_NS_PER_S)};
    const struct weft_watchdog mine = {.fd = 3};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (watchdog->fd != 3 && dup2(watchdog->fd, 3) != 3) _exit(1);
    close_range(4, UINT_MAX, 0);
    for (; count > 0; count--) {
        weft_watchdog_feed(&mine);
        nanosleep(&pause, NULL);
    }
    _exit(0);
}

int weft_watchdog_guard(struct weft_watchdog *watchdog, uint64_t every_ns, unsigned count)
{
    if (watchdog->fd < 0) return 0;
    const pid_t pid = fork();
    if (pid == 0) feed_for(watchdog, every_ns, count);
    if (pid < 0) return -errno;
    watchdog->guard = pid;
    watchdog->guard_every_ns = every_ns;
    watchdog->guard_count = count;
    return 0;
}

void weft_watchdog_guard_renew(struct weft_watchdog *watchdog)
{
    if (watchdog->guard == 0) return;
    weft_watchdog_guard_end(watchdog);
    weft_watchdog_guard(watchdog, watchdog->guard_every_ns, watchdog->guard_count);
}

void weft_watchdog_guard_end(struct weft_watchdog *watchdog)
{
    if (watchdog->guard == 0) return;
    kill(watchdog->guard, SIGKILL);
    waitpid(watchdog->guard, NULL, 0);
    watchdog->guard = 0;
    weft_watchdog_feed(watchdog);
}

void weft_watchdog_excuse(struct weft_watchdog *watchdog, uint64_t now_ns)
{
    watchdog->proof_ns = now_ns;
    watchdog->allowed_ns = WEFT_WATCHDOG_STARTING_NS;
    watchdog->restarted = false;
}

void weft_watchdog_prove(struct weft_watchdog *watchdog, uint64_t now_ns)
{
    watchdog->proof_ns = now_ns;
    watchdog->allowed_ns = WEFT_WATCHDOG_STUCK_NS;
    watchdog->restarted = false;
}

enum weft_watchdog_duty weft_watchdog_duty(struct weft_watchdog *watchdog, uint64_t now_ns)
{
    const uint64_t age_ns = now_ns - watchdog->proof_ns;
    if (age_ns <= watchdog->allowed_ns) return WEFT_WATCHDOG_FEED;
    // Ending it has excused it (weft_watchdog_excuse) unless it could not even be ended.
    if (watchdog->restarted)
        return age_ns <= watchdog->allowed_ns + WEFT_WATCHDOG_STUCK_NS ? WEFT_WATCHDOG_FEED
                                                                       : WEFT_WATCHDOG_STARVE;
    watchdog->restarted = true;
    return WEFT_WATCHDOG_FEED_AND_RESTART;
}

void weft_watchdog_feed(const struct weft_watchdog *watchdog)
{
    if (watchdog->fd >= 0) ioctl(watchdog->fd, WDIOC_KEEPALIVE, 0);
}

void weft_watchdog_close(struct weft_watchdog *watchdog)
{
    weft_watchdog_guard_end(watchdog);
    weft_watchdog_feed(watchdog);
    if (watchdog->fd >= 0) close(watchdog->fd); // Without the magic V: it goes on counting.
    watchdog->fd = -1;
}
