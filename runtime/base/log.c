#include "runtime/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void weft_log_init(struct weft_log *log, uint16_t core, const uint64_t *now_ns,
                   enum weft_log_level level_max)
{
    memset(log, 0, sizeof(*log));
    log->core = core;
    log->now_ns = now_ns;
    log->level_max = (uint8_t)level_max;
}

#define NAME_MAX_BYTES 63

// Who says it: an actor, or with pid 0 the node.
struct speaker {
    const char *module;
    uint64_t pid;
    const char *name;
};

__attribute__((format(printf, 4, 0))) static void write_record(struct weft_log *log,
                                                               enum weft_log_level level,
                                                               const struct speaker *who,
                                                               const char *format, va_list args)
{
    if (log == NULL || level > log->level_max) return;
    const uint32_t head = atomic_load_explicit(&log->head, memory_order_relaxed);
    // Pairs with the release store of tail in weft_log_take_before: the record has been read.
    const uint32_t tail = atomic_load_explicit(&log->tail, memory_order_acquire);
    if (head - tail == WEFT_LOG_RECORDS) {
        atomic_fetch_add_explicit(&log->lost, 1, memory_order_relaxed);
        return;
    }
    struct weft_log_record *record = &log->records[head % WEFT_LOG_RECORDS];
    record->time_ns = log->now_ns != NULL ? *log->now_ns : 0;
    record->pid = who->pid;
    record->core = log->core;
    record->level = (uint8_t)level;
    record->name_length = (uint8_t)strnlen(who->name, NAME_MAX_BYTES);
    snprintf(record->module, sizeof(record->module), "%s", who->module);
    size_t used = 0;
    if (record->name_length > 0)
        used = (size_t)snprintf(record->text, sizeof(record->text), "%.*s: ", record->name_length,
                                who->name);
    const int wanted = vsnprintf(record->text + used, sizeof(record->text) - used, format, args);
    if (wanted >= (int)(sizeof(record->text) - used))
        memcpy(record->text + sizeof(record->text) - 4, "...", 4);
    // Pairs with the acquire load of head in weft_log_end: the record is whole.
    atomic_store_explicit(&log->head, head + 1, memory_order_release);
}

void weft_log(struct weft_log *log, enum weft_log_level level, const char *module,
              const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_record(log, level, &(struct speaker){module, 0, ""}, format, args);
    va_end(args);
}

void weft_log_actor(struct weft_log *log, enum weft_log_level level, const char *module,
                    uint64_t pid, const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    write_record(log, level, &(struct speaker){module, pid, name}, format, args);
    va_end(args);
}

uint32_t weft_log_end(const struct weft_log *log)
{
    // Pairs with the release store of head in write_record: what is before it is whole.
    return atomic_load_explicit(&log->head, memory_order_acquire);
}

bool weft_log_take(struct weft_log *log, struct weft_log_record *record)
{
    return weft_log_take_before(log, weft_log_end(log), record);
}

bool weft_log_take_before(struct weft_log *log, uint32_t end, struct weft_log_record *record)
{
    const uint32_t tail = atomic_load_explicit(&log->tail, memory_order_relaxed);
    if ((int32_t)(end - tail) <= 0) return false; // Taken already.
    *record = log->records[tail % WEFT_LOG_RECORDS];
    // Pairs with the acquire load of tail in write_record: the slot may be written again.
    atomic_store_explicit(&log->tail, tail + 1, memory_order_release);
    return true;
}

const char *weft_log_level_name(enum weft_log_level level)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    return (unsigned)level < WEFT_COUNT_OF(names) ? names[level] : "?";
}
