#include "image/init/disk.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "image/init/key_value.h"
#include "image/init/text_file.h"

// The last part of what the link at `path` leads to.
static bool link_end(const char *path, char *name, size_t size)
{
    char target[PATH_MAX];
    const ssize_t length = readlink(path, target, sizeof(target) - 1);
    if (length <= 0) return false;
    target[length] = '\0';
    const char *slash = strrchr(target, '/');
    return snprintf(name, size, "%s", slash != NULL ? slash + 1 : target) < (int)size;
}

// The device that a device-mapper one stands on: the first of its `slaves`.
static bool first_below(const char *sys, const char *name, char *below, size_t size)
{
    char path[PATH_MAX];
    bool found = false;
    snprintf(path, sizeof(path), "%s/class/block/%s/slaves", sys, name);
    DIR *directory = opendir(path);
    if (directory == NULL) return false;
    for (const struct dirent *entry; !found && (entry = readdir(directory)) != NULL;) {
        if (entry->d_name[0] != '.') found = snprintf(below, size, "%s", entry->d_name) < (int)size;
    }
    closedir(directory);
    return found;
}

// "vda2" lies in the directory of "vda".
static bool disk_of(const char *sys, const char *name, char *disk, size_t size)
{
    char path[PATH_MAX], target[PATH_MAX];
    snprintf(path, sizeof(path), "%s/class/block/%s/partition", sys, name);
    if (access(path, F_OK) != 0) return snprintf(disk, size, "%s", name) < (int)size;
    snprintf(path, sizeof(path), "%s/class/block/%s", sys, name);
    const ssize_t length = readlink(path, target, sizeof(target) - 1);
    if (length <= 0) return false;
    target[length] = '\0';
    char *end = strrchr(target, '/');
    if (end == NULL) return false;
    *end = '\0';
    const char *slash = strrchr(target, '/');
    return snprintf(disk, size, "%s", slash != NULL ? slash + 1 : target) < (int)size;
}

static void take_part(struct weft_disk *disk, const char *name, const char *uevent)
{
    char label[80], number[16];
    struct weft_disk_part *part = NULL;
    weft_key_value_get(uevent, "PARTNAME", label, sizeof(label));
    weft_key_value_get(uevent, "PARTN", number, sizeof(number));
    if (strcmp(label, "esp") == 0) part = &disk->esp;
    if (strcmp(label, "WEFT-CONF") == 0) part = &disk->conf;
    if (strcmp(label, "data") == 0) part = &disk->data;
    if (part == NULL || part->device[0] != '\0') return;
    snprintf(part->device, sizeof(part->device), "/dev/%.50s", name);
    part->number = (uint32_t)strtoul(number, NULL, 10);
}

static void find_parts(struct weft_disk *disk, const char *sys)
{
    char path[PATH_MAX], uevent[1024];
    snprintf(path, sizeof(path), "%s/block/%s", sys, disk->name);
    DIR *directory = opendir(path);
    if (directory == NULL) return;
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        if (strncmp(entry->d_name, disk->name, strlen(disk->name)) != 0) continue;
        snprintf(path, sizeof(path), "%s/block/%s/%s/uevent", sys, disk->name, entry->d_name);
        if (weft_text_file_read(path, uevent, sizeof(uevent)) > 0)
            take_part(disk, entry->d_name, uevent);
    }
    closedir(directory);
}

// Where the kinds of disks keep it: virtio and NVMe in the first two places, SCSI and ATA in the
// third, MMC in the last.
static void find_serial(struct weft_disk *disk, const char *sys)
{
    static const char *const places[] = {"serial", "device/serial", "device/wwid", "device/cid",
                                         "wwid"};
    for (size_t i = 0; disk->serial[0] == '\0' && i < sizeof(places) / sizeof(places[0]); i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof(path), "%s/block/%s/%s", sys, disk->name, places[i]);
        weft_text_file_line(path, disk->serial, sizeof(disk->serial));
    }
}

bool weft_disk_describe(struct weft_disk *disk, const char *sys, const char *name)
{
    char path[PATH_MAX], text[32];
    *disk = (struct weft_disk){0};
    if (snprintf(disk->name, sizeof(disk->name), "%s", name) >= (int)sizeof(disk->name))
        return false;
    snprintf(disk->device, sizeof(disk->device), "/dev/%s", name);
    snprintf(path, sizeof(path), "%s/block/%s/size", sys, name);
    weft_text_file_line(path, text, sizeof(text));
    disk->bytes = strtoull(text, NULL, 10) * 512; // In sectors of 512, whatever the disk's are.
    find_parts(disk, sys);
    find_serial(disk, sys);
    return disk->conf.device[0] != '\0' || disk->data.device[0] != '\0';
}

static int find_any(struct weft_disk *disk, const char *sys)
{
    char path[PATH_MAX];
    bool found = false;
    snprintf(path, sizeof(path), "%s/block", sys);
    struct dirent **entries;
    const int count = scandir(path, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (!found && entries[i]->d_name[0] != '.')
            found = weft_disk_describe(disk, sys, entries[i]->d_name);
        free(entries[i]);
    }
    if (count >= 0) free(entries);
    if (found) return 0;
    *disk = (struct weft_disk){0};
    return -ENODEV;
}

bool weft_disk_of_root(const char *sys, const char *root, char *disk, size_t size)
{
    char path[PATH_MAX], name[64], below[64];
    snprintf(path, sizeof(path), "%s/dev/block/%s", sys, root);
    if (!link_end(path, name, sizeof(name))) return false;
    while (first_below(sys, name, below, sizeof(below))) {
        memcpy(name, below, sizeof(name));
    }
    return disk_of(sys, name, disk, size);
}

int weft_disk_find_in(struct weft_disk *disk, const char *sys, const char *root)
{
    char name[64];
    if (!weft_disk_of_root(sys, root, name, sizeof(name))) return find_any(disk, sys);
    if (weft_disk_describe(disk, sys, name)) return 0;
    *disk = (struct weft_disk){0};
    return -ENODEV;
}

void weft_disk_root(char root[32])
{
    struct stat status;
    root[0] = '\0';
    if (stat("/", &status) == 0)
        snprintf(root, 32, "%u:%u", major(status.st_dev), minor(status.st_dev));
}

int weft_disk_find(struct weft_disk *disk)
{
    char root[32];
    weft_disk_root(root);
    return weft_disk_find_in(disk, "/sys", root);
}
