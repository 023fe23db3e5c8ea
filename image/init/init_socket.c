#include "image/init/init_socket.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SILENCE_NS (5 * WEFT_NS_PER_S)

enum weft_init_socket_verb weft_init_socket_verb_of(const char *line, const char **words)
{
    static const char install[] = "install ";
    static const char *const verbs[] = {"status",   "bless", "reboot",
                                        "poweroff", "reset", "confirm"};
    *words = "";
    if (strncmp(line, install, sizeof(install) - 1) == 0) {
        *words = line + sizeof(install) - 1;
        return WEFT_INIT_SOCKET_INSTALL;
    }
    for (size_t i = 0; i < WEFT_COUNT_OF(verbs); i++) {
        if (strcmp(line, verbs[i]) == 0) return (enum weft_init_socket_verb)i;
    }
    return WEFT_INIT_SOCKET_UNKNOWN;
}

static void let_go(struct weft_init_socket_peer *peer)
{
    weft_loop_cancel(&peer->timeout);
    weft_loop_unwatch(peer->server->loop, peer->fd);
    close(peer->fd);
    peer->fd = -1;
}

static void time_out(void *self)
{
    let_go(self);
}

static void answer(struct weft_init_socket_peer *peer)
{
    char *text = NULL;
    size_t length = 0;
    const char *words;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL) return;
    peer->line[peer->used] = '\0';
    const enum weft_init_socket_verb verb = weft_init_socket_verb_of(peer->line, &words);
    peer->server->act(peer->server->self, verb, words, out);
    fputc('\n', out);
    if (fclose(out) == 0)
        (void)!send(peer->fd, text, length, MSG_NOSIGNAL | MSG_DONTWAIT); // It fits its buffer.
    free(text);
}

static void take_bytes(void *self, short events)
{
    struct weft_init_socket_peer *peer = self;
    char byte;
    ssize_t length;
    (void)events;
    while ((length = recv(peer->fd, &byte, 1, MSG_DONTWAIT)) == 1) {
        if (byte == '\n') {
            answer(peer);
            let_go(peer);
            return;
        }
        if (peer->used == sizeof(peer->line) - 1) break; // No verb is as long as that.
        peer->line[peer->used++] = byte;
    }
    if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
    let_go(peer);
}

static struct weft_init_socket_peer *free_place(struct weft_init_socket *server)
{
    for (size_t i = 0; i < WEFT_INIT_SOCKET_PEERS_MAX; i++) {
        if (server->peers[i].fd < 0) return &server->peers[i];
    }
    return NULL;
}

static bool is_root(int fd)
{
    struct ucred who;
    socklen_t size = sizeof(who);
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 &&
           (who.uid == 0 || who.uid == geteuid());
}

static void take_peer(void *self, short events)
{
    struct weft_init_socket *server = self;
    (void)events;
    const int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    struct weft_init_socket_peer *peer = free_place(server);
    if (peer == NULL || !is_root(fd)) {
        close(fd);
        return;
    }
    peer->fd = fd;
    peer->used = 0;
    weft_loop_after(server->loop, &peer->timeout, SILENCE_NS);
    weft_loop_watch(server->loop, fd, POLLIN, take_bytes, peer);
}

int weft_init_socket_open(struct weft_init_socket *server, struct weft_loop *loop, const char *path,
                          void (*act)(void *self, enum weft_init_socket_verb verb,
                                      const char *words, FILE *answer),
                          void *self)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    *server = (struct weft_init_socket){.loop = loop, .fd = -1, .act = act, .self = self};
    for (size_t i = 0; i < WEFT_INIT_SOCKET_PEERS_MAX; i++) {
        server->peers[i] = (struct weft_init_socket_peer){.server = server, .fd = -1};
        weft_loop_timer_init(&server->peers[i].timeout, time_out, &server->peers[i]);
    }
    if (strlen(path) >= sizeof(address.sun_path)) return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    unlink(path);
    server->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (server->fd < 0) return -errno;
    const mode_t before = umask(0177);
    int result = bind(server->fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : -errno;
    umask(before);
    if (result == 0 && listen(server->fd, 8) != 0) result = -errno;
    if (result == 0) result = weft_loop_watch(loop, server->fd, POLLIN, take_peer, server);
    if (result != 0) weft_init_socket_close(server);
    return result;
}

void weft_init_socket_close(struct weft_init_socket *server)
{
    for (size_t i = 0; i < WEFT_INIT_SOCKET_PEERS_MAX; i++) {
        if (server->peers[i].fd >= 0) let_go(&server->peers[i]);
    }
    if (server->fd < 0) return;
    weft_loop_unwatch(server->loop, server->fd);
    close(server->fd);
    server->fd = -1;
}
