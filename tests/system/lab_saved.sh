#!/bin/sh
# States of units as files: from one node to another, all of a node at one instant, and what comes
# back of a node whose process was killed in the middle of its work.
#   lab_saved.sh root|user
set -eu
. "$(dirname "$0")/lab.sh"
as "$1"
need_namespaces
start_lab

meet() { weft swarm status -o json | "$json_get" alive | grep -qx 3; }
is() { [ "$1" = "$2" ] || fail "'$1' is not '$2'${3+: $3}"; }
load() { # NODE NAME TEXT
    printf '%s\n' "$3" | weft unit load "$1" - --name "$2" >/dev/null 2>"$work/said" ||
        fail "$1/$2 does not load: $(cat "$work/said")"
}
said() { weft --timeout 25s unit eval "$1" "$2" | tr -d ' \r\n'; } # UNIT TEXT: answered when the disk has it.
field() { weft lab ls -o json | "$json_get" items "$1" "$2"; }
files=$work/run
await 10 meet

note "a unit is saved on one node and restored on another"
load n1 traveller 'VARIABLE n 2 CHANNEL CONSTANT ch 7 ch SEND : main BEGIN RECEIVE 2DROP NIP n +! AGAIN ;
S" tick" 600000 AFTER CONSTANT t  41 n !'
echo half >"$files/t.unit.weft-new" # As a power cut leaves it of another save.
echo theirs >"$files/t.unit.new"
weft unit save n1/traveller "$files/t.unit" 2>"$work/said" || fail "unit save: $(cat "$work/said")"
[ ! -e "$files/t.unit.weft-new" ] || fail 'what was left beside the file is still there'
is "$(cat "$files/t.unit.new")" theirs
rm "$files/t.unit.new"
grep -q 'saved n1/traveller' "$work/said" || fail "unit save says: $(cat "$work/said")"
weft unit restore n2 "$files/t.unit" --name arrived 2>"$work/said" || fail "unit restore: $(cat "$work/said")"
is "$(said n2/arrived '1 n +! n @ . ch RECV . t CANCEL .')" 4270
is "$(said n1/traveller 'n @ . ch RECV .')" 417
weft unit save n1/traveller - >"$files/out.unit"
is "$(head -c 4 "$files/out.unit")" WFUA
weft -o json unit save n1/traveller "$files/t.unit" | "$json_get" unit | grep -qx traveller || fail "-o json"
expect_exit 1 "already" weft unit restore n2 "$files/t.unit" --name arrived
expect_exit 1 "no unit" weft unit save n1/nobody "$files/x.unit"
[ ! -e "$files/x.unit" ] || fail "a file of nothing"

note "a file that is no unit is refused, with why"
echo 'nothing of the kind, whatever it is' >"$work/share/no.unit"
expect_exit 65 "no unit's state" weft unit restore n2 "$work/share/no.unit" --name no
head -c 60 "$files/t.unit" >"$work/share/cut.unit"
expect_exit 65 "cut off" weft unit restore n2 "$work/share/cut.unit" --name no
{ head -c 600 "$files/t.unit"; printf x; tail -c +602 "$files/t.unit"; } >"$work/share/bad.unit"
expect_exit 65 "damaged" weft unit restore n2 "$work/share/bad.unit" --name no
expect_exit 65 "no snapshot" weft node snapshot restore n2 "$work/share/no.unit"
expect_exit 64 "save or restore" weft node snapshot keep n2 "$work/share/no.unit"

note "a ring of units and its one token, at one instant, on another node"
ring='VARIABLE next VARIABLE stop VARIABLE has VARIABLE hops
: pass S" token" next @ SEND-TO DROP ;
: main BEGIN RECEIVE 2DROP 2DROP 1 hops +! stop @ IF 1 has +! ELSE pass THEN AGAIN ; main'
for n in 1 2 3 4; do load n1 "r$n" "$ring"; done
for n in 1 2 3 4; do
    to=$((n % 4 + 1))
    pid=$(said "n1/r$to" 'SELF .')
    said "n1/r$n" "$pid next !" >/dev/null
done
said n1/r1 pass >/dev/null
goes_round() { [ "$(said "$1/r2" 'hops @ 1000 > .')" = -1 ]; }
await 10 goes_round n1
for round in 1 2 3; do
    weft node snapshot save n1 "$files/ring.$round" 2>"$work/said" || fail "snapshot save: $(cat "$work/said")"
done
weft unit unload n2/arrived >/dev/null 2>&1
empty() { # NODE: of all that n1 had.
    for name in $(weft unit ls n1 -o json | grep -o '"name": *"[^"]*"' | cut -d'"' -f4); do
        weft --timeout 25s unit unload "$1/$name" >/dev/null 2>&1 || fail "$1/$name is not unloaded"
    done
}
tokens() { # NODE
    for n in 1 2 3 4; do said "$1/r$n" 'TRUE stop !' >/dev/null; done
    sleep 0.2 # There may be a second one on its way: nothing says that there is none.
    sum=0
    for n in 1 2 3 4; do sum=$((sum + $(said "$1/r$n" 'has @ .'))); done
    echo "$sum"
}
for round in 1 2 3; do
    weft node snapshot restore n3 "$files/ring.$round" 2>"$work/said" || fail "snapshot restore: $(cat "$work/said")"
    before=$(said n3/r3 'hops @ .')
    goes_on() { [ "$(said n3/r3 "hops @ $before > .")" = -1 ]; }
    await 30 goes_on
    is "$(tokens n3)" 1 "tokens after restore $round"
    is "$(said n3/traveller 'n @ .')" 41
    expect_exit 1 "is here" weft node snapshot restore n3 "$files/ring.$round"
    weft node snapshot restore n3 "$files/ring.$round" --replace 2>"$work/said" || fail "--replace: $(cat "$work/said")"
    before=$(said n3/r3 'hops @ .') # Fewer than before: it counts from where it was saved.
    await 30 goes_on
    is "$(tokens n3)" 1 "tokens after --replace $round"
    empty n3
done

note "several restores at once: one of them, and the others are told to come again"
for turn in 1 2 3 4; do
    (code=0; weft node snapshot restore n3 "$files/ring.1" --replace 2>"$work/said.$turn" || code=$?
        echo "$code" >"$work/exit.$turn") &
    eval "restore_$turn=$!"
done
# shellcheck disable=SC2154 # Set by the eval.
wait "$restore_1" "$restore_2" "$restore_3" "$restore_4"
for turn in 1 2 3 4; do
    case $(cat "$work/exit.$turn") in
    0) ;;
    75) grep -q W0405 "$work/said.$turn" || fail "busy, but: $(cat "$work/said.$turn")" ;;
    *) fail "a restore among others: $(cat "$work/said.$turn")" ;;
    esac
done
grep -qx 0 "$work"/exit.? || fail "none of them was done"
goes_round n3 || await 10 goes_round n3
is "$(tokens n3)" 1 "tokens after several restores"
empty n3
is "$(tokens n1)" 1 "on n1, which went on"

note "the process of n2 is killed while its units work"
load n2 worker 'VARIABLE n : main UNIT-SAVE DROP BEGIN 1 n +! 1 MS AGAIN ; main'
load n2 friend 'VARIABLE got : main BEGIN RECEIVE 2DROP 2DROP 1 got +! AGAIN ; main'
pid=$(said n2/friend 'SELF .')
load n2 speaker "VARIABLE said : main UNIT-SAVE DROP BEGIN S\" x\" $pid SEND-TO DROP 1 said +! 5 MS AGAIN ; main"
worked() { [ "$(said n2/worker 'n @ 300 > .')" = -1 ]; }
await 20 worked
old=$(field 1 process_id)
at=$(said n2/worker 'n @ .')
sleep 1.3 # Longer than units.journal_interval: what was done meanwhile is not lost, either.
kill -9 "$old"
restarted() { [ "$(field 1 restarts)" = 1 ] && [ "$(field 1 state)" = ready ]; }
await 30 restarted
now=$(said n2/worker 'n @ .')
[ "$now" -gt "$at" ] || fail "the worker is back at $now; it had been at $at a second before the end"
works() { [ "$(said n2/worker 'n @ .')" -gt "$((now + 20))" ]; }
await 10 works
got=$(said n2/friend 'got @ .')
hears() { [ "$(said n2/friend 'got @ .')" -gt "$((got + 5))" ]; }
await 10 hears # From the speaker, by the pid that it had before.

rm -f "$files"/*.unit "$files"/ring.*
weft lab down >/dev/null
wait "$up" || fail "the lab exited $?"
nothing_left
echo done
