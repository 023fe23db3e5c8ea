// unit.h: a Forth unit, from outside: make one, feed it text, give it slices, read it, save it.
//
// A unit is a value: its words, variables, stacks, source texts and where it stands in them lie in
// one block of memory addressed by offsets, never by pointers. The words everyone shares (the
// system module) are compiled once per node and only referred to. So a unit can be stopped at any
// safepoint, written down and continued elsewhere, on another CPU too; and it can hurt only itself.
//
//     interpret --> [text waits] --run--> AGAIN (slice spent, run again)
//                                    +--> WAIT  (parked in RECEIVE or MS: run again when it may go
//                                    on)
//                                    +--> DONE  (text finished: stacks and words stay for the next)
//                                    +--> FAULT (uncaught THROW: see weft_unit_error; the unit
//                                    lives on)
//                                    +--> BYE   (it said BYE: free it)
//
// A second text may come while the first is parked (WAIT). It runs at once, on empty stacks of its
// own above the parked ones and with the same words and variables; when it is done, or faults, its
// stacks are dropped and the parked program stands where it stood. `weft_unit_state` then says WAIT
// again.
//
// Core:   one core at a time owns a unit and its system module. Those of several cores may share a
//         library; nothing locks but what brings frozen words to a core, or takes them from it.
// Memory: through struct weft_forth_memory alone; a refusal becomes a THROW inside the unit.
// Time:   none but the host table's.
// Errors: 0 or a negative errno. What the Forth program does wrong is a THROW code of Forth 2012,
//         table 9.1; ours are -256 (reductions spent) and -257 (memory quota spent).
#ifndef WEFT_FORTH_UNIT_H
#define WEFT_FORTH_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forth/unit_host.h"

struct weft_unit;
struct weft_forth_system;

// Where memory comes from. `new_bytes` 0 frees and answers NULL; `block` NULL allocates. Contents
// up to the smaller size are kept. NULL for a non-zero size means no memory, and the old block
// stays.
struct weft_forth_memory {
    void *(*resize)(void *self, void *block, size_t old_bytes, size_t new_bytes);
    void *self;
};

// malloc and free, for the tool and tests.
extern const struct weft_forth_memory weft_forth_memory_libc;

#define WEFT_THROW_UNSUPPORTED (-21) // Those of the standard that hosts answer.
#define WEFT_THROW_BAD_NUMBER  (-24)
#define WEFT_THROW_BAD_FILE    (-37)
#define WEFT_THROW_NO_FILE     (-38)
#define WEFT_THROW_ALLOCATE    (-59)
#define WEFT_THROW_REDUCTIONS  (-256)
#define WEFT_THROW_MEMORY      (-257)
#define WEFT_THROW_EFFECT      (-263) // A stack comment is wrong, under strict_effects.
#define WEFT_THROW_FULL        (-300) // -300 and below are the node's.
#define WEFT_THROW_NOBODY      (-301)
#define WEFT_THROW_IN_USE      (-302)
#define WEFT_THROW_TOO_LONG    (-303)
#define WEFT_THROW_NO_MESH     (-304)
#define WEFT_THROW_CLOSED      (-305)
#define WEFT_THROW_LATE        (-306)
#define WEFT_THROW_SHAPE       (-307)
#define WEFT_THROW_SPAWNED     (-320) // Quotas: of units spawned, of channels, of files.
#define WEFT_THROW_CHANNELS    (-321)
#define WEFT_THROW_FILES       (-322)
#define WEFT_THROW_NO_FILES    (-323)
#define WEFT_THROW_NO_NET      (-324)

struct weft_unit_options {
    uint32_t memory_bytes_max;       // The whole block; it starts at 352 bytes. At most 1 GiB.
    uint32_t stack_cells_max;        // Data stack; those of returns and floats have as many.
    uint32_t call_depth_max;         // Words called within words.
    uint32_t output_bytes_max;       // Not yet taken; what does not fit is counted and dropped.
    uint32_t sandbox_reductions_max; // Ceiling for what SANDBOX may ask for.
    bool strict_effects; // A word that does not do what its stack comment says is refused (-263);
                         // otherwise it goes to the host's `warning`.
    bool places; // Own code knows where in its source it stands: 16 bytes a word, for backtraces.
};

extern const struct weft_unit_options weft_unit_options_default; // 1 MiB, 4096, 4096, 16 KiB, 1 M.

enum weft_unit_state {
    WEFT_UNIT_DONE,
    WEFT_UNIT_AGAIN,
    WEFT_UNIT_WAIT,
    WEFT_UNIT_FAULT,
    WEFT_UNIT_BYE,
};

enum weft_unit_waits {       // What a parked text waits for.
    WEFT_UNIT_WAITS_NOT,     // It does not.
    WEFT_UNIT_WAITS_TIME,    // MS.
    WEFT_UNIT_WAITS_MESSAGE, // RECEIVE, and for a time too: any message.
    WEFT_UNIT_WAITS_CHANNEL, // RECV, TCP-READ.
    WEFT_UNIT_WAITS_ANSWER,  // JOIN, SPAWN, SEND.
    WEFT_UNIT_WAITS_INPUT,   // KEY, EKEY, ACCEPT: the user's.
};

// The last uncaught THROW. Strings end in NUL and are cut to fit.
struct weft_unit_error {
    int32_t code;        // THROW code; 0 if there was none.
    uint32_t line;       // From 1; 0 if the error has no place in a text.
    uint32_t column;     // From 1, in bytes, of the word being read.
    uint32_t width;      // Bytes of that word.
    char source[64];     // The name given to weft_unit_interpret, or "evaluate".
    char word[32];       // The innermost named word that was running; may be empty.
    char message[128];   // What went wrong, without place or code.
    char line_text[128]; // The line, from its start or from near the word if it is long.
    uint32_t marker;     // Where in line_text the word begins.
    char outer[160];     // Inside EVALUATE or INCLUDED: "main.fth:7:3", and so on; else empty.
    // The words that were running, innermost first: "  in AVG (stats.fth:3:12)\n" and so on; for
    // units that keep places.
    char trace[640];
};

struct weft_unit_info {
    enum weft_unit_state state;
    uint32_t memory_bytes; // Block and handle, without what is shared.
    uint32_t module_bytes; // Of its module, which others may have as well.
    uint32_t depth;        // Data stack of the topmost text, cells.
    uint32_t float_depth;  // Its floating-point stack.
    uint32_t words;        // Own words.
    uint32_t data_bytes;   // Data space in use.
    uint32_t code_bytes;
    uint32_t levels;         // Texts under way: parked ones and the one on top.
    uint64_t reductions;     // Spent since create or load.
    uint64_t output_dropped; // Bytes that found the output full.
    uint64_t wake_ns;        // Parked: host's now_ns at which to run again. 0: no such time.
    enum weft_unit_waits waits;
    bool compiling; // A definition is open, and words read are compiled or assembled into it.
};

// What all cores of a node share: the system module, compiled here (milliseconds), and words that
// units have frozen, each set of them once. `memory` is of any one of the cores. -ENOMEM; -EIO if
// the prelude is broken. The systems of a library end before it.
struct weft_forth_library;
int weft_forth_library_create(const struct weft_forth_memory *memory,
                              struct weft_forth_library **library);
void weft_forth_library_free(struct weft_forth_library *library);

// The system module as one core has it, with `memory` of that core. -ENOMEM. Every unit of every
// system of the library must be freed before the first of them.
int weft_forth_system_create_in(struct weft_forth_library *library,
                                const struct weft_forth_memory *memory,
                                struct weft_forth_system **system);
// The same where there is one core: with a library of its own.
int weft_forth_system_create(const struct weft_forth_memory *memory,
                             struct weft_forth_system **system);
void weft_forth_system_free(struct weft_forth_system *system);
uint64_t
weft_forth_system_hash(const struct weft_forth_system *system); // Content; names the module.
// Gives back to the core's memory what other cores have left for it: frozen words that were its
// own, and that the last unit has let go. Now and then.
void weft_forth_system_settle(const struct weft_forth_system *system);

struct weft_forth_sharing {
    uint32_t modules; // Frozen words in use (weft_unit_freeze), each set of them once,
    uint32_t units;   // and how many units have one; of a library: 0.
    uint64_t bytes;   // Of these modules, wherever their memory is.
};
// Of the units of a core: its own core. Of all of them: any core.
void weft_forth_system_sharing(const struct weft_forth_system *system,
                               struct weft_forth_sharing *sharing);
void weft_forth_library_sharing(const struct weft_forth_library *library,
                                struct weft_forth_sharing *sharing);
uint64_t weft_forth_system_modules(const struct weft_forth_system *system); // Any core.

// A new idle unit: less than 512 bytes. `options` NULL means the default; they are copied. `host`
// NULL means none; it is not copied, many units share one, and it stays where it is while a unit
// has it. What its functions get is its `self`, or what weft_unit_set_self gave the unit.
// Returns 0, -ENOMEM, or -EINVAL for an option out of range.
int weft_unit_create(const struct weft_forth_system *system, const struct weft_forth_memory *memory,
                     const struct weft_unit_options *options, const struct weft_unit_host *host,
                     struct weft_unit **unit);
void weft_unit_free(struct weft_unit *unit);
void weft_unit_set_host(struct weft_unit *unit, const struct weft_unit_host *host); // NULL: none.
void weft_unit_set_self(struct weft_unit *unit, void *self);

// Gives the unit a text; `name` stands in its errors. Both are copied into the unit.
// -EBUSY: a text is running (not parked), or four are parked; -ENOSPC: over the memory quota;
// -ENOMEM; -ESHUTDOWN after BYE.
int weft_unit_interpret(struct weft_unit *unit, const char *name, const char *text, size_t length);
// The same for a part of a longer text that begins at its line `line`, from 1.
int weft_unit_interpret_at(struct weft_unit *unit, const char *name, uint32_t line,
                           const char *text, size_t length);

// Runs until the text is done, parked, faulted, or `*reductions` are spent; `*reductions` becomes
// what is left (more than 0 after AGAIN only if the unit said YIELD). One reduction is a word
// entered, a loop turned, a word of text read, or 64 bytes moved; a slice overshoots by at most one
// primitive, which is bounded (4 KiB moved).
enum weft_unit_state weft_unit_run(struct weft_unit *unit, uint32_t *reductions);

// Ends the topmost text as an uncaught THROW `code` would (weft_unit_error says where): for quotas
// of reductions per text and for a user's interrupt. Parked texts below stay. Nothing if idle.
void weft_unit_cancel(struct weft_unit *unit, int32_t code);
// Ends every text, parked ones too, silently. Words and variables stay.
void weft_unit_reset(struct weft_unit *unit);

// What weft_unit_run would find: DONE (idle), AGAIN (it has something to run), WAIT (parked), BYE.
enum weft_unit_state weft_unit_state(const struct weft_unit *unit);
void weft_unit_inspect(const struct weft_unit *unit, struct weft_unit_info *info);
// Of all that, what a slice wants to know.
struct weft_unit_glance {
    enum weft_unit_state state;
    enum weft_unit_waits waits;
    uint32_t memory_bytes, levels;
    uint64_t reductions, wake_ns;
};
struct weft_unit_glance weft_unit_glance(const struct weft_unit *unit);
uint32_t weft_unit_levels(const struct weft_unit *unit);
// Where a parked unit stands: if that is the same after it has run and parked again, it has done no
// more than to look for what it waits for.
struct weft_unit_mark {
    uint64_t reductions, wake_ns;
    uint32_t depth, place;
};
struct weft_unit_mark weft_unit_mark(const struct weft_unit *unit);
const struct weft_unit_error *weft_unit_error(const struct weft_unit *unit); // Until the next run.
// The error as text: "file:7:5: error: division by zero (THROW -10) in AVG", then the line and
// ^~~~. Ends in a newline and NUL, cut to `size`. Returns the length without the NUL.
size_t weft_unit_error_render(const struct weft_unit_error *error, char *to, size_t size);
// A warning as text: the same, without the THROW code.
size_t weft_unit_warning_render(const struct weft_unit_error *warning, char *to, size_t size);
// "division by zero" for -10; never NULL.
const char *weft_forth_throw_text(int32_t code);

// Output so far (EMIT, TYPE, . and the like): copies up to `size` bytes out and drops them from the
// unit. Returns the bytes copied.
size_t weft_unit_output_take(struct weft_unit *unit, void *to, size_t size);
size_t weft_unit_output_bytes(const struct weft_unit *unit);

// The data stack of the topmost text: up to `max` cells from the top, deepest first. Their number.
uint32_t weft_unit_cells(const struct weft_unit *unit, int64_t *cells, uint32_t max);

// Puts the unit's own words where all units of this library share those that are the same, if
// there are enough of them to be worth it. Nothing changes for its program, and its quota is
// charged as before. When a source has been loaded; SPAWN does it by itself. 0 or -ENOMEM.
int weft_unit_freeze(struct weft_unit *unit);

// A child: a unit that begins with the words and the data of another, and runs one of its words.
// Between the two lies a seed: bytes that any core of the process may read, but that are believed,
// so no other's. `xt` and `cells` as SPAWN has them; no definition is open in `unit`. A seed for
// the same system module grows while `unit` lives and keeps its words. For another of the same
// library what is frozen has to be held, from before the seed is made until it has grown.
size_t weft_unit_seed_bytes(const struct weft_unit *unit, uint32_t count);
void weft_unit_seed(const struct weft_unit *unit, uint64_t xt, const int64_t *cells, uint32_t count,
                    void *to);
// Holds what the unit has frozen, whatever becomes of the unit: any core lets it go. NULL: nothing.
struct weft_volume;
struct weft_volume *weft_unit_hold(const struct weft_unit *unit);
void weft_forth_release(const struct weft_forth_system *system,
                        struct weft_volume *held); // Or NULL.
// The child, ready to run: DONE when its word is. 0; -ENOMEM, -EINVAL, -ENOSPC: larger than
// `options` allow; -ESTALE: of another library, or its unit has lost its words.
int weft_unit_sprout(const struct weft_forth_system *system, const struct weft_forth_memory *memory,
                     const struct weft_unit_options *options, const struct weft_unit_host *host,
                     const void *seed, struct weft_unit **unit);

// The value of an own word that is a VARIABLE or VALUE (first cell), a CONSTANT; true if found.
bool weft_unit_value(const struct weft_unit *unit, const char *word, int64_t *value);

// A word that the unit can find by that name, its own or one that all share.
bool weft_unit_has_word(const struct weft_unit *unit, const char *name);
// The name of word number `index` of those that its search order shows, newest first, cut to
// `size`. False behind the last.
bool weft_unit_word(const struct weft_unit *unit, size_t index, char *name, size_t size);

// An image: the whole unit, between any two runs. Little-endian, versioned, CRC-32C, and the hash
// of the system module it needs. Output not yet taken travels with it; a delay in MS starts again,
// unless weft_unit_wake_at says how much of it is left.
size_t weft_unit_image_bytes(const struct weft_unit *unit);
// Writes the image. Returns its bytes, or -ENOSPC if `size` is less than weft_unit_image_bytes.
int64_t weft_unit_save(const struct weft_unit *unit, void *to, size_t size);
// The same, but its module is only named: to be loaded where that is in use.
size_t weft_unit_image_bytes_bare(const struct weft_unit *unit);
int64_t weft_unit_save_bare(const struct weft_unit *unit, void *to, size_t size);
// A unit from an image that anybody may have written: every offset, token and frame is checked.
// -EBADMSG: not an image, or damaged; -EPROTONOSUPPORT: another version; -ESTALE: another system
// module; -ENOENT: it only names its module, and that is not in use here; -ENOSPC: larger than
// `options` allow; -ENOMEM.
int weft_unit_load(const struct weft_forth_system *system, const struct weft_forth_memory *memory,
                   const struct weft_unit_options *options, const struct weft_unit_host *host,
                   const void *image, size_t bytes, struct weft_unit **unit);

// When text number `level` (0: the lowest) is to go on at the latest, by the host's now_ns; 0: it
// does not wait for a time. Of one that was just loaded the second says so. Nothing if there is no
// such text.
uint64_t weft_unit_wakes_at(const struct weft_unit *unit, uint32_t level);
void weft_unit_wake_at(struct weft_unit *unit, uint32_t level, uint64_t wake_ns);

#endif // WEFT_FORTH_UNIT_H
