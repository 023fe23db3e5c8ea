// What cores share: each core a system of one library, played by hand; then each a thread.
#include "tests/support/cmocka.h" // cmocka.h, after the standard headers it expects.

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "forth/library.h"
#include "forth/module.h"
#include "runtime/base/endian.h"
#include "runtime/base/prng.h"
#include "tests/unit/forth/forth_run.h"

enum { CORES = 3, IMAGE_BYTES_MAX = 65536, ROUNDS = 4000 };

struct core {
    struct weft_forth_memory memory; // Counted, and refused when it is scarce.
    size_t held_bytes;
    unsigned allowance; // Allocations that are granted yet.
    struct weft_forth_system *system;
};

struct node {
    struct weft_forth_library *library;
    struct core cores[CORES];
};

static const char text[] = ": double ( n -- n ) dup + ; variable v 5 value w\n"
                           ": quad ( n -- n ) double double ; : sum 0 swap 0 ?do i + loop ;\n";

static void *counted(void *self, void *block, size_t old_bytes, size_t new_bytes)
{
    struct core *core = self;
    if (new_bytes > 0 && core->allowance-- == 0) {
        core->allowance = 0;
        return NULL;
    }
    core->held_bytes += new_bytes - (block != NULL ? old_bytes : 0);
    return weft_forth_memory_libc.resize(NULL, block, old_bytes, new_bytes);
}

static int set_up(void **state)
{
    static struct node node;
    memset(&node, 0, sizeof(node));
    assert_int_equal(weft_forth_library_create(&weft_forth_memory_libc, &node.library), 0);
    for (unsigned n = 0; n < CORES; n++) {
        struct core *core = &node.cores[n];
        core->memory = (struct weft_forth_memory){.resize = counted, .self = core};
        core->allowance = UINT32_MAX;
        assert_int_equal(weft_forth_system_create_in(node.library, &core->memory, &core->system),
                         0);
    }
    *state = &node;
    return 0;
}

static void expect_volumes(const struct node *node, uint32_t count)
{
    struct weft_forth_sharing sharing;
    weft_forth_library_sharing(node->library, &sharing);
    assert_int_equal(sharing.modules, count);
    assert_int_equal(sharing.bytes > 0, count > 0);
}

// Nothing is left in the library, nor of any core's memory.
static int tear_down(void **state)
{
    struct node *node = *state;
    expect_volumes(node, 0);
    for (unsigned n = 0; n < CORES; n++) {
        assert_int_equal(weft_forth_system_modules(node->cores[n].system), 0);
        weft_forth_system_free(node->cores[n].system);
        assert_int_equal(node->cores[n].held_bytes, 0);
    }
    weft_forth_library_free(node->library);
    return 0;
}

static struct weft_unit *open_frozen(struct core *core, const char *source)
{
    struct weft_unit *unit;
    uint32_t reductions = 100000;
    assert_int_equal(weft_unit_create(core->system, &core->memory, NULL, NULL, &unit), 0);
    assert_int_equal(weft_unit_interpret(unit, "text", source, strlen(source)), 0);
    assert_int_equal(weft_unit_run(unit, &reductions), WEFT_UNIT_DONE);
    assert_int_equal(weft_unit_freeze(unit), 0);
    return unit;
}

static void expect_says(struct weft_unit *unit, const char *said, const char *output)
{
    char got[64];
    uint32_t reductions = 100000;
    assert_int_equal(weft_unit_interpret(unit, "said", said, strlen(said)), 0);
    assert_int_equal(weft_unit_run(unit, &reductions), WEFT_UNIT_DONE);
    got[weft_unit_output_take(unit, got, sizeof(got) - 1)] = '\0';
    assert_string_equal(got, output);
}

static void a_node_has_the_words_once(void **state)
{
    struct node *node = *state;
    struct weft_unit *units[CORES][2];
    struct weft_unit_info info[CORES];
    size_t held_bytes[CORES];
    for (unsigned n = 0; n < CORES; n++) {
        struct core *core = &node->cores[n];
        units[n][0] = open_frozen(core, text);
        held_bytes[n] = core->held_bytes;
        units[n][1] = open_frozen(core, text);
        assert_ptr_equal(units[n][1]->module, units[n][0]->module);
        assert_int_equal(units[n][0]->module->user_count, 2);
        assert_ptr_equal(units[n][0]->module->content, units[0][0]->module->content);
        assert_int_equal(weft_forth_system_modules(core->system), 1);
        weft_unit_inspect(units[n][0], &info[n]);
    }
    expect_volumes(node, 1);
    struct weft_volume *volume = units[0][0]->module->volume;
    assert_int_equal(atomic_load(&volume->holder_count), CORES);
    for (unsigned n = 1; n < CORES; n++) {
        assert_ptr_not_equal(units[n][0]->module, units[0][0]->module);
        // The first core has the words in its memory; the others do not, and are charged as it is.
        assert_int_equal(held_bytes[0] - held_bytes[n], volume->bytes);
        assert_int_equal(info[n].module_bytes, volume->bytes);
        assert_int_equal(info[n].memory_bytes, info[0].memory_bytes);
        assert_int_equal(weft_word_module_charge(units[n][0]->module), volume->content_bytes);
    }
    // Variables are each unit's own.
    for (unsigned n = 0; n < CORES; n++) {
        char said[32], output[32];
        snprintf(said, sizeof(said), "%u v ! 3 quad v @ . .", n);
        snprintf(output, sizeof(output), "%u 12 ", n);
        expect_says(units[n][0], said, output);
    }
    for (unsigned n = 0; n < CORES; n++) {
        weft_unit_free(units[n][0]);
        weft_unit_free(units[n][1]);
    }
}

// Who made it may be the first to go. Its core gets the memory back, by itself, when nobody has it.
static void words_outlive_the_core_that_made_them(void **state)
{
    struct node *node = *state;
    struct core *maker = &node->cores[0], *other = &node->cores[1];
    const size_t before = maker->held_bytes;
    struct weft_unit *first = open_frozen(maker, text), *second = open_frozen(other, text);
    const uint32_t bytes = first->module->volume->bytes;
    weft_unit_free(first);
    assert_int_equal(maker->held_bytes, before + bytes);
    weft_forth_system_settle(maker->system);
    assert_int_equal(maker->held_bytes, before + bytes);
    expect_says(second, "7 quad .", "28 ");
    // A unit that comes now finds them.
    first = open_frozen(maker, text);
    assert_ptr_equal(first->module->content, second->module->content);
    weft_unit_free(first);
    weft_unit_free(second);
    expect_volumes(node, 0);
    assert_int_equal(maker->held_bytes, before + bytes); // It has not been home since.
    weft_forth_system_settle(maker->system);
    assert_int_equal(maker->held_bytes, before);
}

// Names, images that have their module, and images that only name it: from whichever core they are.
static void an_image_finds_what_another_core_has(void **state)
{
    static uint8_t image[IMAGE_BYTES_MAX], bare[IMAGE_BYTES_MAX];
    struct node *node = *state;
    struct core *to = &node->cores[1];
    struct weft_unit *back, *others[2] = {open_frozen(&node->cores[2], ": another 1 ;"),
                                          open_frozen(&node->cores[2], ": third 3 ;")};
    struct weft_unit *unit = open_frozen(&node->cores[0], text);
    const int64_t bytes = weft_unit_save(unit, image, sizeof(image));
    const int64_t bare_bytes = weft_unit_save_bare(unit, bare, sizeof(bare));
    assert_true(bytes > bare_bytes && bare_bytes > 0);
    const struct {
        const uint8_t *image;
        int64_t bytes;
    } images[] = {{image, bytes}, {bare, bare_bytes}};
    for (unsigned n = 0; n < 2; n++) {
        assert_int_equal(weft_unit_load(to->system, &to->memory, NULL, NULL, images[n].image,
                                        (size_t)images[n].bytes, &back),
                         0);
        assert_ptr_equal(back->module->content, unit->module->content);
        expect_says(back, "2 quad .", "8 ");
        weft_unit_free(back);
    }
    // Words that have no name yet are found by it all the same.
    weft_unit_free(unit);
    expect_volumes(node, 2);
    unit = open_frozen(&node->cores[2], text);
    assert_false(atomic_load(&unit->module->volume->is_named));
    assert_int_equal(
        weft_unit_load(to->system, &to->memory, NULL, NULL, bare, (size_t)bare_bytes, &back), 0);
    assert_ptr_equal(back->module->content, unit->module->content);
    assert_true(atomic_load(&unit->module->volume->is_named));
    weft_unit_free(back);
    weft_unit_free(unit);
    assert_int_equal(
        weft_unit_load(to->system, &to->memory, NULL, NULL, bare, (size_t)bare_bytes, &back),
        -ENOENT);
    // What nobody has comes with the image, is verified, and has its name at once.
    assert_int_equal(
        weft_unit_load(to->system, &to->memory, NULL, NULL, image, (size_t)bytes, &back), 0);
    assert_true(atomic_load(&back->module->volume->is_named));
    unit = open_frozen(&node->cores[0], text);
    assert_ptr_equal(back->module->content, unit->module->content);
    weft_unit_free(unit);
    weft_unit_free(back);
    for (unsigned n = 0; n < 2; n++)
        weft_unit_free(others[n]);
}

// A checksum is not enough: anybody can make any number of contents that have the same.
static void what_has_the_same_checksum_is_not_the_same(void **state)
{
    enum { VOLUMES = 300, BYTES = 64 };
    struct node *node = *state;
    static struct weft_volume *volumes[VOLUMES];
    uint8_t content[BYTES];
    memset(content, 0, sizeof(content));
    for (unsigned n = 0; n < VOLUMES; n++) {
        const struct weft_forth_system *system = node->cores[n % CORES].system;
        const uint32_t bytes = n % 100 == 0 ? BYTES : BYTES / 2; // Rarely of the same length.
        weft_le32_put(content, n);
        volumes[n] = weft_volume_new(system, bytes, 0);
        memcpy(volumes[n]->content, content, bytes);
        volumes[n]->crc = 7;
        assert_null(weft_library_find(system, content, bytes, 7, NULL));
        assert_ptr_equal(weft_library_find(system, content, bytes, 7, volumes[n]), volumes[n]);
    }
    expect_volumes(node, VOLUMES);
    for (unsigned n = 0; n < VOLUMES; n++) {
        const struct weft_forth_system *system = node->cores[(n + 1) % CORES].system;
        const uint32_t bytes = volumes[n]->content_bytes;
        weft_le32_put(content, n);
        assert_ptr_equal(weft_library_find(system, content, bytes, 7, NULL), volumes[n]);
        assert_int_equal(atomic_load(&volumes[n]->holder_count), 2);
        weft_forth_release(system, volumes[n]);
        assert_null(weft_library_find(system, content, BYTES - 1, 7, NULL));
        assert_int_equal(atomic_load(&volumes[n]->holder_count), 1); // Nobody rests on it.
    }
    for (unsigned n = 0; n < VOLUMES; n++) {
        const struct weft_forth_system *system = node->cores[(n + 1) % CORES].system;
        weft_forth_release(system, volumes[n]);
    }
    expect_volumes(node, 0);
}

static uint64_t xt_of(struct weft_unit *unit, const char *name)
{
    int64_t xt;
    char said[32];
    uint32_t reductions = 1000;
    snprintf(said, sizeof(said), "' %s", name);
    assert_int_equal(weft_unit_interpret(unit, "xt", said, strlen(said)), 0);
    assert_int_equal(weft_unit_run(unit, &reductions), WEFT_UNIT_DONE);
    assert_int_equal(weft_unit_cells(unit, &xt, 1), 1);
    return (uint64_t)xt;
}

// A child grows on another core whatever its parent does meanwhile: it may change its words, or
// end.
static void a_seed_keeps_its_words_under_way(void **state)
{
    struct node *node = *state;
    struct core *from = &node->cores[0], *to = &node->cores[1];
    for (unsigned ends = 0; ends < 2; ends++) {
        const int64_t five = 5;
        struct weft_unit *parent = open_frozen(from, text), *child;
        const uint64_t xt = xt_of(parent, "quad");
        void *seed = malloc(weft_unit_seed_bytes(parent, 1));
        assert_non_null(seed);
        struct weft_volume *held = weft_unit_hold(parent);
        assert_ptr_equal(held, parent->module->volume);
        weft_unit_seed(parent, xt, &five, 1, seed);
        if (ends)
            weft_unit_free(parent);
        else
            assert_int_equal(weft_unit_thaw_word(parent, 0), 0);
        assert_int_equal(weft_forth_system_modules(from->system), 0);
        expect_volumes(node, 1);
        assert_int_equal(weft_unit_sprout(to->system, &to->memory, NULL, NULL, seed, &child), 0);
        weft_forth_release(to->system, held);
        assert_ptr_equal(child->module->volume, held);
        int64_t result;
        uint32_t reductions = 1000;
        assert_int_equal(weft_unit_run(child, &reductions), WEFT_UNIT_DONE);
        assert_int_equal(weft_unit_cells(child, &result, 1), 1);
        assert_int_equal(result, 20);
        weft_unit_free(child);
        if (!ends) weft_unit_free(parent);
        free(seed);
        expect_volumes(node, 0);
    }
    struct weft_unit *empty = open_frozen(from, "");
    assert_null(weft_unit_hold(empty)); // Nothing to hold.
    weft_unit_free(empty);
}

// Wherever memory is refused, on the core that makes words or on the one that takes them, all is as
// it was.
static void no_memory_leaves_nothing_behind(void **state)
{
    static uint8_t image[IMAGE_BYTES_MAX];
    struct node *node = *state;
    struct core *maker = &node->cores[0], *other = &node->cores[1];
    struct weft_unit *unit = open_frozen(maker, text), *back = NULL;
    const int64_t bytes = weft_unit_save(unit, image, sizeof(image));
    assert_true(bytes > 0);
    for (unsigned shared = 0; shared < 2; shared++) {
        const size_t before = other->held_bytes;
        int code = -ENOMEM;
        for (unsigned n = 0; code != 0; n++) {
            other->allowance = n;
            code = weft_unit_load(other->system, &other->memory, NULL, NULL, image, (size_t)bytes,
                                  &back);
            if (code != 0) assert_int_equal(other->held_bytes, before);
            if (code != 0) assert_int_equal(code, -ENOMEM);
            assert_in_range(n, 0, 20);
        }
        other->allowance = UINT32_MAX;
        expect_says(back, "3 quad .", "12 ");
        weft_unit_free(back);
        assert_int_equal(other->held_bytes, before);
        if (shared == 0) weft_unit_free(unit); // From now on it brings its words itself.
    }
    unit = open_frozen(maker, ": a 1 ;");
    expect_says(unit, ": b 2 ; : c 3 ;", "");
    other->allowance = maker->allowance = 0;
    assert_int_equal(weft_unit_freeze(unit), -ENOMEM);
    maker->allowance = 1; // The module, and not its words.
    assert_int_equal(weft_unit_freeze(unit), -ENOMEM);
    maker->allowance = UINT32_MAX;
    expect_says(unit, "a b c . . .", "3 2 1 ");
    weft_unit_free(unit);
}

// ---- Each core a thread.

enum { THREADS = 3, SOURCES = 4 };

struct parcel { // From one core to another: a seed and what it relies on.
    struct weft_volume *held;
    uint64_t bytes[128];
};

struct worker {
    pthread_t thread;
    struct node *node;
    unsigned index;
};

static _Atomic(struct parcel *) slots[THREADS];
static uint8_t bare_images[SOURCES][4096];
static size_t bare_bytes[SOURCES];

static void source_of(unsigned which, char *to, size_t size)
{
    snprintf(to, size, ": one %u ; : two one one + ; : three two one + ; : four three one + ;",
             which);
}

// What another core has sent grows here, and runs.
static void receive(const struct core *core, unsigned index)
{
    // Acquire: pairs with the release in `give`.
    struct parcel *parcel = atomic_exchange_explicit(&slots[index], NULL, memory_order_acquire);
    if (parcel == NULL) return;
    struct weft_unit *child;
    int64_t cells[2] = {0};
    uint32_t reductions = 1000;
    assert_int_equal(
        weft_unit_sprout(core->system, &weft_forth_memory_libc, NULL, NULL, parcel->bytes, &child),
        0);
    weft_forth_release(core->system, parcel->held);
    assert_int_equal(weft_unit_run(child, &reductions), WEFT_UNIT_DONE);
    assert_int_equal(weft_unit_cells(child, cells, 2), 2);
    assert_int_equal(cells[1], 4 * cells[0]);
    weft_unit_free(child);
    free(parcel);
}

static void give(const struct core *core, const struct weft_unit *parent, uint64_t xt,
                 unsigned which, unsigned to)
{
    struct parcel *parcel = calloc(1, sizeof(*parcel)), *none = NULL;
    const int64_t cell = which;
    assert_non_null(parcel);
    assert_true(weft_unit_seed_bytes(parent, 1) <= sizeof(parcel->bytes));
    parcel->held = weft_unit_hold(parent);
    weft_unit_seed(parent, xt, &cell, 1, parcel->bytes);
    // Release: pairs with the acquire in `receive`.
    if (atomic_compare_exchange_strong_explicit(&slots[to], &none, parcel, memory_order_release,
                                                memory_order_relaxed))
        return;
    weft_forth_release(core->system, parcel->held);
    free(parcel);
}

// By its name alone, if any core has it just now.
static void load_bare(const struct core *core, unsigned which)
{
    struct weft_unit *unit;
    const int code = weft_unit_load(core->system, &weft_forth_memory_libc, NULL, NULL,
                                    bare_images[which], bare_bytes[which], &unit);
    if (code == 0)
        weft_unit_free(unit);
    else
        assert_int_equal(code, -ENOENT);
}

// Whoever makes the name, it is this one.
static void name(struct weft_unit *unit, unsigned which)
{
    uint8_t image[sizeof(bare_images[0])];
    assert_true(weft_unit_save_bare(unit, image, sizeof(image)) > 0);
    assert_memory_equal(image + 48, bare_images[which] + 48, WEFT_SHA256_BYTES);
}

static void *work(void *self)
{
    const struct worker *worker = self;
    struct core *core = &worker->node->cores[worker->index];
    struct weft_prng prng;
    weft_prng_seed(&prng, worker->index);
    for (unsigned n = 0; n < ROUNDS; n++) {
        char source[128];
        const unsigned which = weft_prng_below(&prng, SOURCES);
        source_of(which, source, sizeof(source));
        struct weft_unit *unit = open_frozen(core, source);
        const uint64_t xt = xt_of(unit, "four");
        if (weft_prng_below(&prng, 4) == 0) name(unit, which);
        load_bare(core, weft_prng_below(&prng, SOURCES));
        give(core, unit, xt, which, (worker->index + 1 + weft_prng_below(&prng, 2)) % THREADS);
        receive(core, worker->index);
        weft_unit_free(unit);
        weft_forth_system_settle(core->system);
    }
    return NULL;
}

static void threads_share_and_let_go(void **state)
{
    struct node *node = *state;
    static struct worker workers[THREADS];
    for (unsigned n = 0; n < SOURCES; n++) {
        char source[128];
        source_of(n, source, sizeof(source));
        struct weft_unit *unit = open_frozen(&node->cores[0], source);
        const int64_t bytes = weft_unit_save_bare(unit, bare_images[n], sizeof(bare_images[n]));
        assert_true(bytes > 0);
        bare_bytes[n] = (size_t)bytes;
        weft_unit_free(unit);
    }
    for (unsigned n = 0; n < THREADS; n++) {
        workers[n] = (struct worker){.node = node, .index = n};
        assert_int_equal(pthread_create(&workers[n].thread, NULL, work, &workers[n]), 0);
    }
    for (unsigned n = 0; n < THREADS; n++)
        pthread_join(workers[n].thread, NULL);
    for (unsigned n = 0; n < THREADS; n++)
        receive(&node->cores[n], n);
}

#define UNIT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        UNIT_TEST(a_node_has_the_words_once),
        UNIT_TEST(words_outlive_the_core_that_made_them),
        UNIT_TEST(an_image_finds_what_another_core_has),
        UNIT_TEST(what_has_the_same_checksum_is_not_the_same),
        UNIT_TEST(a_seed_keeps_its_words_under_way),
        UNIT_TEST(no_memory_leaves_nothing_behind),
        UNIT_TEST(threads_share_and_let_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
