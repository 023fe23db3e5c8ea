#include "runtime/node/crash_files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "runtime/base/units.h"

#define PREFIX "crash-"

void weft_crash_files_path(const char *directory, uint64_t wall_ns, char *path, size_t size)
{
    const time_t seconds = (time_t)(wall_ns / WEFT_NS_PER_S);
    struct tm tm;
    char at[32];
    gmtime_r(&seconds, &tm);
    strftime(at, sizeof(at), "%Y%m%dT%H%M%SZ", &tm);
    snprintf(path, size, "%s/" PREFIX "%s-%ld.new", directory, at, (long)getpid());
}

static int has_end(const char *name, const char *end)
{
    const size_t length = strlen(name), wanted = strlen(end);
    return length > wanted && strcmp(name + length - wanted, end) == 0;
}

static int is_report(const struct dirent *entry)
{
    return strncmp(entry->d_name, PREFIX, sizeof(PREFIX) - 1) == 0 &&
           (has_end(entry->d_name, ".new") || has_end(entry->d_name, ".txt"));
}

uint32_t weft_crash_files_take(const char *directory, char *path, size_t size)
{
    struct dirent **entries = NULL;
    uint32_t told = 0;
    path[0] = '\0';
    const int count = scandir(directory, &entries, is_report, alphasort); // The names sort by time.
    for (int i = 0; i < count; i++) {
        char *name = entries[i]->d_name;
        char from[512], to[512];
        snprintf(from, sizeof(from), "%s/%s", directory, name);
        if (count - i > WEFT_CRASH_FILES_KEPT) {
            unlink(from);
        } else if (has_end(name, ".new")) {
            snprintf(to, sizeof(to), "%s/%.*s.txt", directory, (int)(strlen(name) - 4), name);
            if (rename(from, to) == 0) {
                snprintf(path, size, "%s", to);
                told++;
            }
        }
        free(entries[i]);
    }
    free(entries);
    return told;
}
