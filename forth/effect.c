// effect.c: what a stack comment says, and whether code agrees.
#include "forth/effect.h"

#include <stdio.h>
#include <string.h>

enum { ITEMS_MAX = 60 };

struct token {
    const char *at;
    size_t length;
};

static bool blank(char c)
{
    return (unsigned char)c <= ' ';
}

static bool next_token(const char **at, const char *end, struct token *token)
{
    while (*at < end && blank(**at))
        ++*at;
    token->at = *at;
    while (*at < end && !blank(**at))
        ++*at;
    token->length = (size_t)(*at - token->at);
    return token->length > 0;
}

static bool is(struct token token, const char *text)
{
    return strlen(text) == token.length && memcmp(token.at, text, token.length) == 0;
}

static bool is_dashes(struct token token)
{
    return is(token, "--") || is(token, "---");
}

// `i*x`, `xn ... x1`, `x1...xn`: how many, only the data knows.
static bool is_open(struct token token)
{
    static const char *const names[] = {"colon-sys", "do-sys",   "orig",     "dest",      "of-sys",
                                        "case-sys",  "nest-sys", "loop-sys", "struct-sys"};
    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        if (is(token, names[n])) return true;
    }
    if (token.length > 2 && memchr(token.at, '*', token.length) != NULL) return true;
    return memmem(token.at, token.length, "..", 2) != NULL ||
           memmem(token.at, token.length, "\xe2\x80\xa6", 3) != NULL; // An ellipsis.
}

// The cells of a name as Forth 2012, table 3.1 has them: d and ud are two, r is none.
static unsigned standard_cells(struct token token)
{
    if (token.length > 1 && (*token.at == '+' || *token.at == '-')) {
        token.at++;
        token.length--;
    }
    while (token.length > 0 &&
           ((token.at[token.length - 1] >= '0' && token.at[token.length - 1] <= '9') ||
            token.at[token.length - 1] == '\''))
        token.length--;
    if (is(token, "d") || is(token, "ud") || is(token, "xd")) return 2;
    return is(token, "r") ? 0 : 1;
}

// One side of a claim, in both readings.
struct side {
    unsigned standard, single;
};

struct reader {
    struct weft_effect_claim *claim;
    struct side in, out;
    bool after; // Behind the dashes.
    struct weft_effect_way single[WEFT_EFFECT_WAYS_MAX];
    uint8_t singles;
};

static void add(struct weft_effect_way *ways, uint8_t *count, unsigned in, unsigned out)
{
    if (*count < WEFT_EFFECT_WAYS_MAX && in <= ITEMS_MAX && out <= ITEMS_MAX)
        ways[(*count)++] = (struct weft_effect_way){(uint8_t)in, (uint8_t)out};
}

static void end_alternative(struct reader *reader)
{
    add(reader->claim->way, &reader->claim->count, reader->in.standard, reader->out.standard);
    if (reader->in.single != reader->in.standard || reader->out.single != reader->out.standard)
        add(reader->single, &reader->singles, reader->in.single, reader->out.single);
    reader->out = (struct side){0};
}

static void take_item(struct reader *reader, struct token token)
{
    if (is_open(token)) {
        reader->claim->open = true;
        return;
    }
    struct side *side = reader->after ? &reader->out : &reader->in;
    side->standard += standard_cells(token);
    side->single++;
}

// `true|false` in one word: alternatives of one cell.
static bool glued(struct token token)
{
    return token.length > 2 && memchr(token.at + 1, '|', token.length - 2) != NULL;
}

// A parsed name goes up to its closing quote, which may be in a later word.
static void skip_quoted(struct token token, const char **at, const char *end)
{
    bool open = *token.at == '"' && (token.length == 1 || token.at[token.length - 1] != '"');
    while (open && next_token(at, end, &token))
        open = token.at[token.length - 1] != '"';
}

// One comment's inside. False if it is no effect of the data stack.
static bool read_comment(const char *at, const char *end, struct weft_effect_claim *claim)
{
    struct reader reader = {.claim = claim};
    struct token token;
    bool first = true;
    while (next_token(&at, end, &token)) {
        const bool names_stack = token.length == 2 && token.at[1] == ':';
        if (first && names_stack && *token.at != 'S') return false; // R:, C:, F:
        first = false;
        if (names_stack && *token.at != 'S') break; // ( x -- y R: -- z )
        if (names_stack) continue;
        if (*token.at == '"' || (*token.at == '<' && token.at[token.length - 1] == '>')) {
            skip_quoted(token, &at, end);
            continue;
        }
        if (is_dashes(token)) {
            // Behind a `|` another whole effect may stand: what was read was its beginning.
            if (reader.after) reader.in = reader.out;
            reader.out = (struct side){0};
            reader.after = true;
        } else if (is(token, "|") || is(token, "||")) {
            if (!reader.after) return false; // Locals that are not arguments.
            end_alternative(&reader);
        } else if (!glued(token) || reader.after) {
            take_item(&reader, token);
        } else {
            claim->open = true;
        }
    }
    if (!reader.after) return false;
    end_alternative(&reader);
    for (uint8_t n = 0; n < reader.singles; n++)
        add(claim->way, &claim->count, reader.single[n].in, reader.single[n].out);
    return true;
}

// {: a b | c -- d :} : arguments up to the bar, results behind the dashes.
static bool read_locals(const char *at, const char *end, struct weft_effect_claim *claim)
{
    struct token token;
    unsigned in = 0, out = 0;
    bool bar = false, after = false;
    while (next_token(&at, end, &token) && !is(token, ":}")) {
        if (is_dashes(token)) {
            after = true;
        } else if (is(token, "|")) {
            bar = true;
        } else if (after) {
            out++;
        } else if (!bar) {
            in++;
        }
    }
    if (!after) return false;
    add(claim->way, &claim->count, in, out);
    return true;
}

bool weft_effect_parse(const char *text, size_t length, struct weft_effect_claim *claim)
{
    const char *at = text, *end = text + length;
    struct token token;
    while (next_token(&at, end, &token)) {
        *claim = (struct weft_effect_claim){.from = (uint16_t)(token.at - text)};
        if (is(token, "{:")) return read_locals(at, end, claim);
        if (!is(token, "(")) return false;
        const char *close = memchr(at, ')', (size_t)(end - at));
        if (close == NULL) close = end;
        if (read_comment(at, close, claim)) return true;
        at = close < end ? close + 1 : end;
    }
    return false;
}

static bool way_agrees(struct weft_effect_way way, const struct weft_effect *effect, int net)
{
    return way.in >= effect->need_sure && way.out - way.in == net;
}

enum weft_effect_verdict weft_effect_compare(const struct weft_effect_claim *claim,
                                             const struct weft_effect *effect)
{
    if (effect->kind == WEFT_EFFECT_ENDLESS) return WEFT_EFFECT_HOLDS;
    if (claim->open || effect->kind == WEFT_EFFECT_UNKNOWN) return WEFT_EFFECT_OPEN;
    unsigned agreed = 0;
    for (uint8_t n = 0; n < effect->count; n++) {
        bool found = false;
        for (uint8_t w = 0; w < claim->count && !found; w++)
            found = way_agrees(claim->way[w], effect, effect->net[n]);
        agreed += found;
    }
    if (agreed == 0) return WEFT_EFFECT_DIFFERS;
    return agreed == effect->count ? WEFT_EFFECT_HOLDS : WEFT_EFFECT_OPEN;
}

static size_t say_cells(char *to, size_t size, unsigned cells)
{
    size_t length = 0;
    if (cells > 8) return (size_t)snprintf(to, size, " %u*x", cells);
    for (unsigned n = 0; n < cells && length + 3 < size; n++) {
        memcpy(to + length, " x", 3);
        length += 2;
    }
    return length;
}

size_t weft_effect_text(const struct weft_effect *effect, char *to, size_t size)
{
    if (effect->kind == WEFT_EFFECT_UNKNOWN) return (size_t)snprintf(to, size, "cannot be told");
    char text[256] = "(";
    size_t length = 1 + say_cells(text + 1, 40, effect->need);
    length += (size_t)snprintf(text + length, 4, " --");
    if (effect->kind == WEFT_EFFECT_ENDLESS)
        length += (size_t)snprintf(text + length, 16, " never returns");
    for (uint8_t n = 0; n < effect->count && length < 200; n++) {
        if (n > 0) length += (size_t)snprintf(text + length, 4, " |");
        length += say_cells(text + length, 40, (unsigned)(effect->need + effect->net[n]));
    }
    snprintf(text + length, 4, " )");
    const int written = snprintf(to, size, "%s", text);
    return (size_t)written < size ? (size_t)written : size - 1;
}
