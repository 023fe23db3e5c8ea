#!/bin/sh
# actors.sh: modules in a node, as its user sees them: load, look, send, kill; code that crashes or
# never comes back; files that are no modules.
#
# Environment: WEFT, WEFTD: the built programs; MODULE: misbehave.so; JSON_GET.
set -eu
: "${WEFT:?the built tool}" "${WEFTD:?the built daemon}" "${MODULE:?the module}" "${JSON_GET:?}"
dir=$(mktemp -d)
pid=
clean() {
    [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$dir"
}
trap clean EXIT INT TERM
fail() {
    echo "FAIL: $*"
    tail -40 "$dir/log"
    exit 1
}
export WEFT_RUN_DIR="$dir/run"
mkdir -m 700 "$WEFT_RUN_DIR"
cat >"$dir/n1.toml" <<TOML
[node]
name = "n1"
data_dir = "$dir/data"
run_dir = "$WEFT_RUN_DIR/n1"
[cores]
workers = ${WORKERS:-2}
pin = "off"
[memory]
arena_per_core = "16MiB"
mbufs = 255
[admin]
listen = ""
[ports.p0]
device = "null"
address = "10.77.1.1/24"
[[actor]]
name = "configured"
file = "misbehave.so"
args = ["echo"]
[[actor]]
name = "missing"
file = "missing.so"
TOML
cp "$MODULE" "$dir/misbehave.so"

start() {
    rm -f "$dir/ready"
    mkfifo "$dir/ready"
    "$WEFTD" --config "$dir/n1.toml" --ready-fd 9 9>"$dir/ready" 2>>"$dir/log" &
    pid=$!
    [ "$(timeout 20 cat "$dir/ready")" = ready ] || fail 'the node was not ready in 20 s'
}
load() { # NAME ARG…
    name=$1
    shift
    "$WEFT" actor load n1 "$dir/misbehave.so" --name "$name" -- "$@" 2>"$dir/out" || fail "load $name: $(cat "$dir/out")"
}
# until WHAT COMMAND…: runs it until it succeeds.
until_true() {
    what=$1
    shift
    for _ in $(seq 100); do
        "$@" >"$dir/out" 2>&1 && return 0
        sleep 0.1
    done
    fail "$what: $(cat "$dir/out")"
}
has_event() { "$WEFT" events n1 | grep -q "$1.*$2"; }
has_log() { "$WEFT" logs n1 --actor "$1" | grep -q "$2"; }
gone() { ! "$WEFT" actor show "n1/$1"; }
refused() { # STATUS WORDS COMMAND…
    wanted=$1 words=$2
    shift 2
    status=0
    "$@" >"$dir/out" 2>&1 || status=$?
    [ "$status" = "$wanted" ] || fail "$*: exit $status, not $wanted: $(cat "$dir/out")"
    grep -qF -- "$words" "$dir/out" || fail "$* does not say '$words': $(cat "$dir/out")"
    echo "ok: refused: $(head -1 "$dir/out")"
}

start
# 1. What the configuration starts, and says where it cannot.
"$WEFT" actor ls n1 | grep -q configured || fail 'the configured actor does not run'
has_event actor.failed missing || fail 'nobody was told of the missing module'
echo 'ok: the configuration loads modules'

# 2. Load, look, send, call, log, kill.
load echo
[ "$("$WEFT" actor send n1/echo hello --call --type 3)" = hello ] || fail 'no echo'
"$WEFT" actor send n1/echo 'by the way' || fail 'no send'
"$WEFT" actor send n1/echo 00ff --hex --call -o json >"$dir/reply" || fail 'no call of bytes'
[ "$("$JSON_GET" hex <"$dir/reply")" = 00ff ] || fail "bytes do not come back: $(cat "$dir/reply")"
until_true 'the log' has_log echo 'by the way'
"$WEFT" actor show n1/echo >"$dir/out"
grep -q 'state *parked' "$dir/out" || fail "it does not wait: $(cat "$dir/out")"
# In its receive, which has no frame of its own where it switches at once.
grep -qE '(stands in *|called by )echo \(misbehave.so\)' "$dir/out" || fail "it does not say where: $(cat "$dir/out")"
"$WEFT" actor tree n1 | grep -q 'echo (misbehave.so)' || fail 'it is not in the tree'
pidtext=$("$WEFT" actor ls n1 -o jsonl --like echo | "$JSON_GET" pid)
"$WEFT" actor show "n1/$pidtext" | grep -q echo || fail 'a pid does not find it'
refused 1 W0803 "$WEFT" actor load n1 "$dir/misbehave.so" --name echo
"$WEFT" actor kill n1/echo 2>"$dir/out" || fail "no kill: $(cat "$dir/out")"
until_true 'killed' gone echo
refused 1 W0801 "$WEFT" actor send n1/echo hello
refused 1 W0804 "$WEFT" actor kill "n1/$("$WEFT" actor ls n1 --all -o jsonl --like journal | "$JSON_GET" pid)"
refused 1 W0804 "$WEFT" actor send "n1/$("$WEFT" actor ls n1 --all -o jsonl --like journal | "$JSON_GET" pid)" x --call
echo 'ok: load, show, tree, send, call, logs, kill'

# 3. Crashes end the actor and nothing else, and name the function.
for what in null trap overflow abort; do
    load "$what" "$what"
    until_true "$what" has_event actor.crashed "$what"
    until_true "$what" has_log "$what" 'misbehave.so'
    until_true "$what" gone "$what"
done
has_log null 'crashed: SIGSEGV at 0, in misbehave' || fail "$("$WEFT" logs n1 --actor null)"
has_log abort 'aborted, in misbehave' || fail "$("$WEFT" logs n1 --actor abort)"
has_log overflow 'ran out of stack, in go_deeper' || fail "$("$WEFT" logs n1 --actor overflow)"
kill -0 "$pid" || fail 'the node has ended'
echo 'ok: crashes are contained and told'

# 4. One that never comes back is reported, and can be ended.
load loop loop
until_true loop has_event actor.stuck loop
is_told() { ! "$WEFT" actor show n1/loop >"$dir/held" 2>&1 && grep -q 'W0505.*loop (0x.*) has been running on core .* ms, in' "$dir/held"; }
until_true 'who holds its core is told of' is_told
"$WEFT" actor kill n1/loop 2>"$dir/out" || fail "no kill of a loop: $(cat "$dir/out")"
until_true 'the loop ends' gone loop
echo 'ok: an endless loop is reported and killed'

# Traces: of a module's actor as it happens, from the moment that it is followed; of the cores.
load watched echo
"$WEFT" actor trace n1/watched --timeout 10s >"$dir/trace" 2>"$dir/trace.err" &
tracer=$!
until_true 'the trace begins' grep -q 'tracing n1/watched' "$dir/trace.err"
[ "$("$WEFT" actor send n1/watched hello --call --type 3)" = hello ] || fail 'no echo while traced'
"$WEFT" actor send n1/watched 'by the way' --type 4 || fail 'no send while traced'
"$WEFT" actor kill n1/watched 2>/dev/null || fail 'no kill while traced'
wait "$tracer" || fail "the trace of one that ends: $(cat "$dir/trace.err")"
for line in 'receive *call type 3, 5 bytes from ' 'send *reply type 3, 5 bytes to ' \
    'receive *user type 4, 10 bytes from ' 'exit *reason [0-9]* (killed)'; do
    grep -q "  c[12]  $line" "$dir/trace" || fail "no '$line' in the trace: $(cat "$dir/trace")"
done
[ "$(wc -l <"$dir/trace")" = 4 ] || fail "the trace: $(cat "$dir/trace")"
load watched echo
"$WEFT" actor trace n1/watched --count 2 -o json >"$dir/trace" 2>"$dir/trace.err" &
tracer=$!
until_true 'the trace begins' grep -q '"event": *"begin"' "$dir/trace"
"$WEFT" actor send n1/watched hello --call >/dev/null || fail 'no echo while traced'
wait "$tracer" || fail "a trace with --count: $(cat "$dir/trace.err")"
[ "$(sed -n 2p "$dir/trace" | "$JSON_GET" event)" = receive ] || fail "as JSON: $(cat "$dir/trace")"
[ "$(sed -n 3p "$dir/trace" | "$JSON_GET" tag)" = reply ] || fail "as JSON: $(cat "$dir/trace")"
"$WEFT" actor trace n1/watched --for 100ms >"$dir/trace" 2>/dev/null || fail 'a trace with --for'
refused 1 W0801 "$WEFT" actor trace n1/nobody
refused 64 'number of events' "$WEFT" actor trace n1/watched --count 0
"$WEFT" core trace n1 --actor watched >"$dir/out" || fail 'no flight recorder'
grep -q 'spawn *by ' "$dir/out" || fail "no birth in the flight recorder: $(cat "$dir/out")"
"$WEFT" core trace n1 --limit 10000 | grep -q 'crash *signal 11' || fail 'no crash in the flight recorder'
"$WEFT" core trace n1 --limit 10000 | grep -q 'stuck *for [0-9]* ms' || fail 'no stuck core in it'
[ "$("$WEFT" core trace n1 --limit 3 -o jsonl | wc -l)" = 3 ] || fail 'the limit does not hold'
"$WEFT" actor kill n1/watched 2>/dev/null || fail 'no kill'
echo 'ok: traces'

# 5. Files that are no modules, and a name that is a unit's.
echo 'no module' >"$dir/text.so"
refused 65 'is no ELF file' "$WEFT" actor load n1 "$dir/text.so"
refused 65 'is no module of Weft' "$WEFT" actor load n1 "$WEFT" --name weft
head -c 5000 "$dir/misbehave.so" >"$dir/cut.so"
refused 65 W0802 "$WEFT" actor load n1 "$dir/cut.so"
refused 65 'No such file' "$WEFT" actor load n1 "$dir/none.so"
printf ': hi 1 . ;\n' | "$WEFT" unit load n1 - --name taken 2>/dev/null
refused 1 W0803 "$WEFT" actor load n1 "$dir/misbehave.so" --name taken
refused 1 W0804 "$WEFT" actor kill n1/taken
grep -q 'weft unit kill' "$dir/out" || fail "it does not say what ends a unit: $(cat "$dir/out")"
refused 124 W0505 "$WEFT" actor send n1/taken 'it does not reply' --call --timeout 1s
refused 1 W0403 "$WEFT" unit load n1 "$dir/text.so" --name configured

# 6. The file may change under those that run it.
load first
cp "$dir/text.so" "$dir/misbehave.so"
[ "$("$WEFT" actor send n1/first still --call)" = still ] || fail 'it does not survive its file'
echo 'ok: a module is its copy'

# 7. A node stops although an actor does not.
cp "$MODULE" "$dir/misbehave.so"
load loop loop
until_true loop has_event actor.stuck loop
kill -TERM "$pid"
status=0
wait "$pid" || status=$?
pid=
[ "$status" = 0 ] || fail "it ended with $status"
[ ! -e "$WEFT_RUN_DIR/n1/modules" ] || fail 'copies are left'
echo 'ok: it stops with an actor in an endless loop'

# 8. What cannot be contained leaves a report, and the next start tells of it.
start
load bystander
"$WEFT" actor load n1 "$dir/misbehave.so" --name poison -- poison >"$dir/out" 2>&1 || true
status=0
wait "$pid" || status=$?
pid=
[ "$status" -gt 128 ] || fail "it ended with $status"
ls "$dir/data"/crash-*.new >/dev/null || fail 'no report is left'
grep -q 'signal 11' "$dir/data"/crash-*.new || fail 'the report does not say why'
grep -q ' bystander mailbox 0' "$dir/data"/crash-*.new || fail 'the report does not list the actors'
grep -q ' echo (misbehave.so)' "$dir/data"/crash-*.new || fail 'the report does not name the functions'
grep -q ' us spawn 0x' "$dir/data"/crash-*.new || fail 'the report does not say what the cores did'
start
until_true 'told' sh -c "grep -q 'the process before this one crashed' '$dir/log'"
ls "$dir/data"/crash-*.txt >/dev/null || fail 'the report has gone'
echo 'ok: a report is left and told of'
