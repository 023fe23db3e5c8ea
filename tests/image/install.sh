#!/bin/sh
# From a stick to the disk inside: copied when asked, never over something unasked, and never two Weft disks by accident.
. "$(dirname "$0")/lib.sh"
tool=${WEFT_TOOL:-$root/build/runtime/tool/weft}

# with_stick INDEX: the words that plug the stick in, before the disk (0) or behind it (2) for the firmware.
with_stick() { printf '%s' "-device qemu-xhci -drive if=none,id=stick,format=raw,file=$at/stick.img -device usb-storage,drive=stick,bootindex=$1"; }
stick_put() { mcopy -i "$at/stick.img@@$vm_conf_at" -o "$1" "::$2"; }
stick_get() { mtype -i "$at/stick.img@@$vm_conf_at" "::$1" | tr -d '\r'; }
wish() { printf '%s\n' "$1" >"$work/INSTALL"; stick_put "$work/INSTALL" INSTALL; }
# shellcheck disable=SC2046
start_with_stick() { vm_start "$at" $(with_stick "$1") $(vm_admin_nic 1 $((port_base + 1))) $(vm_mesh_net "$work" 1 1) $(vm_mesh_nic 1) || fail 'QEMU did not start'; }

machine n1
give "$at" 1 1
mv "$at/disk.img" "$at/stick.img"
truncate -s 600M "$at/disk.img"

# Something is on it: it stays as it is.
printf 'precious' | dd of="$at/disk.img" bs=1 seek=1000 conv=notrunc status=none
before=$(sha256sum <"$at/disk.img")
wish auto
start_with_stick 0
expect "$at" 'maintenance mode: /conf/INSTALL: nothing is installed: /dev/vda is not empty'
expect "$at" 'weft-init: status.txt says maintenance'
stick_get status.txt | grep -q 'INSTALL says "/dev/vda erase"' || fail "status.txt does not say it: $(stick_get status.txt)"
vm_stop "$at"
[ "$(sha256sum <"$at/disk.img")" = "$before" ] || fail 'the disk was written to'
ok 'a disk with something on it is not touched, and the console and status.txt say why'

# Told to erase it: copied, compared, switched off.
wish '/dev/vda erase'
start_with_stick 0
expect "$at" 'weft-init: install: 100 %, compared'
expect "$at" 'weft-init: install: /dev/vda .* holds this image now'
vm_ended "$at" "$patience" || fail 'it does not switch itself off'
stick_get INSTALLED | grep -q 'holds this image now' || fail 'the stick does not say what was done'
stick_get status.txt | grep -q '^install: .*/dev/vda .*holds this image now' || fail "status.txt does not: $(stick_get status.txt)"
! mtype -i "$at/stick.img@@$vm_conf_at" ::INSTALL >/dev/null 2>&1 || fail 'the wish is still there'
sfdisk -l "$at/disk.img" >/dev/null 2>"$work/table" && [ ! -s "$work/table" ] || fail "its table: $(cat "$work/table")"
[ "$(vm_esp_list "$at")" = "weft-a_$version+3.efi" ] || fail "its ESP has $(vm_esp_list "$at")"
! vm_get "$at" INSTALL >/dev/null 2>&1 || fail 'the copy has the wish as well'
ok "installed: $(vm_said "$at" | sed -n 's/^\[ *\([0-9.]*\)\] weft-init: install: onto.*/begun at \1 s/p; s/^\[ *\([0-9.]*\)\] weft-init: powering off.*/ended at \1 s/p' | tr '\n' ' ')by the guest's clock"

# The disk alone, as a node of its own.
start "$at" 1 1
expect "$at" 'weft-init: status.txt says ready'
refuse "$at" 'error:'
ask 1 /api/v1/node | grep -q '"name":"n1"' || fail 'the node is not n1'
vm_stop "$at"
vm_get "$at" status.txt | grep -q '^identity: *new' || fail 'its identity is not new'
end=$(sfdisk -d "$at/disk.img" | sed -n 's/.*start= *\([0-9]*\), size= *\([0-9]*\),.*name="data".*/\1 \2/p' | awk '{ print $1 + $2 }')
[ "$end" -ge $((598 * 2048)) ] || fail "its data ends at sector $end"
ok 'it starts without the stick, with an identity of its own'

# The stick is forgotten in the machine: the disk starts, and names it.
start_with_stick 2
expect "$at" 'weft-init: started from /dev/vda; another Weft disk is here: /dev/sda'
expect "$at" 'weft-init: status.txt says ready'
vm_stop "$at"
vm_get "$at" status.txt | grep -q '^other disks: */dev/sda' || fail 'status.txt does not name the stick'
# … or the firmware takes the stick: then no node runs, for the root is the disk's.
before=$(sha256sum <"$at/disk.img")
start_with_stick 0
expect "$at" 'maintenance mode: .*this medium has installed itself'
expect "$at" 'weft-init: status.txt says maintenance'
vm_stop "$at"
[ "$(sha256sum <"$at/disk.img")" = "$before" ] || fail 'the disk was written to'
mdel -i "$at/stick.img@@$vm_conf_at" ::INSTALLED
start_with_stick 0
expect "$at" 'maintenance mode: there are two Weft disks: this start is from /dev/sda, but the root is read from another one.* /dev/vda'
vm_stop "$at"
ok 'two Weft disks: the other is named, and no node runs from a mixture'

# A disk that forgets what was written to it: the second start says so, and there is no third.
wish 'auto erase'
cp --sparse=always "$at/disk.img" "$work/as-it-was.img"
# shellcheck disable=SC2046
vm_start "$at" $(with_stick 0) -no-reboot || fail 'QEMU did not start'
expect "$at" 'weft-init: install: /dev/vda .* is erased; the machine starts again'
vm_ended "$at" "$patience" || fail 'it does not start again'
mv "$work/as-it-was.img" "$at/disk.img"
start_with_stick 0
expect "$at" 'maintenance mode: .*nothing is installed: /dev/vda has its table still'
vm_stop "$at"
ok 'a disk that does not keep what is written is named'

# Over another Weft disk: in two starts, since the kernel prefers that disk's root.
wish 'auto erase'
start_with_stick 0
expect "$at" 'weft-init: install: /dev/vda .* is erased; the machine starts again'
expect "$at" 'weft-init: install: /dev/vda .* holds this image now'
vm_ended "$at" "$patience" || fail 'it does not switch itself off'
start "$at" 1 1
expect "$at" 'weft-init: status.txt says ready'
vm_stop "$at"
ok 'over another Weft disk, in two starts'

# Over the admin port: what would be refused at the next start is refused at once, and the node runs on.
if [ -x "$tool" ]; then
    rm "$at/disk.img"
    truncate -s 600M "$at/disk.img"
    printf 'precious' | dd of="$at/disk.img" bs=1 seek=1000 conv=notrunc status=none
    mdel -i "$at/stick.img@@$vm_conf_at" ::INSTALLED
    start_with_stick 0
    expect "$at" 'weft-init: status.txt says ready'
    for wrong in auto /dev/sda /dev/vdb; do
        if weft 1 node install "$wrong" --yes 2>"$work/err"; then fail "$wrong was taken"; fi
        grep -q 'not empty\|no other disk' "$work/err" || fail "$wrong: $(cat "$work/err")"
    done
    [ "$(ask 1 /readyz)" = ready ] || fail 'it does not run on'
    weft 1 node install /dev/vda --erase --yes || fail 'it was refused'
    expect "$at" 'weft-init: install: /dev/vda .* holds this image now'
    vm_ended "$at" "$patience" || fail 'it does not switch itself off'
    start "$at" 1 1
    expect "$at" 'weft-init: status.txt says ready'
    vm_stop "$at"
    ok 'over the admin port'
fi

# A true copy of it: nobody can tell which is which.
cp --sparse=always "$at/disk.img" "$at/stick.img"
start_with_stick 0
# In maintenance, or said when the stick comes after the node has been started from the disk.
expect "$at" 'there are two Weft disks that cannot be told apart'
vm_stop "$at"
ok 'a copy beside its original: both are named'
