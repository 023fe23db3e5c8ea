#!/bin/sh
# The image for x86-64, on a machine with Intel's IOMMU: what is asked of the other one first, and that its screen shows
# what the serial line says. WEFT_ALL=yes: more of the other's tests.
export WEFT_ARCH=amd64
. "$(dirname "$0")/lib.sh"

more=
[ "${WEFT_ALL:-no}" = no ] || more='secure_boot rollback corrupt rescue'
# shellcheck disable=SC2086
others smoke $more frames

# picture MACHINE FILE: what its screen shows.
picture() {
    mkfifo "$1/ask" "$1/answer"
    timeout 60 nc -U "$1/qmp" <"$1/ask" >"$1/answer" &
    exec 3>"$1/ask"
    printf '{"execute": "qmp_capabilities"}\n{"execute": "screendump", "arguments": {"filename": "%s"}}\n' "$2" >&3
    [ "$(grep -m 2 -c '"return"' "$1/answer")" = 2 ] || fail 'QEMU takes no picture'
    exec 3>&-
    rm -f "$1/ask" "$1/answer"
}

machine screen
vm_screen=std
alone "$at"
expect "$at" 'weft-init: Weft'
picture "$at" "$work/early.ppm"
expect "$at" "$vm_ready"
picture "$at" "$work/late.ppm"
changed=$(cmp -l "$work/early.ppm" "$work/late.ppm" | wc -l)
[ "$changed" -ge 3000 ] || fail "the screen does not show what the node says ($changed bytes of the picture changed)"
ok "the screen shows it too ($changed bytes of the picture changed)"
tell_left_out
