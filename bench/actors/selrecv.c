// selrecv.c: receives that pass over 10 000 other messages in the mailbox.
#include <string.h>

#include "bench/actors/rows.h"

enum { PLAIN = 1, PONG, NOISE, ASK, STOP, BACKLOG = 10000 };

static bool echo(struct weft_actor *self, void *state, struct weft_message *message)
{
    (void)state;
    if (message->type == STOP) return false;
    if (message->tag == WEFT_MESSAGE_CALL)
        weft_reply(self, message, PONG, NULL, 0);
    else
        weft_send(self, message->from, PONG, message->payload, message->length);
    return true;
}

TWO_KINDS(echo, echo, 0);

static weft_pid server(struct weft_actor *self)
{
    return weft_bench_spawn(self, &echo_kinds[STACKFUL], NULL);
}

// A reply is found by the reference of its call.
static void by_reference(struct weft_actor *self, uint64_t count)
{
    const weft_pid to = server(self);
    while (count-- > 0)
        CHECK(weft_call(self, to, ASK, NULL, 0, WEFT_FOREVER, NULL) == 0);
    weft_send(self, to, STOP, NULL, 0);
}

// The same pattern each time: nothing is looked at twice for it.
static void receive_like(struct weft_actor *self, const struct weft_match *match, uint64_t count)
{
    const weft_pid to = server(self);
    while (count-- > 0) {
        weft_send(self, to, PLAIN, NULL, 0);
        CHECK(weft_receive_match(self, match, WEFT_FOREVER) != NULL);
    }
    weft_send(self, to, STOP, NULL, 0);
}

static void by_type(struct weft_actor *self, uint64_t count)
{
    const struct weft_match match = {.has_type = true, .type = PONG};
    receive_like(self, &match, count);
}

static bool is_pong(const struct weft_message *message, const void *argument)
{
    (void)argument;
    return message->type == PONG;
}

static void by_predicate(struct weft_actor *self, uint64_t count)
{
    const struct weft_match match = {.fits = is_pong};
    receive_like(self, &match, count);
}

static bool is_number(const struct weft_message *message, const void *argument)
{
    return message->type == PONG && memcmp(message->payload, argument, sizeof(uint64_t)) == 0;
}

// Another pattern each time, which nothing is remembered of: the whole mailbox is looked through.
static void by_new_predicate(struct weft_actor *self, uint64_t count)
{
    uint64_t numbers[8]; // More than the patterns that are remembered: the argument is an address.
    const weft_pid to = server(self);
    while (count-- > 0) {
        uint64_t *number = &numbers[count % 8];
        const struct weft_match match = {.fits = is_number, .argument = number};
        *number = count;
        weft_send(self, to, PLAIN, number, sizeof(*number));
        CHECK(weft_receive_match(self, &match, WEFT_FOREVER) != NULL);
    }
    weft_send(self, to, STOP, NULL, 0);
}

void weft_bench_group_selrecv(struct weft_actor *self)
{
    for (unsigned i = 0; i < BACKLOG; i++)
        weft_send(self, weft_self(self), NOISE, &i, sizeof(i));
    weft_bench_actors_row(self, "selrecv_ref_10k_backlog", 50, by_reference, 200000);
    weft_bench_actors_row(self, "selrecv_scan_10k_backlog", 60, by_type, 200000);
    weft_bench_actors_row(self, "selrecv_predicate_10k_backlog", 60, by_predicate, 200000);
    weft_bench_actors_row(self, "selrecv_unseen_10k_backlog", 8000, by_new_predicate, 500);
    weft_bench_expect(self, BACKLOG);
}
