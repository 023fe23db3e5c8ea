# lib.sh: sourced by the tests of the image. Machines in a folder of their own that go when the test ends, and what a
# test says. A test is `sh tests/image/NAME.sh`, with the image in build-image/ (WEFT_IMAGE_DIR) made by ./do image.
#
# Time: a test waits for a line on the serial port and never sleeps; what it asserts is the guest's own clock, or the
# CPU time of QEMU, since this machine may be doing something else.
# shellcheck shell=sh
set -eu

test_name=$(basename "$0" .sh)
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
die() { echo "$test_name: $*" >&2; exit 1; }
. "$root/image/build/image.sh"
choose_arch "${WEFT_ARCH:-arm64}"
choose_kernel "${WEFT_KERNEL:-own}"
root_at=$((esp_mib + 1)) # MiB; verity, slot b and its verity 48, 52 and 100 behind.
images=${WEFT_IMAGE_DIR:-$(results)}
version=$(sed -n "s/^ *version: '\(.*\)',/\1/p" "$root/meson.build" | head -1)
name=weft-$version-$arch$flavour
image=$images/$name.img
keys=$images/keys
[ -d "$keys" ] || keys=$root/build-image/keys
patience=${WEFT_IMAGE_SECONDS:-240} # How long a line may take to come, of this machine's time.
. "$root/image/build/vm.sh"

[ -f "$image" ] || { echo "SKIP: there is no $image: ./do image"; exit 77; }
work=$(mktemp -d "${TMPDIR:-/tmp}/weft-image.XXXXXX")
wire_pid= # Of wire.c, where a test has started it.
clean() {
    [ -z "$wire_pid" ] || kill "$wire_pid" 2>/dev/null || true
    for machine in "$work"/*; do [ ! -f "$machine/pid" ] || vm_stop "$machine"; done
    [ "${WEFT_KEEP:-no}" = yes ] || rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM

ok() { echo "$test_name: $*"; }
fail() {
    echo "$test_name: FAILED: $*" >&2
    for machine in "$work"/*; do
        [ ! -f "$machine/serial.log" ] || { echo "-- ${machine##*/} --"; tr -d '\r' <"$machine/serial.log" | tail -40; } >&2
    done
    exit 1
}

# expect MACHINE PATTERN: the line comes. refuse MACHINE PATTERN: it has not been said (since the mark).
expect() { vm_wait "$1" "$2" "$patience" || fail "${1##*/} does not say: $2"; }
refuse() { ! vm_said "$1" | grep -q -e "$2" || fail "${1##*/} says what it should not: $2"; }

# quietly COMMAND…: what it says counts only if it fails.
quietly() { "$@" >"$work/said" 2>&1 || fail "$*: $(cat "$work/said")"; }

# program NAME: NAME.c beside this file, for the machine that tests. Sets $program.
program() {
    program=$work/$1
    [ -x "$program" ] || cc -O2 -std=c11 -D_GNU_SOURCE -o "$program" "$root/tests/image/$1.c" || fail "$1.c cannot be compiled"
}

# Ports of this machine's loopback that nobody has: ten are ours by our process number, and the next process has others.
port_base=$((20000 + $$ % 2000 * 10))

# machine NAME [IMAGE]: sets $at to it.
machine() {
    at=$work/$1
    vm_make "$at" "${2:-$image}" || fail "no machine"
}

# give MACHINE NUMBER COUNT: the configuration and keys of a node of a swarm onto its drive. All share the keys.
give() {
    [ -f "$work/join.token" ] || { vm_join_token "$work/join.token"; vm_join_token "$work/owner.token"; }
    vm_config "$2" "$3" "$work/weft.toml"
    vm_put "$1" "$work/weft.toml" weft.toml
    vm_put "$1" "$work/join.token" join.token
    vm_put "$1" "$work/owner.token" owner.token
}

# start MACHINE NUMBER COUNT [NIC-MODEL]: with its NICs: the kernel's, and that of the mesh.
start() {
    # shellcheck disable=SC2046
    vm_start "$1" $(vm_admin_nic "$2" $((port_base + $2))) $(vm_mesh_net "$work" "$2" "$3") $(vm_mesh_nic "$2" "${4:-virtio}") || fail "QEMU did not start"
}

# alone MACHINE: one node, with its NICs, given and started.
alone() { give "$1" 1 1; start "$1" 1 1; }

# ask NUMBER PATH: the admin port of that node, as its owner.
ask() {
    curl -fsSk --max-time 60 --retry 5 --retry-connrefused -H "Authorization: Bearer $(cat "$work/owner.token")" "https://127.0.0.1:$((port_base + $1))$2"
}

# weft NUMBER ARGUMENT…: the tool, told to ask that node.
weft() {
    number=$1
    shift
    WEFT_TOKEN=$(cat "$work/owner.token") "${WEFT_TOOL:-$root/build/runtime/tool/weft}" --socket "https://127.0.0.1:$((port_base + number))" "$@"
}

# entry SLOT VERSION OUT [SED]: the UKI of a slot as that of another version, its command line changed by SED. Without
# a signature: what the machine's firmware thinks of that is another test.
entry() {
    cp "$images/$name.uki-$1.efi" "$3"
    sbattach --remove "$3" >/dev/null 2>&1 || true
    "$triple-objcopy" -O binary --only-section=.cmdline "$3" "$work/cmdline"
    "$triple-objcopy" -O binary --only-section=.osrel "$3" "$work/osrel"
    sed -i "s/weft.version=$version/weft.version=$2/; ${4:-}" "$work/cmdline"
    sed -i "s/$version/$2/g" "$work/osrel"
    "$triple-objcopy" --update-section ".cmdline=$work/cmdline" --update-section ".osrel=$work/osrel" "$3"
}

# second_slot MACHINE VERSION COUNTER [SED]: what an update leaves behind: slot B with the same root, and its entry.
second_slot() {
    dd if="$1/disk.img" of="$1/disk.img" bs=1M skip=$root_at seek=$((root_at + 52)) count=48 conv=notrunc,sparse status=none
    dd if="$1/disk.img" of="$1/disk.img" bs=1M skip=$((root_at + 48)) seek=$((root_at + 100)) count=4 conv=notrunc,sparse status=none
    entry b "$2" "$work/entry.efi" "${4:-}"
    mcopy -i "$1/disk.img@@$vm_esp_at" -o "$work/entry.efi" "::EFI/Linux/weft-b_$2$3.efi"
}

# window MACHINE: guest/window.c onto its drive, a module for what only a shell would show.
window() {
    [ -f "$work/window.so" ] || "$triple-gcc" -O2 -std=c11 -D_GNU_SOURCE -fPIC -shared -fno-omit-frame-pointer -finstrument-functions -DWEFT_STACK_CHECKED \
        -I"$root" -I"$root/runtime/include" -o "$work/window.so" "$root/tests/image/guest/window.c" "$root/tests/image/guest/calls.c" ||
        { echo "SKIP: no C compiler for $arch"; exit 77; }
    vm_put "$1" "$work/window.so" window.so
}

# open_window NUMBER NAME WORD…: an actor of that name that does what the words say.
open_window() {
    window_number=$1 window_name=$2
    shift 2
    window_words=$(printf '"%s",' "$@")
    weft "$window_number" api POST /api/v1/actors "{\"name\":\"$window_name\",\"file\":\"/conf/window.so\",\"args\":[${window_words%,}]}" >/dev/null
}

# look NUMBER WORDS: through a window that was opened under the name "look".
look() { weft "$1" --timeout 2m actor send "n$1/look" --call "$2"; }

# moment SEED MOST: a number from 0 on, below MOST, the same for the same seed.
moment() { awk -v seed="$1" -v most="$2" 'BEGIN { srand(seed); rand(); printf "%d", rand() * most }'; }

# others NAME…: those tests too, in this one's way. One that is skipped is noted in $left_out.
left_out=
others() {
    for other in "$@"; do
        other_status=0
        sh "$root/tests/image/$other.sh" || other_status=$?
        case $other_status in
        0) ;;
        77) left_out="$left_out $other" ;;
        *) fail "$other" ;;
        esac
    done
}
# At the end: what was not done is not called done.
tell_left_out() { [ -z "$left_out" ] || { echo "SKIP: all but$left_out has passed"; exit 77; }; }
