# debian.sh: sourced by `./do image`. The flavour on Debian's own kernel (--kernel debian): the kernel out of its package,
# and the first root in memory that it cannot do without, with the drivers of nearly everything.
# shellcheck shell=sh

# What of the package's modules goes along: all that a node boots from, is reached by, and sends frames with, and what
# those stand on on boards that are no servers. No sound, no pictures, no radio.
debian_modules='arch crypto lib fs/efivarfs fs/erofs fs/ext4 fs/fat fs/jbd2 fs/nls fs/pstore net/8021q net/core
drivers/acpi drivers/ata drivers/block/virtio_blk drivers/bus drivers/char/hw_random drivers/char/tpm drivers/clk drivers/cpufreq drivers/dma
drivers/extcon drivers/firmware drivers/gpio drivers/hid/hid-generic drivers/hid/usbhid drivers/hv drivers/hwspinlock drivers/i2c
drivers/infiniband/hw/mlx5 drivers/input/keyboard
drivers/interconnect drivers/iommu drivers/irqchip drivers/mailbox drivers/md/dm- drivers/memory drivers/mfd drivers/mmc drivers/mux
drivers/net/ethernet drivers/net/hyperv drivers/net/mdio drivers/net/pcs drivers/net/phy drivers/net/usb drivers/net/net_failover
drivers/net/tun drivers/net/veth drivers/net/virtio_net drivers/net/vmxnet3 drivers/nvme drivers/nvmem drivers/pci drivers/phy drivers/pinctrl
drivers/pmdomain drivers/pwm drivers/regulator drivers/reset drivers/rtc drivers/scsi drivers/soc drivers/spi drivers/thermal
drivers/ufs drivers/uio drivers/usb/chipidea drivers/usb/common drivers/usb/core drivers/usb/dwc2 drivers/usb/dwc3 drivers/usb/host
drivers/usb/musb drivers/usb/phy drivers/usb/roles drivers/usb/storage drivers/usb/typec drivers/vfio drivers/virtio drivers/watchdog'

# The kernel's line of the lock: PACKAGE VERSION SHA-256.
debian_line() { sed -n "s/^$arch$flavour \(linux-image-\)/\1/p" "$lock"; }

# That line anew: the newest of the 6.12 that the archive has for this architecture.
todays_kernel() {
    package=$(apt_arch "$arch" "$archive" apt-cache depends "linux-image-6.12-$arch" | sed -n 's/.*Depends: \(linux-image-[^ ]*\)$/\1/p' | head -1)
    [ -n "$package" ] || die "image: the archive has no linux-image-6.12-$arch"
    line=$(apt_arch "$arch" "$archive" apt-cache show "$package" |
        awk '$1 == "Version:" && !v { v = $2 } $1 == "SHA256:" && !h { h = $2 } END { print v, h }')
    echo "$arch$flavour $package $line"
}

# depmod_in TREE: its lists, as busybox reads them.
depmod_in() {
    depmod -b "$1" "$debian_release"
    rm -f "$1/lib/modules/$debian_release/"*.bin
}

# choose_modules FROM TO: those of $debian_modules, and all that these need.
choose_modules() {
    (cd "$1/lib/modules/$debian_release" && for start in $debian_modules; do grep "^kernel/$start[^:]*:" modules.dep || true; done |
        tr -d ':' | tr ' ' '\n' | LC_ALL=C sort -u | sed '/^$/d') >"$2.names"
    while read -r module; do
        mkdir -p "$2/lib/modules/$debian_release/${module%/*}"
        cp "$1/lib/modules/$debian_release/$module" "$2/lib/modules/$debian_release/$module"
    done <"$2.names"
    cp "$1/lib/modules/$debian_release/modules.builtin" "$1/lib/modules/$debian_release/modules.builtin.modinfo" \
        "$1/lib/modules/$debian_release/modules.order" "$2/lib/modules/$debian_release/"
    find "$2" -name '*.ko.xz' -exec xz -d {} + # All are packed again, as one.
}

# The kernel and its modules as one packed archive in $debian: once for each package and choice.
unpack_debian() {
    debian_line >"$image_cache/debian-line"
    read -r debian_package debian_version debian_hash <"$image_cache/debian-line" ||
        die "image: image/packages.lock has no kernel for $arch$flavour; ./do image --kernel debian --relock"
    debian_release=${debian_package#linux-image-}
    debian=$image_cache/debian-$arch-$(printf '%s\n' "$debian_hash" "$debian_modules" 'recipe 2' | sha256sum | cut -c1-16)
    [ ! -e "$debian/complete" ] || return 0
    say "packing the modules of $debian_package (a minute, once)"
    take_package "$debian_package" "$debian_version" "$debian_hash"
    rm -rf "$debian"
    mkdir -p "$debian/tree"
    dpkg -x "$image_cache/debs/$debian_hash.deb" "$debian/all"
    depmod_in "$debian/all"
    choose_modules "$debian/all" "$debian/tree"
    depmod_in "$debian/tree"
    SOURCE_DATE_EPOCH=0 cpio_tree "$debian/tree" | zstd -q "-$zstd_level" -T0 >"$debian/modules.cpio.zst"
    mv "$debian/all/boot/vmlinuz-$debian_release" "$debian/vmlinuz.efi"
    rm -rf "$debian/all" "$debian/tree" "$debian/tree.names"
    touch "$debian/complete"
}

# make_early: $out/early.cpio.zst, the first root in memory: the modules, and what uses them.
make_early() {
    rm -rf "$out/early"
    mkdir -p "$out/early/bin" "$out/early/etc" "$out/early/sbin"
    cp "$packages/bin/busybox" "$out/early/bin/busybox"
    ln -s /bin/busybox "$out/early/sbin/modprobe" # The kernel calls it by this name.
    cp "$programs/image/early/weft-verity" "$out/early/bin/weft-verity"
    "$triple-strip" "$out/early/bin/weft-verity"
    cp "$root/image/early/init" "$out/early/init"
    cp "$root/image/early/coldplug" "$out/early/etc/coldplug"
    chmod 755 "$out/early/init" "$out/early/bin/"*
    { cat "$debian/modules.cpio.zst" && cpio_pad "$(stat -c %s "$debian/modules.cpio.zst")" && cpio_tree "$out/early" | zstd -q -19; } >"$out/early.cpio.zst"
    rm -rf "$out/early"
}

make_debian_kernel() {
    cp "$debian/vmlinuz.efi" "$out/vmlinuz.efi"
    printf '%s\n' "$debian_version" >"$out/kernel.version"
}
