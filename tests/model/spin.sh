#!/bin/sh
# spin.sh: checks the Promela models of this directory for every order of their steps, and that each
# mutant, which leaves out one thing, is found out. Prints how many states each has.
#
#   spin.sh           the sizes of `./do test`: about a minute of one CPU
#   spin.sh --long    larger ones, as far as 8 GB of memory go
#
# Needs Debian's `spin` and a C compiler. Exit status 77: there is none.
set -eu

models=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
command -v spin >/dev/null 2>&1 || { echo 'SKIP: there is no spin'; exit 77; }
work=$(mktemp -d "${TMPDIR:-/tmp}/weft-spin.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
wrong=0

# check MODEL DEFINES: runs it. $errors and $states are what came of it.
check() {
    cp "$models/$1.pml" .
    # shellcheck disable=SC2086
    spin $2 -a "$1.pml" >spin.out 2>&1 || { cat spin.out; exit 1; }
    ${CC:-cc} -O1 -w -DSAFETY -DCOLLAPSE -DVECTORSZ=1024 -DMEMLIM=8000 -o pan pan.c
    ./pan -m1000000 >pan.out 2>&1 || true
    errors=$(sed -n 's/.*errors: \([0-9]*\).*/\1/p' pan.out)
    states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' pan.out)
    # A search that was cut short says nothing.
    if [ -z "$errors" ] || grep -q 'max search depth too small\|out of memory\|memory exceeded' pan.out; then
        cat pan.out
        exit 1
    fi
}

# holds MODEL DEFINES: nothing may break.
holds() {
    check "$1" "$2"
    if [ "$errors" = 0 ]; then
        echo "$1 $2: $states states, all of them"
    else
        echo "$1 $2: FAILED: $(sed -n 's/^pan:1: //p' pan.out) (after $states states)"
        wrong=$((wrong + 1))
    fi
}

# breaks MODEL MUTANT DEFINES: something must.
breaks() {
    check "$1" "-D$2 $3"
    if [ "$errors" = 0 ]; then
        echo "$1 with $2 $3: FAILED: nothing was seen to break ($states states)"
        wrong=$((wrong + 1))
    else
        echo "$1 with $2 $3: found out: $(sed -n 's/^pan:1: \(.*\) (at depth.*/\1/p' pan.out) (after $states states)"
    fi
}

holds ring ''
holds ring '-DSLOTS=1'
for mutant in NO_RELEASE NO_GIVER_FENCE NO_SLEEPER_FENCE NO_SECOND_LOOK; do
    breaks ring $mutant ''
done

holds migrate '-DCORES=2 -DMOVES=2'
holds migrate '-DCORES=3'
for mutant in NO_MARKS NO_MARK_TO_NEW NO_HOLD NO_FIND HELD_LIFO LATE_LOCATION; do
    breaks migrate $mutant '-DCORES=3'
done

holds mute '-DMOVES=0 -DENDS=0 -DSENDS=3 -DTHIRD=0'
holds mute '-DENDS=0 -DSENDS=1 -DTHIRD=2'
holds mute '-DMOVES=0'
holds mute '-DCALLS -DMOVES=0 -DENDS=0'
for mutant in NO_UNMUTE_AT_MOVE NO_UNMUTE_AT_END WAY_BY_PLACE MUTE_TWICE; do
    breaks mute $mutant ''
done
breaks mute BUSY_WAIT '-DMOVES=0 -DENDS=0 -DTHIRD=2'
breaks mute WAY_TO_MAILBOX '-DMOVES=0 -DENDS=0 -DTHIRD=2'
breaks mute NO_TIME '-DCALLS -DMOVES=0 -DENDS=0'

if [ "${1:-}" = --long ]; then
    holds ring '-DMESSAGES=9'
    holds migrate '-DCORES=2 -DMOVES=2 -DMESSAGES=3 -DPULLS=2'
    holds migrate '-DCORES=3 -DMESSAGES=3'
    holds mute ''
    holds mute '-DENDS=0'
    holds mute '-DMOVES=0 -DENDS=0 -DTHIRD=2'
    holds mute '-DENDS=0 -DMOVES=2'
    holds mute '-DCALLS'
fi
[ $wrong = 0 ]
