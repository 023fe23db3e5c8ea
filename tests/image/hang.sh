#!/bin/sh
# A new release that hangs (freeze: process 1 does), and one that is ready and yet not well (spin: a core never comes back),
# fall back within three tries, as one that panics does (rollback.sh). Each try takes the guest's minute or two: this test
# is for --all. hang.sh [freeze|spin]
. "$(dirname "$0")/lib.sh"

# bad NAME WORD: a machine whose slot B starts an actor that does that; slot A does nothing of it.
bad() {
    machine "$1"
    second_slot "$at" 9.9.9 +3
    window "$at"
    give "$at" 1 1
    printf '\n[[actor]]\nname = "bad"\nfile = "window.so"\nargs = ["in", "b", "%s"]\n' "$2" >>"$work/weft.toml"
    vm_put "$at" "$work/weft.toml" weft.toml
    start "$at" 1 1
    for try in 1 2 3; do
        expect "$at" 'weft-init: Weft .*, slot b'
        [ "$try" = 3 ] || { vm_mark "$at"; }
    done
    expect "$at" 'weft-init: Weft .*, slot a'
    vm_mark "$at"
    expect "$at" "$vm_ready"
    vm_esp_list "$at" | grep -q 'weft-b_9.9.9+0-3.efi' || fail "the tries were not counted: $(vm_esp_list "$at")"
    vm_stop "$at"
}
patience=600
for word in ${1:-freeze spin}; do
    bad "$word" "$word"
    ok "a release that begins with $word: three tries, then the old one"
done
