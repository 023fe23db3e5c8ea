#!/bin/sh
# A node that has nothing to do: what it has of memory besides huge pages, and how long its ways to ready were, by the
# guest's own clock.
. "$(dirname "$0")/lib.sh"

machine n1
window "$at"
alone "$at"
expect "$at" "$vm_ready"
expect "$at" 'weft-init: status.txt says ready'
# Ready means that its port is up, among other things.
power_on=$(vm_said "$at" | sed -n 's/.*weft-init: ready, \([0-9.]*\) s after power-on.*/\1/p' | head -1)
kernel=$(vm_said "$at" | sed -n 's/^\[ *\([0-9.]*\)\] weft-init: Weft .*/\1/p' | head -1)
node=$(ask 1 /api/v1/events | jq -r '[.items[] | select(.type == "node.ready") | .text][0]')
[ -n "$power_on" ] && [ -n "$node" ] || fail 'it does not say how long it took'
ok "load $(cut -d' ' -f1 /proc/loadavg): ready and its port up $power_on s after power-on, process 1 at $kernel s of the kernel's clock, weftd $node"
open_window 1 look look || fail 'the module was not taken'
look 1 'read /proc/meminfo' >"$work/meminfo" || fail 'it does not show its memory'
kib() { sed -n "s/^$1: *\([0-9]*\) kB.*/\1/p" "$work/meminfo"; }
used=$(($(kib MemTotal) - $(kib MemAvailable) - $(kib Hugetlb)))
[ "$used" -gt 0 ] || fail "$(cat "$work/meminfo")"
look 1 'read /proc/self/status' >"$work/status"
resident=$(sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "$work/status")
ok "memory in use besides huge pages: $((used / 1024)) MiB of $(($(kib MemTotal) / 1024)) MiB, huge pages $(($(kib Hugetlb) / 1024)) MiB, weftd resident $((resident / 1024)) MiB"
[ $((used * 1024)) -le 200000000 ] || fail 'more than 200 MB'
