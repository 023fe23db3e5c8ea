#!/bin/sh
# A copy of the image boots by UEFI, takes its configuration from the drive, and answers its owner.
. "$(dirname "$0")/lib.sh"

machine n1
alone "$at"
expect "$at" "$vm_ready"
[ "$(ask 1 /readyz)" = ready ] || fail '/readyz does not say ready'
ask 1 /api/v1/node >"$work/node.json"
grep -q '"name":"n1"' "$work/node.json" || fail "the node is not n1: $(cat "$work/node.json")"
refuse "$at" 'error:'
if curl -fsSk --max-time 10 "https://127.0.0.1:$((port_base + 1))/readyz" 2>/dev/null; then fail 'it answers without a token'; fi
expect "$at" 'weft-init: status.txt says ready'
[ "$(vm_esp_list "$at")" = "weft-a_$version.efi" ] || fail "the entry was not blessed: $(vm_esp_list "$at")"
vm_get "$at" status.txt >"$work/status.txt" || fail 'there is no status.txt on the drive'
grep -q "$version" "$work/status.txt" || fail "status.txt has no version: $(cat "$work/status.txt")"
# Power-on is where the counter of the CPU begins; init reads it.
ready_ms=$(vm_said "$at" | sed -n 's/.*weft-init: ready, \([0-9]*\)\.\([0-9]*\) s after power-on.*/\1\2/p' | head -1)
ok "ready ${ready_ms:-?} ms after power-on of the guest's clock, $(($(awk '{ print $14 + $15 }' "/proc/$(cat "$at/pid")/stat") * 10)) ms of CPU"
[ -z "$ready_ms" ] || [ "$ready_ms" -le "${WEFT_READY_MS:-3000}" ] || [ "${WEFT_TIMING:-yes}" = no ] || fail "not within ${WEFT_READY_MS:-3000} ms"
