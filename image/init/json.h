// json.h: one JSON value after the other onto a stream. What is written here is read by weftd, by
// the tool and by people; nothing here reads any.
#ifndef WEFT_IMAGE_JSON_H
#define WEFT_IMAGE_JSON_H

#include <stdbool.h>
#include <stdio.h>

// `text` as a JSON string. Bytes that are no UTF-8 become '?', so that the document always parses.
void weft_json_string(FILE *out, const char *text);
// "key":"text" with the comma that is due: `first` is set to false.
void weft_json_member(FILE *out, bool *first, const char *key, const char *text);

#endif // WEFT_IMAGE_JSON_H
