// Ties of a unit that nobody has made so: refused, or given to a unit that lives on a node, runs
// and ends. The input is the ties alone; head and checksum, which would only stop it, are put in
// front.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/assert.h"
#include "runtime/base/crc32c.h"
#include "runtime/base/endian.h"
#include "runtime/node/node.h"
#include "runtime/node/unit_limits.h"
#include "runtime/node/unit_ties.h"

#define HEAD      32 // docs/wire/unit-image.md.
#define TIES_MAX  16384
#define IMAGE_MAX 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct weft_node *node;
static uint8_t image[HEAD + TIES_MAX + IMAGE_MAX];
static uint8_t plain[IMAGE_MAX]; // A unit that waits on two levels, without its ties.
static size_t plain_length;
static uint64_t clock_ns = WEFT_NS_PER_S;

static uint64_t now_ns(void *self)
{
    (void)self;
    return clock_ns;
}

static void fill(void *self, void *bytes, size_t length)
{
    (void)self;
    memset(bytes, 7, length);
}

static void turn(unsigned count)
{
    while (count-- > 0) {
        for (uint16_t core = 0; core <= 1; core++)
            weft_core_turn(weft_node_core(node, core));
        clock_ns += 1000;
    }
}

// The bare unit: RECV on a channel that it will find, or not.
static void make_plain(void)
{
    static const char text[] =
        "VARIABLE ch : main BEGIN ch @ RECV DROP RECEIVE 2DROP 2DROP AGAIN ; ";
    struct weft_node_worker *worker = &node->workers[0];
    struct weft_unit *unit;
    uint32_t reductions = 100000;
    weft_assert(weft_unit_create(worker->forth, &worker->memory, NULL, NULL, &unit) == 0);
    weft_assert(weft_unit_interpret(unit, "fuzz", text, strlen(text)) == 0);
    weft_assert(weft_unit_run(unit, &reductions) == WEFT_UNIT_DONE);
    const int64_t length = weft_unit_save(unit, plain, sizeof(plain));
    weft_assert(length > 0);
    plain_length = (size_t)length;
    weft_unit_free(unit);
}

static void begin(void)
{
    const struct weft_node_options options = {
        .name = "fuzz",
        .clock = {.now_ns = now_ns, .wall_ns = now_ns},
        .entropy = {.fill = fill},
        .worker_count = 1,
        .arena_bytes = 64 * WEFT_MIB,
        .actor_count_max = 4096,
        .stack_count_max = 4,
        .name_count_max = 16,
        .log_level = WEFT_LOG_ERROR,
        .unit = weft_unit_options_default,
        .unit_count_max = 4,
        .unit_mailbox = 64,
        .eval_reductions = 100000,
        .eval_timeout_ns = WEFT_NS_PER_S,
    };
    struct weft_error error;
    node = calloc(1, sizeof(*node));
    weft_assert(node != NULL && weft_node_init(node, &options, &error) == 0);
    make_plain();
}

static size_t build(const uint8_t *data, size_t size)
{
    memset(image, 0, HEAD);
    memcpy(image, "WFUA", 4);
    weft_le16_put(image + 4, 2);
    weft_le64_put(image + 16, UINT64_C(0x1234567801000009));
    weft_le32_put(image + 24, (uint32_t)size);
    if (size > 0) memcpy(image + HEAD, data, size);
    weft_le32_put(image + 28, weft_crc32c(weft_crc32c(0, image, 28), image + HEAD, size));
    memcpy(image + HEAD + size, plain, plain_length);
    return HEAD + size + plain_length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > TIES_MAX) return 0;
    if (node == NULL) begin();
    struct weft_node_worker *worker = &node->workers[0];
    const struct weft_span whole = weft_span_of(image, build(data, size));
    const char *wrong = NULL;
    static const struct weft_unit_kin nobody;
    const struct weft_unit_quota quota = weft_unit_actor_image_quota(whole);
    const int result = weft_unit_actor_revive(worker, "fuzz", whole, &nobody, &quota, &wrong);
    weft_assert(result == 0 || wrong != NULL || result == -ENOMEM || result == -ENOSPC);
    if (result != 0) {
        turn(4);
        return 0;
    }
    struct weft_unit_actor *unit =
        WEFT_CONTAINER_OF(worker->held.next, struct weft_unit_actor, held_link);
    const weft_pid pid = unit->actor->pid;
    weft_unit_actor_tie_held(worker);
    weft_unit_actor_run_held(worker);
    turn(4);
    // What it has now can be written down again, and is no worse for it.
    if (weft_actor_find(&worker->actors, pid) != NULL) {
        const size_t bytes = weft_unit_actor_image_bytes(unit);
        uint8_t *again = malloc(bytes);
        struct weft_unit_parts parts;
        weft_assert(again != NULL && weft_unit_actor_image_write(unit, again, bytes) == 0);
        const struct weft_unit_bounds bounds = {.whole = weft_unit_limits_whole(unit),
                                                .others = 4096};
        weft_assert(weft_unit_actor_image_read(weft_span_of(again, bytes), &parts, &wrong) == 0);
        weft_assert(weft_unit_ties_check(parts.ties, &bounds, worker->arena, &wrong) == 0);
        free(again);
        weft_actor_kill(&worker->actors, pid, WEFT_EXIT_KILLED);
    }
    for (unsigned n = 0; worker->nestling_count > 0; n++) {
        weft_assert(n < 10000);
        turn(1);
    }
    turn(4);
    return 0;
}
