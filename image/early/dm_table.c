#include "image/early/dm_table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTUUID        "PARTUUID="
#define PARTUUID_LENGTH 36

// Copies up to `end`, which the text must have, and moves `*at` behind it.
static int take(const char **at, char end, char *part, size_t size)
{
    const char *stop = strchr(*at, end);
    if (stop == NULL) return -EINVAL;
    const size_t length = (size_t)(stop - *at);
    if (length >= size) return -E2BIG;
    memcpy(part, *at, length);
    part[length] = '\0';
    *at = stop + 1;
    return 0;
}

static int take_number(const char **at, uint64_t *number)
{
    char digits[24], *end;
    const int result = take(at, ' ', digits, sizeof(digits));
    if (result != 0) return result;
    errno = 0;
    *number = strtoull(digits, &end, 10);
    const bool is_number = digits[0] >= '0' && digits[0] <= '9' && *end == '\0' && errno == 0;
    return is_number ? 0 : -EINVAL;
}

static int take_head(struct weft_dm_table *table, const char **at)
{
    char uuid[2], minor[2], flags[4];
    int result = take(at, ',', table->name, sizeof(table->name));
    if (result == 0 && table->name[0] == '\0') result = -EINVAL;
    if (result == 0) result = take(at, ',', uuid, 1); // Empty: not even a letter has room.
    if (result == 0) result = take(at, ',', minor, 1);
    if (result == 0) result = take(at, ',', flags, sizeof(flags));
    if (result != 0) return result;
    table->is_read_only = strcmp(flags, "ro") == 0;
    return table->is_read_only || strcmp(flags, "rw") == 0 ? 0 : -EINVAL;
}

int weft_dm_table_parse(struct weft_dm_table *table, const char *text)
{
    const char *at = text;
    *table = (struct weft_dm_table){0};
    int result = take_head(table, &at);
    if (result == 0) result = take_number(&at, &table->first_sector);
    if (result == 0) result = take_number(&at, &table->sectors);
    if (result == 0) result = take(&at, ' ', table->target, sizeof(table->target));
    if (result != 0) return result;
    // Another target, or another device, would follow one of these.
    if (table->sectors == 0 || table->target[0] == '\0' || strpbrk(at, ",;") != NULL)
        return -EINVAL;
    const int length = snprintf(table->parameters, sizeof(table->parameters), "%s", at);
    return length < (int)sizeof(table->parameters) ? 0 : -E2BIG;
}

static int append(char *text, size_t size, const char *word, size_t length)
{
    const size_t used = strlen(text);
    if (used + length >= size) return -E2BIG;
    memcpy(text + used, word, length);
    text[used + length] = '\0';
    return 0;
}

int weft_dm_table_resolve(struct weft_dm_table *table, weft_dm_table_find *find, void *self)
{
    char resolved[sizeof(table->parameters)] = "";
    const char *at = table->parameters;
    while (*at != '\0') {
        char partuuid[PARTUUID_LENGTH + 1], device[64];
        const size_t length = strcspn(at, " "), with_space = length + (at[length] == ' ');
        int result = 0;
        if (strncmp(at, PARTUUID, sizeof(PARTUUID) - 1) != 0) {
            result = append(resolved, sizeof(resolved), at, with_space);
        } else {
            if (length != sizeof(PARTUUID) - 1 + PARTUUID_LENGTH) return -EINVAL;
            memcpy(partuuid, at + sizeof(PARTUUID) - 1, PARTUUID_LENGTH);
            partuuid[PARTUUID_LENGTH] = '\0';
            result = find(self, partuuid, device, sizeof(device));
            if (result == 0) result = append(resolved, sizeof(resolved), device, strlen(device));
            if (result == 0) result = append(resolved, sizeof(resolved), " ", with_space - length);
        }
        if (result != 0) return result;
        at += with_space;
    }
    memcpy(table->parameters, resolved, sizeof(resolved));
    return 0;
}
