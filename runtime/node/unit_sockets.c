#include "runtime/node/unit_sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/node/unit_actor.h"

enum {
    PIECE_BYTES = 4096,
    UNANSWERED_MS = 30000, // After which a peer is given up, also one that we have closed.
};

struct unit_socket {
    struct weft_unit_actor *unit; // NULL: nobody reads or writes it any more.
    struct weft_node_worker *worker;
    struct weft_io_handle handle;
    uint64_t number;
    struct weft_io_address address;
    uint32_t level;     // Of the text that opens it.
    bool is_connecting; // `giving` does that.
    bool is_given;      // The program has its number.
    bool is_taking, is_giving, has_end;
    int32_t status; // An ior: what it has failed with.
    struct weft_io_op taking, giving;
    struct iovec span;
    uint32_t start, end; // Of what has come and was not read.
    uint8_t in[PIECE_BYTES], out[PIECE_BYTES];
};

struct weft_unit_sockets { // From the worker's arena, at the first socket.
    struct unit_socket *at[WEFT_UNIT_SOCKETS_MAX];
    uint64_t last_number;
};

static int32_t ior_of(int error)
{
    switch (error) {
    case 0: return 0;
    case ENOMEM: return WEFT_THROW_ALLOCATE;
    case ECONNREFUSED:
    case ENETUNREACH:
    case EHOSTUNREACH: return WEFT_THROW_NOBODY;
    case ETIMEDOUT: return WEFT_THROW_LATE;
    case EMFILE:
    case ENFILE: return WEFT_THROW_FULL;
    default: return WEFT_THROW_CLOSED;
    }
}

// ---- Their end.

static void settle(struct unit_socket *socket)
{
    struct weft_node_worker *worker = socket->worker;
    if (socket->unit != NULL || socket->is_taking || socket->is_giving) return;
    const struct weft_io *io = weft_ports_io(&worker->ports);
    if (io != NULL) io->close(io->self, &socket->handle, socket->status != 0);
    weft_arena_release(worker->arena, socket, sizeof(*socket));
}

// Nobody wants it any more. `resets`: nor is what was written to be sent.
static void drop(struct unit_socket *socket, bool resets)
{
    const struct weft_io *io = weft_ports_io(&socket->worker->ports);
    struct weft_unit_sockets *sockets = socket->unit->sockets;
    for (uint32_t n = 0; n < WEFT_UNIT_SOCKETS_MAX; n++) {
        if (sockets->at[n] == socket) sockets->at[n] = NULL;
    }
    socket->unit = NULL;
    if (resets && socket->status == 0) socket->status = WEFT_THROW_CLOSED;
    if (io != NULL && socket->is_taking) io->cancel(io->self, &socket->taking);
    if (io != NULL && socket->is_giving && resets) io->cancel(io->self, &socket->giving);
    settle(socket);
}

// ---- What the kernel says.

// True if somebody is there to hear of it.
static bool is_heard(struct unit_socket *socket, int32_t result)
{
    if (result < 0 && socket->status == 0) socket->status = ior_of(-result);
    if (socket->unit == NULL) {
        settle(socket);
        return false;
    }
    weft_actor_wake(socket->unit->actor);
    return true;
}

static void taken(struct weft_io_op *op, int32_t result)
{
    struct unit_socket *socket = WEFT_CONTAINER_OF(op, struct unit_socket, taking);
    if (socket->worker->ports.is_over) return; // All of it goes with the arena.
    socket->is_taking = false;
    if (result > 0 && socket->unit != NULL) {
        memcpy(socket->in, op->bytes, (size_t)result);
        socket->start = 0;
        socket->end = (uint32_t)result;
    }
    if (result == 0) socket->has_end = true;
    (void)is_heard(socket, result);
}

static void given(struct weft_io_op *op, int32_t result)
{
    struct unit_socket *socket = WEFT_CONTAINER_OF(op, struct unit_socket, giving);
    if (socket->worker->ports.is_over) return;
    const bool was_connecting = socket->is_connecting;
    socket->is_connecting = false;
    if (!was_connecting && result > 0 && (size_t)result < socket->span.iov_len) {
        const struct weft_io *io = weft_ports_io(&socket->worker->ports);
        socket->span.iov_base = (uint8_t *)socket->span.iov_base + result;
        socket->span.iov_len -= (size_t)result;
        io->start(io->self, op);
        return;
    }
    socket->is_giving = false;
    (void)is_heard(socket, result);
}

// ---- What units ask.

// "10.1.2.3:80". False if it is none.
static bool read_address(const char *text, size_t length, struct weft_io_address *address)
{
    char copy[32], *colon, *end;
    struct in_addr host;
    if (length >= sizeof(copy)) return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    colon = strchr(copy, ':');
    if (colon == NULL || strlen(copy) != length) return false;
    *colon = '\0';
    const unsigned long port = strtoul(colon + 1, &end, 10);
    const bool is_port = colon[1] >= '1' && colon[1] <= '9' && *end == '\0' && port <= UINT16_MAX;
    if (!is_port || inet_pton(AF_INET, copy, &host) != 1) return false;
    *address = (struct weft_io_address){.host = ntohl(host.s_addr), .port = (uint16_t)port};
    return true;
}

static bool is_allowed(const struct weft_node_options *options,
                       const struct weft_io_address *address)
{
    for (uint32_t n = 0; n < options->unit_net_count; n++) {
        const struct weft_io_address *allowed = &options->unit_net[n];
        if (allowed->host == address->host && allowed->port == address->port) return true;
    }
    return false;
}

static struct unit_socket *opening(struct weft_unit_actor *unit, uint32_t level)
{
    for (uint32_t n = 0; unit->sockets != NULL && n < WEFT_UNIT_SOCKETS_MAX; n++) {
        struct unit_socket *socket = unit->sockets->at[n];
        if (socket != NULL && !socket->is_given && socket->level == level) return socket;
    }
    return NULL;
}

static struct unit_socket *find(struct weft_unit_actor *unit, uint64_t number)
{
    for (uint32_t n = 0; unit->sockets != NULL && n < WEFT_UNIT_SOCKETS_MAX; n++) {
        struct unit_socket *socket = unit->sockets->at[n];
        if (socket != NULL && socket->is_given && socket->number == number) return socket;
    }
    return NULL;
}

static struct unit_socket **room(struct weft_unit_actor *unit, int32_t *ior)
{
    *ior = WEFT_THROW_ALLOCATE;
    if (unit->sockets == NULL)
        unit->sockets = weft_arena_alloc_zeroed(unit->worker->arena, sizeof(*unit->sockets));
    if (unit->sockets == NULL) return NULL;
    *ior = WEFT_THROW_FULL;
    for (uint32_t n = 0; n < WEFT_UNIT_SOCKETS_MAX; n++) {
        if (unit->sockets->at[n] == NULL) return &unit->sockets->at[n];
    }
    return NULL;
}

static int32_t begin(struct weft_unit_actor *unit, uint32_t level,
                     const struct weft_io_address *address)
{
    static const struct weft_io_socket usual = {.unanswered_ms = UNANSWERED_MS};
    const struct weft_io *io = weft_ports_io(&unit->worker->ports);
    int32_t ior;
    struct unit_socket **place = room(unit, &ior);
    if (place == NULL) return ior;
    struct unit_socket *socket = weft_arena_alloc_zeroed(unit->worker->arena, sizeof(*socket));
    if (socket == NULL) return WEFT_THROW_ALLOCATE;
    const int result = io->socket(io->self, &socket->handle, &usual);
    if (result != 0) {
        weft_arena_release(unit->worker->arena, socket, sizeof(*socket));
        return ior_of(-result);
    }
    // Of another node's life, or this unit's last one, it is none: time goes on.
    const uint64_t now_ns = unit->worker->core.now_ns;
    uint64_t *last = &unit->sockets->last_number;
    *last = now_ns > *last ? now_ns : *last + 1;
    socket->unit = unit;
    socket->worker = unit->worker;
    socket->number = *last;
    socket->address = *address;
    socket->level = level;
    socket->is_connecting = socket->is_giving = true;
    socket->giving = (struct weft_io_op){
        .kind = WEFT_IO_CONNECT, .handle = &socket->handle, .done = given, .address = *address};
    *place = socket;
    io->start(io->self, &socket->giving);
    return WEFT_UNIT_LATER;
}

int32_t weft_unit_sockets_open(void *self, uint32_t level, const char *text, size_t length,
                               uint64_t *number)
{
    struct weft_unit_actor *unit = self;
    struct weft_io_address address;
    if (weft_ports_io(&unit->worker->ports) == NULL) return WEFT_THROW_UNSUPPORTED;
    if (!read_address(text, length, &address)) return WEFT_THROW_NOBODY;
    if (!is_allowed(&unit->worker->node->options, &address)) return WEFT_THROW_NO_NET;
    struct unit_socket *socket = opening(unit, level);
    if (socket == NULL) return begin(unit, level, &address);
    if (socket->is_connecting) return WEFT_UNIT_LATER;
    if (socket->status != 0) {
        const int32_t status = socket->status;
        drop(socket, true);
        return status;
    }
    socket->is_given = true;
    *number = socket->number;
    return 0;
}

int64_t weft_unit_sockets_read(void *self, uint64_t number, void *to, size_t size)
{
    struct unit_socket *socket = find(self, number);
    if (socket == NULL) return WEFT_THROW_CLOSED;
    const size_t there = socket->end - socket->start;
    if (there > 0) {
        const size_t bytes = there < size ? there : size;
        memcpy(to, socket->in + socket->start, bytes);
        socket->start += (uint32_t)bytes;
        return (int64_t)bytes;
    }
    if (socket->has_end) return 0;
    if (socket->status != 0) return socket->status;
    if (socket->is_taking) return WEFT_UNIT_FILE_LATER;
    const struct weft_io *io = weft_ports_io(&socket->worker->ports);
    socket->taking = (struct weft_io_op){
        .kind = WEFT_IO_RECEIVE, .handle = &socket->handle, .done = taken, .count = PIECE_BYTES};
    socket->is_taking = true;
    io->start(io->self, &socket->taking);
    return WEFT_UNIT_FILE_LATER;
}

int64_t weft_unit_sockets_write(void *self, uint64_t number, const void *from, size_t size)
{
    struct unit_socket *socket = find(self, number);
    if (socket == NULL) return WEFT_THROW_CLOSED;
    if (socket->status != 0) return socket->status;
    if (socket->is_giving) return WEFT_UNIT_FILE_LATER;
    const size_t bytes = size < PIECE_BYTES ? size : PIECE_BYTES;
    if (bytes == 0) return 0;
    const struct weft_io *io = weft_ports_io(&socket->worker->ports);
    memcpy(socket->out, from, bytes);
    socket->span = (struct iovec){.iov_base = socket->out, .iov_len = bytes};
    socket->giving = (struct weft_io_op){.kind = WEFT_IO_SEND,
                                         .handle = &socket->handle,
                                         .done = given,
                                         .spans = &socket->span,
                                         .count = 1};
    socket->is_giving = true;
    io->start(io->self, &socket->giving);
    return (int64_t)bytes;
}

int32_t weft_unit_sockets_close(void *self, uint64_t number)
{
    struct unit_socket *socket = find(self, number);
    if (socket == NULL) return WEFT_THROW_CLOSED;
    drop(socket, false);
    return 0;
}

void weft_unit_sockets_abandon(struct weft_unit_actor *unit, uint32_t level)
{
    struct unit_socket *socket = opening(unit, level);
    if (socket != NULL) drop(socket, true);
}

void weft_unit_sockets_end(struct weft_unit_actor *unit)
{
    if (unit->sockets == NULL) return;
    for (uint32_t n = 0; n < WEFT_UNIT_SOCKETS_MAX; n++) {
        if (unit->sockets->at[n] != NULL) drop(unit->sockets->at[n], true);
    }
    weft_arena_release(unit->worker->arena, unit->sockets, sizeof(*unit->sockets));
    unit->sockets = NULL;
}
