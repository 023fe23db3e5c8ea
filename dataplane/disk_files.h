// disk_files.h: the directory behind a struct weft_disk: journal-00000001.wal and so on.
//
// What uring_disk and disk_thread share: the descriptors, and the calls that block (read, create,
// remove, list), which run at start or on the control core. One thread writes (a worker, or the
// disk thread) and owns the table of descriptors; the other, when it makes or removes a file, takes
// that file's descriptor out of it. Whoever swaps the file's number for 0 closes the descriptor: no
// lock. Nobody writes to a file that is being made or removed (the journal sees to it), so its
// number cannot come back meanwhile.
//
// Only one process may use a directory: open takes a lock (flock) on it.
#ifndef WEFT_DATAPLANE_DISK_FILES_H
#define WEFT_DATAPLANE_DISK_FILES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define WEFT_DISK_FILES_OPEN 64 // Descriptors kept open, at most; writes go to one or two of them.

struct weft_disk_files {
    int directory;  // Descriptor.
    bool is_direct; // O_DIRECT; false where the file system refuses it (tmpfs).
    struct {
        _Atomic uint32_t file; // 0: free.
        _Atomic int fd;        // Written before `file`, by the thread that writes.
        uint32_t write_count;  // In flight: it is not closed before they end. Of that thread.
    } open[WEFT_DISK_FILES_OPEN];
};

// Opens the directory `path`, and makes it (mode 0700) if it is missing. 0; -EBUSY: another process
// has it; or another negative errno.
int weft_disk_files_open(struct weft_disk_files *files, const char *path);
// No write is in flight any more.
void weft_disk_files_close(struct weft_disk_files *files);

// The descriptor to write `file` with, held until weft_disk_files_put. Or a negative errno. These
// two: only the thread that writes.
int weft_disk_files_get(struct weft_disk_files *files, uint32_t file);
void weft_disk_files_put(struct weft_disk_files *files, uint32_t file);

// As struct weft_disk has them.
int weft_disk_files_read(struct weft_disk_files *files, uint32_t file, uint64_t block, void *blocks,
                         uint32_t block_count);
int weft_disk_files_create(struct weft_disk_files *files, uint32_t file, uint64_t block_count);
int weft_disk_files_remove(struct weft_disk_files *files, uint32_t file);
int weft_disk_files_list(struct weft_disk_files *files, uint32_t *numbers, uint32_t limit);

#endif // WEFT_DATAPLANE_DISK_FILES_H
