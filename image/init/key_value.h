// key_value.h: values by their keys, out of the kernel's command line and out of files of
// KEY=VALUE lines (/etc/weft/release).
#ifndef WEFT_IMAGE_KEY_VALUE_H
#define WEFT_IMAGE_KEY_VALUE_H

#include <stdbool.h>
#include <stddef.h>

// Finds KEY=VALUE among words that white space parts; double quotes hold a value with spaces
// together and are not part of it, as the kernel reads its command line. The last one counts. A
// word KEY without = has the value "". Returns false, and leaves "" in `value`, when there is none,
// or when it does not fit.
bool weft_key_value_get(const char *text, const char *key, char *value, size_t size);

#endif // WEFT_IMAGE_KEY_VALUE_H
