// st.c: State Threads 1.9: threads of one process that switch when they wait. It has no mailboxes:
// pingpong is a flag and a condition each way, the least that it could be.
//
//     cc -O2 st.c -lst -o st && ./st 1 GROUP [quick]
#include "row.h"

#include <st.h>

#define STACK_BYTES 65536

static void *nothing(void *argument)
{
    return argument;
}

static void spawn_and_join(int count)
{
    for (int i = 0; i < count; i++)
        st_thread_join(st_thread_create(nothing, NULL, 1, STACK_BYTES), NULL);
}

static void *yields(void *argument)
{
    for (int i = *(int *)argument; i > 0; i--)
        st_sleep(0);
    return NULL;
}

static void yield_by_two(int count)
{
    int each = count / 2;
    st_thread_t other = st_thread_create(yields, &each, 1, STACK_BYTES);
    yields(&each);
    st_thread_join(other, NULL);
}

struct court {
    st_cond_t there, back;
    bool ball_there, ball_back;
    int count;
};

static void *pong(void *argument)
{
    struct court *court = argument;
    for (int i = 0; i < court->count; i++) {
        while (!court->ball_there)
            st_cond_wait(court->there);
        court->ball_there = false;
        court->ball_back = true;
        st_cond_signal(court->back);
    }
    return NULL;
}

static void ping_pong(int count)
{
    struct court court = {.there = st_cond_new(), .back = st_cond_new(), .count = count};
    st_thread_t other = st_thread_create(pong, &court, 1, STACK_BYTES);
    for (int i = 0; i < count; i++) {
        court.ball_there = true;
        st_cond_signal(court.there);
        while (!court.ball_back)
            st_cond_wait(court.back);
        court.ball_back = false;
    }
    st_thread_join(other, NULL);
    st_cond_destroy(court.there);
    st_cond_destroy(court.back);
}

int main(int argc, char **argv)
{
    struct rows rows;
    if (!rows_begin(&rows, "st", argc, argv) || st_init() != 0) return 0;
    if (rows_are(&rows, "spawn")) ROW(&rows, "spawn_exit_seq", 100000, spawn_and_join(100000));
    if (rows_are(&rows, "yield")) ROW(&rows, "yield_2procs", 400000, yield_by_two(400000));
    if (rows_are(&rows, "pingpong")) ROW(&rows, "pingpong", 200000, ping_pong(200000));
    return 0;
}
