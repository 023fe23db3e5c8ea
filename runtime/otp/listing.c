#include "runtime/otp/listing.h"

#include <errno.h>
#include <string.h>

#include <weft/actor.h>

bool weft_listing_begin(struct weft_actor *self, struct weft_listing *listing,
                        struct weft_message *call, uint64_t count)
{
    uint64_t wanted;
    if (call->length != sizeof(wanted)) {
        weft_reply_error(self, call, -EINVAL);
        return false;
    }
    memcpy(&wanted, call->payload, sizeof(wanted));
    *listing = (struct weft_listing){.limit = wanted < count ? wanted : count};
    listing->bytes = weft_alloc(self, sizeof(*listing->bytes) +
                                          listing->limit * sizeof(listing->bytes->children[0]));
    if (listing->bytes == NULL) {
        weft_reply_error(self, call, -ENOMEM);
        return false;
    }
    listing->bytes->count = count;
    return true;
}

void weft_listing_add(struct weft_listing *listing, const struct weft_child_info *info)
{
    if (listing->used < listing->limit) listing->bytes->children[listing->used++] = *info;
}

void weft_listing_reply(struct weft_actor *self, struct weft_listing *listing,
                        struct weft_message *call)
{
    weft_reply(self, call, call->type, listing->bytes,
               sizeof(*listing->bytes) + listing->used * sizeof(listing->bytes->children[0]));
    weft_free(self, listing->bytes);
}
