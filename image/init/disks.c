#include "image/init/disks.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "image/init/aside.h"
#include "image/init/text_file.h"
#include "image/update/gpt_device.h"
#include "runtime/base/units.h"

// The loader's own, of the Boot Loader Interface.
#define VARIABLE "LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

// ---- What is there.

// Made of other devices, or nothing that a node could live on. MMC chips have small boot areas of
// their own beside the disk.
static bool is_disk(const char *name)
{
    static const char *const others[] = {"loop", "ram", "dm-", "md", "sr", "zram", "nbd", "fd"};
    for (size_t i = 0; i < WEFT_COUNT_OF(others); i++) {
        if (strncmp(name, others[i], strlen(others[i])) == 0) return false;
    }
    const bool is_chip = strncmp(name, "mmcblk", 6) == 0;
    return name[0] != '.' && !(is_chip && (strstr(name, "boot") != NULL || strstr(name, "rpmb")));
}

static void read_table(struct weft_disks_entry *entry, const char *dev)
{
    char path[PATH_MAX];
    struct weft_gpt gpt;
    snprintf(path, sizeof(path), "%s/%s", dev, entry->disk.name);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return;
    const struct weft_gpt_disk sectors = weft_gpt_device(&fd, entry->disk.bytes);
    const bool is_read = weft_gpt_read(&gpt, &sectors) == 0;
    close(fd);
    if (!is_read) return;
    const bool has_root = weft_gpt_find(&gpt, "root-a") != 0 || weft_gpt_find(&gpt, "root-b") != 0;
    const uint32_t esp = weft_gpt_find(&gpt, "esp");
    entry->is_ours = has_root && weft_gpt_find(&gpt, "WEFT-CONF") != 0;
    if (esp != 0) weft_gpt_guid_text(weft_gpt_guid(&gpt, esp), entry->esp_guid);
}

static void add(struct weft_disks *disks, const char *sys, const char *name)
{
    char path[PATH_MAX], text[8];
    if (disks->count == WEFT_DISKS_MAX || !is_disk(name)) return;
    struct weft_disks_entry *entry = &disks->entries[disks->count];
    *entry = (struct weft_disks_entry){0};
    weft_disk_describe(&entry->disk, sys, name);
    if (entry->disk.bytes == 0) return; // A reader without a card.
    snprintf(path, sizeof(path), "%s/block/%s/ro", sys, name);
    entry->is_read_only = weft_text_file_line(path, text, sizeof(text)) == 0 && text[0] == '1';
    disks->count++;
}

// ---- What their tables say.

struct told {
    struct weft_disks_entry *entry;
    const char *dev;
    struct {
        bool is_ours;
        char esp_guid[WEFT_GPT_TEXT_BYTES];
    } answer;
};

static void tell(void *self)
{
    struct told *told = self;
    read_table(told->entry, told->dev);
    told->answer.is_ours = told->entry->is_ours;
    memcpy(told->answer.esp_guid, told->entry->esp_guid, sizeof(told->answer.esp_guid));
}

// All at once: the one that is slow does not take the others' time.
static void read_tables(struct weft_disks *disks, const char *dev, uint64_t patience_ns)
{
    struct weft_aside asked[WEFT_DISKS_MAX];
    struct told told = {.dev = dev};
    const uint64_t until_ns = weft_aside_now_ns() + patience_ns;
    for (size_t i = 0; i < disks->count; i++) {
        told.entry = &disks->entries[i];
        weft_aside_ask(&asked[i], tell, &told, &told.answer, sizeof(told.answer));
    }
    for (size_t i = 0; i < disks->count; i++) {
        struct weft_disks_entry *entry = &disks->entries[i];
        const int result = weft_aside_hear(&asked[i], &told.answer, sizeof(told.answer), until_ns);
        entry->is_silent = result == -ETIMEDOUT;
        if (result != 0) continue;
        entry->is_ours = told.answer.is_ours;
        memcpy(entry->esp_guid, told.answer.esp_guid, sizeof(entry->esp_guid));
    }
}

void weft_disks_find(struct weft_disks *disks, const char *sys, const char *dev, const char *root,
                     uint64_t patience_ns)
{
    char path[PATH_MAX], below[64] = "";
    struct dirent **names;
    disks->count = disks->started = 0;
    snprintf(path, sizeof(path), "%s/block", sys);
    const int count = scandir(path, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        add(disks, sys, names[i]->d_name);
        free(names[i]);
    }
    if (count >= 0) free(names);
    read_tables(disks, dev, patience_ns);
    if (!weft_disk_of_root(sys, root, below, sizeof(below))) return;
    for (size_t i = 0; i < disks->count; i++) {
        disks->entries[i].has_root = strcmp(disks->entries[i].disk.name, below) == 0;
    }
}

// ---- Which one it was.

// The first of ours for which `wanted` holds, and how many there are.
static size_t find(const struct weft_disks *disks, const char *guid, bool root, size_t *at)
{
    size_t count = 0;
    for (size_t i = disks->count; i-- > 0;) {
        const struct weft_disks_entry *entry = &disks->entries[i];
        if (!entry->is_ours || (root && !entry->has_root)) continue;
        if (guid != NULL && strcmp(entry->esp_guid, guid) != 0) continue;
        *at = i;
        count++;
    }
    return count;
}

enum weft_disks_verdict weft_disks_choose(struct weft_disks *disks, const char *loader_guid)
{
    size_t named = 0, root = 0, any = 0;
    const size_t named_count = loader_guid[0] != '\0' ? find(disks, loader_guid, false, &named) : 0;
    const size_t root_count = find(disks, NULL, true, &root);
    if (find(disks, NULL, false, &any) == 0) return WEFT_DISKS_NONE;
    if (named_count > 1) {
        disks->started = root_count > 0 ? root : named;
        return WEFT_DISKS_ALIKE;
    }
    disks->started = named_count == 1 ? named : root_count > 0 ? root : any;
    return named_count == 1 && root_count > 0 && named != root ? WEFT_DISKS_APART : WEFT_DISKS_SURE;
}

bool weft_disks_has_started(const struct weft_disks *disks, const char *loader_guid)
{
    if (disks->started >= disks->count) return false;
    const struct weft_disks_entry *entry = &disks->entries[disks->started];
    return entry->is_ours && strcmp(entry->esp_guid, loader_guid) == 0 &&
           entry->disk.conf.device[0] != '\0' && entry->disk.data.device[0] != '\0';
}

enum weft_disks_verdict weft_disks_wait(struct weft_disks *disks, const char *sys, const char *dev,
                                        const char *root, const char *loader_guid, uint64_t wait_ns,
                                        uint64_t patience_ns)
{
    const struct timespec step = {.tv_nsec = (long)(50 * WEFT_NS_PER_MS)};
    const uint64_t first_ns = weft_aside_now_ns();
    for (;;) {
        const uint64_t began_ns = weft_aside_now_ns();
        weft_disks_find(disks, sys, dev, root, patience_ns);
        const enum weft_disks_verdict verdict = weft_disks_choose(disks, loader_guid);
        if (loader_guid[0] == '\0' || began_ns - first_ns >= wait_ns ||
            weft_disks_has_started(disks, loader_guid))
            return verdict;
        nanosleep(&step, NULL);
    }
}

void weft_disks_loader_guid(const char *efivars, char guid[WEFT_GPT_TEXT_BYTES])
{
    char path[PATH_MAX], bytes[256];
    size_t used = 0;
    snprintf(path, sizeof(path), "%s/" VARIABLE, efivars);
    const ssize_t length = weft_text_file_read(path, bytes, sizeof(bytes));
    // Four bytes of attributes, then UTF-16LE with a zero at its end.
    for (ssize_t i = 4; i + 1 < length && used < WEFT_GPT_TEXT_BYTES - 1; i += 2) {
        if (bytes[i + 1] != '\0' || (!isxdigit((unsigned char)bytes[i]) && bytes[i] != '-')) break;
        guid[used++] = (char)tolower((unsigned char)bytes[i]);
    }
    guid[used == WEFT_GPT_TEXT_BYTES - 1 ? used : 0] = '\0';
}

// ---- For people.

void weft_disks_name(const struct weft_disk *disk, char *text, size_t size)
{
    snprintf(text, size, "%s (%s%s%s%llu MB)", disk->device, disk->serial[0] ? "serial " : "",
             disk->serial, disk->serial[0] ? ", " : "",
             (unsigned long long)(disk->bytes / 1000000));
}

static size_t add_name(const struct weft_disk *disk, char *text, size_t used, size_t size)
{
    char name[192];
    if (used >= size) return used;
    weft_disks_name(disk, name, sizeof(name));
    return used + (size_t)snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "", name);
}

void weft_disks_others(const struct weft_disks *disks, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < disks->count; i++) {
        if (i != disks->started && disks->entries[i].is_ours)
            used = add_name(&disks->entries[i].disk, text, used, size);
    }
}

void weft_disks_silent(const struct weft_disks *disks, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < disks->count; i++) {
        if (disks->entries[i].is_silent) used = add_name(&disks->entries[i].disk, text, used, size);
    }
}
