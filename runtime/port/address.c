// address.c: "10.0.0.1:80" and back.
#include <errno.h>
#include <stdio.h>

#include <weft/port.h>

// A decimal number without a sign or leading zeros, at most `limit`. The place behind it; NULL:
// there is none.
static const char *take_number(const char *text, uint32_t limit, uint32_t *value)
{
    if (*text < '0' || *text > '9') return NULL;
    *value = 0;
    if (*text == '0') return text + 1;
    for (; *text >= '0' && *text <= '9'; text++) {
        *value = *value * 10 + (uint32_t)(*text - '0');
        if (*value > limit) return NULL;
    }
    return text;
}

int weft_address_parse(const char *text, struct weft_address *address)
{
    uint32_t host = 0, part, port;
    for (int i = 0; i < 4; i++) {
        text = take_number(text, 255, &part);
        if (text == NULL || *text++ != (i < 3 ? '.' : ':')) return -EINVAL;
        host = host << 8 | part;
    }
    text = take_number(text, UINT16_MAX, &port);
    if (text == NULL || *text != '\0') return -EINVAL;
    *address = (struct weft_address){.host = host, .port = (uint16_t)port};
    return 0;
}

const char *weft_address_print(const struct weft_address *address, char text[WEFT_ADDRESS_TEXT])
{
    snprintf(text, WEFT_ADDRESS_TEXT, "%u.%u.%u.%u:%u", address->host >> 24,
             address->host >> 16 & 0xff, address->host >> 8 & 0xff, address->host & 0xff,
             address->port);
    return text;
}
