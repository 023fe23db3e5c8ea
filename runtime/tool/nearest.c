#include "runtime/tool/nearest.h"

#include <string.h>

#define WORD_MAX 63

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned weft_nearest_distance(const char *a, const char *b)
{
    const size_t a_length = strlen(a), b_length = strlen(b);
    unsigned rows[3][WORD_MAX + 1];

    if (a_length > WORD_MAX || b_length > WORD_MAX) return WORD_MAX + 1;
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a_length; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            const unsigned change = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(change, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = least(row[j], two_above[j - 2] + 1);
            }
        }
    }
    return rows[a_length % 3][b_length];
}

// Keeps the best candidate so far.
struct search {
    const char *word, *best;
    unsigned distance;
};

static struct search search_for(const char *word)
{
    return (struct search){.word = word, .distance = (unsigned)strlen(word) / 3 + 2};
}

static void consider(struct search *search, const char *candidate)
{
    const unsigned distance = weft_nearest_distance(search->word, candidate);

    if (distance >= search->distance) return;
    search->distance = distance;
    search->best = candidate;
}

const char *weft_nearest_noun(const struct weft_tool *tool, const char *noun)
{
    struct search search = search_for(noun);
    const struct weft_tool_command *command;

    for (size_t i = 0; (command = weft_tool_command_at(tool, i)) != NULL; i++) {
        if (command->noun[0] != '_') consider(&search, command->noun);
    }
    return search.best;
}

const char *weft_nearest_verb(const struct weft_tool *tool, const char *noun, const char *verb)
{
    struct search search = search_for(verb);
    const struct weft_tool_command *command;

    for (size_t i = 0; (command = weft_tool_command_at(tool, i)) != NULL; i++) {
        if (command->verb != NULL && strcmp(command->noun, noun) == 0) {
            consider(&search, command->verb);
        }
    }
    return search.best;
}

const char *weft_nearest_option(const struct weft_tool_command *command, const char *name)
{
    char word[WORD_MAX + 1] = "";
    const size_t length = strcspn(name, "=");

    if (length > WORD_MAX) return NULL;
    memcpy(word, name, length);
    struct search search = search_for(word);
    for (size_t i = 0; command != NULL && i < WEFT_TOOL_OPTIONS_MAX && command->options[i].name;
         i++) {
        consider(&search, command->options[i].name);
    }
    for (const struct weft_tool_option *at = weft_tool_options; at->name != NULL; at++) {
        consider(&search, at->name);
    }
    return search.best;
}
