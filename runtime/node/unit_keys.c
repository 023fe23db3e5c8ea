#include "runtime/node/unit_keys.h"

#include <errno.h>
#include <string.h>

int weft_unit_keys_give(struct weft_unit_actor *unit, const char *bytes, size_t length,
                        bool is_over)
{
    size_t room;
    if (unit->input == NULL)
        unit->input = weft_arena_alloc_zeroed(unit->worker->arena, sizeof(*unit->input));
    if (unit->input == NULL) return -ENOMEM;
    uint8_t *to = weft_keys_room(&unit->input->keys, &room);
    if (length > room) return -ENOBUFS;
    if (length > 0) memcpy(to, bytes, length);
    unit->input->keys.end += (uint32_t)length;
    unit->input->is_over |= is_over;
    return 0;
}

void weft_unit_keys_free(struct weft_unit_actor *unit)
{
    if (unit->input == NULL) return;
    weft_arena_release(unit->worker->arena, unit->input, sizeof(*unit->input));
    unit->input = NULL;
}

// What `take` finds, -1: nothing yet, -2: there will be nothing. A command brings whole keys, so
// what is there is all of them.
static int32_t next(struct weft_unit_actor *unit,
                    int32_t (*take)(struct weft_keys *keys, bool are_all))
{
    if (unit->farewell != NULL) return -2;
    if (unit->input == NULL) return -1;
    const int32_t taken = take(&unit->input->keys, true);
    if (taken >= 0 || !unit->input->is_over) return taken;
    unit->input->is_over = false;
    return -2;
}

static int32_t key(void *self)
{
    return next(self, weft_keys_character);
}

static int32_t ekey(void *self)
{
    return next(self, weft_keys_event);
}

static bool key_waits(void *self, enum weft_unit_keys kind)
{
    struct weft_unit_actor *unit = self;
    return unit->input != NULL && weft_keys_wait(&unit->input->keys, kind, true);
}

// ACCEPT: at the end of the input, what there is without an end of line.
static int64_t accept_line(void *self, void *to, size_t size)
{
    struct weft_unit_actor *unit = self;
    if (unit->farewell != NULL) return 0;
    if (unit->input == NULL) return -1;
    struct weft_keys *keys = &unit->input->keys;
    const int64_t length = weft_keys_line(keys, to, size);
    if (length >= 0 || !unit->input->is_over) return length;
    unit->input->is_over = false;
    const size_t rest = keys->end - keys->start;
    const size_t given = rest < size ? rest : size;
    memcpy(to, keys->bytes + keys->start, given);
    keys->start = keys->end;
    return (int64_t)given;
}

void weft_unit_keys_host(struct weft_unit_host *host)
{
    host->accept = accept_line;
    host->key = key;
    host->ekey = ekey;
    host->key_waits = key_waits;
}
