#include "dataplane/port_device.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/base/assert.h"
#include "runtime/base/units.h"

static const struct weft_device_kind_info kinds[WEFT_DEVICE_KINDS] = {
    [WEFT_DEVICE_AF_PACKET] = {"af_packet", "net_af_packet", WEFT_BYPASS_NONE, true, 16},
    [WEFT_DEVICE_AF_XDP] = {"af_xdp", "net_af_xdp", WEFT_BYPASS_PARTIAL, false, 16},
    [WEFT_DEVICE_TAP] = {"tap", "net_tap", WEFT_BYPASS_NONE, false, 1},
    [WEFT_DEVICE_VIRTIO_USER] = {"virtio_user", "net_virtio_user", WEFT_BYPASS_FULL, false, 1},
    [WEFT_DEVICE_VHOST] = {"vhost", "net_vhost", WEFT_BYPASS_FULL, false, 1},
    [WEFT_DEVICE_RING] = {"ring", "net_ring", WEFT_BYPASS_FULL, false, 16},
    [WEFT_DEVICE_NULL] = {"null", "net_null", WEFT_BYPASS_FULL, false, 64},
    [WEFT_DEVICE_PCAP] = {"pcap", "net_pcap", WEFT_BYPASS_NONE, false, 1},
    [WEFT_DEVICE_PCI] = {"pci", "", WEFT_BYPASS_FULL, false, 64},
};

const struct weft_device_kind_info *weft_device_kind_info(enum weft_device_kind kind)
{
    weft_assert((unsigned)kind < WEFT_DEVICE_KINDS);
    return &kinds[kind];
}

// --- Reading the string.

static int malformed(struct weft_error *error, const char *text, const char *why)
{
    weft_error_set(error, 202, "device '%.150s': %s", text, why);
    weft_error_hint(error,
                    "KIND:TARGET with KIND one of af_packet, af_xdp, tap, virtio_user, vhost, "
                    "ring, null, pcap, pci");
    return -EINVAL;
}

static bool plain(const char *text)
{
    for (; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c <= ' ' || c >= 0x7f || strchr(",=;'\"\\[]{}", c) != NULL) return false;
    }
    return true;
}

static bool copy_target(char *target, const char *from, size_t length)
{
    if (length == 0 || length >= WEFT_DEVICE_TARGET_MAX) return false;
    memcpy(target, from, length);
    target[length] = '\0';
    return plain(target);
}

static bool parse_pcap(struct weft_device *device, const char *rest)
{
    while (*rest != '\0') {
        const size_t length = strcspn(rest, ",");
        char *target = strncmp(rest, "rx=", 3) == 0   ? device->target
                       : strncmp(rest, "tx=", 3) == 0 ? device->second
                                                      : NULL;
        if (target == NULL || target[0] != '\0' || !copy_target(target, rest + 3, length - 3))
            return false;
        rest += length;
        if (*rest == ',' && *++rest == '\0') return false;
    }
    return device->target[0] != '\0' || device->second[0] != '\0';
}

static bool parse_ring(struct weft_device *device, const char *rest)
{
    const size_t length = strcspn(rest, "/");
    if (length > 15 || !copy_target(device->target, rest, length)) return false;
    if (rest[length] == '\0') return true;
    if (strcmp(rest + length, "/a") != 0 && strcmp(rest + length, "/b") != 0) return false;
    device->second[0] = rest[length + 1];
    return true;
}

static bool parse_interface(struct weft_device *device, const char *rest)
{
    return strlen(rest) < IFNAMSIZ && strchr(rest, '/') == NULL && strcmp(rest, ".") != 0 &&
           strcmp(rest, "..") != 0 && copy_target(device->target, rest, strlen(rest));
}

static bool parse_pci(struct weft_device *device, const char *rest)
{
    static const char shape[] = "hhhh:hh:hh.h";
    if (strlen(rest) != strlen(shape)) return false;
    for (size_t i = 0; shape[i] != '\0'; i++) {
        const bool hex = strchr("0123456789abcdefABCDEF", rest[i]) != NULL;
        if (shape[i] == 'h' ? !hex : rest[i] != shape[i]) return false;
    }
    return copy_target(device->target, rest, strlen(rest));
}

int weft_device_parse(struct weft_device *device, const char *text, struct weft_error *error)
{
    memset(device, 0, sizeof(*device));
    if (strcmp(text, "null") == 0) {
        device->kind = WEFT_DEVICE_NULL;
        return 0;
    }
    const char *colon = strchr(text, ':');
    if (colon == NULL) return malformed(error, text, "no ':' after the kind");
    unsigned kind = 0;
    while (kind < WEFT_DEVICE_KINDS &&
           (strlen(kinds[kind].name) != (size_t)(colon - text) ||
            memcmp(kinds[kind].name, text, (size_t)(colon - text)) != 0))
        kind++;
    device->kind = (enum weft_device_kind)kind;
    const char *rest = colon + 1;
    switch (kind) {
    case WEFT_DEVICE_AF_PACKET:
    case WEFT_DEVICE_AF_XDP:
    case WEFT_DEVICE_TAP:
        if (parse_interface(device, rest)) return 0;
        return malformed(error, text, "not an interface name (1 to 15 characters)");
    case WEFT_DEVICE_VIRTIO_USER:
    case WEFT_DEVICE_VHOST:
        if (copy_target(device->target, rest, strlen(rest))) return 0;
        return malformed(error, text, "not a socket path (at most 107 plain characters)");
    case WEFT_DEVICE_RING:
        if (parse_ring(device, rest)) return 0;
        return malformed(error, text,
                         "not a ring name: NAME, NAME/a or NAME/b, at most 15 characters");
    case WEFT_DEVICE_PCAP:
        if (parse_pcap(device, rest)) return 0;
        return malformed(error, text, "expected rx=FILE, tx=FILE or both with a comma between");
    case WEFT_DEVICE_PCI:
        if (parse_pci(device, rest)) return 0;
        return malformed(error, text, "not a PCI address like 0000:00:02.0");
    default: return malformed(error, text, "a kind of device that is not known");
    }
}

// --- Whether it can work here.

static int refuse(const struct weft_device *device, struct weft_error *error, int reason,
                  const char *why, const char *hint)
{
    weft_error_set(error, 202, "%s:%s: %s", kinds[device->kind].name, device->target, why);
    weft_error_hint(error, "%s", hint);
    return -reason;
}

static int check_interface(const struct weft_device *device, struct weft_error *error)
{
    if (if_nametoindex(device->target) == 0)
        return refuse(device, error, ENODEV, "there is no such interface",
                      "`ip link` lists those of this network namespace");
    const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return refuse(device, error, errno, "no permission to open packet sockets",
                      "run as root, give CAP_NET_RAW, or run in an own network namespace "
                      "(`weft lab up` does)");
    struct ifreq request = {.ifr_flags = 0};
    snprintf(request.ifr_name, sizeof(request.ifr_name), "%.15s", device->target);
    const bool up = ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0;
    close(fd);
    if (!up)
        return refuse(device, error, ENETDOWN, "the interface is down", "`ip link set IFACE up`");
    return 0;
}

static int check_tap(const struct weft_device *device, struct weft_error *error)
{
    if (if_nametoindex(device->target) != 0)
        return refuse(device, error, EEXIST, "an interface of that name exists",
                      "choose another name: a tap port makes its own interface");
    const int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return refuse(device, error, errno, "/dev/net/tun cannot be opened",
                      "the kernel has no tun driver here, or this user may not use it");
    close(fd);
    return 0;
}

// Whether a process has this socket open. A datagram socket cannot connect to it (EPROTOTYPE), so
// the question does not disturb the owner: a stream that connects would be its peer.
static bool socket_is_alive(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path) + 1); // weft_device_parse has limited it.
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return true; // Not known: leave it alone.
    const bool refused = connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 &&
                         errno == ECONNREFUSED;
    close(fd);
    return !refused;
}

static int check_directory(const struct weft_device *device, struct weft_error *error)
{
    char directory[WEFT_DEVICE_TARGET_MAX];
    const char *slash = strrchr(device->target, '/');
    const size_t length = slash == NULL             ? 0
                          : slash == device->target ? 1
                                                    : (size_t)(slash - device->target);
    memcpy(directory, slash == NULL ? "." : device->target, slash == NULL ? 1 : length);
    directory[slash == NULL ? 1 : length] = '\0';
    if (access(directory, W_OK | X_OK) == 0) return 0;
    return refuse(device, error, errno, "the socket's directory is missing or not writable",
                  "make it, owned by this user");
}

// A socket that nobody has open is what a killed process has left.
static int check_own_socket(const struct weft_device *device, struct weft_error *error)
{
    struct stat status;
    const int result = check_directory(device, error);
    if (result != 0) return result;
    if (lstat(device->target, &status) != 0) return 0;
    if (!S_ISSOCK(status.st_mode))
        return refuse(device, error, EEXIST, "the path exists and is not a socket",
                      "move it away, or choose another path");
    if (socket_is_alive(device->target))
        return refuse(device, error, EADDRINUSE, "another process has this socket open",
                      "stop it, or choose another path");
    if (unlink(device->target) != 0)
        return refuse(device, error, errno, "a stale socket cannot be removed",
                      "remove it by hand");
    return 0;
}

static int check_pcap(const struct weft_device *device, struct weft_error *error)
{
    if (device->target[0] != '\0' && access(device->target, R_OK) != 0)
        return refuse(device, error, errno, "the capture to read cannot be read", "check the path");
    return 0;
}

bool weft_device_driver_is(const char *sys, const char *pci, const char *name)
{
    char path[200], driver[200];
    snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/driver", sys, pci);
    const ssize_t length = readlink(path, driver, sizeof(driver) - 1);
    driver[length > 0 ? length : 0] = '\0';
    const char *slash = strrchr(driver, '/');
    return slash != NULL && strcmp(slash + 1, name) == 0;
}

bool weft_device_stays_with_kernel(const char *sys, const char *pci)
{
    return weft_device_driver_is(sys, pci, "mlx5_core") ||
           weft_device_driver_is(sys, pci, "mlx4_core");
}

static bool is_nvidia(const char *sys, const char *pci)
{
    char path[200], vendor[16] = "";
    snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/vendor", sys, pci);
    FILE *file = fopen(path, "re");
    if (file == NULL) return false;
    const bool is =
        fgets(vendor, sizeof(vendor), file) != NULL && strncmp(vendor, "0x15b3", 6) == 0;
    fclose(file);
    return is;
}

int weft_device_check_card(const char *sys, const struct weft_device *device,
                           struct weft_error *error)
{
    char path[200];
    snprintf(path, sizeof(path), "%s/bus/pci/devices/%s", sys, device->target);
    if (access(path, F_OK) != 0)
        return refuse(device, error, ENODEV, "there is no such PCI device",
                      "`lspci -D` lists them");
    if (weft_device_stays_with_kernel(sys, device->target)) return 0;
    if (is_nvidia(sys, device->target))
        return refuse(device, error, ENODEV, "the kernel's driver does not have it",
                      "DPDK opens this card beside mlx5_core, and needs mlx5_ib, too");
    if (!weft_device_driver_is(sys, device->target, "vfio-pci"))
        return refuse(device, error, ENODEV, "the device is not bound to vfio-pci",
                      "write vfio-pci to its driver_override and the address to drivers_probe");
    return 0;
}

int weft_device_check(const struct weft_device *device, struct weft_error *error)
{
    switch (device->kind) {
    case WEFT_DEVICE_AF_PACKET:
    case WEFT_DEVICE_AF_XDP: return check_interface(device, error);
    case WEFT_DEVICE_TAP: return check_tap(device, error);
    case WEFT_DEVICE_VIRTIO_USER: return check_own_socket(device, error);
    case WEFT_DEVICE_VHOST: return check_directory(device, error);
    case WEFT_DEVICE_PCAP: return check_pcap(device, error);
    case WEFT_DEVICE_PCI: return weft_device_check_card("/sys", device, error);
    default: return 0;
    }
}

// --- DPDK's words for it.

int weft_device_arguments(const struct weft_device *device, uint32_t number, uint16_t queue_count,
                          char *name, size_t name_size, char *arguments, size_t arguments_size)
{
    const char *target = device->target;
    const int name_length = snprintf(name, name_size, "%s%u", kinds[device->kind].driver, number);
    int length = 0;
    arguments[0] = '\0';
    switch (device->kind) {
    case WEFT_DEVICE_AF_PACKET:
        length = snprintf(arguments, arguments_size, "iface=%s,qpairs=%u", target, queue_count);
        break;
    case WEFT_DEVICE_AF_XDP:
        length = snprintf(arguments, arguments_size, "iface=%s,queue_count=%u,busy_budget=0",
                          target, queue_count);
        break;
    case WEFT_DEVICE_TAP: length = snprintf(arguments, arguments_size, "iface=%s", target); break;
    case WEFT_DEVICE_VIRTIO_USER:
        // Split rings: with packed ones a reconnection sleeps a second and resets the queues.
        length =
            snprintf(arguments, arguments_size,
                     "path=%s,server=1,queues=%u,queue_size=512,packed_vq=0", target, queue_count);
        break;
    case WEFT_DEVICE_VHOST:
        length =
            snprintf(arguments, arguments_size, "iface=%s,client=1,queues=%u", target, queue_count);
        break;
    case WEFT_DEVICE_NULL: length = snprintf(arguments, arguments_size, "size=64"); break;
    case WEFT_DEVICE_PCAP:
        length = snprintf(arguments, arguments_size, "%s%s%s%s%s", target[0] ? "rx_pcap=" : "",
                          target, target[0] && device->second[0] ? "," : "",
                          device->second[0] ? "tx_pcap=" : "", device->second);
        break;
    default: break;
    }
    if (name_length < 0 || (size_t)name_length >= name_size) return -ENAMETOOLONG;
    return length < 0 || (size_t)length >= arguments_size ? -ENAMETOOLONG : 0;
}
