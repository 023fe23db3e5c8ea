// forth_seeds DIR: writes the seeds of tests/fuzz/corpus/forth_bytecode as the engine writes images
// now: units stopped in each of the states that an image can have. To be run again when the layout
// of an image, or the numbers of words, have changed.
#include <stdio.h>
#include <stdlib.h>

#include "forth/unit.h"
#include "runtime/base/assert.h"
#include "tests/support/forth_memory.h"

static const struct {
    const char *name;
    uint32_t reductions; // After which the unit is saved; 0: before the first.
    const char *text;
    const char *second; // Above the first, which is parked; NULL: none.
} seeds[] = {
    {"idle", 100, "1 2"},
    {"words", 10000,
     "variable v 5 constant c 7 value w create d 1 , 2 , does> @ ; : t v @ c + w + d + ; defer e ' "
     "t "
     "is e marker m 3 4 2constant k"},
    {"loops", 60, ": t 9 0 do 9 0 do i j + drop loop loop ; t t t"},
    {"recursion", 60, ": f dup 2 < if exit then dup 1- recurse swap 2 - recurse + ; 15 f ."},
    {"catch", 60, ": t begin again ; : u ['] t catch . ; ' u catch"},
    {"open", 12, ": t 1 if 2 else begin 3 while"},
    {"parked", 1000, ": t begin receive 2drop type again ; 5 t"},
    {"level", 1000, ": t begin receive 2drop type again ; 5 t",
     ": spin 1 swap >r begin again ; 7 8 spin"},
    {"sandbox", 300, "s\" : t begin again ; t\" 1000 sandbox"},
    {"fused", 300, ": t 0 50 0 do i + dup 10 < if 1+ then dup i cells + drop loop ; t t t"},
    {"including", 40,
     "s\" a\" r/w create-file throw dup dup s\" : t 1 2 ; \" rot write-line throw s\" t t "
     "begin-no\" rot "
     "write-line throw close-file throw : u include a ; s\" a\" included"},
    {"file", 1000,
     "s\" b\" r/w create-file throw value f s\" text\" f write-file throw 2. f reposition-file "
     "throw"},
};

static bool no_message(void *self, struct weft_unit_message *message)
{
    (void)self;
    (void)message;
    return false;
}

static void run_text(struct weft_unit *unit, const char *text, uint32_t reductions)
{
    weft_assert(weft_unit_interpret(unit, "seed", text, strlen(text)) == 0);
    for (uint32_t spent = 0; spent < reductions; spent++) {
        uint32_t one = 1;
        if (weft_unit_run(unit, &one) != WEFT_UNIT_AGAIN) break;
    }
}

static void write_seed(const struct weft_forth_system *system, size_t n, const char *directory)
{
    static struct forth_memory memory;
    struct weft_unit_options options = weft_unit_options_default;
    const struct weft_unit_host host = {
        .self = &memory, .machine = &forth_memory_machine, .receive = no_message};
    struct weft_unit *unit;
    char path[512];
    options.places = true;
    weft_assert(weft_unit_create(system, &weft_forth_memory_libc, &options, &host, &unit) == 0);
    run_text(unit, seeds[n].text, seeds[n].reductions);
    if (seeds[n].second != NULL) run_text(unit, seeds[n].second, 50);
    const size_t bytes = weft_unit_image_bytes(unit);
    void *image = malloc(bytes);
    weft_assert(image != NULL && weft_unit_save(unit, image, bytes) == (int64_t)bytes);
    snprintf(path, sizeof(path), "%s/%s", directory, seeds[n].name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(image, 1, bytes, file) != bytes || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
    free(image);
    weft_unit_free(unit);
}

int main(int argc, char **argv)
{
    struct weft_forth_system *system;
    if (argc != 2) {
        fprintf(stderr, "usage: forth_seeds DIR\n");
        return 64;
    }
    weft_assert(weft_forth_system_create(&weft_forth_memory_libc, &system) == 0);
    for (size_t n = 0; n < sizeof(seeds) / sizeof(seeds[0]); n++)
        write_seed(system, n, argv[1]);
    weft_forth_system_free(system);
    return 0;
}
