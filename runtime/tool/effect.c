// weft forth infer, weft forth verify: what a text does to the stack, told without running it.
//
// Definitions in the text are interpreted, in a unit without a host and with a bound on its
// reductions; what stands behind the last of them is compiled as the body of a word without a name.
// So positions in errors are those of the text as it was given.
#include "forth/effect.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "forth/unit.h"
#include "runtime/tool/handlers.h"
#include "runtime/tool/output.h"

enum { REDUCTIONS_MAX = 10000000, NO_BODY = -1 };

struct reading {
    struct weft_forth_system *system;
    struct weft_unit *unit;
    int64_t body;    // Own index of the word made of what stands behind the definitions.
    char error[640]; // Why the text cannot be read; empty if it can.
};

static bool reading_open(struct reading *reading)
{
    *reading = (struct reading){.body = NO_BODY};
    struct weft_unit_options options = weft_unit_options_default;
    options.memory_bytes_max = 16 << 20;
    return weft_forth_system_create(&weft_forth_memory_libc, &reading->system) == 0 &&
           weft_unit_create(reading->system, &weft_forth_memory_libc, &options, NULL,
                            &reading->unit) == 0;
}

static void reading_close(struct reading *reading)
{
    weft_unit_free(reading->unit);
    weft_forth_system_free(reading->system);
}

static bool interpret(struct reading *reading, const char *text, size_t length)
{
    uint32_t reductions = REDUCTIONS_MAX;
    enum weft_unit_state state = WEFT_UNIT_AGAIN;
    if (weft_unit_interpret(reading->unit, "text", text, length) != 0) {
        snprintf(reading->error, sizeof(reading->error), "error: the text is too long\n");
        return false;
    }
    while (state == WEFT_UNIT_AGAIN && reductions > 0)
        state = weft_unit_run(reading->unit, &reductions);
    if (state == WEFT_UNIT_FAULT) {
        weft_unit_error_render(weft_unit_error(reading->unit), reading->error,
                               sizeof(reading->error));
    } else if (state != WEFT_UNIT_DONE) {
        snprintf(reading->error, sizeof(reading->error),
                 "error: the text's definitions do not end by themselves\n");
    }
    return state == WEFT_UNIT_DONE;
}

// Where the last definition of the text ends, an IMMEDIATE behind it included; 0 if it has none.
static size_t definitions_end(const char *text)
{
    static const char blanks[] = " \t\r\n";
    size_t end = 0;
    bool closed = false;
    for (size_t at = strspn(text, blanks); text[at] != '\0'; at += strspn(text + at, blanks)) {
        const size_t length = strcspn(text + at, blanks);
        closed = (length == 1 && text[at] == ';') ||
                 (length == 8 && strncasecmp(text + at, "END-CODE", 8) == 0) ||
                 (closed && length == 9 && strncasecmp(text + at, "IMMEDIATE", 9) == 0);
        at += length;
        if (closed) end = at;
    }
    return end;
}

static uint32_t word_count(const struct reading *reading)
{
    struct weft_unit_info info;
    weft_unit_inspect(reading->unit, &info);
    return info.words;
}

static bool read_text(struct reading *reading, const char *text)
{
    const size_t end = definitions_end(text);
    if (end > 0 && !interpret(reading, text, end)) return false;
    if (end > 0 && text[end + strspn(text + end, " \t\r\n")] == '\0') return true;

    // The definitions become blanks, so that what follows stands where it stood.
    char *body = strdup(text);
    if (body == NULL) return false;
    for (size_t n = 0; n < end; n++)
        body[n] = body[n] == '\n' ? '\n' : ' ';
    reading->body = word_count(reading);
    const bool read = interpret(reading, ":noname", 7) && interpret(reading, body, strlen(body)) &&
                      interpret(reading, ";", 1);
    free(body);
    return read;
}

static const char *verdict_text(enum weft_effect_verdict verdict)
{
    return verdict == WEFT_EFFECT_HOLDS     ? "holds"
           : verdict == WEFT_EFFECT_DIFFERS ? "differs"
                                            : "cannot be told";
}

static json_t *effect_json(const struct weft_effect_word *word, const struct weft_effect *effect)
{
    char text[256];
    weft_effect_text(effect, text, sizeof(text));
    const bool known = effect->kind == WEFT_EFFECT_KNOWN;
    json_t *outs = json_array();
    for (unsigned n = 0; n < effect->count; n++)
        json_array_append_new(outs, json_integer(effect->need + effect->net[n]));
    if (effect->kind == WEFT_EFFECT_UNKNOWN) json_array_clear(outs);
    json_t *item =
        json_pack("{s:o, s:s, s:b, s:o, s:o, s:o, s:o, s:o}", "word",
                  word->name[0] != '\0' ? json_string(word->name) : json_null(), "effect", text,
                  "known", (int)(effect->kind != WEFT_EFFECT_UNKNOWN), "in",
                  known ? json_integer(effect->need) : json_null(), "out", outs, "return_cells",
                  known ? json_integer(effect->return_cells) : json_null(), "grow",
                  known ? json_integer(effect->grow) : json_null(), "reason",
                  effect->reason[0] != '\0' ? json_string(effect->reason) : json_null());
    return item;
}

static json_t *word_json(const struct reading *reading, const struct weft_effect_word *word)
{
    struct weft_effect effect;
    struct weft_effect_claim claim;
    weft_effect_infer(reading->unit, word->index, &effect);
    json_t *item = effect_json(word, &effect);
    const bool claims = weft_effect_parse(word->comment, strlen(word->comment), &claim);
    json_object_set_new(item, "comment", claims ? json_string(word->comment) : json_null());
    json_object_set_new(item, "agrees",
                        claims ? json_string(verdict_text(weft_effect_compare(&claim, &effect)))
                               : json_null());
    return item;
}

// The body, and each colon definition with a name.
static json_t *effects_json(const struct reading *reading)
{
    struct weft_effect_word word;
    json_t *items = json_array();
    for (uint32_t n = 0; weft_effect_word(reading->unit, n, &word); n++) {
        if ((word.colon && word.name[0] != '\0') || n == reading->body)
            json_array_append_new(items, word_json(reading, &word));
    }
    return items;
}

// Says why the text cannot be read, and for machines in the document too.
static int refuse(const struct weft_tool *tool, const struct reading *reading)
{
    const char *why = reading->error[0] != '\0' ? reading->error : "error: no memory\n";
    fputs(why, tool->err);
    if (tool->format != WEFT_FORMAT_TABLE) {
        json_t *document =
            json_pack("{s:s, s:s#}", "apiVersion", "v1", "error", why, (int)strcspn(why, "\n"));
        weft_output_json(tool, document);
        json_decref(document);
    }
    return reading->error[0] != '\0' ? WEFT_EXIT_INPUT : WEFT_EXIT_INTERNAL;
}

static void show_effects(const struct weft_tool *tool, const struct reading *reading)
{
    static const struct weft_column columns[] = {
        {"WORD", "word", WEFT_COLUMN_TEXT},       {"EFFECT", "effect", WEFT_COLUMN_TEXT},
        {"NEEDS", "in", WEFT_COLUMN_COUNT},       {"RETURN", "return_cells", WEFT_COLUMN_COUNT},
        {"COMMENT", "comment", WEFT_COLUMN_TEXT}, {"AGREES", "agrees", WEFT_COLUMN_TEXT},
        {"REASON", "reason", WEFT_COLUMN_TEXT},   {.title = NULL},
    };
    json_t *items = effects_json(reading);
    json_t *document = json_pack("{s:s, s:o}", "apiVersion", "v1", "items", items);
    const json_t *first = json_array_get(items, 0);
    if (tool->format == WEFT_FORMAT_TABLE && json_array_size(items) == 1 &&
        json_is_null(json_object_get(first, "word"))) {
        const json_t *reason = json_object_get(first, "reason");
        fprintf(tool->out, "%s%s%s\n", json_string_value(json_object_get(first, "effect")),
                json_is_string(reason) ? ": " : "",
                json_is_string(reason) ? json_string_value(reason) : "");
    } else {
        weft_output_list(tool, document, columns);
    }
    json_decref(document);
}

// A TEXT may begin with `-`: then it stands behind `--`.
static const char *argument(const struct weft_tool_call *call, size_t n)
{
    if (n < call->arg_count) return call->args[n];
    n -= call->arg_count;
    return n < (size_t)call->rest_count ? call->rest[n] : NULL;
}

static bool arguments_are(const struct weft_tool_call *call, size_t count)
{
    return call->arg_count + (size_t)call->rest_count == count;
}

int weft_run_forth_infer(struct weft_tool_call *call)
{
    struct reading reading;
    if (!arguments_are(call, 1)) return weft_tool_usage(call, "one TEXT");
    int code = WEFT_EXIT_DONE;
    if (reading_open(&reading) && read_text(&reading, argument(call, 0))) {
        show_effects(call->tool, &reading);
    } else {
        code = refuse(call->tool, &reading);
    }
    reading_close(&reading);
    return code;
}

// What verify looks at: the body, or else the definition made last.
static bool find_subject(const struct reading *reading, struct weft_effect_word *subject)
{
    struct weft_effect_word word;
    bool found = false;
    for (uint32_t n = 0; weft_effect_word(reading->unit, n, &word); n++) {
        if (reading->body == NO_BODY ? !word.colon || word.name[0] == '\0' : n != reading->body)
            continue;
        *subject = word;
        found = true;
    }
    return found;
}

static int show_verdict(const struct weft_tool *tool, const struct weft_effect_word *word,
                        const struct weft_effect *effect, const char *expected,
                        enum weft_effect_verdict verdict)
{
    char does[256];
    weft_effect_text(effect, does, sizeof(does));
    if (tool->format != WEFT_FORMAT_TABLE) {
        json_t *document = effect_json(word, effect);
        json_object_set_new(document, "apiVersion", json_string("v1"));
        json_object_set_new(document, "expected", json_string(expected));
        json_object_set_new(document, "verdict", json_string(verdict_text(verdict)));
        weft_output_json(tool, document);
        json_decref(document);
    } else if (verdict == WEFT_EFFECT_OPEN) {
        fprintf(tool->out, "cannot be told: %s\n",
                effect->reason[0] != '\0' ? effect->reason : "it depends on data");
    } else {
        fprintf(tool->out, "%s: it does %s\n", verdict_text(verdict), does);
    }
    return verdict == WEFT_EFFECT_HOLDS ? WEFT_EXIT_DONE : WEFT_EXIT_NO;
}

int weft_run_forth_verify(struct weft_tool_call *call)
{
    struct reading reading;
    struct weft_effect_claim claim;
    struct weft_effect_word word;
    struct weft_effect effect;
    if (!arguments_are(call, 2)) return weft_tool_usage(call, "a TEXT and an EFFECT");
    const char *expected = argument(call, 1);
    if (!weft_effect_parse(expected, strlen(expected), &claim))
        return weft_tool_usage(call, "%s: an EFFECT is like \"( n -- n )\"", expected);
    int code;
    if (!reading_open(&reading) || !read_text(&reading, argument(call, 0))) {
        code = refuse(call->tool, &reading);
    } else if (!find_subject(&reading, &word)) {
        code = weft_tool_usage(call, "the text defines no word");
    } else {
        weft_effect_infer(reading.unit, word.index, &effect);
        code = show_verdict(call->tool, &word, &effect, expected,
                            weft_effect_compare(&claim, &effect));
    }
    reading_close(&reading);
    return code;
}
