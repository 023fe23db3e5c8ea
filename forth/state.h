// state.h: what a unit is made of. Internal to forth/.
//
// The block is the unit: this header, then its segments one behind the other. Everything in it
// refers to everything else by offset, index or token, so the block may be moved, copied, written
// and read. `struct weft_unit` is the host's handle on it: pointers, quotas, and nothing that has
// to be saved.
#ifndef WEFT_FORTH_STATE_H
#define WEFT_FORTH_STATE_H

#include "forth/cell.h"
#include "forth/unit.h"
#include "runtime/base/sha256.h"

enum weft_segment_id {
    WEFT_SEGMENT_DATA,  // Bytes, at WEFT_ADDRESS_DATA. used: HERE.
    WEFT_SEGMENT_CODE,  // uint16_t tokens of the own words.
    WEFT_SEGMENT_WORDS, // struct weft_word.
    WEFT_SEGMENT_NAMES, // Bytes.
    WEFT_SEGMENT_DATA_STACK,
    WEFT_SEGMENT_RETURN_STACK,
    WEFT_SEGMENT_CALLS,   // uint64_t frames; see below.
    WEFT_SEGMENT_SOURCES, // struct weft_source.
    WEFT_SEGMENT_TEXT,    // Source texts and their names, a stack of bytes.
    WEFT_SEGMENT_OUTPUT,
    WEFT_SEGMENT_SCRATCH,
    WEFT_SEGMENT_MESSAGE,
    WEFT_SEGMENT_RESULT,
    WEFT_SEGMENT_HEAP,        // ALLOCATE's memory.
    WEFT_SEGMENT_FLOAT_STACK, // IEEE doubles; nothing until the first is pushed.
    WEFT_SEGMENT_FILES,       // struct weft_unit_file; fileid n is entry n - 1.
    WEFT_SEGMENT_PLACES,      // struct weft_place, if the options ask for them.
    WEFT_SEGMENT_COUNT,
};

// The segments lie in the order of their ids without gaps, so a capacity is a difference
// (weft_segment_capacity): a multiple of 8, of which what lies beyond `used` is idle.
struct weft_segment {
    uint32_t offset; // Bytes from the start of the block.
    uint32_t used;   // Bytes; 0 for the four stacks, whose depth the block's header knows.
};

enum weft_word_kind {
    WEFT_WORD_PRIMITIVE, // code: a stub of the operation and EXIT; compiled as the operation
                         // itself.
    WEFT_WORD_COLON,
    WEFT_WORD_CREATE, // body: its data. Also VARIABLE.
    WEFT_WORD_CONSTANT,
    WEFT_WORD_VALUE, // body: the cell.
    WEFT_WORD_DEFER, // body: the cell of the xt.
    WEFT_WORD_DOES,  // A CREATE whose code goes on in a does-part.
    WEFT_WORD_MARKER,
    WEFT_WORD_TWO_VALUE, // body: two cells, the top one first.
    WEFT_WORD_LOCAL,     // Of the open definition. body: its place above the frame.
    WEFT_WORD_SYNONYM,   // body: common index of the word it stands for.
    WEFT_WORD_FLOAT_CONSTANT,
    WEFT_WORD_FLOAT_VALUE, // body: the float.
    WEFT_WORD_FILE, // Not a word: the name of a file that was INCLUDED. Never visible or valid.
    WEFT_WORD_CODE, // Assembled: as a colon definition, but for how it is made and shown.
    WEFT_WORD_KIND_COUNT,
};

enum {
    WEFT_WORD_IMMEDIATE = 1,
    WEFT_WORD_COMPILE_ONLY = 2,
    WEFT_WORD_VALID = 4,    // Closed and verified: may be executed.
    WEFT_WORD_STATIC = 8,   // need..net hold, so one check at entry covers the body, and what it
                            // calls, if those are COVERED.
    WEFT_WORD_VISIBLE = 16, // Found by name.
    WEFT_WORD_SMART = 32,   // Does by STATE one thing or the other; only in the system module.
    WEFT_WORD_CLAIMS = 64,  // A stack comment lies behind its name (claim.c).
    WEFT_WORD_COVERED = 128 // Static, and so are its callers' checks for it: it need not look.
};

// Also the layout in an image.
struct weft_word {
    uint32_t code; // Token offset in its module.
    uint32_t code_length;
    uint32_t name; // Offset in its module's names.
    uint32_t body; // Address of data, by kind.
    uint16_t link; // 1 + index of the word before it in its bucket, in its module; 0: none.
    uint8_t name_length;
    uint8_t kind;
    uint8_t flags;
    uint8_t need;    // Cells that must be there at entry; on the return stack none.
    uint8_t grow;    // Cells that the stack may rise above its height at entry,
    uint8_t rgrow;   // and the return stack.
    uint8_t spare;   // 0.
    uint8_t list;    // The word list it is in.
    int8_t net;      // Height at exit less height at entry.
    uint8_t effect;  // For callers, as far as it is known (infer.h): advice, nobody relies on it.
    uint16_t hash;   // Of its name.
    uint16_t bucket; // Head of a chain that has nothing to do with this word: word_table.h.
};
_Static_assert(sizeof(struct weft_word) == 32, "part of the image");

// One source of text. >IN of the current one is in the unit's variables.
struct weft_source {
    uint32_t address; // The whole text.
    uint32_t length;
    uint32_t line_start;  // Of the current line in the text.
    uint32_t line_length; // Without its end.
    uint32_t in;          // >IN while another source is on top.
    uint32_t line;        // From 1.
    int32_t id;           // SOURCE-ID: 0 a text of the host's, -1 EVALUATE, n > 0 file n; or
                          // WEFT_SOURCE_BLOCK: then `line` is the block's number.
    uint32_t name;        // Offset in the text segment.
    uint32_t name_length;
    uint32_t text_used;  // What the text segment falls back to.
    uint32_t word_start; // The word parsed last, in the line: where an error points.
    uint32_t word_length;
    uint64_t position; // Of a file, where the text begins in it: the text is what has been read.
};
_Static_assert(sizeof(struct weft_source) == 56, "part of the image");

// Where in a source own code came from: from token `code` on, up to the next place. Places lie in
// the order of the code, and go with it. Also the layout in an image.
struct weft_place {
    uint32_t code;
    uint32_t line;
    uint32_t name; // Of the source, in the names.
    uint16_t name_length;
    uint16_t column;
};
_Static_assert(sizeof(struct weft_place) == 16, "part of the image");

enum { WEFT_UNIT_FILES_MAX = 32, WEFT_UNIT_FILE_NAME_MAX = 240 };

// A file that the program has open. Also the layout in an image.
struct weft_unit_file {
    uint64_t position;
    uint8_t mode; // WEFT_UNIT_FILE_READ | WEFT_UNIT_FILE_WRITE; 0: a free entry.
    uint8_t name_length;
    uint8_t spare[6];
    char name[WEFT_UNIT_FILE_NAME_MAX]; // By which it is opened again, from a checkpoint.
};
_Static_assert(sizeof(struct weft_unit_file) == 256, "part of the image");

// A place in code: a token offset and the mode to run in. Also the low half of a call frame, whose
// high half is the height of the return stack at the call.
#define WEFT_CODE_SPECIAL 0x80000000u // Not a place: an entry of a CATCH or level frame.
#define WEFT_CODE_CHECKED 0x40000000u // Every operation checks the stacks.
#define WEFT_CODE_SYSTEM  0x20000000u // In the system module.
#define WEFT_CODE_MODULE  0x10000000u // In the unit's module.
#define WEFT_CODE_OFFSET  0x0fffffffu
#define WEFT_CODE_MODE    (WEFT_CODE_CHECKED | WEFT_CODE_SYSTEM | WEFT_CODE_MODULE)

enum {
    WEFT_CATCH_ENTRIES = 3,
    WEFT_LEVEL_ENTRIES = 7,
    WEFT_LEVELS_MAX = 5,     // A running text above four parked ones.
    WEFT_CHUNK_BYTES = 4096, // What one run of a long primitive moves at most.
    WEFT_NAME_BYTES_MAX = 255,
    WEFT_SLACK_TOKENS = 8,
    WEFT_PRECISION_MAX = 800, // No double has more than 767 digits.
};

// Word lists are small numbers; a program sees 1 + one as its wid.
enum {
    WEFT_LIST_FORTH = 0,           // The system module's words, and the unit's by default.
    WEFT_LISTS_MAX = 250,          // Below it: the unit's own; behind it, of the system module:
    WEFT_LIST_EDITOR = 250,        // two more that may be searched,
    WEFT_LIST_ASSEMBLER = 251,     //
    WEFT_LIST_PRIVATE = 252,       // and what only its own words use.
    WEFT_LIST_SUBSTITUTIONS = 253, // Of REPLACES.
    WEFT_LIST_LOCALS = 254,        // Of the open definition.
    WEFT_ORDER_MAX = 16,
    WEFT_LOCALS_MAX = 64,
};

// The search order, as MARKER keeps it.
struct weft_order {
    uint8_t list[WEFT_ORDER_MAX]; // The first to be searched first.
    uint8_t count;
    uint8_t current; // Where definitions go.
    uint8_t lists;   // Word lists made by WORDLIST.
    uint8_t locals;  // Of the open definition.
};
_Static_assert(sizeof(struct weft_order) == 20, "part of the image");

enum {
    WEFT_SOURCE_EVALUATE = -1,
    WEFT_SOURCE_BLOCK = -2,
    WEFT_BLOCK_BYTES = 1024, // Of BLOCK.
    WEFT_BLOCK_LINE_BYTES = 64,
};

enum weft_status { WEFT_STATUS_IDLE, WEFT_STATUS_READY, WEFT_STATUS_PARKED, WEFT_STATUS_BYE };

// As small as it can be: there may be a million of them, all but a few of them idle.
struct weft_block {
    struct weft_segment segment[WEFT_SEGMENT_COUNT];
    uint32_t bytes; // Of the whole block.
    uint32_t ip;    // Where to go on: WEFT_CODE_*.
    uint32_t dsp;   // Cells on the data stack, all levels; cell n (from 1) is at index n.
    uint32_t rsp;   // Cells on the return stack; cell n is at index n - 1.
    uint32_t csp;   // Entries on the call stack.
    uint32_t fsp;   // Floats on their stack; float n (from 1) is at index n - 1.
    uint32_t dbase; // Heights at which the topmost level began.
    uint32_t rbase;
    uint32_t fbase;
    uint32_t handler;   // csp just above the newest CATCH frame of this level; 0: none.
    uint32_t level_csp; // csp just above the newest level frame.
    uint32_t leave;     // Newest unresolved LEAVE of the open loop: 1 + token offset; 0: none.
    uint32_t fold[3];   // 1 + offsets of the operations compiled last, newest first, as far as they
                        // may still be folded; 0: no.
    uint32_t abort_address;
    uint32_t abort_length;
    uint32_t blocks; // Address of what prelude_sets.fs keeps of its blocks; 0: nothing yet.
    // What lies in the unit's module, where own words, tokens and names begin to count: the
    // segments hold what comes behind it.
    uint32_t frozen_tokens;
    uint32_t frozen_names;
    uint16_t definition; // 1 + own index of the word being compiled (a does-part counts); 0: none.
    uint16_t first;      // Own index of the word at which that definition began.
    uint16_t latest;     // 1 + own index of the newest word.
    uint16_t hold;       // Characters held between <# and #>.
    uint16_t precision;  // Digits that F. FE. FS. show: 1 to WEFT_PRECISION_MAX.
    uint16_t frozen_words;
    uint8_t status;      // enum weft_status of the topmost level.
    uint8_t levels;      // Texts under way.
    uint8_t string_turn; // Which of the two buffers for interpreted strings is next.
    uint8_t udp_ready;   // A datagram has been received: UDP-REPLY has somewhere to go.
    struct weft_order order;
    uint8_t spare[4];
    uint64_t wake_ns;
    uint64_t reductions;
    uint64_t output_dropped;
};
_Static_assert(sizeof(struct weft_block) == 280, "part of the image");

// The shared module: what every unit of a node knows. Immutable once made, and there once; this
// head of it, with what belongs to one core, is each core's own.
struct weft_forth_system {
    struct weft_forth_memory memory;
    uint16_t *code;
    struct weft_word *words;
    char *names;
    uint8_t *data;
    uint8_t *starts; // One bit per token: an operation begins here.
    uint32_t code_length, word_count, name_bytes, data_bytes;
    uint32_t boot;   // Where a text begins,
    uint32_t sprout; // and where a spawned unit does: what its stack has on top is executed.
    uint32_t caught; // Where a THROW lands: behind CATCH's end.
    uint64_t hash;
    struct weft_shelf *shelf;           // The modules in use on this core; see module.h.
    struct weft_forth_library *library; // What it shares with other cores; see library.h.
    bool owns_library;                  // It shares with nobody.
};

// Words that units have frozen, as the units of a core have them: the words are in a volume of the
// library and never change. The content is what an image carries: words, code, names, each padded
// to 8.
struct weft_word_module {
    struct weft_word_module *next; // On the shelf.
    uint64_t serial;               // Among all that ever were there.
    uint32_t user_count;           // Units of this core that have it.
    uint32_t crc;                  // Of the content.
    uint32_t word_count, code_length, name_bytes;
    uint32_t content_bytes;
    const struct weft_word *words; // Into the content.
    const uint16_t *code;
    const char *names;
    uint8_t *starts; // One bit per token: an operation begins here.
    uint8_t *content;
    struct weft_volume *volume; // Held.
};

// SANDBOX at work: the unit that runs inside the budget of another.
struct weft_sandbox {
    struct weft_unit *unit;
    uint64_t budget;
    int32_t ior;
    bool done;
};

struct weft_unit {
    struct weft_block *block;
    const struct weft_forth_system *system;
    struct weft_word_module *module;   // NULL: none.
    const struct weft_unit_host *host; // Never NULL.
    void *self;                        // The host's.
    struct weft_forth_memory memory;
    struct weft_unit_options options;
    int32_t budget;                // Reductions left of this slice.
    bool building;                 // The system module itself is being compiled.
    bool is_child;                 // A sandbox.
    bool is_fleeting;              // Its first text is its last: no need to tidy up behind it.
    struct weft_sandbox *sandbox;  // NULL: none.
    struct weft_unit_error *error; // Made at the first uncaught THROW.
    int32_t *files; // The host's numbers of the open files; -1: not opened here yet. NULL: none.
};

static inline void *weft_segment_base(const struct weft_block *block, enum weft_segment_id id)
{
    return (uint8_t *)(uintptr_t)block + block->segment[id].offset;
}

static inline uint32_t weft_segment_capacity(const struct weft_block *block,
                                             enum weft_segment_id id)
{
    const unsigned next = id + 1u;
    const uint32_t end = next < WEFT_SEGMENT_COUNT ? block->segment[next].offset : block->bytes;
    return end - block->segment[id].offset;
}

static inline weft_cell *weft_data_stack(const struct weft_block *block)
{
    return weft_segment_base(block, WEFT_SEGMENT_DATA_STACK);
}

static inline weft_cell *weft_return_stack(const struct weft_block *block)
{
    return weft_segment_base(block, WEFT_SEGMENT_RETURN_STACK);
}

static inline uint64_t *weft_calls(const struct weft_block *block)
{
    return weft_segment_base(block, WEFT_SEGMENT_CALLS);
}

static inline struct weft_source *weft_sources(const struct weft_block *block)
{
    return weft_segment_base(block, WEFT_SEGMENT_SOURCES);
}

static inline uint32_t weft_source_count(const struct weft_block *block)
{
    return block->segment[WEFT_SEGMENT_SOURCES].used / (uint32_t)sizeof(struct weft_source);
}

// Own words, those in the module and those behind it; so are own indices counted.
static inline uint32_t weft_own_words(const struct weft_block *block)
{
    return block->frozen_words +
           block->segment[WEFT_SEGMENT_WORDS].used / (uint32_t)sizeof(struct weft_word);
}

static inline uint32_t weft_own_tokens(const struct weft_block *block)
{
    return block->frozen_tokens + block->segment[WEFT_SEGMENT_CODE].used / 2;
}

static inline uint32_t weft_own_names(const struct weft_block *block)
{
    return block->frozen_names + block->segment[WEFT_SEGMENT_NAMES].used;
}

// Such that own token n, as long as it is not in the module, is at index n.
static inline uint16_t *weft_own_code(const struct weft_block *block)
{
    return (uint16_t *)weft_segment_base(block, WEFT_SEGMENT_CODE) - block->frozen_tokens;
}

// A branch may land behind what was compiled last.
static inline void weft_no_fold(struct weft_block *block)
{
    memset(block->fold, 0, sizeof(block->fold));
}

static inline uint32_t weft_shared_words(const struct weft_unit *unit)
{
    return unit->system == NULL ? 0 : unit->system->word_count;
}

static inline const struct weft_word *weft_own_word(const struct weft_unit *unit,
                                                    uint32_t own_index)
{
    const uint32_t frozen = unit->block->frozen_words;
    if (own_index < frozen) return &unit->module->words[own_index];
    return (struct weft_word *)weft_segment_base(unit->block, WEFT_SEGMENT_WORDS) +
           (own_index - frozen);
}

// The word of an index in the common numbering: the system's first, then the unit's. NULL if none.
static inline const struct weft_word *weft_word_at(const struct weft_unit *unit, uint64_t index)
{
    const uint32_t shared = weft_shared_words(unit);
    if (index < shared) return &unit->system->words[index];
    if (index - shared >= weft_own_words(unit->block)) return NULL;
    return weft_own_word(unit, (uint32_t)index - shared);
}

// What lies at an offset among the own names.
static inline const char *weft_own_name(const struct weft_unit *unit, uint32_t offset)
{
    const uint32_t frozen = unit->block->frozen_names;
    if (offset < frozen) return unit->module->names + offset;
    return (const char *)weft_segment_base(unit->block, WEFT_SEGMENT_NAMES) + (offset - frozen);
}

static inline const char *weft_word_name(const struct weft_unit *unit, uint64_t index)
{
    const struct weft_word *word = weft_word_at(unit, index);
    if (index < weft_shared_words(unit)) return unit->system->names + word->name;
    return weft_own_name(unit, word->name);
}

// The code of a word, by its index in the common numbering.
static inline const uint16_t *weft_word_code(const struct weft_unit *unit, uint64_t index)
{
    const uint32_t shared = weft_shared_words(unit);
    const struct weft_word *word = weft_word_at(unit, index);
    if (index < shared) return unit->system->code + word->code;
    if (index - shared < unit->block->frozen_words) return unit->module->code + word->code;
    return weft_own_code(unit->block) + word->code;
}

// What stands at a place in code.
static inline const uint16_t *weft_code_at(const struct weft_unit *unit, uint32_t place)
{
    const uint32_t offset = place & WEFT_CODE_OFFSET;
    if (place & WEFT_CODE_SYSTEM) return unit->system->code + offset;
    if (place & WEFT_CODE_MODULE) return unit->module->code + offset;
    return weft_own_code(unit->block) + offset;
}

static inline weft_cell weft_variable(const struct weft_block *block, uint32_t offset)
{
    return weft_cell_get((uint8_t *)weft_segment_base(block, WEFT_SEGMENT_DATA) + offset);
}

static inline void weft_variable_set(struct weft_block *block, uint32_t offset, weft_cell value)
{
    weft_cell_put((uint8_t *)weft_segment_base(block, WEFT_SEGMENT_DATA) + offset, value);
}

// memory.c

// Makes room for `bytes` more behind `used` of a segment; the block may move. 0; WEFT_THROW_MEMORY
// over the quota or without memory.
int32_t weft_segment_reserve(struct weft_unit *unit, enum weft_segment_id id, uint64_t bytes);
// Makes `capacity` at least `bytes`.
int32_t weft_segment_grow(struct weft_unit *unit, enum weft_segment_id id, uint64_t bytes);
// The same of all segments at once.
int32_t weft_segments_grow(struct weft_unit *unit, const uint32_t bytes[WEFT_SEGMENT_COUNT]);
// Gives back what lies beyond `bytes` (multiples of 8) of each segment.
void weft_segments_shrink(struct weft_unit *unit, const uint32_t bytes[WEFT_SEGMENT_COUNT]);
void weft_segment_shrink(struct weft_unit *unit, enum weft_segment_id id, uint32_t bytes);
// The host's view of `length` bytes at an address, or NULL if they are not all there (and
// writable).
void *weft_address_read(const struct weft_unit *unit, uint64_t address, uint64_t length);
void *weft_address_write(const struct weft_unit *unit, uint64_t address, uint64_t length);
// The scratch segment, made at first use. 0 or a THROW code.
int32_t weft_scratch(struct weft_unit *unit);
void weft_output(struct weft_unit *unit, const void *bytes, size_t length);

#endif // WEFT_FORTH_STATE_H
