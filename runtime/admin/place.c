#include "runtime/admin/place.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/admin/text.h"

int weft_place_run(char run[WEFT_PLACE_BYTES], struct weft_error *error)
{
    const char *chosen = getenv("WEFT_RUN_DIR"), *runtime = getenv("XDG_RUNTIME_DIR");
    int length;

    if (chosen != NULL && chosen[0] != '\0') {
        length = snprintf(run, WEFT_PLACE_BYTES, "%s", chosen);
    } else if (geteuid() == 0) {
        length = snprintf(run, WEFT_PLACE_BYTES, "/run/weft");
    } else if (runtime != NULL && runtime[0] == '/') {
        length = snprintf(run, WEFT_PLACE_BYTES, "%s/weft", runtime);
    } else {
        length = snprintf(run, WEFT_PLACE_BYTES, "/tmp/weft-%u", (unsigned)geteuid());
    }
    if (length > 0 && length < WEFT_PLACE_BYTES) return 0;
    weft_error_set(error, 501, "the run directory's path is longer than %d bytes",
                   WEFT_PLACE_BYTES - 1);
    weft_error_hint(error, "set WEFT_RUN_DIR to a shorter one");
    return -1;
}

int weft_place_check(const char *run, struct weft_error *error)
{
    struct stat status;

    if (lstat(run, &status) < 0) {
        if (errno == ENOENT) return 1;
        return weft_error_set(error, 501, "%s: %s", run, strerror(errno));
    }
    if (!S_ISDIR(status.st_mode)) return weft_error_set(error, 502, "%s is not a directory", run);
    // Root may look into a user's; nobody trusts a stranger's.
    if (status.st_uid != geteuid() && geteuid() != 0) {
        return weft_error_set(error, 502, "%s belongs to user %u", run, (unsigned)status.st_uid);
    }
    if ((status.st_mode & 077) != 0) {
        weft_error_set(error, 502, "%s is open to other users (mode %03o)", run,
                       (unsigned)(status.st_mode & 0777));
        weft_error_hint(error, "chmod 700 %.200s", run);
        return -1;
    }
    return 0;
}

int weft_place_make(const char *run, const char *name, struct weft_error *error)
{
    char path[WEFT_PLACE_BYTES + 72];

    if (mkdir(run, 0700) < 0 && errno != EEXIST) {
        return weft_error_set(error, 501, "%s: %s", run, strerror(errno));
    }
    if (weft_place_check(run, error) < 0) return -1;
    if (name == NULL) return 0;
    snprintf(path, sizeof(path), "%s/%s", run, name);
    if (mkdir(path, 0700) < 0 && errno != EEXIST) {
        return weft_error_set(error, 501, "%s: %s", path, strerror(errno));
    }
    return weft_place_check(path, error);
}

int weft_place_socket(const char *run, const char *name, char socket_path[108],
                      struct weft_error *error)
{
    if (!weft_admin_name_valid(name, strlen(name))) {
        return weft_error_set(error, 504, "\"%.64s\" cannot be the name of a node", name);
    }
    const int length = snprintf(socket_path, 108, "%s/%s/admin.sock", run, name);
    if (length > 0 && length < 108) return 0;
    return weft_error_set(error, 501, "%s/%s/admin.sock is too long for a socket", run, name);
}

// Numbers within names count as numbers.
static int compare(const void *a, const void *b)
{
    return strverscmp((const char *)a, (const char *)b);
}

size_t weft_place_nodes(const char *run, char names[][64], size_t limit)
{
    DIR *directory = opendir(run);
    const struct dirent *entry;
    size_t count = 0;

    if (directory == NULL) return 0;
    while (count < limit && (entry = readdir(directory)) != NULL) {
        char path[108];
        struct stat status;
        if (weft_place_socket(run, entry->d_name, path, NULL) < 0) continue;
        if (lstat(path, &status) < 0 || !S_ISSOCK(status.st_mode)) continue;
        memcpy(names[count++], entry->d_name, strlen(entry->d_name) + 1); // A valid name: below 64.
    }
    closedir(directory);
    qsort(names, count, 64, compare);
    return count;
}
