// A config as TOML that reads back to the same config.
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/value.h"

// The keys whose path is `prefix` and one more name, as lines of the table at `base`.
static void print_table(const char *prefix, const void *base, FILE *out)
{
    const struct weft_schema_key *key;
    for (size_t i = 0; (key = weft_schema_at(i)); i++) {
        const size_t length = strlen(prefix);
        if (strncmp(key->path, prefix, length) != 0 || strchr(key->path + length, '.')) continue;
        char *text = NULL;
        size_t text_length;
        FILE *memory = open_memstream(&text, &text_length);
        if (!memory) return;
        const bool is_set = weft_value_print(key, base, memory);
        fclose(memory);
        if (is_set) fprintf(out, "%s = %s\n", key->path + length, text);
        free(text);
    }
}

static bool has_fault(const struct weft_config_fault *f)
{
    return f->seed || f->loss > 0 || f->duplicate > 0 || f->reorder > 0 || f->corrupt > 0 ||
           f->delay_ns || f->jitter_ns || f->partition.count;
}

void weft_config_print(const struct weft_config *config, FILE *out)
{
    static const char *const tables[] = {"node", "cores",   "memory", "mesh",  "admin",
                                         "time", "journal", "units",  "actors"};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        char prefix[32];
        snprintf(prefix, sizeof(prefix), "%s.", tables[i]);
        fprintf(out, "%s[%s]\n", i ? "\n" : "", tables[i]);
        print_table(prefix, config, out);
    }
    for (size_t i = 0; i < config->port_count; i++) {
        fprintf(out, "\n[ports.%s]\n", config->ports[i].name);
        print_table("ports.*.", &config->ports[i], out);
        if (!has_fault(&config->ports[i].fault)) continue;
        fprintf(out, "\n[ports.%s.fault]\n", config->ports[i].name);
        print_table("ports.*.fault.", &config->ports[i], out);
    }
    for (size_t i = 0; i < config->unit_count; i++) {
        fputs("\n[[unit]]\n", out);
        print_table("unit.*.", &config->unit[i], out);
    }
    for (size_t i = 0; i < config->actor_count; i++) {
        fputs("\n[[actor]]\n", out);
        print_table("actor.*.", &config->actor[i], out);
    }
}
