// words_file.c: the File-Access words (Forth 2012, 11.6). Each touches a file once, for 4 KiB at
// most; what may take longer goes on from there in prelude.fs.
#include "forth/dictionary.h"
#include "forth/files.h"
#include "forth/inner.h"
#include "forth/ops.h"
#include "forth/outer.h"

// The host's files; NULL if it has none to give.
static const struct weft_unit_machine *machine_files(const struct weft_unit *unit)
{
    const struct weft_unit_machine *machine = unit->host->machine;
    return machine != NULL && machine->file_open != NULL ? machine : NULL;
}

// What the file words throw without.
static int32_t no_files(const struct weft_unit *unit)
{
    const struct weft_unit_machine *machine = unit->host->machine;
    return machine != NULL && machine->no_files != 0 ? machine->no_files : -21;
}

static int32_t open_as(struct weft_unit *unit, uint32_t more)
{
    if (machine_files(unit) == NULL) return no_files(unit);
    struct weft_block *block = unit->block;
    const weft_cell *at = weft_top(block) - 2;
    const weft_cell mode = at[2];
    int32_t fileid = -24;
    if (mode > 0 && mode <= (WEFT_UNIT_FILE_READ | WEFT_UNIT_FILE_WRITE))
        fileid = weft_unit_file_open(unit, (uint64_t)at[0], (uint64_t)at[1], (uint32_t)mode | more);
    if (fileid == -9) return -9;
    if (fileid == WEFT_UNIT_FILE_LATER) return WEFT_PARK;
    block = unit->block; // It may have moved.
    block->dsp -= 3;
    weft_push(block, fileid > 0 ? fileid : 0);
    weft_push(block, fileid > 0 ? 0 : fileid);
    unit->budget--;
    return WEFT_NEXT;
}

// OPEN-FILE ( c-addr u fam -- fileid ior )
int32_t weft_op_open_file(struct weft_unit *unit)
{
    return open_as(unit, 0);
}

// CREATE-FILE ( c-addr u fam -- fileid ior )
int32_t weft_op_create_file(struct weft_unit *unit)
{
    return open_as(unit, WEFT_UNIT_FILE_CREATE);
}

// CLOSE-FILE ( fileid -- ior )
int32_t weft_op_close_file(struct weft_unit *unit)
{
    if (machine_files(unit) == NULL) return no_files(unit);
    *weft_top(unit->block) = weft_unit_file_close(unit, *weft_top(unit->block));
    return WEFT_NEXT;
}

// The span below the fileid, as far as one run goes: ( c-addr u fileid ). NULL: not the unit's.
static void *chunk(struct weft_unit *unit, bool write, uint32_t *size)
{
    const weft_cell *at = weft_top(unit->block) - 2;
    const uint64_t length = (uint64_t)at[1];
    *size = (uint32_t)(length < WEFT_CHUNK_BYTES ? length : WEFT_CHUNK_BYTES);
    return write ? weft_address_write(unit, (uint64_t)at[0], *size)
                 : weft_address_read(unit, (uint64_t)at[0], *size);
}

// Puts the bytes moved and the ior in the place of three cells.
static int32_t moved(struct weft_unit *unit, int64_t bytes)
{
    if (bytes == WEFT_UNIT_FILE_LATER) return WEFT_PARK;
    unit->block->dsp -= 3;
    weft_push(unit->block, bytes > 0 ? bytes : 0);
    weft_push(unit->block, bytes < 0 ? bytes : 0);
    return WEFT_NEXT;
}

// ( c-addr u fileid -- u2 ior )
int32_t weft_op_read_chunk(struct weft_unit *unit)
{
    uint32_t size;
    if (machine_files(unit) == NULL) return no_files(unit);
    void *to = chunk(unit, true, &size);
    if (to == NULL) return -9;
    return moved(unit, weft_unit_file_read(unit, *weft_top(unit->block), to, size));
}

// ( c-addr u fileid -- u2 end ior ), end: see READ-LINE in prelude.fs. What the line does not take
// is left in the file, and in memory nothing is written behind it.
int32_t weft_op_read_line_chunk(struct weft_unit *unit)
{
    uint32_t size;
    char text[WEFT_CHUNK_BYTES];
    if (machine_files(unit) == NULL) return no_files(unit);
    const weft_cell fileid = *weft_top(unit->block);
    void *to = chunk(unit, true, &size);
    if (to == NULL) return -9;
    const int64_t bytes = weft_unit_file_read(unit, fileid, text, size > 0 ? size : 1);
    if (bytes == WEFT_UNIT_FILE_LATER) return WEFT_PARK;
    const char *end = bytes > 0 ? memchr(text, '\n', size < bytes ? size : (size_t)bytes) : NULL;
    int64_t length = bytes;
    weft_cell how = bytes <= 0 ? 0 : bytes < size ? 0 : 1;
    if (end != NULL) {
        length = end - text;
        how = 2;
    } else if (size == 0 && bytes > 0) {
        length = 0; // Only asked whether there is more.
    }
    if (bytes > 0) {
        weft_unit_file_at(unit, fileid)->position -= (uint64_t)(bytes - length - (end != NULL));
        memcpy(to, text, (size_t)length);
    }
    moved(unit, length);
    const weft_cell ior = weft_pop(unit->block);
    weft_push(unit->block, how);
    weft_push(unit->block, ior);
    return WEFT_NEXT;
}

// ( c-addr u fileid -- u2 ior )
int32_t weft_op_write_chunk(struct weft_unit *unit)
{
    uint32_t size;
    const struct weft_unit_machine *machine = machine_files(unit);
    if (machine == NULL || machine->file_write == NULL) return no_files(unit);
    const void *from = chunk(unit, false, &size);
    if (from == NULL) return -9;
    const weft_cell fileid = *weft_top(unit->block);
    const int32_t number = weft_unit_file_number(unit, fileid);
    if (number < 0) return moved(unit, number);
    struct weft_unit_file *file = weft_unit_file_at(unit, fileid);
    if (!(file->mode & WEFT_UNIT_FILE_WRITE)) return moved(unit, -37);
    const int64_t bytes = machine->file_write(unit->self, number, file->position, from, size);
    if (bytes > 0) file->position += (uint64_t)bytes;
    weft_charge(unit, size);
    unit->budget--;
    return moved(unit, bytes == 0 ? -37 : bytes);
}

// Answers a double-cell number and an ior for the fileid on top.
static int32_t answer_double(struct weft_unit *unit, int64_t value)
{
    if (value == WEFT_UNIT_FILE_LATER) return WEFT_PARK;
    unit->block->dsp--;
    weft_push(unit->block, value > 0 ? value : 0);
    weft_push(unit->block, 0);
    weft_push(unit->block, value < 0 ? value : 0);
    return WEFT_NEXT;
}

// FILE-POSITION ( fileid -- ud ior )
int32_t weft_op_file_position(struct weft_unit *unit)
{
    if (machine_files(unit) == NULL) return no_files(unit);
    const struct weft_unit_file *file = weft_unit_file_at(unit, *weft_top(unit->block));
    return answer_double(unit, file == NULL ? -37 : (int64_t)file->position);
}

// FILE-SIZE ( fileid -- ud ior )
int32_t weft_op_file_size(struct weft_unit *unit)
{
    const struct weft_unit_machine *machine = machine_files(unit);
    if (machine == NULL || machine->file_size == NULL) return no_files(unit);
    const int32_t number = weft_unit_file_number(unit, *weft_top(unit->block));
    return answer_double(unit, number < 0 ? number : machine->file_size(unit->self, number));
}

// Takes ( ud fileid ) and answers one ior.
static int32_t answer_ior(struct weft_unit *unit, uint32_t cells, int32_t ior)
{
    if (ior == WEFT_UNIT_FILE_LATER) return WEFT_PARK;
    unit->block->dsp -= cells;
    weft_push(unit->block, ior);
    return WEFT_NEXT;
}

// REPOSITION-FILE ( ud fileid -- ior )
int32_t weft_op_reposition_file(struct weft_unit *unit)
{
    if (machine_files(unit) == NULL) return no_files(unit);
    const weft_cell *at = weft_top(unit->block) - 2;
    struct weft_unit_file *file = weft_unit_file_at(unit, at[2]);
    if (file == NULL) return answer_ior(unit, 3, -37);
    if (at[1] != 0 || at[0] < 0) return answer_ior(unit, 3, -36);
    file->position = (uint64_t)at[0];
    return answer_ior(unit, 3, 0);
}

// RESIZE-FILE ( ud fileid -- ior )
int32_t weft_op_resize_file(struct weft_unit *unit)
{
    const struct weft_unit_machine *machine = machine_files(unit);
    if (machine == NULL || machine->file_resize == NULL) return no_files(unit);
    const weft_cell *at = weft_top(unit->block) - 2;
    const weft_cell low = at[0], high = at[1], fileid = at[2];
    if (high != 0 || low < 0) return answer_ior(unit, 3, -36);
    const int32_t number = weft_unit_file_number(unit, fileid);
    if (number < 0) return answer_ior(unit, 3, number);
    if (!(weft_unit_file_at(unit, fileid)->mode & WEFT_UNIT_FILE_WRITE))
        return answer_ior(unit, 3, -37);
    unit->budget--;
    return answer_ior(unit, 3, machine->file_resize(unit->self, number, (uint64_t)low));
}

// FLUSH-FILE ( fileid -- ior )
int32_t weft_op_flush_file(struct weft_unit *unit)
{
    const struct weft_unit_machine *machine = machine_files(unit);
    if (machine == NULL || machine->file_flush == NULL) return no_files(unit);
    const int32_t number = weft_unit_file_number(unit, *weft_top(unit->block));
    unit->budget--;
    return answer_ior(unit, 1, number < 0 ? number : machine->file_flush(unit->self, number));
}

// The name below `above` more cells. NULL: not the unit's memory.
static const char *file_name(struct weft_unit *unit, uint32_t above, size_t *length)
{
    const weft_cell *at = weft_top(unit->block) - above - 1;
    *length = (uint64_t)at[1] <= WEFT_UNIT_FILE_NAME_MAX ? (size_t)at[1] : 0;
    return weft_address_read(unit, (uint64_t)at[0], *length);
}

// DELETE-FILE ( c-addr u -- ior )
int32_t weft_op_delete_file(struct weft_unit *unit)
{
    size_t length;
    const struct weft_unit_machine *machine = machine_files(unit);
    if (machine == NULL || machine->file_delete == NULL) return no_files(unit);
    const char *name = file_name(unit, 0, &length);
    if (name == NULL) return -9;
    unit->budget--;
    return answer_ior(unit, 2, length == 0 ? -38 : machine->file_delete(unit->self, name, length));
}

// RENAME-FILE ( c-addr1 u1 c-addr2 u2 -- ior )
int32_t weft_op_rename_file(struct weft_unit *unit)
{
    size_t from_length, to_length;
    const struct weft_unit_machine *machine = machine_files(unit);
    if (machine == NULL || machine->file_rename == NULL) return no_files(unit);
    const char *from = file_name(unit, 2, &from_length), *to = file_name(unit, 0, &to_length);
    if (from == NULL || to == NULL) return -9;
    unit->budget--;
    if (from_length == 0 || to_length == 0) return answer_ior(unit, 4, -38);
    return answer_ior(unit, 4, machine->file_rename(unit->self, from, from_length, to, to_length));
}

// FILE-STATUS ( c-addr u -- x ior ): x is the mode of the file as stat(2) has it.
int32_t weft_op_file_status(struct weft_unit *unit)
{
    size_t length;
    const struct weft_unit_machine *machine = machine_files(unit);
    if (machine == NULL || machine->file_status == NULL) return no_files(unit);
    const char *name = file_name(unit, 0, &length);
    if (name == NULL) return -9;
    const int64_t mode = length == 0 ? -38 : machine->file_status(unit->self, name, length);
    if (mode == WEFT_UNIT_FILE_LATER) return WEFT_PARK;
    weft_cell *at = weft_top(unit->block) - 1;
    at[0] = mode > 0 ? mode : 0;
    at[1] = mode < 0 ? mode : 0;
    unit->budget--;
    return WEFT_NEXT;
}

// The beginning of INCLUDE-FILE ( fileid -- ): the file becomes the source, with no line read yet.
int32_t weft_op_file_begin(struct weft_unit *unit)
{
    if (machine_files(unit) == NULL) return no_files(unit);
    const weft_cell fileid = weft_pop(unit->block);
    const struct weft_unit_file *file = weft_unit_file_at(unit, fileid);
    if (file == NULL || !(file->mode & WEFT_UNIT_FILE_READ)) return -37;
    const uint32_t used = unit->block->segment[WEFT_SEGMENT_TEXT].used;
    const uint32_t length = file->name_length < 63 ? file->name_length : 63;
    int32_t code = weft_segment_reserve(unit, WEFT_SEGMENT_TEXT, length);
    if (code != 0) return code;

    file = weft_unit_file_at(unit, fileid);
    memcpy((char *)weft_segment_base(unit->block, WEFT_SEGMENT_TEXT) + used, file->name, length);
    unit->block->segment[WEFT_SEGMENT_TEXT].used += length;
    code = weft_source_push(unit, WEFT_ADDRESS_TEXT + used + length, 0, (int32_t)fileid);
    if (code != 0) {
        unit->block->segment[WEFT_SEGMENT_TEXT].used = used;
        return code;
    }
    struct weft_source *source = weft_source_top(unit);
    source->line = 0;
    source->name = source->text_used = used;
    source->name_length = length;
    source->position = weft_unit_file_at(unit, fileid)->position;
    return WEFT_NEXT;
}

// The innermost source that is a file; NULL: none.
static const struct weft_unit_file *file_source(const struct weft_unit *unit)
{
    const struct weft_source *sources = weft_sources(unit->block);
    for (uint32_t n = weft_source_count(unit->block); n-- > 0 && sources[n].id != 0;) {
        if (sources[n].id > 0) return weft_unit_file_at(unit, sources[n].id);
    }
    return NULL;
}

// ( c-addr1 u1 -- c-addr2 u2 ): a name that begins with ./ means a file beside the one that is
// being included, whose directory takes the place of the dot. It lies where an interpreted S"
// would.
int32_t weft_op_beside_source(struct weft_unit *unit)
{
    const uint64_t length = (uint64_t)*weft_top(unit->block);
    const uint64_t address = (uint64_t)weft_top(unit->block)[-1];
    const char *name = weft_address_read(unit, address, length);
    if (name == NULL) return -9;
    const struct weft_unit_file *source = file_source(unit);
    if (source == NULL || length < 3 || memcmp(name, "./", 2) != 0) return WEFT_NEXT;
    uint32_t directory = source->name_length;
    while (directory > 0 && source->name[directory - 1] != '/')
        directory--;
    if (directory == 0) return WEFT_NEXT;
    if (directory + length - 2 > WEFT_UNIT_FILE_NAME_MAX) return -38;

    char joined[WEFT_STRING_BYTES];
    memcpy(joined, source->name, directory);
    memcpy(joined + directory, name + 2, length - 2);
    const int32_t code = weft_scratch(unit);
    if (code != 0) return code;
    struct weft_block *block = unit->block;
    const uint32_t at =
        WEFT_SCRATCH_STRINGS + (block->string_turn++ % WEFT_STRINGS) * WEFT_STRING_BYTES;
    memcpy((char *)weft_segment_base(block, WEFT_SEGMENT_SCRATCH) + at, joined,
           directory + length - 2);
    weft_top(block)[-1] = WEFT_ADDRESS_SCRATCH + at;
    *weft_top(block) = (weft_cell)(directory + length - 2);
    return WEFT_NEXT;
}

// ( c-addr u -- ): the file has been INCLUDED. Its name stands in the dictionary as what nobody can
// find or run, so that MARKER forgets it with the words that came from it.
int32_t weft_op_note_included(struct weft_unit *unit)
{
    const uint64_t length = (uint64_t)weft_pop(unit->block);
    const uint64_t address = (uint64_t)weft_pop(unit->block);
    if (unit->block->definition != 0) return WEFT_NEXT; // It would stand in the middle of one.
    if (length > WEFT_NAME_BYTES_MAX) return WEFT_NEXT;
    const char *name = weft_address_read(unit, address, length);
    if (name == NULL) return -9;
    const uint32_t latest = unit->block->latest;
    const int32_t added = weft_word_add(unit, WEFT_WORD_FILE, name, (uint32_t)length);
    unit->block->latest = latest;
    return added < 0 ? added : WEFT_NEXT;
}

// ( c-addr u -- flag )
int32_t weft_op_was_included(struct weft_unit *unit)
{
    const uint64_t length = (uint64_t)weft_pop(unit->block);
    const uint64_t address = (uint64_t)weft_pop(unit->block);
    const char *name =
        length <= WEFT_NAME_BYTES_MAX ? weft_address_read(unit, address, length) : "";
    if (name == NULL) return -9;
    const uint32_t count = weft_own_words(unit->block);
    bool found = false;
    for (uint32_t n = 0; n < count && !found; n++) {
        const struct weft_word *word = weft_own_word(unit, n);
        found = word->kind == WEFT_WORD_FILE && word->name_length == length &&
                memcmp(weft_word_name(unit, weft_shared_words(unit) + n), name, length) == 0;
    }
    unit->budget -= (int32_t)(count / 16);
    weft_push(unit->block, weft_flag(found));
    return WEFT_NEXT;
}
