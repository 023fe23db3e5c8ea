// io_socket.h: the kernel's sockets as both backends of env/io.h make them. No call here waits.
//
// A ring wants them blocking, so that an operation waits inside the kernel; epoll wants them not.
#ifndef WEFT_DATAPLANE_IO_SOCKET_H
#define WEFT_DATAPLANE_IO_SOCKET_H

#include <netinet/in.h>

#include "runtime/env/io.h"

struct sockaddr_in weft_io_socket_name(const struct weft_io_address *address);

// A descriptor, or a negative errno. `flags`: 0 or SOCK_NONBLOCK.
int weft_io_socket_listen(const struct weft_io_address *address,
                          const struct weft_io_socket *options, int flags);
int weft_io_socket_stream(const struct weft_io_socket *options, int flags);
int weft_io_socket_datagrams(const struct weft_io_address *address, int flags);

int weft_io_socket_finish(int fd);
int weft_io_socket_address(int fd, bool of_peer, struct weft_io_address *address);
// `resets`: the peer gets a reset in place of an orderly end.
void weft_io_socket_close(int fd, bool resets);

#endif // WEFT_DATAPLANE_IO_SOCKET_H
