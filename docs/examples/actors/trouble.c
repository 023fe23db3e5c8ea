// Trouble: what happens to an actor that goes wrong, and to nobody else.
//
//     weft actor load n1 trouble.so -- null
#include <string.h>

#include <weft/weft.h>

static int *nowhere; // Null.

__attribute__((noinline)) static void touch(void)
{
    *(volatile int *)nowhere = 1;
}

__attribute__((noinline)) static unsigned descend(unsigned depth)
{
    volatile char room[512] = {(char)depth};
    return depth < 100000 ? room[depth % 512] + descend(depth + 1) : 0; // A stack has 60 KiB.
}

static void trouble(struct weft_actor *self, int argc, char *const *argv)
{
    const char *what = argc > 1 ? argv[1] : "none";
    weft_say(self, WEFT_LEVEL_INFO, "trouble wanted: %s", what);
    if (strcmp(what, "null") == 0) touch();
    if (strcmp(what, "overflow") == 0) descend(0);
    for (volatile int on = strcmp(what, "loop") == 0; on;)
        continue; // Never a message, never weft_reduce: nobody can interrupt it but an operator.
}
WEFT_MODULE(trouble)
