# disk.sh: sourced by `./do image`. The disk: seven partitions in one sparse file, made without mounting anything.
# The layout is drawn in docs/image.md. Everything that would be chance or time is fixed here, so that the same
# parts give the same bytes.
# shellcheck shell=sh

# Where they begin, in MiB: the ESP's size is the flavour's. The last number is that of the whole disk.
place_partitions() {
    root_a_mib=$((1 + esp_mib))
    verity_a_mib=$((root_a_mib + 48))
    root_b_mib=$((verity_a_mib + 4))
    verity_b_mib=$((root_b_mib + 48))
    conf_mib=$((verity_b_mib + 4))
    data_mib=$((conf_mib + 32))
    disk_mib=$((data_mib + 64 + 3))
}

disk_id=57454654-0000-4000-8000-00000000000

# put PARTITION-START-MIB FILE: its bytes there; zeros stay holes. Notes the range that a flash has to write.
put() {
    dd if="$2" of="$image" bs=1M seek="$1" conv=notrunc,sparse status=none
    used=$(last_used "$2")
    [ "$used" = 0 ] || echo "$(($1 * 256)) $(($1 * 256 + used - 1))" >>"$work/ranges"
}

# last_used FILE: blocks of 4096 up to the last one that is not all zeros. What comes behind may hold anything on
# the medium that is flashed; what comes before must be written even if it is zeros (the tables of a FAT).
last_used() {
    # cmp tells the places where the file differs from nothing but zeros; the last is enough.
    size=$(stat -c %s "$1")
    low=0
    high=$(((size + 4095) / 4096))
    while [ "$low" -lt "$high" ]; do
        middle=$(((low + high) / 2))
        if cmp -s -i "$((middle * 4096)):0" -n $((size - middle * 4096)) "$1" /dev/zero; then high=$middle; else low=$((middle + 1)); fi
    done
    echo "$low"
}

# fat FILE MIB BITS LABEL SERIAL [ARGUMENT…]
fat() {
    file=$1 mib=$2 bits=$3 label=$4 serial=$5
    shift 5
    rm -f "$file"
    truncate -s "${mib}M" "$file"
    mkfs.vfat -F "$bits" -n "$label" -i "$serial" "$@" --invariant "$file" >/dev/null
}

# into FAT SOURCE TARGET: with the time of the commit.
into() {
    cp "$2" "$work/file"
    touch -d "@$SOURCE_DATE_EPOCH" "$work/file"
    mcopy -i "$1" -o -m "$work/file" "::$3"
}

# widen FAT DIRECTORY USED: places for 96 entries, of which the first USED are used, and the others new. Process 1 keeps
# such room from then on, for 48 at least (start.c, KERNEL_NAMES; image/update/fat_room.h says what for).
widen() {
    mkdir "$work/names"
    for number in $(seq 1 $((96 - $3))); do touch -d "@$SOURCE_DATE_EPOCH" "$work/names/N$number"; done
    mcopy -i "$1" -m "$work/names"/* "::$2/"
    mdel -i "$1" "::$2/N*"
    rm -r "$work/names"
    # A cluster is a sector here, and cluster 2 the first behind the tables.
    data=$(minfo -i "$1" :: | awk -F'[=:] *' '/^reserved \(boot\)/ { n += $2 } /^Big fatlen/ { n += 2 * $2 } END { print n }')
    used=$3
    for range in $(mshowfat -i "$1" "::$2" | sed 's/^[^<]*//; s/[<>]//g'); do
        for cluster in $(seq "${range%-*}" "${range#*-}"); do
            dd if=/dev/zero of="$1" bs=32 seek=$(((data + cluster - 2) * 16 + used)) count=$((16 - used)) conv=notrunc status=none
            used=0
        done
    done
}

make_esp() {
    fat "$work/esp" "$esp_mib" 32 WEFT-ESP 57454601
    mmd -i "$work/esp" ::EFI ::EFI/BOOT ::EFI/Linux ::loader
    into "$work/esp" "$out/loader.efi" "EFI/BOOT/BOOT$(echo "$efi_arch" | tr a-z A-Z).EFI"
    into "$work/esp" "$root/image/loader.conf" loader/loader.conf
    mmd -i "$work/esp" ::loader/keys ::loader/keys/weft
    for place in PK KEK db; do into "$work/esp" "$keys/$place.auth" "loader/keys/weft/$place.auth"; done
    entry_name=weft-a_$version+3.efi # Behind the directory's own two: thirteen letters in each, and the short one.
    into "$work/esp" "$out/uki-a.efi" "EFI/Linux/$entry_name"
    widen "$work/esp" EFI/Linux $((2 + (${#entry_name} + 12) / 13 + 1))
}

make_conf() {
    # Clusters of 4 KiB: what the node says fits into one, and is written over in place (image/init/report.c).
    fat "$work/conf" 32 16 WEFT-CONF 57454606 -s 8
    printf 'Weft %s\r\nIt has not been started yet.\r\n' "$version" >"$work/status"
    into "$work/conf" "$work/status" status.txt
    into "$work/conf" "$out/root/etc/weft/README-drive.txt" README.txt
}

make_data() {
    rm -f "$work/data"
    truncate -s 64M "$work/data"
    E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH mke2fs -q -F -t ext4 -b 4096 -L weft-data -U 57454654-0000-4000-8000-0000000000e4 \
        -J size=16 -O metadata_csum,64bit -E "hash_seed=57454654-0000-4000-8000-0000000000e5,root_owner=0:0,nodiscard" "$work/data" 64M
}

make_disk() {
    image=$out/$name.img
    work=$out/disk
    rm -rf "$work" "$image"
    mkdir -p "$work"
    export MTOOLS_SKIP_CHECK=1 TZ=UTC
    place_partitions
    make_esp
    make_conf
    make_data
    truncate -s ${disk_mib}M "$image"
    # GPT is at both ends. A partition's number is the last digit of its identifier.
    sfdisk -q "$image" <<GPT
label: gpt
label-id: ${disk_id}0
start=1MiB, size=${esp_mib}MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=esp, uuid=${disk_id}1
start=${root_a_mib}MiB, size=48MiB, type=$type_root, name=root-a, uuid=${disk_id}2
start=${verity_a_mib}MiB, size=4MiB, type=$type_verity, name=verity-a, uuid=${disk_id}3
start=${root_b_mib}MiB, size=48MiB, type=$type_root, name=root-b, uuid=${disk_id}4
start=${verity_b_mib}MiB, size=4MiB, type=$type_verity, name=verity-b, uuid=${disk_id}5
start=${conf_mib}MiB, size=32MiB, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7, name=WEFT-CONF, uuid=${disk_id}6
start=${data_mib}MiB, size=64MiB, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, name=data, uuid=${disk_id}7
GPT
    echo '0 5' >"$work/ranges" # The GPT: sectors 0 to 33, and whole blocks.
    put 1 "$work/esp"
    put $root_a_mib "$out/root.erofs"
    put $verity_a_mib "$out/root.verity"
    put $conf_mib "$work/conf"
    put $data_mib "$work/data"
    echo "$((disk_mib * 256 - 9)) $((disk_mib * 256 - 1))" >>"$work/ranges" # Its copy: the last 33 sectors.
    make_bmap >"$out/$name.bmap"
    rm -rf "$work"
}

# The block map (bmaptool's format 2.0): which blocks a flash writes, and the SHA-256 of each range.
make_bmap() {
    blocks=$((disk_mib * 256))
    mapped=$(awk '{ n += $2 - $1 + 1 } END { print n }' "$work/ranges")
    {
        printf '<?xml version="1.0" ?>\n<bmap version="2.0">\n'
        printf '    <ImageSize> %s </ImageSize>\n    <BlockSize> 4096 </BlockSize>\n' $((disk_mib * 1048576))
        printf '    <BlocksCount> %s </BlocksCount>\n    <MappedBlocksCount> %s </MappedBlocksCount>\n' "$blocks" "$mapped"
        printf '    <ChecksumType> sha256 </ChecksumType>\n    <BmapFileChecksum> %064d </BmapFileChecksum>\n    <BlockMap>\n' 0
        while read -r first last; do
            hash=$(dd if="$image" bs=4096 skip="$first" count=$((last - first + 1)) status=none | sha256sum | cut -d' ' -f1)
            printf '        <Range chksum="%s"> %s-%s </Range>\n' "$hash" "$first" "$last"
        done <"$work/ranges"
        printf '    </BlockMap>\n</bmap>\n'
    } >"$work/bmap"
    # Its own checksum is that of the file with zeros in this place.
    hash=$(sha256sum "$work/bmap" | cut -d' ' -f1)
    sed "s/<BmapFileChecksum> 0\{64\} </<BmapFileChecksum> $hash </" "$work/bmap"
}
