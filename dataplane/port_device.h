// port_device.h: what a device string in the configuration means, and whether it could work here.
//
//   "af_packet:IFACE"        a kernel interface through a packet socket; needs no driver, no root
//   in
//                            an own namespace
//   "af_xdp:IFACE"           a kernel interface through an XDP socket; root
//   "tap:IFACE"              a new kernel interface, made here
//   "virtio_user:SOCKET"     one end of a shared-memory link: listens on SOCKET, owns the memory
//   "vhost:SOCKET"           the other end: connects to SOCKET, and again whenever it comes back
//   "ring:NAME"              every frame sent comes back, queue by queue
//   "ring:NAME/a", "…/b"     the two ends of a wire inside one process
//   "null"                   swallows what is sent, receives empty frames without end
//   "pcap:rx=FILE,tx=FILE"   replays one capture and writes another; either may be left out
//   "pci:0000:00:02.0"       a network card bound to vfio-pci, or NVIDIA's under mlx5_core
//
// Which end of a vhost link listens is what makes it heal (22.11.11, tested by
// tests/system/port_vhost.sh: either side killed with SIGKILL and started again): a virtio_user
// that connects never reconnects, but one that listens (`server=1`) accepts again, and a vhost that
// connects (`client=1`) retries by itself every second. So the node listens, because its memory
// carries the packets, and the switch connects. The price: opening a virtio_user port waits until
// the other end is there (limited by weft_netport_options.connect_wait_ms).
//
// Pure: nothing here includes DPDK; the parser reads no file.
#ifndef WEFT_DATAPLANE_PORT_DEVICE_H
#define WEFT_DATAPLANE_PORT_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/base/error.h"
#include "runtime/env/net.h"

#define WEFT_DEVICE_TARGET_MAX 108 // As sockaddr_un.sun_path, the tightest of them.

enum weft_device_kind {
    WEFT_DEVICE_AF_PACKET,
    WEFT_DEVICE_AF_XDP,
    WEFT_DEVICE_TAP,
    WEFT_DEVICE_VIRTIO_USER,
    WEFT_DEVICE_VHOST,
    WEFT_DEVICE_RING,
    WEFT_DEVICE_NULL,
    WEFT_DEVICE_PCAP,
    WEFT_DEVICE_PCI,
    WEFT_DEVICE_KINDS
};

struct weft_device {
    enum weft_device_kind kind;
    char target[WEFT_DEVICE_TARGET_MAX]; // Interface, socket, name, PCI address, or file to read.
    char second[WEFT_DEVICE_TARGET_MAX]; // pcap: the file to write. ring: "a" or "b". Else empty.
};

struct weft_device_kind_info {
    const char *name;   // "af_packet".
    const char *driver; // DPDK's name for it, without the number: "net_af_packet".
    enum weft_bypass bypass;
    bool has_doorbell;
    uint16_t queue_max; // Queue pairs to ask for at most.
};

// Of a kind below WEFT_DEVICE_KINDS.
const struct weft_device_kind_info *weft_device_kind_info(enum weft_device_kind kind);

// Reads `text`. 0, or -EINVAL with `error` (W0202): unknown kind, empty, too long, or a character
// that DPDK's own option syntax would take for its own (',', '=', white space).
int weft_device_parse(struct weft_device *device, const char *text, struct weft_error *error);

// Who of the kernel's has the card at this whole PCI address? `sys` is "/sys", or a test's.
bool weft_device_driver_is(const char *sys, const char *pci, const char *name);

// Has the kernel's driver the card at this whole PCI address, and keeps it? DPDK opens NVIDIA's
// beside that, which guards memory for it: no vfio-pci, and no physical addresses.
bool weft_device_stays_with_kernel(const char *sys, const char *pci);

// Has the card at this whole PCI address the driver that DPDK needs? 0, or -ENODEV with `error`.
int weft_device_check_card(const char *sys, const struct weft_device *device,
                           struct weft_error *error);

// Looks whether the device can be opened here, so that what goes wrong is told in our words:
// interface missing or down, not permitted, socket in use. Removes a stale socket in the way of an
// own one. 0 or a negative errno with `error`.
int weft_device_check(const struct weft_device *device, struct weft_error *error);

// Writes the name and the arguments with which DPDK makes the device as number `number` with
// `queue_count` queues. Not for PCI. 0, or -ENAMETOOLONG.
int weft_device_arguments(const struct weft_device *device, uint32_t number, uint16_t queue_count,
                          char *name, size_t name_size, char *arguments, size_t arguments_size);

#endif // WEFT_DATAPLANE_PORT_DEVICE_H
