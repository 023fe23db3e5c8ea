#!/bin/sh
# update_test.sh WEFT: releases put into the slots of a disk in a file: good, refused, rolled back.
#
# Needs sfdisk (fdisk) to make the disk and openssl to make keys; without them it is skipped.
set -eu
weft=$(realpath "$1")
command -v sfdisk >/dev/null || { echo 'SKIP: no sfdisk'; exit 77; }
command -v openssl >/dev/null || { echo 'SKIP: no openssl'; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

fail() { echo "update_test: $*" >&2; exit 1; }

# A disk as an image has it, but small; its ESP is a directory.
truncate -s 8M disk
sfdisk -q disk <<'TABLE'
label: gpt
start=2048, size=2048, name=esp
start=4096, size=1024, name=root-a
start=5120, size=64, name=verity-a
start=5184, size=1024, name=root-b
start=6208, size=64, name=verity-b
start=8192, size=2048, name=WEFT-CONF
TABLE
mkdir -p esp/EFI/Linux root/etc/weft root/proc root/sys/block/dm-0/slaves root/sys/devices/virtio1/block/vda/vda2 state
ln -s ../../../devices/virtio1/block/vda/vda2 root/sys/block/dm-0/slaves/vda2
printf 'VERSION=0.2.0\nBUILD_EPOCH=1764201600\nARCH=arm64\n' >root/etc/weft/release
echo 'root=/dev/dm-0 ro weft.slot=a weft.version=0.2.0 quiet' >root/proc/cmdline
echo kernel-a >esp/EFI/Linux/weft-a_0.2.0.efi

openssl genpkey -algorithm ed25519 -out key.pem 2>key.log || { echo 'SKIP: this openssl has no ed25519'; exit 77; }
openssl pkey -in key.pem -pubout -out key.pub
release() { # VERSION FLOOR ARCH ROOT_BYTES
    head -c "$4" /dev/urandom >root.erofs
    head -c 8192 /dev/urandom >root.verity
    echo "kernel-a of $1" >uki-a
    echo "kernel-b of $1" >uki-b
    "$weft" image bundle --version "$1" --arch "$3" --floor "$2" --epoch 1764201600 --sign key.pem -w "$1.update" \
        root.erofs root.verity uki-a uki-b >/dev/null
}
update() { # VERB [OPTION…]
    "$weft" __update "$@" --root root --disk disk --esp esp --ledger state/releases --key key.pub
}
refused() { # CODE TEXT, of the update in the file `given`
    # shellcheck disable=SC2086
    if update apply ${3-} <given >out; then fail "$2 was taken"; fi
    grep -q "\"code\":\"$1\"" out || fail "$2: $(cat out)"
}

# A good one: in slot b byte for byte, with three tries, and remembered.
release 0.3.0 0.2.0 arm64 300000
before=$(dd if=disk bs=512 skip=4096 count=1088 2>/dev/null | sha256sum)
update apply <0.3.0.update >out || fail "a good one: $(cat out)"
grep -q '"slot":"b","running":false,"version":"0.3.0","state":"fresh","tries_left":3' out || fail "$(cat out)"
cmp esp/EFI/Linux/weft-b_0.3.0+3.efi uki-b
[ "$(dd if=disk bs=512 skip=5184 count=586 2>/dev/null | head -c 300000 | sha256sum)" = "$(sha256sum <root.erofs)" ] || fail 'slot b is not the root'
[ "$(dd if=disk bs=512 skip=4096 count=1088 2>/dev/null | sha256sum)" = "$before" ] || fail 'the running slot was touched'
grep -qx 'next 0.3.0 0.2.0' state/releases || fail 'the floor to come is not remembered'

# Everything that is refused leaves the slots as they are.
ls esp/EFI/Linux >before
sha256sum disk >>before
release 0.3.1 0.2.0 amd64 3000
cp 0.3.1.update given
refused W0904 'another CPU'
release 0.3.1 0.2.0 arm64 600000
cp 0.3.1.update given
refused W0904 'too large for the slot'
head -c 40 0.3.0.update >given
refused W0902 'a piece of a header'
head -c 100 /dev/urandom >given
refused W0902 'noise'
openssl genpkey -algorithm ed25519 -out other.pem 2>key.log
mv key.pem mine.pem
mv other.pem key.pem
release 0.3.2 0.2.0 arm64 3000
mv mine.pem key.pem
cp 0.3.2.update given
refused W0903 'another signer'
refused W0903 'another signer, by force' --force
printf 'floor 0.2.0\nfailed 0.3.5\n' >state/releases
release 0.1.0 0.1.0 arm64 3000
cp 0.1.0.update given
refused W0904 'older than the floor'
release 0.3.5 0.1.0 arm64 3000
cp 0.3.5.update given
refused W0904 'failed before'
{ ls esp/EFI/Linux; sha256sum disk; } >after
cmp before after || fail 'what was refused left traces'

# By force; and one that is cut short has its slot emptied, and nothing else.
cp 0.1.0.update given
update apply --force <given >out || fail "by force: $(cat out)"
grep -q '"slot":"a","running":true,"version":"0.2.0","state":"aside"' out || fail "an older one must come first: $(cat out)"
head -c 5000 0.3.0.update >given
refused W0902 'a truncated one'
[ "$(ls esp/EFI/Linux)" = weft-a_0.2.0+0.efi ] || fail "after a truncated one: $(ls esp/EFI/Linux)"

# Back to the other slot, which has to prove good again.
mv esp/EFI/Linux/weft-a_0.2.0+0.efi esp/EFI/Linux/weft-a_0.2.0.efi
echo kernel-b >esp/EFI/Linux/weft-b_0.1.5.efi
update rollback >out || fail "rollback: $(cat out)"
[ "$(ls esp/EFI/Linux)" = "$(printf 'weft-a_0.2.0+0.efi\nweft-b_0.1.5.efi')" ] || fail "$(ls esp/EFI/Linux)"
rm esp/EFI/Linux/weft-b*
if update rollback >out; then fail 'rolled back to nothing'; fi
grep -q '"code":"W0904"' out || fail "$(cat out)"

# A release on trial does not overwrite the one that it may have to give way to.
mv esp/EFI/Linux/weft-a_0.2.0+0.efi esp/EFI/Linux/weft-a_0.2.0+2-1.efi
cp 0.3.0.update given
refused W0905 'on trial'
mv esp/EFI/Linux/weft-a_0.2.0+2-1.efi esp/EFI/Linux/weft-a_0.2.0.efi

# No ledger can be kept: nothing is touched. (Root writes everywhere: a directory in its place.)
rm state/releases
mkdir state/releases
refused W0906 'without a ledger'

# Looking needs no ledger to write: not where one cannot be kept, nor where there is no place for the lock. What the disk
# tells is in the answer all the same.
echo kernel-b >esp/EFI/Linux/weft-b_0.3.9+0-3.efi
update slots >out || fail "slots, with a ledger that cannot be written: $(cat out)"
grep -q '"failed":\["0.3.9"\]' out || fail "what has failed is not told: $(cat out)"
rmdir state/releases
mv state away
update slots >out || fail "slots, with no place for a ledger: $(cat out)"
grep -q '"failed":\["0.3.9"\]' out || fail "what has failed is not told: $(cat out)"
refused W0906 'without a place for a ledger'
mv away state
# Nor a disk that can be written. (Root writes everywhere.)
chmod 444 disk
chmod 755 .
nobody=
[ "$(id -u)" != 0 ] || nobody='setpriv --reuid 65534 --regid 65534 --clear-groups'
if $nobody "$weft" version >out 2>&1; then
    $nobody "$weft" __update slots --root root --disk disk --esp esp --ledger state/releases >out || fail "slots of a disk that is write-protected: $(cat out)"
    grep -q '"failed":\["0.3.9"\]' out || fail "what has failed is not told: $(cat out)"
    if $nobody "$weft" __update rollback --root root --disk disk --esp esp --ledger "$PWD/releases" >out; then fail 'a disk that is write-protected was written'; fi
fi
chmod 644 disk
rm esp/EFI/Linux/weft-b*

# Two at once: the second is told so.
mkfifo pipe
update apply <pipe >first &
exec 3>pipe
head -c 4000 0.3.0.update >&3
n=0
until grep -qs 'next 0.3.0' state/releases; do
    n=$((n + 1))
    [ $n -lt 1000 ] || fail 'the first did not begin'
    sleep 0.01
done
cp 0.3.0.update given
refused W0905 'a second one at once'
update slots >out || fail "slots, while one is under way: $(cat out)"
tail -c +4001 0.3.0.update >&3
exec 3>&-
wait $! || fail "the first: $(cat first)"

# The machine has two Weft disks: nobody knows which of them an update is for.
mkdir -p root/run/weft
echo '{"version":"0.2.0","disk":"/dev/sda","disk_serial":""}' >root/run/weft/boot.json
if update slots >out 2>&1; then fail 'two disks are one'; fi
grep -q '"code":"W0905".*/dev/sda.*/dev/vda' out || fail "two disks: $(cat out)"
rm -r root/run

# Not an image at all.
rm root/etc/weft/release
if update slots >out; then fail 'no image has slots'; fi
grep -q '"code":"W0901"' out || fail "$(cat out)"
