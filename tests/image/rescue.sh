#!/bin/sh
# The rescue kernel from a stick, beside a node's disk: it says what is on the disk, gives a shell, and changes nothing.
. "$(dirname "$0")/lib.sh"

rescue=$images/$name.rescue.efi
[ -f "$rescue" ] || fail "there is no $rescue"
sbverify --cert "$keys/secure-boot.crt" "$rescue" >/dev/null 2>&1 || fail 'it is not signed'

machine n1
printf 'version 0.0.7 (slot a)\n' >"$work/status.txt"
vm_put "$at" "$work/status.txt" status.txt
before=$(sha256sum <"$at/disk.img")
vm_stick "$at" "$rescue"
# shellcheck disable=SC2046
vm_start "$at" $(vm_with_stick "$at") -no-reboot || fail 'QEMU did not start'
expect "$at" 'rescue: a shell'
for line in "rescue: Weft $version, kernel " 'rescue: /dev/vda1 is on /mnt/esp' " weft-a_$version+3.efi" \
    'rescue: /dev/vda6 is on /mnt/WEFT-CONF' ' version 0.0.7 (slot a)' 'rescue: /dev/vda7 is on /mnt/data' 'rescue: no panic is recorded'; do
    vm_said "$at" | grep -qF -e "$line" || fail "it does not say: $line"
done
ok 'it says what is on the disk'
# The words that a test waits for are not those that it types: the line shows both.
vm_type "$at" 'ls -d /dev/vda? | tr "\n" " "; echo "seen: $((40 + 2))"'
expect "$at" 'seen: 42'
vm_said "$at" | grep -q '/dev/vda1 .*/dev/vda7' || fail 'the shell does not show the disk'
vm_type "$at" 'umount /mnt/data; e2fsck -n -f /dev/vda7; echo "checked: $?"'
expect "$at" 'checked: 0'
ok 'the shell sees the disk, and its file system is checked'
vm_type "$at" poweroff
vm_ended "$at" "$patience" || fail 'it does not switch itself off'
[ "$(sha256sum <"$at/disk.img")" = "$before" ] || fail 'the disk was written to'
ok 'it switches itself off, and the disk is as it was'

# From the disk itself: behind a slot that has a try left, before one that has none.
machine n2
mcopy -i "$at/disk.img@@$vm_esp_at" "$rescue" ::EFI/Linux/weft-rescue.efi
vm_start "$at" -no-reboot || fail 'QEMU did not start'
expect "$at" 'weft-init: Weft\|rescue: Weft'
refuse "$at" 'rescue: '
vm_stop "$at"
[ "$(vm_esp_list "$at" | tr '\n' ' ')" = "weft-a_$version+2-1.efi weft-rescue.efi " ] || fail "the ESP holds $(vm_esp_list "$at")"
mmove -i "$at/disk.img@@$vm_esp_at" "::EFI/Linux/weft-a_$version+2-1.efi" "::EFI/Linux/weft-a_$version+0-3.efi"
vm_start "$at" -no-reboot || fail 'QEMU did not start'
expect "$at" 'weft-init: Weft\|rescue: a shell'
refuse "$at" 'weft-init: '
ok 'on the disk it starts when no slot has a try left, and not before'
