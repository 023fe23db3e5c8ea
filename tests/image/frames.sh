#!/bin/sh
# Two machines, their cards behind an SMMUv3 in the hands of vfio-pci, a wire that loses nothing: units of both send
# each other messages, and every frame that one card sends the other one receives. 20 000 frames; WEFT_ALL=yes: a million.
. "$(dirname "$0")/lib.sh"

model=${1:-virtio}
laps=1 # Of 20 000 frames: a command ends within a minute.
[ "${WEFT_ALL:-no}" = no ] || laps=50
window=32
rounds=313

for number in 1 2; do
    machine n$number
    give "$at" $number 2
    printf '\n[units]\neval_timeout = "1h"\neval_reductions = 4_000_000_000\n' >>"$work/weft.toml"
    vm_put "$at" "$work/weft.toml" weft.toml
    start "$at" $number 2 "$model"
done
for number in 1 2; do expect "$work/n$number" "$vm_ready"; done
weft 1 port show -o json >"$work/port.json"
grep -q '"bypass": *"full"' "$work/port.json" || fail "packets do not pass the kernel by: $(cat "$work/port.json")"

cat >"$work/echo.fth" <<'FORTH'
: serve begin receive 1 = if send-host drop else 2drop drop then again ;
serve
FORTH
cat >"$work/blast.fth" <<'FORTH'
: other ( -- host ) begin s" n2" node while drop yield repeat ;
: volley ( window host -- )
  over 0 do begin s" sixteen letters!" 2 pick send-host while yield repeat loop
  drop 0 do receive 2drop 2drop loop ;
: blast ( rounds window -- ) other rot 0 do 2dup volley loop 2drop ;
FORTH

# One counter: frames that a port sent or received.
count() { weft "$1" port show -o json | sed -n "s/.*\"$2_packets\": *\([0-9]*\).*/\1/p"; }
# gap FROM TO: frames that one has sent and the other has not received. What was sent before the other card was up is
# gone, and heartbeats go on: so the least of several looks, and the receiver's counter before the sender's.
look() {
    got=$(count "$2" rx)
    sent=$(count "$1" tx)
    [ -n "$got" ] && [ -n "$sent" ] || fail 'a node does not tell its counters'
}
gap() {
    least=1000000000
    for turn in 1 2 3 4 5 6; do
        look "$1" "$2"
        [ $((sent - got)) -ge $least ] || least=$((sent - got))
    done
    [ $least -ge 0 ] || least=0 # A card may tell late of what it has sent; nobody receives more than that.
    echo $least
}
# agree FROM TO GAP: the gap is what it was. A frame that was lost would widen it for ever.
agree() {
    tries=0
    while [ $tries -lt 20 ]; do
        look "$1" "$2"
        [ $((sent - got)) -gt "$3" ] || return 0
        tries=$((tries + 1))
    done
    fail "n$1 sent $sent frames, n$2 received $got; the gap was $3 before"
}

before_there=$(gap 1 2)
before_back=$(gap 2 1)
weft 2 unit load "$work/echo.fth" >/dev/null || fail 'the echo was not loaded'
weft 1 unit load "$work/blast.fth" >/dev/null || fail 'the sender was not loaded'
lap=0
while [ $lap -lt $laps ]; do
    lap=$((lap + 1))
    weft 1 --timeout 60s unit eval n1/blast "$rounds $window blast .\" done\"" >"$work/done" || fail "lap $lap: the messages did not come back: $(cat "$work/done")"
    grep -q done "$work/done" || fail "lap $lap: the sender did not end: $(cat "$work/done")"
done

agree 1 2 "$before_there"
agree 2 1 "$before_back"
[ "$sent" -ge $((laps * 10000)) ] || fail "only $sent frames passed"
ok "$model: $((laps * rounds * window)) messages each way, every frame of both was received ($sent back)"
