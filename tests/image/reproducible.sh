#!/bin/sh
# A second build, of a copy of the tree at another place, gives the same bytes. The kernel comes out of the cache;
# WEFT_ALL=yes: it is built again as well.
. "$(dirname "$0")/lib.sh"

git -C "$root" -c safe.directory='*' diff --quiet HEAD || { echo 'SKIP: there are changes that are not committed'; exit 77; }
[ "$(cat "$images/epoch" 2>/dev/null)" = "$(git -C "$root" -c safe.directory='*' log -1 --format=%ct)" ] ||
    { echo 'SKIP: build-image/ is of another commit: ./do image'; exit 77; }
copy=$work/elsewhere/with/a/longer/name
made=$copy${images#"$root"}
mkdir -p "$copy"
git -C "$root" -c safe.directory='*' clone -q "$root" "$copy"
mkdir -p "$copy/build-image/cache"
cp -r "$keys" "$copy/build-image/keys"
ln -s "$root/build-image/cache/debs" "$copy/build-image/cache/debs"
if [ "${WEFT_ALL:-no}" != yes ]; then
    for kernel in "$root/build-image/cache/kernel-$arch-"* "$root/build-image/cache/debian-$arch-"*; do [ ! -d "$kernel" ] || ln -s "$kernel" "$copy/build-image/cache/"; done
fi
(cd "$copy" && ./do image --arch "$arch" --kernel "${WEFT_KERNEL:-own}") >"$work/log" 2>&1 || { tail -20 "$work/log" >&2; fail 'the copy could not be built'; }
for file in "$name.img.zst" "$name.img" "$name.bmap" "$name.update" "$name.uki-a.efi" "$name.uki-b.efi" "$name.rescue.efi" "$name.spdx.json" SHA256SUMS SHA256SUMS.sig; do
    cmp "$images/$file" "$made/$file" || fail "$file differs between two builds"
done
ok 'two builds in two places: the same bytes'
