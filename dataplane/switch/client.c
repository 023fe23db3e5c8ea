#include "dataplane/switch/client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct weft_packet *take_frame(struct weft_client_port *client)
{
    struct weft_packet *packet = client->home->alloc(client->home->self);
    if (packet == NULL) return NULL; // Left in the socket for later.
    const ssize_t length =
        recv(client->fd, packet->data, WEFT_CLIENT_FRAME_MAX, MSG_DONTWAIT | MSG_TRUNC);
    if (length > 0 && length <= WEFT_CLIENT_FRAME_MAX) {
        packet->length = (uint16_t)length;
        packet->tailroom = (uint16_t)(packet->tailroom - length);
        return packet;
    }
    client->home->release(client->home->self, packet);
    if (length > 0) {
        client->too_long++;
    } else {
        client->readable = false;
        // An empty message reads like an end of file; it is no frame either way.
        client->gone = length == 0 || (errno != EAGAIN && errno != EINTR);
    }
    return NULL;
}

static uint32_t rx_burst(void *self, struct weft_packet **packets, uint32_t limit)
{
    struct weft_client_port *client = self;
    uint32_t count = 0;
    for (uint32_t i = 0; i < limit && client->readable; i++) {
        struct weft_packet *packet = take_frame(client);
        if (packet != NULL) packets[count++] = packet;
    }
    return count;
}

static uint32_t tx_burst(void *self, struct weft_packet **packets, uint32_t count)
{
    struct weft_client_port *client = self;
    for (uint32_t i = 0; i < count; i++) {
        const ssize_t sent =
            send(client->fd, packets[i]->data, packets[i]->length, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR) client->gone = true;
            return i;
        }
        client->home->release(client->home->self, packets[i]);
    }
    return count;
}

static struct weft_packet *alloc_packet(void *self)
{
    const struct weft_net *home = ((struct weft_client_port *)self)->home;
    return home->alloc(home->self);
}

static void release_packet(void *self, struct weft_packet *packet)
{
    const struct weft_net *home = ((struct weft_client_port *)self)->home;
    home->release(home->self, packet);
}

void weft_client_port_open(struct weft_client_port *client, int fd, const struct weft_net *home)
{
    *client = (struct weft_client_port){.home = home, .fd = fd, .readable = true};
    client->info =
        (struct weft_net_info){.mtu = 1500, .queue_count = 1, .bypass = WEFT_BYPASS_NONE};
    snprintf(client->info.driver, sizeof(client->info.driver), "unix socket");
    client->net = (struct weft_net){.rx_burst = rx_burst,
                                    .tx_burst = tx_burst,
                                    .alloc = alloc_packet,
                                    .release = release_packet,
                                    .info = &client->info,
                                    .self = client};
}

void weft_client_port_close(struct weft_client_port *client)
{
    if (client->fd >= 0) close(client->fd);
    client->fd = -1;
}

static bool is_alive(const struct sockaddr_un *address)
{
    // Of another type on purpose: it is refused with EPROTOTYPE by a live socket, unseen by its
    // owner.
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool dead = fd >= 0 &&
                      connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0 &&
                      errno == ECONNREFUSED;
    if (fd >= 0) close(fd);
    return !dead;
}

int weft_switch_listen(const char *path, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat status;
    if (strlen(path) >= sizeof(address.sun_path)) return -ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (lstat(path, &status) == 0) {
        if (!S_ISSOCK(status.st_mode)) return -EEXIST;
        if (is_alive(&address)) return -EADDRINUSE;
        unlink(path);
    }
    const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -errno;
    const mode_t before = umask(0177);
    const int bound = bind(fd, (const struct sockaddr *)&address, sizeof(address));
    const int reason = errno;
    umask(before);
    if (bound == 0 && listen(fd, 8) == 0) return fd;
    close(fd);
    return -reason;
}
