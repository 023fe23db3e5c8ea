// State machine: a crossing. Cars have green until somebody presses the button; what happens then
// is a matter of states and of time, and each state says only what it knows.
#include <weft/weft.h>

enum { CARS, STOPPING, WALK }; // States.
enum { BUTTON = 1 };           // What may happen, but for time.

#define MS UINT64_C(1000000)

struct crossing {
    unsigned presses;
};

static void cars_enter(struct weft_actor *self, void *data, uint32_t from)
{
    (void)data;
    weft_say(self, WEFT_LEVEL_INFO, "cars: green");
    if (from == WALK) weft_stop(self, WEFT_EXIT_NORMAL); // Once round is enough for an example.
}

static void cars(struct weft_actor *self, void *data, struct weft_message *event)
{
    struct crossing *crossing = data;
    if (event->type != BUTTON) return;
    crossing->presses++;
    weft_machine_next(self, STOPPING);
}

static void stopping_enter(struct weft_actor *self, void *data, uint32_t from)
{
    (void)data, (void)from;
    weft_say(self, WEFT_LEVEL_INFO, "cars: yellow");
    weft_machine_state_timeout(self, 5 * MS); // Gone by itself if the state is left before.
}

// Whoever presses now has what they want coming: the event is not for this state, nor lost.
static void stopping(struct weft_actor *self, void *data, struct weft_message *event)
{
    (void)data;
    if (event->type == BUTTON) weft_machine_postpone(self); // Comes again in the next state.
    if (event->type == WEFT_MACHINE_STATE_TIMEOUT) weft_machine_next(self, WALK);
}

static void walk_enter(struct weft_actor *self, void *data, uint32_t from)
{
    (void)data, (void)from;
    weft_say(self, WEFT_LEVEL_INFO, "cars: red; walk");
    weft_machine_state_timeout(self, 20 * MS);
}

static void walk(struct weft_actor *self, void *data, struct weft_message *event)
{
    struct crossing *crossing = data;
    if (event->type == BUTTON) crossing->presses++; // They walk already.
    if (event->type != WEFT_MACHINE_STATE_TIMEOUT) return;
    weft_say(self, WEFT_LEVEL_INFO, "pressed %u times", crossing->presses);
    weft_machine_next(self, CARS);
}

static const struct weft_machine_state states[] = {
    [CARS] = {"cars", .enter = cars_enter, .event = cars},
    [STOPPING] = {"stopping", .enter = stopping_enter, .event = stopping},
    [WALK] = {"walk", .enter = walk_enter, .event = walk},
};
static const struct weft_machine crossing = {WEFT_MACHINE("crossing", struct crossing, states)};

static void watch(struct weft_actor *self, int argc, char *const *argv)
{
    const struct weft_start start = {.server = &crossing.server};
    weft_pid pid;
    (void)argc, (void)argv;
    if (weft_server_start_link(self, &start, &pid) != 0) weft_exit(self, WEFT_EXIT_FAULT);
    weft_cast(self, pid, BUTTON, NULL, 0);
    weft_cast(self, pid, BUTTON, NULL, 0); // The impatient one.
    weft_join(self, pid, WEFT_FOREVER, NULL);
}
WEFT_MODULE(watch)
