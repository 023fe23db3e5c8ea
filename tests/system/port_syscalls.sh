#!/bin/sh
# No frame of a shared-memory port costs a system call: strace sees none of the network's between the
# moment when the port is open and the one when half of the frames have gone and come.
#   port_syscalls.sh PORT_PEER
set -eu
peer=$(realpath "$1")
command -v strace >/dev/null || {
    echo "SKIP: strace is not installed"
    exit 77
}
strace -o /dev/null true 2>/dev/null || {
    echo "SKIP: the kernel refuses ptrace"
    exit 77
}
work=$(mktemp -d)
cd "$work"
server=
clean() {
    [ -z "$server" ] || kill -9 "$server" 2>/dev/null || :
    rm -rf "$work"
}
trap clean EXIT
trap 'exit 1' INT TERM

# Only the thread that says "ready" sends and receives: DPDK's own threads keep their sockets.
check() {
    thread=$(sed -n 's/^\([0-9]*\) .*write(1, "ready.*/\1/p' "$1")
    [ -n "$thread" ]
    grep "^$thread " "$1" | sed -n '/write(1, "ready/,/write(1, "half/p' >between
    grep -q 'write(1, "half' between
    if grep -E ' (send|recv|read|write|socket|poll|ioctl)[a-z0-9]*\(' between |
        grep -v 'write(1, "'; then
        echo "these are system calls of packets" >&2
        exit 1
    fi
}
calls=trace=write,read,readv,writev,ioctl,poll,%network

echo "# ring"
timeout 60 strace -f -o ring.log -e "$calls" "$peer" ring ring:loop ask 200 30
check ring.log

echo "# vhost and virtio_user"
"$peer" node "virtio_user:$work/s" echo >/dev/null 2>&1 &
server=$!
timeout 60 strace -f -o vhost.log -e "$calls" "$peer" switch "vhost:$work/s" ask 200 30
check vhost.log
kill -9 "$server"
wait "$server" 2>/dev/null || :
"$peer" switch "vhost:$work/s" echo >/dev/null 2>&1 &
server=$!
timeout 60 strace -f -o virtio.log -e "$calls" "$peer" node "virtio_user:$work/s" ask 200 30
check virtio.log
echo done
