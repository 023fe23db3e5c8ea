#!/bin/sh
# A node that ends by itself is started again; one that was stopped or killed stays down until it is
# started, and its URL says so meanwhile.
#   lab_restart.sh veth|vhost
set -eu
. "$(dirname "$0")/lab.sh"
as user
[ "$1" = vhost ] || need_namespaces
start_lab --link "$1"

field() { weft lab ls -o json | "$json_get" items "$1" "$2"; }
is() { [ "$(field "$1" "$2")" = "$3" ]; }
status_of() { # HTTP status of a node's URL.
    curl -s -o "$work/body" -w '%{http_code}' --max-time 5 "$(field "$1" admin)readyz"
}

note "n3 ends by itself"
old=$(field 2 process_id)
kill -9 "$old"
await 20 is 2 restarts 1
await 20 is 2 state ready
[ "$(field 2 process_id)" != "$old" ] || fail "the same process"
grep -q 'n3 is gone: its process was ended by signal 9' "$work/up.out" || fail "nothing was said"
await 20 grep -q 'n3 is ready' "$work/up.out"

note "n2 is stopped, and started"
expect "n2 is down" weft lab stop n2
is 1 state down || fail "n2 is not down"
expect "n2 is down" weft lab stop n2
if command -v curl >/dev/null; then
    [ "$(status_of 1)" = 503 ] || fail "a dead node's URL does not answer 503"
    grep -q 'weft lab start n2' "$work/body" || fail "503 does not say what to do: $(cat "$work/body")"
fi
expect "n2 is ready" weft lab start n2
expect "n2 is ready" weft lab start n2
if command -v curl >/dev/null; then
    [ "$(status_of 1)" = 200 ] || fail "n2's URL does not answer after its return"
fi

note "n2 is killed, and started; ten times"
for round in 1 2 3 4 5 6 7 8 9 10; do
    expect "n2 is down" weft lab fault kill n2
    expect "n2 is ready" weft lab start n2
done
is 1 restarts 0 || fail "a killed node was started by itself"
weft swarm status n2 >/dev/null || fail "n2 does not answer"
mesh_whole() { [ "$(weft mesh ls n1 -o json | "$json_get" items | grep -o '"state":"alive"' | wc -l)" = 2 ]; }
await 20 mesh_whole

if [ "$1" = vhost ]; then
    note "the switch ends by itself"
    kill -9 "$(weft lab ls -o json | "$json_get" switch_process_id)"
    calc_answers() { [ "$(weft lab udp 10.77.0.11 4200 '21 2 * .' | tr -d ' ')" = 42 ]; }
    await 20 calc_answers
    grep -q 'the switch is gone and starts again' "$work/up.out" || fail "nothing was said"
fi

weft lab down >/dev/null
wait "$up" || fail "the lab exited $?"
nothing_left
echo done
