#!/bin/sh
# The data partition: it grows whenever the power is cut meanwhile, is emptied when the owner wishes it, and is not
# taken for one's own when it came from another machine.
. "$(dirname "$0")/lib.sh"

cuts=2
[ "${WEFT_ALL:-no}" != yes ] || cuts=20
seed=${WEFT_SEED:-1}

# cut_after MACHINE TICKS: pulls the plug when QEMU has used so much CPU time (hundredths of a second) since its first line.
cut_after() {
    vm_wait "$1" 'weft-init: Weft' "$patience" || fail 'it does not start'
    until_ticks=$(($(ticks "$1") + $2))
    while vm_alive "$1" && [ "$(ticks "$1")" -lt "$until_ticks" ]; do :; done
    vm_stop "$1"
}
ticks() { awk '{ print $14 + $15 }' "/proc/$(cat "$1/pid")/stat" 2>/dev/null || echo 999999; }

machine n1
truncate -s 900M "$at/disk.img" # A larger disk than the image.
give "$at" 1 1
number=0
while [ $number -lt $cuts ]; do
    number=$((number + 1))
    seed=$(((seed * 1103515245 + 12345) % 2147483648))
    start "$at" 1 1
    cut_after "$at" $((seed / 65536 % 60))
    sfdisk -l "$at/disk.img" >/dev/null 2>"$work/table" || fail "cut $number: there is no table: $(cat "$work/table")"
    ! grep -q 'primary GPT table is corrupt' "$work/table" || fail "cut $number: $(cat "$work/table")"
done
start "$at" 1 1
expect "$at" "$vm_ready"
expect "$at" 'weft-init: status.txt says ready'
refuse "$at" 'error:'
vm_stop "$at"
end=$(sfdisk -d "$at/disk.img" 2>/dev/null | sed -n 's/.*start= *\([0-9]*\), size= *\([0-9]*\),.*name="data".*/\1 \2/p' | awk '{ print $1 + $2 }')
[ "$end" -ge $((899 * 2048)) ] || fail "the data partition ends at sector $end"
ok "grown after $cuts power cuts, to sector $end"

identity() { vm_get "$at" status.txt | tr -d '\r' | sed -n 's/^fingerprint: *//p'; }
before=$(identity)
[ -n "$before" ] || fail 'status.txt has no fingerprint'
: >"$work/RESET"
vm_put "$at" "$work/RESET" RESET
start "$at" 1 1
expect "$at" 'weft-init: factory reset'
expect "$at" 'weft-init: status.txt says ready'
vm_stop "$at"
after=$(identity)
[ "$after" != "$before" ] || fail "it is still $before"
! vm_get "$at" RESET >/dev/null 2>&1 || fail 'the wish RESET is still there'
ok 'emptied: another node'

# What could not be taken away afterwards is no wish: it would empty the node at each start.
mmd -i "$at/disk.img@@$vm_conf_at" ::RESET
start "$at" 1 1
expect "$at" 'weft-init: status.txt says ready'
refuse "$at" 'factory reset'
vm_stop "$at"
[ "$(identity)" = "$after" ] || fail "a folder RESET has emptied it: $(identity)"
mdeltree -i "$at/disk.img@@$vm_conf_at" ::RESET
ok 'a folder RESET empties nothing'

# The same disk in another machine: without a serial number only the firmware speaks for it.
boot_as() {
    # shellcheck disable=SC2046
    vm_start "$at" -uuid "$1" $(vm_admin_nic 1 $((port_base + 1))) $(vm_mesh_net "$work" 1 1) $(vm_mesh_nic 1) || fail 'QEMU did not start'
}
boot_as 11111111-1111-4111-8111-111111111111
expect "$at" 'weft-init: status.txt says ready'
vm_stop "$at"
boot_as 22222222-2222-4222-8222-222222222222
expect "$at" 'maintenance mode: this disk is a copy'
expect "$at" 'weft-init: status.txt says maintenance'
vm_stop "$at"
[ "$(identity)" != "$after" ] || fail 'the copy answers with the key of the other node'
ok 'a copy is noticed, and answers with a key of its own'
