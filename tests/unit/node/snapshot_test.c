// A reader of a snapshot gets one whole version, whatever the writer does meanwhile.
#include "tests/support/cmocka.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "runtime/base/units.h"
#include "runtime/node/event_ring.h"
#include "runtime/node/snapshot.h"

#define WORDS  512
#define ROUNDS 20000

static struct weft_snapshot snapshot;
static _Atomic bool stop;

static void *write_versions(void *self)
{
    uint64_t words[WORDS];
    (void)self;
    for (uint64_t version = 1; version == 1 || !atomic_load(&stop); version++) {
        for (size_t i = 0; i < WORDS; i++) {
            words[i] = version;
        }
        weft_snapshot_write(&snapshot, words, sizeof(words));
        sched_yield();
    }
    return NULL;
}

static void a_copy_is_of_one_version(void **state)
{
    pthread_t writer;
    uint64_t words[WORDS], seen = 0;
    (void)state;
    assert_int_equal(weft_snapshot_init(&snapshot, sizeof(words)), 0);
    assert_true(weft_snapshot_read(&snapshot, words, sizeof(words)));
    assert_int_equal(words[0], 0);
    assert_int_equal(pthread_create(&writer, NULL, write_versions, NULL), 0);
    for (int i = 0; i < ROUNDS; i++) {
        if (!weft_snapshot_read(&snapshot, words, sizeof(words))) continue;
        if (words[0] < seen)
            fail_msg("version %llu after %llu", (unsigned long long)words[0],
                     (unsigned long long)seen);
        seen = words[0];
        for (size_t word = 1; word < WORDS; word++) {
            if (words[word] != words[0])
                fail_msg("round %d: word %zu is of another version", i, word);
        }
    }
    atomic_store(&stop, true);
    pthread_join(writer, NULL);
    assert_true(weft_snapshot_read(&snapshot, words, sizeof(words)));
    // A writer that never rests may spoil every copy; at rest the last version is read whole.
    assert_true(words[0] > 0 && words[0] >= seen && words[WORDS - 1] == words[0]);
    weft_snapshot_destroy(&snapshot);
}

static void events_come_in_order_or_are_counted(void **state)
{
    static struct weft_event_ring ring;
    struct weft_node_event event;
    (void)state;
    for (int i = 0; i < WEFT_EVENT_RING_SLOTS + 3; i++) {
        weft_event_ring_add(&ring, "node.dead", "n2", "%d", i);
    }
    assert_int_equal(ring.lost, 3);
    for (int i = 0; i < WEFT_EVENT_RING_SLOTS; i++) {
        char text[8];
        snprintf(text, sizeof(text), "%d", i);
        assert_true(weft_event_ring_take(&ring, &event));
        assert_string_equal(event.text, text);
        assert_string_equal(event.subject, "n2");
    }
    assert_false(weft_event_ring_take(&ring, &event));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_is_of_one_version),
        cmocka_unit_test(events_come_in_order_or_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
