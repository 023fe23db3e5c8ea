#include "runtime/node/unit_quota.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/endian.h"
#include "runtime/node/node.h"
#include "runtime/node/unit_dealings.h"

// The bounds are those of the configuration's keys (config/schema.c).
const struct weft_unit_quota_info weft_unit_quota_info[WEFT_QUOTA_COUNT] = {
    [WEFT_QUOTA_MEMORY] = {"memory", "units.memory_max", 16384, 1024 * WEFT_MIB},
    [WEFT_QUOTA_STACK] = {"stack", "units.stack_max", 64, 1048576},
    [WEFT_QUOTA_REDUCTIONS] = {"reductions", "units.reductions_max", 1000, UINT32_MAX},
    [WEFT_QUOTA_MAILBOX] = {"mailbox", "units.mailbox", 1, 65536},
    [WEFT_QUOTA_CHANNELS] = {"channels", "units.channels_max", 1, 65536},
    [WEFT_QUOTA_SPAWNED] = {"spawned", "units.spawned_max", 1, 1048576},
    [WEFT_QUOTA_FILES] = {"files", "units.files_max", 1, 32},
};

static int find(const char *name, size_t length)
{
    for (int kind = 0; kind < WEFT_QUOTA_COUNT; kind++) {
        const char *known = weft_unit_quota_info[kind].name;
        if (strlen(known) == length && memcmp(known, name, length) == 0) return kind;
    }
    return -1;
}

// A number, or a size like 64KiB. False if it is neither.
static bool read_value(const char *text, size_t length, uint64_t *value)
{
    char copy[24], *end;
    if (length == 0 || length >= sizeof(copy) || text[0] < '0' || text[0] > '9') return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    errno = 0;
    *value = strtoull(copy, &end, 10);
    if (errno != 0 || *value > UINT32_MAX) return false;
    if (strcmp(end, "KiB") == 0)
        *value *= WEFT_KIB;
    else if (strcmp(end, "MiB") == 0)
        *value *= WEFT_MIB;
    else
        return *end == '\0';
    return true;
}

static int set_one(const char *text, size_t length, struct weft_unit_quota *quota,
                   struct weft_error *error)
{
    const char *equals = memchr(text, '=', length);
    const size_t name = equals != NULL ? (size_t)(equals - text) : length;
    const int kind = find(text, name);
    uint64_t value;
    if (kind < 0) {
        weft_error_set(error, 504, "'%.*s' is no quota", (int)(name < 40 ? name : 40), text);
        weft_error_hint(error, "memory, stack, reductions (per second), mailbox, channels, "
                               "spawned, files; as spawned=4,memory=64KiB");
        return -1;
    }
    const struct weft_unit_quota_info *info = &weft_unit_quota_info[kind];
    if (equals == NULL || !read_value(equals + 1, length - name - 1, &value) || value < info->min ||
        value > info->max)
        return weft_error_set(error, 504, "quota %s: a number from %u to %u", info->name, info->min,
                              info->max);
    quota->value[kind] = (uint32_t)value;
    return 0;
}

int weft_unit_quota_parse(const char *text, struct weft_unit_quota *quota, struct weft_error *error)
{
    while (*text != '\0') {
        const size_t length = strcspn(text, ",");
        if (set_one(text, length, quota, error) != 0) return -1;
        text += length;
        if (*text == ',') text++;
    }
    return 0;
}

static uint32_t or_else(uint32_t value, uint32_t usual)
{
    return value != 0 ? value : usual;
}

uint32_t weft_unit_quota_usual(const struct weft_node_options *options,
                               enum weft_unit_quota_kind kind)
{
    switch (kind) {
    case WEFT_QUOTA_MEMORY: return options->unit.memory_bytes_max;
    case WEFT_QUOTA_STACK: return options->unit.stack_cells_max;
    case WEFT_QUOTA_REDUCTIONS: return options->unit_reductions_hz;
    case WEFT_QUOTA_MAILBOX: return options->unit_mailbox;
    case WEFT_QUOTA_CHANNELS: return or_else(options->unit_channel_max, WEFT_UNIT_CHANNEL_MAX);
    case WEFT_QUOTA_SPAWNED: return or_else(options->unit_spawn_max, WEFT_UNIT_SPAWN_MAX);
    case WEFT_QUOTA_FILES: return or_else(options->unit_file_max, WEFT_UNIT_FILES_USUAL);
    default: return 0;
    }
}

struct weft_unit_quota weft_unit_quota_whole(const struct weft_node_options *options,
                                             const struct weft_unit_quota *quota)
{
    struct weft_unit_quota whole;
    for (int kind = 0; kind < WEFT_QUOTA_COUNT; kind++)
        whole.value[kind] = or_else(
            quota->value[kind], weft_unit_quota_usual(options, (enum weft_unit_quota_kind)kind));
    return whole;
}

bool weft_unit_quota_lower(const struct weft_node_options *options, struct weft_unit_quota *quota,
                           char *text, size_t size)
{
    size_t length = 0;
    text[0] = '\0';
    for (int kind = 0; kind < WEFT_QUOTA_COUNT; kind++) {
        const uint32_t usual = weft_unit_quota_usual(options, (enum weft_unit_quota_kind)kind);
        const bool has_limit = kind != WEFT_QUOTA_REDUCTIONS || usual != 0;
        if (!has_limit || quota->value[kind] <= usual) continue;
        if (length < size)
            length += (size_t)snprintf(text + length, size - length, "%s%s %u instead of %u",
                                       length > 0 ? ", " : "", weft_unit_quota_info[kind].name,
                                       usual, quota->value[kind]);
        quota->value[kind] = usual;
    }
    return length > 0;
}

void weft_unit_quota_put(const struct weft_unit_quota *quota, uint8_t *to)
{
    for (size_t kind = 0; kind < WEFT_QUOTA_COUNT; kind++)
        weft_le32_put(to + 4 * kind, quota->value[kind]);
}

int weft_unit_quota_get(const uint8_t *from, struct weft_unit_quota *quota)
{
    for (size_t kind = 0; kind < WEFT_QUOTA_COUNT; kind++) {
        const struct weft_unit_quota_info *info = &weft_unit_quota_info[kind];
        const uint32_t value = weft_le32_get(from + 4 * kind);
        if (value != 0 && (value < info->min || value > info->max)) return -EBADMSG;
        quota->value[kind] = value;
    }
    return 0;
}
