#!/bin/sh
# run_test.sh RUN.SH: what runs the tests of the image counts what passes, fails, is skipped, and hangs. One that hangs
# is ended, with the machine that it has started, and the next one is run.
set -eu
work=$(mktemp -d)
machine=
trap '[ -z "$machine" ] || kill "$machine" 2>/dev/null || true; rm -rf "$work"' EXIT
fail() { echo "run_test: $*" >&2; cat "$work/out" >&2; exit 1; }

mkdir "$work/tests" "$work/tmp"
cp "$1" "$work/tests/run.sh"
echo 'exit 0' >"$work/tests/good.sh"
echo 'exit 0' >"$work/tests/second.sh"
echo 'exit 3' >"$work/tests/bad.sh"
echo 'exit 77' >"$work/tests/absent.sh"
echo 'kill -9 $$' >"$work/tests/killed.sh"
# As QEMU does it: in a session of its own, its number in a file. It does not mind that its test is told to end.
cat >"$work/tests/hangs.sh" <<'END'
mkdir "$TMPDIR/machine"
: >"$TMPDIR/machine/log"
setsid tail -f "$TMPDIR/machine/log" >/dev/null 2>&1 &
echo $! >"$TMPDIR/machine/pid"
cp "$TMPDIR/machine/pid" "$PLACE"
sleep 1000
END
status=0
PLACE=$work/pid TMPDIR=$work/tmp WEFT_IMAGE_LIMIT=4 sh "$work/tests/run.sh" good hangs bad absent killed good second >"$work/out" 2>&1 || status=$?
machine=$(cat "$work/pid")
[ "$status" = 1 ] || fail "its exit status is $status"
for line in 'image/good: passed' 'image/hangs: FAILED (.* s; it was ended: 4 s ' 'image/bad: FAILED (' 'image/absent: skipped' \
    'image/killed: FAILED ([0-9]* s)' 'image: 2 passed, 3 failed, 1 skipped, in [0-9]* s; failed: hangs bad killed$'; do
    grep -q "^$line" "$work/out" || fail "it does not say: $line"
done
[ -z "$(tr -d '\0' 2>/dev/null <"/proc/$machine/cmdline" || true)" ] || fail 'the machine of the one that hung still runs'
machine=
[ -z "$(ls -A "$work/tmp")" ] || fail "something is left: $(ls -A "$work/tmp")"
WEFT_IMAGE_LIMIT=30 TMPDIR=$work/tmp sh "$work/tests/run.sh" good absent >"$work/out" 2>&1 || fail 'one that is skipped is no failure'

# Several at a time: the quick ones have ended before the slow one, and what it says stands before its verdict.
echo 'echo slowly; sleep 1' >"$work/tests/slow.sh"
status=0
WEFT_IMAGE_LIMIT=30 TMPDIR=$work/tmp sh "$work/tests/run.sh" --jobs 3 slow good bad absent good2 >"$work/out" 2>&1 || status=$?
[ "$status" = 64 ] || fail "a test that is not there: $status"
status=0
WEFT_IMAGE_LIMIT=30 TMPDIR=$work/tmp sh "$work/tests/run.sh" --jobs 3 slow good bad absent >"$work/out" 2>&1 || status=$?
[ "$status" = 1 ] || fail "several at a time: $status"
grep -q '^image: 2 passed, 1 failed, 1 skipped, in [0-9]* s; failed: bad$' "$work/out" || fail 'several at a time are counted otherwise'
[ "$(sed -n '/^slowly$/{n;p;}' "$work/out" | cut -d' ' -f1,2)" = 'image/slow: passed' ] || fail 'what it says does not stand before its verdict'
[ -z "$(ls -A "$work/tmp")" ] || fail "something is left: $(ls -A "$work/tmp")"

# Told to end: so are those that run.
cat >"$work/tests/long.sh" <<'END'
echo $$ >"$PLACE"
sleep 1000
END
PLACE=$work/long TMPDIR=$work/tmp sh "$work/tests/run.sh" --jobs 2 long good >"$work/out" 2>&1 &
runner=$!
until [ -s "$work/long" ]; do sleep 0.05; done
kill -TERM $runner
status=0
wait $runner || status=$?
[ "$status" = 130 ] || fail "told to end: $status"
[ -z "$(tr -d '\0' 2>/dev/null <"/proc/$(cat "$work/long")/cmdline" || true)" ] || fail 'a test runs on'
[ -z "$(ls -A "$work/tmp")" ] || fail "something is left: $(ls -A "$work/tmp")"
