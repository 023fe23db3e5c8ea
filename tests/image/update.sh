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
    "$tool" image bundle --version "$1" --arch "${for:-$arch}" --floor "${floor:-0.0.1}" --epoch 1764201600 --sign "${key:-$keys/update.key}" -w "$2" \
        "${erofs:-$images/root.erofs}" "$images/root.verity" "$work/uki-a" "$work/uki-b" >/dev/null
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
for=riscv64 bundle 9.9.2 "$work/elsewhere.update"
refused W0904 "$work/elsewhere.update" --force
cp --sparse=always "$images/root.erofs" "$work/large.erofs"
truncate -s 49M "$work/large.erofs" # A slot has 48.
erofs=$work/large.erofs bundle 9.9.3 "$work/large.update"
refused W0904 "$work/large.update" --force
rm "$work/large.erofs" "$work/large.update"
holds a "$version" good true
ok 'what is cut short, not signed by its key, for another CPU or larger than the slot is refused'

# A good one. The command waits for what becomes of it.
floor=9.9.0 bundle 9.9.0 "$work/good.update"
weft 1 node upgrade "$work/good.update" 2>"$work/err" || fail "the good one: $(cat "$work/err")"
grep -q 'runs 9.9.0 from slot b; it has proved healthy' "$work/err" || fail "the good one: $(cat "$work/err")"
holds b 9.9.0 good true
holds a "$version" good false
ok 'a good release runs, and is blessed; the command says so'

# Older than its floor; by force it would do.
bundle 9.8.0 "$work/older.update"
refused W0904 "$work/older.update"
[ "$(jq -r .floor "$work/slots.json")" = 9.9.0 ] || [ "$(weft 1 node slots -o json | jq -r .floor)" = 9.9.0 ] || fail 'the floor is not kept'

# A bad one: its root is not the one that its kernel names.
bundle 9.9.9 "$work/bad.update" 's/\(sha256 \)[0-9a-f]\{8\}/\100000000/'
if weft 1 node upgrade "$work/bad.update" 2>"$work/err"; then fail 'the bad one runs'; fi
grep -q 'fell back to 9.9.0 in slot b: 9.9.9 in slot a did not become healthy (it is failed)' "$work/err" || fail "the bad one: $(cat "$work/err")"
holds a 9.9.9 failed false
holds b 9.9.0 good true
refused W0904 "$work/bad.update"
weft 1 node slots | grep -q '9.9.9 failed here before' || fail 'the failure is not remembered'
if weft 1 node rollback 2>"$work/err"; then fail 'rolled back to what has failed'; fi
ok 'a bad release falls back within three tries, the command says so, and it is refused the next time'

# What is known of it, without a shell.
weft 1 node panic >"$work/panic" || fail 'no panic was kept'
grep -q 'Kernel panic - not syncing' "$work/panic" || fail "this is no panic: $(cat "$work/panic")"
head -1 "$work/panic" | grep -q '^<[0-9]*>\[ *[0-9]' || fail "its parts are not one text: $(head -3 "$work/panic")"
weft 1 node logs >"$work/log" || fail 'no log'
[ "$(grep -c '^== boot ' "$work/log")" = 3 ] || fail "three boots came as far as a log: $(grep '^== boot ' "$work/log")"
weft 1 node logs --boot previous | grep -q 'weft-init: restarting' || fail 'the log does not end the boot before'
weft 1 node logs --boot current --tail 5000 | grep -q 'weft-init: Weft' || fail 'the log does not begin with what was said before its disk'
weft 1 core trace >/dev/null || fail 'no flight recorder'
ok 'the panic, the log over boots and the flight recorder come over the admin port'

# An older one by force, which must come before the newer; and back to it.
vm_mark "$at"
weft 1 node upgrade "$work/older.update" --force --no-wait || fail 'not by force'
expect "$at" 'weft-init: Weft .*, slot a'
vm_mark "$at"
expect "$at" 'weft-init: status.txt says ready'
holds a 9.8.0 good true
holds b 9.9.0 aside false
vm_mark "$at"
weft 1 node rollback --no-wait || fail 'it does not roll back'
expect "$at" 'weft-init: Weft .*, slot b'
vm_mark "$at"
expect "$at" 'weft-init: status.txt says ready'
holds b 9.9.0 good true
ok 'an older release by force, and back'
