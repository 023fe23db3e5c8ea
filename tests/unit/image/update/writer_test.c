// The writer: what it refuses, what it remembers, and that no cut of power leaves a disk that does
// not start.
#include <stdlib.h>
#include <string.h>

#include "image/update/writer.h"
#include "runtime/base/units.h"
#include "tests/support/cmocka.h"
#include "tests/unit/image/update/power.h"

struct bench { // A node that runs release 0.2.0 from slot a, and what it remembers.
    struct power_disk disk;
    struct test_release old, new;
    struct weft_update_ledger ledger, kept;
    struct weft_update_writer writer;
};

static int keep(void *self, const struct weft_update_ledger *ledger, struct weft_error *error)
{
    (void)error;
    ((struct bench *)self)->kept = *ledger;
    return 0;
}

static void bench_init(struct bench *bench, char running, const char *version, unsigned seed)
{
    char kernel[WEFT_UPDATE_NAME_BYTES];

    memset(bench, 0, sizeof(*bench));
    power_disk_init(&bench->disk, seed);
    test_release_make(&bench->old, "0.2.0", "0.1.0", 100);
    test_release_make(&bench->new, version, version, 200);
    snprintf(kernel, sizeof(kernel), "weft-%c_0.2.0.efi", running);
    power_disk_install(&bench->disk, running, &bench->old, kernel);
    bench->writer = (struct weft_update_writer){.node = {.running = running},
                                                .medium = power_disk_medium(&bench->disk),
                                                .ledger = &bench->ledger,
                                                .keep = keep,
                                                .keep_self = bench};
    strcpy(bench->writer.node.version, "0.2.0");
    strcpy(bench->writer.node.arch, "arm64");
}

static void bench_destroy(struct bench *bench)
{
    weft_update_writer_destroy(&bench->writer);
    test_release_destroy(&bench->old);
    test_release_destroy(&bench->new);
}

// The whole update. 0, or the code of the error.
static int update(struct bench *bench)
{
    const struct weft_update_taker taker = weft_update_writer_taker(&bench->writer);
    struct weft_update_reader reader;
    struct weft_error error = {0};

    weft_update_reader_init(&reader, &bench->new.key, &taker);
    int result = 0;
    for (size_t at = 0; at < bench->new.bundle_length &&result == 0; at += 700) {
        const size_t left = bench->new.bundle_length - at, count = left < 700 ? left : 700;
        result = weft_update_reader_feed(&reader, bench->new.bundle + at, count, &error);
    }
    if (result == 0) result = weft_update_reader_end(&reader, &error);
    if (result == 0) result = weft_update_writer_finish(&bench->writer, &error);
    weft_update_reader_destroy(&reader);
    assert_true((result == 0) == (error.code == 0));
    return error.code;
}

static char boot(struct bench *bench, bool new_is_healthy)
{
    const struct power_release known[] = {{&bench->old, true}, {&bench->new, new_is_healthy}};

    return power_disk_boot(&bench->disk, known, 2);
}

static bool has_file(struct bench *bench, const char *wanted)
{
    const struct weft_update_medium medium = power_disk_medium(&bench->disk);
    char name[WEFT_UPDATE_NAME_BYTES];

    for (uint32_t i = 0; medium.file_at(medium.self, i, name); i++) {
        if (strcmp(name, wanted) == 0) return true;
    }
    return false;
}

static void a_good_release_is_started_and_kept(void **state)
{
    static struct bench bench;
    (void)state;

    bench_init(&bench, 'a', "0.3.0", 1);
    assert_int_equal(update(&bench), 0);
    assert_true(has_file(&bench, "weft-b_0.3.0+3.efi"));
    assert_true(has_file(&bench, "weft-a_0.2.0.efi"));
    assert_string_equal(bench.kept.next, "0.3.0");
    assert_int_equal(boot(&bench, true), 'b');
    assert_true(has_file(&bench, "weft-b_0.3.0.efi"));
    bench_destroy(&bench);
}

// Newer, the same and older, from either slot: the new one gets its tries, and if it is bad the
// node is back where it was.
static void a_bad_release_falls_back(void **state)
{
    static const char *const versions[] = {"0.3.0", "0.2.0", "0.1.0"};
    static struct bench bench;
    (void)state;

    for (size_t i = 0; i < 6; i++) {
        const char running = i % 2 == 0 ? 'a' : 'b';
        bench_init(&bench, running, versions[i / 2], 2);
        bench.writer.force = true;
        assert_int_equal(update(&bench), 0);
        assert_int_equal(boot(&bench, false), running);
        weft_update_writer_destroy(&bench.writer);
        // The next update notes that it failed, and refuses it.
        struct weft_update_slot slots[2];
        weft_update_slots_read(&bench.writer.medium, slots);
        assert_int_equal(weft_update_slot_state(&slots[running == 'a']), WEFT_SLOT_FAILED);
        bench.writer.force = false;
        assert_int_equal(update(&bench), strcmp(versions[i / 2], "0.2.0") == 0 ? 0 : 904);
        bench_destroy(&bench);
    }
}

static void an_older_release_is_started_when_forced(void **state)
{
    static const char *const versions[] = {"0.2.0", "0.1.0"};
    static struct bench bench;
    (void)state;

    for (size_t i = 0; i < 4; i++) {
        const char running = i % 2 == 0 ? 'a' : 'b';
        bench_init(&bench, running, versions[i / 2], 3);
        bench.writer.force = true;
        strcpy(bench.ledger.floor, "0.2.0");
        assert_int_equal(update(&bench), 0);
        assert_int_equal(boot(&bench, true), running == 'a' ? 'b' : 'a');
        assert_int_equal(boot(&bench, true), running == 'a' ? 'b' : 'a'); // And stays.
        bench_destroy(&bench);
    }
}

static void refuses_what_does_not_fit(void **state)
{
    static const struct {
        const char *name;
        const char *version, *floor, *failed, *arch, *kernel;
        uint64_t root_bytes, uki_bytes;
        int code;
        bool force_helps;
    } cases[] = {
        {"below the floor", "0.1.0", "0.2.0", "", "arm64", NULL, 0, 0, 904, true},
        {"failed before", "0.3.0", "", "0.3.0", "arm64", NULL, 0, 0, 904, true},
        {"another CPU", "0.3.0", "", "", "amd64", NULL, 0, 0, 904, false},
        {"too large for the slot", "0.3.0", "", "", "arm64", NULL, POWER_SLOT_BYTES + 1, 0, 904,
         false},
        {"a kernel too large", "0.3.0", "", "", "arm64", NULL, 0, WEFT_UPDATE_UKI_BYTES_MAX + 1,
         904, false},
        {"on trial", "0.3.0", "", "", "arm64", "weft-a_0.2.0+2-1.efi", 0, 0, 905, false},
    };
    static struct bench bench;
    (void)state;

    for (size_t i = 0; i < 2 * WEFT_COUNT_OF(cases); i++) {
        const size_t n = i / 2;
        const bool force = i % 2 == 1;
        bench_init(&bench, 'a', cases[n].version, 4);
        strcpy(bench.ledger.floor, cases[n].floor);
        if (cases[n].failed[0] != '\0') weft_update_ledger_fail(&bench.ledger, cases[n].failed);
        strcpy(bench.new.manifest.arch, cases[n].arch);
        if (cases[n].root_bytes != 0) bench.new.manifest.parts[0].bytes = cases[n].root_bytes;
        if (cases[n].uki_bytes != 0) bench.new.manifest.parts[3].bytes = cases[n].uki_bytes;
        test_release_sign(&bench.new, false);
        if (cases[n].kernel != NULL) {
            strcpy(bench.disk.shelf.files[0].name, cases[n].kernel);
            bench.disk.safe_shelf = bench.disk.shelf;
        }
        bench.writer.force = force;
        const int code = update(&bench);
        if (code != (force && cases[n].force_helps ? 0 : cases[n].code))
            fail_msg("%s: %d", cases[n].name, code);
        if (code != 0 && bench.disk.steps != 0) fail_msg("%s: wrote", cases[n].name);
        bench_destroy(&bench);
    }
}

static void damage_on_the_way_leaves_the_running_slot(void **state)
{
    static struct bench bench;
    (void)state;

    bench_init(&bench, 'a', "0.3.0", 5);
    bench.new.bundle[bench.new.bundle_length - 1] ^= 1;
    assert_int_equal(update(&bench), 902);
    assert_false(has_file(&bench, "weft-b_0.3.0+3.efi"));
    assert_int_equal(boot(&bench, true), 'a');
    bench_destroy(&bench);

    bench_init(&bench, 'a', "0.3.0", 5);
    bench.disk.broken_sectors = true;
    assert_int_equal(update(&bench), 906);
    assert_false(has_file(&bench, "weft-b_0.3.0+3.efi"));
    assert_int_equal(boot(&bench, true), 'a');
    bench_destroy(&bench);
}

// Property: power that fails in any step of an update leaves a disk that starts a healthy release;
// and from there the next update works.
static void never_bricked(void **state)
{
    static const char *const versions[] = {"0.3.0", "0.2.0", "0.1.0"};
    static struct bench bench;
    unsigned cuts = 0;
    (void)state;

    for (unsigned seed = 0; seed < 120; seed++) {
        const char running = seed % 2 == 0 ? 'a' : 'b';
        const bool healthy = seed / 2 % 2 == 0, after_update = seed / 4 % 2 == 1;
        for (uint64_t cut_at = 0;; cut_at++) {
            bench_init(&bench, running, versions[seed % 3], seed * 1000 + (unsigned)cut_at);
            if (after_update) // The slot that is overwritten was good, or left by an older cut.
                power_disk_install(&bench.disk, running == 'a' ? 'b' : 'a', &bench.new,
                                   running == 'a' ? "weft-b_0.0.9+0.efi" : "weft-a_0.0.9.efi");
            bench.writer.force = true;
            bench.disk.cut_at = cut_at;
            const bool whole = update(&bench) == 0;
            power_disk_restart(&bench.disk);
            const char slot = boot(&bench, healthy);
            if (slot == 0) fail_msg("seed %u: cut in step %u", seed, (unsigned)cut_at);
            if (!healthy && slot != running) fail_msg("seed %u: a bad one is healthy", seed);
            cuts += !whole;
            weft_update_writer_destroy(&bench.writer);
            if (slot == running) { // Once more, without a cut.
                memset(&bench.ledger, 0, sizeof(bench.ledger));
                bench.writer.begun = false;
                assert_int_equal(update(&bench), 0);
                assert_int_equal(boot(&bench, true), running == 'a' ? 'b' : 'a');
            }
            bench_destroy(&bench);
            if (whole) break;
        }
    }
    print_message("%u cuts\n", cuts);
    assert_true(cuts > 120 * 20);
}

// Back to the other slot, and power cuts on the way.
static void rolls_back(void **state)
{
    static struct bench bench;
    struct weft_error error;
    (void)state;

    for (unsigned round = 0; round < 2;
         round++) { // To an older good one, and to one that stood back.
        for (uint64_t cut_at = 0;; cut_at++) {
            bench_init(&bench, 'a', "0.1.0", round * 100 + (unsigned)cut_at);
            power_disk_install(&bench.disk, 'b', &bench.new,
                               round == 0 ? "weft-b_0.1.0.efi" : "weft-b_0.1.0+0.efi");
            bench.disk.cut_at = cut_at;
            const bool whole =
                weft_update_roll_back(&bench.writer.medium, &bench.writer.node, &error) == 0;
            power_disk_restart(&bench.disk);
            const char slot = boot(&bench, true);
            assert_true(slot == 'a' || slot == 'b');
            if (whole) assert_int_equal(slot, 'b');
            bench_destroy(&bench);
            if (whole) break;
        }
    }
    bench_init(&bench, 'a', "0.3.0", 7);
    assert_int_equal(weft_update_roll_back(&bench.writer.medium, &bench.writer.node, &error), -1);
    assert_int_equal(error.code, 904); // Empty.
    power_disk_install(&bench.disk, 'b', &bench.new, "weft-b_0.3.0+0-3.efi");
    assert_int_equal(weft_update_roll_back(&bench.writer.medium, &bench.writer.node, &error), -1);
    assert_int_equal(error.code, 904); // Failed.
    bench_destroy(&bench);
}

static void remembers_floors_and_failures(void **state)
{
    struct weft_update_ledger ledger;
    char text[WEFT_UPDATE_LEDGER_BYTES_MAX], version[WEFT_UPDATE_VERSION_BYTES];
    (void)state;

    weft_update_ledger_parse("floor 0.2.0\nnext 0.4.0 0.3.0\nfailed 0.2.9\nfailed ../x\nrubbish\n"
                             "floor\nfailed 1.0 2.0\n\n",
                             &ledger);
    assert_string_equal(ledger.floor, "0.2.0");
    assert_int_equal(ledger.failed_count, 2);
    weft_update_ledger_bless(&ledger, "0.2.0"); // Not the one that was installed.
    assert_string_equal(ledger.floor, "0.2.0");
    weft_update_ledger_bless(&ledger, "0.4.0");
    assert_string_equal(ledger.floor, "0.3.0");
    weft_update_ledger_print(&ledger, text);
    assert_string_equal(text, "floor 0.3.0\nfailed 0.2.9\nfailed 1.0\n");
    for (unsigned i = 0; i < 2 * WEFT_UPDATE_FAILED_MAX; i++) {
        snprintf(version, sizeof(version), "2.%u", i);
        weft_update_ledger_fail(&ledger, version);
    }
    assert_int_equal(ledger.failed_count, WEFT_UPDATE_FAILED_MAX);
    assert_true(weft_update_ledger_has_failed(&ledger, version));
    assert_false(weft_update_ledger_has_failed(&ledger, "2.1"));
    weft_update_ledger_bless(&ledger, version);
    assert_false(weft_update_ledger_has_failed(&ledger, version));
}

static void names_say_what_a_slot_is(void **state)
{
    static const struct {
        const char *name;
        enum weft_update_slot_state state; // EMPTY: it is no kernel of ours.
    } cases[] = {
        {"weft-a_0.1.0.efi", WEFT_SLOT_GOOD},
        {"weft-b_0.1.0+3.efi", WEFT_SLOT_FRESH},
        {"weft-b_0.1.0+2-1.efi", WEFT_SLOT_TRYING},
        {"weft-b_0.1.0+0-3.efi", WEFT_SLOT_FAILED},
        {"weft-b_0.1.0+0.efi", WEFT_SLOT_ASIDE},
        {"weft-b_0.1.0+0-0.efi", WEFT_SLOT_ASIDE},
        {"weft-a_1~rc1+3.efi", WEFT_SLOT_FRESH},
        {"weft-c_0.1.0.efi", WEFT_SLOT_EMPTY},
        {"weft-a_0.1.0+.efi", WEFT_SLOT_EMPTY},
        {"weft-a_0.1.0+3-.efi", WEFT_SLOT_EMPTY},
        {"weft-a_0.1.0+100.efi", WEFT_SLOT_EMPTY},
        {"weft-a_0.1.0+3.efi.tmp", WEFT_SLOT_EMPTY},
        {"weft-a_.efi", WEFT_SLOT_EMPTY},
        {"weft-a", WEFT_SLOT_EMPTY},
        {"weft-", WEFT_SLOT_EMPTY},
        {"rescue.efi", WEFT_SLOT_EMPTY},
        {"", WEFT_SLOT_EMPTY},
    };
    (void)state;

    for (size_t i = 0; i < WEFT_COUNT_OF(cases); i++) {
        struct weft_update_slot slot;
        char name[WEFT_UPDATE_NAME_BYTES];
        const bool known = weft_update_slot_parse(cases[i].name, &slot);
        if (known != (cases[i].state != WEFT_SLOT_EMPTY)) fail_msg("%s", cases[i].name);
        if (!known) continue;
        if (weft_update_slot_state(&slot) != cases[i].state) fail_msg("%s", cases[i].name);
        weft_update_slot_name(&slot, name);
        assert_string_equal(name, cases[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_release_is_started_and_kept),
        cmocka_unit_test(a_bad_release_falls_back),
        cmocka_unit_test(an_older_release_is_started_when_forced),
        cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(damage_on_the_way_leaves_the_running_slot),
        cmocka_unit_test(never_bricked),
        cmocka_unit_test(rolls_back),
        cmocka_unit_test(remembers_floors_and_failures),
        cmocka_unit_test(names_say_what_a_slot_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
