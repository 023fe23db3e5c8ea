// A Forth text from anybody, in a unit with small quotas and a node that answers. It runs in large
// slices, and again in slices of one with the unit saved and loaded now and then: both must print
// the same, and nothing may leave the unit.
#include <stdlib.h>
#include <string.h>

#include "forth/unit.h"
#include "runtime/base/assert.h"
#include "tests/support/forth_memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { REDUCTIONS = 20000 };

static const struct weft_unit_options options = {
    .memory_bytes_max = 65536,
    .stack_cells_max = 128,
    .call_depth_max = 128,
    .output_bytes_max = 4096,
    .sandbox_reductions_max = 5000,
    .places = true,
};

static bool receive(void *self, struct weft_unit_message *message)
{
    struct forth_memory *node = self;
    if (node->messages == 3) return false;
    *message = (struct weft_unit_message){
        .payload = "1 2 +", .length = 5, .from = 7, .kind = node->messages++ % 3};
    return true;
}

static uint64_t figure(void *self)
{
    (void)self;
    return 3;
}

static int32_t take(void *self, const void *payload, size_t length)
{
    uint8_t sum = 0;
    (void)self;
    for (size_t n = 0; n < length; n++)
        sum ^= ((const uint8_t *)payload)[n];
    return sum == 255 ? -258 : 0; // All of it was read.
}

static int32_t take_for(void *self, const void *payload, size_t length, uint64_t to)
{
    (void)to;
    return take(self, payload, length);
}

static void hear(void *self, const struct weft_unit_error *warning)
{
    struct forth_memory *node = self;
    char text[512];
    weft_assert(weft_unit_warning_render(warning, text, sizeof(text)) < sizeof(text));
    node->warnings++;
}

static struct weft_unit *restored(const struct weft_forth_system *system, struct weft_unit *unit,
                                  const struct weft_unit_host *host)
{
    const size_t bytes = weft_unit_image_bytes(unit);
    uint8_t *image = malloc(bytes);
    weft_assert(image != NULL && weft_unit_save(unit, image, bytes) == (int64_t)bytes);
    weft_unit_free(unit);
    weft_assert(
        weft_unit_load(system, &weft_forth_memory_libc, &options, host, image, bytes, &unit) == 0);
    free(image);
    return unit;
}

// How it ended (AGAIN: it did not), what it printed, and the code of its error.
struct outcome {
    enum weft_unit_state state;
    int32_t code;
    unsigned warnings;
    size_t length;
    char output[4096];
};

static void run(const struct weft_forth_system *system, const char *text, size_t size,
                uint32_t slice, struct outcome *outcome)
{
    static struct forth_memory node; // Not on the stack, for its size.
    memset(&node, 0, sizeof(node));
    const struct weft_unit_host host = {
        .self = &node,
        .machine = &forth_memory_machine,
        .host_id = figure,
        .receive = receive,
        .udp_reply = take,
        .send_to = take_for,
        .warning = hear,
    };
    struct weft_unit *unit;
    memset(outcome, 0, sizeof(*outcome));
    weft_assert(weft_unit_create(system, &weft_forth_memory_libc, &options, &host, &unit) == 0);
    outcome->state = WEFT_UNIT_AGAIN;
    if (weft_unit_interpret(unit, "fuzz", text, size) == 0) {
        for (uint32_t spent = 0; spent < REDUCTIONS && outcome->state == WEFT_UNIT_AGAIN;
             spent += slice) {
            uint32_t reductions = slice;
            outcome->state = weft_unit_run(unit, &reductions);
            if (outcome->state == WEFT_UNIT_FAULT) outcome->code = weft_unit_error(unit)->code;
            if (slice == 1 && spent % 64 < 3) unit = restored(system, unit, &host);
        }
    }
    outcome->warnings = node.warnings;
    outcome->length = weft_unit_output_take(unit, outcome->output, sizeof(outcome->output));
    // The unit can be asked something afterwards, whatever it did.
    weft_unit_cancel(unit, -28);
    if (weft_unit_state(unit) == WEFT_UNIT_DONE &&
        weft_unit_interpret(unit, "after", ": a 1 ; a a +", 13) == 0) {
        uint32_t reductions = 1000;
        weft_unit_run(unit, &reductions);
    }
    weft_unit_free(unit);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct weft_forth_system *system;
    static struct outcome large, single;
    if (size > 4096) return 0;
    if (system == NULL)
        weft_assert(weft_forth_system_create(&weft_forth_memory_libc, &system) == 0);

    run(system, (const char *)data, size, REDUCTIONS / 2, &large);
    run(system, (const char *)data, size, 1, &single);
    if (large.state == WEFT_UNIT_AGAIN || single.state == WEFT_UNIT_AGAIN) return 0;
    weft_assert(large.state == single.state && large.code == single.code);
    weft_assert(large.warnings == single.warnings);
    weft_assert(large.length == single.length &&
                memcmp(large.output, single.output, large.length) == 0);
    return 0;
}
