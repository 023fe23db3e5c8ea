#include "forth/library.h"

#include "forth/module.h"
#include "runtime/base/endian.h"

void weft_library_init(struct weft_forth_library *library)
{
    pthread_mutex_init(&library->lock, NULL);
    weft_list_init(&library->unnamed);
    for (unsigned n = 0; n < WEFT_LIBRARY_BUCKETS; n++) {
        weft_list_init(&library->contents[n]);
        weft_list_init(&library->names[n]);
    }
}

void weft_library_destroy(struct weft_forth_library *library)
{
    pthread_mutex_destroy(&library->lock);
}

void weft_forth_library_sharing(const struct weft_forth_library *library,
                                struct weft_forth_sharing *sharing)
{
    *sharing =
        (struct weft_forth_sharing){.modules = (uint32_t)weft_counter_get(&library->volume_count),
                                    .bytes = weft_counter_get(&library->bytes)};
}

// ---- Volumes, and their way home.

struct weft_volume *weft_volume_new(const struct weft_forth_system *system, uint32_t content_bytes,
                                    uint32_t behind)
{
    const struct weft_forth_memory *memory = &system->memory;
    const size_t bytes = sizeof(struct weft_volume) + content_bytes + behind;
    weft_forth_system_settle(system);
    struct weft_volume *volume = memory->resize(memory->self, NULL, 0, bytes);
    if (volume == NULL) return NULL;
    memset(volume, 0, bytes);
    atomic_init(&volume->holder_count, 1);
    volume->home = system->shelf;
    volume->bytes = (uint32_t)bytes;
    volume->content_bytes = content_bytes;
    return volume;
}

void weft_volume_discard(const struct weft_forth_system *system, struct weft_volume *volume)
{
    const struct weft_forth_memory *memory = &system->memory;
    memory->resize(memory->self, volume, volume->bytes, 0);
}

static void send_home(struct weft_volume *volume)
{
    _Atomic(struct weft_volume *) *returned = &volume->home->returned;
    struct weft_volume *first = atomic_load_explicit(returned, memory_order_relaxed);
    do // Release: pairs with the acquire in weft_forth_system_settle.
        volume->next = first;
    while (!atomic_compare_exchange_weak_explicit(returned, &first, volume, memory_order_release,
                                                  memory_order_relaxed));
}

void weft_forth_system_settle(const struct weft_forth_system *system)
{
    struct weft_shelf *shelf = system->shelf;
    if (atomic_load_explicit(&shelf->returned, memory_order_relaxed) == NULL) return;
    // Acquire: pairs with the release in send_home.
    struct weft_volume *volume =
        atomic_exchange_explicit(&shelf->returned, NULL, memory_order_acquire);
    while (volume != NULL) {
        struct weft_volume *next = volume->next;
        weft_volume_discard(system, volume);
        volume = next;
    }
}

void weft_volume_hold(struct weft_volume *volume)
{
    // Relaxed: it is there, as the caller has it.
    atomic_fetch_add_explicit(&volume->holder_count, 1, memory_order_relaxed);
}

static bool is_last(struct weft_forth_library *library, struct weft_volume *volume)
{
    pthread_mutex_lock(&library->lock);
    // Acquire: pairs with the releases of those who let go before.
    const bool last =
        atomic_fetch_sub_explicit(&volume->holder_count, 1, memory_order_acq_rel) == 1;
    if (last) {
        weft_list_remove(&volume->by_content);
        weft_list_remove(&volume->by_name);
        weft_counter_add(&library->volume_count, (uint64_t)-1);
        weft_counter_add(&library->bytes, -(uint64_t)volume->bytes);
    }
    pthread_mutex_unlock(&library->lock);
    return last;
}

void weft_forth_release(const struct weft_forth_system *system, struct weft_volume *volume)
{
    if (volume == NULL) return;
    // Nobody can find it while its last holder lets go: that is done under the lock.
    uint32_t count = atomic_load_explicit(&volume->holder_count, memory_order_relaxed);
    while (count > 1) { // Release: pairs with the acquire in is_last.
        if (atomic_compare_exchange_weak_explicit(&volume->holder_count, &count, count - 1,
                                                  memory_order_release, memory_order_relaxed))
            return;
    }
    if (!is_last(system->library, volume)) return;
    if (volume->home == system->shelf)
        weft_volume_discard(system, volume);
    else
        send_home(volume);
}

// ---- By content.

// One walk under the lock is no longer than this, whoever has made so many of one checksum.
enum { STEPS_MAX = 64 };

static bool is_like(const struct weft_volume *volume, uint32_t crc, uint32_t bytes)
{
    return volume->crc == crc && volume->content_bytes == bytes;
}

// The next that may be it, or where to rest. NULL: there is none.
static struct weft_volume *next_like(const struct weft_list *bucket, const struct weft_list *from,
                                     uint32_t crc, uint32_t bytes)
{
    unsigned steps = 0;
    for (struct weft_list *link = from->next; link != bucket; link = link->next) {
        struct weft_volume *volume = WEFT_CONTAINER_OF(link, struct weft_volume, by_content);
        if (is_like(volume, crc, bytes) || ++steps == STEPS_MAX) return volume;
    }
    return NULL;
}

static void add(struct weft_forth_library *library, struct weft_list *bucket,
                struct weft_volume *volume)
{
    weft_list_append(bucket, &volume->by_content);
    weft_list_append(&library->unnamed, &volume->by_name);
    weft_counter_add(&library->volume_count, 1);
    weft_counter_add(&library->bytes, volume->bytes);
}

struct weft_volume *weft_library_find(const struct weft_forth_system *system, const void *content,
                                      uint32_t bytes, uint32_t crc, struct weft_volume *fresh)
{
    struct weft_forth_library *library = system->library;
    struct weft_list *bucket = &library->contents[crc % WEFT_LIBRARY_BUCKETS];
    struct weft_volume *passed = NULL; // It was not that one.
    for (;;) {
        // Who comes meanwhile stands behind the one that is held, and is seen.
        struct weft_list *from = passed != NULL ? &passed->by_content : bucket;
        pthread_mutex_lock(&library->lock);
        struct weft_volume *volume = next_like(bucket, from, crc, bytes);
        if (volume != NULL)
            weft_volume_hold(volume);
        else if (fresh != NULL)
            add(library, bucket, fresh);
        pthread_mutex_unlock(&library->lock);
        weft_forth_release(system, passed);
        if (volume == NULL) return fresh;
        if (is_like(volume, crc, bytes) && memcmp(volume->content, content, bytes) == 0)
            return volume;
        passed = volume;
    }
}

// ---- By name.

static struct weft_list *names_of(struct weft_forth_library *library, const uint8_t *name)
{
    return &library->names[weft_le32_get(name) % WEFT_LIBRARY_BUCKETS];
}

void weft_volume_set_name(const struct weft_forth_system *system, struct weft_volume *volume,
                          const uint8_t name[WEFT_SHA256_BYTES])
{
    struct weft_forth_library *library = system->library;
    pthread_mutex_lock(&library->lock);
    if (!atomic_load_explicit(&volume->is_named, memory_order_relaxed)) {
        memcpy(volume->name, name, sizeof(volume->name));
        weft_list_remove(&volume->by_name);
        weft_list_append(names_of(library, name), &volume->by_name);
        // Release: pairs with the acquire in weft_volume_name.
        atomic_store_explicit(&volume->is_named, true, memory_order_release);
    }
    pthread_mutex_unlock(&library->lock);
}

const uint8_t *weft_volume_name(const struct weft_forth_system *system, struct weft_volume *volume)
{
    // Acquire: pairs with the release in weft_volume_set_name.
    if (!atomic_load_explicit(&volume->is_named, memory_order_acquire)) {
        uint8_t name[WEFT_SHA256_BYTES];
        weft_sha256(volume->content, volume->content_bytes, name);
        weft_volume_set_name(system, volume, name);
    }
    return volume->name;
}

// Under the lock: the one of that name, or any that has no name yet. NULL: neither.
static struct weft_volume *named_or_unnamed(struct weft_forth_library *library, const uint8_t *name,
                                            bool *is_named)
{
    const struct weft_list *bucket = names_of(library, name);
    *is_named = true;
    for (struct weft_list *link = bucket->next; link != bucket; link = link->next) {
        struct weft_volume *volume = WEFT_CONTAINER_OF(link, struct weft_volume, by_name);
        if (memcmp(volume->name, name, WEFT_SHA256_BYTES) == 0) return volume;
    }
    *is_named = false;
    return weft_list_empty(&library->unnamed)
               ? NULL
               : WEFT_CONTAINER_OF(library->unnamed.next, struct weft_volume, by_name);
}

struct weft_volume *weft_library_named(const struct weft_forth_system *system,
                                       const uint8_t name[WEFT_SHA256_BYTES])
{
    struct weft_forth_library *library = system->library;
    for (;;) {
        bool is_named;
        pthread_mutex_lock(&library->lock);
        struct weft_volume *volume = named_or_unnamed(library, name, &is_named);
        if (volume != NULL) weft_volume_hold(volume);
        pthread_mutex_unlock(&library->lock);
        if (volume == NULL || is_named) return volume;
        (void)weft_volume_name(system, volume); // It may be that one.
        weft_forth_release(system, volume);
    }
}
