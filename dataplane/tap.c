#include "dataplane/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int fail(const char *name, int result, const char *what, struct weft_error *error)
{
    weft_error_set(error, 202, "the kernel's interface %s: %s: %s", name, what, strerror(-result));
    if (result == -EBUSY)
        weft_error_hint(error, "another process has it: choose another name for `kernel`");
    else
        weft_error_hint(error, "making one needs /dev/net/tun and CAP_NET_ADMIN: root, or an own "
                               "network namespace");
    return result;
}

static struct ifreq request_of(const char *name)
{
    struct ifreq request = {.ifr_flags = 0};
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%.15s", name);
    return request;
}

static int attach(int fd, const char *name)
{
    struct ifreq request = request_of(name);
    request.ifr_flags = IFF_TAP | IFF_NO_PI;
    return ioctl(fd, TUNSETIFF, &request) == 0 ? 0 : -errno;
}

static int set_mac(int fd, const char *name, const uint8_t mac[6])
{
    struct ifreq request = request_of(name);
    request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    memcpy(request.ifr_hwaddr.sa_data, mac, 6);
    return ioctl(fd, SIOCSIFHWADDR, &request) == 0 ? 0 : -errno;
}

static int set_up(const char *name, uint16_t mtu)
{
    struct ifreq request = request_of(name);
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    request.ifr_mtu = mtu;
    int result = ioctl(fd, SIOCSIFMTU, &request) == 0 ? 0 : -errno;
    if (result == 0 && ioctl(fd, SIOCGIFFLAGS, &request) != 0) result = -errno;
    request.ifr_flags |= IFF_UP;
    if (result == 0 && ioctl(fd, SIOCSIFFLAGS, &request) != 0) result = -errno;
    close(fd);
    return result;
}

int weft_tap_set_carrier(int fd, bool up)
{
    int value = up;
    return ioctl(fd, TUNSETCARRIER, &value) == 0 ? 0 : -errno;
}

int weft_tap_open(const char *name, const uint8_t mac[6], uint16_t mtu, struct weft_error *error)
{
    const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return fail(name, -errno, "/dev/net/tun", error);
    int result = attach(fd, name);
    if (result != 0) {
        fail(name, result, "it cannot be made or taken", error);
        goto close_fd;
    }
    // Off until the port's link is up: nobody begins to talk to a cable that is not there.
    result = weft_tap_set_carrier(fd, false);
    if (result == 0) result = set_mac(fd, name, mac);
    if (result == 0) result = set_up(name, mtu);
    if (result == 0) return fd;
    fail(name, result, "it cannot be set up", error);
close_fd:
    close(fd);
    return result;
}
