#!/bin/sh
# A node that has nothing to do: what it has of memory besides huge pages, and how long its ways to ready were, by the
# guest's own clock.
. "$(dirname "$0")/lib.sh"

machine n1
window "$at"
alone "$at"
expect "$at" "$vm_ready"
expect "$at" 'weft-init: status.txt says ready'
open_window 1 look look || fail 'the module was not taken'
look 1 'read /proc/meminfo' >"$work/meminfo" || fail 'it does not show its memory'
kib() { sed -n "s/^$1: *\([0-9]*\) kB.*/\1/p" "$work/meminfo"; }
used=$(($(kib MemTotal) - $(kib MemAvailable) - $(kib Hugetlb)))
[ "$used" -gt 0 ] || fail "$(cat "$work/meminfo")"
look 1 'read /proc/self/status' >"$work/status"
resident=$(sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "$work/status")
ok "memory in use besides huge pages: $((used / 1024)) MiB of $(($(kib MemTotal) / 1024)) MiB, huge pages $(($(kib Hugetlb) / 1024)) MiB, weftd resident $((resident / 1024)) MiB"
[ $((used * 1024)) -le 200000000 ] || fail 'more than 200 MB'
