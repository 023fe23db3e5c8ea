# root.sh: sourced by `./do image`. The tree that becomes the root: programs, their libraries, nothing else.
#
# No program of the other architecture runs here: packages are unpacked and not installed, and what is
# needed is read out of the files (NEEDED). Perl, gconv and all else that packages drag in stays outside.
# shellcheck shell=sh

# library NAME: its path among the packages.
find_library() {
    for directory in "usr/lib/$triple" "lib/$triple" usr/lib lib; do
        [ ! -e "$packages/$directory/$1" ] || { readlink -f "$packages/$directory/$1"; return 0; }
    done
    return 1
}

needed() { "$triple-readelf" -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'; }

# close_over TREE: every library that a file of TREE needs, and those that these need, under their sonames.
close_over() {
    find "$1/usr" "$1/sbin" -type f >"$1.left"
    : >"$1.files"
    while [ -s "$1.left" ]; do
        : >"$1.more"
        while read -r file; do
            for soname in $(needed "$file"); do
                [ ! -e "$1/usr/lib/$triple/$soname" ] || continue
                path=$(find_library "$soname") || die "image: no package of image/packages.lock has $soname, which ${file#"$1"} needs"
                cp "$path" "$1/usr/lib/$triple/$soname"
                basename "$path" >>"$1.files"
                echo "$1/usr/lib/$triple/$soname" >>"$1.more"
            done
        done <"$1.left"
        mv "$1.more" "$1.left"
    done
}

# DPDK loads drivers by the end of their names alone (.so.23.0), and says nothing of those that it passed over. A
# driver that weftd is linked with must be the same file, or it registers itself twice: so links to the libraries.
put_drivers() {
    plugins=$1/usr/lib/$triple/dpdk/pmds-23.0
    mkdir -p "$plugins"
    for soname in bus_pci bus_vdev mempool_ring $(for pmd in $pmds; do echo "net_$pmd"; done); do
        path=$(find_library "librte_$soname.so.23") || die "image: no package of image/packages.lock has the driver $soname"
        cp "$path" "$1/usr/lib/$triple/librte_$soname.so.23"
        basename "$path" >>"$1.drivers"
        ln -s "../../librte_$soname.so.23" "$plugins/librte_$soname.so.23.0"
    done
}

# libibverbs looks for its providers by files of a folder. The driver of DPDK is linked with the one that counts, which
# must be the same file here, too.
put_verbs() {
    provider=$(basename "$packages/usr/lib/$triple/libibverbs/libmlx5-"*.so)
    mkdir -p "$1/etc/libibverbs.d" "$1/usr/lib/$triple/libibverbs"
    cp "$packages/etc/libibverbs.d/mlx5.driver" "$1/etc/libibverbs.d/mlx5.driver"
    ln -s ../libmlx5.so.1 "$1/usr/lib/$triple/libibverbs/$provider"
}

# symbols TREE: what its files define and what they ask for, as "d NAME@VERSION" and "U NAME@VERSION".
symbols() {
    find "$1/usr" "$1/sbin" -type f -exec "$triple-nm" -D {} + 2>/dev/null |
        awk 'NF == 2 && $1 == "U" { print "U", $2 } NF == 3 { sub("@@", "@", $3); print "d", $3 }'
}

# A driver that asks for a function that nobody has keeps the whole of DPDK from starting, and only where it is tried.
check_symbols() {
    symbols "$1" | awk '
        $1 == "d" { has[$2]; sub("@.*", "", $2); has[$2] }
        $1 == "U" { asked[$2] }
        END { for (name in asked) if (!(name in has)) print name }' >"$1.missing"
    [ ! -s "$1.missing" ] || die "image: nothing in the root has $(head -3 "$1.missing" | tr '\n' ' ')which files of it ask for"
    rm -f "$1.missing"
}

# put_loader TREE: its path is in every program; the rest is found by its search path.
put_loader() {
    loader=$(find_library "$loader_name")
    cp "$loader" "$1/usr/lib/$loader_name"
    [ -e "$1/$loader_dir" ] || ln -s usr/lib "$1/$loader_dir"
    ln -sf "../$loader_name" "$1/usr/lib/$triple/$loader_name"
}

# settle TREE: without symbols, and with the rights that things have by their place.
settle() {
    find "$1/usr" "$1/sbin" -type f -exec "$triple-strip" --strip-unneeded {} +
    find "$1" -type d -exec chmod 755 {} +
    find "$1" -type f -exec chmod 644 {} +
    find "$1/usr/bin" "$1/sbin" -type f -exec chmod 755 {} +
    chmod 755 "$1/usr/lib/$loader_name"
    rm -f "$1.left" "$1.more"
}

# make_root TREE: from $packages and $programs (a build directory of meson).
make_root() {
    rm -rf "$1" "$1".*
    mkdir -p "$1"
    for directory in proc sys dev run tmp data conf esp sbin etc/weft usr/bin usr/lib/weft "usr/lib/$triple"; do
        mkdir -p "$1/$directory"
    done
    ln -s usr/lib "$1/lib"
    ln -s usr/bin "$1/bin"
    cp "$programs/runtime/node/weftd" "$programs/runtime/tool/weft" "$1/usr/bin/"
    cp "$programs/image/init/weft-init" "$1/sbin/weft-init"
    cp "$packages/sbin/mke2fs" "$1/sbin/mkfs.ext4" # A factory reset makes the data partition anew.
    put_drivers "$1"
    [ -z "$flavour" ] || put_verbs "$1"
    cp "$(find_library libgcc_s.so.1)" "$1/usr/lib/$triple/libgcc_s.so.1" # pthread_exit loads it by name.
    close_over "$1"
    cat "$1.drivers" >>"$1.files"
    put_loader "$1"
    check_symbols "$1"
    settle "$1"
    rm -f "$1.drivers"
}
