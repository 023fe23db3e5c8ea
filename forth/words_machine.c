// words_machine.c: the words that reach the machine of a program's user, besides its files.
#include <stdio.h>
#include <string.h>

#include "forth/dictionary.h"
#include "forth/inner.h"
#include "forth/ops.h"
#include "forth/outer.h"

// ARG ( u -- c-addr u ): a word of the command line, 0 being the program's name; 0 0 behind the
// last. Valid until the next ARG or SANDBOX.
int32_t weft_op_arg(struct weft_unit *unit)
{
    const struct weft_unit_machine *machine = unit->host->machine;
    if (machine == NULL || machine->argument == NULL) return -21;
    const char *word = machine->argument(unit->self, (uint64_t)*weft_top(unit->block));
    const size_t length = word == NULL ? 0 : strnlen(word, UINT16_MAX);
    const int32_t code = weft_segment_grow(unit, WEFT_SEGMENT_RESULT, length);
    if (code != 0) return code;

    struct weft_block *block = unit->block;
    block->segment[WEFT_SEGMENT_RESULT].used = (uint32_t)length;
    if (length > 0) memcpy(weft_segment_base(block, WEFT_SEGMENT_RESULT), word, length);
    *weft_top(block) = word == NULL ? 0 : WEFT_ADDRESS_RESULT;
    weft_push(block, (weft_cell)length);
    weft_charge(unit, length);
    return WEFT_NEXT;
}

// ( n -- ): what the program will end with.
int32_t weft_op_exit_status(struct weft_unit *unit)
{
    const struct weft_unit_machine *machine = unit->host->machine;
    if (machine == NULL || machine->exit_status == NULL) return -21;
    machine->exit_status(unit->self, weft_pop(unit->block));
    return WEFT_NEXT;
}

// The name under which the reference has a word, into `to` if its word list is one that has names
// of its own there: "EDITOR I". Its length.
static size_t reference_name(const struct weft_unit *unit, uint32_t index, const char **name,
                             size_t length, char to[WEFT_NAME_BYTES_MAX + 16])
{
    const uint8_t list = weft_word_at(unit, index)->list;
    if (list != WEFT_LIST_ASSEMBLER && list != WEFT_LIST_EDITOR) return length;
    const int bytes =
        snprintf(to, WEFT_NAME_BYTES_MAX + 16, "%s %.*s",
                 list == WEFT_LIST_EDITOR ? "EDITOR" : "ASSEMBLER", (int)length, *name);
    *name = to;
    return (size_t)bytes;
}

// HELP ( "name" -- ): prints what the documentation says of a word; without a name, of itself.
int32_t weft_op_help(struct weft_unit *unit)
{
    static const char none[] = "no documentation; SEE shows what it is\n";
    const struct weft_unit_machine *machine = unit->host->machine;
    uint32_t address, length;
    if (machine == NULL || machine->help == NULL) return -21;
    const int32_t code = weft_parse_name(unit, &address, &length);
    if (code != WEFT_NEXT) return code;
    const char *name = length == 0 ? "HELP" : weft_address_read(unit, address, length);
    if (length == 0) length = 4;
    const uint32_t index = weft_find(unit, name, length);
    if (index == WEFT_WORD_NONE) return -13;
    // An own word may have a name that means something else among those that all share.
    const bool own = index >= weft_shared_words(unit);
    char qualified[WEFT_NAME_BYTES_MAX + 16];
    const size_t bytes = reference_name(unit, index, &name, length, qualified);
    const char *text = own ? NULL : machine->help(unit->self, name, bytes);
    weft_output(unit, text != NULL ? text : none, text != NULL ? strlen(text) : sizeof(none) - 1);
    return WEFT_NEXT;
}
