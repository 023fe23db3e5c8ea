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
#include "runtime/base/file.h"

#define RECORDS_MAX  128 // More are taken at the next boot.
#define RECORD_BYTES (256u << 10)
#define PREFIX       "panic-"
#define ONE_DUMP_S   60 // The parts of a dump are written at once; each has its own time.

struct record {
    char path[PATH_MAX];
    const char *name;
    char dump[32]; // "Panic-1": which one it is a part of; "": it does not say.
    unsigned part;
    time_t at;
    bool is_done;
};

// ---- What there is.

static void read_head(struct record *record)
{
    char text[64], reason[16];
    unsigned number, part;
    struct stat status;
    int used = 0;
    record->at = stat(record->path, &status) == 0 ? status.st_mtime : 0;
    weft_text_file_read(record->path, text, sizeof(text)); // More than that is not looked at.
    if (sscanf(text, "%15[A-Za-z]#%u Part%u%n", reason, &number, &part, &used) != 3) return;
    if (used == 0 || text[used] != '\n') return;
    snprintf(record->dump, sizeof(record->dump), "%s-%u", reason, number);
    record->part = part;
}

static int is_record(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

// ---- A dump as one text.

// The part of the same dump with the highest number below `below`: the oldest text that is left.
static struct record *next_part(struct record *records, size_t count, const struct record *of,
                                unsigned below)
{
    struct record *found = NULL;
    for (size_t i = 0; i < count; i++) {
        struct record *one = &records[i];
        if (one->is_done || strcmp(one->dump, of->dump) != 0 || one->part >= below) continue;
        if (one->at - of->at > ONE_DUMP_S || of->at - one->at > ONE_DUMP_S) continue;
        if (found == NULL || one->part > found->part) found = one;
    }
    return found;
}

static int add_text(const struct record *record, FILE *out)
{
    char *text = malloc(RECORD_BYTES);
    if (text == NULL) return -ENOMEM;
    const ssize_t length = weft_text_file_read(record->path, text, RECORD_BYTES);
    if (length >= 0) {
        const char *head = record->dump[0] != '\0' ? memchr(text, '\n', (size_t)length) : NULL;
        const size_t skip = head != NULL ? (size_t)(head + 1 - text) : 0;
        fwrite(text + skip, 1, (size_t)length - skip, out);
        if (length > 0 && text[length - 1] != '\n') fputc('\n', out);
    }
    free(text);
    return length < 0 ? (int)length : 0;
}

// Writes the dump that `first` is a part of; `chosen` becomes its parts. Negative errno.
static int join(struct record *records, size_t count, struct record *first,
                struct record *chosen[RECORDS_MAX], size_t *chosen_count, FILE *out)
{
    struct record *part;
    int result = 0;
    *chosen_count = 0;
    if (first->dump[0] == '\0') {
        chosen[(*chosen_count)++] = first;
        return add_text(first, out);
    }
    for (unsigned below = UINT_MAX;
         result == 0 && (part = next_part(records, count, first, below)) != NULL;
         below = part->part) {
        chosen[(*chosen_count)++] = part;
        result = add_text(part, out);
    }
    return result;
}

static int move(struct record *records, size_t count, struct record *first, const char *logs)
{
    struct record *chosen[RECORDS_MAX];
    char to[PATH_MAX], at[32], *text = NULL;
    size_t chosen_count, length = 0;
    struct tm tm;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL) return -ENOMEM;
    int result = join(records, count, first, chosen, &chosen_count, out);
    if (fclose(out) != 0 && result == 0) result = -ENOMEM;
    gmtime_r(&first->at, &tm);
    strftime(at, sizeof(at), "%Y%m%dT%H%M%S", &tm);
    snprintf(to, sizeof(to), "%s/" PREFIX "%s-%s", logs, at,
             first->dump[0] != '\0' ? first->dump : first->name);
    if (result == 0) result = weft_file_replace(to, text, length, 0600);
    free(text);
    for (size_t i = 0; i < chosen_count; i++) {
        chosen[i]->is_done = true;
        if (result == 0 && unlink(chosen[i]->path) != 0) result = -errno;
    }
    return result;
}

static int move_all(struct record *records, size_t count, const char *logs)
{
    int moved = 0, result = 0;
    for (size_t i = 0; i < count; i++) {
        if (records[i].is_done) continue;
        const int failure = move(records, count, &records[i], logs);
        records[i].is_done = true;
        if (failure == 0)
            moved++;
        else if (result == 0)
            result = failure;
    }
    return result < 0 ? result : moved;
}

// ---- What is kept.

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
        if (i < count - WEFT_PANIC_LOG_KEPT) unlink(path);
        if (i == count - 1) snprintf(newest, size, "%s", path);
        free(entries[i]);
    }
    free(entries);
}

int weft_panic_log_take(const char *pstore, const char *logs, char *newest, size_t size)
{
    struct dirent **entries = NULL;
    struct record *records = calloc(RECORDS_MAX, sizeof(*records));
    const int found = records == NULL ? -1 : scandir(pstore, &entries, is_record, alphasort);
    size_t count = 0;
    for (int i = 0; i < found && count < RECORDS_MAX; i++) {
        struct record *record = &records[count++];
        snprintf(record->path, sizeof(record->path), "%s/%s", pstore, entries[i]->d_name);
        record->name = entries[i]->d_name;
        read_head(record);
    }
    const int result = move_all(records, count, logs);
    for (int i = 0; i < found; i++)
        free(entries[i]);
    free(entries);
    free(records);
    keep_newest(logs, newest, size);
    return result;
}
