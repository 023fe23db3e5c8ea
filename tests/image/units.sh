#!/bin/sh
# The unit tests of the arm64 build on the image's own kernel: its io_uring, its page tables, its signals.
# Needs ./do build arm64, which the caller (./do test image --all) has made.
. "$(dirname "$0")/lib.sh"

build=$root/build-arm64
busybox=${WEFT_BUSYBOX:-}
sysroot=${WEFT_SYSROOT:-}
[ -d "$build/tests/unit" ] && [ -x "$busybox" ] && [ -d "$sysroot" ] || { echo 'SKIP: no arm64 tests: ./do test image units'; exit 77; }

tree=$work/tree
mkdir -p "$tree/bin" "$tree/lib" "$tree/proc" "$tree/sys" "$tree/dev" "$tree/tmp" "$tree/run"
find "$build/tests/unit" -maxdepth 2 -name '*_test' -type f -perm -u+x -exec cp {} "$tree/bin/" \;
cp "$busybox" "$tree/bin/busybox"
needed() { "$triple-readelf" -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }
find "$tree/bin" -type f >"$work/left"
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
"$triple-strip" --strip-debug "$tree/bin/"*_test 2>/dev/null || true
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
for test in /bin/*_test; do
    name=${test##*/}
    status=0
    (cd /tmp && timeout 300 "$test") >/tmp/out 2>&1 || status=$?
    case $status in 0 | 77) ;; *) tail -n 20 /tmp/out ;; esac
    echo "unit: $name $status"
done
echo 'unit: done'
poweroff -f
INIT
chmod +x "$tree/init"
mkfs.erofs --quiet -zlz4hc --all-root -x-1 "$work/tests.erofs" "$tree" || fail 'the tests could not be packed'

machine n1
# The firmware starts the image's kernel, and the kernel this disk, in the place of the image.
cp "$work/tests.erofs" "$at/disk.img"
kernel=$(find "$root/build-image/cache" -path '*kernel-arm64-*/vmlinuz.efi' | head -1)
vm_memory=2048
vm_start "$at" -kernel "$kernel" -append 'console=ttyAMA0 quiet root=/dev/vda rootfstype=erofs ro init=/bin/busybox panic=1 -- sh /init' -no-reboot || fail 'QEMU did not start'
patience=${WEFT_VM_SECONDS:-1800}
expect "$at" '^unit: done'
vm_said "$at" | grep '^unit: .*_test [0-9]*$' >"$work/results"
passed=$(grep -c ' 0$' "$work/results" || true)
skipped=$(grep -c ' 77$' "$work/results" || true)
bad=$(grep -v ' 0$' "$work/results" | grep -v ' 77$' || true)
[ -z "$bad" ] || fail "failed: $bad"
ok "$passed passed, $skipped skipped, on Linux of the image"
