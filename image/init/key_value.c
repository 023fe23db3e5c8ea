#include "image/init/key_value.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

// The length of the word at `text`; white space between quotes belongs to it.
static size_t word_length(const char *text)
{
    bool quoted = false;
    size_t i = 0;
    for (; text[i] != '\0' && (quoted || !isspace((unsigned char)text[i])); i++) {
        if (text[i] == '"') quoted = !quoted;
    }
    return i;
}

static bool take_value(const char *word, size_t length, char *value, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        if (word[i] == '"') continue;
        if (used + 1 >= size) return value[0] = '\0', false;
        value[used++] = word[i];
    }
    value[used] = '\0';
    return true;
}

bool weft_key_value_get(const char *text, const char *key, char *value, size_t size)
{
    const size_t key_length = strlen(key);
    bool found = false;
    value[0] = '\0';
    while (*text != '\0') {
        if (isspace((unsigned char)*text)) {
            text++;
            continue;
        }
        const size_t length = word_length(text);
        if (length >= key_length && strncmp(text, key, key_length) == 0) {
            if (length == key_length)
                found = take_value("", 0, value, size);
            else if (text[key_length] == '=')
                found = take_value(text + key_length + 1, length - key_length - 1, value, size);
        }
        text += length;
    }
    return found;
}
