#!/bin/sh
# The unit tests of the arm64 build on the image's own kernel: its io_uring, its page tables, its signals.
# units.sh [PROGRAM…]: these alone. Needs ./do build arm64, which the caller (./do test image --all) has made.
. "$(dirname "$0")/lib.sh"

build=$root/build-arm64
busybox=${WEFT_BUSYBOX:-}
sysroot=${WEFT_SYSROOT:-}
command -v jq >/dev/null && [ -d "$build/tests/unit" ] && [ -x "$busybox" ] && [ -d "$sysroot" ] || { echo 'SKIP: no arm64 tests: ./do test image units'; exit 77; }

# Those of meson that are one program: with its arguments, and what of the source it reads, where it expects it. Scripts
# run compilers and tools that no node has.
list=$work/list
meson introspect "$build" --tests | jq -r --arg build "$build/" '.[] | select(any(.suite[]; endswith(":unit"))) | .cmd |
    select(.[0] | startswith($build)) | [(.[0] | sub(".*/"; "")), .[0], (.[1:] | join(" "))] | join("|")' >"$list"
for name in "$@"; do grep "^$name|" "$list" || fail "there is no program $name"; done >"$work/chosen"
[ $# = 0 ] || mv "$work/chosen" "$list"
tree=$work/tree
mkdir -p "$tree/bin" "$tree/lib" "$tree/proc" "$tree/sys" "$tree/dev" "$tree/tmp" "$tree/run" "$tree/etc" "$tree/var/tmp" "$tree/source" "$tree${root%/*}"
[ -e "$tree$root" ] || ln -s /source "$tree$root"
git -C "$root" -c safe.directory='*' ls-files config docs forth tests | grep -v '\.[ch]$' | tar -C "$root" -cf - -T - | tar -C "$tree/source" -xf -
while IFS='|' read -r _ file _; do [ ! -x "$file" ] || cp "$file" "$tree/bin/"; done <"$list"
while IFS='|' read -r name file words; do [ ! -x "$tree/bin/$name" ] || printf '%s %s\n' "$name" "$words"; done <"$list" >"$tree/list"
# What a test loads is named from the build directory.
mkdir -p "$tree/tests/unit/actor"
cp "$build/tests/unit/actor/symbol_module.so" "$tree/tests/unit/actor/"
cp "$busybox" "$tree/bin/busybox"
echo 'root:x:0:0:root:/:/bin/sh' >"$tree/etc/passwd" # That no unit may touch it is tested.
# system() and popen() run this, and scripts begin with its name.
for applet in sh cat rm ls wc sleep true false echo cp mkdir touch; do ln -s busybox "$tree/bin/$applet"; done
# DPDK loads drivers from here, by the end of their names; they must be the files that the tests are linked with (root.sh).
plugins=$tree/usr/lib/$triple/dpdk/pmds-23.0
mkdir -p "$plugins"
for driver in bus_pci bus_vdev mempool_ring net_ring net_null net_pcap net_af_packet; do
    ln -s "/lib/librte_$driver.so.23" "$plugins/librte_$driver.so.23.0"
    cp -L "$sysroot/usr/lib/$triple/librte_$driver.so.23" "$tree/lib/"
done
needed() { "$triple-readelf" -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }
find "$tree/bin" "$tree/lib" -type f >"$work/left"
while [ -s "$work/left" ]; do
    : >"$work/more"
    while read -r file; do
        for library in $(needed "$file"); do
            [ ! -e "$tree/lib/$library" ] || continue
            path=$(find "$sysroot/lib" "$sysroot/usr/lib" "$build" -name "$library" | head -1)
            [ -n "$path" ] || fail "the sysroot has no $library"
            cp -L "$path" "$tree/lib/$library"
            echo "$tree/lib/$library" >>"$work/more"
        done
    done <"$work/left"
    mv "$work/more" "$work/left"
done
cp -L "$(find "$sysroot/lib" "$sysroot/usr/lib" -name ld-linux-aarch64.so.1 | head -1)" "$tree/lib/"
"$triple-strip" --strip-debug "$tree/bin/"* 2>/dev/null || true
cat >"$tree/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /tmp 2>/dev/null
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t tmpfs tmp /tmp
/bin/busybox mount -t tmpfs run /run
/bin/busybox mkdir /tmp/bin
/bin/busybox --install -s /tmp/bin
export PATH=/tmp/bin:/bin
ip link set lo up 2>/dev/null
ln -s /tests /tmp/tests
# Where the source was, if that is hidden by now.
mkdir -p ROOT.parent 2>/dev/null
[ -e ROOT ] || ln -s /source ROOT
export LD_LIBRARY_PATH=/tests/unit/actor
while read -r name words; do
    status=0
    # shellcheck disable=SC2086
    (cd /tmp && timeout 900 "$name" $words) >/tmp/out 2>&1 </dev/null || status=$?
    case $status in 0 | 77) ;; *) grep -v ' OK \] \| RUN  ' /tmp/out | tail -n 20 ;; esac
    echo "unit: $name $status"
done </list
echo 'unit: done'
poweroff -f
INIT
sed -i "s|ROOT.parent|${root%/*}|; s|ROOT|$root|g" "$tree/init"
chmod +x "$tree/init"
mkfs.erofs --quiet -zlz4hc --all-root -x-1 "$work/tests.erofs" "$tree" || fail 'the tests could not be packed'

machine n1
# The firmware starts the image's kernel, and the kernel this disk, in the place of the image.
cp "$work/tests.erofs" "$at/disk.img"
WEFT_IMAGE_CACHE=$root/build-image/cache sh "$root/image/build/kernel.sh" arm64 "$work" || fail 'there is no kernel'
vm_memory=2048
vm_start "$at" -kernel "$work/vmlinuz.efi" -append 'console=ttyAMA0 quiet root=/dev/vda rootfstype=erofs ro init=/bin/busybox panic=1 -- sh /init' -no-reboot || fail 'QEMU did not start'
patience=${WEFT_VM_SECONDS:-3600}
expect "$at" '^unit: done'
vm_said "$at" | grep '^unit: [^ ]* [0-9]*$' >"$work/results"
passed=$(grep -c ' 0$' "$work/results" || true)
skipped=$(grep -c ' 77$' "$work/results" || true)
bad=$(grep -v ' 0$' "$work/results" | grep -v ' 77$' || true)
[ -z "$bad" ] || fail "failed: $bad"
ok "$passed passed, $skipped skipped, on Linux of the image"
