#!/bin/sh
# What a person does with a new machine: verify, flash a larger disk with the node's files, start it, read its words off
# the drive, and add it. No other tool has touched the disk.
. "$(dirname "$0")/lib.sh"
tool=${WEFT_TOOL:-$root/build/runtime/tool/weft}
[ -x "$tool" ] || { echo "SKIP: there is no $tool: ./do build"; exit 77; }

vm_config 1 1 "$work/weft.toml"
vm_join_token "$work/join.token"
vm_join_token "$work/owner.token"
"$tool" image verify "$images/$name.img.zst" --key "$keys/update.pub" >/dev/null || fail 'the image is not verified'
machine n1
rm "$at/disk.img"
truncate -s 1G "$at/disk.img"
"$tool" image flash "$images/$name.img.zst" "$at/disk.img" --yes --key "$keys/update.pub" --config "$work/weft.toml" \
    --join "$work/join.token" --owner "$work/owner.token" 2>"$work/flash.log" || fail "it was not flashed: $(cat "$work/flash.log")"
start "$at" 1 1
expect "$at" "$vm_ready"
expect "$at" 'weft-init: status.txt says ready'
refuse "$at" 'weft-init: error'
vm_get "$at" status.txt >"$work/status.txt" || fail 'there is no status.txt'
ok 'a flashed disk of 1 GB starts, and takes its files'

# Its words are on the drive, and the tool means the same by them.
export XDG_CONFIG_HOME="$work/config" WEFT_RUN_DIR="$work/nobody"
words=$(tr -d '\r' <"$work/status.txt" | grep -oE '([a-z]{5}-){5}[a-z]{5}' | head -1)
[ -n "$words" ] || fail "no words: $(cat "$work/status.txt")"
address=127.0.0.1:$((port_base + 1))
if "$tool" context add "$address" --token "$work/owner.token" --code babab-babab-babab-babab-babab-babab 2>/dev/null; then fail 'other words were taken'; fi
"$tool" context add "$address" --token "$work/owner.token" --code "$words" || fail "its own words were not: $words"
"$tool" node show n1 | grep -q '^name *n1' || fail 'it does not answer by its name'
"$tool" node slots n1 | grep -q '^a .*good' || fail 'its slots'
"$tool" node boot n1 | jq -e . >/dev/null || fail 'how it was started is not JSON'
ok 'it is known by its words'

# Emptied: another key, so another node.
vm_mark "$at"
"$tool" node reset --factory n1 --yes || fail 'it is not reset'
expect "$at" 'weft-init: Weft .*, slot a'
vm_mark "$at"
expect "$at" "$vm_ready"
if "$tool" node show n1 2>"$work/err"; then fail 'it is the same after a reset'; fi
grep -q fingerprint "$work/err" || fail "$(cat "$work/err")"
ok 'a reset node has another key, and the tool says so'

# Its key is damaged: it is another node again, and its owner finds the reason on the drive.
PATH=$PATH:/usr/sbin:/sbin
command -v debugfs >/dev/null || { echo 'SKIP: all but a damaged key has passed: there is no debugfs (package e2fsprogs)'; exit 77; }
# add WORDS: the same address, known by these.
add() { "$tool" context rm n1 2>/dev/null; "$tool" context add "$address" --token "$work/owner.token" --code "$1" || fail "it is not known by $1"; }
words() { vm_get "$at" status.txt | tr -d '\r' | grep -oE '([a-z]{5}-){5}[a-z]{5}' | head -1; }
expect "$at" 'weft-init: status.txt says ready'
add "$(words)"
"$tool" node poweroff n1 || fail 'it does not take poweroff'
vm_ended "$at" "$patience" || fail 'it does not switch itself off'
rm -f "$at/mark"
(umask 077 && head -c 100 /dev/urandom >"$work/damaged.pem")
for command in 'rm admin.pem' "write $work/damaged.pem admin.pem"; do
    debugfs -w -R "$command" "$at/disk.img?offset=$((233 * 1048576))" >/dev/null 2>&1
done
start "$at" 1 1
expect "$at" 'weft-init: error: /data/admin.pem was damaged'
expect "$at" 'weft-init: status.txt says ready'
vm_get "$at" status.txt | grep -q 'admin.pem was damaged.*the fingerprint is another one' || fail "status.txt does not say it: $(vm_get "$at" status.txt)"
if "$tool" node show n1 2>"$work/err"; then fail 'it is the same with another key'; fi
add "$(words)"
"$tool" node show n1 >/dev/null || fail 'its owner is shut out'
ok 'a node whose key was damaged says so, and answers its owner'
