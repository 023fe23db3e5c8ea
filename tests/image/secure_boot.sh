#!/bin/sh
# With our keys enrolled the firmware boots what we signed and refuses what nobody did.
. "$(dirname "$0")/lib.sh"

machine n1
give "$at" 1 1
# The firmware is in setup mode: the boot loader enrols the keys that stand on the ESP, as a user does from its menu.
printf 'timeout 0\neditor no\nsecure-boot-enroll force\n' >"$work/loader.conf"
mcopy -i "$at/disk.img@@$vm_esp_at" -o "$work/loader.conf" ::loader/loader.conf
mmove -i "$at/disk.img@@$vm_esp_at" ::loader/keys/weft ::loader/keys/auto
start "$at" 1 1
# It enrols, restarts, and comes up with Secure Boot on.
expect "$at" "$vm_ready"
ok 'the signed image boots with Secure Boot on'
vm_stop "$at"

# An entry of another's hands on the ESP: our signed kernel, and with it a root in memory that nobody signed. The kernel
# does not take it.
. "$root/image/build/rescue.sh"
"$triple-objcopy" -O binary --only-section=.initrd "$images/$name.rescue.efi" "$work/rescue.cpio"
printf /bin/busybox >"$work/link"
SOURCE_DATE_EPOCH=0 cpio_number=0
{
    cpio_entry 0120777 init "$work/link"
    cpio_entry 0 'TRAILER!!!'
    cat "$work/rescue.cpio"
} >"$work/other.cpio"
printf 'title other\nlinux /other.efi\ninitrd /other.cpio\n' >"$work/other.conf"
printf 'timeout 0\neditor no\ndefault other.conf\n' >"$work/loader.conf"
mmd -D s -i "$at/disk.img@@$vm_esp_at" ::loader/entries 2>/dev/null || true
mcopy -i "$at/disk.img@@$vm_esp_at" "$images/$name.uki-a.efi" ::other.efi
mcopy -i "$at/disk.img@@$vm_esp_at" "$work/other.cpio" ::other.cpio
mcopy -i "$at/disk.img@@$vm_esp_at" "$work/other.conf" ::loader/entries/other.conf
mcopy -i "$at/disk.img@@$vm_esp_at" -o "$work/loader.conf" ::loader/loader.conf
start "$at" 1 1
expect "$at" 'weft-init: \|rescue: \|Error registering initrd: Already started' # The last: it has one of its own.
refuse "$at" 'rescue: '
ok 'a signed kernel takes no root that came beside it'
vm_stop "$at"
mdel -i "$at/disk.img@@$vm_esp_at" ::loader/entries/other.conf

# The same firmware, an entry that nobody signed.
mdel -i "$at/disk.img@@$vm_esp_at" '::EFI/Linux/*'
entry a "$version" "$work/entry.efi"
mcopy -i "$at/disk.img@@$vm_esp_at" -o "$work/entry.efi" "::EFI/Linux/weft-a_$version.efi"
start "$at" 1 1
expect "$at" 'Access denied\|Access Denied\|Security Violation'
refuse "$at" 'weft-init'
ok 'an entry without a signature is refused'
vm_stop "$at"
