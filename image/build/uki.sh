# uki.sh: sourced by `./do image`. A unified kernel image: systemd's stub with kernel, command line and release as
# sections of one EFI program, so that one signature is over all of them. ukify is not in Debian 12; objcopy is.
# shellcheck shell=sh

# at_commit COMMAND…: with the clock standing at the commit's time.
at_commit() { TZ=UTC faketime -f "$(date -u -d "@$SOURCE_DATE_EPOCH" '+%Y-%m-%d %H:%M:%S')" "$@"; }

# make_uki OUT SECTION=FILE…: sections stand behind those of the stub, each at the stub's alignment.
make_uki() {
    uki=$1
    shift
    base=$("$triple-objdump" -p "$stub" | awk '$1 == "ImageBase" { print $2 }')
    align=$("$triple-objdump" -p "$stub" | awk '$1 == "SectionAlignment" { print $2 }')
    align=$((0x$align))
    # VMAs that objdump shows have the image base in them.
    next=$("$triple-objdump" -h "$stub" | awk '$1 ~ /^[0-9]+$/ { print $3, $4 }' |
        while read -r size at; do echo $((0x$size + 0x$at)); done | sort -n | tail -1)
    [ -n "$base" ] && [ "$align" -gt 0 ] && [ -n "$next" ] || die "image: $stub is no EFI program"
    sections=
    for part in "$@"; do
        next=$(((next + align - 1) / align * align))
        sections="$sections --add-section ${part%%=*}=${part#*=} --change-section-vma ${part%%=*}=$(printf '0x%x' $next)"
        next=$((next + $(stat -c %s "${part#*=}")))
    done
    # Its header tells when it was made: at the time of the commit.
    # shellcheck disable=SC2086
    at_commit "$triple-objcopy" $sections "$stub" "$uki"
}

# command_line SLOT ROOT-NUMBER VERITY-NUMBER: how the kernel finds, checks and mounts the slot's root by itself.
# Numbers are of partitions: 57454654 is "WEFT", and a slot has the same identifiers on every disk. "noinitrd": a loader can
# hand a kernel a root in memory that nobody signed, by an entry of its own on the ESP; with the word it is not even read. A kernel of Debian's has its root in memory in the signed
# program itself, and systemd's stub refuses a second.
command_line() {
    data_blocks=$(($(stat -c %s "$out/root.erofs") / 4096))
    root_id=57454654-0000-4000-8000-00000000000$2
    verity_id=57454654-0000-4000-8000-00000000000$3
    printf '%s' "dm-mod.waitfor=PARTUUID=$root_id,PARTUUID=$verity_id \
dm-mod.create=\"root,,,ro,0 $((data_blocks * 8)) verity 1 PARTUUID=$root_id PARTUUID=$verity_id 4096 4096 $data_blocks 1 sha256 $root_hash $salt 1 panic_on_corruption\" \
root=/dev/dm-0 rootfstype=erofs ro ${no_initrd}init=/sbin/weft-init panic=1 weft.slot=$1 weft.version=$version ${consoles}quiet"
}

# sign FILE: for Secure Boot, in place. A signature tells its time; ours is the time of the commit.
sign() {
    at_commit sbsign --key "$keys/secure-boot.key" --cert "$keys/secure-boot.crt" --output "$1.signed" "$1" >"$1.log" 2>&1 || { cat "$1.log" >&2; die "image: $1 could not be signed"; }
    rm -f "$1.log"
    mv "$1.signed" "$1"
}

make_ukis() {
    stub=$packages/usr/lib/systemd/boot/efi/linux$efi_arch.efi.stub
    for slot in a b; do
        case $slot in a) command_line a 2 3 ;; b) command_line b 4 5 ;; esac >"$out/cmdline-$slot"
        printf 'ID=weft\nNAME=Weft\nPRETTY_NAME="Weft %s, slot %s"\nVERSION_ID=%s\nIMAGE_ID=weft\nIMAGE_VERSION=%s\n' \
            "$version" "$slot" "$version" "$version" >"$out/os-release-$slot"
        # shellcheck disable=SC2086
        make_uki "$out/uki-$slot.efi" ".osrel=$out/os-release-$slot" ".cmdline=$out/cmdline-$slot" ".linux=$out/vmlinuz.efi" \
            ${flavour:+".initrd=$out/early.cpio.zst"}
        sign "$out/uki-$slot.efi"
        rm -f "$out/cmdline-$slot" "$out/os-release-$slot"
    done
    cp "$packages/usr/lib/systemd/boot/efi/systemd-boot$efi_arch.efi" "$out/loader.efi"
    sign "$out/loader.efi"
}
