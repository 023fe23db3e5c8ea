// forth_seeds DIRECTORY: writes the seeds of forth_bytecode, images of units in all the states that
// an image knows. To be run again when the layout of a unit or the numbers of its words change: old
// seeds are then refused at the first look, and the fuzzer sees no more than that.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forth/unit.h"
#include "runtime/base/assert.h"

struct seed {
    const char *name, *text;
    uint32_t reductions; // Spent before the unit is saved.
    const char *above;   // A text upon the parked first one; NULL: none.
};

static const struct seed seeds[] = {
    {"idle", "", 1000, NULL},
    {"words",
     ": w create , does> @ 1+ ; 5 w x 7 constant c 8 value v 1 2 2value u defer d : z x c v ; "
     "' z is d marker m 1.5e fconstant f 2e fvalue g fvariable h : k d f g h f! ;",
     1000, NULL},
    {"fused",
     ": fib dup 2 < if exit then dup 1- recurse swap 2 - recurse + ; variable v create a 80 allot "
     ": t 10 0 do i dup a i cells + ! a i cells + @ v +! i a + c@ drop 2 +loop "
     "begin dup 0= if 1 then v @ 3 > until ; t 20 fib .",
     400, NULL},
    {"loops", ": t 100 0 do i 7 = if leave then 5 0 ?do j i + drop loop loop ; t t", 30, NULL},
    {"recursion", ": r dup 0> if 1- recurse 1+ then ; : t 1 2 3 40 r ; t .", 60, NULL},
    {"catch", ": a begin 1 drop again ; : b 1 2 >r ['] a catch r> ; : c 1e ['] b catch ; c", 60,
     NULL},
    {"open", "variable v : t 1 if v @ begin 10 0 do i [ 1 drop", 1000, NULL},
    {"parked", ": t begin receive . . type again ; 1 2 3 1e 2e t", 1000, NULL},
    {"level", ": t receive 2drop 2drop ; 1 2 1e t", 1000, "4 5 3e : s begin 1 drop again ; s"},
    {"sandbox", "variable v s\" : t begin 1 v +! again ; 1e t\" 100000 sandbox", 300, NULL},
    {"float",
     ": t 0e 50 0 do i s>f fdup fsqrt 1.5e f* f+ fover f< if 1e then fswap fdrop loop ; "
     ": u 1e 2e 3e ['] t catch f.s 5 set-precision f. ; u",
     60, NULL},
};

static bool nothing(void *self, struct weft_unit_message *message)
{
    (void)self;
    (void)message;
    return false;
}

static void interpret(struct weft_unit *unit, const char *text, uint32_t reductions)
{
    weft_assert(weft_unit_interpret(unit, "seed", text, strlen(text)) == 0);
    const enum weft_unit_state state = weft_unit_run(unit, &reductions);
    weft_assert(state != WEFT_UNIT_FAULT);
}

static int write_seed(const struct weft_forth_system *system, const char *directory,
                      const struct seed *seed)
{
    static const struct weft_unit_host host = {.receive = nothing};
    struct weft_unit *unit;
    weft_assert(weft_unit_create(system, &weft_forth_memory_libc, NULL, &host, &unit) == 0);
    interpret(unit, seed->text, seed->reductions);
    if (seed->above != NULL) interpret(unit, seed->above, seed->reductions);

    const size_t bytes = weft_unit_image_bytes(unit);
    void *image = malloc(bytes);
    weft_assert(image != NULL && weft_unit_save(unit, image, bytes) == (int64_t)bytes);
    weft_unit_free(unit);
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", directory, seed->name);
    FILE *file = fopen(path, "wb");
    const bool written = file != NULL && fwrite(image, 1, bytes, file) == bytes;
    if (file != NULL && fclose(file) != 0) return 1;
    free(image);
    if (!written) perror(path);
    return written ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct weft_forth_system *system;
    if (argc != 2) {
        fputs("usage: forth_seeds DIRECTORY\n", stderr);
        return 64;
    }
    if (weft_forth_system_create(&weft_forth_memory_libc, &system) != 0) return 70;
    int status = 0;
    for (size_t n = 0; n < sizeof(seeds) / sizeof(seeds[0]); n++)
        status |= write_seed(system, argv[1], &seeds[n]);
    weft_forth_system_free(system);
    return status;
}
