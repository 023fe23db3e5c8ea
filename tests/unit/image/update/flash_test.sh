#!/bin/sh
# flash_test.sh WEFT: an image onto a disk in a file: packed and not, with a block map and without, read back, and the
# configuration on its FAT drive, which other tools find whole.
#
# Needs sfdisk, mkfs.vfat, fsck.vfat, mtools, zstd and openssl; without them it is skipped.
set -eu
PATH=$PATH:/usr/sbin:/sbin
weft=$(realpath "$1")
for tool in sfdisk mkfs.vfat fsck.vfat mcopy zstd openssl; do
    command -v $tool >/dev/null || { echo "SKIP: no $tool"; exit 77; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() { echo "flash_test: $*" >&2; exit 1; }

# An image of 24 MiB: something, a hole, the drive at 4 MiB.
truncate -s 24M weft.img
sfdisk -q weft.img <<'TABLE'
label: gpt
start=2048, size=2048, name=root-a
start=8192, size=32768, name=WEFT-CONF
TABLE
head -c 300000 /dev/urandom >root
dd if=root of=weft.img bs=1M seek=1 conv=notrunc status=none
truncate -s 16M drive
mkfs.vfat -F16 -s4 -n WEFT-CONF drive >/dev/null
echo 'for people' >README.txt
openssl genpkey -algorithm ed25519 -out owner.pem
openssl pkey -in owner.pem -pubout -out owner.pub
echo '# an old one, longer than a cluster' >old.toml
head -c 9000 /dev/zero | tr '\0' '#' >>old.toml
mcopy -i drive README.txt old.toml ::
mcopy -i drive old.toml ::weft.toml
dd if=drive of=weft.img bs=1M seek=4 conv=notrunc,sparse status=none
cat >weft.bmap <<'MAP'
<?xml version="1.0" ?>
<bmap version="2.0">
    <ImageSize> 25165824 </ImageSize>
    <BlockSize> 4096 </BlockSize>
    <BlockMap>
        <Range chksum="00"> 0-9 </Range>
        <Range chksum="00"> 256-340 </Range>
        <Range chksum="00"> 1024-5119 </Range>
        <Range chksum="00"> 6143 </Range>
    </BlockMap>
</bmap>
MAP
zstd -q weft.img
openssl genpkey -algorithm ed25519 -out key.pem 2>key.log || { echo 'SKIP: this openssl has no ed25519'; exit 77; }
openssl pkey -in key.pem -pubout -out key.pub
sha256sum weft.img weft.img.zst weft.bmap >SHA256SUMS
"$weft" image sign --sign key.pem SHA256SUMS

"$weft" config defaults >node.toml
echo secret-of-the-cluster >join
flash() { "$weft" image flash "$@" --key key.pub 2>err; }

# Packed, with its map: what the map leaves out stays as it was.
head -c 32M /dev/zero | tr '\0' 'x' >disk
cp disk untouched
if flash weft.img.zst disk --yes --owner-key owner.pem; then fail 'a private key goes onto the drive'; fi
grep -q 'W0301.*owner.pem: no public key' err || fail "$(cat err)"
cmp -s disk untouched || fail 'the disk was written to before its files were looked at'
flash weft.img.zst disk --yes --config node.toml --join join --owner-key owner.pub || fail "$(cat err)"
grep -q 'written and read back' err || fail "$(cat err)"
[ "$(dd if=disk bs=4096 skip=5200 count=1 status=none | tr -d 'x')" = '' ] || fail 'a hole was written'
dd if=disk bs=1M skip=1 count=1 status=none | head -c 300000 | cmp - root || fail 'the root differs'

# The drive: the old configuration is gone, the rest is there, and another tool finds no fault.
dd if=disk of=drive.after bs=1M skip=4 count=16 status=none
fsck.vfat -n drive.after >fsck || fail "$(cat fsck)"
mtype -i drive.after ::weft.toml | cmp - node.toml || fail 'weft.toml is another'
mtype -i drive.after ::join.token | cmp - join || fail 'join.token is another'
mtype -i drive.after ::owner.key | cmp - owner.pub || fail 'owner.key is another'
mtype -i drive.after ::README.txt | cmp - README.txt || fail 'README.txt is gone'
mtype -i drive.after ::old.toml | cmp - old.toml || fail 'old.toml is gone'
mdir -b -i drive.after :: | grep -c . | grep -qx 5 || fail "$(mdir -i drive.after ::)"

# Not packed, without a map: every byte.
rm weft.bmap
flash weft.img disk --yes || fail "$(cat err)"
cmp -n 25165824 weft.img disk || fail 'not every byte was written'

# The name is asked for; another answer, or none, writes nothing.
sha256sum disk >before
if echo dusk | flash weft.img disk; then fail 'a wrong name was taken'; fi
if flash weft.img disk </dev/null; then fail 'no name was taken'; fi
sha256sum -c --quiet before || fail 'it was written to without the name'
echo disk | flash weft.img disk || fail "the right name was not taken: $(cat err)"

refused() { # CODE WORDS…
    code=$1
    shift
    if flash "$@" --yes; then fail "$* was taken"; fi
    grep -q "$code" err || fail "$*: $(cat err)"
}
truncate -s 20M small
refused W0907 weft.img small
refused W0907 weft.img /dev/null
refused W0907 weft.img nowhere
echo 'node = 1' >bad.toml
if flash weft.img disk --yes --config bad.toml; then fail 'a wrong configuration was taken'; fi
grep -q 'bad.toml:1' err || fail "$(cat err)"
printf x | dd of=weft.img.zst bs=1 seek=1000 conv=notrunc status=none
refused W0902 weft.img.zst disk
openssl genpkey -algorithm ed25519 -out other.pem 2>key.log
openssl pkey -in other.pem -pubout -out key.pub
refused W0903 weft.img disk
