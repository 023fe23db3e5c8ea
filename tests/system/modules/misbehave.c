// misbehave.c: a module that does what it is told, and most of it is wrong.
//
//     echo              answers every call with its payload, says every message
//     null, trap        crashes
//     overflow          never stops calling itself
//     loop              never comes back
//     hold MS           holds its core for so long
//     abort             would end the process
//     poison            spoils what is not its own: no containment helps
#include <weft/weft.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

static void echo(struct weft_actor *self)
{
    for (struct weft_message *message; (message = weft_receive(self, WEFT_FOREVER)) != NULL;) {
        weft_say(self, WEFT_LEVEL_INFO, "got %.*s", (int)message->length,
                 (const char *)message->payload);
        if (message->tag == WEFT_MESSAGE_CALL)
            weft_reply(self, message, message->type, message->payload, message->length);
    }
}

static int go_deeper(volatile int *depth)
{
    volatile char room[256];
    room[0] = (char)*depth;
    ++*depth;
    return go_deeper(depth) + room[0];
}

static void hold(int ms)
{
    struct timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < ms);
}

static void misbehave(struct weft_actor *self, int argc, char *const *argv)
{
    const char *what = argc > 1 ? argv[1] : "echo";
    volatile int number = 0;
    int *volatile nowhere = NULL;
    if (strcmp(what, "echo") == 0) echo(self);
    if (strcmp(what, "null") == 0) *nowhere = 1;
    if (strcmp(what, "trap") == 0) __builtin_trap();
    if (strcmp(what, "overflow") == 0) go_deeper(&number);
    if (strcmp(what, "hold") == 0) hold(argc > 2 ? atoi(argv[2]) : 100);
    if (strcmp(what, "abort") == 0) abort();
    if (strcmp(what, "poison") == 0) {
        memset(self, 0x5a, 64);
        weft_yield(self);
    }
    while (strcmp(what, "loop") == 0)
        number++;
}
WEFT_MODULE(misbehave)
