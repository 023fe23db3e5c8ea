#!/bin/sh
# Machines with one network card each, which DPDK has: the admin port, DHCP and the mesh all go over it. And what
# becomes of the card when its configuration is bad. WEFT_ALL=yes: also the fallback, the kernel's card by af_packet.
. "$(dirname "$0")/lib.sh"

# The network: QEMU's own, with a DHCP server and a way in from here; the second machine hangs on a socket of the first.
# The first address that its server gives away is 10.0.2.15.
udp=$((port_base + 9))
lan() {
    printf '%s' "-netdev user,id=lan,hostfwd=tcp:127.0.0.1:$((port_base + 1))-10.0.2.15:9338,hostfwd=tcp:127.0.0.1:$((port_base + 2))-10.0.2.16:9338,hostfwd=udp:127.0.0.1:$udp-10.0.2.101:4200 -netdev hubport,id=lanhub,hubid=1,netdev=lan -netdev hubport,id=mesh,hubid=1 -netdev stream,id=wire2,server=on,addr.type=unix,addr.path=$work/wire2 -netdev hubport,id=hub2,hubid=1,netdev=wire2"
}

# equip MACHINE NUMBER COUNT LINE [LINE…]: its configuration with an address of that network, and the lines for its port.
equip() {
    give "$1" "$2" "$3"
    sed -i 's/10\.77\.0\.1\([0-9]\)/10.0.2.10\1/g' "$work/weft.toml"
    to=$1
    shift 3
    printf '%s\n' "$@" >>"$work/weft.toml"
    vm_put "$to" "$work/weft.toml" weft.toml
}
# shellcheck disable=SC2046
plug() { vm_start "$1" $(lan) $(vm_mesh_nic 1) || fail 'QEMU did not start'; }

# sum TEXT ANSWER: what a unit behind a UDP port of the data plane says, asked from outside.
sum() {
    tries=0 said=
    while [ $tries -lt 20 ] && [ "$said" != "$2" ]; do
        said=$(printf '%s' "$1" | nc -u -w 2 127.0.0.1 "$udp" | tr -d ' ')
        tries=$((tries + 1))
    done
    [ "$said" = "$2" ] || fail "the data plane answers '$said' to $1"
}

machine n1
n1=$at
equip "$n1" 1 2 'kernel = "weft0"'
plug "$n1"
expect "$n1" 'weft-init: admin port: 10.0.2.15/24 by DHCP on weft0 (52:54:57:01:00:01), n1.local'
expect "$n1" "$vm_ready"
[ "$(ask 1 /readyz)" = ready ] || fail '/readyz does not say ready'
weft 1 port show -o json >"$work/port.json"
grep -q '"bypass": *"full"' "$work/port.json" && grep -q '"kernel": *"weft0"' "$work/port.json" ||
    fail "the card is not DPDK's and shared: $(cat "$work/port.json")"
weft 1 unit load "$root/docs/examples/udp-calc.fth" >/dev/null 2>&1 || fail 'a unit was not loaded over the shared card'
sum '20 22 + .' 42
refuse "$n1" 'error:'
ok "one card: DHCP, the admin port and a unit's UDP port"

machine n2
n2=$at
equip "$n2" 2 2 'kernel = "weft0"'
# shellcheck disable=SC2046
vm_start "$n2" $(vm_mesh_net "$work" 2 2) $(vm_mesh_nic 2) || fail 'QEMU did not start'
expect "$n2" 'weft-init: admin port: 10.0.2.16/24 by DHCP on weft0'
expect "$n2" "$vm_ready"
for pair in 1:n2 2:n1; do
    tries=0
    until weft "${pair%:*}" mesh ls -o json >"$work/mesh.json" && grep -q "\"name\": *\"${pair#*:}\"" "$work/mesh.json" && grep -q '"state": *"alive"' "$work/mesh.json"; do
        tries=$((tries + 1))
        [ $tries -lt 60 ] || fail "the mesh does not form: $(cat "$work/mesh.json")"
    done
done
weft 1 port show -o json >"$work/port.json"
count() { sed -n "s/.*\"$1_packets\": *\([0-9]*\).*/\1/p" "$work/port.json"; }
[ "$(count to_kernel)" -gt 20 ] && [ "$(count from_kernel)" -gt 20 ] || fail "the kernel's frames are not counted: $(cat "$work/port.json")"
ok "two such machines are a mesh, and both admin ports answer: $(count to_kernel) frames to the kernel, $(count from_kernel) from it"
vm_stop "$n2"
vm_stop "$n1"

# What only weftd finds wrong ends in maintenance mode, and then nobody carries frames for the kernel: it gets its card back.
sed -i '/^address/d; s/52:54:57:01:00:02/52:54:57:01:00:01/; s/"n2"/"n1"/' "$work/weft.toml"
vm_put "$n1" "$work/weft.toml" weft.toml
plug "$n1"
expect "$n1" 'weft-init: .*maintenance mode: weftd: error.W0106. .*address'
expect "$n1" 'weft-init: admin port: 10.0.2.15/24 by DHCP on eth0'
expect "$n1" "$vm_ready"
[ "$(ask 1 /readyz)" = ready ] || fail '/readyz does not say ready in maintenance'
vm_stop "$n1"
ok 'in maintenance the kernel has its card back, and the admin port answers there'

[ "${WEFT_ALL:-no}" = yes ] || exit 0
equip "$n1" 1 1
sed -i 's/^device = .*/device = "af_packet:eth0"/' "$work/weft.toml"
vm_put "$n1" "$work/weft.toml" weft.toml
plug "$n1"
expect "$n1" 'weft-init: admin port: 10.0.2.15/24 by DHCP on eth0'
expect "$n1" "$vm_ready"
weft 1 port show -o json | grep -q '"bypass": *"none"' || fail 'the card is not the kernel'"'"'s'
# The unit is the one of before: the journal has brought it back.
sum '20 22 + .' 42
ok 'the same by af_packet, where the kernel keeps the card'
