// listing.h: what supervisors of either sort answer: a result, or a list of children.
#ifndef WEFT_OTP_LISTING_H
#define WEFT_OTP_LISTING_H

#include <weft/message.h>
#include <weft/supervisor.h>

struct weft_supervisor_answer { // The reply's payload, to a request.
    int32_t result;             // 0, WEFT_SERVER_IGNORE, or a negative errno.
    weft_pid pid;               // Where there is one.
};

struct weft_listing_bytes { // The reply's payload, to WEFT_SUPERVISOR_CHILDREN.
    uint64_t count;
    struct weft_child_info children[];
};

struct weft_listing {
    struct weft_listing_bytes *bytes; // The actor's.
    size_t limit, used;
};

// `call` says how many are wanted, as a uint64_t; there are `count`. False: it is answered with
// what is wrong.
bool weft_listing_begin(struct weft_actor *self, struct weft_listing *listing,
                        struct weft_message *call, uint64_t count);
void weft_listing_add(struct weft_listing *listing, const struct weft_child_info *info);
void weft_listing_reply(struct weft_actor *self, struct weft_listing *listing,
                        struct weft_message *call);

#endif // WEFT_OTP_LISTING_H
