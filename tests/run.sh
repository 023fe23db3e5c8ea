# run.sh: sourced by `./do test`. Every stage prints what it did; the last line adds it all up.
#
# A stage that this machine cannot run is skipped by name and says why. WEFT_TEST_STAGES="check unit"
# runs some of the stages only, in this order:
#   check unit io proof sim system asan tsan clang fuzz arm64 image
# shellcheck shell=sh

passed=0
failed=0
skipped=0
stages=${WEFT_TEST_STAGES:-check unit io proof sim system asan tsan clang fuzz arm64 image}
results=$build/test-results
rm -rf "$results"
mkdir -p "$results"
started=$(date +%s)

# stage NAME TEXT: prints the heading. 1 when the stage is not wanted.
stage() {
    case " $stages " in *" $1 "*) ;; *) return 1 ;; esac
    printf '\n== %s: %s (after %s s)\n' "$1" "$2" "$(($(date +%s) - started))"
}

# number FILE NAME: the figure after `NAME:` in meson's summary, else 0.
number() {
    figure=$(sed -n "s/^$2: *\([0-9][0-9]*\).*/\1/p" "$1" | tail -1)
    echo "${figure:-0}"
}

# What TSan looks at: that which several threads touch.
tests_tsan='sched/core sched/quiesce sched/ring sched/thread sched/wheel actor/actor actor/call actor/monitor
actor/move actor/mute actor/registry actor/runtime actor/stress actor/threads otp/threads port/runtime port/tcp
table/owner table/threads base/log admin/ring'

# count LABEL DIR MESON-ARGUMENT…: builds and runs a set of meson tests and adds up what meson says.
count() {
    label=$1
    dir=$2
    shift 2
    log=$results/$label.out
    text=$dir/meson-logs/$label.txt
    rm -f "$text"
    meson test -C "$dir" --logbase "$label" "$@" >"$log" 2>&1 || true
    ok=$(($(number "$log" Ok) + $(number "$log" 'Expected Fail')))
    bad=$(($(number "$log" Fail) + $(number "$log" Timeout) + $(number "$log" 'Unexpected Pass')))
    skip=$(number "$log" Skipped)
    if [ $((ok + bad + skip)) = 0 ]; then
        tail -20 "$log"
        bad=1
    fi
    passed=$((passed + ok))
    failed=$((failed + bad))
    skipped=$((skipped + skip))
    echo "$label: $ok passed, $bad failed, $skip skipped"
    grep -E ' (SKIP|FAIL|TIMEOUT|ERROR) ' "$log" | sed 's/^ *[0-9/]* */    /' || true
    [ -f "$text" ] || return 0
    # One test says on its own why it, or a part of it, does not run here.
    awk '/^test: / { name = $NF } /(^|\] *)(SKIP|skipped): / { sub(/.*(SKIP|skipped): /, ""); print "    " name ": skipped: " $0 }
         /^\[  SKIPPED \] .*_/ { print "    " name ": a part is skipped: " $NF }' "$text" | sort -u
    [ "$bad" = 0 ] || sed -n '/^result: *exit status 77/d; /^result: *\(exit status [1-9]\|killed\)/,/^=\{20,\}/p' "$text" | head -200
}

# one LABEL COMMAND…: a single check that passes, fails, or is skipped with exit status 77.
one() {
    label=$1
    shift
    status=0
    ("$@") >"$results/$label.out" 2>&1 || status=$?
    case $status in
    0) passed=$((passed + 1)); echo "$label: passed" ;;
    77) skipped=$((skipped + 1)); echo "$label: skipped: $(sed -n 's/.*SKIP: //p' "$results/$label.out" | tail -1)" ;;
    *) failed=$((failed + 1)); tail -60 "$results/$label.out"; echo "$label: FAILED (exit $status)" ;;
    esac
    return 0
}

# The standard's suites in units that go to an ARM64 process and back after every few reductions.
relay_arm64() {
    arm64_sysroot
    exec timeout 60 "$build/tests/forth/forth_suite" --mode relay \
        --peer "qemu-aarch64-static -L '$sysroot' build-arm64/tests/forth/forth_suite --serve"
}

if stage check 'layout, layers, generated files'; then
    one check sh tests/check.sh "$build"
fi

if stage unit 'unit and property tests, gcc'; then
    count unit "$build" --suite unit
    count property "$build" --suite property --timeout-multiplier 4
fi

if stage io 'the same where io_uring is refused (WEFT_IO=epoll)'; then
    export WEFT_IO=epoll
    count io-epoll "$build" --suite unit dataplane/uring_disk dataplane/uring_crash dataplane/uring_sleeper
    unset WEFT_IO
fi

if stage proof 'models: every order of events, and seeded runs of the actors'; then
    count proof "$build" --suite proof
fi

if stage sim 'the simulator: fixed seeds, each twice'; then
    one sim-seeds sh tests/sim/seeds.sh "$build/tests/sim/weft-sim"
fi

if stage system 'system tests: devices, processes, the whole lab'; then
    count system "$build" --suite system --num-processes 1
fi

if stage asan 'gcc with ASan and UBSan'; then
    one build-asan build_kind asan
    [ ! -f build-asan/build.ninja ] || count unit-asan build-asan --suite unit --timeout-multiplier 4
fi

if stage tsan 'gcc with TSan: what several threads share'; then
    one configure-tsan configure_tsan
    # TSan lays out memory by itself, and gives up where the kernel shuffles more than it expects.
    wrap=
    if setarch -R true 2>/dev/null; then wrap='setarch -R'; fi
    # shellcheck disable=SC2086
    [ ! -f build-tsan/build.ninja ] || count unit-tsan build-tsan --timeout-multiplier 4 \
        ${wrap:+--wrapper "$wrap"} $tests_tsan
fi

if stage clang 'clang, without sanitizers'; then
    one build-clang build_kind clang
    [ ! -f build-clang/build.ninja ] || count unit-clang build-clang --suite unit
fi

if stage fuzz 'each fuzzer for a few seconds'; then
    one build-fuzz build_kind fuzz
    for fuzzer in build-fuzz/tests/fuzz/*_fuzz; do
        [ -x "$fuzzer" ] || continue
        name=$(basename "$fuzzer" _fuzz)
        one "fuzz-$name" env WEFT_FUZZ_SECONDS="${WEFT_FUZZ_SECONDS:-8}" sh tests/fuzz/run.sh build-fuzz "$name"
    done
fi

if stage arm64 'cross build, unit tests under qemu-user'; then
    one build-arm64 build_arm64
    # qemu-user runs no io_uring; what needs packet sockets or namespaces skips by itself, and says so.
    export WEFT_IO=epoll
    [ ! -x build-arm64/runtime/tool/weft ] || count unit-arm64 build-arm64 --suite unit --timeout-multiplier 10
    unset WEFT_IO
    [ ! -x build-arm64/tests/forth/forth_suite ] || one forth-relay relay_arm64
fi

if stage image 'the flashable image, in emulated machines'; then
    # Tools that cannot be installed, an archive that cannot be reached: skipped, and said.
    image_status=0
    (ready_image) >"$results/image-build.out" 2>&1 || image_status=$?
    if [ $image_status = 0 ]; then
        export WEFT_TOOL="$root/$build/runtime/tool/weft"
        for name in $(sh tests/image/run.sh --names); do
            one "image-$name" sh "tests/image/$name.sh"
            tail -n 3 "$results/image-$name.out" | sed -n 's/^/    /p'
        done
    elif grep -q 'could not install\|could not be fetched\|no package lists\|there is no apt' "$results/image-build.out"; then
        skipped=$((skipped + 1))
        echo "image: skipped: $(grep 'could not install\|could not be fetched\|no package lists\|there is no apt' "$results/image-build.out" | tail -1)"
    else
        failed=$((failed + 1))
        tail -40 "$results/image-build.out"
        echo 'image: FAILED (it could not be built)'
    fi
fi

printf '\n(after %s s)\n' "$(($(date +%s) - started))"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
