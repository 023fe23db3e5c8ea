// ring.c: a token goes round 503 actors (Armstrong, Programming Erlang, exercise 12.3).
#include <string.h>

#include "bench/actors/rows.h"

enum { NEXT = 1, TOKEN, STOP, DONE, NODES = 503 };

struct node {
    weft_pid next, referee;
};

static bool pass(struct weft_actor *self, void *state, struct weft_message *message)
{
    struct node *node = state;
    uint64_t left = 0;
    if (message->type == NEXT) { // The first learns last who comes next.
        memcpy(&node->next, message->payload, sizeof(node->next));
        return true;
    }
    if (message->type == TOKEN) memcpy(&left, message->payload, sizeof(left));
    if (left > 0) {
        left--;
        weft_send(self, node->next, TOKEN, &left, sizeof(left));
        return true;
    }
    if (message->type == TOKEN) weft_send(self, node->referee, DONE, NULL, 0);
    weft_send(self, node->next, STOP, NULL, 0);
    return false;
}

TWO_KINDS(ring, pass, sizeof(struct node));

static void do_ring(struct weft_actor *self, unsigned kind, uint64_t count)
{
    struct node node = {.referee = weft_self(self)};
    const weft_pid head = weft_bench_spawn(self, &ring_kinds[kind], &node);
    node.next = head;
    for (unsigned i = 1; i < NODES; i++)
        node.next = weft_bench_spawn(self, &ring_kinds[kind], &node);
    weft_send(self, head, NEXT, &node.next, sizeof(node.next));
    weft_send(self, node.next, TOKEN, &count, sizeof(count));
    weft_bench_expect(self, 1);
}

TWO_ROWS(ring, do_ring);

void weft_bench_group_ring(struct weft_actor *self)
{
    weft_bench_actors_row(self, "ring_503", 28, ring, 1000000);
    weft_bench_actors_row(self, "ring_503_callback", 28, ring_callback, 1000000);
}
