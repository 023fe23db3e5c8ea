#!/bin/sh
# What stands on the drive is taken or complained about, with its line, and never replaced in silence.
. "$(dirname "$0")/lib.sh"

# complains NAME PATTERN: with what is on the drive of $at now, the node waits in maintenance mode and says why.
complains() {
    start "$at" 1 1
    expect "$at" "[Mm][Aa][Ii][Nn][Tt][Ee][Nn][Aa][Nn][Cc][Ee] [Mm][Oo][Dd][Ee]: .*$2"
    vm_wait "$at" 'weft-init: .*status.txt' "$patience" || true
    vm_get "$at" status.txt 2>/dev/null | grep -q -e "$2" || fail "$1: status.txt does not say: $2"
    vm_stop "$at"
    ok "$1: maintenance mode, and says why"
}

machine n1
complains 'no file' 'there is no configuration'

give "$at" 1 1
printf '[node]\nname = "n1"\nnmae = 1\n' >"$work/bad.toml"
vm_put "$at" "$work/bad.toml" weft.toml
complains 'an unknown key' 'weft.toml:3:1'

head -c 14 "$work/weft.toml" >"$work/half.toml"
vm_put "$at" "$work/half.toml" weft.toml
complains 'half a file' 'weft.toml:'

# In maintenance too it answers its owner, here one that is known by a key alone.
tool=${WEFT_TOOL:-$root/build/runtime/tool/weft}
if [ -x "$tool" ]; then
    XDG_CONFIG_HOME=$work/config "$tool" context keygen "$work/owner.pem" >"$work/owner.key" 2>/dev/null || fail 'no key'
    mdel -i "$at/disk.img@@$vm_conf_at" ::owner.token
    vm_put "$at" "$work/owner.key" owner.key
    start "$at" 1 1
    expect "$at" 'weft-init: status.txt says maintenance'
    WEFT_KEY=$work/owner.pem "$tool" --socket "https://127.0.0.1:$((port_base + 1))" node boot >"$work/boot.json" || fail 'it does not answer who has the key'
    grep -q '"maintenance":true' "$work/boot.json" || fail "it is not in maintenance: $(cat "$work/boot.json")"
    if curl -fsSk --max-time 10 "https://127.0.0.1:$((port_base + 1))/readyz" 2>/dev/null; then fail 'it answers who has none'; fi
    vm_stop "$at"
    ok 'in maintenance it answers who has the key that owner.key is the public half of, and nobody else'
fi

if [ "${WEFT_ALL:-no}" = yes ]; then
    # A stick that was pulled out while it was written: the directory has the whole size, the table has the first cluster.
    { cat "$work/weft.toml"; head -c 9000 /dev/zero | tr '\0' '#'; } >"$work/torn.toml"
    vm_put "$at" "$work/torn.toml" weft.toml
    conf_byte() { od -An -tu"$2" -j $((201 * 1048576 + $1)) -N "$2" "$at/disk.img" | tr -d ' '; }
    first=$(mshowfat -i "$at/disk.img@@$vm_conf_at" ::weft.toml | sed -n 's/.*<\([0-9]*\).*/\1/p')
    [ -n "$first" ] || fail 'where the file begins cannot be told'
    for table in 0 1; do
        printf '\377\377' | dd of="$at/disk.img" bs=1 conv=notrunc status=none \
            seek=$((201 * 1048576 + ($(conf_byte 14 2) + table * $(conf_byte 22 2)) * 512 + 2 * first))
    done
    complains 'a torn file' 'weft.toml'

    { cat "$work/weft.toml"; head -c 10000000 /dev/zero | tr '\0' '#'; } >"$work/large.toml"
    vm_put "$at" "$work/large.toml" weft.toml
    complains 'ten megabytes' 'weft.toml'

    mdel -i "$at/disk.img@@$vm_conf_at" ::weft.toml
    mmd -i "$at/disk.img@@$vm_conf_at" ::weft.toml
    complains 'a directory' 'weft.toml'
fi
