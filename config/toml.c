#include <errno.h>
#include <stdlib.h>

#include "config/toml_parser.h"

static bool skip_comment(struct parser *p)
{
    if (p->at == p->end || *p->at != '#') return true;
    while (p->at < p->end && !at_newline(p)) {
        if (is_control(*p->at)) return fail(p, "a control character in a comment");
        p->at++;
    }
    return true;
}

static bool skip_lines(struct parser *p) // Blanks, comments and line ends, inside an array.
{
    for (;;) {
        skip_blanks(p);
        if (!skip_comment(p)) return false;
        if (p->at == p->end || !at_newline(p)) return true;
        take_newline(p);
    }
}

static struct weft_toml_node **bucket_of(struct parser *p, const struct weft_toml_node *table,
                                         const char *key, size_t length)
{
    uint32_t hash = 2166136261u ^ (table->index * 2654435761u); // FNV-1a.
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)key[i]) * 16777619u;
    }
    return &p->buckets[(hash ^ hash >> 15) % HASH_BUCKETS];
}

static struct weft_toml_node *find(struct parser *p, const struct weft_toml_node *table,
                                   const char *key, size_t length)
{
    struct weft_toml_node *node = *bucket_of(p, table, key, length);
    while (node && !(node->parent == table && node->key_length == length &&
                     memcmp(node->key, key, length) == 0)) {
        node = node->hash_next;
    }
    return node;
}

struct key {
    const char *text;
    size_t length;
    struct weft_toml_place at;
    uint32_t chars;
};

static struct weft_toml_node *add(struct parser *p, struct weft_toml_node *parent,
                                  const struct key *key, enum weft_toml_type type)
{
    if (p->node_count == WEFT_TOML_NODES_MAX) {
        fail(p, "more than %d values", WEFT_TOML_NODES_MAX);
        p->give_up = true;
        return NULL;
    }
    if (parent && parent->depth >= WEFT_TOML_DEPTH_MAX) {
        fail(p, "nested deeper than %d", WEFT_TOML_DEPTH_MAX);
        return NULL;
    }
    struct weft_toml_node *node = weft_config_pool_alloc(p->pool, sizeof(*node));
    if (!node) {
        p->out_of_memory = p->give_up = true;
        return NULL;
    }
    node->type = type;
    node->index = p->node_count++;
    node->key = key ? key->text : "";
    node->key_length = key ? key->length : 0;
    node->at = node->key_at = key ? key->at : place(p);
    node->chars = node->key_chars = key ? key->chars : 1;
    node->text = "";
    if (!parent) return node;
    node->depth = parent->depth + 1;
    node->parent = parent;
    if (parent->last) parent->last->next = node;
    if (!parent->first) parent->first = node;
    parent->last = node;
    parent->count++;
    if (key) {
        struct weft_toml_node **bucket = bucket_of(p, parent, key->text, key->length);
        node->hash_next = *bucket;
        *bucket = node;
    }
    return node;
}

static bool is_bare(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

static bool read_key(struct parser *p, struct key *key)
{
    skip_blanks(p);
    key->at = place(p);
    const char c = peek(p, 0);
    if (c == '"' || c == '\'') {
        if (!weft_toml_read_string(p, &key->text, &key->length, false)) return false;
    } else {
        const char *start = p->at;
        while (p->at < p->end && is_bare(*p->at)) {
            p->at++;
        }
        key->length = (size_t)(p->at - start);
        if (key->length == 0) return fail(p, "a key is missing here");
        key->text = weft_config_pool_copy(p->pool, start, key->length);
        if (!key->text) return p->out_of_memory = p->give_up = true, false;
    }
    key->chars = place(p).column - key->at.column;
    skip_blanks(p);
    return true;
}

// One step of a header's path. Arrays of tables stand for their last element.
static struct weft_toml_node *step_header(struct parser *p, struct weft_toml_node *table,
                                          const struct key *key)
{
    struct weft_toml_node *next = find(p, table, key->text, key->length);
    if (!next) return add(p, table, key, WEFT_TOML_TABLE);
    if (next->type == WEFT_TOML_ARRAY && next->origin == TABLES) return next->last;
    if (next->type == WEFT_TOML_TABLE && next->origin != CLOSED) return next;
    weft_toml_fail_at(p, key->at, "`%s` is not a table that can be added to", key->text);
    return NULL;
}

static struct weft_toml_node *open_table(struct parser *p, struct weft_toml_node *table,
                                         const struct key *key)
{
    struct weft_toml_node *next = find(p, table, key->text, key->length);
    if (!next)
        next = add(p, table, key, WEFT_TOML_TABLE);
    else if (next->type != WEFT_TOML_TABLE || next->origin != IMPLICIT) {
        weft_toml_fail_at(p, key->at, "`%s` is defined twice, first in line %u", key->text,
                          next->key_at.line);
        return NULL;
    }
    if (!next) return NULL;
    next->origin = HEADER;
    next->at = next->key_at = key->at;
    return next;
}

static struct weft_toml_node *open_element(struct parser *p, struct weft_toml_node *table,
                                           const struct key *key)
{
    struct weft_toml_node *array = find(p, table, key->text, key->length);
    if (!array) {
        array = add(p, table, key, WEFT_TOML_ARRAY);
        if (array) array->origin = TABLES;
    } else if (array->type != WEFT_TOML_ARRAY || array->origin != TABLES) {
        weft_toml_fail_at(p, key->at, "`%s` is defined in line %u, and not as [[%s]]", key->text,
                          array->key_at.line, key->text);
        return NULL;
    }
    struct weft_toml_node *element = array ? add(p, array, NULL, WEFT_TOML_TABLE) : NULL;
    if (!element) return NULL;
    element->origin = HEADER;
    element->at = element->key_at = key->at;
    element->chars = element->key_chars = key->chars;
    return element;
}

static struct weft_toml_node *read_header(struct parser *p)
{
    const bool is_array = peek(p, 1) == '[';
    struct weft_toml_node *table = p->toml->root;
    struct key key;
    p->at += is_array ? 2 : 1;
    for (;;) {
        if (!read_key(p, &key)) return NULL;
        if (peek(p, 0) != '.') break;
        p->at++;
        table = step_header(p, table, &key);
        if (!table) return NULL;
    }
    if (!looks_at(p, is_array ? "]]" : "]")) {
        fail(p, "a table's name ends with %s", is_array ? "]]" : "]");
        return NULL;
    }
    p->at += is_array ? 2 : 1;
    return is_array ? open_element(p, table, &key) : open_table(p, table, &key);
}

static bool read_value(struct parser *p, struct weft_toml_node *node);

static bool read_pair(struct parser *p, struct weft_toml_node *table)
{
    struct key key;
    for (;;) {
        if (!read_key(p, &key)) return false;
        if (peek(p, 0) != '.') break;
        p->at++;
        struct weft_toml_node *next = find(p, table, key.text, key.length);
        if (!next) {
            next = add(p, table, &key, WEFT_TOML_TABLE);
            if (next) next->origin = DOTTED;
        } else if (next->type != WEFT_TOML_TABLE || next->origin != DOTTED) {
            return weft_toml_fail_at(p, key.at,
                                     "`%s` is defined in line %u and cannot be added to here",
                                     key.text, next->key_at.line);
        }
        if (!next) return false;
        table = next;
    }
    if (peek(p, 0) != '=') return fail(p, "`=` is missing after the key");
    p->at++;
    const struct weft_toml_node *twin = find(p, table, key.text, key.length);
    if (twin)
        return weft_toml_fail_at(p, key.at, "`%s` is defined twice, first in line %u", key.text,
                                 twin->key_at.line);
    struct weft_toml_node *node = add(p, table, &key, WEFT_TOML_TABLE);
    if (!node) return false;
    skip_blanks(p);
    return read_value(p, node);
}

static bool read_inline_table(struct parser *p, struct weft_toml_node *table)
{
    table->type = WEFT_TOML_TABLE;
    table->origin = DOTTED; // Open while it is being written, closed for good afterwards.
    p->at++;
    skip_blanks(p);
    if (peek(p, 0) == '}') return p->at++, table->origin = CLOSED, true;
    for (;;) {
        if (!read_pair(p, table)) return false;
        skip_blanks(p);
        if (peek(p, 0) == '}') return p->at++, table->origin = CLOSED, true;
        if (peek(p, 0) != ',') return fail(p, "`,` or `}` is missing in an inline table");
        p->at++;
    }
}

static bool read_array(struct parser *p, struct weft_toml_node *array)
{
    array->type = WEFT_TOML_ARRAY;
    array->origin = CLOSED;
    p->at++;
    p->brackets++;
    for (;;) {
        if (!skip_lines(p)) return false;
        if (peek(p, 0) == ']') break;
        struct weft_toml_node *node = add(p, array, NULL, WEFT_TOML_TABLE);
        if (!node || !read_value(p, node) || !skip_lines(p)) return false;
        if (peek(p, 0) == ']') break;
        if (peek(p, 0) != ',') return fail(p, "`,` or `]` is missing in an array");
        p->at++;
    }
    p->at++;
    p->brackets--;
    return true;
}

static bool read_token(struct parser *p, struct weft_toml_node *node)
{
    const char *start = p->at;
    while (p->at < p->end && (is_bare(*p->at) || strchr("+.:", *p->at)) && *p->at != '\0') {
        p->at++;
    }
    if (p->at - start == 10 && start[4] == '-' && peek(p, 0) == ' ' && peek(p, 1) >= '0' &&
        peek(p, 1) <= '9') { // A date and a time may be parted by a space.
        p->at++;
        while (p->at < p->end && (is_bare(*p->at) || strchr("+.:", *p->at)) && *p->at != '\0') {
            p->at++;
        }
    }
    const size_t length = (size_t)(p->at - start);
    char token[300] = {0};
    if (length >= sizeof(token))
        return weft_toml_fail_at(p, node->at, "a value of more than 299 characters");
    memcpy(token, start, length);
    const char *wrong = weft_toml_scalar(node, token, length);
    if (wrong) return weft_toml_fail_at(p, node->at, "%s", wrong);
    node->text = weft_config_pool_copy(p->pool, token, length);
    node->text_length = length;
    return node->text ? true : (p->out_of_memory = p->give_up = true, false);
}

// Recurses through arrays and inline tables, no deeper than `add` allows nodes to be.
static bool read_value(struct parser *p, struct weft_toml_node *node)
{
    node->at = place(p);
    bool good;
    switch (peek(p, 0)) {
    case '"':
    case '\'':
        node->type = WEFT_TOML_STRING;
        good = weft_toml_read_string(p, &node->text, &node->text_length, true);
        break;
    case '[': good = read_array(p, node); break;
    case '{': good = read_inline_table(p, node); break;
    default: good = read_token(p, node); break;
    }
    node->broken = !good;
    node->chars = place(p).line == node->at.line ? place(p).column - node->at.column : 1;
    return good;
}

static bool line_starts_over(const struct parser *p) // A header, or `key =`: no array goes on here.
{
    const char *c = p->at;
    if (c < p->end && *c == '[') return true;
    while (c < p->end && (is_bare(*c) || *c == '.' || *c == ' ')) {
        c++;
    }
    return c > p->at && c < p->end && *c == '=';
}

static void recover(struct parser *p)
{
    const bool in_array = p->brackets > 0;
    p->brackets = 0;
    for (;;) {
        while (p->at < p->end && !at_newline(p)) {
            p->at++;
        }
        if (p->at == p->end) return;
        take_newline(p);
        if (!in_array || line_starts_over(p)) return;
        skip_blanks(p);
        if (peek(p, 0) != ']') continue;
        while (p->at < p->end && !at_newline(p)) {
            p->at++;
        }
        return;
    }
}

static void read_document(struct parser *p)
{
    struct weft_toml_node *table = p->toml->root;
    while (p->at < p->end && !p->give_up) {
        bool good = true;
        skip_blanks(p);
        if (p->at == p->end) return;
        if (*p->at == '[') {
            table = read_header(p);
            good = table != NULL;
            if (!good) { // What follows belongs to a table that nobody will look at.
                table = weft_config_pool_alloc(p->pool, sizeof(*table));
                if (!table) {
                    p->out_of_memory = true;
                    return;
                }
            }
        } else if (*p->at != '#' && !at_newline(p)) {
            good = read_pair(p, table);
        }
        if (good) {
            skip_blanks(p);
            good = skip_comment(p);
            if (good && p->at < p->end && !at_newline(p))
                good = fail(p, "something follows the end of the value");
        }
        if (!good)
            recover(p);
        else if (p->at < p->end)
            take_newline(p);
    }
}

int weft_toml_parse(struct weft_toml *toml, struct weft_config_pool *pool, const char *text,
                    size_t length)
{
    *toml = (struct weft_toml){0};
    toml->errors = weft_config_pool_alloc(pool, WEFT_TOML_ERRORS_MAX * sizeof(*toml->errors));
    struct parser *p = calloc(1, sizeof(*p));
    if (!toml->errors || !p) goto no_memory;
    *p = (struct parser){.toml = toml, .pool = pool, .line = 1, .column = 1};
    p->at = p->counted = text;
    p->end = text + (length > WEFT_TOML_BYTES_MAX ? 0 : length);
    p->scratch = malloc(length > WEFT_TOML_BYTES_MAX ? 1 : length + 1);
    toml->root = add(p, NULL, NULL, WEFT_TOML_TABLE);
    if (!p->scratch || !toml->root) goto no_memory;
    toml->root->origin = HEADER;
    if (length > WEFT_TOML_BYTES_MAX)
        fail(p, "the text is longer than 1 MiB");
    else if (weft_toml_check_utf8(p)) {
        if (looks_at(p, "\xef\xbb\xbf")) p->at += 3, p->counted = p->at; // A byte order mark.
        read_document(p);
    }
    const bool out_of_memory = p->out_of_memory;
    free(p->scratch);
    free(p);
    if (out_of_memory) return -ENOMEM;
    return toml->error_count > 0 ? -EINVAL : 0;

no_memory:
    if (p) free(p->scratch);
    free(p);
    return -ENOMEM;
}

struct weft_toml_node *weft_toml_get(const struct weft_toml_node *table, const char *key)
{
    for (struct weft_toml_node *node = table->first; node; node = node->next) {
        if (strcmp(node->key, key) == 0 && strlen(key) == node->key_length) return node;
    }
    return NULL;
}
