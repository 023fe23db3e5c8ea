#!/bin/sh
# A unit and those that it has spawned, on a node whose process is killed at any moment, and one
# that is stopped: the family comes back, and finishes what it had begun.
#   lab_family.sh root|user
set -eu
. "$(dirname "$0")/lab.sh"
as "$1"
need_namespaces
start_lab

meet() { weft swarm status -o json | "$json_get" alive | grep -qx 3; }
is() { [ "$1" = "$2" ] || fail "'$1' is not '$2'${3+: $3}"; }
said() { weft --timeout 25s unit eval "$1" "$2" | tr -d ' \r\n'; } # UNIT TEXT
field() { weft lab ls -o json | "$json_get" items "$1" "$2"; }
await 10 meet

cat >"$work/share/boss.fth" <<'FTH'
\ Rounds of eight agents; each says what it was asked, or the round was bad.
VARIABLE rounds VARIABLE total VARIABLE bad
CREATE kids 8 CELLS ALLOT
: agent ( n -- n*n ) 10 0 DO I 3 MOD 5 * MS LOOP DUP * ;
: hire 8 0 DO I 1+ 1 ['] agent SPAWN kids I CELLS + ! LOOP ;
: collect 0 total ! 8 0 DO kids I CELLS + @ JOIN 0= IF 1 = IF total +! THEN ELSE DROP THEN LOOP ;
: main UNIT-SAVE DROP
  BEGIN hire collect total @ 204 <> IF 1 bad +! THEN 1 rounds +! rounds @ 60 = UNTIL
  BEGIN RECEIVE 2DROP 2DROP AGAIN ;
main
FTH
cat >"$work/share/keeper.fth" <<'FTH'
\ Three that count, one of them detached, and a channel that they share.
VARIABLE kid VARIABLE other 4 CHANNEL CONSTANT asks 4 CHANNEL CONSTANT answers
: count ( n -- ) BEGIN 1+ asks 1 RECV-FOR IF DROP ELSE DROP DUP answers SEND THEN AGAIN ;
0 1 ' count SPAWN kid !  0 1 ' count SPAWN other !  0 1 ' count SPAWN DETACH DROP
: counted ( -- n ) 1 asks SEND answers RECV ;
FTH
chmod a+r "$work/share"/*.fth

note "a coordinator and its agents, killed at any moment"
weft unit load n2 "$work/share/boss.fth" --name boss >/dev/null 2>"$work/said" || fail "$(cat "$work/said")"
weft unit load n2 "$work/share/keeper.fth" --name keeper >/dev/null 2>"$work/said" || fail "$(cat "$work/said")"
kills=0
for pause in 0.2 1.3 0.6 2.1 0.05; do # The lab waits twice as long each time: 15 s in all.
    sleep "$pause" # Not to wait for anything: this is the moment.
    kill -9 "$(field 1 process_id)"
    kills=$((kills + 1))
    restarted() { [ "$(field 1 restarts)" = "$kills" ] && [ "$(field 1 state)" = ready ]; }
    await 30 restarted
done
finished() { [ "$(said n2/boss 'rounds @ .')" = 60 ]; }
await 60 finished
is "$(said n2/boss 'bad @ .')" 0 "rounds of which a child was lost"

note "those that count have gone on, with the channel that they share"
for round in 1 2 3 4 5 6; do
    [ "$(said n2/keeper 'counted .')" -gt 0 ] || fail "round $round"
done
is "$(weft actor ls n2 -o json | grep -c '"label": *"keeper"')" 4 "the keeper and its three"

note "stopped in order, and started again"
before=$(said n2/keeper 'counted .')
weft lab stop n2 >/dev/null
weft lab start n2 >/dev/null
is_up() { [ "$(field 1 state)" = ready ]; }
await 30 is_up
for round in 1 2 3; do
    [ "$(said n2/keeper 'counted .')" -gt 0 ] || fail "after the stop, round $round"
done
goes_on() { [ "$(said n2/keeper "counted $before > .")" = -1 ]; }
await 30 goes_on
is "$(weft actor ls n2 -o json | grep -c '"label": *"keeper"')" 4 "the keeper and its three, still"
is "$(said n2/keeper 'kid @ KILL . kid @ JOIN . .')" 010 "one of them ends"
rm -f "$work/share"/*.fth
weft lab down >/dev/null
wait "$up" || fail "the lab exited $?"
nothing_left
echo done
