#!/bin/sh
# Three machines on one wire: units of each send messages to units of both others, and every one is answered; datagrams
# go to another machine's unit and come back as they were. WEFT_ALL=yes: more of them.
. "$(dirname "$0")/lib.sh"

model=${1:-virtio}
each=2000
datagrams=200
[ "${WEFT_ALL:-no}" = no ] || { each=20000; datagrams=2000; }
window_size=16
rounds=$((each / window_size))

program wire
vm_wire=$work/wire
"$program" "$vm_wire" >"$work/wire.log" &
wire_pid=$!
for number in 1 2 3; do
    machine n$number
    give "$at" $number 3
    window "$at"
    printf '\n[units]\neval_timeout = "1h"\neval_reductions = 4_000_000_000\n' >>"$work/weft.toml"
    vm_put "$at" "$work/weft.toml" weft.toml
    start "$at" $number 3 "$model"
done
for number in 1 2 3; do expect "$work/n$number" "$vm_ready"; done

cat >"$work/echo.fth" <<'FORTH'
variable got
: serve begin receive 1 = if send-host drop 1 got +! else 2drop drop then again ;
serve
FORTH
cat >"$work/blast.fth" <<'FORTH'
: volley ( window host -- )
  over 0 do begin s" sixteen letters!" 2 pick send-host while yield repeat loop
  drop 0 do receive 2drop 2drop loop ;
: host ( c-addr u -- host ) begin 2dup node while drop yield repeat nip nip ;
: blast ( rounds window host -- ) rot 0 do 2dup volley loop 2drop ;
FORTH
# send FROM TO…: to each, and each has counted as many.
send() {
    from=$1
    shift
    quietly weft "$from" unit load "$work/blast.fth"
    for to in "$@"; do
        quietly weft "$to" unit load "$work/echo.fth"
        weft "$from" --timeout 1h unit eval "n$from/blast" "$rounds $window_size s\" n$to\" host blast .\" done\"" >"$work/done" || fail "n$from to n$to: $(cat "$work/done")"
        grep -q done "$work/done" || fail "n$from to n$to: $(cat "$work/done")"
        count=$(weft "$to" unit eval "n$to/echo" 'got @ .' | tr -d ' \n')
        [ "$count" = $((rounds * window_size)) ] || fail "n$to has counted $count messages of n$from"
        quietly weft "$to" unit unload "n$to/echo"
    done
    quietly weft "$from" unit unload "n$from/blast"
}
send 1 2 3
send 2 3 1
send 3 1 2
ok "$model: six times $((rounds * window_size)) messages, each answered"

quietly weft 2 unit load "$root/docs/examples/udp-echo.fth"
open_window 1 udp udp 10.77.0.12:4207 "$datagrams" || fail 'the module was not taken'
said=
while [ -z "$said" ]; do # Asked over the admin port, which takes its time.
    said=$(weft 1 logs n1 --actor udp | sed -n 's/.*udp: \([0-9]* sent, .*\)/\1/p' | tail -1)
done
[ "$said" = "$datagrams sent, $datagrams came back, 0 of them wrong" ] || fail "datagrams: $said"
ok "$model: datagrams between two machines: $said"
kill "$wire_pid"
wait "$wire_pid" 2>/dev/null || true
grep -q ', 0 lost' "$work/wire.log" || fail "the wire: $(cat "$work/wire.log")"
ok "$(cat "$work/wire.log")"
