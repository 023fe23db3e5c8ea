#!/bin/sh
# Power fails while the data partition grows, while a kernel is blessed, while units are written down, and in the middle
# of an update. A disk then
# keeps what it was told to flush, and of the rest some (forget.c). From each such disk the node starts, and what it had
# acknowledged is there. One life is recorded; each cut is a moment of it.
#
#   WEFT_CUTS=20 WEFT_SEED=7 sh tests/image/power.sh
. "$(dirname "$0")/lib.sh"
tool=${WEFT_TOOL:-$root/build/runtime/tool/weft}
[ -x "$tool" ] || { echo "SKIP: there is no $tool: ./do build"; exit 77; }
cuts=2
[ "${WEFT_ALL:-no}" = no ] || cuts=20
cuts=${WEFT_CUTS:-$cuts}
seed=${WEFT_SEED:-1}
program forget
forget=$program
units='one two three'
length() { stat -c %s "$at/disk.log"; }

# ---- A life.
machine n1
truncate -s 900M "$at/disk.img" # Larger than the image: it grows.
give "$at" 1 1
cp --sparse=always "$at/disk.img" "$work/before.img"
: >"$at/disk.log"
vm_log=yes
start "$at" 1 1
expect "$at" "$vm_ready"
ready=$(length)
expect "$at" 'weft-init: status.txt says ready'
grown=$(length) # By then it is blessed, too.

# What is put behind each other is counted, and a gap would be an error: a unit is at N only if it has seen all of 1 to N.
cat >"$work/ledger.fth" <<'FORTH'
variable last
: put ( n -- ) dup last @ 1+ <> if -4095 throw then last ! ;
FORTH
for unit in $units; do quietly weft 1 unit load "$work/ledger.fth" --name "$unit" --recovery journal; done
loaded=$(length)
# write UNIT: "NUMBER LENGTH" for each that was acknowledged, and how long the log was then at most.
write() {
    index=1
    while [ $index -le "$each" ]; do
        weft 1 unit eval "n1/$1" "$index put" || return 1
        echo "$index $(length)"
        index=$((index + 1))
    done >"$work/$1.acks"
}
each=$((10 + 10 * cuts))
writers=
for unit in $units; do
    write "$unit" &
    writers="$writers $!"
done
for writer in $writers; do wait "$writer" || fail 'a write was refused'; done
written=$(length)

entry a 9.9.0 "$work/uki-a"
entry b 9.9.0 "$work/uki-b"
"$tool" image bundle --version 9.9.0 --arch "$arch" --floor 0.0.1 --epoch 1764201600 --sign "$keys/update.key" -w "$work/new.update" \
    "$images/root.erofs" "$images/root.verity" "$work/uki-a" "$work/uki-b" >/dev/null
quietly weft 1 node upgrade "$work/new.update" --no-restart
updated=$(length)
# Until the next look at anything: what was in flight when the lengths were taken is in the log by then.
weft 1 unit eval n1/one 'last @ .' >/dev/null
vm_stop "$at"
vm_log=no
ok "a life: $grown bytes of log until it was ready, $((written - loaded)) with $each writes to each of 3 units, $((updated - written)) of an update"

# ---- Its ends.
"$forget" "$at/disk.log" >"$work/positions" || fail 'the log cannot be read'
# acknowledged UNIT POSITION: the index that was, when the log was so long.
acknowledged() { awk -v at="$2" '$2 <= at && $1 > n { n = $1 } END { print n + 0 }' "$work/$1.acks"; }

# cut WHAT POSITION: the power fails there.
cut() {
    cp --sparse=always "$work/before.img" "$at/disk.img"
    left=$("$forget" "$at/disk.img" "$at/disk.log" "$2" "$seed") || fail "$1: $left"
    ok "$1, cut $index of $cuts, seed $seed, at byte $2: $left"
    start "$at" 1 1
    expect "$at" "$vm_ready"
    expect "$at" 'weft-init: status.txt says ready'
    refuse "$at" 'weft-init: error'
    said=
    for unit in $units; do
        [ "$2" -ge "$loaded" ] || break
        least=$(acknowledged "$unit" "$2")
        now=$(weft 1 unit eval "n1/$unit" 'last @ .' | tr -d ' \n') || fail "$1 at $2: the unit $unit is gone"
        [ "$now" -ge "$least" ] && [ "$now" -le "$each" ] || fail "$1 at $2: $unit holds $now, and $least was acknowledged"
        said="$said $now/$least"
    done
    vm_stop "$at"
    ok "    starts $(vm_esp_list "$at" | tr '\n' ' ')${said:+and has/acknowledged$said}"
}

# cuts_in WHAT FROM TO: behind that many of the writes that stand there in the log, one or the other.
cuts_in() {
    awk -v from="$2" -v to="$3" '$1 > from && $1 <= to { print $1 }' "$work/positions" >"$work/those"
    index=1
    while [ "$index" -le "$cuts" ]; do
        seed=$((seed + 1))
        cut "$1" "$(sed -n "$(($(moment "$seed" "$(wc -l <"$work/those")") + 1))p" "$work/those")"
        index=$((index + 1))
    done
}
# The kernel loses its count by another name in a file system without a journal: whenever that is cut, it has one name,
# the old or the new, and its slot is not written over by what comes after.
awk -v from="$ready" -v to="$grown" -v end=$(((esp_mib + 1) * 2048)) '$1 > from && $1 <= to && $2 >= 2048 && $2 < end { print $1 }' \
    "$work/positions" >"$work/renames"
[ -s "$work/renames" ] || fail 'nothing was written to the ESP when it was blessed'
index=0
while read -r position; do
    index=$((index + 1))
    for _ in 1 2; do # Kept, or not.
        seed=$((seed + 1))
        cut 'blessing' "$position"
        [ "$(vm_esp_list "$at")" = "weft-a_$version.efi" ] || fail "its names are $(vm_esp_list "$at")"
        dd if="$at/disk.img" of="$work/esp" bs=1M skip=1 count="$esp_mib" conv=sparse status=none
        fsck.fat -n "$work/esp" >"$work/said" || true # It is not what unmounts it in the end: the dirty bit may stand.
        ! grep -iE 'share|free cluster|invalid|bad' "$work/said" || fail "the ESP is damaged: $(cat "$work/said")"
    done
done <"$work/renames"
cuts_in growth 0 "$grown"
cuts_in units "$loaded" "$written"
cuts_in update "$written" "$updated"
