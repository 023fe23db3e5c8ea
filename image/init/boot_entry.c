#include "image/init/boot_entry.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "image/init/text_file.h"
#include "image/update/fat_names.h"
#include "image/update/gpt_device.h"
#include "image/update/slot.h"

// The loader's own, of the Boot Loader Interface.
#define VARIABLE "LoaderBootCountPath-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"

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

int weft_boot_entry_bless_on(const char *device, const char *path)
{
    char directory[PATH_MAX], blessed[WEFT_UPDATE_NAME_BYTES];
    struct weft_update_slot entry;
    const char *name = strrchr(path, '/');
    if (name == NULL || !weft_update_slot_parse(name + 1, &entry)) return -EINVAL;
    snprintf(directory, sizeof(directory), "%.*s", (int)(name - path), path);
    entry.tries_left = -1;
    weft_update_slot_name(&entry, blessed);
    const int fd = open(device, O_RDWR | O_EXCL | O_CLOEXEC);
    if (fd < 0) return -errno;
    const off_t bytes = lseek(fd, 0, SEEK_END);
    const struct weft_gpt_disk sectors = weft_gpt_device(&fd, bytes > 0 ? (uint64_t)bytes : 0);
    const int result = weft_fat_names_rename(&sectors, directory, name + 1, blessed);
    close(fd);
    return result;
}

int weft_boot_entry_bless(const char *esp, const char *path)
{
    char whole[PATH_MAX], blessed[WEFT_UPDATE_NAME_BYTES];
    struct weft_update_slot entry;
    const char *name = strrchr(path, '/');
    if (name == NULL || !weft_update_slot_parse(name + 1, &entry)) return -EINVAL;
    snprintf(whole, sizeof(whole), "%s%.*s", esp, (int)(name - path), path);
    const int directory = open(whole, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return -errno;
    entry.tries_left = -1;
    weft_update_slot_name(&entry, blessed);
    int result = renameat(directory, name + 1, directory, blessed) == 0 ? 0 : -errno;
    if (result == 0 && fsync(directory) != 0 && errno != EINVAL) // FAT syncs with the mount.
        result = -errno;
    // Done by the boot before, whose variable the firmware still has.
    if (result == -ENOENT && faccessat(directory, blessed, F_OK, 0) == 0) result = 0;
    close(directory);
    return result;
}

// Calls `see` for each kernel in `directory`, until one answers other than 0, which is returned.
static int for_each(int directory,
                    int (*see)(int, const char *, const struct weft_update_slot *, void *),
                    void *self)
{
    const int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = copy >= 0 ? fdopendir(copy) : NULL;
    if (entries == NULL) {
        const int error = errno;
        if (copy >= 0) close(copy);
        return -error;
    }
    int result = 0;
    for (const struct dirent *file; result == 0 && (file = readdir(entries)) != NULL;) {
        struct weft_update_slot entry;
        if (weft_update_slot_parse(file->d_name, &entry))
            result = see(directory, file->d_name, &entry, self);
    }
    closedir(entries);
    return result;
}

static int comes_first(int directory, const char *name, const struct weft_update_slot *entry,
                       void *self)
{
    (void)directory, (void)name;
    return weft_update_slot_compare(entry, self) < 0 ? 1 : 0;
}

int weft_boot_entry_has_next(const char *esp, const char *path)
{
    char whole[PATH_MAX];
    struct weft_update_slot own;
    const char *name = strrchr(path, '/');
    if (name == NULL || !weft_update_slot_parse(name + 1, &own)) return -EINVAL;
    if (own.tries_left > 0) return 1;
    snprintf(whole, sizeof(whole), "%s%.*s", esp, (int)(name - path), path);
    const int directory = open(whole, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return -errno;
    const int result = for_each(directory, comes_first, &own);
    close(directory);
    return result;
}

struct choice {
    char slot;
    unsigned found;
};

static int count(int directory, const char *name, const struct weft_update_slot *entry, void *self)
{
    struct choice *choice = self;
    (void)directory, (void)name;
    if (entry->slot == choice->slot) choice->found++;
    return 0;
}

static int keep_only(int directory, const char *name, const struct weft_update_slot *entry,
                     void *self)
{
    const struct choice *choice = self;
    struct weft_update_slot fresh = *entry;
    char fresh_name[WEFT_UPDATE_NAME_BYTES];
    if (entry->slot != choice->slot) return unlinkat(directory, name, 0) == 0 ? 0 : -errno;
    fresh.tries_left = WEFT_UPDATE_TRIES;
    fresh.tries_done = -1;
    weft_update_slot_name(&fresh, fresh_name);
    if (strcmp(name, fresh_name) == 0) return 0;
    return renameat(directory, name, directory, fresh_name) == 0 ? 0 : -errno;
}

int weft_boot_entry_only(const char *esp, char slot)
{
    char path[PATH_MAX];
    struct choice choice = {.slot = slot};
    snprintf(path, sizeof(path), "%s/EFI/Linux", esp);
    const int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return -errno;
    int result = for_each(directory, count, &choice);
    if (result == 0 && choice.found == 0) result = -ENOENT;
    if (result == 0) result = for_each(directory, keep_only, &choice);
    close(directory);
    return result;
}
