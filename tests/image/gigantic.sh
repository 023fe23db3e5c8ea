#!/bin/sh
# A node whose cores have a gigabyte each: their memory is pages of 1 GiB, and where there is no room for those, of 2 MB.
. "$(dirname "$0")/lib.sh"

# memory MACHINE MEGABYTES WORKERS: a node with so much; its configuration asks for a gigabyte of each core.
memory() {
    give "$1" 1 1
    sed -i "s/^workers = .*/workers = $3\n\n[memory]\narena_per_core = \"1GiB\"/" "$work/weft.toml"
    vm_put "$1" "$work/weft.toml" weft.toml
    vm_memory=$2
    start "$1" 1 1
    expect "$1" "$vm_ready"
    expect "$1" 'weft-init: status.txt says ready'
    weft 1 node show -o json >"$work/node.json" || fail 'it does not answer'
    pages=$(jq -r '.memory // .items[0].memory' "$work/node.json")
    given=$(vm_said "$1" | sed -n 's/.*weft-init: \([0-9]* MB in pages of 1 GiB\)/\1/p')
}

machine n1
memory "$at" 6144 2
[ "$given" = '2048 MB in pages of 1 GiB' ] || fail "it has '$given' for two cores"
[ "$pages" = 'huge pages of 1 GiB' ] || fail "its cores have $pages"
quietly weft 1 unit load "$root/docs/examples/counter.fth" --name counter
[ "$(weft 1 unit eval n1/counter '5 add total .')" = '5 ' ] || fail 'a unit does not run in it'
ok 'two cores on pages of 1 GiB, and a unit that runs there'
vm_stop "$at"
rm -rf "$at"

machine n1
memory "$at" 3072 1
[ -n "$given" ] && [ "$pages" = 'huge pages of 1 GiB' ] || fail "one core of a machine with 3 GiB has $pages ($given)"
vm_stop "$at"
rm -rf "$at"

machine n1
memory "$at" 1536 1
[ -z "$given" ] && [ "$pages" != 'huge pages of 1 GiB' ] || fail "a machine of 1.5 GiB gives $given"
ok "one core of a machine with 3 GiB has them, too; one of a machine with 1.5 GiB has $pages"
