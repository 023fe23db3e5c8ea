#include "forth/files.h"

#include "forth/inner.h"
#include "forth/ops.h"
#include "forth/outer.h"

enum { LINE_BYTES_MAX = 65536 }; // Of a source: read in one go, so there must be a limit.

struct weft_unit_file *weft_unit_file_at(const struct weft_unit *unit, weft_cell fileid)
{
    const struct weft_segment *segment = &unit->block->segment[WEFT_SEGMENT_FILES];
    struct weft_unit_file *files = weft_segment_base(unit->block, WEFT_SEGMENT_FILES);
    if (fileid < 1 || (uint64_t)fileid > segment->used / sizeof(*files)) return NULL;
    return files[fileid - 1].mode != 0 ? &files[fileid - 1] : NULL;
}

// A free entry's fileid, made if need be; an ior.
static int32_t free_entry(struct weft_unit *unit)
{
    const struct weft_segment *segment = &unit->block->segment[WEFT_SEGMENT_FILES];
    const struct weft_unit_file *files = weft_segment_base(unit->block, WEFT_SEGMENT_FILES);
    const uint32_t count = segment->used / (uint32_t)sizeof(*files);
    for (uint32_t n = 0; n < count; n++) {
        if (files[n].mode == 0) return (int32_t)n + 1;
    }
    if (count >= WEFT_UNIT_FILES_MAX) return WEFT_UNIT_FILE_TOO_MANY;
    const int32_t code = weft_segment_reserve(unit, WEFT_SEGMENT_FILES, sizeof(*files));
    if (code != 0) return code;
    struct weft_block *block = unit->block;
    struct weft_unit_file *added = weft_segment_base(block, WEFT_SEGMENT_FILES);
    added[count] = (struct weft_unit_file){0};
    block->segment[WEFT_SEGMENT_FILES].used += (uint32_t)sizeof(*files);
    return (int32_t)count + 1;
}

static int32_t number_table(struct weft_unit *unit)
{
    if (unit->files != NULL) return 0;
    unit->files = unit->memory.resize(unit->memory.self, NULL, 0, WEFT_UNIT_FILES_BYTES);
    if (unit->files == NULL) return WEFT_THROW_MEMORY;
    for (unsigned n = 0; n < WEFT_UNIT_FILES_MAX; n++)
        unit->files[n] = -1;
    return 0;
}

int32_t weft_unit_file_open(struct weft_unit *unit, uint64_t address, uint64_t length,
                            uint32_t mode)
{
    const struct weft_unit_machine *machine = unit->host->machine;
    if (length == 0 || length > WEFT_UNIT_FILE_NAME_MAX) return -38;
    int32_t code = number_table(unit);
    if (code != 0) return code;
    const int32_t fileid = free_entry(unit);
    if (fileid < 0) return fileid;
    const char *name = weft_address_read(unit, address, length);
    if (name == NULL) return -9;

    code = machine->file_open(unit->self, name, length, mode);
    if (code < 0) return code;
    unit->files[fileid - 1] = code;
    struct weft_unit_file *file =
        (struct weft_unit_file *)weft_segment_base(unit->block, WEFT_SEGMENT_FILES);
    file += fileid - 1;
    *file = (struct weft_unit_file){
        .mode = (uint8_t)(mode & (WEFT_UNIT_FILE_READ | WEFT_UNIT_FILE_WRITE)),
        .name_length = (uint8_t)length};
    memcpy(file->name, name, length);
    return fileid;
}

int32_t weft_unit_file_close(struct weft_unit *unit, weft_cell fileid)
{
    struct weft_unit_file *file = weft_unit_file_at(unit, fileid);
    if (file == NULL) return -37;
    file->mode = 0;
    if (unit->files == NULL || unit->files[fileid - 1] < 0) return 0;
    const int32_t number = unit->files[fileid - 1];
    unit->files[fileid - 1] = -1;
    return unit->host->machine->file_close(unit->self, number);
}

int32_t weft_unit_file_number(struct weft_unit *unit, weft_cell fileid)
{
    const struct weft_unit_machine *machine = unit->host->machine;
    const struct weft_unit_file *file = weft_unit_file_at(unit, fileid);
    if (machine == NULL || machine->file_open == NULL) return -21;
    if (file == NULL) return -37;
    const int32_t code = number_table(unit);
    if (code != 0) return code;
    int32_t *number = &unit->files[fileid - 1];
    if (*number >= 0) return *number;

    const int32_t opened =
        machine->file_open(unit->self, file->name, file->name_length, file->mode);
    if (opened >= 0) *number = opened;
    return opened;
}

int64_t weft_unit_file_read(struct weft_unit *unit, weft_cell fileid, void *to, size_t size)
{
    const int32_t number = weft_unit_file_number(unit, fileid);
    if (number < 0) return number;
    struct weft_unit_file *file = weft_unit_file_at(unit, fileid);
    if (!(file->mode & WEFT_UNIT_FILE_READ)) return -37;
    const int64_t bytes =
        unit->host->machine->file_read(unit->self, number, file->position, to, size);
    if (bytes > 0) file->position += (uint64_t)bytes;
    weft_charge(unit, bytes > 0 ? (uint64_t)bytes : 0);
    unit->budget--;
    return bytes;
}

void weft_unit_files_forget(struct weft_unit *unit)
{
    if (unit->files == NULL) return;
    for (unsigned n = 0; n < WEFT_UNIT_FILES_MAX; n++) {
        if (unit->files[n] < 0) continue;
        unit->host->machine->file_close(unit->self, unit->files[n]);
    }
    unit->memory.resize(unit->memory.self, unit->files, WEFT_UNIT_FILES_BYTES, 0);
    unit->files = NULL;
}

static char *source_text(const struct weft_unit *unit, const struct weft_source *source)
{
    return (char *)weft_segment_base(unit->block, WEFT_SEGMENT_TEXT) +
           (source->address - WEFT_ADDRESS_TEXT);
}

// Reads more of the file behind what the source's text holds. The line being read slides to its
// beginning: it stays when the file has no further one. `*start` follows. Bytes, 0 at the end of
// the file, a THROW code.
static int64_t read_more(struct weft_unit *unit, uint32_t *start)
{
    struct weft_source *source = weft_source_top(unit);
    char *text = source_text(unit, source);
    const uint32_t kept = source->line_start < *start ? source->line_start : *start;
    memmove(text, text + kept, source->length - kept);
    source->position += kept;
    source->length -= kept;
    source->line_start -= kept;
    *start -= kept;
    if (source->length - *start > LINE_BYTES_MAX) return -18;
    const uint64_t end = (uint64_t)(source->address - WEFT_ADDRESS_TEXT) + source->length;
    if (end + WEFT_CHUNK_BYTES > WEFT_ADDRESS_SCRATCH - WEFT_ADDRESS_TEXT) return WEFT_THROW_MEMORY;
    const int32_t code = weft_segment_grow(unit, WEFT_SEGMENT_TEXT, end + WEFT_CHUNK_BYTES);
    if (code != 0) return code;

    source = weft_source_top(unit);
    struct weft_unit_file *file = weft_unit_file_at(unit, source->id);
    file->position = source->position + source->length;
    const int64_t bytes = weft_unit_file_read(
        unit, source->id, source_text(unit, source) + source->length, WEFT_CHUNK_BYTES);
    if (bytes > 0) source->length += (uint32_t)bytes;
    unit->block->segment[WEFT_SEGMENT_TEXT].used =
        source->address - WEFT_ADDRESS_TEXT + source->length;
    return bytes;
}

int32_t weft_unit_file_refill(struct weft_unit *unit)
{
    struct weft_source *source = weft_source_top(unit);
    const struct weft_unit_file *file = weft_unit_file_at(unit, source->id);
    if (file == NULL) return -37;
    if (file->position < source->position || file->position - source->position > source->length) {
        source->position = file->position; // The program has been elsewhere.
        source->length = source->line_start = source->line_length = 0;
    }
    uint32_t start = (uint32_t)(file->position - source->position), length, next;
    const uint64_t begun = file->position;
    for (;;) {
        const char *text = source_text(unit, source) + start;
        const uint32_t left = source->length - start;
        const char *end = left > 0 ? memchr(text, '\n', left) : NULL;
        length = end != NULL ? (uint32_t)(end - text) : left;
        next = end != NULL ? length + 1 : length;
        if (end != NULL) break;
        const int64_t more = read_more(unit, &start);
        source = weft_source_top(unit);
        if (more == 0 && source->length > start) break; // The last line, which nothing ends.
        if (more > 0) continue;
        weft_unit_file_at(unit, source->id)->position = begun;
        return more == WEFT_UNIT_FILE_LATER ? WEFT_PARK : (int32_t)more;
    }
    weft_unit_file_at(unit, source->id)->position = source->position + start + next;
    source->line++;
    weft_source_line(unit, start, length);
    return 1;
}
