// client.h: a process on a socket as a port of the switch: one message is one Ethernet frame.
//
// SOCK_SEQPACKET keeps frames apart and tells when the other side is gone. Nothing waits: a client
// that does not read loses what does not fit into its socket.
// Core: the switch's one thread. Buffers come from `home`, a port whose pool is as good as any.
#ifndef WEFT_DATAPLANE_SWITCH_CLIENT_H
#define WEFT_DATAPLANE_SWITCH_CLIENT_H

#include <stdbool.h>

#include "runtime/env/net.h"

#define WEFT_CLIENT_FRAME_MAX 1518

struct weft_client_port {
    struct weft_net net;
    struct weft_net_info info;
    const struct weft_net *home;
    int fd;        // -1: free.
    bool readable; // Set by whoever polls the descriptor; cleared when it is read empty.
    bool gone;     // The other side has hung up.
    uint64_t too_long;
};

// Makes `client` of a connected, non-blocking socket, which it then owns.
void weft_client_port_open(struct weft_client_port *client, int fd, const struct weft_net *home);
void weft_client_port_close(struct weft_client_port *client);

// A listening SOCK_SEQPACKET (or SOCK_STREAM) at `path`, mode 0600; what a dead process left there
// is removed. A descriptor or a negative errno: -EADDRINUSE if a live one has it.
int weft_switch_listen(const char *path, int type);

#endif // WEFT_DATAPLANE_SWITCH_CLIENT_H
