#!/bin/sh
# A copy of the image boots by UEFI, takes its configuration from the drive, and answers its owner.
. "$(dirname "$0")/lib.sh"

machine n1
load=$(cut -d' ' -f1 /proc/loadavg)
alone "$at"
expect "$at" "$vm_ready"
cpu_ms=$(awk '{ print ($14 + $15) * 10 }' "/proc/$(cat "$at/pid")/stat")
[ "$(ask 1 /readyz)" = ready ] || fail '/readyz does not say ready'
ask 1 /api/v1/node >"$work/node.json"
grep -q '"name":"n1"' "$work/node.json" || fail "the node is not n1: $(cat "$work/node.json")"
refuse "$at" 'error:'
if curl -fsSk --max-time 10 "https://127.0.0.1:$((port_base + 1))/readyz" 2>/dev/null; then fail 'it answers without a token'; fi
expect "$at" 'weft-init: status.txt says ready'
[ "$(vm_esp_list "$at")" = "weft-a_$version.efi" ] || fail "the entry was not blessed: $(vm_esp_list "$at")"
vm_get "$at" status.txt >"$work/status.txt" || fail 'there is no status.txt on the drive'
grep -q "$version" "$work/status.txt" || fail "status.txt has no version: $(cat "$work/status.txt")"
# What a node says of itself comes to whoever has added it by its words, without a shell.
tool=${WEFT_TOOL:-$root/build/runtime/tool/weft}
if [ -x "$tool" ]; then
    far() { XDG_CONFIG_HOME=$work/config WEFT_RUN_DIR=$work/nobody "$tool" "$@"; }
    words=$(tr -d '\r' <"$work/status.txt" | sed -n 's/^in words: *//p')
    far context add "127.0.0.1:$((port_base + 1))" --code "$words" --token "$work/owner.token" || fail "the node does not know its words, $words"
    far node logs n1 >"$work/log" || fail 'no log'
    head -1 "$work/log" | grep -q "^== boot 20.* $version slot a, " || fail "the log begins with $(head -1 "$work/log")"
    grep -q 'weft-init: Weft' "$work/log" && grep -q 'INFO\|info' "$work/log" || fail "not both have said something: $(cat "$work/log")"
    far logs n1 | grep -q . || fail 'no log of the node'
    far core trace n1 | grep -q . || fail 'no flight recorder'
    for what in panic crash; do
        if far node $what n1 >"$work/none" 2>&1; then fail "a $what out of nothing: $(cat "$work/none")"; fi
        grep -q "no $what has been kept" "$work/none" || fail "$(cat "$work/none")"
    done
    ok 'its log, its flight recorder and that it never fell can be read from elsewhere'
fi
# Power-on is where the counter of the CPU begins; init reads it. In an emulated machine that counter is this one's clock: how
# busy and how fast this machine is decides, so the figure is shown, and asserted only for who asks (WEFT_READY_MS=3000).
ready_ms=$(vm_said "$at" | sed -n 's/.*weft-init: ready, \([0-9]*\)\.\([0-9]*\) s after power-on.*/\1\2/p' | head -1)
ok "ready ${ready_ms:-?} ms after power-on by the guest's clock, $cpu_ms ms of CPU, load $load"
[ -n "$ready_ms" ] || fail 'init does not say how long it took'
limit_ms=10000
[ -z "$flavour" ] || limit_ms=40000 # It looks for the drivers of each device among thousands.
[ "$cpu_ms" -le $limit_ms ] || fail "more than $((limit_ms / 1000)) s of CPU until it was ready"
[ -z "${WEFT_READY_MS:-}" ] || [ "$ready_ms" -le "$WEFT_READY_MS" ] || fail "not within $WEFT_READY_MS ms"
