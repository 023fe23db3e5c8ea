#include "runtime/tool/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile int interrupted; // The only state that a signal handler can reach.

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

const volatile int *weft_interrupt_catch(void)
{
    const struct sigaction action = {.sa_handler = on_interrupt};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    return &interrupted;
}
