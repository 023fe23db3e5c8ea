#!/bin/sh
# Power fails in the middle of an update, at seeded moments: the node starts again each time, with the release that ran
# before or, if the cut came late enough, with the new one; and the update works after all.
#
#   WEFT_CUTS=20 WEFT_SEED=7 sh tests/image/update_cut.sh
. "$(dirname "$0")/lib.sh"
tool=${WEFT_TOOL:-$root/build/runtime/tool/weft}
[ -x "$tool" ] || { echo "SKIP: there is no $tool: ./do build"; exit 77; }
cuts=${WEFT_CUTS:-2}
[ "${WEFT_ALL:-no}" = no ] || cuts=${WEFT_CUTS:-20}
seed=${WEFT_SEED:-1}

machine n1
alone "$at"
expect "$at" "$vm_ready"
expect "$at" 'weft-init: status.txt says ready'
entry a 9.9.0 "$work/uki-a"
entry b 9.9.0 "$work/uki-b"
"$tool" image bundle --version 9.9.0 --arch "$arch" --floor 0.0.1 --epoch 1764201600 --sign "$keys/update.key" -w "$work/good.update" \
    "$images/root.erofs" "$images/root.verity" "$work/uki-a" "$work/uki-b" >/dev/null

# How long one takes, so that the cuts fall all over it: the last tenth is behind its end.
before=$(date +%s%N)
weft 1 node upgrade "$work/good.update" --no-restart >/dev/null 2>&1 || fail 'it was refused'
whole_ms=$((($(date +%s%N) - before) / 1000000))
cut=1
while [ "$cut" -le "$cuts" ]; do
    at_ms=$(awk -v seed="$((seed * 1000 + cut))" -v whole="$whole_ms" 'BEGIN { srand(seed); printf "%d", rand() * whole * 1.1 }')
    weft 1 node upgrade "$work/good.update" --no-restart >"$work/cut.log" 2>&1 &
    sending=$!
    sleep "$(awk -v ms="$at_ms" 'BEGIN { printf "%.3f", ms / 1000 }')" # This is the cut: a moment, not an event.
    vm_stop "$at"
    wait "$sending" || true
    left=$(vm_esp_list "$at" | tr '\n' ' ')
    start "$at" 1 1
    expect "$at" 'weft-init: Weft .*, slot [ab]'
    expect "$at" "$vm_ready"
    expect "$at" 'weft-init: status.txt says ready'
    ok "cut $cut of $cuts, $at_ms of $whole_ms ms: left $left, starts $(vm_esp_list "$at" | tr '\n' ' ')"
    # From whichever slot it runs now, a whole one works.
    weft 1 node upgrade "$work/good.update" --no-restart >"$work/cut.log" 2>&1 || fail "after the cut: $(cat "$work/cut.log")"
    cut=$((cut + 1))
done
