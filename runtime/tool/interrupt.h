// interrupt.h: ^C, for the commands that go on until it.
#ifndef WEFT_TOOL_INTERRUPT_H
#define WEFT_TOOL_INTERRUPT_H

// From now on SIGINT and SIGTERM end nothing by themselves: they set the word that is returned, and
// make a read or poll fail with EINTR. A reader of our output that leaves is seen by the write that
// fails.
const volatile int *weft_interrupt_catch(void);

#endif // WEFT_TOOL_INTERRUPT_H
