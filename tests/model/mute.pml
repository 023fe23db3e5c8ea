/* mute.pml: who sends to a full mailbox waits, and who waits goes on (runtime/actor/mute.c,
 * mailbox.c, outbox.c).
 *
 * Three actors on two cores send each other what they like. A mailbox has a limit; one that sends
 * beyond it stands behind a dam for the receiver, on the sender's own core; so does one whose way to
 * the other core is full. The receiver's core tells other cores MUTE, and UNMUTE later. One may move
 * to the other core, one may end. What must hold: when nobody can do anything any more, nobody
 * waits, and no dam, no promise of an UNMUTE and no message is left.
 *
 * With -DCALLS they also wait for answers. Then a circle can close: of one that waits for an answer
 * with a full mailbox, and of those behind its dam. Time has to open it (WAIT_NS_MAX of mute.c); here
 * it passes when nothing else happens. Without calls it must never be needed.
 *
 * Sizes: -DSENDS=n (of each actor but the third) -DTHIRD=n -DLIMIT=n -DMOVES=n -DENDS=n.
 * Mutants: -DBUSY_WAIT (who is full waits all the same), -DNO_UNMUTE_AT_MOVE, -DNO_UNMUTE_AT_END,
 * -DWAY_BY_PLACE (a full way's dam is found by where the receiver is), -DWAY_TO_MAILBOX (who waits
 * for the way waits on for the mailbox), -DNO_TIME, -DMUTE_TWICE (a dam stays when its UNMUTE has
 * come).
 */
#ifndef SENDS
#define SENDS 2
#endif
#ifndef THIRD
#define THIRD 1 /* The one that may move and end. */
#endif
#ifndef LIMIT
#define LIMIT 1
#endif
#ifndef MOVES
#define MOVES 1
#endif
#ifndef ENDS
#define ENDS 1
#endif

#define CORES   2
#define ACTORS  3
#define FACTOR  4 /* MUTE_FACTOR */
#define LONG    1 /* So many messages that wait for the ring make a way full. */
#define NOWHERE 2
#define NOBODY  255

mtype = { MSG, CALL, REPLY, MUTE, UNMUTE };

chan out[CORES] = [8] of { mtype, byte, byte };  /* From that core to the other one: chains, */
chan ring[CORES] = [1] of { mtype, byte, byte }; /* and what has gone. */
chan mailbox[ACTORS] = [8] of { mtype, byte };

byte place[ACTORS];
byte box[ACTORS];      /* Messages that a limit applies to. */
bool busy[ACTORS];
bool told[ACTORS];     /* The other core has a MUTE of it, and will get an UNMUTE. */
bool muted[ACTORS];
bool calling[ACTORS];
byte left[ACTORS];     /* Messages that it will send. */

/* dam[core * ACTORS + receiver]; its waiters, by bit; whether the way is full; whether
 * the receiver's core has said MUTE. */
#define DAM(c, r) ((c) * ACTORS + (r))
bool dam[6], dam_way[6], dam_told[6];
byte waiters[6];

byte moves, ends;

inline let_go_all(d) {
    if
    :: (waiters[d] & 1) != 0 -> muted[0] = false
    :: else
    fi;
    if
    :: (waiters[d] & 2) != 0 -> muted[1] = false
    :: else
    fi;
    if
    :: (waiters[d] & 4) != 0 -> muted[2] = false
    :: else
    fi;
    waiters[d] = 0
}

inline let_one_go(d) {
    if
    :: (waiters[d] & 1) != 0 -> muted[0] = false; waiters[d] = waiters[d] & 6
    :: (waiters[d] & 2) != 0 -> muted[1] = false; waiters[d] = waiters[d] & 5
    :: (waiters[d] & 4) != 0 -> muted[2] = false; waiters[d] = waiters[d] & 3
    fi
}

inline break_dam(d) {
    let_go_all(d);
    dam[d] = false;
    dam_way[d] = false;
    dam_told[d] = false
}

inline unmute_other(r, c) {
    if
    :: told[r] -> told[r] = false; out[c] ! UNMUTE, r, 0
    :: else
    fi
}

/* weft_mute_over: it ends or goes. */
inline mute_over(r, c) {
    unmute_other(r, c);
    if
    :: dam[DAM(c, r)] -> break_dam(DAM(c, r))
    :: else
    fi
}

/* weft_mailbox_drained. */
inline drained(r, c) {
    if
    :: busy[r] && box[r] <= LIMIT / 2 ->
        unmute_other(r, c);
        if
        :: dam[DAM(c, r)] && box[r] > 0 && waiters[DAM(c, r)] != 0 -> let_one_go(DAM(c, r))
        :: else ->
            if
            :: dam[DAM(c, r)] -> break_dam(DAM(c, r))
            :: else
            fi;
            busy[r] = false
        fi
    :: else
    fi
}

/* The answer to a call: no limit applies to it. */
inline answer(to) {
    if
    :: place[to] == c -> calling[to] = false
    :: place[to] == 1 - c -> out[c] ! REPLY, to, 0
    :: else
    fi
}

/* weft_mailbox_put. `over`: the sender has to wait. */
inline put(kind, r, from) {
    over = false;
    if
    :: box[r] >= LIMIT * FACTOR ->
        if
        :: kind == CALL -> answer(from)
        :: else
        fi
    :: else ->
        if
        :: box[r] >= LIMIT -> busy[r] = true; over = true
        :: else
        fi;
        box[r]++;
        mailbox[r] ! kind, from
    fi
}

/* weft_mute_remote. */
inline mute_remote(r, from) {
    if
    :: over && place[from] == 1 - c && !told[r] -> told[r] = true; out[c] ! MUTE, r, 0
    :: else
    fi
}

/* weft_mute_wait. */
inline wait_behind(self, r, is_full) {
    if
#ifndef BUSY_WAIT
    :: busy[self]
#endif
    :: !is_full && (place[r] == c || !dam[DAM(c, r)])
    :: else ->
        if
        :: !dam[DAM(c, r)] -> dam[DAM(c, r)] = true; dam_way[DAM(c, r)] = (place[r] == 1 - c)
        :: else
        fi;
        muted[self] = true;
        waiters[DAM(c, r)] = waiters[DAM(c, r)] | (1 << self)
    fi
}

inline send(self, kind, r) {
    over = false;
    if
    :: place[r] == c -> put(kind, r, self)
    :: place[r] == 1 - c -> over = (len(out[c]) >= LONG); out[c] ! kind, r, self
    :: place[r] == NOWHERE ->
        if
        :: kind == CALL -> calling[self] = false
        :: else
        fi
    fi;
    if
    :: kind == MSG -> wait_behind(self, r, over) /* One that calls waits anyway. */
    :: else
    fi
}

/* What has come from the other core. */
inline receive(kind, r, from) {
    if
    :: kind == MUTE ->
        dam[DAM(c, r)] = true;
#ifdef WAY_TO_MAILBOX
        dam_way[DAM(c, r)] = false;
#endif
        dam_told[DAM(c, r)] = true
    :: kind == UNMUTE ->
        if
#ifdef MUTE_TWICE
        :: dam[DAM(c, r)] -> let_go_all(DAM(c, r))
#else
        :: dam[DAM(c, r)] -> break_dam(DAM(c, r))
#endif
        :: else
        fi
    :: kind == REPLY -> answer(r)
    :: else ->
        if
        :: place[r] == c -> put(kind, r, from); mute_remote(r, from)
        :: place[r] == 1 - c -> out[c] ! kind, r, from
        :: place[r] == NOWHERE ->
            if
            :: kind == CALL -> answer(from)
            :: else
            fi
        fi
    fi
}

/* flush_to, and what follows when all has gone. */
inline flushed() {
    i = 0;
    do
    :: i < ACTORS ->
#ifdef WAY_BY_PLACE
        if
        :: dam[DAM(c, i)] && place[i] == 1 - c -> break_dam(DAM(c, i))
#else
        if
        :: dam[DAM(c, i)] && dam_way[DAM(c, i)] ->
            dam_way[DAM(c, i)] = false;
            if
            :: dam_told[DAM(c, i)] -> let_go_all(DAM(c, i))
            :: else -> break_dam(DAM(c, i))
            fi
#endif
        :: else
        fi;
        i++
    :: else -> break
    od;
    i = 0
}

inline empty_mailbox(a) {
    do
    :: nempty(mailbox[a]) ->
        mailbox[a] ? k, from;
        if
        :: k == CALL -> answer(from)
        :: else
        fi
    :: empty(mailbox[a]) -> break
    od;
    box[a] = 0;
    busy[a] = false
}

#define RUNS(a) (place[a] == c && !muted[a] && !calling[a])

/* What actor `a` may do. */
#define ACTOR(a, b, d)                                                                             \
    :: atomic {                                                                                    \
        RUNS(a) && nempty(mailbox[a]) ->                                                           \
        mailbox[a] ? k, from;                                                                      \
        box[a]--;                                                                                  \
        drained(a, c);                                                                             \
        if                                                                                         \
        :: k == CALL -> answer(from)                                                               \
        :: else                                                                                    \
        fi                                                                                         \
    }                                                                                              \
    :: atomic { RUNS(a) && left[a] > 0 -> left[a]--; send(a, MSG, b) }                             \
    :: atomic { RUNS(a) && left[a] > 0 -> left[a]--; send(a, MSG, d) }

#ifdef CALLS
#define CALLER(a, b)                                                                               \
    :: atomic { RUNS(a) && left[a] > 0 -> left[a]--; calling[a] = true; send(a, CALL, b) }
#else
#define CALLER(a, b)
#endif

proctype core(byte c)
{
    byte i = 0, x, from;
    bool over = false;
    mtype k;
end:
    do
    :: atomic { ring[1 - c] ? k, x, from -> receive(k, x, from) }
    :: atomic {
        nempty(out[c]) && nfull(ring[c]) ->
        out[c] ? k, x, from;
        ring[c] ! k, x, from;
        if
        :: empty(out[c]) -> flushed()
        :: nempty(out[c])
        fi
    }
    ACTOR(0, 1, 2)
    ACTOR(1, 0, 2)
    ACTOR(2, 0, 1)
    CALLER(1, 0) /* Upwards only: calls alone make no circle. */
    CALLER(2, 1)
    /* One that does not wait goes to the other core: marked(). */
    :: atomic {
        moves < MOVES && place[2] == c && !muted[2] -> moves++; place[2] = 1 - c;
#ifndef NO_UNMUTE_AT_MOVE
        mute_over(2, c)
#endif
    }
    /* One ends, whatever it waits for: die(). */
    :: atomic {
        ends < ENDS && place[2] == c -> ends++; place[2] = NOWHERE; left[2] = 0; calling[2] = false;
        if
        :: muted[2] ->
            muted[2] = false;
            i = 0;
            do
            :: i < ACTORS -> waiters[DAM(c, i)] = waiters[DAM(c, i)] & 3; i++
            :: else -> break
            od;
            i = 0
        :: else
        fi;
#ifndef NO_UNMUTE_AT_END
        mute_over(2, c);
#endif
        empty_mailbox(2)
    }
    od
}

init
{
    byte i = 0;
    bool passes = true;
    atomic {
        place[1] = 1;
        left[0] = SENDS; left[1] = SENDS; left[2] = THIRD;
        run core(0);
        run core(1)
    }
    do
    :: timeout ->
        atomic {
            passes = false;
#if defined(CALLS) && !defined(NO_TIME)
            i = 0;
            do
            :: i < CORES * ACTORS ->
                if
                :: waiters[i] != 0 -> let_go_all(i); passes = true
                :: else
                fi;
                i++
            :: else -> break
            od;
            i = 0;
#endif
            if
            :: !passes -> break
            :: else
            fi
        }
    od;
    do
    :: i < ACTORS ->
        assert(!muted[i]);
        assert(!calling[i]);
        assert(!told[i] && !busy[i] && empty(mailbox[i]));
        i++
    :: else -> break
    od;
    i = 0;
    do
    :: i < CORES * ACTORS -> assert(!dam[i]); i++
    :: else -> break
    od
}
