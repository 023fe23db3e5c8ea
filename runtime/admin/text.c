#include "runtime/admin/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Bytes of the UTF-8 sequence at `bytes`, 0 if it is not one (RFC 3629: no overlong forms, no
// surrogates, nothing above U+10FFFF).
static size_t sequence_length(const unsigned char *bytes, size_t length)
{
    const unsigned char lead = bytes[0];
    unsigned char low = 0x80, high = 0xbf;
    size_t count;

    if (lead < 0x80) return 1;
    if (lead < 0xc2 || lead > 0xf4) return 0;
    count = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (length < count) return 0;
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
    if (bytes[1] < low || bytes[1] > high) return 0;
    for (size_t i = 2; i < count; i++) {
        if ((bytes[i] & 0xc0) != 0x80) return 0;
    }
    return count;
}

static json_t *repaired(const char *bytes, size_t length)
{
    char *text = malloc(length * 3 + 1);
    size_t used = 0;

    if (text == NULL) return NULL;
    for (size_t at = 0; at < length;) {
        const size_t count = sequence_length((const unsigned char *)bytes + at, length - at);
        memcpy(text + used, count > 0 ? bytes + at : "\xef\xbf\xbd", count > 0 ? count : 3);
        used += count > 0 ? count : 3;
        at += count > 0 ? count : 1;
    }
    json_t *json = json_stringn(text, used);
    free(text);
    return json;
}

json_t *weft_json_bytes(const char *bytes, size_t length)
{
    if (length == 0) return json_string("");
    json_t *json = json_stringn(bytes, length);
    return json != NULL ? json : repaired(bytes, length);
}

json_t *weft_json_text(const char *text)
{
    return weft_json_bytes(text, strlen(text));
}

json_t *weft_json_id(uint64_t id)
{
    char text[17];

    snprintf(text, sizeof(text), "%016" PRIx64, id);
    return json_string(text);
}

unsigned weft_http_status(uint16_t code)
{
    switch (code) {
    case 402:
    case 503:
    case 801: return 404;
    case 403:
    case 405:
    case 803:
    case 804:
    case 805:
    case 901:
    case 904:
    case 905: return 409;
    case 401:
    case 404:
    case 406:
    case 802:
    case 902:
    case 903: return 422;
    case 502: return 403;
    case 504: return 400;
    case 505: return 504;
    default: break;
    }
    return code / 100 == 2 || code / 100 == 7 || code == 501 ? 503 : 500;
}

json_t *weft_json_problem(unsigned status, const struct weft_error *error)
{
    const struct weft_error_info *info = weft_error_find(error->code);
    char code[8], type[32];

    snprintf(code, sizeof(code), "W%04u", (unsigned)error->code);
    snprintf(type, sizeof(type), "urn:weft:error:%s", code);
    json_t *problem = json_pack("{s:s, s:s, s:i, s:o, s:s}", "type", type, "title",
                                info != NULL ? info->title : "internal error", "status",
                                (int)status, "detail", weft_json_text(error->text), "code", code);
    if (error->hint[0] != '\0') json_object_set_new(problem, "hint", weft_json_text(error->hint));
    return problem;
}

bool weft_admin_name_valid(const char *name, size_t length)
{
    bool letter = false;

    if (length == 0 || length > 63) return false;
    for (size_t i = 0; i < length; i++) {
        const char c = name[i];
        const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '_' || c == '-';
        if (!word && c != '.') return false;
        letter = letter || word;
    }
    return letter;
}
