#include "image/init/panic_log.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "image/init/text_file.h"

#define KEPT         8
#define REPORT_BYTES (256u << 10)
#define PREFIX       "panic-"

// What the kernel said comes in pieces of a kilobyte, each a record that begins with a line
// "Panic#1 Part2": Part1 is the end of it, Part2 what stood before that (fs/pstore/platform.c).
// By name they are in order of time, then of part.
struct report {
    char of[32];      // "Panic#1".
    unsigned part;    // Of the piece that was put in last.
    char name[384];   // Where it goes.
    int first, count; // Its records; none: there is no report.
    size_t length;
    char bytes[REPORT_BYTES];
};

struct taking {
    const char *pstore, *logs;
    struct dirent **entries;
    int moved, failure; // Records; the first errno, negative.
    struct report report;
    char piece[REPORT_BYTES];
};

static void note_failure(struct taking *taking, int result)
{
    if (result < 0 && taking->failure == 0) taking->failure = result;
}

static void path_of(const struct taking *taking, int index, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s", taking->pstore, taking->entries[index]->d_name);
}

// Records go when what was in them is safe.
static void finish(struct taking *taking)
{
    struct report *report = &taking->report;
    if (report->count == 0) return;
    const int result = weft_text_file_replace(report->name, report->bytes, report->length, 0600);
    note_failure(taking, result);
    for (int i = 0; result == 0 && i < report->count; i++) {
        char path[PATH_MAX];
        path_of(taking, report->first + i, path);
        if (unlink(path) == 0)
            taking->moved++;
        else
            note_failure(taking, -errno);
    }
    report->count = 0;
}

// The text behind the line of a piece. What has no such line is a report of its own.
static const char *read_header(const char *bytes, char of[32], unsigned *part)
{
    int used = 0;
    if (sscanf(bytes, "%31s Part%u%n", of, part, &used) == 2 && bytes[used] == '\n')
        return bytes + used + 1;
    of[0] = '\0';
    *part = 1;
    return bytes;
}

static void begin(struct taking *taking, int index, const struct stat *status)
{
    struct report *report = &taking->report;
    char at[32];
    struct tm tm;
    gmtime_r(&status->st_mtime, &tm);
    strftime(at, sizeof(at), "%Y%m%dT%H%M%S", &tm);
    snprintf(report->name, sizeof(report->name), "%s/" PREFIX "%s-%.256s", taking->logs, at,
             taking->entries[index]->d_name);
    report->first = index;
    report->length = 0;
}

static void put_in_front(struct report *report, const char *bytes)
{
    const size_t length = strlen(bytes);
    if (length > sizeof(report->bytes) - report->length) return; // What came after it is there.
    memmove(report->bytes + length, report->bytes, report->length);
    memcpy(report->bytes, bytes, length);
    report->length += length;
}

static void take(struct taking *taking, int index)
{
    struct report *report = &taking->report;
    char path[PATH_MAX], of[32];
    unsigned part;
    struct stat status;
    path_of(taking, index, path);
    ssize_t length = stat(path, &status) == 0 ? 0 : -errno;
    if (length == 0) length = weft_text_file_read(path, taking->piece, sizeof(taking->piece));
    if (length < 0) {
        note_failure(taking, (int)length);
        finish(taking); // Its records are in one row.
        return;
    }
    const char *text = read_header(taking->piece, of, &part);
    const bool goes_on = report->count > 0 && strcmp(of, report->of) == 0 && part > report->part;
    if (!goes_on) {
        finish(taking);
        begin(taking, index, &status);
    }
    snprintf(report->of, sizeof(report->of), "%s", of);
    report->part = part;
    report->count++;
    put_in_front(report, text);
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
    struct taking *taking = calloc(1, sizeof(*taking));
    int result = -ENOMEM;
    if (taking != NULL) {
        taking->pstore = pstore;
        taking->logs = logs;
        const int count = scandir(pstore, &taking->entries, is_record, alphasort);
        for (int i = 0; i < count; i++)
            take(taking, i);
        finish(taking);
        for (int i = 0; i < count; i++)
            free(taking->entries[i]);
        free(taking->entries);
        result = taking->failure != 0 ? taking->failure : taking->moved;
    }
    free(taking);
    keep_newest(logs, newest, size);
    return result;
}
