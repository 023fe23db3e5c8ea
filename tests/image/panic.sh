#!/bin/sh
# The kernel dies: the firmware keeps its last words, the next boot moves them to the data partition and names them, and
# `weft node panic` shows them.
. "$(dirname "$0")/lib.sh"

machine n1
window "$at"
alone "$at"
expect "$at" "$vm_ready"
expect "$at" 'weft-init: status.txt says ready'
weft 1 node panic >"$work/none" 2>&1 && fail "there was a panic before: $(cat "$work/none")"

vm_mark "$at"
open_window 1 panic panic 2>/dev/null || true # It may not live to answer.
expect "$at" 'weft-init: Weft .*, slot a'
expect "$at" 'weft-init: error: the kernel has panicked before this boot: /data/log/panic-'
vm_mark "$at"
expect "$at" 'weft-init: status.txt says ready'
weft 1 node panic >"$work/panic" || fail 'it is not shown'
grep -q 'sysrq triggered crash' "$work/panic" || fail "it does not say why: $(cat "$work/panic")"
weft 1 node slots -o json | jq -e '.items[0].state == "good"' >/dev/null || fail 'the release was blamed'
vm_stop "$at"
vm_get "$at" status.txt | grep -q '^last panic: *panic-\|^last panic: */data/log/panic-' || fail 'status.txt does not name it'
ok "a panic is kept over the restart and shown, $(wc -l <"$work/panic") lines"
