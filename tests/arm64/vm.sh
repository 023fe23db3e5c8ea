#!/bin/sh
# vm.sh BUILD SYSROOT KERNEL BUSYBOX [NAME…]: the tests of actors and schedulers in an ARM64 machine
# (qemu-system-aarch64, all of it emulated), on a kernel of its own: with its io_uring, its signals,
# its page tables, and two CPUs. `./do test arm64-vm` builds and fetches what it needs.
#
# NAME: actor/wait, sched/fiber; without names all of those, some seeds of weft-replay, and a small
# soak. Nothing of this machine is changed, and nothing needs root. Exit status 1: one has failed.
set -eu

build=${1:?usage: vm.sh BUILD SYSROOT KERNEL BUSYBOX [NAME…]}
sysroot=$2
kernel=$3
busybox=$4
shift 4
limit_s=${WEFT_VM_SECONDS:-900}
work=$(mktemp -d "${TMPDIR:-/tmp}/weft-vm.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
root=$work/root
mkdir -p "$root/bin" "$root/lib" "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/tests"

# add NAME FILE COMMAND…: a program, and how it is run there.
add() {
    cp "$2" "$root/bin/"
    name=$1
    shift 2
    printf '%s\n' "$*" >"$root/tests/$(printf %s "$name" | tr / :)"
}

add_unit() {
    case $1 in */*) ;; *) echo "vm: '$1' is not of the kind actor/wait" >&2; exit 64 ;; esac
    binary=$build/tests/unit/${1%%/*}/${1%%/*}_${1##*/}_test
    [ -x "$binary" ] || { echo "vm: there is no $binary" >&2; exit 64; }
    add "$1" "$binary" "$(basename "$binary")"
}

if [ $# -gt 0 ]; then
    for name in "$@"; do add_unit "$name"; done
else
    for binary in "$build"/tests/unit/actor/*_test "$build"/tests/unit/sched/*_test; do
        name=$(basename "$binary" _test)
        add_unit "${name%%_*}/${name#*_}"
    done
    add replay/seeds "$build/tests/replay/weft-replay" weft-replay --count 300
    add soak/short "$build/tests/soak/weft-soak" weft-soak --actors 5000 --seconds 10
fi

# The libraries that they need, and those that these need.
needed() { aarch64-linux-gnu-readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }
find "$root/bin" -type f >"$work/left"
while [ -s "$work/left" ]; do
    : >"$work/more"
    while read -r file; do
        for library in $(needed "$file"); do
            [ ! -e "$root/lib/$library" ] || continue
            path=$(find "$sysroot/lib" "$sysroot/usr/lib" -name "$library" | head -1)
            [ -n "$path" ] || { echo "vm: the sysroot has no $library" >&2; exit 1; }
            cp -L "$path" "$root/lib/$library"
            echo "$root/lib/$library" >>"$work/more"
        done
    done <"$work/left"
    mv "$work/more" "$work/left"
done
[ -e "$root/lib/ld-linux-aarch64.so.1" ] || cp -L "$(find "$sysroot/lib" "$sysroot/usr/lib" -name 'ld-linux-aarch64.so.1' | head -1)" "$root/lib/"

cp "$busybox" "$root/bin/busybox"
cat >"$root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
ip link set lo up 2>/dev/null
echo "vm: Linux $(uname -r) $(uname -m), $(grep -c ^processor /proc/cpuinfo) CPUs"
for test in /tests/*; do
    status=0
    timeout 300 sh -c "cd /tmp && exec $(cat "$test")" >/tmp/out 2>&1 || status=$?
    [ $status = 0 ] || [ $status = 77 ] || tail -n 30 /tmp/out
    echo "vm: $(basename "$test" | tr : /) $status"
done
echo 'vm: done'
poweroff -f
INIT
chmod +x "$root/init"
(cd "$root" && find . | cpio --quiet -o -H newc | gzip -1) >"$work/initrd"

# The guest is emulated by two threads, one for each CPU of its own.
timeout "$limit_s" qemu-system-aarch64 -M virt,gic-version=3 -cpu cortex-a72 -smp 2 -m 2048 -nographic -no-reboot \
    -nic none -kernel "$kernel" -initrd "$work/initrd" -append 'console=ttyAMA0 quiet panic=1 mitigations=off' \
    </dev/null 2>&1 | tr -d '\r' | tee "$work/console" | sed -un '/^vm: /p'
grep -q '^vm: done$' "$work/console" || { tail -40 "$work/console"; echo 'vm: the machine did not get to the end'; exit 1; }
passed=$(grep -c '^vm: [a-z]*/[a-z]* 0$' "$work/console" || true)
skipped=$(grep -c '^vm: [a-z]*/[a-z]* 77$' "$work/console" || true)
failed=$(grep -c '^vm: [a-z]*/[a-z]* [0-9]*$' "$work/console" || true)
failed=$((failed - passed - skipped))
[ $failed = 0 ] || cat "$work/console"
echo "vm: $passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
