#include "runtime/mesh/claim.h"

#include <errno.h>
#include <string.h>

static const char context[] = "weft mesh claim 1";

struct signed_bytes {
    char context[sizeof(context) - 1];
    uint8_t claim[offsetof(struct weft_claim_wire, signature)];
};
_Static_assert(sizeof(struct signed_bytes) == 17 + 96, "no padding is signed");

static struct signed_bytes signed_of(const struct weft_claim_wire *claim)
{
    struct signed_bytes bytes;
    memcpy(bytes.context, context, sizeof(bytes.context));
    memcpy(bytes.claim, claim, sizeof(bytes.claim));
    return bytes;
}

int weft_claim_sign(struct weft_claim_wire *claim, const struct weft_mesh_identity *identity)
{
    memcpy(claim->public_key, identity->public_key, sizeof(claim->public_key));
    const struct signed_bytes bytes = signed_of(claim);
    return weft_mesh_sign(identity, weft_span_of(&bytes, sizeof(bytes)), claim->signature);
}

int weft_claim_verify(const struct weft_claim_wire *claim)
{
    const struct signed_bytes bytes = signed_of(claim);
    return weft_mesh_verify(claim->public_key, weft_span_of(&bytes, sizeof(bytes)),
                            claim->signature);
}

bool weft_claim_sane(const struct weft_claim_wire *claim)
{
    bool ended = false;
    for (size_t i = 0; i < sizeof(claim->name); i++) {
        const char c = claim->name[i];
        if (c == '\0') {
            ended = true;
        } else if (ended || c <= ' ' || c > '~') {
            return false;
        }
    }
    // An incarnation near the end could never be refuted (the boot number has 44 bits: year 2527).
    return ended && claim->name[0] != '\0' && claim->ip != 0 && claim->port != 0 &&
           claim->ip < UINT32_C(0xe0000000) && claim->busy_permille <= 1000 &&
           claim->incarnation != 0 && claim->incarnation < UINT64_MAX >> 1;
}
