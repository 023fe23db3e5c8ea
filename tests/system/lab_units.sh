#!/bin/sh
# Units among units, as a user has them: spawned, taught, given goals, on one node and from node to
# node of a swarm of three.
set -eu
. "$(dirname "$0")/lab.sh"
as "$1"
need_namespaces
start_lab --workers 2

meet() { weft swarm status -o json | "$json_get" alive | grep -qx 3; }
is() { [ "$1" = "$2" ] || fail "'$1' is not '$2'${3+: $3}"; }
load() { # NODE NAME TEXT
    printf '%s\n' "$3" | weft unit load "$1" - --name "$2" >/dev/null 2>&1 || fail "$1/$2 does not load"
}
said() { weft unit eval "$1" "$2" | tr -d ' \r\n'; } # UNIT TEXT
await 10 meet

note "the examples print what stands beside them"
for example in coordinator worker-pool pipeline producer-consumer; do
    weft unit load n1 "$examples/$example.fth" >/dev/null 2>&1 || fail "$example does not load"
    weft unit eval "n1/$example" main >"$work/said" || fail "$example: main"
    cmp -s "$work/said" "$examples/$example.out" || fail "$example printed: $(cat "$work/said")"
    weft unit unload "n1/$example" >/dev/null 2>&1
done

note "many units of one source"
metric() { weft api GET /metrics -n n1 | sed -n "s/^$1 //p"; }
modules() { # Of the node, and of those how many each core has.
    for name in weft_unit_modules 'weft_core_unit_modules{core="1"}' 'weft_core_unit_modules{core="2"}'; do
        metric "$name"
    done | tr '\n' ' '
}
alone() { [ "$(metric weft_unit_modules)" = 1 ]; } # The unit that the lab has loaded.
await 10 alone
set -- $(modules)
weft unit load n1 "$examples/counter.fth" --count 4 >/dev/null 2>"$work/loaded" || fail "unit load --count"
is "$(cat "$work/loaded" | tr '\n' ' ')" "loaded n1/counter-1 loaded n1/counter-2 loaded n1/counter-3 loaded n1/counter-4 "
is "$(said n1/counter-3 '7 add total .')" 7
is "$(said n1/counter-4 'total .')" 0
note "whose words the node has once, whatever its cores"
is "$(modules)" "$(($1 + 1)) $(($2 + 1)) $(($3 + 1)) "
held=$(metric weft_unit_module_bytes)
[ "$held" -gt 100 ] || fail "$held bytes of modules"
weft unit load n1 "$examples/counter.fth" --name counter-5 >/dev/null 2>&1 || fail "a fifth"
is "$(metric weft_unit_module_bytes)" "$held"
weft unit unload n1/counter-5 >/dev/null 2>&1
is "$(modules)" "$(($1 + 1)) $(($2 + 1)) $(($3 + 1)) "
expect_exit 64 "from 1 to" weft unit load n1 "$examples/counter.fth" --count 0

note "goals are spread over them"
load n1 boss ': give 8 0 do goal" 1 add" drop loop ; '
weft unit eval n1/boss give >/dev/null
added() { is_added=0; for n in 1 2 4; do is_added=$((is_added + $(said "n1/counter-$n" 'total .'))); done
    is_added=$((is_added + $(said n1/counter-3 'total .') - 7)); [ "$is_added" = 8 ]; }
await 10 added

note "a word for the siblings, and for the other nodes"
load n2 willing '2 LEARNS'
load n3 unwilling ''
load n1 teacher ': sq ( n -- n ) dup * ;'
weft unit eval n1/teacher 'SHARE-WORD sq' >/dev/null
knows() { [ "$(said "$1" '9 sq .' 2>/dev/null)" = 81 ]; }
await 10 knows n1/counter-2
peers() { [ "$(said n1/teacher 'PEERS . 2drop')" = 2 ]; }
await 10 peers
is "$(said n1/teacher 's" n2" node drop peers drop rot tuck = rot rot = or .')" -1
shared() { weft unit eval n1/teacher 'SHARE sq' >/dev/null && knows n2/willing; }
await 10 shared
is "$(said n3/unwilling '[UNDEFINED] sq .')" -1

note "what was spawned is seen as an actor, and can be killed"
load n1 parent ': waits receive ; variable pid'
pid=$(said n1/parent "0 ' waits spawn pid ! pid @ .")
listed() { weft actor ls n1 -o json | grep -q "parent"; }
await 10 listed
is "$(said n1/parent 'pid @ kill . pid @ join . .')" 010 "$pid"

weft lab down >/dev/null
wait "$up" || fail "the lab exited $?"
nothing_left
echo done
