#include "runtime/tool/medium.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define SECTOR 512 // Of sysfs's sizes, whatever the device's are.

// The first line of a file of sysfs, without blanks at its ends. Empty if there is none.
static void read_line(const char *directory, const char *name, char *text, size_t size)
{
    char path[PATH_MAX + 64];

    text[0] = '\0';
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "re");
    if (file == NULL) return;
    if (fgets(text, (int)size, file) == NULL) text[0] = '\0';
    fclose(file);
    size_t length = strlen(text);
    while (length > 0 && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
}

// ---- Who uses it.

static bool is_empty_directory(const char *path)
{
    DIR *directory = opendir(path);
    bool empty = true;

    if (directory == NULL) return true;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        empty = empty && entry->d_name[0] == '.';
    closedir(directory);
    return empty;
}

// Where device number `dev` ("8:1") is mounted. False if nowhere.
static bool find_mount(const char *dev, char where[256])
{
    char line[4096], number[32], root[1024], place[1024];
    FILE *file = fopen("/proc/self/mountinfo", "re");
    bool found = false;

    while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "%*d %*d %31s %1023s %1023s", number, root, place) != 3) continue;
        if (strcmp(number, dev) != 0) continue;
        snprintf(where, 256, "%.255s", place);
        found = true;
    }
    if (file != NULL) fclose(file);
    return found;
}

static bool is_swap(const char *dev)
{
    char line[1024], path[512];
    struct stat status;
    char number[32];
    FILE *file = fopen("/proc/swaps", "re");
    bool found = false;

    while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "%511s", path) != 1 || stat(path, &status) != 0) continue;
        if (!S_ISBLK(status.st_mode)) continue;
        snprintf(number, sizeof(number), "%u:%u", major(status.st_rdev), minor(status.st_rdev));
        found = strcmp(number, dev) == 0;
    }
    if (file != NULL) fclose(file);
    return found;
}

// -1 with `error` if this block device, whose directory in sysfs it is, is used.
static int check_one(const char *directory, const char *name, struct weft_error *error)
{
    char dev[32], where[256], holders[PATH_MAX + 64];

    read_line(directory, "dev", dev, sizeof(dev));
    if (find_mount(dev, where)) {
        weft_error_set(error, 907, "%s is mounted at %s", name, where);
        weft_error_hint(error, "umount it first, if it is the right disk");
        return -1;
    }
    if (is_swap(dev)) return weft_error_set(error, 907, "%s is swapped to", name);
    snprintf(holders, sizeof(holders), "%s/holders", directory);
    if (is_empty_directory(holders)) return 0;
    return weft_error_set(error, 907, "%s is part of another device: a root, LVM, RAID", name);
}

// The disk and each of its partitions, which are the directories below it that have a number.
static int check_use(struct weft_medium *medium, const char *directory, struct weft_error *error)
{
    char path[PATH_MAX + 300], number[32];
    DIR *entries = opendir(directory);
    int result = check_one(directory, medium->name, error);

    for (struct dirent *entry;
         entries != NULL && result == 0 && (entry = readdir(entries)) != NULL;) {
        snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        read_line(path, "partition", number, sizeof(number));
        if (number[0] == '\0') continue;
        medium->partition_count++;
        result = check_one(path, entry->d_name, error);
    }
    if (entries != NULL) closedir(entries);
    return result;
}

// ---- What it is.

static int look_at_device(struct weft_medium *medium, dev_t number, struct weft_error *error)
{
    char link[64], directory[PATH_MAX], text[64], vendor[32];

    snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(number), minor(number));
    if (realpath(link, directory) == NULL)
        return weft_error_set(error, 907, "%s: not known to the kernel", medium->path);
    snprintf(medium->name, sizeof(medium->name), "%.63s", strrchr(directory, '/') + 1);
    read_line(directory, "partition", text, sizeof(text));
    if (text[0] != '\0')
        return weft_error_set(error, 907, "%s is a partition: an image is for a whole disk",
                              medium->path);
    read_line(directory, "ro", text, sizeof(text));
    if (strcmp(text, "1") == 0) return weft_error_set(error, 907, "%s is read-only", medium->path);
    read_line(directory, "size", text, sizeof(text));
    medium->bytes = strtoull(text, NULL, 10) * SECTOR;
    read_line(directory, "removable", text, sizeof(text));
    medium->is_removable = strcmp(text, "1") == 0;
    read_line(directory, "device/vendor", vendor, sizeof(vendor));
    read_line(directory, "device/model", text, sizeof(text));
    const bool has_vendor = vendor[0] != '\0' && strncmp(vendor, "0x", 2) != 0;
    snprintf(medium->model, sizeof(medium->model), "%s%s%s", has_vendor ? vendor : "",
             has_vendor && text[0] != '\0' ? " " : "", text);
    return check_use(medium, directory, error);
}

int weft_medium_look(struct weft_medium *medium, const char *path, struct weft_error *error)
{
    struct stat status;

    memset(medium, 0, sizeof(*medium));
    snprintf(medium->path, sizeof(medium->path), "%s", path);
    if (stat(path, &status) != 0)
        return weft_error_set(error, 907, "%s: %s", path, strerror(errno));
    if (S_ISBLK(status.st_mode)) {
        medium->is_device = true;
        return look_at_device(medium, status.st_rdev, error);
    }
    if (!S_ISREG(status.st_mode)) return weft_error_set(error, 907, "%s is no disk", path);
    const char *slash = strrchr(path, '/');
    snprintf(medium->name, sizeof(medium->name), "%.63s", slash != NULL ? slash + 1 : path);
    snprintf(medium->model, sizeof(medium->model), "a file");
    medium->bytes = (uint64_t)status.st_size;
    return 0;
}

int weft_medium_open(const struct weft_medium *medium, struct weft_error *error)
{
    const int fd = open(medium->path, O_RDWR | O_CLOEXEC | (medium->is_device ? O_EXCL : 0));

    if (fd >= 0) return fd;
    weft_error_set(error, 907, "%s: %s", medium->path, strerror(errno));
    if (errno == EACCES || errno == EPERM)
        weft_error_hint(error, "writing a disk takes root: sudo weft image flash …");
    return -1;
}
