#include "runtime/lab/lock.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_PATH_BYTES (WEFT_PLACE_BYTES + 32)
#define MADE_RUN        "made " // The word in the lock file that says who made the run directory.

static void lock_path(const char *run, char path[LOCK_PATH_BYTES])
{
    snprintf(path, LOCK_PATH_BYTES, "%s/lab.lock", run);
}

static pid_t read_lock(int fd, bool *made_run)
{
    char text[64] = "";
    int pid = 0;

    if (pread(fd, text, sizeof(text) - 1, 0) <= 0) return 0;
    if (made_run != NULL) *made_run = strncmp(text, MADE_RUN, strlen(MADE_RUN)) == 0;
    const char *digits = text + strcspn(text, "0123456789");
    return sscanf(digits, "%d", &pid) == 1 ? (pid_t)pid : 0;
}

pid_t weft_lab_lock_holder(const char *run)
{
    char path[LOCK_PATH_BYTES];
    struct flock probe = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    lock_path(run, path);
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return 0;
    pid_t pid = 0;
    if (fcntl(fd, F_OFD_GETLK, &probe) == 0 && probe.l_type != F_UNLCK) pid = read_lock(fd, NULL);
    close(fd);
    return pid;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    (void)remove(path);
    return 0;
}

static bool is_node_directory(const char *name)
{
    if (name[0] != 'n' || !isdigit((unsigned char)name[1]) || strlen(name) > 3) return false;
    return name[2] == '\0' || isdigit((unsigned char)name[2]);
}

// A node's directory is the lab's if it holds the configuration that the lab writes.
static bool is_ours(const char *run, const char *name)
{
    static const char *const files[] = {"lab.sock", "cluster.key", "switch", "udp-calc.fth"};
    char path[WEFT_PLACE_BYTES + 300];

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        if (strcmp(name, files[i]) == 0) return true;
    }
    if (!is_node_directory(name)) return false;
    snprintf(path, sizeof(path), "%s/%s/weft.toml", run, name);
    if (access(path, F_OK) == 0) return true;
    snprintf(path, sizeof(path), "%s/%s", run, name);
    return rmdir(path) == 0; // Made, and killed before it was filled.
}

unsigned weft_lab_clean(const char *run)
{
    DIR *directory = opendir(run);
    const struct dirent *entry;
    unsigned count = 0;

    if (directory == NULL) return 0;
    while ((entry = readdir(directory)) != NULL) {
        char path[WEFT_PLACE_BYTES + 300];
        if (!is_ours(run, entry->d_name)) continue;
        snprintf(path, sizeof(path), "%s/%s", run, entry->d_name);
        nftw(path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
        count++;
    }
    closedir(directory);
    return count;
}

// Locks the file that the path names now: whoever held it before may have removed it meanwhile. 1
// if a lock file was there before, 0 if it is new, -1 if another holds it or with errno.
static int take(const char *path, int *taken)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct stat held, named;

    for (;;) {
        int found = 1;
        int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0 && errno == ENOENT) {
            found = 0;
            fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        }
        if (fd < 0) return -1;
        if (fcntl(fd, F_OFD_SETLK, &whole) < 0) {
            const int reason = errno;
            close(fd);
            errno = reason;
            return -1;
        }
        if (fstat(fd, &held) == 0 && lstat(path, &named) == 0 && held.st_ino == named.st_ino) {
            *taken = fd;
            return found;
        }
        close(fd);
    }
}

int weft_lab_lock_take(struct weft_lab_lock *lock, const char *run, bool *stale,
                       struct weft_error *error)
{
    char path[LOCK_PATH_BYTES], text[64];
    struct stat status;
    bool made_before = false;

    *lock = (struct weft_lab_lock){.fd = -1, .made_run = lstat(run, &status) < 0};
    snprintf(lock->run, sizeof(lock->run), "%s", run);
    if (weft_place_make(run, NULL, error) < 0) return -1;
    lock_path(run, path);
    const int found = take(path, &lock->fd);
    if (found < 0) {
        const int reason = errno;
        const pid_t pid = weft_lab_lock_holder(run);
        if (reason != EAGAIN && reason != EACCES)
            return weft_error_set(error, 601, "%s: %s", path, strerror(reason));
        weft_error_set(error, 601, "a lab runs already in %s: process %d", run, (int)pid);
        weft_error_hint(error, "`weft lab ls` shows it, `weft lab down` ends it");
        return -1;
    }
    if (found > 0) (void)read_lock(lock->fd, &made_before);
    const bool left = found > 0 && weft_lab_clean(run) > 0;
    if (stale != NULL) *stale = left;
    lock->made_run = lock->made_run || made_before;
    const int length =
        snprintf(text, sizeof(text), "%s%d\n", lock->made_run ? MADE_RUN : "found ", (int)getpid());
    if (ftruncate(lock->fd, 0) < 0 || pwrite(lock->fd, text, (size_t)length, 0) != length) {
        weft_error_set(error, 601, "%s: %s", path, strerror(errno));
        weft_lab_lock_release(lock, false);
        return -1;
    }
    return 0;
}

bool weft_lab_lock_release(struct weft_lab_lock *lock, bool keep)
{
    char path[LOCK_PATH_BYTES];
    bool left = false;

    if (lock->fd < 0) return false;
    if (!keep) {
        weft_lab_clean(lock->run);
        left = weft_lab_clean(lock->run) > 0; // Told after looking, not after trying.
        lock_path(lock->run, path);
        unlink(path);
        if (lock->made_run) (void)rmdir(lock->run);
    }
    close(lock->fd); // A kept lock file, held by nobody, is what the next lab cleans by.
    lock->fd = -1;
    return left;
}
