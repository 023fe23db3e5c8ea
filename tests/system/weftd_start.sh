#!/bin/sh
# weftd_start.sh: what weftd says and does when it cannot start, and when it starts again: each a clear
# message with its code, an exit status, and nobody else disturbed.
#
# Environment: WEFT, WEFTD: the built programs.
set -eu
: "${WEFT:?the built tool}" "${WEFTD:?the built daemon}"
dir=$(mktemp -d)
pids=
clean() {
    for pid in $pids; do kill -KILL "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$dir"
}
trap clean EXIT INT TERM
fail() { echo "FAIL: $*"; exit 1; }

# config NAME [LINES…]: a node on a ring port; `run_dir` is where the tool looks for it.
export WEFT_RUN_DIR="$dir/run"
mkdir -m 700 "$WEFT_RUN_DIR"
config() {
    name=$1
    shift
    cat >"$dir/$name.toml" <<TOML
[node]
name = "$name"
data_dir = "$dir/$name.data"
run_dir = "$WEFT_RUN_DIR/$name"
[memory]
arena_per_core = "8MiB"
mbufs = 255
[admin]
listen = ""
TOML
    for line in "$@"; do echo "$line" >>"$dir/$name.toml"; done
    grep -q '^\[ports' "$dir/$name.toml" || printf '[ports.p0]\ndevice = "ring:%s"\naddress = "10.77.1.1/24"\n' "$name" >>"$dir/$name.toml"
}

# start NAME: returns when the node is ready; its pid is in $pid.
start() {
    mkfifo "$dir/ready.$1"
    "$WEFTD" --config "$dir/$1.toml" --ready-fd 9 9>"$dir/ready.$1" 2>"$dir/$1.log" &
    pid=$!
    pids="$pids $pid"
    word=$(timeout 20 cat "$dir/ready.$1") || fail "$1 was not ready in 20 s: $(cat "$dir/$1.log")"
    rm "$dir/ready.$1"
    [ "$word" = ready ] || fail "$1 ended before it was ready: $(cat "$dir/$1.log")"
}

# refused NAME STATUS WORDS…: it must not start, exit with STATUS, and say each of WORDS.
refused() {
    name=$1
    wanted=$2
    shift 2
    status=0
    timeout 20 "$WEFTD" --config "$dir/$name.toml" 2>"$dir/$name.log" || status=$?
    [ "$status" = "$wanted" ] || fail "$name: exit $status, not $wanted: $(cat "$dir/$name.log")"
    for word in "$@"; do
        grep -qF -- "$word" "$dir/$name.log" || fail "$name does not say '$word': $(cat "$dir/$name.log")"
    done
    echo "ok: $name is refused: $(grep -m1 error "$dir/$name.log")"
}

# 1. A configuration with several errors names them all at once.
config bad 'colour = "blue"' '[mesh]' 'gosip_k = 4' 'port = 70000' '[cores]' 'workers = "many"'
refused bad 78 'bad.toml:' 'did you mean' 'W0101' 'W0103' 'W0104'

# 2. Devices that are not there.
config noif '[ports.p0]' 'device = "af_packet:no-such-if"' 'address = "10.77.1.1/24"'
refused noif 70 W0202 no-such-if hint
config noaddr '[ports.p0]' 'device = "null"'
refused noaddr 78 W0105 p0 hint
if [ "$(awk '/HugePages_Free/ {print $2}' /proc/meminfo)" = 0 ]; then
    config huge 'huge_pages = "require"'
    sed -i '/^huge_pages/d; s/^\[memory\]$/[memory]\nhuge_pages = "require"/' "$dir/huge.toml"
    refused huge 70 W0203 hugepages
fi

# 3. A key that others may read.
config key '[mesh]' "key_file = \"$dir/key\""
"$WEFT" mesh keygen "$dir/key" >/dev/null
chmod 644 "$dir/key"
refused key 78 W0301 "$dir/key"
! grep -qF "$(cat "$dir/key")" "$dir/key.log" || fail 'the log holds the key'

# 4. Pinned to a CPU of its own; a second one is told who has it.
cpu=$(awk '/Cpus_allowed_list/ {split($2, a, /[,-]/); print a[1]}' /proc/self/status)
config one '[cores]' "pin = [$cpu]"
start one
one=$pid
grep -l '^weft/1$' "/proc/$one/task/"*/comm >"$dir/worker"
task=$(dirname "$(cat "$dir/worker")")
allowed=$(awk '/Cpus_allowed_list/ {print $2}' "$task/status")
[ "$allowed" = "$cpu" ] || fail "the worker may run on CPUs $allowed, not on $cpu alone"
"$WEFT" core ls one -o json | grep -q "\"cpu\": *$cpu" || fail 'core ls does not show the CPU'
config two '[cores]' "pin = [$cpu]"
refused two 78 W0106 "CPU $cpu"
echo "ok: the worker is pinned to CPU $cpu, and a second one is refused"

# 5. A data directory has one owner.
config same
sed -i "s#^data_dir.*#data_dir = \"$dir/one.data\"#" "$dir/same.toml"
refused same 70 W0701 'another weftd'

# 6. A killed node starts again over its stale socket, with its units as they were acknowledged.
again() {
    printf '0 value total  : add ( n -- ) total + to total ;' | "$WEFT" unit load one - --name counter >/dev/null
    [ "$("$WEFT" unit eval one/counter '5 add 2 add total .')" = '7 ' ] || fail 'the counter does not count'
    kill -KILL "$one"
    wait "$one" 2>/dev/null || true
    [ -S "$WEFT_RUN_DIR/one/admin.sock" ] || fail 'the stale socket is not there'
    start one
    one=$pid
    [ "$("$WEFT" unit eval one/counter 'total .')" = '7 ' ] || fail 'what was acknowledged is gone'
    [ "$("$WEFT" unit eval one/counter '1 add total .')" = '8 ' ] || fail 'the restored counter does not count'
    "$WEFT" unit unload one/counter >/dev/null
    kill -TERM "$one"
    wait "$one" || fail "SIGTERM: exit $?"
    start one
    one=$pid
    "$WEFT" unit ls one -o json | grep -q counter && fail 'an unloaded unit came back'
    return 0
}
again
echo "ok: killed and started again, by $("$WEFT" node show one -o json | sed -n 's/.*"io": *"\([a-z]*\)".*/\1/p')"
kill -TERM "$one"
wait "$one" || fail "SIGTERM: exit $?"

# 7. The same without io_uring.
export WEFT_IO=epoll
start one
one=$pid
"$WEFT" node show one -o json | grep -q '"io": *"epoll"' || fail 'WEFT_IO=epoll is not obeyed'
again
kill -TERM "$one"
wait "$one" || fail "SIGTERM: exit $?"
echo 'ok: the same by epoll and a disk thread'

left=$(find "$WEFT_RUN_DIR" -name '*.sock')
[ -z "$left" ] || fail "sockets are left: $left"
