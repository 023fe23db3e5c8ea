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

// What a value may be, for a person: `1 to 65535`, `"1MiB" to "1024GiB"`, `0 to 63 characters`.
// Only of a key whose min and max differ.
#define WEFT_VALUE_RANGE_BYTES 96
void weft_value_range(const struct weft_schema_key *key, char text[WEFT_VALUE_RANGE_BYTES]);

// "A.B.C.D:PORT", all of it. Port 1..65535.
struct weft_config_endpoint;
bool weft_value_endpoint(const char *text, struct weft_config_endpoint *endpoint);

// "A.B.C.D/PREFIX", all of it. Prefix 1..32.
struct weft_config_address;
bool weft_value_address(const char *text, struct weft_config_address *address);

#endif // WEFT_CONFIG_VALUE_H
