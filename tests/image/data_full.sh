#!/bin/sh
# A data partition without room: the node says so by its name, serves, and loses nothing of what it has acknowledged.
. "$(dirname "$0")/lib.sh"
tool=${WEFT_TOOL:-$root/build/runtime/tool/weft}
[ -x "$tool" ] || { echo "SKIP: there is no $tool: ./do build"; exit 77; }
[ -x /usr/sbin/debugfs ] || command -v debugfs >/dev/null || { echo 'SKIP: there is no debugfs (package e2fsprogs)'; exit 77; }
PATH=$PATH:/usr/sbin:/sbin

data_at=$((233 * 1048576))
# data COMMAND: in the file system of the data partition, while the machine is off.
data() { debugfs -w -R "$1" "$at/disk.img?offset=$data_at" 2>&1; }
off() { weft 1 node poweroff 2>/dev/null || fail 'it does not take poweroff'; vm_ended "$at" "$patience" || fail 'it does not switch itself off'; rm -f "$at/mark"; }
# A unit whose image is large, so that few of them fill a segment.
tick() { weft 1 unit eval n1/counter 'tick n @ .' 2>"$work/err" | grep -oE '[0-9]+' | tail -1; }

machine n1
give "$at" 1 1
printf '\n[journal]\nsegment_bytes = "2MiB"\n' >>"$work/weft.toml"
vm_put "$at" "$work/weft.toml" weft.toml
start "$at" 1 1
expect "$at" "$vm_ready"
cat >"$work/counter.fth" <<'FORTH'
variable n
create large 120000 allot
: tick 1 n +! large 120000 n @ fill ;
FORTH
weft 1 unit load "$work/counter.fth" --recovery journal >/dev/null || fail 'the unit was not loaded'
[ "$(tick)" = 1 ] && [ "$(tick)" = 2 ] || fail "it does not count: $(cat "$work/err")"
off

# fill BLOCKS: all but so many of them.
free_blocks() { dumpe2fs -h "$at/disk.img?offset=$data_at" 2>/dev/null | sed -n 's/^Free blocks: *//p'; }
fill() {
    free=$(free_blocks)
    [ -n "$free" ] && [ "$free" -gt "$1" ] || fail "how much is free cannot be told: '$free'"
    yes filler | head -c $(((free - $1) * 4096)) >"$work/filler"
    data "write $work/filler filler$1" >"$work/said"
    [ "$(free_blocks)" -le "$1" ] || fail "$(free_blocks) blocks are free: $(cat "$work/said")"
}
# What the counter is at, when the unit is back.
count() {
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        now=$(weft 1 unit eval n1/counter 'n @ .' 2>"$work/err" | grep -oE '[0-9]+' | tail -1)
        [ -z "$now" ] || { echo "$now"; return; }
        ask 1 /livez >/dev/null || true
    done
    fail "the unit is not back: $(cat "$work/err")"
}
serves() {
    [ "$(ask 1 /livez)" = ok ] || fail 'it does not live'
    echo ': twice 2* ;' >"$work/twice.fth"
    weft 1 unit load "$work/twice.fth" --recovery none >/dev/null || fail 'a unit that needs no disk is not taken'
    [ "$(weft 1 unit eval n1/twice '21 twice .' | grep -oE '[0-9]+' | tail -1)" = 42 ] || fail 'what needs no disk is not served'
}

# Room for one more segment of the journal: 2 MiB are 512 blocks.
fill 620
start "$at" 1 1
expect "$at" 'journal: no segment can be made (No space left on device)'
acked=$(count)
[ "$acked" = 2 ] || fail "2 were acknowledged, and it is back with $acked"
while [ $acked -lt 100 ]; do
    now=$(tick) || true
    [ -n "$now" ] || break
    acked=$now
done
[ $acked -gt 2 ] && [ $acked -lt 100 ] || fail "$acked images of 120 kB were acknowledged with room for 2 MB"
grep -q . "$work/err" || fail 'it refuses without a word'
serves
ok "full: $acked acknowledged, then: $(head -1 "$work/err")"
off

# None at all: it begins without a journal to write, and with all that is in it.
fill 0
start "$at" 1 1
expect "$at" 'weft-init: error: the data partition /dev/vda7 is full'
expect "$at" 'journal: a write failed (No space left on device)'
weft 1 unit ls | grep -q counter || fail 'the unit is not back' # What it holds is asked when there is room again.
[ -z "$(tick)" ] || fail 'it acknowledges what it cannot keep'
serves
curl -sk --max-time 60 -H "Authorization: Bearer $(cat "$work/owner.token")" "https://127.0.0.1:$((port_base + 1))/readyz?verbose" >"$work/ready"
grep -q 'journal not ready: .*No space left' "$work/ready" || fail "/readyz does not say why: $(cat "$work/ready")"
expect "$at" 'weft-init: status.txt says'
vm_get "$at" status.txt | grep -q '^data: */dev/vda7 IS FULL' || fail "status.txt does not say it: $(vm_get "$at" status.txt)"
ok 'without any room: all is back, what needs no disk is served, and /readyz and status.txt say why'
# A release that is on trial just then is not to blame, and no other one would do better: it stays. Its name on the ESP is
# that of a last try, with another kernel to fall back to.
if [ "${WEFT_ALL:-no}" = yes ]; then
    off
    mren -i "$at/disk.img@@$vm_esp_at" "::EFI/Linux/$(vm_esp_list "$at")" "::EFI/Linux/weft-a_$version+1-1.efi" # As no start leaves it.
    entry b 0.0.1 "$work/entry.efi"
    mcopy -i "$at/disk.img@@$vm_esp_at" "$work/entry.efi" '::EFI/Linux/weft-b_0.0.1.efi'
    start "$at" 1 1
    expect "$at" "weft-init: error: version $version stays on trial: its journal has no room"
    [ "$(ask 1 /livez)" = ok ] || fail 'it does not live'
    ok 'on trial without any room: it stays'
    off
    mdel -i "$at/disk.img@@$vm_esp_at" '::EFI/Linux/weft-b_0.0.1.efi'
else
    off
fi

data 'rm filler620' >/dev/null
data 'rm filler0' >/dev/null
start "$at" 1 1
expect "$at" "$vm_ready"
expect "$at" 'weft-init: status.txt says ready'
refuse "$at" 'is full'
now=$(count)
[ "$now" -ge $acked ] || fail "$acked were acknowledged, and it is back with $now"
[ "$(tick)" = $((now + 1)) ] || fail "it does not count on: $(cat "$work/err")"
ok "with room again it is back with $now, and counts on"
vm_esp_list "$at" | grep -q -x "weft-a_$version.efi" || fail "it is not blessed: $(vm_esp_list "$at")"
