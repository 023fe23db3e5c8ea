#!/bin/sh
# run.sh [--all] [--jobs N] [NAME…]: the tests of the image, with what each took. Exit status 1: one failed.
# run.sh --names: those of every day.
#
# --jobs N: so many at a time (1); what each says is then shown when it has ended.
#
# Each test has a time in which it ends, or it is ended, with the machines that it has started; the others go on.
# WEFT_IMAGE_LIMIT=SECONDS: this one, for each of them.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
everyday='smoke config_errors secure_boot corrupt rollback update update_cut data frames'
# The longest first: others run beside them, with --jobs.
others='units power debian_kernel reproducible swarm amd64 hang cards drivers clock config_try data_full flash install nics
    one_nic rescue tpm idle gigantic counting panic watchdog bypass three'

# limit NAME: seconds of this machine's time, of which it has little: several times what the test takes when it is alone.
limit() {
    [ -z "${WEFT_IMAGE_LIMIT:-}" ] || { echo "$WEFT_IMAGE_LIMIT"; return; }
    case $1 in
    units | reproducible) seconds=7200 ;;
    amd64 | debian_kernel | swarm) seconds=3600 ;;
    hang | watchdog | three | install | data_full) seconds=2400 ;;
    *) seconds=1200 ;;
    esac
    case ${WEFT_ALL:-no}-$1 in # What does more of the same then.
    yes-power | yes-data | yes-update_cut | yes-frames | yes-amd64 | yes-debian_kernel) seconds=$((seconds * 4)) ;;
    esac
    echo $seconds
}

names='' jobs=1
while [ $# -gt 0 ]; do
    case $1 in
    --names) echo "$everyday"; exit 0 ;;
    --all) export WEFT_ALL=yes; names="$everyday $others" ;;
    --jobs)
        jobs=${2:-} && case $jobs in [1-9] | [1-9][0-9]) ;; *) echo "--jobs is a number from 1 to 99, not '$jobs'" >&2; exit 64 ;; esac
        shift ;;
    *) [ -f "$here/$1.sh" ] || { echo "there is no test of the image '$1': $everyday $others" >&2; exit 64; }
       case " $names " in *" $1 "*) ;; *) names="$names $1" ;; esac ;;
    esac
    shift
done

# What tests leave lies in here, and the machines of one that was ended are found by it.
places=$(mktemp -d "${TMPDIR:-/tmp}/weft-image-run.XXXXXX")
# sweep PLACE: ends the machines there that still run. A number that somebody else has by now does not name the place.
sweep() {
    find "$1" -name pid -type f 2>/dev/null | while read -r file; do
        machine=$(cat "$file")
        ! tr '\0' ' ' 2>/dev/null <"/proc/$machine/cmdline" | grep -q -F "$1" || kill -9 "$machine" 2>/dev/null || true
    done
    [ "${WEFT_KEEP:-no}" = yes ] || rm -rf "$1"
}
# Who runs a test is in NAME.runner until that has ended.
leave() {
    for file in "$places"/*.runner; do [ ! -f "$file" ] || kill -TERM "$(cat "$file")" 2>/dev/null || true; done
    wait
    sweep "$places"
}
trap leave EXIT
trap 'exit 130' INT TERM
mkfifo "$places/ended" # Each test that ended is a line here: NAME STATUS SECONDS.
exec 3<>"$places/ended"

# run NAME: a subshell of its own, which says that it has ended however it does. In the background, what it runs too: a
# shell that waits for a program in front hears no signal until that ends.
run() {
    # shellcheck disable=SC2034 # For the trap.
    runs=$1 began=$(date +%s) status=1 child=''
    trap 'echo "$runs $status $(($(date +%s) - began))" >&3' EXIT
    trap '[ -z "$child" ] || { kill -TERM "$child" 2>/dev/null; wait "$child"; }; exit 143' TERM
    mkdir "$places/$runs"
    TMPDIR=$places/$runs timeout --kill-after=60 "$(limit "$runs")" sh "$here/$runs.sh" 3>&- &
    child=$!
    status=0
    wait $child || status=$?
    sweep "$places/$runs"
}

passed=0 failed=0 skipped=0 running=0 failures='' all_began=$(date +%s)
# One has ended: its verdict, behind what it said.
take() {
    read -r ended status took <&3
    running=$((running - 1))
    rm "$places/$ended.runner"
    [ ! -f "$places/$ended.said" ] || cat "$places/$ended.said"
    case $status in
    0) passed=$((passed + 1)); echo "image/$ended: passed ($took s)"; return ;;
    77) skipped=$((skipped + 1)); echo "image/$ended: skipped ($took s)"; return ;;
    esac
    late=
    seconds=$(limit "$ended")
    [ "$took" -lt "$seconds" ] || late="; it was ended: $seconds s are what it may take"
    echo "image/$ended: FAILED ($took s$late)"
    failed=$((failed + 1)) failures="$failures $ended"
}

for name in ${names:-$everyday}; do
    [ $running -lt "$jobs" ] || take
    if [ "$jobs" = 1 ]; then run "$name" & else run "$name" >"$places/$name.said" 2>&1 & fi
    echo $! >"$places/$name.runner"
    running=$((running + 1))
done
while [ $running -gt 0 ]; do take; done
echo "image: $passed passed, $failed failed, $skipped skipped, in $(($(date +%s) - all_began)) s${failures:+; failed:$failures}"
[ $failed = 0 ]
