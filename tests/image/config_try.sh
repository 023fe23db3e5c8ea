#!/bin/sh
# A configuration over the admin port: one that nobody confirms is gone with the next start, one that is confirmed is on
# the drive, and a broken one is not even sent.
. "$(dirname "$0")/lib.sh"
tool=${WEFT_TOOL:-$root/build/runtime/tool/weft}
[ -x "$tool" ] || { echo "SKIP: there is no $tool: ./do build"; exit 77; }

machine n1
alone "$at"
expect "$at" "$vm_ready"
expect "$at" 'weft-init: status.txt says ready'
vm_get "$at" weft.toml >"$work/now.toml"
sed 's/^name = .*/name = "other"/' "$work/now.toml" >"$work/other.toml"
weft 1 plan "$work/other.toml" >"$work/plan"
grep -q '^+ node.name = "other"' "$work/plan" || fail "the plan: $(cat "$work/plan")"
weft 1 plan "$work/now.toml" 2>&1 | grep -q 'no difference' || fail 'what runs differs from itself'
echo 'node = 1' >"$work/broken.toml"
if weft 1 apply "$work/broken.toml" 2>/dev/null; then fail 'a broken one was sent'; fi

# Nobody confirms it.
vm_mark "$at"
weft 1 apply "$work/other.toml" --mode try=10s || fail 'it was refused'
expect "$at" 'weft-init: a configuration is on trial for 10 s'
expect "$at" 'the configuration on trial was not confirmed'
vm_mark "$at"
expect "$at" 'weft-init: Weft .*, slot a'
vm_mark "$at"
expect "$at" "$vm_ready"
ask 1 /api/v1/node | grep -q '"name":"n1"' || fail 'it did not go back'
vm_get "$at" weft.toml | cmp -s - "$work/now.toml" || fail 'the drive was written to'
ok 'what nobody confirms is gone with the next start'

# Somebody does.
vm_mark "$at"
weft 1 apply "$work/other.toml" --mode try=300s || fail 'it was refused'
expect "$at" 'weft-init: a configuration is on trial for 300 s'
vm_mark "$at"
expect "$at" "$vm_ready"
ask 1 /api/v1/node | grep -q '"name":"other"' || fail 'it is not tried'
weft 1 confirm || fail 'it cannot be confirmed'
expect "$at" 'weft-init: the configuration is confirmed'
if weft 1 confirm 2>/dev/null; then fail 'confirmed twice'; fi
vm_get "$at" weft.toml | grep -q '^name = "other"' || fail 'it is not on the drive'
vm_mark "$at"
weft 1 node reboot || fail 'no restart'
expect "$at" 'weft-init: Weft .*, slot a'
vm_mark "$at"
expect "$at" "$vm_ready"
ask 1 /api/v1/node | grep -q '"name":"other"' || fail 'it did not stay'
ok 'what is confirmed stays'
