// value.h: one value of the table, from TOML into the struct and back.
#ifndef WEFT_CONFIG_VALUE_H
#define WEFT_CONFIG_VALUE_H

#include "config/schema.h"
#include "config/toml.h"

// Writes `node` to `base` + key->offset. Returns 0, or the code of what is wrong (103 type, 104
// range) with its text in `why`; -ENOMEM.
int weft_value_read(const struct weft_schema_key *key, const struct weft_toml_node *node,
                    void *base, struct weft_config_pool *pool, char why[200]);

// Writes the default. Returns 0 or -ENOMEM. A required key is left alone.
int weft_value_default(const struct weft_schema_key *key, void *base,
                       struct weft_config_pool *pool);

// Prints the value as TOML. Returns false, and prints nothing, if it is not set.
bool weft_value_print(const struct weft_schema_key *key, const void *base, FILE *out);

// "A.B.C.D:PORT", all of it. Port 1..65535.
struct weft_config_endpoint;
bool weft_value_endpoint(const char *text, struct weft_config_endpoint *endpoint);

#endif // WEFT_CONFIG_VALUE_H
