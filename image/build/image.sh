# image.sh: sourced by `./do image`. From a checkout to build-image/weft-VERSION-ARCH.img.zst and what belongs to it.
# Each step is a file beside this one; what takes long is kept in build-image/cache under the hash of what it is made of.
# shellcheck shell=sh

image_usage() {
    cat <<'TXT'
usage: ./do image [--new-keys] [--relock] [--out DIR]

Makes the flashable image in build-image/: weft-VERSION-ARCH.img.zst, .bmap, .update, .spdx.json, both UKIs, the
rescue kernel, SHA256SUMS and its signature. docs/image.md says what is in it and how to flash it.

  --new-keys    make new keys to sign with, in build-image/keys, and stop
  --relock      take the versions of packages that the archive has today into image/packages.lock, and stop
  --out DIR     put the results there
TXT
}

# choose_arch ARCH: the names that this architecture has with everybody.
choose_arch() {
    arch=$1
    case $arch in
    arm64)
        triple=aarch64-linux-gnu efi_arch=aa64 loader_name=ld-linux-aarch64.so.1
        type_root=B921B045-1DF0-41C3-AF44-4C6F280D3FAE type_verity=DF3300CE-D69F-4C92-978C-9BFB0F38D820 ;;
    *) die "image: there is no image for '$arch' (arm64)" ;;
    esac
}

image_version() { sed -n "s/^ *version: '\(.*\)',/\1/p" "$root/meson.build" | head -1; }

# The programs: a release build without tests, in its own directory. Paths of this machine stay out of it.
build_programs() {
    programs=$image_build/programs-$arch
    flags="-ffile-prefix-map=$root=/weft"
    if [ "$arch" = arm64 ] && ! is_arm64; then
        arm64_sysroot
        write_cross_file "$image_build/arm64.ini" "$flags"
        configure "$programs" --cross-file "$image_build/arm64.ini" --buildtype=debugoptimized -Db_lto=true -Dtests=false -Dexamples=/usr/share/weft/examples
    else
        configure "$programs" --buildtype=debugoptimized -Db_lto=true -Dtests=false -Dexamples=/usr/share/weft/examples "-Dc_args=$flags" "-Dc_link_args=$flags"
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
    [ "$packed" -le 16000000 ] && [ "$tree" -le 16000000 ] || die 'image: image and root are to be at most 16 MB each'
    [ "$(stat -c %s "$out/rescue.efi")" -le 10000000 ] || die 'image: the rescue kernel is to be at most 10 MB'
}

# built_weft ARGUMENT…: the tool just built, also where it is for another CPU.
built_weft() {
    if [ "$arch" = arm64 ] && ! is_arm64; then
        qemu-aarch64-static -L "$sysroot" "$programs/runtime/tool/weft" "$@"
    else
        "$programs/runtime/tool/weft" "$@"
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
    choose_arch arm64
    image_build=$root/build-image
    out=$image_build
    action=build
    while [ $# -gt 0 ]; do
        case $1 in
        --new-keys) action=new-keys ;;
        --relock) action=relock ;;
        --out) out=$(mkdir -p "${2:?}" && cd "$2" && pwd); shift ;;
        -h | --help) image_usage; return 0 ;;
        *) image_usage >&2; exit 64 ;;
        esac
        shift
    done
    image_cache=$image_build/cache
    keys=$image_build/keys
    version=$(image_version)
    name=weft-$version-$arch
    mkdir -p "$image_cache" "$out"
    # shellcheck disable=SC2086
    install_missing $packages_build $packages_image
    is_arm64 || install_missing $packages_cross
    # The one time in all that is made here: that of the commit.
    SOURCE_DATE_EPOCH=$(git -c safe.directory='*' log -1 --format=%ct 2>/dev/null || stat -c %Y meson.build)
    export SOURCE_DATE_EPOCH
    for step in keys packages root uki rescue disk sbom; do . "$root/image/build/$step.sh"; done
    case $action in
    new-keys) new_keys 'own keys'; say "new keys are in $keys; $keys/secure-boot.der is what a firmware enrols"; return 0 ;;
    relock) build_programs; relock; return 0 ;;
    esac
    find_keys
    take_packages
    say "building the kernel, unless it is in the cache"
    WEFT_IMAGE_CACHE=$image_cache sh "$root/image/build/kernel.sh" "$arch" "$out"
    build_programs
    say "packing $name"
    make_root_image
    make_ukis
    make_rescue
    make_disk
    make_sbom
    zstd -q -f -19 -T0 "$out/$name.img" -o "$out/$name.img.zst"
    check_sizes
    make_bundle
    seal
    echo "$SOURCE_DATE_EPOCH" >"$out/epoch" # Of which commit all this is.
    rm -rf "$out/root" "$out/root.files" "$out/loader.efi" "$out/vmlinuz.efi"
    say "made $out/$name.img.zst"
}
