#include "image/init/panic_log.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "image/init/text_file.h"

#define KEPT         8
#define RECORD_BYTES (256u << 10)
#define PREFIX       "panic-"

static int move(const char *from, const char *logs, const char *name)
{
    char to[PATH_MAX], at[32];
    struct stat status;
    struct tm tm;
    char *bytes = malloc(RECORD_BYTES);
    if (bytes == NULL) return -ENOMEM;
    ssize_t length = stat(from, &status) == 0 ? 0 : -errno;
    if (length == 0) length = weft_text_file_read(from, bytes, RECORD_BYTES);
    int result = length < 0 ? (int)length : 0;
    if (result == 0) {
        gmtime_r(&status.st_mtime, &tm);
        strftime(at, sizeof(at), "%Y%m%dT%H%M%S", &tm);
        snprintf(to, sizeof(to), "%s/" PREFIX "%s-%s", logs, at, name);
        result = weft_text_file_replace(to, bytes, (size_t)length, 0600);
    }
    free(bytes);
    if (result == 0 && unlink(from) != 0) result = -errno;
    return result;
}

static int is_record(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int is_kept(const struct dirent *entry)
{
    return strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0;
}

// The time is in front in their names: by name is by age.
static void keep_newest(const char *logs, char *newest, size_t size)
{
    struct dirent **entries = NULL;
    const int count = scandir(logs, &entries, is_kept, alphasort);
    newest[0] = '\0';
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof(path), "%s/%s", logs, entries[i]->d_name);
        if (i < count - KEPT) unlink(path);
        if (i == count - 1) snprintf(newest, size, "%s", path);
        free(entries[i]);
    }
    free(entries);
}

int weft_panic_log_take(const char *pstore, const char *logs, char *newest, size_t size)
{
    struct dirent **entries = NULL;
    int moved = 0, result = 0;
    const int count = scandir(pstore, &entries, is_record, alphasort);
    for (int i = 0; i < count; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof(path), "%s/%s", pstore, entries[i]->d_name);
        const int failure = move(path, logs, entries[i]->d_name);
        if (failure == 0)
            moved++;
        else if (result == 0)
            result = failure;
        free(entries[i]);
    }
    free(entries);
    keep_newest(logs, newest, size);
    return result < 0 ? result : moved;
}
