#!/bin/sh
# run.sh BUILD [NAME]: fuzzes one target, or each in turn, for WEFT_FUZZ_SECONDS (60) seconds.
# New inputs are kept in BUILD/corpus, never in the tree; a crash is written to BUILD and fails.
set -eu
build=$1
only=${2:-}
seconds=${WEFT_FUZZ_SECONDS:-60}
failed=0
found=0
for target in "$build"/tests/fuzz/*_fuzz; do
    [ -x "$target" ] || continue
    name=$(basename "$target" _fuzz)
    [ -z "$only" ] || [ "$only" = "$name" ] || continue
    found=1
    mkdir -p "$build/corpus/$name"
    dictionary=tests/fuzz/dictionary/$name # The words of its language, where it has one.
    if [ -f "$dictionary" ]; then dictionary=-dict=$dictionary; else dictionary=-verbosity=1; fi
    if "$target" "$dictionary" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$build/crash-$name-" "$build/corpus/$name" tests/fuzz/corpus/"$name" \
        >"$build/fuzz-$name.log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/fuzz-$name.log")
        echo "ok    fuzz/$name: ${runs:-?} inputs in $seconds s"
    else
        failed=1
        tail -40 "$build/fuzz-$name.log"
        echo "FAIL  fuzz/$name (the input is in $build/crash-$name-*)"
    fi
done
[ $found = 1 ] || { echo "no fuzz target named '$only'" >&2; exit 64; }
exit $failed
