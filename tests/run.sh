# run.sh: sourced by `./do test`. Every stage prints what it did; the last line adds it all up.
#
# Stages: check, unit tests (gcc), the same under ASan+UBSan, with epoll instead of io_uring, built by
# clang, cross-built and run for arm64 under qemu-user, simulator seeds, fuzzers for a few seconds, and
# system tests of the whole lab, as root and as a user without any right.

passed=0
failed=0
skipped=0
results=$build/test-results
rm -rf "$results"
mkdir -p "$results"
started=$(date +%s)

stage() { printf '\n== %s (%s s)\n' "$1" "$(($(date +%s) - started))"; }

# count LABEL DIR MESON-ARGUMENT…: runs a set of meson tests and adds up what it says.
count() {
    label=$1
    dir=$2
    shift 2
    log=$results/$label
    meson test -C "$dir" --no-rebuild --logbase "$label" "$@" >"$log.out" 2>&1 || true
    text=$dir/meson-logs/$label.txt
    number() { sed -n "s/^$1: *\([0-9]*\).*/\1/p" "$log.out" | tail -1; }
    ok=$(number Ok)
    bad=$(($(n=$(number Fail); echo "${n:-0}") + $(n=$(number Timeout); echo "${n:-0}") + $(n=$(number 'Unexpected Pass'); echo "${n:-0}")))
    skip=$(number Skipped)
    if [ -z "$ok" ]; then
        cat "$log.out"
        bad=1
    fi
    passed=$((passed + ${ok:-0}))
    failed=$((failed + bad))
    skipped=$((skipped + ${skip:-0}))
    echo "$label: ${ok:-0} passed, $bad failed, ${skip:-0} skipped"
    grep -E ' (SKIP|FAIL|TIMEOUT) ' "$log.out" | sed 's/^/    /' || true
    [ ! -f "$text" ] || grep -hE '^SKIP: ' "$text" | sort | uniq -c | sed 's/^ *\([0-9]*\) SKIP: /    skipped because: /' || true
    if [ "$bad" != 0 ] && [ -f "$text" ]; then
        cp "$text" "$log.txt"
        sed -n '/result: *exit status [1-9]/,/^=\{20,\}/p; /result: *killed/,/^=\{20,\}/p' "$text" | head -150
    fi
}

# one LABEL COMMAND…: a single check that passes, fails, or is skipped with exit status 77.
one() {
    label=$1
    shift
    status=0
    "$@" >"$results/$label.out" 2>&1 || status=$?
    case $status in
    0) passed=$((passed + 1)); echo "$label: passed" ;;
    77) skipped=$((skipped + 1)); echo "$label: skipped: $(tail -1 "$results/$label.out")" ;;
    *) failed=$((failed + 1)); tail -60 "$results/$label.out"; echo "$label: FAILED (exit $status)" ;;
    esac
}

stage 'check: format, layers, generated files'
one check sh tests/check.sh "$build"

stage 'unit and property tests, gcc'
count unit "$build" --suite unit
count property "$build" --suite property --timeout-multiplier 4

stage 'the same without io_uring (WEFT_IO=epoll)'
WEFT_IO=epoll count unit-epoll "$build" --suite io

stage 'simulator: a fixed set of seeds'
one sim-seeds sh tests/sim/seeds.sh "$build/tests/sim/weft-sim"

stage 'system tests: the whole lab'
count system "$build" --suite system --timeout-multiplier 1 -j 1

stage 'ASan and UBSan'
one build-asan build_kind asan
[ ! -f build-asan/build.ninja ] || count unit-asan build-asan --suite unit --timeout-multiplier 4

stage 'clang, and every fuzzer for a few seconds'
one build-clang build_kind clang
one build-fuzz build_kind fuzz
one fuzz env WEFT_FUZZ_SECONDS="${WEFT_FUZZ_SECONDS:-8}" sh tests/fuzz/run.sh build-fuzz

stage 'arm64: cross build, unit tests under qemu-user'
one build-arm64 build_arm64
[ ! -f build-arm64/build.ninja ] || WEFT_IO=epoll count unit-arm64 build-arm64 --suite unit --timeout-multiplier 10

stage 'done'
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
