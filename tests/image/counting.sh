#!/bin/sh
# The loader takes a try from the name of the kernel that it starts, by the firmware's driver for FAT, which has no
# journal. Power fails in the middle of that, and a disk keeps each sector of a write or not.
#
# The only slot of a new image has a short name, which is in one sector: whatever is kept, it is the old or the new. The
# name of a release on trial may be long, and may be lost; its directory does not grow (image/update/fat_room.h), so that
# the good one's is always found.
. "$(dirname "$0")/lib.sh"
tool=${WEFT_TOOL:-$root/build/runtime/tool/weft}
[ -x "$tool" ] || { echo "SKIP: there is no $tool: ./do build"; exit 77; }
program forget

slot_names() { vm_esp_list "$1" 2>/dev/null | grep "^weft-$2_" || true; }

# check_esp MACHINE WHICH: its boot partition is a file system that may be written to.
check_esp() {
    dd if="$1/disk.img" of="$work/esp" bs=1M skip=1 count="$esp_mib" conv=sparse status=none
    fsck.fat -n "$work/esp" >"$work/said" || true # The dirty bit may stand.
    ! grep -iE 'share|free cluster|invalid|bad' "$work/said" || fail "$2: the ESP is damaged: $(cat "$work/said")"
}

# count_down MACHINE SLOT: its next start, up to our first word. Leaves the disk before it in before.img, after it in
# after.img, and which sectors of the ESP are others in $work/sectors.
count_down() {
    cp --sparse=always "$1/disk.img" "$work/before.img"
    old=$(slot_names "$1" "$2")
    : >"$1/disk.log"
    vm_log=yes
    start "$1" 1 1
    expect "$1" "weft-init: Weft .*slot $2"
    vm_stop "$1"
    vm_log=no
    new=$(slot_names "$1" "$2")
    [ -n "$new" ] && [ "$new" != "$old" ] || fail "it was not counted: $old"
    # What we have written since, if anything, lies behind the ESP.
    cmp -l "$work/before.img" "$1/disk.img" | awk -v end="$(((esp_mib + 1) * 1048576))" '$1 <= end { print int(($1 - 1) / 512) }' | uniq >"$work/sectors"
    count=$(wc -l <"$work/sectors")
    [ "$count" -ge 1 ] && [ "$count" -le 4 ] || fail "$count sectors of the ESP are others: has a directory grown?"
    cp --sparse=always "$1/disk.img" "$work/after.img"
}

# tear MACHINE WHICH: the disk of which those sectors are kept whose bit is set in WHICH.
tear() {
    cp --sparse=always "$work/before.img" "$1/disk.img"
    index=0
    while read -r sector; do
        [ $(($2 >> index & 1)) = 0 ] || dd if="$work/after.img" of="$1/disk.img" bs=512 skip="$sector" seek="$sector" count=1 conv=notrunc status=none
        index=$((index + 1))
    done <"$work/sectors"
}

machine n1
give "$at" 1 1
count_down "$at" a
which=0
while [ "$which" -lt $((1 << count)) ]; do
    tear "$at" "$which"
    listed=$(slot_names "$at" a)
    [ "$listed" = "$old" ] || [ "$listed" = "$new" ] || fail "cut $which of $count sectors: its names are $listed"
    check_esp "$at" "cut $which of $count sectors"
    which=$((which + 1))
done
ok "$old becomes $new in $count sectors: all $which disks that a cut may leave have the one name or the other"

# Beside a good one, on trial, with a name of many parts, and beside a file of somebody: the next name is in two sectors.
cp "$work/after.img" "$at/disk.img"
start "$at" 1 1
expect "$at" 'weft-init: status.txt says ready'
vm_stop "$at"
[ "$(slot_names "$at" a)" = "weft-a_$version.efi" ] || fail "slot a was not blessed: $(slot_names "$at" a)"
good=weft-a_$version.efi
mcopy -i "$at/disk.img@@$vm_esp_at" "$root/LICENSE" ::EFI/Linux/what.somebody.has.left.here.beside.them.txt
second_slot "$at" 9.9.0~candidate0of0the0next1 +3
count_down "$at" b
lost=0 torn=
which=1
while [ "$which" -lt $((1 << count)) ]; do
    tear "$at" "$which"
    [ "$(slot_names "$at" a)" = "$good" ] || fail "cut $which of $count sectors: slot a is $(slot_names "$at" a)"
    listed=$(slot_names "$at" b)
    [ "$listed" = "$old" ] || [ "$listed" = "$new" ] || { lost=$((lost + 1)) torn="$torn $which"; }
    which=$((which + 1))
done
ok "$old becomes $new in $count sectors: the good slot is there in all that a cut may leave; in $lost of $((which - 1)) the one on trial has no name, or two"

# The node starts from such a disk, and the next update finds it in order: what is lost there is free again.
for slot in a b; do entry $slot 9.9.1 "$work/uki-$slot"; done
"$tool" image bundle --version 9.9.1 --arch "$arch" --floor 0.0.1 --epoch 1764201600 --sign "$keys/update.key" -w "$work/new.update" \
    "$images/root.erofs" "$images/root.verity" "$work/uki-a" "$work/uki-b" >/dev/null
tried=0
for which in $torn; do
    [ "$tried" -lt 3 ] || break
    tried=$((tried + 1))
    tear "$at" "$which"
    listed=$(slot_names "$at" b | tr '\n' ' ')
    start "$at" 1 1
    expect "$at" 'weft-init: status.txt says ready'
    quietly weft 1 node upgrade "$work/new.update" --no-restart
    vm_stop "$at"
    said=$(vm_said "$at" | sed -n 's/.*: \([0-9]* clusters that no file had\).*/\1/p')
    check_esp "$at" "after a start and an update from cut $which"
    ok "from names $listed: updated to $(vm_esp_list "$at" | tr '\n' ' ')${said:+, $said}"
done
