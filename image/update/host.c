#include "image/update/host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "image/update/disk.h"
#include "image/update/fat_lost.h"
#include "image/update/gpt_device.h"

#define TEXT_BYTES 8192

// The start of a file below `root`, as a text. False if there is none.
static bool read_text(const char *root, const char *name, char text[TEXT_BYTES])
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", root, name);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const ssize_t length = read(fd, text, TEXT_BYTES - 1);
    close(fd);
    text[length > 0 ? length : 0] = '\0';
    return length > 0;
}

// The value of `key` ("VERSION=") where a word or line begins with it. Empty if there is none, or
// if it is too long.
static void value_of(const char *text, const char *key, char *value, size_t size)
{
    value[0] = '\0';
    for (const char *at = text; (at = strstr(at, key)) != NULL; at += strlen(key)) {
        if (at > text && at[-1] != '\n' && at[-1] != ' ') continue;
        const char *from = at + strlen(key);
        const size_t length = strcspn(from, " \n");
        if (length >= size) return;
        memcpy(value, from, length);
        value[length] = '\0';
        return;
    }
}

static int read_release(const char *root, struct weft_update_node *node, struct weft_error *error)
{
    char text[TEXT_BYTES], slot[4];

    memset(node, 0, sizeof(*node));
    if (read_text(root, "etc/weft/release", text)) {
        value_of(text, "VERSION=", node->version, sizeof(node->version));
        value_of(text, "ARCH=", node->arch, sizeof(node->arch));
    }
    if (!read_text(root, "proc/cmdline", text)) text[0] = '\0';
    value_of(text, "weft.slot=", slot, sizeof(slot));
    // The kernel's name on the ESP has the version that its command line names.
    char version[WEFT_UPDATE_VERSION_BYTES];
    value_of(text, "weft.version=", version, sizeof(version));
    if (version[0] != '\0') memcpy(node->version, version, sizeof(version));
    const bool slot_known = strcmp(slot, "a") == 0 || strcmp(slot, "b") == 0;
    if (slot_known && node->arch[0] != '\0' &&
        weft_update_version_valid(node->version, strlen(node->version))) {
        node->running = slot[0];
        return 0;
    }
    weft_error_set(error, 901, "this node does not run from an image");
    weft_error_hint(error, "releases, slots and resets are of machines that were flashed");
    return -1;
}

// The name of the disk that the verified root lies on: dm-0's first slave is one of its
// partitions, and sysfs keeps a partition below its disk.
static bool find_disk(const char *root, char name[NAME_MAX + 1])
{
    char path[PATH_MAX], target[PATH_MAX];
    struct dirent *entry;
    bool found = false;

    snprintf(path, sizeof(path), "%s/sys/block/dm-0/slaves", root);
    DIR *slaves = opendir(path);
    while (slaves != NULL && !found && (entry = readdir(slaves)) != NULL) {
        if (entry->d_name[0] == '.') continue;
        const ssize_t length = readlinkat(dirfd(slaves), entry->d_name, target, sizeof(target) - 1);
        if (length <= 0) continue;
        target[length] = '\0';
        snprintf(name, NAME_MAX + 1, "%s", basename(dirname(target)));
        found = true;
    }
    if (slaves != NULL) closedir(slaves);
    return found;
}

// The disk that the first process took for the one that was started, from the beginning of what it
// wrote; "" if it has written nothing of that.
static void read_started(const char *root, char disk[64])
{
    static const char key[] = "\"disk\":\"";
    char text[TEXT_BYTES];

    disk[0] = '\0';
    if (!read_text(root, "run/weft/boot.json", text)) return;
    const char *at = strstr(text, key);
    if (at == NULL) return;
    at += sizeof(key) - 1;
    snprintf(disk, 64, "%.*s", (int)strcspn(at, "\""), at);
}

int weft_update_host_find(const char *root, struct weft_update_host *host, struct weft_error *error)
{
    char name[NAME_MAX + 1], started[64];

    memset(host, 0, sizeof(*host));
    if (read_release(root, &host->node, error) != 0) return -1;
    if (!find_disk(root, name) || strlen(name) > 32)
        return weft_error_set(error, 906, "the disk below the verified root cannot be told");
    snprintf(host->disk, sizeof(host->disk), "/dev/%.32s", name);
    read_started(root, started);
    if (started[0] != '\0' && strcmp(started, host->disk) != 0)
        return weft_error_set(error, 905,
                              "this start is from %s, and its root is read from %s: which of them "
                              "is to be written is not certain; take one out",
                              started, host->disk);
    return 0;
}

// To be written even by who only looks: the kernel has one file system for all that mount it, and
// refuses who wants it the other way, as an update or the first process then would. The first
// process has it for itself while it blesses a kernel: that is the write of a sector.
static int mount_esp(const char *node, const char *where, bool only_looks)
{
    static const char options[] = "umask=077";
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    const struct timespec pause = {.tv_nsec = 20000000};

    for (int n = 0; n < 50; n++) {
        if (mount(node, where, "vfat", flags, options) == 0) return 0;
        if (errno != EBUSY) break;
        nanosleep(&pause, NULL);
    }
    const bool is_protected = errno == EACCES || errno == EROFS;
    if (!only_looks || !is_protected) return -1;
    return mount(node, where, "vfat", flags | MS_RDONLY, options);
}

// What power failures have left there, before it is needed. Somebody has mounted it: another time.
static void free_lost(const char *node)
{
    const int fd = open(node, O_RDWR | O_EXCL | O_CLOEXEC);
    if (fd < 0) return;
    const off_t bytes = lseek(fd, 0, SEEK_END);
    const struct weft_gpt_disk sectors = weft_gpt_device(&fd, bytes > 0 ? (uint64_t)bytes : 0);
    const int64_t count = weft_fat_lost_free(&sectors);
    close(fd);
    if (count > 0)
        fprintf(stderr, "update: %s: %lld clusters that no file had are free again\n", node,
                (long long)count);
    if (count < 0 && count != -EOPNOTSUPP)
        fprintf(stderr, "update: %s: what is lost there stays lost: %s\n", node,
                strerror((int)-count));
}

int weft_update_esp_mount(const char *disk, const char *where, bool only_looks,
                          struct weft_error *error)
{
    char node[PATH_MAX];

    // In a namespace of our own: the first process mounts the same partition at the same place when
    // it blesses a kernel, and what it takes off must not be ours, nor stay when we are ended.
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return weft_error_set(error, 906, "a place to mount the ESP: %s", strerror(errno));
    weft_update_disk_partition_path(disk, 1, node, sizeof(node));
    if (!only_looks) free_lost(node);
    if (mount_esp(node, where, only_looks) == 0) return 0;
    return weft_error_set(error, 906, "mounting the ESP %s: %s", node, strerror(errno));
}

void weft_update_esp_unmount(const char *where)
{
    umount2(where, MNT_DETACH);
}
