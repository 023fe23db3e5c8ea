#!/bin/sh
# shared_port.sh: one card for the data plane and the kernel (ports.NAME.kernel): each answers for its own address, the
# admin port is reached past the card's owner, and a node that is killed and comes back finds the kernel's side as it was.
#
# Environment: WEFT, WEFTD, JSON_GET, NO_OFFLOAD. A plain user in namespaces of its own. 77: this machine cannot run it, and why.
set -eu
: "${WEFT:?the built tool}" "${WEFTD:?the built daemon}" "${JSON_GET:?}" "${NO_OFFLOAD:?}"
self=$(realpath "$0")
skip() { echo "SKIP: $*"; exit 77; }
fail() { echo "FAIL: $*"; [ ! -f node.log ] || tail -5 node.log; exit 1; }
if [ "${1-}" != inside ]; then
    unshare -Urn true 2>/dev/null || skip 'the kernel refuses user namespaces'
    [ -c /dev/net/tun ] || skip 'the kernel has no TAP'
    command -v ping >/dev/null || skip 'there is no ping'
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    cd "$work"
    unshare -Urnm --kill-child "$self" inside
    exit
fi

node= holder=
leave() { for pid in $node $holder; do kill -KILL "$pid" 2>/dev/null || true; done; }
trap leave EXIT
ip link add name card type veth peer name far 2>/dev/null || skip 'the kernel has no veth'
ip tuntap add dev weft0 mode tap 2>/dev/null || skip 'no TAP can be made'
mkfifo holder.in
unshare -n sh -c 'echo here; read -r _ <holder.in' >holder.out &
holder=$!
until grep -q here holder.out 2>/dev/null; do :; done
far() { nsenter -t "$holder" -n "$@"; }
ip link set far netns "$holder"
ip link set lo up
# The card is not the kernel's here: DPDK looks over its shoulder (af_packet), so the kernel is told to take nothing there.
for key in card.rp_filter=1 card.arp_ignore=8 all.rp_filter=1; do
    sysctl -qw "net.ipv4.conf.$key" 2>/dev/null || skip 'net.ipv4.conf may not be changed'
done
for at in card weft0; do sysctl -qw "net.ipv6.conf.$at.disable_ipv6=1" 2>/dev/null || true; done
ip link set card up
far "$NO_OFFLOAD" far || skip 'a veth does not do its own checksums'
far ip link set far up
far ip link set lo up
far ip address add 10.88.0.2/24 dev far
ip address add 10.88.0.12/24 dev weft0

export WEFT_RUN_DIR="$PWD/run"
mkdir -m 700 run
head -c 24 /dev/urandom | base64 >owner.token
chmod 600 owner.token
cat >one.toml <<TOML
[node]
name = "one"
data_dir = "$PWD/data"
run_dir = "$PWD/run/one"
[cores]
workers = 2
[memory]
arena_per_core = "8MiB"
mbufs = 1023
[admin]
listen = "10.88.0.12:9338"
owner_token = "owner.token"
[ports.p0]
device = "af_packet:card"
address = "10.88.0.11/24"
kernel = "weft0"
TOML

# carrier yes|no: what the kernel's side has, or gets.
carrier() {
    line='ip -br link show weft0 | grep -q LOWER_UP'
    [ "$1" = yes ] || line="! $line"
    timeout 10 sh -c "until $line; do :; done" || fail "the carrier of weft0 is not '$1': $(ip link show weft0)"
}
mac() { ip -br link show "$1" | awk '{print $3}'; }

start() {
    rm -f ready
    mkfifo ready
    "$WEFTD" --config one.toml --ready-fd 9 9>ready 2>node.log &
    node=$!
    word=$(timeout 30 cat ready) || fail 'not ready in 30 s'
    [ "$word" = ready ] || fail 'it ended before it was ready'
    carrier yes
}
admin() { WEFT_TOKEN=$(cat owner.token) WEFT_FINGERPRINT=$(cat run/one/fingerprint) far "$WEFT" --socket https://10.88.0.12:9338 "$@"; }
port() { "$WEFT" port show one -o json | "$JSON_GET" items 0 "$1"; }

both_answer() {
    far ping -q -c 3 -i 0.05 -W 5 10.88.0.11 >ping.log || fail "the data plane does not answer: $(cat ping.log)"
    far ping -q -c 3 -i 0.05 -W 5 10.88.0.12 >ping.log || fail "the kernel does not answer: $(cat ping.log)"
    macs=$(far ip neighbour show dev far | sed -n 's/.*lladdr \([0-9a-f:]*\).*/\1/p' | sort -u)
    [ "$macs" = "$(mac card)" ] || fail "not one MAC address for both: $macs"
    [ "$(mac weft0)" = "$macs" ] || fail "the kernel's side has another MAC address"
    admin node show -o json >show.json || fail 'the admin port does not answer over the shared card'
    grep -q '"name": *"one"' show.json || fail "the admin port says: $(cat show.json)"
}

start
both_answer
[ "$(port kernel)" = weft0 ] || fail "port show does not name the kernel's side"
[ "$(port to_kernel_packets)" -ge 5 ] && [ "$(port from_kernel_packets)" -ge 5 ] || fail "the kernel's frames do not pass the port: $("$WEFT" port show one -o json)"
echo "ok: both sides answer, by one MAC address ($(port to_kernel_packets) frames to the kernel, $(port from_kernel_packets) from it)"

# A large answer comes through whole: long frames, and more of them than a turn takes.
far ping -q -c 200 -i 0.002 -s 1400 -W 5 10.88.0.12 >ping.log || fail "long pings: $(cat ping.log)"
grep -q ' 0% packet loss' ping.log || fail "long frames are lost: $(cat ping.log)"
echo "ok: $(sed -n 's/.*= \(.*\) ms.*/\1/p' ping.log | tail -1) ms of 200 long pings to the kernel's side"

# A second node is told who has the interface.
sed 's/"one"/"two"/; s#/run/one#/run/two#; s#/data"#/data2"#; s/af_packet:card/null/; s/10.88.0.11/10.89.0.11/; s/10.88.0.12:9338//; /owner_token/d' one.toml >two.toml
status=0
timeout 20 "$WEFTD" --config two.toml 2>two.log || status=$?
[ "$status" = 70 ] && grep -q 'W0202.*weft0.*busy' two.log || fail "a second owner of weft0: exit $status: $(cat two.log)"
echo "ok: $(grep -m1 W0202 two.log)"

# Killed, it takes the carrier with it and leaves the address; started again, all is as before.
kill -KILL "$node"
wait "$node" 2>/dev/null || true
carrier no
ip -br address show weft0 | grep -q 10.88.0.12/24 || fail 'the address went with the node'
if far ping -q -c 1 -W 1 10.88.0.12 >/dev/null; then fail 'the kernel answers without a node: this test proves nothing'; fi
start
both_answer
echo 'ok: killed and started again, the kernel has its address as before'

kill -TERM "$node"
wait "$node" || fail "SIGTERM: exit $?"
node=
