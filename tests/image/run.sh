#!/bin/sh
# run.sh [--all] [NAME…]: the tests of the image, one after the other, with what each took. Exit status 1: one failed.
# run.sh --names: those of every day.
#
# Each test has a time in which it ends, or it is ended, with the machines that it has started; the others go on.
# WEFT_IMAGE_LIMIT=SECONDS: this one, for each of them.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
everyday='smoke config_errors secure_boot corrupt rollback update update_cut data frames'
others='cards drivers clock config_try data_full flash install nics one_nic rescue tpm reproducible units amd64 debian_kernel
    idle panic watchdog hang bypass three power swarm'

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

names=
while [ $# -gt 0 ]; do
    case $1 in
    --names) echo "$everyday"; exit 0 ;;
    --all) export WEFT_ALL=yes; names="$everyday $others" ;;
    *) [ -f "$here/$1.sh" ] || { echo "there is no test of the image '$1': $everyday $others" >&2; exit 64; }
       names="$names $1" ;;
    esac
    shift
done

# What tests leave lies in here, and the machines of one that was ended are found by it.
places=$(mktemp -d "${TMPDIR:-/tmp}/weft-image-run.XXXXXX")
pid=
# sweep PLACE: ends the machines there that still run. A number that somebody else has by now does not name the place.
sweep() {
    find "$1" -name pid -type f 2>/dev/null | while read -r file; do
        machine=$(cat "$file")
        ! tr '\0' ' ' 2>/dev/null <"/proc/$machine/cmdline" | grep -q -F "$1" || kill -9 "$machine" 2>/dev/null || true
    done
    [ "${WEFT_KEEP:-no}" = yes ] || rm -rf "$1"
}
leave() {
    [ -z "$pid" ] || { kill -TERM "$pid" 2>/dev/null && wait "$pid" || true; }
    sweep "$places"
}
trap leave EXIT
trap 'exit 130' INT TERM

# run NAME: sets $status.
run() {
    mkdir "$places/$1"
    seconds=$(limit "$1")
    status=0
    # In the background: a shell that waits for a program in front hears no signal until that ends.
    TMPDIR=$places/$1 timeout --kill-after=60 "$seconds" sh "$here/$1.sh" &
    pid=$!
    wait $pid || status=$?
    pid=
    sweep "$places/$1"
}

passed=0 failed=0 skipped=0 failures='' all_began=$(date +%s)
for name in ${names:-$everyday}; do
    began=$(date +%s)
    run "$name"
    took=$(($(date +%s) - began))
    case $status in
    0) passed=$((passed + 1)); echo "image/$name: passed ($took s)"; continue ;;
    77) skipped=$((skipped + 1)); echo "image/$name: skipped ($took s)"; continue ;;
    esac
    late=
    [ "$took" -lt "$seconds" ] || late="; it was ended: $seconds s are what it may take"
    echo "image/$name: FAILED ($took s$late)"
    failed=$((failed + 1)) failures="$failures $name"
done
echo "image: $passed passed, $failed failed, $skipped skipped, in $(($(date +%s) - all_began)) s${failures:+; failed:$failures}"
[ $failed = 0 ]
