#include "image/init/boot_entry.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/init/text_file.h"

// The loader's own, of the Boot Loader Interface.
#define VARIABLE "LoaderBootCountPath-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
#define SUFFIX   ".efi"

static bool read_count(const char **text, uint32_t *count)
{
    char *end;
    if (!isdigit((unsigned char)**text)) return false;
    const unsigned long value = strtoul(*text, &end, 10);
    if (value > 999 || end - *text > 3) return false;
    *count = (uint32_t)value;
    *text = end;
    return true;
}

// "+2-1" or "+3", up to its end.
static bool read_counts(const char *text, struct weft_boot_entry *entry)
{
    if (*text++ != '+' || !read_count(&text, &entry->left)) return false;
    if (*text == '-') {
        text++;
        if (!read_count(&text, &entry->done)) return false;
    }
    entry->is_counted = true;
    return *text == '\0';
}

int weft_boot_entry_parse(struct weft_boot_entry *entry, const char *name)
{
    char stem[WEFT_BOOT_ENTRY_BYTES];
    const size_t length = strlen(name), suffix = strlen(SUFFIX);
    *entry = (struct weft_boot_entry){0};
    if (length <= suffix || length - suffix >= sizeof(stem)) return -EINVAL;
    if (strcasecmp(name + length - suffix, SUFFIX) != 0) return -EINVAL;
    memcpy(stem, name, length - suffix);
    stem[length - suffix] = '\0';
    if (strncmp(stem, "weft-", 5) != 0 || (stem[5] != 'a' && stem[5] != 'b') || stem[6] != '_')
        return -EINVAL;
    entry->slot = stem[5];
    char *plus = strchr(stem, '+');
    if (plus != NULL && !read_counts(plus, entry)) return -EINVAL;
    if (plus != NULL) *plus = '\0';
    const char *version = stem + 7;
    if (*version == '\0' || strlen(version) >= sizeof(entry->version)) return -EINVAL;
    snprintf(entry->version, sizeof(entry->version), "%s", version);
    return 0;
}

void weft_boot_entry_name(const struct weft_boot_entry *entry, char name[WEFT_BOOT_ENTRY_BYTES])
{
    char count[32] = "";
    if (entry->is_counted && entry->done > 0)
        snprintf(count, sizeof(count), "+%u-%u", entry->left, entry->done);
    else if (entry->is_counted)
        snprintf(count, sizeof(count), "+%u", entry->left);
    snprintf(name, WEFT_BOOT_ENTRY_BYTES, "weft-%c_%s%s" SUFFIX, entry->slot, entry->version,
             count);
}

int weft_boot_entry_path(const uint8_t *bytes, size_t length, char *path, size_t size)
{
    if (length < 4 + 4 || length % 2 != 0) return -EINVAL;
    size_t used = 0;
    for (size_t i = 4; i + 1 < length; i += 2) {
        const uint16_t unit = (uint16_t)(bytes[i] | bytes[i + 1] << 8);
        if (unit == 0) break;
        if (unit < 0x20 || unit > 0x7e || used + 1 >= size) return -EINVAL;
        path[used++] = unit == '\\' ? '/' : (char)unit;
    }
    path[used] = '\0';
    return path[0] == '/' && strstr(path, "..") == NULL ? 0 : -EINVAL;
}

int weft_boot_entry_counted(const char *efivars, char *path, size_t size)
{
    char variable[PATH_MAX], bytes[1024];
    snprintf(variable, sizeof(variable), "%s/" VARIABLE, efivars);
    const ssize_t length = weft_text_file_read(variable, bytes, sizeof(bytes));
    if (length < 0) return (int)length;
    return weft_boot_entry_path((const uint8_t *)bytes, (size_t)length, path, size);
}

static int rename_in(int directory, const char *from, const struct weft_boot_entry *entry)
{
    char name[WEFT_BOOT_ENTRY_BYTES];
    weft_boot_entry_name(entry, name);
    if (strcmp(from, name) == 0) return 0;
    if (renameat(directory, from, directory, name) != 0) return -errno;
    return fsync(directory) == 0 || errno == EINVAL ? 0 : -errno; // FAT syncs with the mount.
}

int weft_boot_entry_bless(const char *esp, const char *path)
{
    char whole[PATH_MAX];
    struct weft_boot_entry entry;
    const char *name = strrchr(path, '/');
    if (name == NULL || weft_boot_entry_parse(&entry, name + 1) != 0) return -EINVAL;
    snprintf(whole, sizeof(whole), "%s%.*s", esp, (int)(name - path), path);
    const int directory = open(whole, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return -errno;
    entry.is_counted = false;
    int result = rename_in(directory, name + 1, &entry);
    if (result == -ENOENT) { // Done by the boot before, whose variable the firmware still has.
        char blessed[WEFT_BOOT_ENTRY_BYTES];
        weft_boot_entry_name(&entry, blessed);
        if (faccessat(directory, blessed, F_OK, 0) == 0) result = 0;
    }
    close(directory);
    return result;
}

// ---- Which slot.

static int for_each(int directory,
                    int (*visit)(int directory, const char *name,
                                 const struct weft_boot_entry *entry, void *self),
                    void *self)
{
    // Names first: a directory that is renamed in while it is read may show a name twice.
    char names[32][WEFT_BOOT_ENTRY_BYTES];
    size_t count = 0;
    int result = 0;
    const int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy < 0 ? NULL : fdopendir(copy);
    if (stream == NULL) return -errno;
    for (const struct dirent *found; (found = readdir(stream)) != NULL && count < 32;) {
        struct weft_boot_entry entry;
        if (weft_boot_entry_parse(&entry, found->d_name) != 0) continue;
        snprintf(names[count++], WEFT_BOOT_ENTRY_BYTES, "%.127s", found->d_name);
    }
    closedir(stream);
    for (size_t i = 0; i < count && result == 0; i++) {
        struct weft_boot_entry entry;
        weft_boot_entry_parse(&entry, names[i]);
        result = visit(directory, names[i], &entry, self);
    }
    return result;
}

struct preference {
    char slot;
    uint32_t found;
};

static int arm(int directory, const char *name, const struct weft_boot_entry *entry, void *self)
{
    struct preference *preference = self;
    struct weft_boot_entry armed = *entry;
    if (entry->slot != preference->slot) return 0;
    preference->found++;
    if (!entry->is_counted || entry->left > 0) return 0;
    armed.left = WEFT_BOOT_TRIES;
    armed.done = 0;
    return rename_in(directory, name, &armed);
}

static int disarm(int directory, const char *name, const struct weft_boot_entry *entry, void *self)
{
    const struct preference *preference = self;
    struct weft_boot_entry last = *entry;
    if (entry->slot == preference->slot || (entry->is_counted && entry->left == 0)) return 0;
    last.is_counted = true;
    last.left = 0;
    return rename_in(directory, name, &last);
}

int weft_boot_entry_prefer(const char *esp, char slot)
{
    char path[PATH_MAX];
    struct preference preference = {.slot = slot};
    snprintf(path, sizeof(path), "%s/EFI/Linux", esp);
    const int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return -errno;
    // Armed first: with the power gone in between both can be started, never none.
    int result = for_each(directory, arm, &preference);
    if (result == 0 && preference.found == 0) result = -ENOENT;
    if (result == 0) result = for_each(directory, disarm, &preference);
    close(directory);
    return result;
}

static int count(int directory, const char *name, const struct weft_boot_entry *entry, void *self)
{
    struct preference *preference = self;
    (void)directory, (void)name;
    if (entry->slot == preference->slot) preference->found++;
    return 0;
}

static int keep_only(int directory, const char *name, const struct weft_boot_entry *entry,
                     void *self)
{
    const struct preference *preference = self;
    struct weft_boot_entry fresh = *entry;
    if (entry->slot != preference->slot) return unlinkat(directory, name, 0) == 0 ? 0 : -errno;
    fresh.is_counted = true;
    fresh.left = WEFT_BOOT_TRIES;
    fresh.done = 0;
    return rename_in(directory, name, &fresh);
}

int weft_boot_entry_only(const char *esp, char slot)
{
    char path[PATH_MAX];
    struct preference preference = {.slot = slot};
    snprintf(path, sizeof(path), "%s/EFI/Linux", esp);
    const int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return -errno;
    int result = for_each(directory, count, &preference);
    if (result == 0 && preference.found == 0) result = -ENOENT;
    if (result == 0) result = for_each(directory, keep_only, &preference);
    close(directory);
    return result;
}
