// The small judgements of the first process: words of a command line, what a disk holds, whose
// identity it is, when to wait, when to feed, how masks and words are written.
#include "tests/support/cmocka.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "image/init/backoff.h"
#include "image/init/clock.h"
#include "image/init/data.h"
#include "image/init/health.h"
#include "image/init/identity.h"
#include "image/init/json.h"
#include "image/init/key_value.h"
#include "image/init/machine_tune.h"
#include "image/init/say.h"
#include "image/init/status.h"
#include "image/init/text_file.h"
#include "image/init/watchdog.h"
#include "runtime/base/file.h"
#include "runtime/base/proquint.h"
#include "runtime/base/units.h"

static void words_of_a_command_line(void **state)
{
    (void)state;
    static const char text[] =
        "quiet weft.slot=a dm-mod.create=\"root,,,ro,0 8 verity\" weft.slot=b "
        "weft.slotted=c panic=1\n";
    static const struct {
        const char *key;
        bool found;
        const char *value;
    } cases[] = {
        {"weft.slot", true, "b"}, {"quiet", true, ""},
        {"panic", true, "1"},     {"dm-mod.create", true, "root,,,ro,0 8 verity"},
        {"weft", false, ""},      {"root", false, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char value[64];
        if (weft_key_value_get(text, cases[i].key, value, sizeof(value)) != cases[i].found)
            fail_msg("%s", cases[i].key);
        assert_string_equal(value, cases[i].value);
    }
    char small[4];
    assert_false(weft_key_value_get(text, "dm-mod.create", small, sizeof(small)));
    assert_string_equal(small, "");
}

static void what_a_data_partition_holds(void **state)
{
    (void)state;
    uint8_t head[2048] = {0};
    assert_int_equal(weft_data_state_of(head), WEFT_DATA_BLANK);
    head[0] = head[1536] = 1; // A boot sector; half of a superblock that was being made.
    assert_int_equal(weft_data_state_of(head), WEFT_DATA_BLANK);
    head[1024 + 4] = 1; // What it was cannot be told: it is not written over.
    assert_int_equal(weft_data_state_of(head), WEFT_DATA_STRANGE);
    head[1024 + 4] = 0;
    head[1024 + 0x38] = 0x53;
    head[1024 + 0x39] = 0xef;
    assert_int_equal(weft_data_state_of(head), WEFT_DATA_MADE);
    memcpy(head + 1024 + 0x78, "weft-new", 8);
    assert_int_equal(weft_data_state_of(head), WEFT_DATA_UNFINISHED);
    memcpy(head + 1024 + 0x78, "weft-news", 9);
    assert_int_equal(weft_data_state_of(head), WEFT_DATA_MADE);
    head[1024 + 5] = 2;
    head[1024 + 0x150] = 1;
    assert_int_equal(weft_data_blocks_of(head), UINT64_C(0x100000200));
}

static void when_a_file_system_is_full(void **state)
{
    (void)state;
    uint64_t free_bytes = 1;
    assert_false(weft_data_is_full("/nowhere", &free_bytes)); // Nothing can be said.
    assert_int_equal(free_bytes, 0);
    assert_false(weft_data_is_full("/proc", &free_bytes)); // It has no size.
    assert_int_equal(free_bytes, 0);
}

static void whose_identity_it_is(void **state)
{
    (void)state;
    static const struct {
        struct weft_identity_mark noted, found;
        enum weft_identity_state is;
    } cases[] = {
        {{"D1", "M1"}, {"D1", "M1"}, WEFT_IDENTITY_SAME},
        {{"D1", "M1"}, {"D1", "M2"}, WEFT_IDENTITY_MOVED},
        {{"D1", "M1"}, {"D2", "M1"}, WEFT_IDENTITY_MOVED},
        {{"D1", "M1"}, {"D2", "M2"}, WEFT_IDENTITY_CLONED},
        {{"", "M1"}, {"", "M2"}, WEFT_IDENTITY_CLONED},
        {{"", "M1"}, {"", "M1"}, WEFT_IDENTITY_SAME},
        {{"D1", ""}, {"D2", ""}, WEFT_IDENTITY_CLONED},
        {{"D1", ""}, {"D1", "M1"}, WEFT_IDENTITY_SAME},
        {{"", ""}, {"", ""}, WEFT_IDENTITY_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (weft_identity_compare(&cases[i].noted, &cases[i].found) != cases[i].is)
            fail_msg("case %zu", i);
    }
}

static void an_identity_is_noted_once(void **state)
{
    (void)state;
    char path[] = "/tmp/weft-mark.XXXXXX";
    const struct weft_identity_mark one = {"D1", "M1"}, other = {"D2", "M2"};
    int result = 0;
    close(mkstemp(path));
    unlink(path);
    assert_int_equal(weft_identity_check(path, &one, false, &result), WEFT_IDENTITY_NEW);
    assert_int_equal(weft_identity_check(path, &one, false, &result), WEFT_IDENTITY_SAME);
    assert_int_equal(weft_identity_check(path, &other, false, &result), WEFT_IDENTITY_CLONED);
    assert_int_equal(weft_identity_check(path, &other, false, &result), WEFT_IDENTITY_CLONED);
    assert_int_equal(weft_identity_check(path, &other, true, &result), WEFT_IDENTITY_MOVED);
    assert_int_equal(weft_identity_check(path, &other, false, &result), WEFT_IDENTITY_SAME);
    assert_int_equal(result, 0);
    unlink(path);
    const struct weft_identity_mark nothing = {"", ""}, later = {"", "M1"}, copy = {"", "M2"};
    assert_int_equal(weft_identity_check(path, &nothing, false, &result), WEFT_IDENTITY_NEW);
    assert_int_equal(weft_identity_check(path, &nothing, false, &result), WEFT_IDENTITY_UNKNOWN);
    assert_int_equal(weft_identity_check(path, &later, false, &result), WEFT_IDENTITY_UNKNOWN);
    assert_int_equal(weft_identity_check(path, &later, false, &result), WEFT_IDENTITY_SAME);
    assert_int_equal(weft_identity_check(path, &copy, false, &result), WEFT_IDENTITY_CLONED);
    unlink(path);
}

static void the_wait_doubles_and_starts_over(void **state)
{
    (void)state;
    struct weft_backoff backoff = {0};
    uint64_t before = 0;
    assert_int_equal(weft_backoff_next(&backoff, 0), 500 * WEFT_NS_PER_MS);
    assert_int_equal(weft_backoff_next(&backoff, 0), 1000 * WEFT_NS_PER_MS);
    for (int i = 0; i < 20; i++) {
        before = weft_backoff_next(&backoff, WEFT_NS_PER_S);
    }
    assert_int_equal(before, 60 * WEFT_NS_PER_S);
    assert_int_equal(weft_backoff_next(&backoff, 61 * WEFT_NS_PER_S), 500 * WEFT_NS_PER_MS);
}

static void the_watchdog_starves_last(void **state)
{
    (void)state;
    struct weft_watchdog watchdog = {.fd = -1};
    uint64_t now_ns = 1000 * WEFT_NS_PER_S;
    weft_watchdog_excuse(&watchdog, now_ns);
    assert_int_equal(weft_watchdog_duty(&watchdog, now_ns + WEFT_WATCHDOG_STARTING_NS),
                     WEFT_WATCHDOG_FEED);
    weft_watchdog_prove(&watchdog, now_ns);
    now_ns += WEFT_WATCHDOG_STUCK_NS;
    assert_int_equal(weft_watchdog_duty(&watchdog, now_ns), WEFT_WATCHDOG_FEED);
    assert_int_equal(weft_watchdog_duty(&watchdog, ++now_ns), WEFT_WATCHDOG_FEED_AND_RESTART);
    assert_int_equal(weft_watchdog_duty(&watchdog, ++now_ns),
                     WEFT_WATCHDOG_FEED); // Once is enough.
    now_ns += WEFT_WATCHDOG_STUCK_NS;
    assert_int_equal(weft_watchdog_duty(&watchdog, now_ns), WEFT_WATCHDOG_STARVE);
    weft_watchdog_prove(&watchdog, now_ns); // It has come back by itself.
    assert_int_equal(weft_watchdog_duty(&watchdog, now_ns), WEFT_WATCHDOG_FEED);
}

// It holds the watchdog, here the end of a pipe, until it is ended, or has fed often enough.
static void a_start_is_guarded_and_not_for_ever(void **state)
{
    (void)state;
    int ends[2];
    struct weft_watchdog watchdog = {.fd = -1};
    assert_int_equal(weft_watchdog_guard(&watchdog, WEFT_NS_PER_S, 600), 0); // None to feed.
    assert_int_equal(watchdog.guard, 0);
    for (unsigned count = 2; count <= 600; count += 598) {
        assert_int_equal(pipe(ends), 0);
        watchdog.fd = ends[1];
        assert_int_equal(weft_watchdog_guard(&watchdog, 20 * WEFT_NS_PER_MS, count), 0);
        close(ends[1]);
        watchdog.fd = -1;
        struct pollfd reader = {.fd = ends[0], .events = POLLIN};
        if (count == 600) {
            assert_int_equal(poll(&reader, 1, 60), 0);
            weft_watchdog_guard_end(&watchdog);
            weft_watchdog_guard_renew(&watchdog); // There is none: nothing.
            assert_int_equal(watchdog.guard, 0);
            assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); // Nobody is left.
        }
        assert_int_equal(poll(&reader, 1, 10000), 1);
        weft_watchdog_guard_end(&watchdog);
        weft_watchdog_guard_end(&watchdog);
        close(ends[0]);
    }
}

static void which_boots_are_good(void **state)
{
    (void)state;
    assert_true(weft_health_is_good(false, false, "2", "1"));
    assert_true(weft_health_is_good(true, false, "2", "1")); // Nobody has configured it.
    assert_true(weft_health_is_good(true, true, "1", "1"));  // It is the file that is new.
    assert_true(weft_health_is_good(true, true, "1", ""));
    assert_false(weft_health_is_good(true, true, "2", "1")); // The old version may still take it.
}

static void what_is_not_the_releases_fault(void **state)
{
    static const struct {
        const char *body;
        bool lacks_room;
    } cases[] = {
        {"[+] ports ok\n[-] journal not ready: no room for new records: No space left on device\n"
         "[+] units ok\nnot ready\n",
         true},
        {"[-] journal not ready: a write failed: No space left on device\nnot ready\n", true},
        {"[-] journal not ready: a write failed: Input/output error\nnot ready\n", false},
        {"[-] ports not ready: p0 is down\n[-] journal not ready: a write failed: No space left on "
         "device\nnot ready\n",
         false},
        {"[-] journal not ready: a write failed: No space left on device\n[-] mesh not ready: no "
         "seed has answered yet\nnot ready\n",
         false},
        {"[-] journal not ready: a write failed\n[+] units ok: No space left on device\n", false},
        {"[+] ports ok\nready\n", false},
        {"", false},
    };
    (void)state;
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        if (weft_health_lacks_room(cases[i].body) != cases[i].lacks_room) fail_msg("case %zu", i);
    }
}

// When the time of a trial is over, 120 s after its start: what had been said, at which second.
static void who_stays_on_trial(void **state)
{
    static const struct {
        const char *what;
        unsigned ready_s, lacks_room_s, alive_s;
        bool had_grace;
        enum weft_health_end end;
        unsigned wait_s;
    } cases[] = {
        {"nothing was said", 0, 0, 0, false, WEFT_HEALTH_FAILS, 0},
        {"alive, and not ready", 0, 0, 118, false, WEFT_HEALTH_FAILS, 0},
        {"ready at the last moment", 116, 0, 118, false, WEFT_HEALTH_WAITS, 11},
        {"the same, again", 116, 0, 118, true, WEFT_HEALTH_FAILS, 0},
        {"ready, and never alive", 10, 0, 0, false, WEFT_HEALTH_FAILS, 0},
        {"no room, and alive", 0, 5, 118, false, WEFT_HEALTH_STAYS, 0},
        {"no room, and a core that never comes back", 0, 5, 8, false, WEFT_HEALTH_FAILS, 0},
        {"no room, and alive no longer", 0, 5, 90, false, WEFT_HEALTH_FAILS, 0},
        {"no room, since just now", 0, 118, 118, false, WEFT_HEALTH_WAITS, 13},
        {"no room, started in a circle", 0, 118, 118, true, WEFT_HEALTH_FAILS, 0},
        {"no room, one look without an answer", 0, 5, 110, false, WEFT_HEALTH_STAYS, 0},
    };
    static struct weft_boot boot;
    (void)state;
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        uint64_t wait_ns = 1;
        boot.loop.now_ns = 120 * WEFT_NS_PER_S;
        boot.ready_at_ns = cases[i].ready_s * WEFT_NS_PER_S;
        boot.lacks_room_at_ns = cases[i].lacks_room_s * WEFT_NS_PER_S;
        boot.alive_at_ns = cases[i].alive_s * WEFT_NS_PER_S;
        boot.had_grace = cases[i].had_grace;
        if (weft_health_judge(&boot, &wait_ns) != cases[i].end ||
            wait_ns != cases[i].wait_s * WEFT_NS_PER_S)
            fail_msg("%s: %llu ns", cases[i].what, (unsigned long long)wait_ns);
    }
}

// A kernel whose name cannot be changed is tried again every few seconds, and fills no log.
static void what_hinders_blessing_is_said_once(void **state)
{
    static struct weft_boot boot = {.counted_path = "/EFI/Linux/weft-a_1+2-1.efi"};
    char text[512] = "";
    int ends[2];
    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    boot.say.fd = ends[1];
    assert_int_equal(weft_health_bless(&boot), -ENOENT); // There is no disk.
    assert_int_equal(weft_health_bless(&boot), -ENOENT);
    assert_false(boot.is_blessed);
    assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
    const char *said = strstr(text, "stays on trial");
    assert_non_null(said);
    assert_null(strstr(said + 1, "stays on trial"));
    close(ends[0]);
    close(ends[1]);
}

static void words_of_a_fingerprint(void **state)
{
    (void)state;
    char words[WEFT_PROQUINT_BYTES];
    // The examples of the proposal: 127.0.0.1 is lusab-babad, 63.84.220.193 is gutih-tugad.
    weft_proquint_words("7f000001"
                        "3f54dcc1"
                        "7F:00:00:01"
                        "ffff",
                        words);
    assert_string_equal(words, "lusab-babad-gutih-tugad-lusab-babad");
    weft_proquint_words("7f000001", words);
    assert_string_equal(words, "");
}

static void cpus_of_the_workers(void **state)
{
    (void)state;
    struct weft_config config;
    uint8_t mask[WEFT_TUNE_CPUS_MAX / 8];
    char text[64];
    uint32_t list[] = {2, 35};
    assert_int_equal(weft_config_defaults(&config), 0);
    config.cores.workers = 2;
    assert_int_equal(weft_tune_worker_cpus(&config, 3, mask), 0); // They float.
    assert_int_equal(weft_tune_worker_cpus(&config, 4, mask), 2);
    weft_tune_mask_text(mask, 4, text, sizeof(text));
    assert_string_equal(text, "00000006");
    config.cores.pin = (struct weft_config_cpus){WEFT_CONFIG_PIN_LIST, list, 2};
    assert_int_equal(weft_tune_worker_cpus(&config, 64, mask), 2);
    weft_tune_mask_text(mask, 64, text, sizeof(text));
    assert_string_equal(text, "00000008,00000004");
    config.memory.huge_pages = WEFT_CONFIG_HUGE_OFF;
    assert_int_equal(weft_tune_huge_bytes(&config), 0);
    config.memory.huge_pages = WEFT_CONFIG_HUGE_AUTO;
    const uint64_t bytes = weft_tune_huge_bytes(&config);
    assert_true(bytes > 2 * config.memory.arena_per_core && bytes % (2 * WEFT_MIB) == 0);
    weft_config_free(&config);
}

static void set_file(const char *sys, const char *name, const char *text)
{
    char command[320];
    snprintf(command, sizeof(command),
             "at=%s/kernel/mm/hugepages/hugepages-%s && mkdir -p ${at%%/*} && echo %s >$at", sys,
             name, text);
    assert_int_equal(system(command), 0);
}

static uint64_t file_number(const char *sys, const char *name)
{
    char path[160];
    uint64_t number = 0;
    snprintf(path, sizeof(path), "%s/kernel/mm/hugepages/hugepages-%s", sys, name);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%" SCNu64, &number), 1);
    fclose(file);
    return number;
}

// What a kernel gives that has pages of 2 MB, and room for all that it is asked for.
static struct weft_tune_huge pages(const char *sys, const struct weft_config *config,
                                   uint64_t limit, bool has_gigantic)
{
    struct weft_tune_huge huge;
    // These files keep the end of what they held, unlike those of /sys: so they begin empty.
    set_file(sys, "2048kB/nr_hugepages", "");
    if (has_gigantic) set_file(sys, "1048576kB/nr_hugepages", "");
    assert_int_equal(weft_tune_huge_pages(sys, config, limit, &huge), 0);
    return huge;
}

static void pages_of_whole_arenas(void **state)
{
    (void)state;
    char sys[] = "/tmp/weft-sys.XXXXXX", command[64];
    struct weft_config config;
    struct weft_tune_huge huge;
    assert_non_null(mkdtemp(sys));
    assert_int_equal(weft_config_defaults(&config), 0);
    config.cores.workers = 2;

    // An arena of 64 MiB, and then one that this kernel has no pages for.
    huge = pages(sys, &config, 8 * WEFT_GIB, false);
    assert_int_equal(huge.gigantic_bytes, 0);
    assert_int_equal(huge.bytes, weft_tune_huge_bytes(&config));
    config.memory.arena_per_core = 2 * WEFT_GIB;
    huge = pages(sys, &config, 8 * WEFT_GIB, false);
    assert_int_equal(huge.gigantic_bytes, 0);
    assert_int_equal(huge.bytes, huge.wanted_bytes);

    // Room for two arenas, for one, for none.
    huge = pages(sys, &config, 8 * WEFT_GIB, true);
    assert_int_equal(huge.gigantic_bytes, 4 * WEFT_GIB);
    assert_int_equal(file_number(sys, "1048576kB/nr_hugepages"), 4);
    assert_int_equal(huge.bytes, huge.wanted_bytes - 4 * WEFT_GIB);
    assert_int_equal(file_number(sys, "2048kB/nr_hugepages"), huge.bytes / (2 * WEFT_MIB));
    huge = pages(sys, &config, 3 * WEFT_GIB, true);
    assert_int_equal(huge.gigantic_bytes, 2 * WEFT_GIB);
    assert_int_equal(huge.bytes, WEFT_GIB);
    huge = pages(sys, &config, WEFT_GIB, true);
    assert_int_equal(huge.gigantic_bytes, 0);
    assert_int_equal(huge.bytes, WEFT_GIB);

    config.memory.huge_pages = WEFT_CONFIG_HUGE_OFF;
    huge = pages(sys, &config, 8 * WEFT_GIB, true);
    assert_int_equal(huge.bytes + huge.gigantic_bytes, 0);
    weft_config_free(&config);
    snprintf(command, sizeof(command), "rm -rf %s", sys);
    assert_int_equal(system(command), 0);
}

static void time_does_not_go_back(void **state)
{
    (void)state;
    char path[] = "/tmp/weft-clock.XXXXXX";
    close(mkstemp(path));
    assert_int_equal(weft_clock_floor_s(1000, path), 1000);
    assert_int_equal(weft_clock_note(path, 5000), 0);
    assert_int_equal(weft_clock_floor_s(1000, path), 5000);
    assert_int_equal(weft_clock_floor_s(6000, path), 6000);
    assert_int_equal(weft_clock_note(path, INT64_C(9000000000)), 0); // In 2255: not to be believed.
    assert_int_equal(weft_clock_floor_s(1000, path), 1000);
    unlink(path);
}

static void strings_of_json(void **state)
{
    (void)state;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    weft_json_string(out, "a\"b\\\n\x01 \xc3\xa4 \xff \xed\xa0\x80");
    fclose(out);
    assert_string_equal(text, "\"a\\\"b\\\\\\n\\u0001 \xc3\xa4 ? ???\"");
    free(text);
}

static void files_are_replaced_whole(void **state)
{
    (void)state;
    char path[] = "/tmp/weft-file.XXXXXX", text[16];
    close(mkstemp(path));
    assert_int_equal(weft_file_replace(path, "one\n", 4, 0600), 0);
    assert_int_equal(weft_file_replace(path, "two \n", 5, 0600), 0);
    assert_int_equal(weft_text_file_read(path, text, sizeof(text)), 5);
    assert_int_equal(weft_text_file_read(path, text, 5), -27); // EFBIG: no room for the end.
    assert_int_equal(weft_text_file_line(path, text, sizeof(text)), 0);
    assert_string_equal(text, "two");
    unlink(path);
    assert_int_equal(weft_text_file_line(path, text, sizeof(text)), -2);
    assert_string_equal(text, "");
}

// The counter's pace is what passed between two looks at it and at the clock.
static void time_since_power_on(void **state)
{
    (void)state;
    static const struct {
        struct weft_clock_mark early, now;
        uint64_t ms;
    } cases[] = {
        {{2000, 500 * WEFT_NS_PER_MS},
         {5000, 2000 * WEFT_NS_PER_MS},
         2500},                                                       // 2 to the millisecond.
        {{3000000000, 0}, {6000000000, 1000 * WEFT_NS_PER_MS}, 2000}, // 3 GHz.
        {{7, 7}, {7, 7}, 0},
        {{9, 1}, {7, 7}, 0},
    };
    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        assert_int_equal(weft_clock_since_power_on_ms(cases[i].early, cases[i].now), cases[i].ms);
    }
    const struct weft_clock_mark early = weft_clock_mark();
    struct weft_clock_mark now;
    do {
        now = weft_clock_mark();
    } while (now.ns < early.ns + WEFT_NS_PER_MS);
    assert_true(now.count > early.count);
}

// What one says is on every console that the kernel has; the last of its list is the caller's own.
static void all_consoles_say_the_same(void **state)
{
    (void)state;
    static const char *const names[] = {"tty0", "hvc0", "ttyS0"};
    char directory[] = "/tmp/weft-say.XXXXXX", path[64], text[64];
    struct weft_say say = {.fd = -1};
    assert_non_null(mkdtemp(directory));
    for (size_t i = 0; i < WEFT_COUNT_OF(names); i++) {
        if (i == 1) continue; // It is gone.
        snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
        close(open(path, O_WRONLY | O_CREAT, 0600));
    }
    weft_say_open_others(&say, "ttyAMA0", directory);
    assert_int_equal(say.other_count, 0);
    weft_say_open_others(&say, "", directory);
    assert_int_equal(say.other_count, 0);
    weft_say_open_others(&say, "tty0 hvc0 ttyS0", directory);
    assert_int_equal(say.other_count, 1);
    weft_say_bytes(&say, "word", 4);
    close(say.others[0]);
    for (size_t i = 0; i < WEFT_COUNT_OF(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
        weft_text_file_line(path, text, sizeof(text));
        assert_string_equal(text, i == 0 ? "word" : "");
        unlink(path);
    }
    rmdir(directory);
}

static void a_text_is_written_over_in_its_cluster(void **state)
{
    (void)state;
    char path[] = "/tmp/weft-over-XXXXXX", text[64];
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(weft_text_file_write_over(path, "new", 3, 8), -ENOSPC); // It has none yet.
    assert_int_equal(write(fd, "a longer", 8), 8);
    assert_int_equal(weft_text_file_write_over(path, "text", 4, 8), 0);
    assert_int_equal(weft_text_file_read(path, text, sizeof(text)), 4);
    assert_string_equal(text, "text");
    assert_int_equal(weft_text_file_write_over(path, "too long!", 9, 8), -ENOSPC);
    assert_int_equal(weft_text_file_write_over(path, "12345678", 8, 8), 0);
    assert_int_equal(weft_text_file_read(path, text, sizeof(text)), 8);
    close(fd);
    unlink(path);
    assert_int_equal(weft_text_file_write_over(path, "none", 4, 8), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_written_over_in_its_cluster),
        cmocka_unit_test(words_of_a_command_line),
        cmocka_unit_test(what_a_data_partition_holds),
        cmocka_unit_test(when_a_file_system_is_full),
        cmocka_unit_test(whose_identity_it_is),
        cmocka_unit_test(an_identity_is_noted_once),
        cmocka_unit_test(the_wait_doubles_and_starts_over),
        cmocka_unit_test(the_watchdog_starves_last),
        cmocka_unit_test(a_start_is_guarded_and_not_for_ever),
        cmocka_unit_test(which_boots_are_good),
        cmocka_unit_test(what_is_not_the_releases_fault),
        cmocka_unit_test(who_stays_on_trial),
        cmocka_unit_test(what_hinders_blessing_is_said_once),
        cmocka_unit_test(words_of_a_fingerprint),
        cmocka_unit_test(cpus_of_the_workers),
        cmocka_unit_test(pages_of_whole_arenas),
        cmocka_unit_test(time_does_not_go_back),
        cmocka_unit_test(time_since_power_on),
        cmocka_unit_test(all_consoles_say_the_same),
        cmocka_unit_test(strings_of_json),
        cmocka_unit_test(files_are_replaced_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
