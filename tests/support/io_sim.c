#include "tests/support/io_sim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/base/units.h"

enum sim_kind { LISTENER, UNCONNECTED, END, OPEN_FILE, FILE_ON_DISK };

struct io_sim_object {
    enum sim_kind kind;
    struct weft_io_address own, other;
    struct io_sim_object *peer; // Of an END; NULL: it has been closed. Of an OPEN_FILE: the file.
    uint8_t in[IO_SIM_PIPE];
    size_t in_count;
    bool has_end;   // The peer sends no more.
    bool has_ended; // Nor does this.
    bool is_reset;
    int32_t waiting[64]; // Of a LISTENER: ends to be accepted.
    uint32_t waiting_count, waiting_max;
    char name[64]; // Of a FILE_ON_DISK.
    uint8_t *bytes;
    size_t length;
};

struct own { // In weft_io_op.own.
    uint32_t delay;
};

static struct own *own_of(struct weft_io_op *op)
{
    return (struct own *)(void *)op->own;
}

enum { OVER, UNDER_WAY }; // weft_io_op.state

// ---- Objects.

static int32_t make(struct io_sim_world *world, enum sim_kind kind)
{
    if (world->object_count >= world->object_count_max) return -EMFILE;
    for (int32_t i = 3; i < IO_SIM_OBJECTS; i++) {
        if (world->objects[i] != NULL) continue;
        world->objects[i] = calloc(1, sizeof(struct io_sim_object));
        weft_assert(world->objects[i] != NULL);
        world->objects[i]->kind = kind;
        world->object_count++;
        return i;
    }
    return -EMFILE;
}

static void unmake(struct io_sim_world *world, int32_t number, bool resets)
{
    struct io_sim_object *object = world->objects[number];
    world->objects[number] = NULL;
    world->object_count--;
    if (object->kind == END && object->peer != NULL) {
        object->peer->has_end = true;
        object->peer->is_reset |= resets || object->in_count > 0; // As TCP does.
        object->peer->peer = NULL;
    }
    for (uint32_t i = 0; i < object->waiting_count; i++)
        unmake(world, object->waiting[i], true);
    free(object);
}

static struct io_sim_object *find_listener(const struct io_sim_world *world, uint16_t port)
{
    for (size_t i = 0; i < IO_SIM_OBJECTS; i++) {
        struct io_sim_object *object = world->objects[i];
        if (object != NULL && object->kind == LISTENER && object->own.port == port) return object;
    }
    return NULL;
}

static struct io_sim_object *find_file(struct io_sim_world *world, const char *name, bool creates)
{
    for (size_t i = 0; i < IO_SIM_FILES; i++) {
        if (world->files[i] != NULL && strcmp(world->files[i]->name, name) == 0)
            return world->files[i];
    }
    for (size_t i = 0; creates && i < IO_SIM_FILES; i++) {
        if (world->files[i] != NULL) continue;
        struct io_sim_object *file = calloc(1, sizeof(*file));
        weft_assert(file != NULL && strlen(name) < sizeof(file->name));
        file->kind = FILE_ON_DISK;
        strcpy(file->name, name);
        return world->files[i] = file;
    }
    return NULL;
}

// ---- What an operation does, if it can. -EAGAIN: not now.

static size_t piece(struct io_sim_world *world, size_t most)
{
    if (world->piece_max == 0 || most <= 1) return most;
    const size_t limit = most < world->piece_max ? most : world->piece_max;
    return 1 + weft_prng_below(&world->prng, (uint32_t)limit);
}

static int32_t do_accept(struct io_sim_world *world, struct io_sim_object *listener)
{
    if (listener->waiting_count == 0) return -EAGAIN;
    if (world->object_count > world->object_count_max) return -EMFILE;
    const int32_t number = listener->waiting[0];
    listener->waiting_count--;
    memmove(listener->waiting, listener->waiting + 1,
            listener->waiting_count * sizeof(listener->waiting[0]));
    return number;
}

static int32_t do_connect(struct io_sim_world *world, struct io_sim_object *end,
                          const struct weft_io_address *to)
{
    struct io_sim_object *listener = find_listener(world, to->port);
    if (listener == NULL) return -ECONNREFUSED;
    if (listener->waiting_count == listener->waiting_max) return -EAGAIN;
    const uint32_t limit = world->object_count_max;
    world->object_count_max = UINT32_MAX; // The other end is the kernel's until it is accepted.
    const int32_t number = make(world, END);
    world->object_count_max = limit;
    struct io_sim_object *other = world->objects[number];
    end->kind = END;
    end->own = (struct weft_io_address){0x7f000001, (uint16_t)(40000 + number)};
    end->other = other->own = *to;
    other->other = end->own;
    other->peer = end;
    end->peer = other;
    listener->waiting[listener->waiting_count++] = number;
    return 0;
}

static int32_t do_receive(struct io_sim_world *world, struct io_sim_object *end,
                          struct weft_io_op *op)
{
    static uint8_t bytes[IO_SIM_PIPE];
    if (end->is_reset) return -ECONNRESET;
    if (end->in_count == 0) return end->has_end ? 0 : -EAGAIN;
    size_t count = end->in_count < op->count ? end->in_count : op->count;
    count = piece(world, count);
    memcpy(bytes, end->in, count);
    end->in_count -= count;
    memmove(end->in, end->in + count, end->in_count);
    op->bytes = bytes;
    return (int32_t)count;
}

static int32_t do_send(struct io_sim_world *world, struct io_sim_object *end,
                       const struct weft_io_op *op)
{
    size_t sent = 0;
    if (end->is_reset) return -ECONNRESET;
    if (end->has_ended || end->peer == NULL) return -EPIPE;
    struct io_sim_object *peer = end->peer;
    if (peer->in_count == IO_SIM_PIPE) return -EAGAIN;
    size_t left = piece(world, IO_SIM_PIPE - peer->in_count);
    for (uint32_t i = 0; i < op->count && left > 0; i++) {
        const size_t count = op->spans[i].iov_len < left ? op->spans[i].iov_len : left;
        memcpy(peer->in + peer->in_count, op->spans[i].iov_base, count);
        peer->in_count += count;
        sent += count;
        left -= count;
    }
    return (int32_t)sent;
}

static int32_t do_open(struct io_sim_world *world, const struct weft_io_op *op)
{
    const int flags = op->how != NULL ? (int)op->how->flags : op->flags;
    struct io_sim_object *file = find_file(world, op->path, (flags & O_CREAT) != 0);
    if (file == NULL) return -ENOENT;
    const int32_t number = make(world, OPEN_FILE);
    if (number < 0) return number;
    world->objects[number]->peer = file;
    if ((flags & O_TRUNC) != 0) {
        world->disk_bytes += file->length;
        file->length = 0;
    }
    return number;
}

static int32_t do_read(struct io_sim_world *world, const struct io_sim_object *file,
                       const struct weft_io_op *op)
{
    if (op->offset >= file->length) return 0;
    const size_t left = file->length - op->offset;
    const size_t count = piece(world, left < op->count ? left : op->count);
    memcpy(op->to, file->bytes + op->offset, count);
    return (int32_t)count;
}

static void lengthen(struct io_sim_world *world, struct io_sim_object *file, size_t length)
{
    if (length <= file->length) return;
    uint8_t *bytes = realloc(file->bytes, length);
    weft_assert(bytes != NULL);
    memset(bytes + file->length, 0, length - file->length);
    world->disk_bytes -= length - file->length;
    file->bytes = bytes;
    file->length = length;
}

static int32_t do_write(struct io_sim_world *world, struct io_sim_object *file,
                        const struct weft_io_op *op)
{
    size_t wanted = 0, written = 0;
    for (uint32_t i = 0; i < op->count; i++)
        wanted += op->spans[i].iov_len;
    const size_t count = piece(world, wanted);
    for (uint32_t i = 0; written < count; i++) {
        const size_t left = count - written, length = op->spans[i].iov_len;
        const uint64_t at = op->offset + written, end = file->length + world->disk_bytes;
        size_t some = length < left ? length : left;
        if (at + some > end) some = at < end ? end - at : 0; // What the disk has room for.
        if (some == 0) break;
        lengthen(world, file, at + some);
        memcpy(file->bytes + op->offset + written, op->spans[i].iov_base, some);
        written += some;
        if (some < length) break;
    }
    return written > 0 || wanted == 0 ? (int32_t)written : -ENOSPC;
}

static int32_t do_it(struct io_sim_world *world, struct weft_io_op *op)
{
    struct io_sim_object *object = op->handle != NULL ? world->objects[op->handle->number] : NULL;
    switch ((enum weft_io_kind)op->kind) {
    case WEFT_IO_ACCEPT: return do_accept(world, object);
    case WEFT_IO_RECEIVE: return do_receive(world, object, op);
    case WEFT_IO_READY: return object->in_count > 0 || object->has_end ? 0 : -EAGAIN;
    case WEFT_IO_CONNECT: return do_connect(world, object, &op->address);
    case WEFT_IO_SEND: return do_send(world, object, op);
    case WEFT_IO_OPEN: return do_open(world, op);
    case WEFT_IO_READ: return do_read(world, object->peer, op);
    case WEFT_IO_WRITE: return do_write(world, object->peer, op);
    default: return 0;
    }
}

static int32_t try(struct io_sim_world *world, struct weft_io_op *op)
{
    int *error = &world->faults[op->kind].error;
    if (op->is_cancelled) return -ECANCELED;
    if (*error == 0) return do_it(world, op);
    if (world->faults[op->kind].after == 0) {
        const int result = *error;
        *error = 0;
        return result;
    }
    const int32_t result = do_it(world, op);
    if (result != -EAGAIN) world->faults[op->kind].after--;
    return result;
}

// ---- The turn.

static uint32_t sim_poll(void *self, uint64_t now_ns)
{
    struct io_sim *sim = self;
    struct weft_list some;
    uint32_t found = 0;
    (void)now_ns;
    weft_list_init(&some);
    for (struct weft_list *link; (link = weft_list_pop(&sim->under_way)) != NULL;)
        weft_list_append(&some, link);
    for (struct weft_list *link; (link = weft_list_pop(&some)) != NULL;) {
        struct weft_io_op *op = WEFT_CONTAINER_OF(link, struct weft_io_op, link);
        uint32_t *delay = &own_of(op)->delay;
        int32_t result = -EAGAIN;
        if (*delay == 0 || op->is_cancelled)
            result = try(sim->world, op);
        else
            (*delay)--;
        const bool stays = result == -EAGAIN || (op->many && result >= 0);
        if (stays) weft_list_append(&sim->under_way, link);
        found += *delay > 0;
        if (result == -EAGAIN) continue;
        sim->world->done_count++;
        found++;
        op->more = stays;
        if (!stays) op->state = OVER;
        op->done(op, result);
    }
    return found;
}

static uint64_t sim_due_ns(void *self)
{
    return weft_list_empty(&((struct io_sim *)self)->under_way) ? UINT64_MAX : 0;
}

struct weft_poller io_sim_poller(struct io_sim *sim)
{
    return (struct weft_poller){
        .name = "io_sim", .poll = sim_poll, .due_ns = sim_due_ns, .self = sim};
}

uint32_t io_sim_under_way(const struct io_sim *sim)
{
    uint32_t count = 0;
    for (const struct weft_list *link = sim->under_way.next; link != &sim->under_way;
         link = link->next)
        count++;
    return count;
}

// ---- The interface.

static int take(struct io_sim *sim, struct weft_io_handle *handle, int32_t number)
{
    handle->number = -1;
    if (number < 0) return number;
    *handle = (struct weft_io_handle){.number = number};
    weft_list_append(&sim->handles, &handle->link);
    sim->handle_count++;
    return 0;
}

static int sim_listen(void *self, struct weft_io_handle *handle,
                      const struct weft_io_address *address, const struct weft_io_socket *options)
{
    struct io_sim *sim = self;
    if (find_listener(sim->world, address->port) != NULL) return -EADDRINUSE;
    const int32_t number = make(sim->world, LISTENER);
    if (number < 0) return take(sim, handle, number);
    struct io_sim_object *object = sim->world->objects[number];
    object->own = *address;
    if (object->own.port == 0) object->own.port = (uint16_t)(50000 + number);
    object->waiting_max = WEFT_COUNT_OF(object->waiting);
    if (options->backlog > 0 && options->backlog < object->waiting_max)
        object->waiting_max = options->backlog;
    return take(sim, handle, number);
}

static int sim_socket(void *self, struct weft_io_handle *handle,
                      const struct weft_io_socket *options)
{
    struct io_sim *sim = self;
    (void)options;
    return take(sim, handle, make(sim->world, UNCONNECTED));
}

static int sim_adopt(void *self, struct weft_io_handle *handle, int32_t number)
{
    return take(self, handle, number);
}

static void sim_discard(void *self, int32_t number)
{
    unmake(((struct io_sim *)self)->world, number, false);
}

static void sim_start(void *self, struct weft_io_op *op)
{
    struct io_sim *sim = self;
    weft_assert(op->state == OVER);
    op->state = UNDER_WAY;
    op->is_cancelled = false;
    own_of(op)->delay = sim->world->delay_max > 0
                            ? weft_prng_below(&sim->world->prng, sim->world->delay_max + 1)
                            : 0;
    weft_list_append(&sim->under_way, &op->link);
}

static void sim_cancel(void *self, struct weft_io_op *op)
{
    (void)self;
    if (op->state == UNDER_WAY) op->is_cancelled = true;
}

static int sim_finish(void *self, struct weft_io_handle *handle)
{
    const struct io_sim *sim = self;
    struct io_sim_object *end = sim->world->objects[handle->number];
    end->has_ended = true;
    if (end->peer != NULL) end->peer->has_end = true;
    return 0;
}

static int sim_address(void *self, const struct weft_io_handle *handle, bool of_peer,
                       struct weft_io_address *address)
{
    const struct io_sim *sim = self;
    const struct io_sim_object *object = sim->world->objects[handle->number];
    if (of_peer && object->kind != END) return -ENOTCONN;
    *address = of_peer ? object->other : object->own;
    return 0;
}

static void sim_close(void *self, struct weft_io_handle *handle, bool resets)
{
    struct io_sim *sim = self;
    unmake(sim->world, handle->number, resets);
    weft_list_remove(&handle->link);
    handle->number = -1;
    sim->handle_count--;
}

struct weft_io io_sim_interface(struct io_sim *sim)
{
    return (struct weft_io){.listen = sim_listen,
                            .socket = sim_socket,
                            .adopt = sim_adopt,
                            .discard = sim_discard,
                            .start = sim_start,
                            .cancel = sim_cancel,
                            .finish = sim_finish,
                            .address = sim_address,
                            .close = sim_close,
                            .name = "sim",
                            .self = sim};
}

// ---- Its life, and what a test does to it.

void io_sim_world_init(struct io_sim_world *world, uint64_t seed)
{
    memset(world, 0, sizeof(*world));
    weft_prng_seed(&world->prng, seed);
    world->object_count_max = IO_SIM_OBJECTS;
    world->disk_bytes = WEFT_MIB;
}

void io_sim_world_destroy(struct io_sim_world *world)
{
    weft_assert(world->object_count == 0);
    for (size_t i = 0; i < IO_SIM_FILES; i++) {
        if (world->files[i] == NULL) continue;
        free(world->files[i]->bytes);
        free(world->files[i]);
    }
}

void io_sim_init(struct io_sim *sim, struct io_sim_world *world)
{
    *sim = (struct io_sim){.world = world};
    weft_list_init(&sim->under_way);
    weft_list_init(&sim->handles);
}

void io_sim_close(struct io_sim *sim)
{
    for (struct weft_list *link; (link = weft_list_pop(&sim->under_way)) != NULL;) {
        struct weft_io_op *op = WEFT_CONTAINER_OF(link, struct weft_io_op, link);
        op->state = OVER;
        op->more = false;
        op->done(op, -ECANCELED);
    }
    while (!weft_list_empty(&sim->handles))
        sim_close(sim, WEFT_CONTAINER_OF(sim->handles.next, struct weft_io_handle, link), false);
}

void io_sim_fail(struct io_sim_world *world, enum weft_io_kind kind, uint32_t after, int error)
{
    world->faults[kind].error = error;
    world->faults[kind].after = after;
}

void io_sim_reset(struct io_sim_world *world)
{
    for (size_t i = 0; i < IO_SIM_OBJECTS; i++) {
        if (world->objects[i] != NULL && world->objects[i]->kind == END)
            world->objects[i]->is_reset = true;
    }
}
