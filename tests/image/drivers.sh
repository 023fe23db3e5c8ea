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
