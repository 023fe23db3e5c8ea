// The address of a node that its owner asks from elsewhere.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "runtime/admin/client.h"

#define SCHEME       "https://"
#define PORT_DEFAULT 9338 // WEFT_ADMIN_PORT, which is the server's.
#define TOKEN_MIN    16
#define PIN_DIGITS   64

static const char host_letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";

// "HOST[:PORT]" and nothing behind it.
static bool read_address(struct weft_client_target *target, const char *text)
{
    const size_t length = strspn(text, host_letters);
    unsigned port = PORT_DEFAULT;
    char end;

    if (length == 0 || length >= sizeof(target->host)) return false;
    const char *rest = text + length;
    if (*rest != '\0' &&
        (rest[0] != ':' || strspn(rest + 1, "0123456789") == 0 || strlen(rest + 1) > 5 ||
         sscanf(rest + 1, "%5u%c", &port, &end) != 1 || port == 0 || port > 65535))
        return false;
    memcpy(target->host, text, length);
    target->port = (uint16_t)port;
    snprintf(target->name, sizeof(target->name), "%.50s:%u", target->host, port);
    return true;
}

static bool is_pin(const char *text)
{
    return strlen(text) == PIN_DIGITS && strspn(text, "0123456789abcdefABCDEF") == PIN_DIGITS;
}

int weft_client_target_owner(struct weft_client_target *target, const char *url, const char *token,
                             const char *fingerprint, struct weft_error *error)
{
    memset(target, 0, sizeof(*target));
    if (strncmp(url, SCHEME, strlen(SCHEME)) != 0 || !read_address(target, url + strlen(SCHEME)))
        return weft_error_set(error, 504, "%s: not of the form https://HOST:PORT", url);
    if (token == NULL || strlen(token) < TOKEN_MIN || strlen(token) >= sizeof(target->token)) {
        weft_error_set(error, 504, "%s asks for its owner's token", url);
        weft_error_hint(error, "WEFT_TOKEN is what stands in owner.token on the node's drive");
        return -1;
    }
    memcpy(target->token, token, strlen(token));
    const bool here =
        strncmp(target->host, "127.", 4) == 0 || strcasecmp(target->host, "localhost") == 0;
    if (fingerprint == NULL ? !here : !is_pin(fingerprint)) {
        weft_error_set(error, 504, "%s: whose certificate is it to have?", url);
        weft_error_hint(error, "WEFT_FINGERPRINT: 64 hex digits, as the node's console shows them");
        return -1;
    }
    for (size_t i = 0; fingerprint != NULL && i < PIN_DIGITS; i++) {
        const char digit = fingerprint[i];
        target->pin[i] = digit >= 'A' && digit <= 'F' ? (char)(digit + ('a' - 'A')) : digit;
    }
    return 0;
}
