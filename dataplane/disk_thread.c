#include "dataplane/disk_thread.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "dataplane/disk_files.h"

enum { WRITES = 16 };

struct order { // One write.
    uint32_t file;
    uint32_t block_count;
    uint64_t block;
    const uint8_t *blocks;
    uint64_t cookie;
    int32_t result;
};

struct weft_disk_thread {
    struct weft_disk_files files;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t ordered;
    // A ring of orders: taken <= ended <= given, each counting up; order n stands at n % WRITES.
    struct order orders[WRITES];
    uint64_t given;
    uint64_t ended;
    uint64_t taken;
    bool stop;
    int doorbell;
    _Atomic bool
        rings; // Set before the doorbell is written; lets poll skip the system call and the lock.
};

static int write_all(int fd, const struct order *order)
{
    const size_t length = (size_t)order->block_count * WEFT_DISK_BLOCK_BYTES;
    for (size_t at = 0; at < length;) {
        const struct iovec part = {(void *)(order->blocks + at), length - at};
        const off_t to = (off_t)(order->block * WEFT_DISK_BLOCK_BYTES + at);
        ssize_t count = pwritev2(fd, &part, 1, to, RWF_DSYNC);
        if (count < 0 && errno == EOPNOTSUPP) { // Not under qemu-user, nor in every file system.
            count = pwritev(fd, &part, 1, to);
            if (count > 0 && fdatasync(fd) < 0) return -errno;
        }
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return -errno;
        if (count == 0) return -EIO;
        at += (size_t)count;
    }
    return 0;
}

static int32_t perform(struct weft_disk_thread *disk, const struct order *order)
{
    const int fd = weft_disk_files_get(&disk->files, order->file);
    if (fd < 0) return fd;
    const int result = write_all(fd, order);
    weft_disk_files_put(&disk->files, order->file);
    return result;
}

static void ring(struct weft_disk_thread *disk)
{
    const uint64_t one = 1;
    atomic_store_explicit(&disk->rings, true, memory_order_release); // Pairs with poll's exchange.
    if (write(disk->doorbell, &one, sizeof(one)) < 0) return; // Full: it is readable already.
}

static void *serve(void *self)
{
    struct weft_disk_thread *disk = self;
    pthread_mutex_lock(&disk->mutex);
    for (;;) {
        while (disk->ended == disk->given && !disk->stop)
            pthread_cond_wait(&disk->ordered, &disk->mutex);
        if (disk->ended == disk->given) break;
        struct order *order = &disk->orders[disk->ended % WRITES];
        pthread_mutex_unlock(&disk->mutex);
        order->result = perform(disk, order);
        pthread_mutex_lock(&disk->mutex);
        disk->ended++;
        ring(disk);
    }
    pthread_mutex_unlock(&disk->mutex);
    return NULL;
}

int weft_disk_thread_open(struct weft_disk_thread **to, const char *path)
{
    struct weft_disk_thread *disk = calloc(1, sizeof(*disk));
    if (!disk) return -ENOMEM;
    int result = weft_disk_files_open(&disk->files, path);
    if (result < 0) goto free_disk;
    disk->doorbell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    result = disk->doorbell < 0 ? -errno : 0;
    if (result < 0) goto close_files;
    pthread_mutex_init(&disk->mutex, NULL);
    pthread_cond_init(&disk->ordered, NULL);
    result = -pthread_create(&disk->thread, NULL, serve, disk);
    if (result < 0) goto close_doorbell;
    pthread_setname_np(disk->thread, "weft-disk");
    *to = disk;
    return 0;

close_doorbell:
    pthread_cond_destroy(&disk->ordered);
    pthread_mutex_destroy(&disk->mutex);
    close(disk->doorbell);
close_files:
    weft_disk_files_close(&disk->files);
free_disk:
    free(disk);
    return result;
}

void weft_disk_thread_close(struct weft_disk_thread *disk)
{
    pthread_mutex_lock(&disk->mutex);
    disk->stop = true;
    pthread_cond_signal(&disk->ordered);
    pthread_mutex_unlock(&disk->mutex);
    pthread_join(disk->thread, NULL);
    pthread_cond_destroy(&disk->ordered);
    pthread_mutex_destroy(&disk->mutex);
    close(disk->doorbell);
    weft_disk_files_close(&disk->files);
    free(disk);
}

static int thread_write(void *self, uint32_t file, uint64_t block, const void *blocks,
                        uint32_t block_count, uint64_t cookie)
{
    struct weft_disk_thread *disk = self;
    int result = -ENOBUFS;
    pthread_mutex_lock(&disk->mutex);
    if (disk->given - disk->taken < WRITES) {
        disk->orders[disk->given % WRITES] =
            (struct order){file, block_count, block, blocks, cookie, 0};
        disk->given++;
        pthread_cond_signal(&disk->ordered);
        result = 0;
    }
    pthread_mutex_unlock(&disk->mutex);
    return result;
}

static uint32_t thread_poll(void *self, struct weft_disk_done *done, uint32_t limit)
{
    struct weft_disk_thread *disk = self;
    // Pairs with the release in ring: what had ended by then is seen under the lock.
    if (!atomic_exchange_explicit(&disk->rings, false, memory_order_acquire)) return 0;
    uint32_t count = 0;
    pthread_mutex_lock(&disk->mutex);
    // Under the lock, as ring: else the thread could ring just after, with nothing left to take.
    uint64_t rung;
    if (read(disk->doorbell, &rung, sizeof(rung)) < 0) rung = 0; // Not rung: also well.
    for (; disk->taken < disk->ended && count < limit; disk->taken++, count++) {
        const struct order *order = &disk->orders[disk->taken % WRITES];
        done[count] = (struct weft_disk_done){order->cookie, order->result};
    }
    if (disk->taken < disk->ended) ring(disk);
    pthread_mutex_unlock(&disk->mutex);
    return count;
}

static int thread_read(void *self, uint32_t file, uint64_t block, void *blocks,
                       uint32_t block_count)
{
    struct weft_disk_thread *disk = self;
    return weft_disk_files_read(&disk->files, file, block, blocks, block_count);
}

static int thread_create(void *self, uint32_t file, uint64_t block_count)
{
    struct weft_disk_thread *disk = self;
    return weft_disk_files_create(&disk->files, file, block_count);
}

static int thread_remove(void *self, uint32_t file)
{
    struct weft_disk_thread *disk = self;
    return weft_disk_files_remove(&disk->files, file);
}

static int thread_list(void *self, uint32_t *files, uint32_t limit)
{
    struct weft_disk_thread *disk = self;
    return weft_disk_files_list(&disk->files, files, limit);
}

struct weft_disk weft_disk_thread_disk(struct weft_disk_thread *disk)
{
    return (struct weft_disk){.write = thread_write,
                              .poll = thread_poll,
                              .read = thread_read,
                              .create = thread_create,
                              .remove = thread_remove,
                              .list = thread_list,
                              .self = disk};
}

int weft_disk_thread_doorbell_fd(const struct weft_disk_thread *disk)
{
    return disk->doorbell;
}
