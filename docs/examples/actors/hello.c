// Hello: the smallest module there is. One actor says a line and ends.
//
//     weft actor run hello.so -- Ada
#include <weft/weft.h>

// A module's first actor. It has a stack of its own, as a thread has, but no thread: while it waits
// its core runs others. It ends when this returns. argv[0] is the name that it was loaded under.
static void hello(struct weft_actor *self, int argc, char *const *argv)
{
    // Every call takes `self` first: there is no hidden "current actor". The line goes to the log
    // of the node with the name of who has said it (weft logs NODE --actor NAME).
    weft_say(self, WEFT_LEVEL_INFO, "hello, %s", argc > 1 ? argv[1] : "world");
}
WEFT_MODULE(hello) // What the node looks for in the file.
