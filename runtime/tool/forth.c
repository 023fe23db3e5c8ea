// `weft forth`: the Forth alone, with lines to edit and the runner of binaries.
#include <stdlib.h>
#include <string.h>

#include "forth/play.h"
#include "forth/standalone.h"
#include "runtime/tool/handlers.h"
#include "runtime/tool/lines.h"

#include "forth/runner.inc"

static void *lines_open(const char *(*word)(void *self, size_t index), void *self)
{
    const struct weft_lines_options options = {.history = "forth_history",
                                               .word = word,
                                               .self = self,
                                               .interrupted = weft_play_catch_interrupt()};
    return weft_lines_open(&options);
}

static const char *lines_next(void *lines, const char *prompt, bool *interrupted)
{
    return weft_lines_next(lines, prompt, interrupted);
}

static void lines_close(void *lines)
{
    weft_lines_close(lines);
}

int weft_run_forth(struct weft_tool_call *call)
{
    static const struct weft_forth_tools tools = {
        .lines_open = lines_open,
        .lines_next = lines_next,
        .lines_close = lines_close,
        .runner = runner,
        .runner_bytes = sizeof(runner),
        .concurrency_bytes = CONCURRENCY_BYTES,
    };
    char **words = calloc((size_t)call->rest_count + 2, sizeof(*words));

    if (words == NULL) return WEFT_EXIT_INTERNAL;
    words[0] = (char *)(uintptr_t) "weft forth";
    memcpy(words + 1, call->rest, (size_t)call->rest_count * sizeof(*words));
    const int code = weft_forth_standalone(call->rest_count + 1, words, &tools);
    free(words);
    return code;
}
