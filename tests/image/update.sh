#!/bin/sh
# Releases over the admin port: refused ones leave no trace, a good one runs and is blessed, a bad one falls back and
# is refused the next time, and the node goes back to its other slot when told to.
. "$(dirname "$0")/lib.sh"
tool=${WEFT_TOOL:-$root/build/runtime/tool/weft}
[ -x "$tool" ] || { echo "SKIP: there is no $tool: ./do build"; exit 77; }

# bundle VERSION FILE [SED]: the release of this image under another version; SED changes its kernels' command lines.
bundle() {
    entry a "$1" "$work/uki-a" "${3:-}"
    entry b "$1" "$work/uki-b" "${3:-}"
    "$tool" image bundle --version "$1" --arch "$arch" --floor "${floor:-0.0.1}" --epoch 1764201600 --sign "${key:-$keys/update.key}" -w "$2" \
        "$images/root.erofs" "$images/root.verity" "$work/uki-a" "$work/uki-b" >/dev/null
}
slots() { weft 1 node slots -o json >"$work/slots.json" || fail 'no slots'; }
holds() { # SLOT VERSION STATE RUNNING
    slots
    jq -e --arg s "$1" --arg v "$2" --arg t "$3" --argjson r "$4" \
        '.items[] | select(.slot == $s) | .version == $v and .state == $t and .running == $r' "$work/slots.json" >/dev/null ||
        fail "slot $1 is not $2 $3 $4: $(cat "$work/slots.json")"
}
refused() { # CODE FILE [OPTION…]
    code=$1
    shift
    if weft 1 node upgrade "$@" 2>"$work/err"; then fail "$1 was taken"; fi
    grep -q "$code" "$work/err" || fail "$1: $(cat "$work/err")"
}
command -v jq >/dev/null || { echo 'SKIP: no jq'; exit 77; }

machine n1
alone "$at"
expect "$at" "$vm_ready"
expect "$at" 'weft-init: status.txt says ready'
holds a "$version" good true
[ "$(jq -r '.items[1].state' "$work/slots.json")" = empty ] || fail 'slot b is not empty'

# Refused.
bundle 9.9.0 "$work/good.update"
head -c 9000000 "$work/good.update" >"$work/cut.update"
refused W0902 "$work/cut.update"
openssl genpkey -algorithm ed25519 -out "$work/other.key" 2>/dev/null
key=$work/other.key bundle 9.9.1 "$work/strange.update"
refused W0903 "$work/strange.update" --force
holds a "$version" good true
ok 'what is cut short or not signed by its key is refused'

# A good one.
vm_mark "$at"
floor=9.9.0 bundle 9.9.0 "$work/good.update"
weft 1 node upgrade "$work/good.update" || fail 'the good one was refused'
expect "$at" 'weft-init: Weft .*, slot b'
vm_mark "$at"
expect "$at" "$vm_ready"
expect "$at" 'weft-init: status.txt says ready'
holds b 9.9.0 good true
holds a "$version" good false
ok 'a good release runs, and is blessed'

# Older than its floor; by force it would do.
bundle 9.8.0 "$work/older.update"
refused W0904 "$work/older.update"
[ "$(jq -r .floor "$work/slots.json")" = 9.9.0 ] || [ "$(weft 1 node slots -o json | jq -r .floor)" = 9.9.0 ] || fail 'the floor is not kept'

# A bad one: its root is not the one that its kernel names.
vm_mark "$at"
bundle 9.9.9 "$work/bad.update" 's/\(sha256 \)[0-9a-f]\{8\}/\100000000/'
weft 1 node upgrade "$work/bad.update" || fail 'the bad one was refused'
expect "$at" 'weft-init: Weft .*, slot b'
vm_mark "$at"
expect "$at" "$vm_ready"
holds a 9.9.9 failed false
holds b 9.9.0 good true
refused W0904 "$work/bad.update"
weft 1 node slots | grep -q '9.9.9 failed here before' || fail 'the failure is not remembered'
if weft 1 node rollback 2>"$work/err"; then fail 'rolled back to what has failed'; fi
ok 'a bad release falls back within three tries, and is refused the next time'

# An older one by force, which must come before the newer; and back to it.
vm_mark "$at"
weft 1 node upgrade "$work/older.update" --force || fail 'not by force'
expect "$at" 'weft-init: Weft .*, slot a'
vm_mark "$at"
expect "$at" 'weft-init: status.txt says ready'
holds a 9.8.0 good true
holds b 9.9.0 aside false
vm_mark "$at"
weft 1 node rollback || fail 'it does not roll back'
expect "$at" 'weft-init: Weft .*, slot b'
vm_mark "$at"
expect "$at" 'weft-init: status.txt says ready'
holds b 9.9.0 good true
ok 'an older release by force, and back'
