/* ring.pml: a ring of one producer and one consumer, and the sleep of the consumer
 * (runtime/sched/spsc_ring.c, idle.c, group.c), on a machine that delays stores.
 *
 * Each side has a buffer for each variable that it writes: a store goes there and reaches memory
 * at some later time, those to different variables in any order (as SPARC's PSO; ARM does more, see
 * explore.h for that). A release waits until what was stored before has gone, a full fence until
 * all has. What must hold: every message is received, whole and in order, and nobody sleeps over
 * it for ever.
 *
 * Mutants: -DNO_RELEASE (of head), -DNO_GIVER_FENCE, -DNO_SLEEPER_FENCE, -DNO_SECOND_LOOK.
 */
#ifndef SLOTS
#define SLOTS 2
#endif
#ifndef MESSAGES
#define MESSAGES 5
#endif

/* Memory, and the stores on their way there. */
byte head, tail, asleep;
byte slot[SLOTS];
chan head_store = [2] of { byte };
chan tail_store = [2] of { byte };
chan asleep_store = [2] of { byte };
chan slot_store[SLOTS] = [1] of { byte };

bool bell;      /* The eventfd: rung, or not. */
byte received;

/* What the producer has stored but memory has not. */
#define SLOTS_GONE (empty(slot_store[0]) && empty(slot_store[SLOTS - 1]))

active proctype memory()
{
    byte value;
end:
    do
    :: head_store ? value -> head = value
    :: tail_store ? value -> tail = value
    :: asleep_store ? value -> asleep = value
    :: slot_store[0] ? value -> slot[0] = value
    :: SLOTS > 1 && nempty(slot_store[SLOTS - 1]) ->
        atomic { slot_store[SLOTS - 1] ? value; slot[SLOTS - 1] = value }
    od
}

active proctype producer()
{
    byte own = 0; /* Its head, which it need not read. */
    do
    :: own < MESSAGES ->
        (own - tail < SLOTS); /* Room, as far as it knows. */
        slot_store[own % SLOTS] ! own + 1;
#ifndef NO_RELEASE
        SLOTS_GONE;
#endif
        own++;
        head_store ! own;
#ifndef NO_GIVER_FENCE
        (SLOTS_GONE && empty(head_store));
#endif
        if
        :: asleep == 1 -> asleep = 0; bell = true /* An exchange: at once, in memory. */
        :: else
        fi
    :: else -> break
    od
}

active proctype consumer()
{
    byte own = 0, seen;
    do
    :: received == MESSAGES -> break
    :: else ->
        seen = head;
        if
        :: own != seen ->
            assert(slot[own % SLOTS] == own + 1);
            own++;
            tail_store ! own;
            received++
        :: else -> /* Nothing: it falls asleep. */
            asleep_store ! 1;
#ifndef NO_SLEEPER_FENCE
            (empty(asleep_store) && empty(tail_store));
#endif
#ifndef NO_SECOND_LOOK
            seen = head;
#endif
            if
            :: own != seen
            :: else -> bell; bell = false
            fi;
            asleep_store ! 0
        fi
    od
}
