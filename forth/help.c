#include "forth/help.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "forth/ops.h"

static const struct {
    const char *name, *effect, *text;
} entries[] = {
#include "forth/help.inc"
};

static bool is(const char *name, const char *word, size_t length)
{
    return strlen(name) == length && strncasecmp(name, word, length) == 0;
}

// Of a word that only the table of operations tells of: how many cells it takes and leaves.
static int help_operation(const struct weft_op_info *op, char *to, size_t size)
{
    if (op->out == WEFT_VAR)
        return snprintf(to, size, "%s: takes %d, leaves what depends\n", op->name, op->in);
    return snprintf(to, size, "%s: takes %d, leaves %d\n", op->name, op->in, op->out);
}

size_t weft_forth_help(const char *word, size_t length, char *to, size_t size)
{
    int written = 0;
    for (size_t n = 0; n < sizeof(entries) / sizeof(entries[0]) && written == 0; n++) {
        if (!is(entries[n].name, word, length)) continue;
        written = snprintf(to, size, "%s %s%s%s\n", entries[n].name, entries[n].effect,
                           entries[n].text[0] != '\0' ? "  " : "", entries[n].text);
    }
    for (unsigned op = 0; op < WEFT_OP_COUNT && written == 0; op++) {
        if (length > 0 && is(weft_op_info[op].name, word, length))
            written = help_operation(&weft_op_info[op], to, size);
    }
    if (written < 0) return 0;
    return (size_t)written < size ? (size_t)written : size - 1;
}
