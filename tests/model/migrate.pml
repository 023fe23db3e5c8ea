/* migrate.pml: what actors send each other while they move between cores (runtime/actor/migrate.c,
 * outbox.c, monitor.c, end.c).
 *
 * A watches S; S sends A its messages and ends; both may move, and cores may ask each other for
 * actors, at every moment. What must hold: A gets the messages in order, each once, then one DOWN,
 * and nothing behind it; when nothing moves any more, nothing is left over.
 *
 * A core is a process whose steps are the runtime's: it takes one message from a ring and does what
 * it says; lets an actor of its own do something; starts a move. Where a core reads a location and
 * then sends, others may come in between. Memory is strong here: what a weak one adds is tested on
 * the C code itself (node_model.c).
 *
 * Sizes: -DCORES=n -DMESSAGES=n -DMOVES=n (of each actor) -DPULLS=n (of all cores).
 * Mutants: -DNO_MARKS (the actor leaves at once), -DNO_MARK_TO_NEW (but its new core is not asked),
 * -DNO_HOLD (what is for one about to come is put into its mailbox), -DNO_FIND (what comes for a
 * frozen one is sent after it), -DHELD_LIFO, -DLATE_LOCATION (it is named as gone when it has gone).
 */
#ifndef CORES
#define CORES 3
#endif
#ifndef MESSAGES
#define MESSAGES 2
#endif
#ifndef MOVES
#define MOVES 1
#endif
#ifndef PULLS
#define PULLS 1
#endif

#define A      0
#define S      1
#define ACTORS 2
#define NOWHERE 255
#define NOBODY  255

mtype = { MSG, DOWN, MONITOR, OFFER, PULL, WISH, MARK, MARKED, ARRIVE };

/* kind, actor, value: of a message its number, of an order the core that it comes from. */
chan ring[CORES * CORES] = [6] of { mtype, byte, byte };
#define RING(from, to) ring[(from) * CORES + (to)]
chan held[CORES] = [6] of { mtype, byte, byte };
chan mailbox[ACTORS] = [6] of { mtype, byte };

byte place[ACTORS];     /* `location`: any core reads it. */
byte hands[ACTORS];     /* `system`: who may touch it. */
bool frozen[ACTORS];    /* Stands in a list of moves of the core in whose hands it is. */
byte to_core[ACTORS];
byte marks_out[ACTORS];
byte holding[CORES];

byte moves[ACTORS];
byte pulls;
byte sent, got, downs;
bool watched;           /* The MONITOR has come to S. */
bool asked;             /* A has sent it. */

inline put(a, kind, value) {
    if
    :: kind == MONITOR -> watched = true
    :: else -> mailbox[a] ! kind, value
    fi
}

/* weft_outbox_deliver, of what is for actor `a`, on core `me`. */
inline deliver(kind, a, value) {
    if
    :: place[a] == me && hands[a] == me -> put(a, kind, value)
    :: place[a] == me && hands[a] != me ->
#ifdef NO_HOLD
        put(a, kind, value)
#else
        held[me] ! kind, a, value
#endif
    :: place[a] == NOWHERE
    :: place[a] != me && place[a] != NOWHERE ->
        if
#ifndef NO_FIND
        :: hands[a] == me && frozen[a] -> put(a, kind, value)
#else
        :: false
#endif
        :: else -> RING(me, place[a]) ! kind, a, value
        fi
    fi
}

/* weft_route, as far as it goes in one step: `where` was read before. */
inline route(kind, a, value) {
    if
    :: where == me && hands[a] == me -> put(a, kind, value)
    :: where == me && hands[a] != me ->
#ifdef NO_HOLD
        put(a, kind, value)
#else
        held[me] ! kind, a, value
#endif
    :: where == NOWHERE
    :: where != me && where != NOWHERE -> RING(me, where) ! kind, a, value
    fi
}

/* send_marks: says that it is on its new core, and asks everybody. */
inline mark(a, to) {
    to_core[a] = to;
#ifndef LATE_LOCATION
    place[a] = to;
#endif
    marks_out[a] = 0;
    i = 0;
    do
    :: i < CORES ->
#ifdef NO_MARK_TO_NEW
        if
        :: i != me && i != to -> marks_out[a]++; RING(me, i) ! MARK, a, me
        :: else
        fi;
#else
        if
        :: i != me -> marks_out[a]++; RING(me, i) ! MARK, a, me
        :: else
        fi;
#endif
        i++
    :: else -> break
    od;
    i = 0
}

inline leave(a) {
#ifdef LATE_LOCATION
    place[a] = to_core[a];
#endif
    frozen[a] = false;
    RING(me, to_core[a]) ! ARRIVE, a, me
}

inline deliver_held() {
    i = len(held[me]);
    do
    :: i > 0 ->
        i--;
        held[me] ? k, x, v;
#ifdef HELD_LIFO
        j = i;
        do /* The last one first. */
        :: j > 0 -> held[me] ! k, x, v; held[me] ? k, x, v; j--
        :: else -> break
        od;
#endif
        deliver(k, x, v)
    :: else -> break
    od
}

inline arrived(a) {
    if
    :: a != NOBODY -> hands[a] = me
    :: else
    fi;
    holding[me]--;
    deliver_held()
}

inline obey(kind, a, from) {
    if
    :: kind == OFFER -> holding[me]++; RING(me, from) ! PULL, a, me
    :: kind == PULL ->
#ifdef NO_MARKS
        place[a] = from; to_core[a] = from; leave(a)
#else
        mark(a, from);
        if
        :: marks_out[a] == 0 -> leave(a)
        :: else
        fi
#endif
    :: kind == WISH -> /* Somebody wants what it can get. */
        if
        :: hands[A] == me && place[A] == me && !frozen[A] ->
            frozen[A] = true; mark(A, from)
        :: hands[S] == me && place[S] == me && !frozen[S] ->
            frozen[S] = true; mark(S, from)
        :: RING(me, from) ! ARRIVE, NOBODY, me
        fi
    :: kind == MARK -> RING(me, from) ! MARKED, a, me
    :: kind == MARKED ->
        marks_out[a]--;
        if
        :: marks_out[a] == 0 -> leave(a)
        :: else
        fi
    :: kind == ARRIVE -> arrived(a)
    fi
}

/* Some other core, in `i`. */
inline choose_core() {
    if
    :: me != 0 -> i = 0
    :: me != 1 -> i = 1
#if CORES > 2
    :: me != 2 -> i = 2
#endif
    fi
}

#define IS_HERE(a)  (hands[a] == me && place[a] == me && !frozen[a])
#define IS_ORDER(k) (k != MSG && k != DOWN && k != MONITOR)

proctype core(byte me)
{
    byte i = 0, where = NOBODY, x, v;
    mtype k;
#ifdef HELD_LIFO
    byte j = 0;
#endif
end:
    do
    /* One message from some ring. */
    :: atomic {
        if
        :: RING(0, me) ? k, x, v
        :: RING(1, me) ? k, x, v
#if CORES > 2
        :: RING(2, me) ? k, x, v
#endif
        fi;
        if
        :: IS_ORDER(k) -> obey(k, x, v)
        :: else -> deliver(k, x, v)
        fi
    }
    /* A asks to be told of S's end. */
    :: atomic { IS_HERE(A) && !asked -> asked = true; where = place[S] };
        atomic { route(MONITOR, S, 0); where = NOBODY }
    /* A takes what it has. */
    :: atomic {
        IS_HERE(A) && nempty(mailbox[A]) -> mailbox[A] ? k, v;
        if
        :: k == MSG -> assert(v == got + 1); assert(downs == 0); got++
        :: k == DOWN -> assert(downs == 0); assert(got == MESSAGES); downs++
        fi
    }
    /* S sends the next, or ends. */
    :: atomic { IS_HERE(S) && sent < MESSAGES -> sent++; where = place[A] };
        atomic { route(MSG, A, sent); where = NOBODY }
    :: atomic { IS_HERE(S) && sent == MESSAGES && watched -> place[S] = NOWHERE; where = place[A] };
        atomic { route(DOWN, A, 0); hands[S] = NOBODY; where = NOBODY }
    /* One of its own goes elsewhere. */
    :: atomic {
        IS_HERE(A) && moves[A] < MOVES -> moves[A]++; frozen[A] = true; choose_core();
        RING(me, i) ! OFFER, A, me;
        i = 0
    }
    :: atomic {
        IS_HERE(S) && moves[S] < MOVES -> moves[S]++; frozen[S] = true; choose_core();
        RING(me, i) ! OFFER, S, me;
        i = 0
    }
    /* It asks another core for some. */
    :: atomic {
        pulls < PULLS -> pulls++; holding[me]++; choose_core();
        RING(me, i) ! WISH, 0, me;
        i = 0
    }
    od
}

init
{
    byte i = 0;
    atomic {
        hands[S] = 1; place[S] = 1; /* A on core 0, S on core 1. */
        run core(0); run core(1);
#if CORES > 2
        run core(2)
#endif
    }
    /* When nobody can do anything any more: */
    timeout;
    assert(got == MESSAGES && downs == 1);
    assert(!frozen[A] && hands[A] == place[A]);
    do
    :: i < CORES -> assert(holding[i] == 0 && empty(held[i])); i++
    :: else -> break
    od
}
