#!/bin/sh
# Two processes on the ends of a veth pair, each in its own network namespace, as a plain user.
#   port_af_packet.sh PORT_PEER
# 77: this machine cannot run it, and why.
set -eu
peer=$(realpath "$1") # Meson names it from its own directory.
self=$(realpath "$0")
if [ "${2-}" != inside ]; then
    unshare -Urn true 2>/dev/null || {
        echo "SKIP: the kernel refuses user namespaces"
        exit 77
    }
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    cd "$work"
    unshare -Urnm --kill-child "$self" "$peer" inside
    exit
fi

ip link add name wa0 type veth peer name wb0 2>/dev/null || {
    echo "SKIP: the kernel has no veth"
    exit 77
}
[ -c /dev/net/tun ] && "$peer" tapper tap:wt0 ask 1 0 >tap.log 2>&1 || :
if [ -s tap.log ] && ! grep -q "answered 0 of 1" tap.log; then
    cat tap.log
    exit 1
fi
mkfifo holder.in
unshare -n sh -c 'echo here; read -r _ <holder.in' >holder.out &
holder=$!
until grep -q here holder.out 2>/dev/null; do :; done
inner() { nsenter -t "$holder" -n "$@"; }
ip link set wb0 netns "$holder"

echo "# an interface that is down is refused"
if "$peer" a af_packet:wa0 ask 1 1 >down.log 2>&1; then exit 1; fi
grep -q "W0202.*the interface is down" down.log
ip link set wa0 up
inner ip link set wb0 up

start_echo() {
    rm -f echo.out
    mkfifo echo.out
    nsenter -t "$holder" -n "$peer" b af_packet:wb0 echo >echo.out 2>echo.err &
    echoer=$!
    exec 3<echo.out
    read -r line <&3
    echo "b: $line"
}

echo "# frames go and come back"
start_echo
"$peer" a af_packet:wa0 ask 500 20

echo "# one side is killed and comes back"
rm -f ask.out
mkfifo ask.out
"$peer" a af_packet:wa0 ask 1000 40 >ask.out &
asker=$!
exec 4<ask.out
while read -r line <&4 && [ "$line" != half ]; do :; done
kill -9 "$echoer"
wait "$echoer" 2>/dev/null || :
start_echo
wait "$asker"
kill "$echoer"
wait "$echoer" || :
echo >holder.in
echo done
