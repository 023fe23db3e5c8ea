#!/bin/sh
# On vfio packets pass the kernel by: the node says so, it has no packet socket, and while messages of another machine's
# unit come and are answered the worker's thread makes no system call that could move one.
. "$(dirname "$0")/lib.sh"

model=${1:-virtio}
for number in 1 2; do
    machine n$number
    give "$at" $number 2
    window "$at"
    printf '\n[units]\neval_timeout = "1h"\neval_reductions = 4_000_000_000\n' >>"$work/weft.toml"
    vm_put "$at" "$work/weft.toml" weft.toml
    start "$at" $number 2 "$model"
done
for number in 1 2; do expect "$work/n$number" "$vm_ready"; done
[ "$(weft 1 port show -o json | jq -r '.items[0].bypass')" = full ] || fail "the node: $(weft 1 port show -o json)"

open_window 1 look look || fail 'the module was not taken'
look 1 'read /proc/self/net/packet' >"$work/packet"
look 1 'list /proc/self/fd' >"$work/fds"
grep -q 'vfio' "$work/fds" || fail "no vfio among its descriptors: $(cat "$work/fds")"
for inode in $(awk 'NR > 1 { print $NF }' "$work/packet"); do
    ! grep -q "socket:\[$inode\]" "$work/fds" || fail 'weftd has a packet socket'
done
ok "bypass full; no packet socket among the $(wc -l <"$work/fds") descriptors of weftd"

printf ': serve begin receive 1 = if send-host drop else 2drop drop then again ;\nserve\n' >"$work/echo.fth"
cat >"$work/blast.fth" <<'FORTH'
: other ( -- host ) begin s" n1" node while drop yield repeat ;
: blast ( count -- ) other swap 0 do s" sixteen letters!" 2 pick send-host drop receive 2drop 2drop loop drop ;
FORTH
quietly weft 1 unit load "$work/echo.fth"
quietly weft 2 unit load "$work/blast.fth"
before=$(weft 1 port show -o json | jq -r '.items[0].rx_packets')
weft 2 --timeout 1h unit eval n2/blast '5000 blast ." done"' >"$work/done" &
sender=$!
look 1 'calls 5' >"$work/calls" || fail 'the calls cannot be counted'
passed=$(($(weft 1 port show -o json | jq -r '.items[0].rx_packets') - before))
wait "$sender" || fail "the messages did not come back: $(cat "$work/done")"
[ "$passed" -ge 100 ] || fail "only $passed packets came meanwhile"
# Numbers of Linux's generic table: read, write, readv, writev; sendto, recvfrom, sendmsg, recvmsg, recvmmsg, sendmmsg; ppoll.
awk '$1 == "weft/1"' "$work/calls" >"$work/worker"
[ -s "$work/worker" ] || fail "no call of the worker was seen: $(cat "$work/calls")"
if grep -E '^weft/1 (63|64|65|66|206|207|211|212|243|269|73) ' "$work/worker"; then fail 'these could move packets'; fi
ok "$passed packets received in 5 s; calls of the worker meanwhile: $(awk '{ printf "%s %s times, ", $2, $3 }' "$work/worker")none that moves a packet"
