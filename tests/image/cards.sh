#!/bin/sh
# Machines with odd cards: none at all, one that no IOMMU stands in front of, and two that have changed places.
. "$(dirname "$0")/lib.sh"

mesh=$(vm_mesh_net "$work" 1 1)

# No card: a port cannot be made of nothing, and it says which one is missing. Without a port the node runs, alone.
machine n1
give "$at" 1 1
vm_start "$at" || fail 'QEMU did not start'
expect "$at" 'maintenance mode: .*52:54:57:01:00:01'
expect "$at" 'weft-init: status.txt says maintenance'
vm_get "$at" status.txt | grep -q 'why:.*52:54:57:01:00:01' || fail "status.txt does not name it: $(vm_get "$at" status.txt)"
vm_stop "$at"
printf '[node]\nname = "alone"\n' >"$work/alone.toml"
vm_put "$at" "$work/alone.toml" weft.toml
vm_start "$at" || fail 'QEMU did not start'
expect "$at" "$vm_ready"
expect "$at" 'weft-init: status.txt says ready'
vm_get "$at" status.txt | grep -q '^admin port: *-' || fail 'it has an address from nowhere'
vm_stop "$at"
ok 'no card: the port that is missing is named, and a node without ports runs'

# Not a card: what drives its disk, say. It keeps its driver, and the node its root.
printf '[node]\nname = "n1"\n[ports.p0]\ndevice = "pci:0000:00:01.0"\n' >"$work/disk.toml"
vm_put "$at" "$work/disk.toml" weft.toml
vm_start "$at" || fail 'QEMU did not start'
expect "$at" 'maintenance mode: port p0: pci:0000:00:01.0 is no network card'
expect "$at" 'weft-init: status.txt says maintenance'
vm_stop "$at"
ok 'no network card: it is refused, and keeps its driver'

# No IOMMU: the card is used all the same, and it is said that it is trusted.
vm_put "$at" "$work/weft.toml" weft.toml
vm_iommu=
start "$at" 1 1
expect "$at" 'weft-init: port p0: .* has no IOMMU in front of it; it is trusted'
expect "$at" "$vm_ready"
[ "$(ask 1 /readyz)" = ready ] || fail '/readyz does not say ready'
ask 1 /api/v1/ports | grep -q '"mac":"52:54:57:01:00:01"' || fail "its port: $(ask 1 /api/v1/ports)"
vm_stop "$at"
unset vm_iommu
ok 'no IOMMU: the card is used, and said to be trusted'

# They change places: other PCI addresses, and the kernel's names are the other way round. The file names them by address.
mac_at() { vm_said "$at" | sed -n "s/.*weft-init: admin port: .* on \(eth[0-9]\) (\(.*\)), .*/\1 \2/p" | head -1; }
sed 's/^\[admin\]/[admin]\ninterface = "52:54:57:00:00:01"/' "$work/weft.toml" >"$work/named.toml"
vm_put "$at" "$work/named.toml" weft.toml
extra='-netdev hubport,id=spare,hubid=7 -device virtio-net-pci,disable-legacy=on,iommu_platform=on,netdev=spare,mac=52:54:57:02:00:01,romfile='
for order in first last; do
    admin=$(vm_admin_nic 1 $((port_base + 1)))
    # shellcheck disable=SC2046,SC2086
    if [ $order = first ]; then vm_start "$at" $admin $mesh $(vm_mesh_nic 1) $extra
    else vm_start "$at" $extra $mesh $(vm_mesh_nic 1) $admin
    fi || fail 'QEMU did not start'
    expect "$at" "$vm_ready"
    expect "$at" 'weft-init: admin port: .*(52:54:57:00:00:01)'
    mac_at >"$work/$order"
    ask 1 /api/v1/ports | grep -q '"mac":"52:54:57:01:00:01"' || fail "$order: its port: $(ask 1 /api/v1/ports)"
    vm_stop "$at"
done
[ "$(cut -d' ' -f1 "$work/first")" != "$(cut -d' ' -f1 "$work/last")" ] || fail "the kernel's names are the same in both: $(cat "$work/first" "$work/last")"
ok "changed places: $(cat "$work/first") became $(cut -d' ' -f1 "$work/last"), and each card has kept its part"
