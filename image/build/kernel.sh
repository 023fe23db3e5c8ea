#!/bin/sh
# kernel.sh ARCH OUT: the kernel of the image, out of Debian's source package, as one EFI program in OUT/vmlinuz.efi.
#
# Built once for each source, fragment and compiler (and "recipe", below): the key names the folder in the cache, and a
# second call takes 20 ms. What comes out depends on nothing else: no clock, no user, no counter of builds.
# Environment: WEFT_IMAGE_CACHE (folder), WEFT_JOBS (how many compilers at once).
set -eu

arch=${1:?usage: kernel.sh ARCH OUT}
out=${2:?usage: kernel.sh ARCH OUT}
here=$(CDPATH='' cd -- "$(dirname -- "$0")/../kernel" && pwd)
cache=${WEFT_IMAGE_CACHE:?}
source=/usr/src/linux-source-6.12.tar.xz
jobs=${WEFT_JOBS:-$(nproc)}

die() { echo "kernel: $*" >&2; exit 1; }

case $arch in
arm64) make_arch=arm64 triple=aarch64-linux-gnu target=vmlinuz.efi made=arch/arm64/boot/vmlinuz.efi ;;
amd64) make_arch=x86_64 triple=x86_64-linux-gnu target=bzImage made=arch/x86/boot/bzImage ;;
*) die "unknown architecture '$arch' (arm64, amd64)" ;;
esac
[ -f "$source" ] || die "there is no $source (package linux-source-6.12)"
command -v "$triple-gcc" >/dev/null || die "there is no $triple-gcc"

mkdir -p "$cache"

# make_fragment CHANGES: weft.config, which is arm64's as it stands, less the lines of options that the file CHANGES
# takes away, and then what it adds.
make_fragment() {
    without=$(sed -n 's/^without //p' "$1")
    for option in $without; do
        grep -q "^\(# \)\?$option[= ]" "$here/weft.config" || die "$1 takes $option away, which weft.config does not have"
    done
    printf '^%s=\n^# %s is not set$\n' $(for option in $without; do echo "$option $option"; done) >"$cache/without"
    grep -v -f "$cache/without" "$here/weft.config"
    sed '/^without /d' "$1"
}

fragment=$here/weft.config
if [ "$arch" != arm64 ]; then
    fragment=$cache/fragment-$arch
    make_fragment "$here/$arch.config" >"$fragment.new"
    mv "$fragment.new" "$fragment"
fi

version=$(dpkg-query -W -f '${Version}' linux-source-6.12)
key=$({ echo "$version"; "$triple-gcc" --version | head -1; "$triple-ld" --version | head -1; echo recipe 1; cat "$fragment"; } | sha256sum | cut -c1-16)
done=$cache/kernel-$arch-$key
if [ ! -e "$done/complete" ]; then
    echo "kernel: building Linux $version for $arch (some minutes, once)" >&2
    tree=$cache/linux-$version
    if [ ! -e "$tree/.complete" ]; then
        rm -rf "$tree"
        mkdir -p "$tree"
        tar -xJf "$source" -C "$tree" --strip-components=1
        touch "$tree/.complete"
    fi
    objects=$cache/objects-$arch
    rm -rf "$done"
    mkdir -p "$objects" "$done"
    # Everything that a kernel would like to tell of where and when it was built.
    export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970' KBUILD_BUILD_USER=weft KBUILD_BUILD_HOST=weft KBUILD_BUILD_VERSION=1
    set -- -s -C "$tree" O="$objects" ARCH=$make_arch CROSS_COMPILE=$triple- KCFLAGS="-fdebug-prefix-map=$tree=. -fmacro-prefix-map=$tree=." LOCALVERSION=-weft
    make "$@" KCONFIG_ALLCONFIG="$fragment" allnoconfig >"$done/log" 2>&1 || { tail -20 "$done/log" >&2; die "the kernel could not be configured"; }
    missed=$(sed -n '/^CONFIG_/p; /^# CONFIG_.* is not set$/p' "$fragment" | while IFS= read -r line; do
        case $line in
        '# '*) name=${line#'# '}; name=${name%% *}; ! grep -q "^$name=" "$objects/.config" || echo "  $name is set" ;;
        *) grep -qxF "$line" "$objects/.config" || echo "  $line" ;;
        esac
    done)
    [ -z "$missed" ] || { printf 'kernel: these lines of the fragment did not come out (a dependency?):\n%s\n' "$missed" >&2; exit 1; }
    make "$@" -j"$jobs" $target >>"$done/log" 2>&1 || { tail -40 "$done/log" >&2; die "the kernel could not be built (whole log: $done/log)"; }
    cp "$objects/$made" "$done/vmlinuz.efi"
    cp "$objects/.config" "$done/config"
    touch "$done/complete"
fi
mkdir -p "$out"
cp "$done/vmlinuz.efi" "$out/vmlinuz.efi"
printf '%s\n' "$version" >"$out/kernel.version"
