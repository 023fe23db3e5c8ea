// throw.c: unwinding, and errors that say where they happened.
#include "forth/throw.h"

#include <stdio.h>
#include <strings.h>

#include "forth/dictionary.h"
#include "forth/infer.h"
#include "forth/level.h"
#include "forth/outer.h"
#include "forth/places.h"

// Forth 2012, table 9.1, and ours below -255.
static const struct {
    int32_t code;
    const char *text;
} throw_texts[] = {
    {-1, "aborted"},
    {-2, "aborted"},
    {-3, "stack overflow"},
    {-4, "stack underflow"},
    {-5, "return stack overflow"},
    {-6, "return stack underflow"},
    {-7, "do-loops nested too deeply"},
    {-8, "dictionary overflow"},
    {-9, "invalid memory address"},
    {-10, "division by zero"},
    {-11, "result out of range"},
    {-12, "argument type mismatch"},
    {-13, "undefined word"},
    {-14, "interpreting a compile-only word"},
    {-15, "invalid FORGET"},
    {-16, "attempt to use zero-length string as a name"},
    {-17, "pictured numeric output string overflow"},
    {-18, "parsed string overflow"},
    {-19, "definition name too long"},
    {-20, "write to a read-only location"},
    {-21, "unsupported operation"},
    {-22, "control structure mismatch"},
    {-23, "address alignment exception"},
    {-24, "invalid numeric argument"},
    {-25, "return stack imbalance"},
    {-26, "loop parameters unavailable"},
    {-27, "invalid recursion"},
    {-28, "user interrupt"},
    {-29, "compiler nesting"},
    {-30, "obsolescent feature"},
    {-31, ">BODY used on non-CREATEd definition"},
    {-32, "invalid name argument"},
    {-33, "block read exception"},
    {-34, "block write exception"},
    {-35, "invalid block number"},
    {-36, "invalid file position"},
    {-37, "file I/O exception"},
    {-38, "non-existent file"},
    {-39, "unexpected end of file"},
    {-40, "invalid BASE for floating point conversion"},
    {-41, "loss of precision"},
    {-42, "floating-point divide by zero"},
    {-43, "floating-point result out of range"},
    {-44, "floating-point stack overflow"},
    {-45, "floating-point stack underflow"},
    {-46, "floating-point invalid argument"},
    {-48, "invalid POSTPONE"},
    {-49, "search-order overflow"},
    {-50, "search-order underflow"},
    {-51, "compilation word list changed"},
    {-52, "control-flow stack overflow"},
    {-53, "exception stack overflow"},
    {-54, "floating-point underflow"},
    {-55, "floating-point unidentified fault"},
    {-56, "QUIT"},
    {-57, "exception in sending or receiving a character"},
    {-58, "[IF], [ELSE] or [THEN] exception"},
    {-59, "ALLOCATE"},
    {-60, "FREE"},
    {-61, "RESIZE"},
    {-77, "malformed xchar"},
    {-78, "SUBSTITUTE"},
    {-79, "REPLACES"},
    {WEFT_THROW_REDUCTIONS, "quota of reductions spent"},
    {WEFT_THROW_MEMORY, "quota of memory spent"},
    {-258, "message could not be sent"},
    {-259, "port is not free"},
    {-260, "no datagram to reply to"},
    {-261, "deferred word has no action"},
    {-262, "invalid BASE"},
    {WEFT_THROW_EFFECT, "a word does not do what its stack comment says"},
    {WEFT_UNIT_FILE_OUTSIDE, "name leads out of the directory of files"},
    {WEFT_UNIT_FILE_TOO_MANY, "too many files open"},
    {WEFT_THROW_FULL, "queue full"},
    {WEFT_THROW_NOBODY, "nobody of that name or number"},
    {-302, "port in use"},
    {-303, "message too long"},
    {-304, "no mesh"},
    {WEFT_THROW_CLOSED, "channel is closed"},
    {WEFT_THROW_LATE, "timed out"},
    {WEFT_THROW_SHAPE, "message is not what was asked for"},
    {WEFT_THROW_SPAWNED, "quota of spawned units spent (raise it: unit load --quota spawned=N)"},
    {WEFT_THROW_CHANNELS, "quota of channels spent (raise it: unit load --quota channels=N)"},
    {WEFT_THROW_NO_NET, "this node does not let its units reach that address (units.net)"},
    {WEFT_THROW_NO_FILES, "this node gives its units no files (units.files)"},
    {WEFT_THROW_FILES, "quota of open files spent (raise it: unit load --quota files=N)"},
};

const char *weft_forth_throw_text(int32_t code)
{
    for (size_t n = 0; n < sizeof(throw_texts) / sizeof(throw_texts[0]); n++) {
        if (throw_texts[n].code == code) return throw_texts[n].text;
    }
    return "uncaught exception";
}

// The CATCH frame below `handler`, if it is one: an image may hold anything.
static bool catch_frame(const struct weft_unit *unit, uint64_t frame[WEFT_CATCH_ENTRIES])
{
    const struct weft_block *block = unit->block;
    const uint32_t handler = block->handler;
    if (handler < block->level_csp + WEFT_CATCH_ENTRIES || handler > block->csp) return false;

    memcpy(frame, weft_calls(block) + handler - WEFT_CATCH_ENTRIES, WEFT_CATCH_ENTRIES * 8);
    const uint32_t previous = (uint32_t)frame[0] & ~WEFT_CODE_SPECIAL;
    const uint32_t sources = (uint32_t)frame[1] & ~WEFT_CODE_SPECIAL;
    const uint64_t dsp = frame[0] >> 32, rsp = frame[1] >> 32, fsp = frame[2] >> 32;
    return (frame[0] & frame[1] & frame[2] & WEFT_CODE_SPECIAL) != 0 &&
           (previous == 0 || (previous > block->level_csp && previous < handler)) &&
           dsp >= block->dbase && rsp >= block->rbase && fsp >= block->fbase &&
           sources <= weft_source_count(block) &&
           (dsp + 2) * WEFT_CELL_BYTES <= weft_segment_capacity(block, WEFT_SEGMENT_DATA_STACK) &&
           rsp * WEFT_CELL_BYTES <= weft_segment_capacity(block, WEFT_SEGMENT_RETURN_STACK) &&
           fsp * WEFT_CELL_BYTES <= weft_segment_capacity(block, WEFT_SEGMENT_FLOAT_STACK);
}

bool weft_throw(struct weft_unit *unit, int32_t code)
{
    struct weft_block *block = unit->block;
    uint64_t frame[WEFT_CATCH_ENTRIES];
    if (block->handler == 0 || !catch_frame(unit, frame)) {
        weft_error_note(unit, code, false);
        weft_level_end(unit, true);
        return true;
    }

    // A definition opened within the CATCH goes with what was caught.
    if (((uint32_t)frame[2] & ~WEFT_CODE_SPECIAL) == 0 && block->definition != 0) {
        weft_definition_abandon(unit);
        weft_variable_set(block, WEFT_VARIABLE_STATE, WEFT_FALSE);
    }
    // One that stays open has no end, whatever `;` has made of it before it was refused.
    if (block->definition != 0) weft_own_word_open(unit, block->definition - 1u)->code_length = 0;
    block->csp = block->handler - WEFT_CATCH_ENTRIES;
    block->handler = (uint32_t)frame[0] & ~WEFT_CODE_SPECIAL;
    block->dsp = (uint32_t)(frame[0] >> 32) + 1;
    block->rsp = (uint32_t)(frame[1] >> 32);
    block->fsp = (uint32_t)(frame[2] >> 32);
    weft_data_stack(block)[block->dsp] = code;
    weft_sources_drop(unit, (uint32_t)frame[1] & ~WEFT_CODE_SPECIAL);
    block->ip = unit->system->caught | WEFT_CODE_SYSTEM | WEFT_CODE_CHECKED;
    unit->budget--;
    return false;
}

// Texts go to terminals and logs: control characters from a program must not reach them.
static void copy_text(char *to, size_t size, const void *from, size_t length)
{
    if (length >= size) length = size - 1;
    for (size_t n = 0; n < length; n++) {
        const uint8_t c = ((const uint8_t *)from)[n];
        to[n] = (c < ' ' && c != '\t') || c == 127 ? '?' : (char)c;
    }
    to[length] = '\0';
}

// The word in whose code the unit stood, and the nearest one above it that has a name.
static void name_running_word(const struct weft_unit *unit, bool stopped, char *to, size_t size)
{
    const bool in_system = unit->block->ip & WEFT_CODE_SYSTEM;
    const uint32_t shared = weft_shared_words(unit);
    const uint32_t count = in_system ? shared : weft_own_words(unit->block);
    const uint32_t at = (unit->block->ip & WEFT_CODE_OFFSET) - !stopped;
    for (uint32_t n = 0; n < count; n++) {
        const uint32_t index = in_system ? n : n + shared;
        const struct weft_word *word = weft_word_at(unit, index);
        if (at - word->code >= word->code_length) continue;
        copy_text(to, size, weft_word_name(unit, index), word->name_length);
        return;
    }
}

static void name_source(const struct weft_unit *unit, const struct weft_source *source, char *to,
                        size_t size)
{
    const char *text = weft_segment_base(unit->block, WEFT_SEGMENT_TEXT);
    if (source->id == -1) {
        copy_text(to, size, "evaluate", 8);
    } else {
        copy_text(to, size, text + source->name, source->name_length);
    }
}

// The sources that led to the one on top, innermost first, down to the text that the host gave.
static void note_outer(const struct weft_unit *unit, struct weft_unit_error *error)
{
    const struct weft_source *sources = weft_sources(unit->block);
    uint32_t n = weft_source_count(unit->block) - 1;
    size_t used = 0;
    while (sources[n].id != 0 && n > 0) {
        char name[64];
        const struct weft_source *outer = &sources[--n];
        if (outer->id == -1) continue;
        name_source(unit, outer, name, sizeof(name));
        const int length =
            snprintf(error->outer + used, sizeof(error->outer) - used, "%s%s:%u:%u",
                     used > 0 ? ", from " : "", name, outer->line, outer->word_start + 1);
        used += length > 0 ? (size_t)length : 0;
        if (used >= sizeof(error->outer)) return;
    }
}

// The line `line` of the text being read, at or before the one that is being read.
static const char *find_line(const struct weft_unit *unit, const struct weft_source *source,
                             uint32_t number, uint32_t *length)
{
    const char *text = weft_address_read(unit, source->address, source->length);
    if (text == NULL || number > source->line) return NULL;
    uint32_t start = source->line_start;
    for (uint32_t back = source->line - number; back > 0; back--) {
        const char *end = start < 2 ? NULL : memrchr(text, '\n', start - 1);
        start = end == NULL ? 0 : (uint32_t)(end - text) + 1;
        if (end == NULL && back > 1) return NULL;
    }
    const char *end = memchr(text + start, '\n', source->length - start);
    *length = end == NULL ? source->length - start : (uint32_t)(end - (text + start));
    return text + start;
}

// Is `token` at line `number` from byte `at`? Not if that line was in an earlier text.
static const char *find_token(const struct weft_unit *unit, const struct weft_source *source,
                              const struct weft_unit_error *error, const char *token,
                              uint32_t *length)
{
    const char *line = find_line(unit, source, error->line, length);
    if (line == NULL || error->column == 0 || error->column > *length) return NULL;
    const uint32_t left = *length - (error->column - 1);
    const uint32_t bytes = left < error->width ? left : error->width;
    return memcmp(line + error->column - 1, token, bytes) == 0 ? line : NULL;
}

void weft_error_place(const struct weft_unit *unit, struct weft_unit_error *error,
                      const char *token)
{
    const uint32_t count = weft_source_count(unit->block);
    if (count == 0) return;
    const struct weft_source *source = &weft_sources(unit->block)[count - 1];
    uint32_t start = source->word_start, width = source->word_length, number = source->line;
    uint32_t length = source->line_length;
    const char *line = token == NULL ? NULL : find_token(unit, source, error, token, &length);
    if (line != NULL) {
        start = error->column - 1;
        width = error->width;
        number = error->line;
    } else {
        length = source->line_length;
        line = weft_address_read(unit, (uint64_t)source->address + source->line_start, length);
    }
    if (line == NULL) return;

    if (start > length) start = length;
    if (width > length - start) width = length - start;
    error->line = number;
    error->column = start + 1;
    error->width = width;
    // A long line is shown from a little before the word.
    const uint32_t shown = sizeof(error->line_text) - 1;
    uint32_t from = 0;
    if (length > shown && start + width > shown) from = start > 20 ? start - 20 : 0;
    copy_text(error->line_text, sizeof(error->line_text), line + from, length - from);
    error->marker = start - from;

    name_source(unit, source, error->source, sizeof(error->source));
    note_outer(unit, error);
}

void weft_error_note(struct weft_unit *unit, int32_t code, bool stopped)
{
    if (unit->error == NULL) {
        unit->error = unit->memory.resize(unit->memory.self, NULL, 0, sizeof(*unit->error));
        if (unit->error == NULL) return; // The state still says FAULT.
    }
    struct weft_unit_error *error = unit->error;
    *error = (struct weft_unit_error){.code = code};
    if (code == WEFT_THROW_EFFECT && weft_effect_difference(unit, error)) return;
    weft_error_place(unit, error, NULL);
    name_running_word(unit, stopped, error->word, sizeof(error->word));
    weft_places_trace(unit, stopped, error->trace, sizeof(error->trace));

    const struct weft_block *block = unit->block;
    const char *text =
        code == -2 ? weft_address_read(unit, block->abort_address, block->abort_length) : NULL;
    if (text != NULL) {
        copy_text(error->message, sizeof(error->message), text, block->abort_length);
    } else if (code == -13 && error->width > 0) {
        snprintf(error->message, sizeof(error->message), "undefined word: %.*s",
                 (int)(error->width < 40 ? error->width : 40), error->line_text + error->marker);
    } else {
        copy_text(error->message, sizeof(error->message), weft_forth_throw_text(code),
                  strlen(weft_forth_throw_text(code)));
    }
}

static size_t render(const struct weft_unit_error *error, const char *kind, char *to, size_t size)
{
    if (size == 0) return 0;
    char place[128] = "", running[40] = "", mark[160] = "", via[176] = "", thrown[24] = "";
    if (error->line > 0) {
        snprintf(place, sizeof(place), "%s:%u:%u: ", error->source, error->line, error->column);
    }
    const size_t marked = strlen(error->line_text + error->marker);
    const size_t width = error->width < marked ? error->width : marked;
    if (error->word[0] != '\0' &&
        (strlen(error->word) != width ||
         strncasecmp(error->word, error->line_text + error->marker, width) != 0)) {
        snprintf(running, sizeof(running), " in %s", error->word);
    }
    if (error->line > 0) {
        // Tabs before the mark keep it under the word.
        size_t n = 0;
        mark[n++] = '\n';
        for (size_t c = 0; c < error->marker; c++)
            mark[n++] = error->line_text[c] == '\t' ? '\t' : ' ';
        mark[n++] = '^';
        for (size_t c = 1; c < width && n < sizeof(mark) - 1; c++)
            mark[n++] = '~';
        mark[n] = '\0';
    }
    if (error->outer[0] != '\0') snprintf(via, sizeof(via), "\nfrom %s", error->outer);
    if (strcmp(kind, "error") == 0)
        snprintf(thrown, sizeof(thrown), " (THROW %d)", (int)error->code);
    const int length =
        snprintf(to, size, "%s%s: %s%s%s%s%s%s%s\n%s", place, kind, error->message, thrown, running,
                 error->line > 0 ? "\n" : "", error->line_text, mark, via, error->trace);
    if (length < 0) return 0;
    return (size_t)length < size ? (size_t)length : size - 1;
}

size_t weft_unit_error_render(const struct weft_unit_error *error, char *to, size_t size)
{
    return render(error, "error", to, size);
}

size_t weft_unit_warning_render(const struct weft_unit_error *warning, char *to, size_t size)
{
    return render(warning, "warning", to, size);
}
