# packages.sh: sourced by `./do image`. The Debian packages of the root: which ones, and that they are those.
#
# image/packages.lock has a line for each: ARCHITECTURE PACKAGE VERSION SHA-256; what only the flavour on Debian's
# kernel has is of ARCHITECTURE-debian. A build takes these and no
# others, out of the cache or the archive; where the archive has moved on it stops and says so, since an
# image with other bytes than yesterday's is a decision (`./do image --relock`) and no accident.
# shellcheck shell=sh

lock=$root/image/packages.lock

# What weftd, weft and weft-init are linked with, and what they load: one package for each family of NICs.
packages_root='libc6 e2fsprogs libgcc-s1 libjemalloc2 libgnutls30 libjansson4 libmicrohttpd12 libedit2 liburing2
librte-eal23 librte-ethdev23 librte-mbuf23 librte-mempool23 librte-ring23 librte-bus-pci23 librte-bus-vdev23 librte-mempool-ring23'
pmds='ring null virtio e1000 igc ixgbe i40e iavf ice ena bnxt vmxnet3 af_packet af_xdp tap'
packages_pmd='librte-net-ring23 librte-net-null23 librte-net-virtio23 librte-net-e1000-23 librte-net-igc23 librte-net-ixgbe23
librte-net-i40e23 librte-net-iavf23 librte-net-ice23 librte-net-ena23 librte-net-bnxt23 librte-net-vmxnet3-23
librte-net-af-packet23 librte-net-af-xdp23 librte-net-tap23'
# Families whose own drivers in the kernel the image's kernel has no room for: debian.sh has them as modules. An mlx5
# is spoken to over libibverbs.
case $arch$flavour in
*-debian)
    pmds="$pmds mlx5"
    packages_pmd="$packages_pmd librte-net-mlx5-23 ibverbs-providers" ;;
esac
case $arch$flavour in
arm64-debian) # Both are parts of ARM processors.
    pmds="$pmds cnxk dpaa2"
    packages_pmd="$packages_pmd librte-net-cnxk23 librte-net-dpaa2-23" ;;
esac
packages_boot='systemd-boot-efi' # The boot loader, and the stub of the UKIs.
packages_rescue='busybox-static' # The rescue kernel's shell; e2fsck is e2fsprogs'.

# The package archive's state of the day: only asked where the cache lacks something.
find_archive() {
    archive=$image_cache/apt-$arch
    [ ! -e "$archive/.asked" ] || return 0
    apt_arch "$arch" "$archive" apt-get update >&2 || return 1
    touch "$archive/.asked"
}

# take PACKAGE VERSION SHA256: into the cache, under its hash.
take_package() {
    [ ! -f "$image_cache/debs/$3.deb" ] || return 0
    find_archive || die "image: no package lists for $arch could be fetched"
    mkdir -p "$image_cache/debs/fetch"
    rm -f "$image_cache/debs/fetch/"*.deb
    (cd "$image_cache/debs/fetch" && apt_arch "$arch" "$archive" apt-get download "$1=$2" >&2) || die "image: the archive has moved: $1 $2 ($arch) of image/packages.lock is not there any more
    (it has $(apt_arch "$arch" "$archive" apt-cache policy "$1" | sed -n 's/ *Candidate: //p')). Nothing was built.
    ./do image --relock takes the versions of today; look at the difference, test, and commit it."
    found=$(sha256sum "$image_cache/debs/fetch/"*.deb | cut -d' ' -f1)
    [ "$found" = "$3" ] || die "image: $1 $2 ($arch) is not what image/packages.lock names: SHA-256 $found, expected $3. Nothing was built."
    mv "$image_cache/debs/fetch/"*.deb "$image_cache/debs/$3.deb"
}

# Those of the root, one a line: PACKAGE VERSION SHA-256. (debian.sh takes the kernel's.)
locked() { sed -n "s/^$arch //p; s/^$arch$flavour //p" "$lock" | sed '/^linux-image-/d'; }

# All packages of the lock, unpacked into $packages. Once for each content of the lock.
take_packages() {
    lines=$(locked)
    [ -n "$lines" ] || die "image: image/packages.lock has nothing for $arch; ./do image --relock"
    packages=$image_cache/packages-$arch-$(printf '%s\n' "$lines" | sha256sum | cut -c1-16)
    [ ! -e "$packages/.complete" ] || return 0
    rm -rf "$packages"
    mkdir -p "$packages"
    rm -f "$image_cache/apt-$arch/.asked"
    printf '%s\n' "$lines" >"$image_cache/lines"
    while read -r package package_version hash; do
        take_package "$package" "$package_version" "$hash"
        dpkg -x "$image_cache/debs/$hash.deb" "$packages"
    done <"$image_cache/lines"
    touch "$packages/.complete"
}

# is_in_root DEB PACKAGE: after make_root of all that was fetched.
is_in_root() {
    for one in $packages_boot $packages_rescue libgcc-s1 e2fsprogs; do [ "$one" != "$2" ] || return 0; done
    dpkg-deb -c "$1" | sed 's/ -> .*//; s|.*/||' | grep -qxFf "$image_cache/relock/root.files"
}

# A flavour's lines are what it has besides those of its architecture.
is_in_lock() { [ -n "$flavour" ] && grep -q "^$arch $1 " "$lock"; }

# The lock anew: all that the archive would install for these, less what no file of the root comes from.
relock() {
    rm -f "$image_cache/apt-$arch/.asked"
    find_archive || die "image: no package lists for $arch could be fetched"
    rm -rf "$image_cache/relock" "$archive/archives"
    mkdir -p "$image_cache/relock/tree" "$archive/archives/partial"
    # shellcheck disable=SC2086
    apt_arch "$arch" "$archive" apt-get -y -d --no-install-recommends install $packages_root $packages_pmd $packages_boot $packages_rescue >&2 ||
        die 'image: the packages could not be fetched'
    for deb in "$archive/archives/"*.deb; do
        dpkg -x "$deb" "$image_cache/relock/tree"
        printf '%s %s\n' "$deb" "$(dpkg-deb -f "$deb" Package)"
    done >"$image_cache/relock/debs"
    packages=$image_cache/relock/tree
    todays=$([ -z "$flavour" ] || todays_kernel)
    make_root "$image_cache/relock/root" # Says which libraries it took.
    {
        sed '/^[^#]/d' "$lock" 2>/dev/null || true
        {
            sed -n "/^[^#]/{/^$arch$flavour /!p}" "$lock" 2>/dev/null || true
            [ -z "$todays" ] || echo "$todays"
            while read -r deb package; do
                ! is_in_root "$deb" "$package" || is_in_lock "$package" ||
                    echo "$arch$flavour $package $(dpkg-deb -f "$deb" Version) $(sha256sum "$deb" | cut -d' ' -f1)"
            done <"$image_cache/relock/debs"
        } | LC_ALL=C sort
    } >"$image_cache/relock/lock"
    mkdir -p "$image_cache/debs"
    while read -r deb package; do cp "$deb" "$image_cache/debs/$(sha256sum "$deb" | cut -d' ' -f1).deb"; done <"$image_cache/relock/debs"
    if cmp -s "$image_cache/relock/lock" "$lock"; then say 'image/packages.lock is that of today'
    else
        diff "$lock" "$image_cache/relock/lock" >&2 || true
        cp "$image_cache/relock/lock" "$lock"
        say 'image/packages.lock is new: look at the difference, test, commit'
    fi
}
