// relief.h: what is done for the others of a core while one of them holds it.
#ifndef WEFT_ACTOR_RELIEF_H
#define WEFT_ACTOR_RELIEF_H

#include "runtime/actor/actor.h"

// Takes in what other cores have sent, so that it waits where it should, answers the cores that ask
// for actors, and calls one if none does. In a signal handler, on the core's own thread, while an
// actor's code and not ours is interrupted. Takes no memory from the arena.
void weft_relieve(struct weft_actor_system *system);

#endif // WEFT_ACTOR_RELIEF_H
