// forget.c: what a disk holds after its power failed: all that it was told to flush, and of the
// rest some.
//
//     forget DISK LOG POSITION SEED
//     forget LOG                       the positions where the power may fail, behind each write,
//                                      and the sector that it went to
//
// DISK is as it was when the machine started, LOG what QEMU's blklogwrites noted since (the format
// of Linux's Documentation/admin-guide/device-mapper/log-writes.rst), and the power fails when LOG
// has POSITION bytes. Every write up to the last flush before that is done to DISK; of those behind
// it each one or not, by the seed. QEMU's process may be killed at any moment without a byte being
// lost, since the host keeps what it was given: only this is a power cut.
#include <endian.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC  UINT64_C(0x6a736677736872)
#define SECTOR 512

enum { FLUSH = 1, FUA = 2, DISCARD = 4, MARK = 8 };

struct entry {
    uint64_t sector, sector_count, flags, data_bytes;
    long data_at;
};

struct log {
    FILE *file;
    struct entry *entries;
    size_t count, room;
};

// False at the end of the log.
static bool read_entry(struct log *log, struct entry *entry)
{
    uint64_t words[4];
    uint8_t rest[SECTOR - sizeof(words)];
    if (fread(words, sizeof(words), 1, log->file) != 1) return false;
    if (fread(rest, sizeof(rest), 1, log->file) != 1) return false;
    // The fourth word is the length of a mark, and of nothing else.
    const bool is_mark = (le64toh(words[2]) & MARK) != 0;
    *entry =
        (struct entry){le64toh(words[0]), le64toh(words[1]), le64toh(words[2]),
                       is_mark ? le64toh(words[3]) : le64toh(words[1]) * SECTOR, ftell(log->file)};
    const bool has_data = (entry->flags & DISCARD) == 0;
    const uint64_t stored = has_data ? (entry->data_bytes + SECTOR - 1) / SECTOR * SECTOR : 0;
    return fseek(log->file, (long)stored, SEEK_CUR) == 0 &&
           (entry->sector_count != 0 || entry->flags != 0);
}

static bool read_log(struct log *log, long position)
{
    uint64_t super[SECTOR / 8];
    if (fread(super, sizeof(super), 1, log->file) != 1 || le64toh(super[0]) != MAGIC) return false;
    for (struct entry entry; read_entry(log, &entry) && ftell(log->file) <= position;) {
        if (log->count == log->room) {
            log->room = log->room * 2 + 64;
            log->entries = realloc(log->entries, log->room * sizeof(entry));
            if (log->entries == NULL) return false;
        }
        log->entries[log->count++] = entry;
    }
    return true;
}

// How many are safe: those up to the last flush.
static size_t find_safe(const struct log *log)
{
    size_t count = log->count;
    while (count > 0 && (log->entries[count - 1].flags & FLUSH) == 0)
        count--;
    return count;
}

static bool redo(const struct log *log, const struct entry *entry, FILE *disk)
{
    bool done = fseek(log->file, entry->data_at, SEEK_SET) == 0 &&
                fseek(disk, (long)(entry->sector * SECTOR), SEEK_SET) == 0;
    for (uint64_t left = entry->data_bytes; done && left > 0;) {
        uint8_t bytes[65536];
        const size_t piece = left < sizeof(bytes) ? left : sizeof(bytes);
        done = fread(bytes, piece, 1, log->file) == 1 && fwrite(bytes, piece, 1, disk) == 1;
        left -= piece;
    }
    return done;
}

static int print_positions(const char *path)
{
    struct log log = {.file = fopen(path, "rb")};
    if (log.file == NULL || !read_log(&log, LONG_MAX)) return 1;
    for (size_t i = 0; i < log.count; i++)
        if (log.entries[i].sector_count != 0)
            printf("%llu %llu\n",
                   (unsigned long long)log.entries[i].data_at +
                       (unsigned long long)log.entries[i].data_bytes,
                   (unsigned long long)log.entries[i].sector);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2) return print_positions(argv[1]);
    if (argc != 5) return 64;
    struct log log = {.file = fopen(argv[2], "rb")};
    FILE *disk = fopen(argv[1], "r+b");
    size_t behind = 0, kept = 0;
    if (log.file == NULL || disk == NULL || !read_log(&log, atol(argv[3]))) {
        fprintf(stderr, "%s is no log, or %s no disk\n", argv[2], argv[1]);
        return 1;
    }
    srandom((unsigned)atoi(argv[4]));
    const size_t safe = find_safe(&log);
    for (size_t i = 0; i < log.count; i++) {
        const struct entry *entry = &log.entries[i];
        if (entry->sector_count == 0 || (entry->flags & (DISCARD | MARK)) != 0) continue;
        const bool is_behind = i >= safe && (entry->flags & FUA) == 0;
        const bool is_kept = !is_behind || (random() & 1) != 0;
        behind += is_behind;
        kept += is_behind && is_kept;
        if (is_kept && !redo(&log, entry, disk)) {
            perror(argv[1]);
            return 1;
        }
    }
    printf("%zu of %zu writes were not flushed, %zu of these are kept\n", behind, log.count, kept);
    return fclose(disk) == 0 ? 0 : 1;
}
