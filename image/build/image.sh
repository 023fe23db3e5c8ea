# image.sh: sourced by `./do image`. From a checkout to build-image/weft-VERSION-ARCH.img.zst and what belongs to it.
# Each step is a file beside this one; what takes long is kept in build-image/cache under the hash of what it is made of.
# shellcheck shell=sh

image_usage() {
    cat <<'TXT'
usage: ./do image [--arch ARCH] [--kernel KERNEL] [--new-keys] [--relock] [--out DIR]

Makes the flashable image in build-image/: weft-VERSION-ARCH.img.zst, .bmap, .update, .spdx.json, both UKIs, the
rescue kernel, SHA256SUMS and its signature. docs/image.md says what is in it and how to flash it.

  --arch ARCH   arm64 (the default) or amd64, whose results are in build-image/amd64
  --kernel KERNEL   own (the default), or debian: Debian's, with all its drivers (build-image/ARCH-debian)
  --new-keys    make new keys to sign with, in build-image/keys, and stop
  --relock      take the versions of packages that the archive has today into image/packages.lock, and stop
  --out DIR     put the results there
TXT
}

# choose_arch ARCH: the names that this architecture has with everybody. The partitions' types are those of the
# Discoverable Partitions Specification. An arm64 kernel learns from the firmware where its serial line is; one of x86 does
# not ask, so its consoles are named: the last is what /dev/console means.
choose_arch() {
    arch=$1
    case $arch in
    arm64)
        triple=aarch64-linux-gnu efi_arch=aa64 loader_name=ld-linux-aarch64.so.1 loader_dir=lib consoles=
        type_root=B921B045-1DF0-41C3-AF44-4C6F280D3FAE type_verity=DF3300CE-D69F-4C92-978C-9BFB0F38D820 ;;
    amd64)
        triple=x86_64-linux-gnu efi_arch=x64 loader_name=ld-linux-x86-64.so.2 loader_dir=lib64
        consoles='console=tty0 console=ttyS0,115200 '
        type_root=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709 type_verity=2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5 ;;
    *) die "image: there is no image for '$arch' (arm64, amd64)" ;;
    esac
}

is_native() { [ "$arch" = "$(dpkg --print-architecture)" ]; }

# choose_kernel KIND: ours, which has what it needs built in and finds its root by itself; or Debian's, with the drivers
# of nearly everything as modules in a first root in memory (debian.sh). Two of those do not fit into 96 MiB.
choose_kernel() {
    case $1 in
    own) flavour='' esp_mib=96 no_initrd='noinitrd ' zstd_level=19 ;;
    debian) flavour=-debian esp_mib=192 no_initrd='' zstd_level=12 ;; # Its kernels are half packed already.
    *) die "image: there is no kernel '$1' (own, debian)" ;;
    esac
}

# Where the results of this architecture and kernel are. Those of arm64 with ours are at the top, beside what all share:
# keys and cache.
results() {
    case $arch$flavour in
    arm64) echo "$root/build-image" ;;
    *) echo "$root/build-image/$arch$flavour" ;;
    esac
}

image_version() { sed -n "s/^ *version: '\(.*\)',/\1/p" "$root/meson.build" | head -1; }

# The programs: a release build without tests, in its own directory. Paths of this machine stay out of it.
build_programs() {
    programs=$image_build/programs-$arch
    flags="-ffile-prefix-map=$root=/weft"
    if is_native; then
        configure "$programs" --buildtype=debugoptimized -Db_lto=true -Dtests=false -Dexamples=/usr/share/weft/examples "-Dc_args=$flags" "-Dc_link_args=$flags"
    elif [ "$arch" = arm64 ]; then
        arm64_sysroot
        write_cross_file "$image_build/arm64.ini" "$flags"
        configure "$programs" --cross-file "$image_build/arm64.ini" --buildtype=debugoptimized -Db_lto=true -Dtests=false -Dexamples=/usr/share/weft/examples
    else
        die "image: the programs of $arch are only built on a machine that is $arch itself"
    fi
    compile "$programs"
}

# The root as a file system that cannot change, and the tree of hashes that proves it.
make_root_image() {
    make_root "$out/root"
    printf 'VERSION=%s\nARCH=%s\nBUILD_EPOCH=%s\n' "$version" "$arch" "$SOURCE_DATE_EPOCH" >"$out/root/etc/weft/release"
    cp "$keys/update.pub" "$out/root/etc/weft/update.pub"
    sed "s/@VERSION@/$version/" "$root/image/README-drive.txt" | sed 's/$/\r/' >"$out/root/etc/weft/README-drive.txt" # Some laptops want it so.
    chmod 644 "$out/root/etc/weft/"*
    mkfs.erofs --quiet -zlz4hc,12 -C65536 -T"$SOURCE_DATE_EPOCH" -U57454654-0000-4000-8000-0000000000ef --all-root -x-1 "$out/root.erofs" "$out/root" ||
        die 'image: the root could not be packed'
    salt=$(sha256sum "$out/root.erofs" | cut -d' ' -f1)
    rm -f "$out/root.verity"
    root_hash=$(veritysetup format --salt="$salt" --uuid=57454654-0000-4000-8000-0000000000de "$out/root.erofs" "$out/root.verity" |
        sed -n 's/^Root hash:[[:space:]]*//p')
    [ -n "$root_hash" ] || die 'image: veritysetup gave no root hash'
    [ "$(stat -c %s "$out/root.erofs")" -le $((48 * 1048576)) ] || die 'image: the root is larger than its partition (48 MiB)'
}

# A figure that is too large stops the build: sizes grow a little every day, and nobody sees it.
check_sizes() {
    packed=$(stat -c %s "$out/$name.img.zst")
    tree=$(stat -c %s "$out/root.erofs")
    say "$(printf 'image: %s.%02d MB compressed, root %s.%02d MB, kernel and command line %s.%02d MB' \
        $((packed / 1000000)) $((packed / 10000 % 100)) $((tree / 1000000)) $((tree / 10000 % 100)) \
        $(($(stat -c %s "$out/uki-a.efi") / 1000000)) $(($(stat -c %s "$out/uki-a.efi") / 10000 % 100)))"
    [ -z "$flavour" ] || { [ "$tree" -le 20000000 ] || die 'image: the root is to be at most 20 MB'; return 0; }
    [ "$tree" -le 16000000 ] || die 'image: the root is to be at most 16 MB'
    [ "$packed" -le 16000000 ] || die 'image: the image is to be at most 16 MB'
    [ "$(stat -c %s "$out/rescue.efi")" -le 10000000 ] || die 'image: the rescue kernel is to be at most 10 MB'
}

# built_weft ARGUMENT…: the tool just built, also where it is for another CPU.
built_weft() {
    if is_native; then "$programs/runtime/tool/weft" "$@"
    else qemu-aarch64-static -L "$sysroot" "$programs/runtime/tool/weft" "$@"
    fi
}

# What a node takes over its admin port: docs/wire/update-bundle.md. The floor is this release's own version unless
# WEFT_UPDATE_FLOOR names an older one.
make_bundle() {
    built_weft image bundle --version "$version" --arch "$arch" --floor "${WEFT_UPDATE_FLOOR:-$version}" \
        --epoch "$SOURCE_DATE_EPOCH" --sign "$keys/update.key" -w "$out/$name.update" \
        "$out/root.erofs" "$out/root.verity" "$out/uki-a.efi" "$out/uki-b.efi" >/dev/null ||
        die 'image: the update bundle could not be made'
}

seal() {
    (cd "$out" && mv uki-a.efi "$name.uki-a.efi" && mv uki-b.efi "$name.uki-b.efi" && mv rescue.efi "$name.rescue.efi" && sha256sum "$name".* >SHA256SUMS)
    built_weft image sign --sign "$keys/update.key" "$out/SHA256SUMS" >/dev/null || die 'image: SHA256SUMS could not be signed'
}

build_image() {
    image_build=$root/build-image
    out=
    action=build
    choose_arch arm64
    choose_kernel own
    while [ $# -gt 0 ]; do
        case $1 in
        --arch) choose_arch "${2:?}"; shift ;;
        --kernel) choose_kernel "${2:?}"; shift ;;
        --new-keys) action=new-keys ;;
        --relock) action=relock ;;
        --out) out=$(mkdir -p "${2:?}" && cd "$2" && pwd); shift ;;
        -h | --help) image_usage; return 0 ;;
        *) image_usage >&2; exit 64 ;;
        esac
        shift
    done
    out=${out:-$(results)}
    image_cache=$image_build/cache
    keys=$image_build/keys
    version=$(image_version)
    name=weft-$version-$arch$flavour
    mkdir -p "$image_cache" "$out"
    # shellcheck disable=SC2086
    install_missing $packages_build $packages_image
    is_native || install_missing $packages_cross
    [ -z "$flavour" ] || install_missing kmod
    # The one time in all that is made here: that of the commit.
    SOURCE_DATE_EPOCH=$(git -c safe.directory='*' log -1 --format=%ct 2>/dev/null || stat -c %Y meson.build)
    export SOURCE_DATE_EPOCH
    for step in keys packages root uki rescue debian disk sbom; do . "$root/image/build/$step.sh"; done
    case $action in
    new-keys) new_keys 'own keys'; say "new keys are in $keys; $keys/secure-boot.der is what a firmware enrols"; return 0 ;;
    relock) build_programs; relock; return 0 ;;
    esac
    find_keys
    take_packages
    say "building the kernel, unless it is in the cache"
    if [ -n "$flavour" ]; then unpack_debian; make_debian_kernel
    else WEFT_IMAGE_CACHE=$image_cache sh "$root/image/build/kernel.sh" "$arch" "$out"
    fi
    build_programs
    say "packing $name"
    [ -z "$flavour" ] || make_early
    make_root_image
    make_ukis
    make_rescue
    make_disk
    make_sbom
    zstd -q -f "-$zstd_level" -T0 "$out/$name.img" -o "$out/$name.img.zst"
    check_sizes
    make_bundle
    seal
    echo "$SOURCE_DATE_EPOCH" >"$out/epoch" # Of which commit all this is.
    rm -rf "$out/root" "$out/root.files" "$out/loader.efi" "$out/vmlinuz.efi" "$out/early.cpio.zst"
    say "made $out/$name.img.zst"
}
