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

# The same firmware, an entry that nobody signed.
mdel -i "$at/disk.img@@$vm_esp_at" '::EFI/Linux/*'
entry a "$version" "$work/entry.efi"
mcopy -i "$at/disk.img@@$vm_esp_at" -o "$work/entry.efi" "::EFI/Linux/weft-a_$version.efi"
start "$at" 1 1
expect "$at" 'Access denied\|Access Denied\|Security Violation'
refuse "$at" 'weft-init'
ok 'an entry without a signature is refused'
vm_stop "$at"
