#!/bin/sh
# weft-switch between three nodes in shared memory: frames arrive, whoever is killed comes back.
#   switch.sh WEFT_SWITCH PORT_PEER SWITCH_CLIENT
set -eu
switch=$(realpath "$1")
peer=$(realpath "$2")
client=$(realpath "$3")
work=$(mktemp -d)
cd "$work"
pids=
clean() {
    for pid in $pids; do kill -9 "$pid" 2>/dev/null || :; done
    rm -rf "$work"
}
trap clean EXIT
trap 'exit 1' INT TERM

# start NAME COMMAND...: the process in $started, its output in the fifo NAME.out, open as descriptor 3.
start() {
    name=$1
    shift
    rm -f "$name.out"
    mkfifo "$name.out"
    "$@" >"$name.out" 2>"$name.err" &
    started=$!
    pids="$pids $started"
    exec 3<"$name.out"
}
await() {
    while read -r line <&3; do
        echo "$name: $line"
        case $line in "$1"*) return 0 ;; esac
    done
    echo "$name ended before it said \"$1\":" >&2
    cat "$name.err" >&2
    exit 1
}
murder() {
    kill -9 "$1"
    wait "$1" 2>/dev/null || :
}
run_switch() {
    "$switch" --dir "$work" --ports n1,n2,n3 2>>switch.log &
    switch_pid=$!
    pids="$pids $switch_pid"
}

run_switch
start n2 "$peer" n2 "virtio_user:$work/n2.sock" echo
n2=$started
exec 7<&3
await ready

echo "# a node asks, another answers, through the switch"
start n1 "$peer" n1 "virtio_user:$work/n1.sock" ask 300 20
await "answered 300 of 300"
wait "$started"

echo "# a client on the socket asks a node, and sends what no switch should choke on"
"$client" "$work/inject.sock" ask 50
"$client" "$work/inject.sock" noise 500
"$client" "$work/inject.sock" ask 50

echo "# figures and faults"
"$client" "$work/control.sock" say stats >stats
grep -q '"name": "n2", "plugged": true' stats
grep -q '"malformed": [1-9]' stats
"$client" "$work/control.sock" say "cut clients n2" | grep -q '"pairs"'
if "$client" "$work/inject.sock" ask 1; then exit 1; fi
"$client" "$work/control.sock" say "fault all all loss=2" | grep -q '"error"'
"$client" "$work/control.sock" say "nonsense" | grep -q '"error"'
"$client" "$work/control.sock" say "join clients n2" | grep -q '"pairs"'
"$client" "$work/inject.sock" ask 5

echo "# the answering node is killed and comes back"
start n1 "$peer" n1 "virtio_user:$work/n1.sock" ask 600 60
n1=$started
exec 4<&3
await half
murder "$n2"
start n2 "$peer" n2 "virtio_user:$work/n2.sock" echo
n2=$started
exec 7<&3 3<&4
name=n1
await "answered 600 of 600"
wait "$n1"

echo "# the switch is killed and comes back"
start n1 "$peer" n1 "virtio_user:$work/n1.sock" ask 600 60
n1=$started
await half
murder "$switch_pid"
run_switch
await "answered 600 of 600"
wait "$n1"

echo "# a second switch in the same place is refused; the first ends cleanly"
if "$switch" --dir "$work" --ports n1 2>second.log; then exit 1; fi
grep -q "in use" second.log
kill "$switch_pid"
wait "$switch_pid"
[ ! -e "$work/inject.sock" ] && [ ! -e "$work/control.sock" ]
kill "$n2"
wait "$n2"
echo done
