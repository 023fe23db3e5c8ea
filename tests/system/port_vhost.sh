#!/bin/sh
# A link of two processes over shared memory heals whichever side is killed.
#   port_vhost.sh PORT_PEER
# The node listens (virtio_user), the switch connects (vhost). 77: this machine cannot run it.
set -eu
peer=$(realpath "$1") # Meson names it from its own directory.
work=$(mktemp -d)
cd "$work"
socket=$work/l.sock
pids=
clean() {
    for pid in $pids; do kill -9 "$pid" 2>/dev/null || :; done
    rm -rf "$work"
}
trap clean EXIT
trap 'exit 1' INT TERM

# start NAME DEVICE TASK...: the process in $started, its output in the fifo NAME, open as descriptor 3.
start() {
    rm -f "$1"
    mkfifo "$1"
    name=$1
    "$peer" "$@" >"$name" 2>"$name.err" &
    started=$!
    pids="$pids $started"
    exec 3<"$name"
}
await() {
    while read -r line <&3; do
        echo "$name: $line"
        case $line in "$1"*) return 0 ;; esac
    done
    echo "$name ended before it was $1:" >&2
    cat "$name.err" >&2
    exit 1
}
murder() {
    kill -9 "$1"
    wait "$1" 2>/dev/null || :
}

echo "# a node without a peer gives up, and leaves nothing"
if "$peer" node "virtio_user:$socket" ask 1 0 1 >lonely.log 2>&1; then exit 1; fi
grep -q "W0202.*nobody has connected" lonely.log
[ ! -e "$socket" ]

echo "# a node answers a switch"
start node "virtio_user:$socket" echo
node=$started
start switch "vhost:$socket" ask 500 20
await "answered 500 of 500"
wait "$started"

echo "# the node is killed and comes back under the same switch"
start switch "vhost:$socket" ask 1000 40
switch=$started
await half
murder "$node"
exec 4<&3
start node "virtio_user:$socket" echo
node=$started
name=switch
exec 5<&3 3<&4 # A reader stays, or the next line would end the writer.
await "answered 1000 of 1000"
wait "$switch"

echo "# a second node on a socket in use is refused"
if "$peer" other "virtio_user:$socket" echo >other.log 2>&1; then exit 1; fi
grep -q "W0202.*another process has this socket" other.log
murder "$node"

echo "# the switch is killed and comes back to the same node; the killed node's socket is no obstacle"
start switch "vhost:$socket" echo
switch=$started
start node "virtio_user:$socket" ask 1000 40
node=$started
await half
murder "$switch"
exec 4<&3
start switch "vhost:$socket" echo
name=node
exec 5<&3 3<&4 # A reader stays, or the next line would end the writer.
await "answered 1000 of 1000"
wait "$node"
echo done
