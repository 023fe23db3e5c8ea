#include "config/diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/value.h"

static char *value_text(const struct weft_schema_key *key, const struct weft_config *config)
{
    char *text = NULL;
    size_t length;
    FILE *memory = open_memstream(&text, &length);
    if (!memory) return NULL;
    weft_value_print(key, config, memory);
    fclose(memory);
    return text;
}

static char *tables_text(const struct weft_config *config)
{
    struct weft_config only = *config;
    char *text = NULL;
    size_t length;
    FILE *memory = open_memstream(&text, &length);
    if (!memory) return NULL;
    weft_config_print(&only, memory);
    fclose(memory);
    char *from = text ? strstr(text, "\n[ports.") : NULL;
    if (!from && text) from = strstr(text, "\n[[unit]]");
    if (!from && text) from = strstr(text, "\n[[actor]]");
    if (text) memmove(text, from ? from : "", from ? strlen(from) + 1 : 1);
    return text;
}

int weft_config_diff(const struct weft_config *before, const struct weft_config *after, FILE *out)
{
    int count = 0;
    const struct weft_schema_key *key;
    for (size_t i = 0; (key = weft_schema_at(i)); i++) {
        if (strchr(key->path, '*')) continue;
        char *old = value_text(key, before), *new = value_text(key, after);
        const bool good = old && new;
        if (good && strcmp(old, new) != 0) {
            fprintf(out, "- %s = %s\n+ %s = %s (%s)\n", key->path, old, key->path, new,
                    weft_schema_reload_name(key->reload));
            count++;
        }
        free(old);
        free(new);
        if (!good) return -ENOMEM;
    }
    char *old = tables_text(before), *new = tables_text(after);
    const bool good = old && new;
    if (good && strcmp(old, new) != 0) {
        fprintf(out, "- ports, units and actors%s+ ports, units and actors (restart-node)%s", old,
                new);
        count++;
    }
    free(old);
    free(new);
    return good ? count : -ENOMEM;
}
