#!/bin/sh
# config_init_test.sh WEFT: configurations from machines in a directory: what is found, and that it is a configuration.
set -eu
weft=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "config_init_test: $*" >&2; cat "$work/out" >&2; exit 1; }

# card ADDRESS CLASS VENDOR DEVICE DRIVER [INTERFACE MAC [CHILD]]
card() {
    at=$work/m/sys/bus/pci/devices/$1
    mkdir -p "$at" "$work/m/sys/bus/pci/drivers/$5"
    echo "$2" >"$at/class"
    echo "$3" >"$at/vendor"
    echo "$4" >"$at/device"
    ln -s "../../drivers/$5" "$at/driver"
    [ -n "${6-}" ] || return 0
    mkdir -p "$at/${8-}/net/$6" "$work/m/sys/class/net/$6"
    echo "$7" >"$work/m/sys/class/net/$6/address"
}
made() {
    "$weft" config init --root "$work/m" >"$work/out"
    "$weft" config check "$work/out" >/dev/null || fail 'it is no configuration'
    for line in "$@"; do grep -qxF -- "$line" "$work/out" || fail "no line: $line"; done
}

mkdir -p "$work/m/proc/sys/kernel" "$work/m/proc/net" "$work/m/sys/devices/system/cpu" "$work/m/sys/bus/pci/devices"
echo 0-3,8-9 >"$work/m/sys/devices/system/cpu/online"
echo 'MemTotal:        8192000 kB' >"$work/m/proc/meminfo"
echo 'rack-7.example' >"$work/m/proc/sys/kernel/hostname"
: >"$work/m/proc/net/route"
made '# Made by weft config init: 6 CPUs, 8000 MiB of memory.' 'name = "rack-7.example"' 'workers = 5' \
    '# No network card on the PCI bus. af_packet:IFACE takes one of the kernel'"'"'s.'

# The only card is the admin port's.
card 0000:03:00.0 0x020000 0x1af4 0x1041 virtio-pci eth0 52:54:00:00:00:01 virtio3
card 0000:00:1f.0 0x060100 0x8086 0x2918 lpc
made 'interface = "0000:03:00.0"' '# 1af4:1041, eth0, 52:54:00:00:00:01, driver virtio-pci, no IOMMU in front of it'
if grep -q '^\[ports' "$work/out"; then fail 'a port of the only card, which nobody has asked for'; fi

# Three: the default route's stays the kernel's, the others are ports in the order of the bus.
card 0000:01:00.1 0x020000 0x8086 0x1572 i40e eth2 3c:fd:fe:00:00:02
card 0000:01:00.0 0x020000 0x8086 0x1572 vfio-pci
mkdir "$work/m/sys/bus/pci/devices/0000:01:00.0/iommu_group"
printf 'Iface\tDestination\neth2\t00000000\t0100\n' >"$work/m/proc/net/route"
made 'interface = "0000:01:00.1"' '[ports.p0]' 'device = "pci:0000:01:00.0"' '[ports.p1]' 'device = "pci:0000:03:00.0"' \
    '# 8086:1572, driver vfio-pci'
# One that DPDK opens beside the kernel's driver is named as others are; one that has no driver is told apart.
card 0000:05:00.0 0x020000 0x15b3 0x1017 mlx5_core eth5 0c:42:a1:00:00:05
made 'device = "pci:0000:05:00.0"' '# 15b3:1017, eth5, 0c:42:a1:00:00:05, driver mlx5_core, beside which DPDK opens it'
rm "$work/m/sys/bus/pci/devices/0000:05:00.0/driver"
made '# 15b3:1017, eth5, 0c:42:a1:00:00:05, no port without mlx5_core'
echo 'no name at all!' >"$work/m/proc/sys/kernel/hostname"
echo 0 >"$work/m/sys/devices/system/cpu/online"
made 'name = "no"' 'workers = 1'
