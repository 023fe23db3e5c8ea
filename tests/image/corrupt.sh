#!/bin/sh
# One byte of the root is another: the kernel stops at the block, and after three tries the other slot runs.
. "$(dirname "$0")/lib.sh"

machine n1
second_slot "$at" 0.0.1 '' # An older release that was good once.
# A byte of a block that every boot reads: the first block of the file system is behind its superblock's.
printf '\125' | dd of="$at/disk.img" bs=1 seek=$((root_at * 1048576 + 1024 + 64)) conv=notrunc status=none
alone "$at"
expect "$at" 'weft-init: Weft .*, slot b'
expect "$at" "$vm_ready"
vm_esp_list "$at" | grep -q "weft-a_$version+0-3.efi" || fail "the tries were not counted: $(vm_esp_list "$at")"
ok 'a flipped byte is caught; after three tries the other slot runs'
