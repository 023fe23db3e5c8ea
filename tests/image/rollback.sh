#!/bin/sh
# A new release that panics falls back within three tries; one that works is blessed.
. "$(dirname "$0")/lib.sh"

machine bad
second_slot "$at" 9.9.9 +3 's/\(sha256 \)[0-9a-f]\{8\}/\100000000/' # Its root is not the one that its entry names.
alone "$at"
expect "$at" 'weft-init: Weft .*, slot a'
expect "$at" "$vm_ready"
vm_esp_list "$at" | grep -q 'weft-b_9.9.9+0-3.efi' || fail "the tries were not counted: $(vm_esp_list "$at")"
vm_stop "$at"
ok 'three panics, then the old release runs'

machine good
second_slot "$at" 9.9.8 +3
alone "$at"
expect "$at" 'weft-init: Weft .*, slot b'
expect "$at" "$vm_ready"
expect "$at" 'weft-init: status.txt says ready'
vm_esp_list "$at" | grep -q 'weft-b_9.9.8.efi' || fail "it was not blessed: $(vm_esp_list "$at")"
ok 'a release that works is blessed'
