#include "image/init/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "image/init/text_file.h"

static int call(unsigned long request, void *argument)
{
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -errno;
    const int result = ioctl(fd, request, argument) == 0 ? 0 : -errno;
    close(fd);
    return result;
}

static struct ifreq request_of(const char *name)
{
    struct ifreq request = {0};
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
    return request;
}

static void put_ip(struct sockaddr *to, uint32_t ip)
{
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(ip)};
    memcpy(to, &address, sizeof(address));
}

static int come_up(const char *name, bool is_silent)
{
    struct ifreq request = request_of(name);
    const int result = call(SIOCGIFFLAGS, &request);
    if (result != 0) return result;
    const short arp = is_silent ? IFF_NOARP : 0;
    request.ifr_flags = (short)((request.ifr_flags & ~IFF_NOARP) | IFF_UP | arp);
    return call(SIOCSIFFLAGS, &request);
}

int weft_link_up(const char *name)
{
    return come_up(name, false);
}

int weft_link_up_silent(const char *name)
{
    char path[64 + IFNAMSIZ];
    snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%.15s/disable_ipv6", name);
    const int result = weft_text_file_set(path, "1");
    if (result != 0 && result != -ENOENT) return result; // A kernel without IPv6 has none.
    return come_up(name, true);
}

int weft_link_set_address(const char *name, uint32_t ip, uint32_t prefix)
{
    struct ifreq request = request_of(name);
    put_ip(&request.ifr_addr, ip);
    const int result = call(SIOCSIFADDR, &request);
    if (result != 0 || ip == 0) return result;
    put_ip(&request.ifr_netmask, prefix == 0 ? 0 : UINT32_MAX << (32 - prefix));
    return call(SIOCSIFNETMASK, &request);
}

int weft_link_set_gateway(const char *name, uint32_t gateway)
{
    char device[IFNAMSIZ];
    struct rtentry route = {.rt_flags = RTF_UP, .rt_dev = device, .rt_metric = 1};
    snprintf(device, sizeof(device), "%s", name);
    put_ip(&route.rt_dst, 0);
    put_ip(&route.rt_genmask, 0);
    while (call(SIOCDELRT, &route) == 0) {
    }
    if (gateway == 0) return 0;
    route.rt_flags |= RTF_GATEWAY;
    put_ip(&route.rt_gateway, gateway);
    return call(SIOCADDRT, &route);
}

int weft_link_mac(const char *name, uint8_t mac[6])
{
    struct ifreq request = request_of(name);
    const int result = call(SIOCGIFHWADDR, &request);
    if (result == 0) memcpy(mac, request.ifr_hwaddr.sa_data, 6);
    return result;
}

int weft_link_index(const char *name, int *index)
{
    struct ifreq request = request_of(name);
    const int result = call(SIOCGIFINDEX, &request);
    if (result == 0) *index = request.ifr_ifindex;
    return result;
}

static int open_tap(struct ifreq *request)
{
    const int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (fd < 0) return -errno;
    request->ifr_flags = IFF_TAP | IFF_NO_PI;
    if (ioctl(fd, TUNSETIFF, request) == 0) return fd;
    const int result = -errno;
    close(fd);
    return result;
}

int weft_link_make_tap(const char *name, const uint8_t mac[6])
{
    struct ifreq request = request_of(name);
    const int fd = open_tap(&request);
    if (fd < 0) return fd;
    int result = ioctl(fd, TUNSETPERSIST, 1) == 0 ? 0 : -errno;
    request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    if (mac != NULL) memcpy(request.ifr_hwaddr.sa_data, mac, 6);
    if (result == 0 && mac != NULL && ioctl(fd, SIOCSIFHWADDR, &request) != 0) result = -errno;
    close(fd);
    return result;
}

int weft_link_remove_tap(const char *name)
{
    struct ifreq request = request_of(name);
    const int fd = open_tap(&request);
    if (fd < 0) return fd;
    const int result = ioctl(fd, TUNSETPERSIST, 0) == 0 ? 0 : -errno;
    close(fd);
    return result;
}

bool weft_link_has_carrier(const char *name)
{
    struct ifreq request = request_of(name);
    return call(SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_RUNNING) != 0;
}
