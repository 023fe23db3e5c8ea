. "$(dirname "$0")/lib.sh"
machine n1
cp --sparse=always /tmp/ip/x.img "$at/disk.img"
entry a "$version" "$work/entry.efi" 's/ quiet/ loglevel=7/'
mdel -i "$at/disk.img@@$vm_esp_at" '::EFI/Linux/*'
mcopy -i "$at/disk.img@@$vm_esp_at" -o "$work/entry.efi" "::EFI/Linux/weft-a_$version.efi"
start "$at" 1 1 || true
vm_wait "$at" 'weftd ended\|ready,' 100 || true
cp "$at/serial.log" /tmp/ip/x.serial
vm_stop "$at"
cp --sparse=always $at/disk.img /tmp/ip/x2.img
