#!/bin/sh
# A node whose data plane has started has loaded every driver of DPDK that its image has: one that asks for what nobody
# has keeps DPDK from starting, and one of another ending is passed over in silence.
. "$(dirname "$0")/lib.sh"
. "$root/image/build/packages.sh"

machine n1
window "$at"
alone "$at"
expect "$at" "$vm_ready"
ask 1 /api/v1/ports | grep -q '"bypass": *"full"' || fail "packets do not go by DPDK: $(ask 1 /api/v1/ports)"
open_window 1 look look || fail 'the module was not taken'
look 1 mapped >"$work/maps"
for pmd in $pmds; do
    grep -q "/librte_net_$pmd\.so" "$work/maps" || fail "the driver $pmd is not there: $(grep -o 'librte_net_.*' "$work/maps" | sort -u)"
done
ok "DPDK has $(echo "$pmds" | wc -w) drivers of cards: $pmds"
case " $pmds " in
*' mlx5 '*) grep -q '/libmlx5\.so' "$work/maps" && grep -q '/libibverbs\.so' "$work/maps" || fail 'mlx5 is there without libibverbs' ;;
esac

# What of these the kernel needs besides: modules that stand on whole others. No such card is there to bring them.
[ -n "$flavour" ] || exit 0
vm_stop "$at"
case $arch in
arm64) modules='mlx5_ib rvu_af rvu_nicpf fsl-mc-dpio vfio-fsl-mc fsl-dpaa2-eth' ;;
*) modules=mlx5_ib ;;
esac
machine n2
vm_stick "$at" "$images/$name.rescue.efi"
# shellcheck disable=SC2046
vm_start "$at" $(vm_with_stick "$at") -no-reboot || fail 'QEMU did not start'
expect "$at" 'rescue: a shell'
vm_type "$at" "taken=0; for module in $modules; do modprobe \$module && taken=\$((taken + 1)); done; echo \"modules taken: \$taken.\""
expect "$at" 'modules taken: [0-9]'
vm_said "$at" | grep -q "modules taken: $(echo "$modules" | wc -w)\." || fail "the kernel does not take all of $modules"
ok "the kernel takes its modules: $modules"
