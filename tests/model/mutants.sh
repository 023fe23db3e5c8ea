#!/bin/sh
# mutants.sh [NAME…]: that the proofs find faults. Puts one fault after the other into a copy of the
# tree, builds the proofs, and says which of them has found it. Exit status 1: one was not found, and
# no reason is given why it need not be. Without names: all of them.
#
#   ./do test mutants                 all: some minutes of two cores
#   ./do test mutants generation      one
#   ./do test mutants --list
#
# A mutant is a name, a file and a sed expression; that it changes the file is checked. The proofs:
#
#   ring    ring_model        the rings and the sleep of cores, every order, weak memory
#   node    node_model        an actor that moves, every order, weak memory
#   replay  weft-replay       random lives, orders from seeds: 300, at last 3000
#   lives   lives_model       random lives, random orders, weak memory, races: 300, at last 1500
#
# What no proof finds the unit tests of the actors are asked for: there it shows in one case only.
#
# One that takes longer than a minute of CPU has found that something does not end. What a unit test
# finds counts only if the test passes without the fault.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cpu_limit_s=60
wall_limit_s=300
names=
only_list=false
for word in "$@"; do
    case $word in
    --list) only_list=true ;;
    -*) echo "usage: mutants.sh [--list] [NAME…]" >&2; exit 64 ;;
    *) names="$names $word" ;;
    esac
done
work=
if ! $only_list; then
    work=$(mktemp -d "${TMPDIR:-/tmp}/weft-mutants.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM
fi
tree=$work/tree
build=$work/build
count=0
found=0
explained=0
missed=0
by_units=0
begun_s=$(date +%s)

compile() {
    ninja -C "$build" tests/model/ring_model tests/model/node_model tests/model/lives_model \
        tests/replay/weft-replay >"$work/build.out" 2>&1
}

prepare() {
    mkdir "$tree"
    (cd "$root" && git ls-files -z --cached --others --exclude-standard | tar -c --null -T - -f -) | tar -x -C "$tree"
    meson setup "$build" "$tree" --buildtype=debugoptimized >"$work/setup.out" 2>&1 || { cat "$work/setup.out"; exit 1; }
    compile || { tail -40 "$work/build.out"; exit 1; }
    # What finds something in the tree as it is finds nothing in a mutant.
    if find_fault runtime/sched/; then
        echo "without any fault: $proof: $reason"
        exit 1
    fi
    echo "built, and nothing was found in the tree as it is, after $(($(date +%s) - begun_s)) s"
}

# ask PROOF COMMAND…: true if the proof fails; then $proof and $reason say how.
ask() {
    proof=$1
    shift
    status=0
    # The outer braces: the shell says itself that a program has crashed.
    { (ulimit -t "$cpu_limit_s" && exec timeout "$wall_limit_s" "$build/tests/$@") >"$work/proof.out" 2>&1; } 2>/dev/null || status=$?
    [ $status != 0 ] || return 1
    reason=$(sed -n -e 's/^replay: seed [0-9]*, at [0-9.]* s: //p' -e 's/^seed [0-9]*: //p' -e 's/.*\(assertion\)/\1/p' \
        -e 's/.*: FAILED: \(.*\)/\1/p' -e 's/^\[  FAILED  \] \([a-z_]*\)$/\1/p' "$work/proof.out" | head -1 | cut -c1-150)
    [ -n "$reason" ] || reason=$(sed -n '/./p' "$work/proof.out" | tail -1 | cut -c1-150)
    case $status in
    124 | 137 | 152) reason='it does not end' ;; # 9 and 24 are what ulimit sends.
    134) ;;                                       # An assertion: it has said which.
    1[2-9][0-9]) reason="signal $((status - 128))" ;;
    esac
}

# find_fault FILE: asks the proofs that run it, the quickest first.
find_fault() {
    ask replay replay/weft-replay --count 300 && return 0
    ask lives model/lives_model --count 300 && return 0
    case $1 in runtime/sched/*) ask ring model/ring_model && return 0 ;; esac
    ask node model/node_model && return 0
    ask replay replay/weft-replay --seed 1000 --count 3000 && return 0
    ask lives model/lives_model --count 1500
}

# find_by_units FILE: asks the unit tests; the file is as it was afterwards.
find_by_units() {
    units=$(cd "$build" && ninja -t targets all | sed -n 's|^\(tests/unit/actor/[a-z_]*_test\): .*|\1|p')
    # shellcheck disable=SC2086
    ninja -C "$build" $units >"$work/build.out" 2>&1 || return 1
    for unit in $units; do
        name=${unit##*/actor_}
        name=actor/${name%_test}
        ask "unit test $name" "${unit#tests/}" || continue
        why=$reason
        cp "$work/original.c" "$tree/$1"
        ninja -C "$build" "$unit" >"$work/build.out" 2>&1
        if ask "unit test $name" "${unit#tests/}"; then
            echo "$2: unit test $name fails without it as well: $reason"
            return 1
        fi
        reason=$why
        return 0
    done
    return 1
}

# mutant NAME FILE EXPRESSION [WHY IT NEED NOT BE FOUND]
mutant() {
    case " $names " in '  ' | *" $1 "*) ;; *) return 0 ;; esac
    if $only_list; then echo "$1 ($2)"; return 0; fi
    count=$((count + 1))
    cp "$root/$2" "$work/original.c"
    sed -e "$3" "$work/original.c" >"$tree/$2"
    if cmp -s "$work/original.c" "$tree/$2"; then
        echo "$1: FAILED: its expression changes nothing in $2"
        missed=$((missed + 1))
        return 0
    fi
    if ! compile; then
        echo "$1: FAILED: it does not compile"
        grep -m3 'error' "$work/build.out" || true
        missed=$((missed + 1))
    elif find_fault "$2"; then
        echo "$1: found by $proof: $reason"
        found=$((found + 1))
    elif find_by_units "$2" "$1"; then
        echo "$1: found by $proof: $reason"
        by_units=$((by_units + 1))
    elif [ -n "${4:-}" ]; then
        echo "$1: not found: $4"
        explained=$((explained + 1))
    else
        echo "$1: FAILED: nothing has found it"
        missed=$((missed + 1))
    fi
    cp "$work/original.c" "$tree/$2"
}

$only_list || prepare

# ---- The rings between cores.
mutant ring_head_release runtime/sched/spsc_ring.c 's/&ring->head, head + 1, memory_order_release/\&ring->head, head + 1, memory_order_relaxed/'
mutant ring_head_acquire runtime/sched/spsc_ring.c 's/&ring->head, memory_order_acquire/\&ring->head, memory_order_relaxed/'
mutant ring_tail_release runtime/sched/spsc_ring.c 's/&ring->tail, tail + 1, memory_order_release/\&ring->tail, tail + 1, memory_order_relaxed/'
mutant ring_tail_acquire runtime/sched/spsc_ring.c 's/&ring->tail, memory_order_acquire/\&ring->tail, memory_order_relaxed/'
mutant ring_one_too_many runtime/sched/spsc_ring.c 's/head - ring->tail_seen > ring->mask/head - ring->tail_seen > ring->mask + 1/'
mutant posts_release runtime/sched/mpsc_ring.c 's/head + 1, memory_order_release/head + 1, memory_order_relaxed/'
mutant posts_acquire runtime/sched/mpsc_ring.c '/bool weft_mpsc_ring_ready/,/^}/ s/memory_order_acquire/memory_order_relaxed/'
mutant posts_next_lap runtime/sched/mpsc_ring.c 's/WEFT_MPSC_RING_SLOTS, memory_order_release/WEFT_MPSC_RING_SLOTS, memory_order_relaxed/'

# ---- The sleep of cores.
mutant sleeper_fence runtime/sched/idle.c '/weft_full_fence(); .. Between .asleep. and the work/d'
mutant sleeper_second_look runtime/sched/idle.c '/^static void fall_asleep/,/^}/ s/if (work_waits(core))/if (false)/'
mutant poster_fence runtime/sched/idle.c '/weft_full_fence(); .. Between the work stored/d'
mutant giver_fence runtime/sched/group.c '/weft_full_fence(); .. Between the rings/d'
mutant giver_forgets runtime/sched/group.c 's/from->wake_mask |= UINT64_C(1) << to;/(void)to;/'

# ---- Moves.
mutant mark_early runtime/actor/migrate.c '/^static void send_marks/,/^}/ s/weft_order(system, (uint16_t)mark->to, mark);/{ mark->link[0] = NULL; weft_core_push(system->core, (uint16_t)mark->to, \&(struct weft_core_message){.kind = WEFT_CORE_MESSAGE_ACTOR, .word = {(uintptr_t)mark}}); }/'
mutant mark_to_one_core runtime/actor/migrate.c 's/^        move->marks_out++;/        if (move->marks_out > 0) { weft_message_release_block(system, mark); continue; } move->marks_out++;/'
mutant place_said_late runtime/actor/migrate.c '/^static void send_marks/,/^}/ s/weft_slot_set_core(.*);//
/^static void marked/,/^}/ s/weft_mute_over(actor);/& weft_slot_set_core(system, actor->pid, move->to + 1u);/'
mutant move_holds_nothing runtime/actor/outbox.c 's/case COMING: hold(system, message); return 0;/case COMING: return weft_mailbox_put(system, weft_slot_actor(system, message->to), message, may_wait);/'
mutant move_held_too_short runtime/actor/migrate.c '/^static void offered/,/^}/ s/system->holding++;/if (system->held.next == \&system->held) system->holding++;/'
mutant move_forgets_frozen runtime/actor/outbox.c 's/actor = weft_move_find(system, message->to);/actor = NULL;/'
mutant move_leaves_deadline runtime/actor/migrate.c 's/if (rare != NULL && rare->deadline_ns != WEFT_FOREVER)/if (false)/'
mutant move_leaves_timers runtime/actor/migrate.c 's/if (actor->edge_count > 0) weft_edge_each(actor, move_in_edge, NULL);/(void)move_in_edge;/'
mutant move_keeps_senders_waiting runtime/actor/migrate.c 's/^        weft_mute_over(actor);//'

# ---- Senders that wait.
mutant mute_not_relieved runtime/actor/mailbox.c 's/bool goes_on = weft_mute_relieve(actor);/bool goes_on = false;/'
mutant mute_kept_at_end runtime/actor/end.c '/^static void let_all_go/,/^}/ s/weft_mute_over(actor);//'
mutant mute_ends_in_dam runtime/actor/end.c 's/if (actor->task.flags & WEFT_ACTOR_MUTED) weft_mute_unlink(actor);//'
mutant mute_busy_waits runtime/actor/mute.c 's/           is_waited_for(actor);/           (is_waited_for(actor) \&\& false);/'
mutant mute_for_ever runtime/actor/wait.c 's/if (rare->patience_ns == 0) rare->patience_ns = .*;/rare->patience_ns = WEFT_FOREVER;/'
mutant mute_order_lost runtime/actor/mute.c 's/    if (block != NULL) break_dam(system, block);$/    (void)block;/'

# ---- Slots and ends.
mutant generation runtime/actor/slot.c 's/actor->task.number = generation + 1;/actor->task.number = generation;/'
mutant corpse_has_a_core runtime/actor/end.c 's/^    __atomic_store_n(&actor->system, NULL, __ATOMIC_RELAXED);.*//' \
    'it matters where a node ends while one that has died is on its way home: a matter of luck'
mutant end_keeps_promise runtime/actor/end.c '/^    else if (actor->kind->main != NULL)$/,/weft_stack_unpromise/d'
mutant end_leaves_timer runtime/actor/timer.c '/^void weft_timer_end/,/^}/ s/weft_wheel_cancel(.*);//'
mutant stack_not_home runtime/actor/wait.c 's/if (unlikely(!weft_stacks_owns(system->stacks, stack)))/if (false)/
s/^static void send_stack_home/__attribute__((unused)) &/'

# ---- Signals.
mutant down_lost runtime/actor/monitor.c 's/fire(system, down, down->from, down->to, WEFT_EXIT_NOPROC);/weft_message_release_block(system, down);/'
mutant down_twice runtime/actor/monitor.c '/^static void demonitor/,/^}/ s/if (down != NULL) {/if (false) {/'
mutant link_forgets_other runtime/actor/link.c 's/requests_of(edge)->other = requests_of(there)->other;//'
mutant unlink_takes_any runtime/actor/link.c 's/if (left->own == gone->own) left->own = 0;/left->own = 0;/'
mutant link_to_nobody runtime/actor/link.c '/^void weft_link_arrived/,/^}/ s/^        weft_signal(system, there);/        weft_message_release_block(system, there);/'
mutant group_not_told runtime/actor/group.c '/^void weft_member_end/,/^}/ s/tell_others(system, leaves_of(edge)->first);/free_chain(system, leaves_of(edge)->first);/'

# ---- Messages, calls, the ledger.
mutant call_dropped_unanswered runtime/actor/mailbox.c '/^int weft_mailbox_drop/,/^}/ s/if (message->tag == WEFT_MESSAGE_CALL)/if (message->tag == WEFT_MESSAGE_CALL \&\& (message->tag = 0, false))/'
mutant reply_to_wrong_call runtime/actor/mailbox.c 's/if (message->reference == actor->awaited) {/if (actor->awaited != WEFT_REFERENCE_NONE) {/'
mutant cycle_not_seen runtime/actor/call.c 's/return call->from == actor->pid || is_on_trail(actor, call) || steps_to(actor, call->from) > 0;/(void)is_on_trail; return call->from == actor->pid;/'
mutant drop_not_counted runtime/actor/mailbox.c '/^int weft_mailbox_drop/,/^}/ s/if (!is_control(message)) weft_drop_add.*;/(void)why;/'
mutant received_not_counted runtime/actor/mailbox.c 's/if (!is_control(message)) actor->system->received++;//'
mutant cursor_not_moved runtime/actor/mailbox.c 's/^    weft_cursors_removed(rare, message);//'
mutant deadline_not_armed_again runtime/actor/wait.c 's/^        weft_wheel_arm(&actor->system->core->wheel, timer, rare->deadline_ns);/        (void)timer;/'
mutant tick_lost runtime/actor/timer.c 's/^        alarm_of(edge)->message = tick;/        weft_message_release_block(system, tick);/'

$only_list && exit 0
[ $count -gt 0 ] || { echo "mutants: there is none of these names:$names" >&2; exit 64; }
echo "$count mutants: $found found by proofs, $by_units by unit tests, $explained not found and explained, $missed FAILED (after $(($(date +%s) - begun_s)) s)"
[ $missed = 0 ]
