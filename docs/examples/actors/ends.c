// Ends: who learns of whose end, and what as.
#include <weft/weft.h>

enum { EXIT_OUT_OF_PAPER = WEFT_EXIT_USER }; // A reason of our own.

static void printer_main(struct weft_actor *self, void *state)
{
    (void)state;
    weft_receive(self, WEFT_FOREVER);
    weft_exit(self, EXIT_OUT_OF_PAPER); // Here and now. What stands on its stack is abandoned,
}

// but this still happens, however it ends. It may send, and not wait.
static void printer_terminate(struct weft_actor *self, void *state, uint16_t reason)
{
    (void)state;
    weft_say(self, WEFT_LEVEL_INFO, "ends: %s", weft_exit_name(reason));
}
static const struct weft_actor_kind printer_kind = {
    .name = "printer", .main = printer_main, .terminate = printer_terminate};

static void hungry_main(struct weft_actor *self, void *state)
{
    size_t kib = 0;
    (void)state;
    while (weft_alloc(self, 1024) != NULL) // Goes with the actor: there is nothing to free.
        kib++;
    weft_say(self, WEFT_LEVEL_INFO, "%zu KiB and no more", kib);
    weft_exit(self, WEFT_EXIT_QUOTA);
}
static const struct weft_actor_kind hungry_kind = {.name = "hungry", .main = hungry_main};

static void say_end(struct weft_actor *self, const char *how, const struct weft_message *message)
{
    weft_say(self, WEFT_LEVEL_INFO, "%s: %s %u", how, weft_exit_name(message->type),
             (unsigned)message->type);
}

static void ends(struct weft_actor *self, int argc, char *const *argv)
{
    const struct weft_spawn printer = {.kind = &printer_kind, .label = "printer"};
    const struct weft_spawn hungry = {.kind = &hungry_kind, .label = "hungry", .memory_max = 8192};
    weft_pid pid;
    uint64_t reference;
    uint16_t reason;
    (void)argc, (void)argv;

    // A monitor: one side is told, as a message, once.
    if (weft_spawn_monitor(self, &printer, &pid, &reference) != 0) weft_exit(self, WEFT_EXIT_FAULT);
    weft_send(self, pid, 1, NULL, 0);
    say_end(self, "DOWN", weft_receive(self, WEFT_FOREVER));
    weft_monitor(self, pid, &reference); // Too late: told at once.
    say_end(self, "DOWN", weft_receive(self, WEFT_FOREVER));

    // A link: both end together, but who traps exits gets a message instead.
    weft_trap_exit(self, true);
    if (weft_spawn_link(self, &printer, &pid) != 0) weft_exit(self, WEFT_EXIT_FAULT);
    weft_kill(self, pid);
    say_end(self, "EXIT", weft_receive(self, WEFT_FOREVER));

    // Or simply waits for the end.
    if (weft_spawn(self, &hungry, &pid) != 0) weft_exit(self, WEFT_EXIT_FAULT);
    if (weft_join(self, pid, WEFT_FOREVER, &reason) == 0)
        weft_say(self, WEFT_LEVEL_INFO, "joined: %s", weft_exit_name(reason));
}
WEFT_MODULE(ends)
