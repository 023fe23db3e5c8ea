// server.h: the admin port: HTTP/JSON over a unix socket and loopback TCP, turned by the control
// core.
//
// libmicrohttpd in external epoll mode, one daemon per listening descriptor; no thread of its own.
// The unix socket may write (peer uid checked), TCP may only read, from loopback, for a Host and an
// Origin that are ours (DNS rebinding). TCP over TLS is for the owner alone: with the token it may
// do what the unix socket may, without it nothing. Answers are made from snapshots within the turn;
// commands and streams suspend their connection and are resumed by the poller.
//
// Core:   control core only. Memory: malloc (the control core may).
// Errors: a refusal is an RFC 9457 problem with our Wnnnn code; nothing from outside can end the
// server.
#ifndef WEFT_ADMIN_SERVER_H
#define WEFT_ADMIN_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "runtime/admin/source.h"
#include "runtime/env/clock.h"
#include "runtime/sched/poller.h"

#define WEFT_ADMIN_LISTENERS_MAX 4
#define WEFT_ADMIN_PORT          9338 // W-E-F-T on a telephone's keys.

struct weft_admin_route; // route.h
struct weft_owner;       // owner.h

struct weft_admin_options {
    const struct weft_admin_source *source; // NULL: the routes of a node are not served.
    struct weft_clock clock;
    // More routes, ended by one with a NULL method; `route_self` is handed to them. May be NULL.
    const struct weft_admin_route *routes;
    void *route_self;
    // If set, every request is answered 503 with this text: what the lab says for a dead node.
    const char *unavailable;
    uint64_t
        command_timeout_ns; // 0: 10 s. A client may ask for less or more (?timeout_ms=), to 60 s.
};

// Makes a server that listens nowhere yet. NULL if memory or a descriptor is missing. The options
// are copied; what they point to outlives the server.
struct weft_admin_server *weft_admin_server_create(const struct weft_admin_options *options);
// Ends every connection (those that wait get 503) and closes the listeners; unix socket files that
// weft_admin_listen_unix made are removed.
void weft_admin_server_free(struct weft_admin_server *server);

// Serves a listening unix or TCP socket, which now belongs to the server. What it is, is asked of
// the socket: TCP off loopback is refused. 0, or -1 with `error`.
int weft_admin_serve_fd(struct weft_admin_server *server, int fd, struct weft_error *error);
// Serves a listening TCP socket of any address over TLS 1.3, to whoever bears the token of `owner`,
// which outlives the server. 0, or -1 with `error`.
int weft_admin_serve_owner(struct weft_admin_server *server, int fd, const struct weft_owner *owner,
                           struct weft_error *error);
// Makes `path` (mode 0600; its directory exists) and serves it. A stale socket is removed; one that
// answers is an error. 0, or -1 with `error`.
int weft_admin_listen_unix(struct weft_admin_server *server, const char *path,
                           struct weft_error *error);
// Listens on 127.0.0.1:`port` (0: any) and serves it. 0, or -1 with `error`.
int weft_admin_listen_tcp(struct weft_admin_server *server, uint16_t port,
                          struct weft_error *error);
// The TCP port served, 0 if none.
uint16_t weft_admin_server_port(const struct weft_admin_server *server);

// Opens what serve_fd takes, for a process that hands sockets to another. Descriptor, or -1 with
// `error`. Close-on-exec is set.
int weft_admin_open_unix(const char *path, struct weft_error *error);
int weft_admin_open_tcp(uint16_t port, struct weft_error *error);
// The same at an address of this machine, in host order (0: at all of them); for serve_owner.
int weft_admin_open_at(uint32_t ip, uint16_t port, struct weft_error *error);

// What the control core adds (weft_core_add_poller): one doorbell for all connections.
struct weft_poller weft_admin_server_poller(struct weft_admin_server *server);
// One round by hand, at most `timeout_ms` long: for tests, and processes without a core.
void weft_admin_server_turn(struct weft_admin_server *server, int timeout_ms);

#endif // WEFT_ADMIN_SERVER_H
