// pth.c: GNU Pth 2.0.7: threads of one process that switch when they wait; messages by its ports.
//
//     cc -O2 pth.c -lpth -o pth && ./pth 1 GROUP [quick]
#include "row.h"

#include <pth.h>

static void *nothing(void *argument)
{
    return argument;
}

static void spawn_and_join(pth_attr_t attributes, int count)
{
    for (int i = 0; i < count; i++)
        pth_join(pth_spawn(attributes, nothing, NULL), NULL);
}

static void *yields(void *argument)
{
    for (int i = *(int *)argument; i > 0; i--)
        pth_yield(NULL);
    return NULL;
}

static void yield_by_two(pth_attr_t attributes, int count)
{
    int each = count / 2;
    pth_t other = pth_spawn(attributes, yields, &each);
    yields(&each);
    pth_join(other, NULL);
}

struct court {
    pth_msgport_t there, back;
    int count;
};

static pth_message_t *receive(pth_msgport_t port, pth_event_t event)
{
    pth_message_t *message;
    while ((message = pth_msgport_get(port)) == NULL)
        pth_wait(event);
    return message;
}

static void *pong(void *argument)
{
    struct court *court = argument;
    pth_event_t event = pth_event(PTH_EVENT_MSG, court->there);
    for (int i = 0; i < court->count; i++)
        pth_msgport_put(court->back, receive(court->there, event));
    pth_event_free(event, PTH_FREE_THIS);
    return NULL;
}

static void ping_pong(pth_attr_t attributes, int count)
{
    struct court court = {pth_msgport_create("there"), pth_msgport_create("back"), count};
    pth_message_t ball = {.m_size = 0};
    pth_t other = pth_spawn(attributes, pong, &court);
    pth_event_t event = pth_event(PTH_EVENT_MSG, court.back);
    for (int i = 0; i < count; i++) {
        pth_msgport_put(court.there, &ball);
        receive(court.back, event);
    }
    pth_event_free(event, PTH_FREE_THIS);
    pth_join(other, NULL);
    pth_msgport_destroy(court.there);
    pth_msgport_destroy(court.back);
}

int main(int argc, char **argv)
{
    struct rows rows;
    if (!rows_begin(&rows, "pth", argc, argv) || !pth_init()) return 0;
    pth_attr_t attributes = pth_attr_new();
    pth_attr_set(attributes, PTH_ATTR_STACK_SIZE, 65536);
    if (rows_are(&rows, "spawn"))
        ROW(&rows, "spawn_exit_seq", 10000, spawn_and_join(attributes, 10000));
    if (rows_are(&rows, "yield"))
        ROW(&rows, "yield_2procs", 100000, yield_by_two(attributes, 100000));
    if (rows_are(&rows, "pingpong")) ROW(&rows, "pingpong", 20000, ping_pong(attributes, 20000));
    return 0;
}
