// spec.c: a tree of specifications is written into one block. Written twice: first only counting.
#include "runtime/otp/spec.h"

#include <errno.h>
#include <string.h>

#define DEPTH_MAX   64 // Supervisors within supervisors: one that holds itself ends here.
#define SHUTDOWN_NS UINT64_C(5000000000)
#define BYTES_MAX   (UINT32_MAX / 4)

struct writer {
    uint8_t *block; // NULL: it only counts.
    size_t used;
    unsigned depth;
};

static size_t rounded(size_t bytes)
{
    return (bytes + 15) & ~(size_t)15;
}

// Room for `bytes`, zeroed; NULL if it only counts.
static void *put(struct writer *writer, size_t bytes)
{
    uint8_t *at = writer->block != NULL ? writer->block + writer->used : NULL;
    if (at != NULL) memset(at, 0, rounded(bytes));
    writer->used += rounded(bytes);
    return at;
}

static bool copy_name(char *to, size_t room, const char *from)
{
    const size_t length = strnlen(from, room);
    if (length == 0 || length == room) return false;
    memcpy(to, from, length);
    return true;
}

static bool is_well_said(const struct weft_child *child)
{
    const unsigned ways = (child->server != NULL) + (child->supervisor != NULL) +
                          (child->dynamic != NULL) + (child->kind != NULL) + (child->start != NULL);
    if (ways != 1 || child->id == NULL || child->length > BYTES_MAX) return false;
    if (child->restart > WEFT_RESTART_TEMPORARY) return false;
    if (child->significant && child->restart == WEFT_RESTART_PERMANENT) return false;
    return child->kind == NULL || child->length == 0 || child->length == child->kind->state_bytes;
}

static int write_supervisor(struct writer *writer, const struct weft_supervisor_spec *spec);
static int write_dynamic(struct writer *writer, const struct weft_dynamic_spec *spec);

// What a child is given: another tree, or bytes.
static int write_args(struct writer *writer, const struct weft_child *child)
{
    if (child->supervisor != NULL) return write_supervisor(writer, child->supervisor);
    if (child->dynamic != NULL) return write_dynamic(writer, child->dynamic);
    void *args = put(writer, child->length);
    if (args != NULL && child->length > 0) memcpy(args, child->args, child->length);
    return 0;
}

static void set_defaults(struct weft_flat_child *flat, const struct weft_child *child)
{
    if (child->supervisor != NULL) flat->server = &weft_supervisor_server;
    if (child->dynamic != NULL) flat->server = &weft_dynamic_server;
    if (child->supervisor != NULL || child->dynamic != NULL) flat->is_supervisor = true;
    if (flat->shutdown_ns == 0)
        flat->shutdown_ns = flat->is_supervisor ? WEFT_FOREVER : SHUTDOWN_NS;
    if (child->kind != NULL && child->kind->state_bytes == 0) flat->pointer = child->args;
    flat->spawn.kind = NULL;
    flat->spawn.state = flat->spawn.label = NULL;
}

static int write_child(struct writer *writer, const struct weft_child *child)
{
    if (!is_well_said(child)) return -EINVAL;
    struct weft_flat_child flat = {
        .server = child->server,
        .kind = child->kind,
        .start = child->start,
        .spawn = child->spawn,
        .start_timeout_ns = child->start_timeout_ns,
        .shutdown_ns = child->shutdown_ns,
        .restart = child->restart,
        .significant = child->significant,
        .is_supervisor = child->is_supervisor,
    };
    if (!copy_name(flat.id, sizeof(flat.id), child->id)) return -EINVAL;
    if (child->name != NULL && !copy_name(flat.name, sizeof(flat.name), child->name))
        return -EINVAL;
    set_defaults(&flat, child);
    const size_t before = writer->used;
    void *head = put(writer, sizeof(flat));
    const size_t args_at = writer->used;
    const int result = write_args(writer, child);
    if (result != 0) return result;
    if (writer->used > BYTES_MAX) return -EINVAL;
    flat.bytes = (uint32_t)(writer->used - before);
    flat.length = child->supervisor != NULL || child->dynamic != NULL
                      ? (uint32_t)(writer->used - args_at)
                      : (uint32_t)child->length;
    if (head != NULL) memcpy(head, &flat, sizeof(flat));
    return 0;
}

static bool has_twins(const struct weft_supervisor_spec *spec)
{
    for (size_t i = 0; i < spec->child_count; i++) {
        for (size_t n = 0; n < i; n++) {
            if (strcmp(spec->children[i].id, spec->children[n].id) == 0) return true;
        }
    }
    return false;
}

static int write_supervisor(struct writer *writer, const struct weft_supervisor_spec *spec)
{
    if (writer->depth == DEPTH_MAX || spec->child_count > BYTES_MAX ||
        spec->strategy > WEFT_REST_FOR_ONE || spec->auto_shutdown > WEFT_AUTO_ALL)
        return -EINVAL;
    struct weft_flat_supervisor *flat = put(writer, sizeof(*flat));
    if (flat != NULL)
        *flat = (struct weft_flat_supervisor){.child_count = (uint32_t)spec->child_count,
                                              .restart_max = spec->restart_max,
                                              .period_ns = spec->period_ns,
                                              .strategy = spec->strategy,
                                              .auto_shutdown = spec->auto_shutdown,
                                              .quiet = spec->quiet};
    writer->depth++;
    for (size_t i = 0; i < spec->child_count; i++) {
        const int result = write_child(writer, &spec->children[i]);
        if (result != 0) return result;
    }
    writer->depth--;
    return has_twins(spec) ? -EINVAL : 0;
}

static int write_dynamic(struct writer *writer, const struct weft_dynamic_spec *spec)
{
    if (writer->depth == DEPTH_MAX || spec->child.significant) return -EINVAL;
    struct weft_flat_dynamic *flat = put(writer, offsetof(struct weft_flat_dynamic, child));
    if (flat != NULL) {
        flat->child_max = spec->child_max;
        flat->restart_max = spec->restart_max;
        flat->period_ns = spec->period_ns;
        flat->quiet = spec->quiet;
    }
    writer->depth++;
    const int result = write_child(writer, &spec->child);
    writer->depth--;
    return result;
}
_Static_assert(offsetof(struct weft_flat_dynamic, child) % 16 == 0, "the child follows at once");
_Static_assert(sizeof(struct weft_flat_child) % 16 == 0, "its arguments follow at once");
_Static_assert(sizeof(struct weft_flat_supervisor) % 16 == 0, "its children follow at once");

// Counts, makes a block, and writes: the child, or only what it is given.
static int flatten(struct weft_actor *self, const struct weft_child *child,
                   int (*write)(struct writer *writer, const struct weft_child *child), void **flat,
                   size_t *bytes)
{
    struct writer writer = {0};
    *flat = NULL;
    const int result = write(&writer, child);
    if (result != 0) return result;
    *flat = weft_alloc(self, writer.used);
    if (*flat == NULL) return -ENOMEM;
    *bytes = writer.used;
    writer = (struct writer){.block = *flat};
    return write(&writer, child);
}

int weft_flatten_child(struct weft_actor *self, const struct weft_child *child, void **flat,
                       size_t *bytes)
{
    return flatten(self, child, write_child, flat, bytes);
}

int weft_flatten_supervisor(struct weft_actor *self, const struct weft_supervisor_spec *spec,
                            void **flat, size_t *bytes)
{
    const struct weft_child child = {.supervisor = spec};
    return flatten(self, &child, write_args, flat, bytes);
}

int weft_flatten_dynamic(struct weft_actor *self, const struct weft_dynamic_spec *spec, void **flat,
                         size_t *bytes)
{
    const struct weft_child child = {.dynamic = spec};
    return flatten(self, &child, write_args, flat, bytes);
}
