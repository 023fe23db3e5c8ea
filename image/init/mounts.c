#include "image/init/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/update/fat_names.h"
#include "image/update/fat_room.h"
#include "image/update/gpt_device.h"
#include "runtime/base/units.h"

#define QUIET (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define FAT   "fmask=0177,dmask=0077,shortname=mixed" // A key that others could read is refused.

struct file_system {
    const char *type, *at, *options;
    unsigned long flags;
    bool needed;
};

static const struct file_system kernel_ones[] = {
    {"proc", "/proc", NULL, QUIET, true},
    {"sysfs", "/sys", NULL, QUIET, true},
    {"devtmpfs", "/dev", "mode=0755", MS_NOSUID, true},
    {"devpts", "/dev/pts", "ptmxmode=0666,mode=0620", MS_NOSUID | MS_NOEXEC, false},
    {"tmpfs", "/dev/shm", "mode=1777", MS_NOSUID | MS_NODEV, false},
    {"tmpfs", "/run", "mode=0755,size=25%", MS_NOSUID | MS_NODEV, true},
    {"tmpfs", "/tmp", "mode=1777,size=25%", MS_NOSUID | MS_NODEV, true},
    {"hugetlbfs", "/dev/hugepages", NULL, MS_NOSUID | MS_NODEV, false},
    {"efivarfs", "/sys/firmware/efi/efivars", NULL, QUIET, false},
    {"pstore", "/sys/fs/pstore", NULL, QUIET, false},
    {"bpf", "/sys/fs/bpf", "mode=0700", QUIET, false},
    {"cgroup2", "/sys/fs/cgroup", NULL, QUIET, false},
};

void weft_mounts_kernel(struct weft_say *say)
{
    umask(0022);
    for (size_t i = 0; i < WEFT_COUNT_OF(kernel_ones); i++) {
        const struct file_system *one = &kernel_ones[i];
        // On a root that cannot be written the places are there; in an initramfs they are made.
        mkdir(one->at, 0755);
        if (mount(one->type, one->at, one->type, one->flags, one->options) == 0) continue;
        if (errno != EBUSY && one->needed)
            weft_say_error(say, "%s cannot be mounted: %s", one->at, strerror(errno));
    }
}

int weft_mounts_data(const char *device)
{
    mkdir("/data", 0755);
    // What is named after a crash has to be whole: the journal of the file system orders the data
    // before the names (its default mode), and errors stop it instead of spreading.
    return mount(device, "/data", "ext4", MS_NOSUID | MS_NODEV | MS_NOATIME, "errors=remount-ro") ==
                   0
               ? 0
               : -errno;
}

int weft_mounts_conf(const char *device)
{
    mkdir("/conf", 0700);
    return mount(device, "/conf", "vfat", QUIET | MS_RDONLY, FAT) == 0 ? 0 : -errno;
}

int weft_mounts_conf_writable(bool writable)
{
    const unsigned long flags = MS_REMOUNT | QUIET | (writable ? 0 : MS_RDONLY);
    return mount(NULL, "/conf", NULL, flags, FAT) == 0 ? 0 : -errno;
}

int weft_mounts_mend(const char *device, const char *directory, uint32_t room)
{
    const int fd = open(device, O_RDWR | O_EXCL | O_CLOEXEC);
    if (fd < 0) return -errno;
    const off_t bytes = lseek(fd, 0, SEEK_END);
    const struct weft_gpt_disk sectors = weft_gpt_device(&fd, bytes > 0 ? (uint64_t)bytes : 0);
    const int mended = weft_fat_names_mend(&sectors, directory);
    if (mended >= 0 && room > 0) (void)weft_fat_room_make(&sectors, directory, room);
    close(fd);
    return mended;
}

int weft_mounts_esp(const char *device)
{
    mkdir("/esp", 0700);
    return mount(device, "/esp", "vfat", QUIET, FAT) == 0 ? 0 : -errno;
}

int weft_mounts_esp_leave(void)
{
    sync();
    return umount2("/esp", 0) == 0 ? 0 : -errno;
}

void weft_mounts_leave(struct weft_say *say)
{
    static const char *const places[] = {"/esp", "/conf", "/data"};
    sync();
    for (size_t i = 0; i < WEFT_COUNT_OF(places); i++) {
        if (umount2(places[i], 0) == 0 || errno == EINVAL || errno == ENOENT) continue;
        if (mount(NULL, places[i], NULL, MS_REMOUNT | MS_RDONLY, NULL) != 0)
            weft_say_error(say, "%s cannot be left: %s", places[i], strerror(errno));
    }
    sync();
}
