#!/bin/sh
# fresh.sh [--user] COMMAND…: runs COMMAND in a clean clone, inside a Debian 12 that has nothing yet.
#
#   tests/fresh.sh ./do run --smoke
#   tests/fresh.sh --user sh -c './do build && ./do test'
#
# The root holds the essential packages, apt, git and ca-certificates: what `./do` does not install
# itself is missing there, and that is how a forgotten package shows. --user: as an ordinary user who
# has sudo. Package sources are this machine's own. Needs root and mmdebstrap; no part of `./do test`.
set -eu

user=root
home=/root
include=git,ca-certificates
if [ "${1-}" = --user ]; then
    shift
    user=builder
    home=/home/builder
    include=$include,sudo
fi
[ $# -gt 0 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 64; }
[ "$(id -u)" = 0 ] || { echo 'fresh.sh: needs root' >&2; exit 77; }
command -v mmdebstrap >/dev/null || { echo 'fresh.sh: needs mmdebstrap (apt-get install mmdebstrap)' >&2; exit 69; }

here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/weft-fresh-XXXXXX")
new=$work/root
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT TERM
chmod 755 "$work"

# A fresh machine finds its packages where this one does.
apt-config dump 2>/dev/null | grep -E '^Acquire::(http|https|Check|Retries)' >"$work/apt.conf" || true
sources=
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    if [ -s "$file" ]; then sources="$sources $file"; fi
done
echo "fresh.sh: making a Debian 12 root" >&2
# shellcheck disable=SC2086
mmdebstrap --quiet --mode=root --variant=apt --include="$include" --aptopt="$work/apt.conf" bookworm "$new" $sources >&2
for file in /etc/resolv.conf /etc/hosts; do
    if [ -e "$file" ]; then cp -L "$file" "$new$file"; fi
done
if [ "$user" != root ]; then
    chroot "$new" useradd -m -s /bin/sh "$user"
    echo "$user ALL=(ALL) NOPASSWD: ALL" >"$new/etc/sudoers.d/$user"
fi
branch=$(git -C "$here" -c safe.directory='*' branch --show-current)
# shellcheck disable=SC2086
git -C "$here" -c safe.directory='*' bundle create --quiet "$new/weft.bundle" HEAD $branch

# Inside: mounts of its own, processes of its own (all end with the first), the network of this machine.
cat >"$new/enter" <<'INSIDE'
set -eu
new=$1 user=$2 home=$3
shift 3
mount --bind "$new" "$new"
mount -t proc proc "$new/proc" 2>/dev/null || mount --rbind /proc "$new/proc"
mount --rbind /sys "$new/sys"
mount --rbind /dev "$new/dev"
cd "$new"
mkdir -p old
unmount=old$(command -v umount) # Not there yet.
pivot_root . old
"$unmount" -l /old
rmdir /old
cd "$home"
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM="${TERM:-dumb}" LANG=C.UTF-8 \
    HOME="$home" USER="$user" WEFT_FUZZ_SECONDS="${WEFT_FUZZ_SECONDS-}" WEFT_TEST_STAGES="${WEFT_TEST_STAGES-}" \
    setpriv --reuid "$user" --regid "$user" --init-groups \
    sh -c 'cd && git clone -q /weft.bundle weft && cd weft && exec "$@"' sh "$@"
INSIDE
status=0
unshare --mount --propagation private --pid --fork --kill-child sh "$new/enter" "$new" "$user" "$home" "$@" || status=$?
echo "fresh.sh: '$*' ended with $status" >&2
exit "$status"
