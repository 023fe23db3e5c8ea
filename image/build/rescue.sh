# rescue.sh: sourced by `./do image`. The rescue kernel: that of the image, with a root in memory that has a shell,
# a check of file systems and mkfs, in one signed EFI program. It is not on the disk; docs/image.md says where to put it.
# shellcheck shell=sh

# cpio_pad SIZE: what is missing to a multiple of four.
cpio_pad() { head -c $(((4 - $1 % 4) % 4)) /dev/zero; }

# cpio_entry MODE NAME [FILE]: one entry of the kernel's archive ("newc"). Written here, since a cpio takes down the times,
# the numbers and the links of the file system that it reads from; these are nobody's and of the commit's time.
cpio_entry() {
    cpio_size=0
    [ -z "${3:-}" ] || cpio_size=$(stat -c %s "$3")
    cpio_number=$((cpio_number + 1))
    printf '070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\0' "$cpio_number" $(($1)) 0 0 1 "$SOURCE_DATE_EPOCH" \
        "$cpio_size" 0 0 0 0 $((${#2} + 1)) 0 "$2"
    cpio_pad $((110 + ${#2} + 1))
    [ -z "${3:-}" ] || cat "$3"
    cpio_pad "$cpio_size"
}

# cpio_tree TREE: directories, files and symbolic links, each after the directory that it is in.
cpio_tree() {
    cpio_number=0
    (cd "$1" && find . -mindepth 1 | sed 's|^\./||' | LC_ALL=C sort) >"$1.names"
    while read -r path; do
        if [ -L "$1/$path" ]; then
            readlink -n "$1/$path" >"$1.link"
            cpio_entry 0120777 "$path" "$1.link"
        elif [ -d "$1/$path" ]; then cpio_entry 040755 "$path"
        elif [ -x "$1/$path" ]; then cpio_entry 0100755 "$path" "$1/$path"
        else cpio_entry 0100644 "$path" "$1/$path"
        fi
    done <"$1.names"
    cpio_entry 0 'TRAILER!!!'
    rm -f "$1.names" "$1.link"
}

# The tree of its root. busybox makes the links to itself when it starts.
make_rescue_root() {
    rm -rf "$1" "$1".*
    # lib is a directory, since the modules of Debian's kernel come in one of that name: it would take a link's place.
    mkdir -p "$1/dev" "$1/etc" "$1/lib" "$1/sbin" "$1/usr/bin" "$1/usr/lib/$triple"
    ln -s usr/bin "$1/bin"
    cp "$packages/bin/busybox" "$1/usr/bin/busybox"
    for link in bin/sh sbin/init; do ln -s /bin/busybox "$1/$link"; done
    cp "$packages/sbin/e2fsck" "$1/sbin/e2fsck"
    cp "$packages/sbin/mke2fs" "$1/sbin/mkfs.ext4"
    cp "$root/image/rescue/inittab" "$root/image/rescue/profile" "$root/image/rescue/look" "$root/image/early/coldplug" "$1/etc/"
    # On a machine with a screen there is a shell as well.
    case $consoles in *tty0*) echo 'tty1::respawn:/bin/sh -l' >>"$1/etc/inittab" ;; esac
    close_over "$1"
    put_loader "$1"
    [ "$loader_dir" != lib ] || ln -s "../usr/lib/$loader_name" "$1/lib/$loader_name"
    settle "$1"
}

make_rescue() {
    make_rescue_root "$out/rescue"
    cpio_tree "$out/rescue" | zstd -q -19 >"$out/rescue.cpio.zst"
    [ -z "$flavour" ] || { cpio_pad "$(stat -c %s "$out/rescue.cpio.zst")" && cat "$debian/modules.cpio.zst"; } >>"$out/rescue.cpio.zst"
    printf 'rdinit=/sbin/init panic=10 weft.version=%s %squiet' "$version" "$consoles" >"$out/cmdline"
    # The loader sorts by these: behind both slots, as long as one of them has a try left.
    printf 'ID=weft-rescue\nNAME=Weft\nPRETTY_NAME="Weft %s, rescue"\nVERSION_ID=%s\nIMAGE_ID=weft-rescue\nIMAGE_VERSION=%s\n' \
        "$version" "$version" "$version" >"$out/os-release"
    make_uki "$out/rescue.efi" ".osrel=$out/os-release" ".cmdline=$out/cmdline" ".linux=$out/vmlinuz.efi" ".initrd=$out/rescue.cpio.zst"
    sign "$out/rescue.efi"
    rm -rf "$out/rescue" "$out/rescue.files" "$out/rescue.cpio.zst" "$out/cmdline" "$out/os-release"
}
