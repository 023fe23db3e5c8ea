#include "image/init/install.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/init/aside.h"
#include "image/init/boot_entry.h"
#include "image/init/disk_copy.h"
#include "image/init/install_wish.h"
#include "image/init/text_file.h"
#include "image/update/gpt_device.h"
#include "runtime/base/file.h"
#include "runtime/base/units.h"

#define PLACE         "/run/weft/target"
#define WISH_BYTES    4096
#define SECTOR_BYTES  512 // No cluster of a FAT file system is smaller.
#define OTHER_SECTORS "the disk has sectors of another size than 512 bytes"

struct job {
    const struct weft_disks_entry *from, *to;
    int from_fd, to_fd;
    char slot;
    struct weft_watchdog *watchdog;
    struct weft_say *say;
};

// ---- What is not to be the same there.

// The kernel is told of a partition that no table names yet, so that its file system can be
// mounted.
static int tell_kernel(int fd, int verb, int number, const struct weft_gpt_part *part)
{
    struct blkpg_partition one = {.pno = number};
    if (part != NULL) {
        one.start = (long long)(part->first * WEFT_GPT_SECTOR);
        one.length = (long long)((part->last - part->first + 1) * WEFT_GPT_SECTOR);
    }
    struct blkpg_ioctl_arg argument = {.op = verb, .datalen = sizeof(one), .data = &one};
    return ioctl(fd, BLKPG, &argument) == 0 ? 0 : -errno;
}

static int forget(const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), PLACE "/%s", name);
    return unlink(path) == 0 || errno == ENOENT ? 0 : -errno;
}

static int edit_esp(struct job *job)
{
    return weft_boot_entry_only(PLACE, job->slot);
}

static int edit_conf(struct job *job)
{
    static const char *const gone[] = {"INSTALL",       "INSTALL.txt", "INSTALLED",
                                       "INSTALLED.txt", "RESET",       "RESET.txt",
                                       "ADOPT",         "ADOPT.txt",   "status.txt"};
    int result = 0;
    (void)job;
    for (size_t i = 0; i < WEFT_COUNT_OF(gone) && result == 0; i++) {
        result = forget(gone[i]);
    }
    return result;
}

static int edit_part(struct job *job, int number, const struct weft_gpt_part *part,
                     int (*change)(struct job *job))
{
    char device[80];
    const char *disk = job->to->disk.device;
    const bool ends_in_digit = isdigit((unsigned char)disk[strlen(disk) - 1]) != 0;
    snprintf(device, sizeof(device), "%s%s%d", disk, ends_in_digit ? "p" : "", number);
    int result = tell_kernel(job->to_fd, BLKPG_ADD_PARTITION, number, part);
    if (result != 0) return result;
    if (mount(device, PLACE, "vfat", MS_NOSUID | MS_NODEV | MS_NOEXEC, "shortname=mixed") != 0)
        result = -errno;
    if (result == 0) {
        result = change(job);
        sync();
        if (umount2(PLACE, 0) != 0 && result == 0) result = -errno;
    }
    const int told = tell_kernel(job->to_fd, BLKPG_DEL_PARTITION, number, NULL);
    return result != 0 ? result : told;
}

static int edit(void *self, const struct weft_gpt_part *esp, const struct weft_gpt_part *conf)
{
    struct job *job = self;
    mkdir(PLACE, 0700);
    ioctl(job->to_fd, BLKRRPART); // What the kernel knew of the disk before.
    const int result = edit_part(job, 1, esp, edit_esp);
    return result != 0 ? result : edit_part(job, 2, conf, edit_conf);
}

static void progress(void *self, const char *what, unsigned percent)
{
    const struct job *job = self;
    weft_watchdog_guard_renew(job->watchdog);
    weft_say_line(job->say, "install: %u %%, %s", percent, what);
}

// ---- Whether.

static int may_write(const struct job *job, bool erase, char why[256])
{
    const int is_empty = weft_disk_copy_is_empty(job->to_fd, job->to->disk.bytes);
    if (is_empty < 0) {
        snprintf(why, 256, "%s cannot be read: %s", job->to->disk.device, strerror(-is_empty));
        return is_empty;
    }
    if (is_empty == 1 || erase) return 0;
    snprintf(why, 256, "%s is not empty%s: it is written over only when INSTALL says \"%s erase\"",
             job->to->disk.device, job->to->is_ours ? " (another Weft disk)" : "",
             job->to->disk.device);
    return -EEXIST;
}

// Nobody else has it: not one of its partitions is mounted. Held like that, ours could not be
// either.
static int check_unused(const char *device)
{
    const int fd = open(device, O_RDONLY | O_CLOEXEC | O_EXCL);
    if (fd < 0) return -errno;
    close(fd);
    return 0;
}

static int open_disks(struct job *job, char why[256])
{
    const char *device = job->to->disk.device;
    int result = job->to->has_root ? 0 : check_unused(device);
    if (result == 0) job->to_fd = open(device, O_RDWR | O_CLOEXEC);
    if (result == 0 && job->to_fd < 0) result = -errno;
    if (result == 0) {
        device = job->from->disk.device;
        job->from_fd = open(device, O_RDONLY | O_CLOEXEC);
        if (job->from_fd < 0) result = -errno;
    }
    if (result != 0) snprintf(why, 256, "%s cannot be opened: %s", device, strerror(-result));
    return result != 0 ? result : weft_gpt_device_check(job->to_fd);
}

static int copy(struct job *job, char why[256])
{
    const struct weft_disk_copy with = {.from = job->from_fd,
                                        .to = job->to_fd,
                                        .from_bytes = job->from->disk.bytes,
                                        .to_bytes = job->to->disk.bytes,
                                        .slot = job->slot,
                                        .edit = edit,
                                        .progress = progress,
                                        .self = job};
    char reason[160];
    const int result = weft_disk_copy_run(&with, reason);
    if (result != 0) snprintf(why, 256, "%s: %s", job->to->disk.device, reason);
    return result;
}

// The first half: what is read from it now was in memory or still lies there; the machine goes on
// until it starts again.
static int take_away(const struct job *job, char why[256])
{
    const struct weft_gpt_disk sectors = weft_gpt_device(&job->to_fd, job->to->disk.bytes);
    const int result = weft_gpt_erase(&sectors);
    if (result != 0)
        snprintf(why, 256, "%s: its table cannot be taken away: %s", job->to->disk.device,
                 strerror(-result));
    return result;
}

static int find(struct job *job, const char *text, const struct weft_disks *disks,
                struct weft_install_wish *wish, char why[256])
{
    job->from = &disks->entries[disks->started];
    // Without that, the disk that runs could be taken for another one.
    if (disks->count == 0 || !job->from->is_ours) {
        snprintf(why, 256,
                 "the partition table of the disk that this node runs from cannot be read");
        return -ENODEV;
    }
    if (!weft_install_wish_parse(wish, text, why)) return -EINVAL;
    job->to = weft_install_wish_find(wish, disks, why);
    return job->to != NULL ? 0 : -ENODEV;
}

static void close_disks(const struct job *job)
{
    if (job->from_fd >= 0) close(job->from_fd);
    if (job->to_fd >= 0) close(job->to_fd);
}

struct check {
    const char *words;
    const struct weft_disks *disks;
    struct {
        bool may;
        char why[256];
    } answer;
};

static void look(void *self)
{
    struct check *check = self;
    struct job job = {.from_fd = -1, .to_fd = -1};
    struct weft_install_wish wish;
    char *why = check->answer.why;
    snprintf(why, 256, OTHER_SECTORS);
    int result = find(&job, check->words, check->disks, &wish, why);
    if (result == 0) result = open_disks(&job, why);
    if (result == 0) result = may_write(&job, wish.erase, why);
    close_disks(&job);
    check->answer.may = result == 0;
}

bool weft_install_check(const char *words, const struct weft_disks *disks, uint64_t patience_ns,
                        char why[256])
{
    struct check check = {.words = words, .disks = disks};
    struct weft_aside aside;
    int result = weft_aside_ask(&aside, look, &check, &check.answer, sizeof(check.answer));
    if (result == 0)
        result = weft_aside_hear(&aside, &check.answer, sizeof(check.answer),
                                 weft_aside_now_ns() + patience_ns);
    if (result == 0)
        snprintf(why, 256, "%s", check.answer.why);
    else
        snprintf(why, 256, "the disk does not say what is on it: %s", strerror(-result));
    return result == 0 && check.answer.may;
}

// Was the table of this disk taken away before this start? What weft_install_note_again has put
// there begins so.
static bool was_begun(const char *text, const struct weft_disk *disk)
{
    char name[192], remark[256];
    weft_disks_name(disk, name, sizeof(name));
    snprintf(remark, sizeof(remark), WEFT_INSTALL_WISH_BEGUN "%s is erased", name);
    return strstr(text, remark) != NULL;
}

enum weft_install_end weft_install_run(const char *wish_path, const struct weft_disks *disks,
                                       char slot, struct weft_watchdog *watchdog,
                                       struct weft_say *say, char said[512])
{
    struct job job = {.from_fd = -1, .to_fd = -1, .slot = slot, .watchdog = watchdog, .say = say};
    struct weft_install_wish wish;
    char why[256] = OTHER_SECTORS, name[192], text[WISH_BYTES];
    const ssize_t length = weft_text_file_read(wish_path, text, sizeof(text));
    if (length < 0) snprintf(why, sizeof(why), "it cannot be read: %s", strerror((int)-length));
    int result = length < 0 ? (int)length : find(&job, text, disks, &wish, why);
    if (result == 0) result = open_disks(&job, why);
    if (result == 0) result = may_write(&job, wish.erase, why);
    const bool again = result == 0 && job.to->has_root;
    if (again && was_begun(text, &job.to->disk)) {
        snprintf(why, sizeof(why),
                 "%s has its table still, which was taken away before this start: it does not keep "
                 "what is written to it",
                 job.to->disk.device);
        result = -EIO;
    }
    if (result == 0) {
        weft_disks_name(&job.to->disk, name, sizeof(name));
        weft_say_line(say, "install: onto %s%s", name, wish.erase ? ", which is erased" : "");
        result = again ? take_away(&job, why) : copy(&job, why);
    }
    close_disks(&job);
    if (result != 0) {
        snprintf(said, 512, "%s: nothing is installed: %s", wish_path, why);
        return WEFT_INSTALL_REFUSED;
    }
    if (again) {
        snprintf(said, 512, "%s is erased; the machine starts again to install onto it", name);
        return WEFT_INSTALL_AGAIN;
    }
    snprintf(said, 512, "%s holds this image now. Take this medium out and start the machine",
             name);
    return WEFT_INSTALL_DONE;
}

int weft_install_note(const char *wish_path, const char *said)
{
    char text[WISH_BYTES + 1024];
    ssize_t used = weft_text_file_read(wish_path, text, WISH_BYTES);
    if (used < 0) used = 0;
    text[used] = '\0';
    char *begun = strstr(text, WEFT_INSTALL_WISH_BEGUN);
    if (begun != NULL) used = begun - text; // Done again, it begins again.
    used += snprintf(
        text + used, sizeof(text) - (size_t)used,
        "\r\n# %s.\r\n# Named INSTALL again, it is done once more at the next start.\r\n", said);
    const int result = weft_file_replace("/conf/INSTALLED", text, (size_t)used, 0600);
    if (result != 0) return result;
    return unlink(wish_path) == 0 ? 0 : -errno;
}

int weft_install_note_again(const char *wish_path, const char *said)
{
    char text[WISH_BYTES + 640];
    ssize_t used = weft_text_file_read(wish_path, text, WISH_BYTES);
    if (used < 0) return (int)used;
    const char *begun = strstr(text, WEFT_INSTALL_WISH_BEGUN);
    if (begun != NULL) used = begun - text; // For another disk.
    used += snprintf(text + used, sizeof(text) - (size_t)used,
                     "\r\n" WEFT_INSTALL_WISH_BEGUN "%s.\r\n", said);
    const int result = weft_text_file_write_over(wish_path, text, (size_t)used, SECTOR_BYTES);
    return result == -ENOSPC ? weft_file_replace(wish_path, text, (size_t)used, 0600) : result;
}
