// What the first process reads of others' hand before anything runs: the kernel's command line, the
// wish to install, and the path that the loader leaves in a firmware variable.
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/init/boot_entry.h"
#include "image/init/install_wish.h"
#include "image/init/key_value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT_MAX 4096

static void look_for_values(const char *text)
{
    static const char *const keys[] = {"weft.slot", "quiet", "dm-mod.create"};
    char value[64];
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const bool found = weft_key_value_get(text, keys[i], value, sizeof(value));
        if (strnlen(value, sizeof(value)) == sizeof(value) || (!found && value[0] != '\0')) abort();
    }
}

// Never the disk that runs, and never one of two that could be meant.
static void wish(const char *text)
{
    struct weft_disks disks = {.count = 3};
    struct weft_install_wish wish;
    char why[256] = "";
    for (size_t i = 0; i < disks.count; i++) {
        struct weft_disk *disk = &disks.entries[i].disk;
        snprintf(disk->name, sizeof(disk->name), "vd%c", (char)('a' + i));
        snprintf(disk->device, sizeof(disk->device), "/dev/%s", disk->name);
        snprintf(disk->serial, sizeof(disk->serial), "S %zu", i);
    }
    if (!weft_install_wish_parse(&wish, text, why)) {
        if (why[0] == '\0') abort();
        return;
    }
    if (strnlen(wish.disk, sizeof(wish.disk)) == sizeof(wish.disk)) abort();
    const struct weft_disks_entry *found = weft_install_wish_find(&wish, &disks, why);
    if (found == &disks.entries[0] || (found != NULL && wish.disk[0] == '\0')) abort();
    if (found == NULL && why[0] == '\0') abort();
}

static void path_of_loader(const uint8_t *data, size_t size)
{
    char path[128];
    if (weft_boot_entry_path(data, size, path, sizeof(path)) != 0) return;
    if (path[0] != '/' || strstr(path, "/../") != NULL) abort();
    if (strnlen(path, sizeof(path)) == sizeof(path)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[TEXT_MAX + 1];
    path_of_loader(data, size);
    if (size > TEXT_MAX) return 0;
    if (size > 0) memcpy(text, data, size);
    text[size] = '\0';
    look_for_values(text);
    wish(text);
    return 0;
}
