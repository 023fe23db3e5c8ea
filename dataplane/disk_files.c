#include "dataplane/disk_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/base/assert.h"
#include "runtime/base/units.h"
#include "runtime/env/disk.h"

enum { NAME_BYTES = 32, ZERO_BLOCKS = 64 };

static void name_of(char name[NAME_BYTES], uint32_t file)
{
    snprintf(name, NAME_BYTES, "journal-%08u.wal", file);
}

// Does the file system take O_DIRECT? Asked with a file of its own.
static bool probe_direct(int directory)
{
    const int fd = openat(directory, ".", O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
    if (fd >= 0 || errno == EINVAL) return fd >= 0;
    // No O_TMPFILE here (overlay of old): ask with a name.
    const int named = openat(directory, "probe.tmp", O_CREAT | O_RDWR | O_DIRECT | O_CLOEXEC, 0600);
    if (named >= 0) close(named);
    unlinkat(directory, "probe.tmp", 0);
    return named >= 0;
}

int weft_disk_files_open(struct weft_disk_files *files, const char *path)
{
    memset(files, 0, sizeof(*files));
    if (mkdir(path, 0700) < 0 && errno != EEXIST) return -errno;
    files->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (files->directory < 0) return -errno;
    if (flock(files->directory, LOCK_EX | LOCK_NB) < 0) {
        const int error = errno == EWOULDBLOCK ? EBUSY : errno;
        close(files->directory);
        return -error;
    }
    files->is_direct = probe_direct(files->directory);
    return 0;
}

void weft_disk_files_close(struct weft_disk_files *files)
{
    for (uint32_t i = 0; i < WEFT_DISK_FILES_OPEN; i++) {
        if (files->open[i].file == 0) continue;
        weft_assert(files->open[i].write_count == 0);
        close(files->open[i].fd);
    }
    close(files->directory);
}

// The place of `file` in the table, or -1. Acquire pairs with the release store in install: the
// descriptor there is that file's.
static int find(const struct weft_disk_files *files, uint32_t file)
{
    for (int i = 0; i < WEFT_DISK_FILES_OPEN; i++)
        if (atomic_load_explicit(&files->open[i].file, memory_order_acquire) == file) return i;
    return -1;
}

// Takes `file` out of its place. True for the one thread that did: the descriptor is then its own.
static bool take_out(struct weft_disk_files *files, int place, uint32_t file, int *fd)
{
    *fd = atomic_load_explicit(&files->open[place].fd, memory_order_relaxed);
    // Should the place hold another file by now, then the descriptor just read may be that one's,
    // and the exchange fails. Acquire and release: the place is filled again only after this.
    return atomic_compare_exchange_strong_explicit(&files->open[place].file, &file, 0,
                                                   memory_order_acq_rel, memory_order_relaxed);
}

// A free place, closing a descriptor that nobody writes to if it must; or -EMFILE.
static int take_place(struct weft_disk_files *files)
{
    const int empty = find(files, 0);
    if (empty >= 0) return empty;
    for (int i = 0; i < WEFT_DISK_FILES_OPEN; i++) {
        int fd;
        const uint32_t file = atomic_load_explicit(&files->open[i].file, memory_order_relaxed);
        if (file == 0) return i; // The other thread has just taken it out.
        if (files->open[i].write_count > 0) continue;
        if (take_out(files, i, file, &fd)) close(fd);
        return i;
    }
    return -EMFILE;
}

static int open_file(const struct weft_disk_files *files, uint32_t file, int flags)
{
    char name[NAME_BYTES];
    name_of(name, file);
    const int direct = files->is_direct ? O_DIRECT : 0;
    const int fd = openat(files->directory, name, O_RDWR | O_CLOEXEC | direct | flags, 0600);
    return fd < 0 ? -errno : fd;
}

// Opens `file` into a place of the table, which it answers; or a negative errno.
static int install(struct weft_disk_files *files, uint32_t file)
{
    const int fd = open_file(files, file, 0);
    if (fd < 0) return fd;
    const int place = take_place(files);
    if (place < 0) {
        close(fd);
        return place;
    }
    atomic_store_explicit(&files->open[place].fd, fd, memory_order_relaxed);
    files->open[place].write_count = 0;
    // Pairs with the acquire loads in find.
    atomic_store_explicit(&files->open[place].file, file, memory_order_release);
    return place;
}

int weft_disk_files_get(struct weft_disk_files *files, uint32_t file)
{
    if (file == 0) return -EINVAL;
    int place = find(files, file);
    if (place < 0) place = install(files, file);
    if (place < 0) return place;
    files->open[place].write_count++;
    return atomic_load_explicit(&files->open[place].fd, memory_order_relaxed);
}

void weft_disk_files_put(struct weft_disk_files *files, uint32_t file)
{
    const int place = find(files, file);
    weft_assert(place >= 0 && files->open[place].write_count > 0);
    files->open[place].write_count--;
}

static void forget(struct weft_disk_files *files, uint32_t file)
{
    int fd;
    const int place = find(files, file);
    if (place >= 0 && take_out(files, place, file, &fd)) close(fd);
}

int weft_disk_files_read(struct weft_disk_files *files, uint32_t file, uint64_t block, void *blocks,
                         uint32_t block_count)
{
    const int fd = open_file(files, file, 0);
    if (fd < 0) return fd;
    const size_t length = (size_t)block_count * WEFT_DISK_BLOCK_BYTES;
    size_t at = 0;
    int result = 0;
    // A process killed a moment ago has left what it wrote in the page cache or on its way; who
    // reads it now builds on it.
    if (block == 0 && fdatasync(fd) < 0) result = -errno;
    while (at < length && result == 0) {
        const off_t from = (off_t)(block * WEFT_DISK_BLOCK_BYTES + at);
        const ssize_t count = pread(fd, (uint8_t *)blocks + at, length - at, from);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) result = -errno;
        if (count <= 0) break;
        at += (size_t)count;
        if (at % WEFT_DISK_BLOCK_BYTES) break; // A file cut inside a block ends here.
    }
    memset((uint8_t *)blocks + at, 0, length - at);
    close(fd);
    return result;
}

// Zeros, and not fallocate alone: an unwritten extent would cost each durable write a change of the
// file system's own journal.
static int fill(int fd, uint64_t block_count)
{
    const off_t bytes = (off_t)(block_count * WEFT_DISK_BLOCK_BYTES);
    if (fallocate(fd, 0, 0, bytes) < 0 && errno != EOPNOTSUPP && errno != ENOSYS) return -errno;
    uint8_t *zeros = aligned_alloc(WEFT_DISK_BLOCK_BYTES, ZERO_BLOCKS * WEFT_DISK_BLOCK_BYTES);
    if (!zeros) return -ENOMEM;
    memset(zeros, 0, ZERO_BLOCKS * WEFT_DISK_BLOCK_BYTES);
    int result = 0;
    for (off_t at = 0; at < bytes && result == 0;) {
        size_t length = ZERO_BLOCKS * WEFT_DISK_BLOCK_BYTES;
        if ((off_t)length > bytes - at) length = (size_t)(bytes - at);
        const ssize_t count = pwrite(fd, zeros, length, at);
        if (count < 0 && errno != EINTR) result = -errno;
        if (count > 0) at += count;
    }
    free(zeros);
    if (result == 0 && fsync(fd) < 0) result = -errno;
    return result;
}

int weft_disk_files_create(struct weft_disk_files *files, uint32_t file, uint64_t block_count)
{
    char name[NAME_BYTES];
    if (file == 0) return -EINVAL;
    forget(files, file);
    const int fd = open_file(files, file, O_CREAT | O_TRUNC);
    if (fd < 0) return fd;
    int result = fill(fd, block_count);
    if (result == 0 && fsync(files->directory) < 0) result = -errno;
    close(fd);
    name_of(name, file);
    if (result < 0) unlinkat(files->directory, name, 0);
    return result;
}

int weft_disk_files_remove(struct weft_disk_files *files, uint32_t file)
{
    char name[NAME_BYTES];
    name_of(name, file);
    forget(files, file);
    if (unlinkat(files->directory, name, 0) < 0) return errno == ENOENT ? 0 : -errno;
    return fsync(files->directory) < 0 ? -errno : 0;
}

// The number in "journal-00000001.wal"; 0 if the name is of another kind.
static uint32_t number_of(const char *name)
{
    char again[NAME_BYTES];
    unsigned int number = 0;
    if (sscanf(name, "journal-%10u.wal", &number) != 1) return 0;
    name_of(again, number);
    return strcmp(name, again) == 0 ? number : 0;
}

static int by_number(const void *a, const void *b)
{
    const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

int weft_disk_files_list(struct weft_disk_files *files, uint32_t *numbers, uint32_t limit)
{
    const int fd = openat(files->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -errno;
    DIR *directory = fdopendir(fd);
    if (!directory) {
        close(fd);
        return -ENOMEM;
    }
    uint32_t count = 0;
    bool is_full = false;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        const uint32_t number = number_of(entry->d_name);
        if (number == 0) continue;
        if (count == limit) is_full = true;
        if (count < limit) numbers[count++] = number;
    }
    closedir(directory);
    qsort(numbers, count, sizeof(*numbers), by_number);
    return is_full ? -ENFILE : (int)count;
}
