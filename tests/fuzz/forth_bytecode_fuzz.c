// An image of a unit from anybody: bytecode, words, stacks, frames. The header is made right, so
// that what it guards is reached; what loads must run without leaving its unit, and load again.
#include <stdlib.h>
#include <string.h>

#include "forth/effect.h"
#include "forth/unit.h"
#include "runtime/base/assert.h"
#include "runtime/base/crc32c.h"
#include "runtime/base/endian.h"
#include "runtime/base/sha256.h"
#include "tests/support/forth_memory.h"

enum { HEADER_BYTES = 80 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct weft_unit_options options = {
    .memory_bytes_max = 65536,
    .stack_cells_max = 128,
    .call_depth_max = 128,
    .output_bytes_max = 4096,
    .sandbox_reductions_max = 2000,
};

static bool receive(void *self, struct weft_unit_message *message)
{
    struct forth_memory *memory = self;
    if (memory->messages == 2) return false;
    memory->messages++;
    *message = (struct weft_unit_message){.payload = "21 2 * .", .length = 8, .kind = 2};
    return true;
}

static int32_t udp_reply(void *self, const void *payload, size_t length)
{
    uint8_t sum = 0;
    (void)self;
    for (size_t n = 0; n < length; n++)
        sum ^= ((const uint8_t *)payload)[n];
    return sum == 255 ? -258 : 0;
}

static void drain(struct weft_unit *unit)
{
    char text[512];
    while (weft_unit_output_take(unit, text, sizeof(text)) > 0) {
    }
}

// What the words that came with it do, as far as it can be told, and what their comments say.
static void infer(const struct weft_unit *unit)
{
    struct weft_effect_word word;
    for (uint32_t n = 0; weft_effect_word(unit, n, &word); n++) {
        struct weft_effect effect;
        struct weft_effect_claim claim;
        char text[256];
        weft_effect_infer(unit, word.index, &effect);
        weft_assert(weft_effect_text(&effect, text, sizeof(text)) < sizeof(text));
        if (weft_effect_parse(word.comment, strlen(word.comment), &claim))
            weft_effect_compare(&claim, &effect);
    }
}

static void run(struct weft_unit *unit, int slices)
{
    enum weft_unit_state state;
    do {
        uint32_t reductions = 500;
        state = weft_unit_run(unit, &reductions);
        if (state == WEFT_UNIT_FAULT) {
            char text[512];
            weft_unit_error_render(weft_unit_error(unit), text, sizeof(text));
        }
        drain(unit);
    } while (state == WEFT_UNIT_AGAIN && --slices > 0);
}

// The words that came with it, called by their numbers: more than the program itself would reach.
static void call_words(struct weft_unit *unit)
{
    static const char text[] = "words 260 0 do 1 2 3 i 200 + ['] execute catch drop loop";
    static const char calls[] =
        ": (calls) 420 230 do 1 2 3 i ['] execute catch drop loop ; (calls) marker (gone) 5 .";
    if (weft_unit_interpret(unit, "words", text, sizeof(text) - 1) == 0) run(unit, 4);
    if (weft_unit_interpret(unit, "calls", calls, sizeof(calls) - 1) == 0) run(unit, 8);
}

// The head of an image that this engine writes: magic, version, a checksum, the module's hash.
static void learn_head(const struct weft_forth_system *system, uint8_t head[24])
{
    uint8_t image[4096];
    struct weft_unit *unit;
    weft_assert(weft_unit_create(system, &weft_forth_memory_libc, &options, NULL, &unit) == 0);
    weft_assert(weft_unit_save(unit, image, sizeof(image)) > 0);
    weft_unit_free(unit);
    memcpy(head, image, 24);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct weft_forth_system *system;
    static uint8_t head[24];
    if (size < HEADER_BYTES + 8 || size > 65536) return 0;
    if (system == NULL) {
        weft_assert(weft_forth_system_create(&weft_forth_memory_libc, &system) == 0);
        learn_head(system, head);
    }

    uint8_t *image = malloc(size);
    weft_assert(image != NULL);
    memcpy(image, data, size);
    memcpy(image, head, sizeof(head));
    const uint32_t module_bytes = weft_le32_get(image + 40);
    if (module_bytes > 0 && module_bytes <= size - HEADER_BYTES)
        weft_sha256(image + HEADER_BYTES, module_bytes, image + 48);
    weft_le32_put(image + 12, weft_crc32c(0, image + 16, size - 16));

    static struct forth_memory memory; // Not on the stack, for its size.
    memset(&memory, 0, sizeof(memory));
    memory.file[0].length = 22;
    memory.file[0].is_there = true;
    memcpy(memory.file[0].bytes, "1 2 +\n: f 5 ;\n f zork", 22);
    const struct weft_unit_host host = {.self = &memory,
                                        .machine = &forth_memory_machine,
                                        .receive = receive,
                                        .udp_reply = udp_reply};
    struct weft_unit *unit;
    const int code =
        weft_unit_load(system, &weft_forth_memory_libc, &options, &host, image, size, &unit);
    free(image);
    if (code != 0) return 0;

    infer(unit);
    run(unit, 4);
    // Its words into a module, as they are, before half of the images are written again.
    if (data[12] & 1) weft_assert(weft_unit_freeze(unit) == 0);
    const size_t bytes = weft_unit_image_bytes(unit);
    uint8_t *again = malloc(bytes);
    weft_assert(again != NULL && weft_unit_save(unit, again, bytes) == (int64_t)bytes);
    weft_unit_free(unit);
    weft_assert(
        weft_unit_load(system, &weft_forth_memory_libc, &options, &host, again, bytes, &unit) == 0);
    free(again);
    run(unit, 4);
    call_words(unit);
    weft_unit_cancel(unit, -28);
    call_words(unit);
    weft_unit_free(unit);
    return 0;
}
