// One disk onto another: what a wish means, which disk this start is from, when a disk is empty,
// and what is on the target afterwards, also when the power fails on the way.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/init/disk_copy.h"
#include "image/init/disks_look.h"
#include "image/init/install.h"
#include "image/init/install_wish.h"
#include "image/update/gpt_device.h"
#include "runtime/base/endian.h"
#include "runtime/base/units.h"

// ---- Wishes.

static void what_a_wish_says(void **state)
{
    (void)state;
    static const struct {
        const char *text, *disk; // NULL: it is refused.
        bool erase;
    } cases[] = {
        {"auto", "", false},
        {"auto\r\n", "", false},
        {"# onto the NVMe\n/dev/nvme0n1 erase # it is old\n", "/dev/nvme0n1", true},
        {"erase\nS4EW_X0R", "S4EW_X0R", true},
        {"auto erase\r\n" WEFT_INSTALL_WISH_BEGUN "/dev/vdb is erased.\r\n", "", true},
        {"", NULL, false},
        {" \r\n# auto\n", NULL, false},
        {"erase", NULL, false},
        {"auto auto", NULL, false},
        {"/dev/vda /dev/vdb", NULL, false},
        {"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567",
         NULL, false},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct weft_install_wish wish;
        char why[256] = "";
        const bool taken = weft_install_wish_parse(&wish, cases[i].text, why);
        if (taken != (cases[i].disk != NULL) || (!taken && why[0] == '\0'))
            fail_msg("case %zu: %s", i, why);
        if (taken && (strcmp(wish.disk, cases[i].disk) != 0 || wish.erase != cases[i].erase))
            fail_msg("case %zu: %s", i, wish.disk);
    }
}

static struct weft_disks three_disks(void)
{
    struct weft_disks disks = {.count = 3, .started = 0};
    for (size_t i = 0; i < disks.count; i++) {
        struct weft_disk *disk = &disks.entries[i].disk;
        snprintf(disk->name, sizeof(disk->name), "sd%c", (char)('a' + i));
        snprintf(disk->device, sizeof(disk->device), "/dev/sd%c", (char)('a' + i));
        if (i < 2) snprintf(disk->serial, sizeof(disk->serial), "S 0%zu", i);
        disk->bytes = 1000 * WEFT_MIB;
    }
    return disks;
}

static void which_disk_is_meant(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        size_t count;
        int is; // -1: none.
        const char *why;
    } cases[] = {
        {"", 2, 1, ""},
        {"", 3, -1,
         "\"auto\" could be several disks; there is /dev/sdb (serial S 01, 1048 MB), /dev/sdc"},
        {"", 1, -1, "no other disk of this machine; there is no other disk"},
        {"/dev/sdc", 3, 2, ""},
        {"sdc", 3, 2, ""},
        {"S_01", 3, 1, ""},
        {"S_0", 3, -1, "\"S_0\" is no other disk"},
        {"S_011", 3, -1, "is no other disk"},
        {"/dev/sda", 3, -1, "\"/dev/sda\" is no other disk"}, // It is what runs.
        {"S_00", 3, -1, "is no other disk"},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct weft_disks disks = three_disks();
        struct weft_install_wish wish = {.erase = true};
        char why[256] = "";
        disks.count = cases[i].count;
        snprintf(wish.disk, sizeof(wish.disk), "%s", cases[i].word);
        const struct weft_disks_entry *found = weft_install_wish_find(&wish, &disks, why);
        const int is = found == NULL ? -1 : (int)(found - disks.entries);
        if (is != cases[i].is || strstr(why, cases[i].why) == NULL)
            fail_msg("case %zu: %d, %s", i, is, why);
    }
    struct weft_disks disks = three_disks();
    const struct weft_install_wish wish = {.disk = "sdb"};
    char why[256];
    disks.entries[1].is_read_only = true;
    assert_null(weft_install_wish_find(&wish, &disks, why));
    assert_non_null(strstr(why, "\"sdb\" is read-only"));
}

// ---- Two disks with an image.

static void which_disk_was_started(void **state)
{
    (void)state;
    // Each letter is a disk: its boot partition's identifier ('-': no disk of ours); in capitals if
    // the root is read from it.
    static const struct {
        const char *disks, *loader;
        enum weft_disks_verdict verdict;
        size_t started;
    } cases[] = {
        {"A", "a", WEFT_DISKS_SURE, 0},   {"-B", "b", WEFT_DISKS_SURE, 1},
        {"Ab", "a", WEFT_DISKS_SURE, 0},  {"Ab", "b", WEFT_DISKS_APART, 1},
        {"aB", "b", WEFT_DISKS_SURE, 1},  {"aB", "a", WEFT_DISKS_APART, 0},
        {"aA", "a", WEFT_DISKS_ALIKE, 1}, {"aaB", "a", WEFT_DISKS_ALIKE, 2},
        {"aA", "", WEFT_DISKS_SURE, 1},   {"aB", "c", WEFT_DISKS_SURE, 1},
        {"a", "", WEFT_DISKS_SURE, 0},    {"--", "a", WEFT_DISKS_NONE, 0},
        {"", "", WEFT_DISKS_NONE, 0},     {"ab", "b", WEFT_DISKS_SURE, 1},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct weft_disks disks = {.count = strlen(cases[i].disks)};
        for (size_t at = 0; at < disks.count; at++) {
            const char letter = cases[i].disks[at];
            struct weft_disks_entry *entry = &disks.entries[at];
            entry->is_ours = letter != '-';
            entry->has_root = letter < 'a';
            entry->esp_guid[0] = (char)(letter | 0x20);
            snprintf(entry->disk.device, sizeof(entry->disk.device), "/dev/%zu", at);
        }
        const enum weft_disks_verdict verdict = weft_disks_choose(&disks, cases[i].loader);
        if (verdict != cases[i].verdict || disks.started != cases[i].started)
            fail_msg("case %zu: %d, disk %zu", i, verdict, disks.started);
    }
}

// ---- Disks in files.

#define FROM_BYTES (80 * WEFT_MIB)
#define TO_BYTES   (200 * WEFT_MIB)

struct files {
    char directory[64];
    int from, to;
    struct weft_gpt gpt;
};

static void put_entry(struct weft_gpt *gpt, uint32_t number, const char *name, uint64_t first_mib,
                      uint64_t mib)
{
    uint8_t *entry = gpt->entries + (size_t)(number - 1) * 128;
    memset(entry, (int)number, 32);
    weft_le64_put(entry + 32, first_mib * 2048);
    weft_le64_put(entry + 40, (first_mib + mib) * 2048 - 1);
    for (size_t i = 0; name[i] != '\0'; i++) {
        entry[56 + 2 * i] = (uint8_t)name[i];
    }
}

static void fill(int fd, uint64_t at_mib, const char *text)
{
    assert_int_equal(pwrite(fd, text, strlen(text), (off_t)(at_mib * WEFT_MIB + 777)),
                     (ssize_t)strlen(text));
}

static int open_files(void **state)
{
    struct files *files = calloc(1, sizeof(*files));
    static const struct {
        const char *name;
        uint64_t first_mib, mib;
    } parts[] = {{"esp", 1, 3},      {"root-a", 4, 2},     {"verity-a", 6, 1}, {"root-b", 7, 2},
                 {"verity-b", 9, 1}, {"WEFT-CONF", 10, 1}, {"data", 11, 60}};
    char path[96];
    assert_non_null(files);
    snprintf(files->directory, sizeof(files->directory), "/tmp/weft-copy.XXXXXX");
    assert_non_null(mkdtemp(files->directory));
    snprintf(path, sizeof(path), "%s/from", files->directory);
    files->from = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    snprintf(path, sizeof(path), "%s/to", files->directory);
    files->to = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(files->from >= 0 && files->to >= 0);
    assert_int_equal(ftruncate(files->from, (off_t)FROM_BYTES), 0);
    assert_int_equal(ftruncate(files->to, (off_t)TO_BYTES), 0);
    struct weft_gpt *gpt = &files->gpt;
    gpt->entry_count = 128;
    gpt->first_usable = 2048;
    gpt->last_usable = FROM_BYTES / 512 - 34;
    memcpy(gpt->header, "EFI PART", 8);
    weft_le32_put(gpt->header + 8, 0x00010000);
    weft_le32_put(gpt->header + 12, 92);
    weft_le64_put(gpt->header + 40, gpt->first_usable);
    weft_le32_put(gpt->header + 80, 128);
    weft_le32_put(gpt->header + 84, 128);
    for (uint32_t i = 0; i < WEFT_COUNT_OF(parts); i++) {
        put_entry(gpt, i + 1, parts[i].name, parts[i].first_mib, parts[i].mib);
        fill(files->from, parts[i].first_mib, parts[i].name);
    }
    const struct weft_gpt_disk sectors = weft_gpt_device(&files->from, FROM_BYTES);
    assert_int_equal(weft_gpt_make(gpt, &sectors, 7), 0);
    *state = files;
    return 0;
}

static int close_files(void **state)
{
    struct files *files = *state;
    char path[96];
    close(files->from);
    close(files->to);
    snprintf(path, sizeof(path), "%s/from", files->directory);
    unlink(path);
    snprintf(path, sizeof(path), "%s/to", files->directory);
    unlink(path);
    rmdir(files->directory);
    free(files);
    return 0;
}

// What edits have to do with: the drive of the target is given another text.
struct editor {
    int fd, result;
    uint32_t calls, told;
};

static int edit(void *self, const struct weft_gpt_part *esp, const struct weft_gpt_part *conf)
{
    struct editor *editor = self;
    editor->calls++;
    assert_int_equal(esp->first, 2048);
    if (editor->result == 0) fill(editor->fd, conf->first / 2048, "edited!!!");
    return editor->result;
}

static void progress(void *self, const char *what, unsigned percent)
{
    struct editor *editor = self;
    assert_true(percent <= 100 && what[0] != '\0');
    editor->told++;
}

static struct weft_disk_copy copy_of(const struct files *files, struct editor *editor)
{
    editor->fd = files->to;
    return (struct weft_disk_copy){.from = files->from,
                                   .to = files->to,
                                   .from_bytes = FROM_BYTES,
                                   .to_bytes = TO_BYTES,
                                   .slot = 'a',
                                   .edit = edit,
                                   .progress = progress,
                                   .self = editor};
}

static void assert_text(int fd, uint64_t at_mib, const char *text)
{
    char found[16] = "";
    assert_int_equal(pread(fd, found, strlen(text), (off_t)(at_mib * WEFT_MIB + 777)),
                     (ssize_t)strlen(text));
    assert_string_equal(found, text);
}

static void a_copy_starts_and_is_another_disk(void **state)
{
    struct files *files = *state;
    struct editor editor = {0};
    const struct weft_disk_copy copy = copy_of(files, &editor);
    const struct weft_gpt_disk to = weft_gpt_device(&files->to, TO_BYTES);
    struct weft_gpt gpt;
    struct weft_gpt_part part;
    char why[160] = "", one[WEFT_GPT_TEXT_BYTES], other[WEFT_GPT_TEXT_BYTES];
    static const char nothing[10] = "";
    char found[10];
    fill(files->to, 7, "old slot b");
    fill(files->to, 11, "old data");
    assert_int_equal(weft_disk_copy_run(&copy, why), 0);
    assert_int_equal(editor.calls, 1);
    assert_int_equal(editor.told, 10);
    assert_text(files->to, 1, "esp");
    assert_text(files->to, 4, "root-a");
    assert_text(files->to, 6, "verity-a");
    assert_text(files->to, 10, "edited!!!");
    assert_int_equal(pread(files->to, found, 10, (off_t)(7 * WEFT_MIB + 777)), 10);
    assert_memory_equal(found, nothing, 10); // The slot that did not run is nobody's.
    assert_int_equal(pread(files->to, found, 8, (off_t)(11 * WEFT_MIB + 777)), 8);
    assert_memory_equal(found, nothing, 8); // No file system: it is made at the first start.
    assert_int_equal(weft_gpt_read(&gpt, &to), 0);
    assert_false(gpt.from_backup);
    for (uint32_t number = 0; number <= 7; number++) {
        const bool is_new = number == 0 || number == 1 || number > 5;
        weft_gpt_guid_text(weft_gpt_guid(&files->gpt, number), one);
        weft_gpt_guid_text(weft_gpt_guid(&gpt, number), other);
        if ((strcmp(one, other) != 0) != is_new) fail_msg("%u: %s", (unsigned)number, other);
    }
    assert_true(weft_gpt_part(&gpt, 7, &part));
    assert_int_equal(part.last + 1, 199 * 2048); // The backup has the last mebibyte.
    uint8_t mbr[512];
    assert_int_equal(pread(files->to, mbr, 512, 0), 512);
    assert_true(mbr[450] == 0xee && mbr[510] == 0x55 && mbr[511] == 0xaa);
    assert_int_equal(weft_le32_get(mbr + 458), TO_BYTES / 512 - 1);
}

static void what_failed_has_no_table(void **state)
{
    struct files *files = *state;
    struct editor editor = {.result = -EIO};
    const struct weft_disk_copy copy = copy_of(files, &editor);
    const struct weft_gpt_disk to = weft_gpt_device(&files->to, TO_BYTES);
    struct weft_gpt gpt;
    char why[160] = "";
    assert_int_equal(weft_disk_copy_run(&copy, why), -EIO);
    assert_non_null(strstr(why, "drive"));
    assert_int_equal(weft_gpt_read(&gpt, &to), -EINVAL);
    assert_int_equal(weft_disk_copy_is_empty(files->to, TO_BYTES), 1); // And may be tried again.
    editor.result = 0;
    assert_int_equal(weft_disk_copy_run(&copy, why), 0);
    assert_int_equal(weft_disk_copy_is_empty(files->to, TO_BYTES), 0);
}

static void what_is_too_small_stays(void **state)
{
    struct files *files = *state;
    struct editor editor = {0};
    struct weft_disk_copy copy = copy_of(files, &editor);
    char why[160] = "";
    fill(files->to, 0, "precious");
    copy.to_bytes = 76 * WEFT_MIB;
    assert_int_equal(weft_disk_copy_run(&copy, why), -ENOSPC);
    assert_non_null(strstr(why, "too small: 79 MB, and 80 MB are needed"));
    assert_text(files->to, 0, "precious");
    assert_int_equal(editor.calls, 0);
    copy.slot = 'b';
    copy.from_bytes = 1000;
    assert_int_equal(weft_disk_copy_run(&copy, why), -EINVAL);
    assert_text(files->to, 0, "precious");
}

static void when_a_disk_is_empty(void **state)
{
    struct files *files = *state;
    static const uint64_t places[] = {
        0, 510, WEFT_MIB - 1, TO_BYTES / 2 + 100, TO_BYTES - WEFT_MIB, TO_BYTES - 1};
    assert_int_equal(weft_disk_copy_is_empty(files->to, TO_BYTES), 1);
    for (size_t i = 0; i < WEFT_COUNT_OF(places); i++) {
        assert_int_equal(pwrite(files->to, "x", 1, (off_t)places[i]), 1);
        if (weft_disk_copy_is_empty(files->to, TO_BYTES) != 0) fail_msg("place %zu", i);
        assert_int_equal(pwrite(files->to, "", 1, (off_t)places[i]), 1);
    }
    assert_int_equal(weft_disk_copy_is_empty(files->to, TO_BYTES), 1);
    assert_int_equal(weft_disk_copy_is_empty(files->from, FROM_BYTES), 0);
    assert_int_equal(weft_disk_copy_is_empty(files->to, TO_BYTES + 4096), -EIO);
}

static void guids_as_the_firmware_writes_them(void **state)
{
    (void)state;
    struct weft_gpt gpt = {.entry_count = 128};
    uint8_t chance[16];
    char text[WEFT_GPT_TEXT_BYTES], directory[] = "/tmp/weft-efi.XXXXXX", path[128], found[64];
    for (uint8_t i = 0; i < 16; i++) {
        chance[i] = (uint8_t)(0xf0 + i);
    }
    weft_gpt_set_guid(&gpt, 1, chance);
    weft_gpt_guid_text(weft_gpt_guid(&gpt, 1), text);
    assert_string_equal(text, "f3f2f1f0-f5f4-47f6-b8f9-fafbfcfdfeff");
    assert_non_null(mkdtemp(directory));
    weft_disks_loader_guid(directory, found);
    assert_string_equal(found, "");
    snprintf(path, sizeof(path), "%s/LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f",
             directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fwrite("\6\0\0\0", 1, 4, file);
    for (const char *at = "F3F2F1F0-F5F4-47F6-B8F9-FAFBFCFDFEFF"; *at != '\0'; at++) {
        fputc(*at, file);
        fputc(0, file);
    }
    fwrite("\0\0", 1, 2, file);
    fclose(file);
    weft_disks_loader_guid(directory, found);
    assert_string_equal(found, text);
    assert_int_equal(truncate(path, 40), 0); // Half of one is none.
    weft_disks_loader_guid(directory, found);
    assert_string_equal(found, "");
    unlink(path);
    rmdir(directory);
}

#define PATIENCE_NS (60 * WEFT_NS_PER_S)

// Disks as /sys shows them, their tables in files: two with an image, one without, one of memory.
static void disks_of_a_machine(void **state)
{
    struct files *files = *state;
    struct weft_disks disks;
    char command[1024], sys[96], dev[96], others[256];
    snprintf(sys, sizeof(sys), "%s/sys", files->directory);
    snprintf(dev, sizeof(dev), "%s/dev", files->directory);
    snprintf(
        command, sizeof(command),
        "cd %s && mkdir -p dev sys/class/block sys/dev/block sys/block && cd sys && "
        "for d in vda vdb vdc loop0; do mkdir -p devices/$d && echo 163840 >devices/$d/size && "
        "echo 0 >devices/$d/ro && ln -s ../devices/$d block/$d; done && "
        "echo 0 >devices/vdc/size && echo S-b >devices/vdb/serial && "
        "mkdir devices/vdb/vdb2 && echo 2 >devices/vdb/vdb2/partition && "
        "ln -s ../../devices/vdb/vdb2 class/block/vdb2 && "
        "ln -s ../../devices/vdb/vdb2 dev/block/8:2 && cp ../from ../dev/vda && "
        "cp ../from ../dev/vdb && truncate -s 80M ../dev/loop0",
        files->directory);
    assert_int_equal(system(command), 0);
    weft_disks_find(&disks, sys, dev, "8:2", PATIENCE_NS);
    assert_int_equal(disks.count, 2); // A reader without a card, and what is no disk, are left out.
    assert_true(disks.entries[0].is_ours && !disks.entries[0].has_root);
    assert_true(disks.entries[1].is_ours && disks.entries[1].has_root);
    assert_string_equal(disks.entries[1].esp_guid, "01010101-0101-0101-0101-010101010101");
    assert_int_equal(weft_disks_choose(&disks, disks.entries[1].esp_guid), WEFT_DISKS_ALIKE);
    assert_int_equal(disks.started, 1);
    assert_false(weft_disks_has_started(&disks, disks.entries[1].esp_guid)); // Without its drive.
    snprintf(disks.entries[1].disk.conf.device, 64, "/dev/vdb6");
    snprintf(disks.entries[1].disk.data.device, 64, "/dev/vdb7");
    assert_true(weft_disks_has_started(&disks, disks.entries[1].esp_guid));
    assert_false(weft_disks_has_started(&disks, "another"));
    weft_disks_others(&disks, others, sizeof(others));
    assert_string_equal(others, "/dev/vda (83 MB)");
    snprintf(command, sizeof(command), "cd %s && rm -r dev sys", files->directory);
    assert_int_equal(system(command), 0);
}

// ---- One that does not answer: opening a pipe that nobody writes to waits for ever, as well.

#define IMPATIENCE_NS (50 * WEFT_NS_PER_MS)

static void check_silent(const struct weft_disks *disks)
{
    char silent[256];
    assert_int_equal(disks->count, 2);
    assert_true(disks->entries[0].is_silent && !disks->entries[0].is_ours);
    assert_true(!disks->entries[1].is_silent && disks->entries[1].is_ours);
    weft_disks_silent(disks, silent, sizeof(silent));
    assert_string_equal(silent, "/dev/vda (83 MB)");
}

struct looked {
    unsigned count;
    struct weft_disks found;
};

static void looked_done(void *self, const struct weft_disks *found)
{
    struct looked *looked = self;
    looked->count++;
    looked->found = *found;
}

static void a_disk_that_does_not_answer(void **state)
{
    struct files *files = *state;
    static struct weft_disks disks;
    static struct weft_disks_look look;
    static struct looked looked;
    struct weft_loop loop;
    char command[512], sys[96], dev[96];
    snprintf(sys, sizeof(sys), "%s/sys", files->directory);
    snprintf(dev, sizeof(dev), "%s/dev", files->directory);
    snprintf(command, sizeof(command),
             "cd %s && mkdir -p dev sys/block/vda sys/block/vdb && echo 163840 >sys/block/vda/size "
             "&& echo 163840 >sys/block/vdb/size && mkfifo dev/vda && cp from dev/vdb",
             files->directory);
    assert_int_equal(system(command), 0);
    weft_disks_find(&disks, sys, dev, "8:2", IMPATIENCE_NS);
    check_silent(&disks);

    weft_loop_init(&loop);
    weft_disks_look_init(&look, &loop, looked_done, &looked);
    int ends[2], extra[WEFT_LOOP_WATCHES_MAX];
    for (size_t i = 0; i < WEFT_LOOP_WATCHES_MAX; i++) { // No room in the loop: nobody looks.
        extra[i] = dup(0);
        assert_int_equal(weft_loop_watch(&loop, extra[i], POLLIN, NULL, NULL), 0);
    }
    assert_true(weft_disks_look_start(&look, sys, dev, "8:2", IMPATIENCE_NS) < 0);
    assert_int_equal(look.fd, -1);
    for (size_t i = 0; i < WEFT_LOOP_WATCHES_MAX; i++) {
        weft_loop_unwatch(&loop, extra[i]);
        close(extra[i]);
    }
    // Nobody is kept who asks whether it may be installed to.
    char why[256];
    disks.entries[1].disk.device[0] = '\0';
    disks.started = 1;
    assert_true((size_t)snprintf(disks.entries[0].disk.device, sizeof(disks.entries[0].disk.device),
                                 "%s/vda", dev) < sizeof(disks.entries[0].disk.device));
    assert_false(weft_install_check("auto erase", &disks, IMPATIENCE_NS, why));
    assert_non_null(strstr(why, "the disk does not say what is on it"));

    // What is closed here meanwhile is closed, however long the disk takes.
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(weft_disks_look_start(&look, sys, dev, "8:2", WEFT_NS_PER_S), 0);
    close(ends[1]);
    assert_int_equal(poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1, 900), 1);
    close(ends[0]);
    assert_int_equal(weft_disks_look_start(&look, sys, dev, "8:2", WEFT_NS_PER_S), 0); // As one.
    while (looked.count == 0) {
        weft_loop_turn(&loop);
    }
    assert_int_equal(looked.count, 1);
    check_silent(&looked.found);
    snprintf(command, sizeof(command), "cd %s && rm -r dev sys", files->directory);
    assert_int_equal(system(command), 0);
}

// The stick that was started from comes while another disk keeps everybody waiting.
static void a_disk_that_comes_meanwhile(void **state)
{
    struct files *files = *state;
    static struct weft_disks disks;
    char command[512], sys[96], dev[96];
    snprintf(sys, sizeof(sys), "%s/sys", files->directory);
    snprintf(dev, sizeof(dev), "%s/dev", files->directory);
    snprintf(command, sizeof(command),
             "cd %s && mkdir -p dev sys/block/vda sys/later && echo 163840 >sys/block/vda/size && "
             "echo 163840 >sys/later/size && mkfifo dev/vda && cp from dev/vdb && "
             "{ { sleep 0.1; mv sys/later sys/block/vdb; } & }",
             files->directory);
    assert_int_equal(system(command), 0);
    assert_int_equal(weft_disks_wait(&disks, sys, dev, "8:2",
                                     "01010101-0101-0101-0101-010101010101", 500 * WEFT_NS_PER_MS,
                                     900 * WEFT_NS_PER_MS),
                     WEFT_DISKS_SURE);
    assert_int_equal(disks.started, 1);
    check_silent(&disks);
    snprintf(command, sizeof(command), "cd %s && rm -r dev sys", files->directory);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_wish_says),
        cmocka_unit_test(which_disk_is_meant),
        cmocka_unit_test(which_disk_was_started),
        cmocka_unit_test_setup_teardown(a_copy_starts_and_is_another_disk, open_files, close_files),
        cmocka_unit_test_setup_teardown(what_failed_has_no_table, open_files, close_files),
        cmocka_unit_test_setup_teardown(what_is_too_small_stays, open_files, close_files),
        cmocka_unit_test_setup_teardown(when_a_disk_is_empty, open_files, close_files),
        cmocka_unit_test(guids_as_the_firmware_writes_them),
        cmocka_unit_test_setup_teardown(disks_of_a_machine, open_files, close_files),
        cmocka_unit_test_setup_teardown(a_disk_that_does_not_answer, open_files, close_files),
        cmocka_unit_test_setup_teardown(a_disk_that_comes_meanwhile, open_files, close_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
