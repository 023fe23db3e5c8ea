#include "image/init/requests.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "image/init/health.h"
#include "image/init/install.h"
#include "image/init/json.h"
#include "image/init/leave.h"
#include "image/init/mounts.h"
#include "image/init/report.h"
#include "runtime/base/file.h"
#include "runtime/base/units.h"

#define DISK_NS (5 * WEFT_NS_PER_S) // A request may take it: the loop stands meanwhile.

// `why` not; NULL: it is done.
static void answer(FILE *out, const char *why)
{
    if (why == NULL) {
        fputs("{\"ok\":true}", out);
        return;
    }
    fputs("{\"ok\":false,\"error\":", out);
    weft_json_string(out, why);
    fputc('}', out);
}

// The wish is a file on the drive, as the one that a person puts there: one way to be emptied. It
// stays until the emptying is done (start.c).
static int wish_reset(struct weft_boot *boot)
{
    static const char text[] = "Emptied at the next start.\r\n";
    if (!boot->has_conf && !boot->has_data) return -ENODEV;
    if (!boot->has_conf) return weft_file_replace(WEFT_BOOT_RESET, text, sizeof(text) - 1, 0600);
    int result = weft_mounts_conf_writable(true);
    if (result != 0) return result;
    result = weft_file_replace("/conf/RESET", text, sizeof(text) - 1, 0600);
    sync();
    weft_mounts_conf_writable(false);
    return result;
}

// Likewise a file on the drive. What would be refused then is refused now: a node that starts with
// a wish that it cannot do is in maintenance, and nobody may be near it.
static int wish_install(struct weft_boot *boot, const char *words, char why[256])
{
    int result = boot->has_conf && !boot->disks_alike ? 0 : -ENODEV;
    if (result != 0) snprintf(why, 256, "there is no drive to keep the wish, or two Weft disks");
    if (result == 0 && !weft_install_check(words, &boot->disks, DISK_NS, why)) result = -EINVAL;
    if (result != 0) return result;
    why[0] = '\0';
    result = weft_mounts_conf_writable(true);
    if (result != 0) return result;
    result = weft_file_replace("/conf/INSTALL", words, strlen(words), 0600);
    sync();
    weft_mounts_conf_writable(false);
    return result;
}

static void act(void *self, enum weft_init_socket_verb verb, const char *words, FILE *out)
{
    struct weft_boot *boot = self;
    char why[256] = "";
    int result = 0;
    switch (verb) {
    case WEFT_INIT_SOCKET_STATUS:
        fputs("{\"ok\":true,\"boot\":", out);
        weft_report_json(boot, out);
        fputc('}', out);
        return;
    case WEFT_INIT_SOCKET_BLESS: result = weft_health_bless(boot); break;
    case WEFT_INIT_SOCKET_CONFIRM: result = weft_health_confirm(boot); break;
    case WEFT_INIT_SOCKET_INSTALL: result = wish_install(boot, words, why); break;
    case WEFT_INIT_SOCKET_RESET: result = wish_reset(boot); break;
    case WEFT_INIT_SOCKET_REBOOT:
    case WEFT_INIT_SOCKET_POWEROFF: break;
    default: result = -EINVAL; break;
    }
    if (result != 0 && why[0] == '\0')
        snprintf(why, sizeof(why), "%s",
                 verb == WEFT_INIT_SOCKET_CONFIRM && result == -ENOENT ? "nothing is on trial"
                                                                       : strerror(-result));
    answer(out, result != 0 ? why : NULL);
    const bool is_end = verb == WEFT_INIT_SOCKET_POWEROFF || verb == WEFT_INIT_SOCKET_REBOOT ||
                        verb == WEFT_INIT_SOCKET_RESET || verb == WEFT_INIT_SOCKET_INSTALL;
    if (is_end && result == 0) {
        boot->wish = verb == WEFT_INIT_SOCKET_POWEROFF ? WEFT_BOOT_POWERS_OFF : WEFT_BOOT_REBOOTS;
        // After the answer is out: who asked may be weftd, which is stopped next.
        weft_loop_after(&boot->loop, &boot->wish_timer, 0);
    }
    weft_report_soon(boot);
}

static void leave(void *self)
{
    struct weft_boot *boot = self;
    weft_leave(boot, boot->wish, "asked on the control socket");
}

int weft_requests_open(struct weft_boot *boot)
{
    weft_loop_timer_init(&boot->wish_timer, leave, boot);
    return weft_init_socket_open(&boot->socket, &boot->loop, WEFT_BOOT_RUN "/init.sock", act, boot);
}
