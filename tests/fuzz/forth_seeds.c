// forth_seeds DIR: writes the seeds of tests/fuzz/corpus/forth_bytecode as the engine writes images
// now: units stopped in each of the states that an image can have. To be run again when the layout
// of an image, or the numbers of words, have changed.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forth/unit.h"
#include "runtime/base/assert.h"
#include "tests/support/forth_memory.h"

static const struct {
    const char *name, *text;
    uint32_t reductions; // Spent before the unit is saved.
    const char *second;  // A text above the parked first one; NULL: none.
    bool freezes;        // Between the two.
} seeds[] = {
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
    {"heap",
     "create b 9 cells allot : t 9 0 do i 1+ 50 * allocate throw b i cells + ! loop "
     "9 0 do b i cells + @ free drop 2 +loop b cell+ @ 300 resize throw b cell+ ! "
     "begin 200 allocate drop dup 400 resize drop free drop again ; t",
     120, NULL},
    {"claim", ": t ( a b -- c ) + ; : u ( n -- ) ; : w {: a b -- c :} a b + ; : x ( n -- n | ) ;",
     1000, NULL},
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
    {"including",
     "s\" a\" r/w create-file throw dup dup s\" : t 1 2 ; \" rot write-line throw s\" t t "
     "begin-no\" rot write-line throw close-file throw : u include a ; s\" a\" included",
     40, NULL},
    {"file",
     "s\" b\" r/w create-file throw value f s\" text\" f write-file throw 2. f reposition-file "
     "throw",
     1000, NULL},
    {"module",
     ": w create , does> @ 1+ ; 5 w x 7 constant c marker m : z x c 10 0 do i + loop ; "
     ": t begin receive 2drop 2drop z . again ; t",
     1000, ": y z begin 1+ z drop again ; 3 y", true},
    {"code",
     ": c create , ;code @, 1 lit+, exit, end-code 5 c x code g begin, dupif, 1 cs-roll tuck, mod, "
     "repeat, drop, exit, end-code code h 9 lit, 0 lit, do, i+, 2 lit+loop, ' g tail, end-code : t "
     "begin x 7 h drop again ; t",
     60, NULL},
    {"code-open", ": c create , ;code ( -- n ) @, dup, if, 9 lit, 0 lit, ?do, leave, 5 lit<if,",
     1000, NULL},
    {"module-open", "1.5e fconstant f : y ( n -- n ) 1+ ; : t 1 if begin 10 0 do i [ 1 y drop",
     1000, NULL, true},
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
    if (seeds[n].freezes) weft_assert(weft_unit_freeze(unit) == 0);
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
