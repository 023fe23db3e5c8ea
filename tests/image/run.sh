#!/bin/sh
# run.sh [--all] [NAME…]: the tests of the image, one after the other, with what each took. Exit status 1: one failed.
# run.sh --names: those of every day.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
everyday='smoke config_errors secure_boot corrupt rollback update update_cut data frames'
others='cards clock config_try data_full flash install nics one_nic rescue tpm reproducible units amd64 debian_kernel
    idle panic watchdog hang bypass three power swarm'
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
passed=0 failed=0 skipped=0
for name in ${names:-$everyday}; do
    began=$(date +%s)
    status=0
    sh "$here/$name.sh" || status=$?
    took=$(($(date +%s) - began))
    case $status in
    0) passed=$((passed + 1)); echo "image/$name: passed ($took s)" ;;
    77) skipped=$((skipped + 1)); echo "image/$name: skipped" ;;
    *) failed=$((failed + 1)); echo "image/$name: FAILED ($took s)" ;;
    esac
done
echo "image: $passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
