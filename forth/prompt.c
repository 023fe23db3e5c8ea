#include "forth/prompt.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forth/keyboard.h"
#include "forth/play.h"

enum { EXIT_INTERNAL = 70 };

struct prompt {
    struct weft_unit *unit;
    struct weft_machine *machine;
    const struct weft_forth_tools *tools;
    void *lines;     // An edited terminal; NULL: plain lines.
    bool person;     // Somebody reads what we answer.
    uint32_t number; // Of the line read last.
    char *line;      // Of malloc.
    size_t line_size;
    char name[256]; // A word for completion.
};

static const char *word_at(void *self, size_t index)
{
    struct prompt *prompt = self;
    return weft_unit_word(prompt->unit, index, prompt->name, sizeof(prompt->name)) ? prompt->name
                                                                                   : NULL;
}

// The next line and its length; NULL at the end, or after ^C (*interrupted).
static const char *next_line(struct prompt *prompt, const char *text, size_t *length,
                             bool *interrupted)
{
    *interrupted = false;
    fflush(stdout);
    const char *line = NULL;
    if (prompt->lines != NULL) {
        line = prompt->tools->lines_next(prompt->lines, text, interrupted);
        *length = line != NULL ? strlen(line) : 0;
    } else {
        const int64_t bytes =
            weft_keyboard_whole_line(prompt->machine, &prompt->line, &prompt->line_size);
        *interrupted = bytes == -1;
        if (bytes >= 0) line = prompt->line;
        *length = bytes >= 0 ? (size_t)bytes : 0;
    }
    if (line != NULL) prompt->number++;
    return line;
}

// REFILL: the program itself asks for a further line.
static int64_t refill(void *self, void *to, size_t size)
{
    struct prompt *prompt = self;
    size_t length;
    bool interrupted;
    const char *line = next_line(prompt, "| ", &length, &interrupted);
    if (line == NULL) return interrupted ? -1 : -2;
    if (length > 0 && line[length - 1] == '\n') length--;
    if (length > size) length = size;
    memcpy(to, line, length);
    return (int64_t)length;
}

// " ok", with the depth of the stack if something is on it; " compiled" within a definition.
static void answer_ok(const struct weft_unit *unit)
{
    struct weft_unit_info info;
    weft_unit_inspect(unit, &info);
    if (info.compiling) {
        puts(" compiled");
    } else if (info.depth > 0) {
        printf(" ok <%u>\n", info.depth);
    } else {
        puts(" ok");
    }
}

// The exit status of one line; *bye if that was it.
static int play_line(struct prompt *prompt, const char *line, size_t length, bool *bye)
{
    const uint32_t first = prompt->person ? 1 : prompt->number; // At the prompt each is the first.
    if (weft_unit_interpret_at(prompt->unit, "stdin", first, line, length) != 0) {
        fputs("stdin: the text does not fit into the memory quota\n", stderr);
        return EXIT_INTERNAL;
    }
    const enum weft_unit_state state = weft_play(prompt->unit, prompt->machine);
    *bye = state == WEFT_UNIT_BYE;
    if (state == WEFT_UNIT_FAULT)
        return weft_play_report(weft_unit_error(prompt->unit), prompt->machine);
    if (state == WEFT_UNIT_DONE && prompt->person) answer_ok(prompt->unit);
    return 0;
}

static int play_lines(struct prompt *prompt, bool *bye)
{
    int status = 0;
    while (!*bye) {
        struct weft_unit_info info;
        size_t length;
        bool interrupted;
        weft_unit_inspect(prompt->unit, &info);
        const char *line = next_line(prompt, info.compiling ? "| " : "> ", &length, &interrupted);
        weft_play_clear_interrupt();
        if (line == NULL && interrupted && prompt->person) continue;
        if (line == NULL) {
            if (prompt->person) putchar('\n'); // Behind the prompt.
            break;
        }
        status = play_line(prompt, line, length, bye);
        weft_play_clear_interrupt();
        if (status != 0 && !prompt->person) break;
    }
    return prompt->person ? 0 : status;
}

int weft_forth_prompt(struct weft_unit *unit, struct weft_machine *machine,
                      const struct weft_forth_tools *tools, bool *bye)
{
    struct prompt prompt = {.unit = unit, .machine = machine, .tools = tools};
    prompt.person = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    if (prompt.person && tools != NULL && tools->lines_open != NULL)
        prompt.lines = tools->lines_open(word_at, &prompt);
    machine->refill = refill;
    machine->refill_self = &prompt;
    const int status = play_lines(&prompt, bye);
    machine->refill = NULL;
    if (prompt.lines != NULL) tools->lines_close(prompt.lines);
    free(prompt.line);
    return status;
}
