#!/bin/sh
# no_kernel_path.sh: on a vhost link weftd moves packets without the kernel: it holds no UDP socket, and
# its workers make no packet system call while datagrams are answered.
#
# Environment: WEFT, the tool. Exit 77 with SKIP where strace is refused.
set -eu
: "${WEFT:?the built tool}"
skip() { echo "SKIP: $*"; exit 77; }
fail() { echo "FAIL: $*"; exit 1; }

command -v strace >/dev/null 2>&1 || skip 'strace is not installed'
strace -o /dev/null true 2>/dev/null || skip 'the kernel refuses ptrace'

dir=$(mktemp -d)
export WEFT_RUN_DIR="$dir/run"
lab=
clean() {
    [ -z "$lab" ] || kill -INT "$lab" 2>/dev/null || true
    [ -z "$lab" ] || wait "$lab" 2>/dev/null || true
    rm -rf "$dir"
}
trap clean EXIT INT TERM

mkfifo "$dir/out"
"$WEFT" lab up --link vhost --no-live >"$dir/out" 2>"$dir/err" &
lab=$!
# The table of nodes is printed when all are ready.
timeout 30 sed '/^try, in/q' <"$dir/out" >"$dir/table" || fail "the lab did not come up: $(cat "$dir/err")"
exec 3<"$dir/out" # Keeps the pipe open for the rest of what the lab says.

answer=$("$WEFT" lab udp 10.77.0.11 4200 '21 2 * .')
[ "$answer" = 42 ] || fail "the node answered '$answer'"
pid=$("$WEFT" node show n1 -o json | sed -n 's/.*"process_id": *\([0-9]*\).*/\1/p' | head -1)
[ -n "$pid" ] || fail 'no process id of n1'

# 1. Every socket of the process, looked up in the kernel's table of UDP and packet sockets.
inodes=$(cat "/proc/$pid/net/udp" "/proc/$pid/net/udp6" "/proc/$pid/net/packet" 2>/dev/null | awk '{print $10 " " $9}')
for fd in "/proc/$pid/fd/"*; do
    inode=$(readlink "$fd" 2>/dev/null | sed -n 's/^socket:\[\([0-9]*\)\]$/\1/p')
    [ -n "$inode" ] || continue
    case " $(echo "$inodes" | tr '\n' ' ') " in *" $inode "*) fail "descriptor ${fd##*/} is a UDP or packet socket" ;; esac
done

# 2. What the worker's thread calls while 20 datagrams are answered.
worker=$(grep -l '^weft/1$' "/proc/$pid/task/"*/comm | cut -d/ -f5)
[ -n "$worker" ] || fail "no thread weft/1 in process $pid"
strace -o "$dir/trace" -p "$worker" 2>"$dir/strace" &
tracer=$!
timeout 10 sh -c "until grep -q attached '$dir/strace'; do :; done" || skip 'strace cannot attach'
for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    answer=$("$WEFT" lab udp 10.77.0.11 4200 "$n 1 + .")
    [ "$answer" = "$((n + 1))" ] || fail "asked for $n + 1, got '$answer'"
done
kill -INT "$tracer" 2>/dev/null || true
wait "$tracer" 2>/dev/null || true
calls=$(sed -n 's/^\([a-z_0-9]*\)(.*/\1/p' "$dir/trace" | sort | uniq -c | sort -rn)
echo "system calls of the worker while 20 datagrams were answered:"
echo "$calls"
if echo "$calls" | grep -qE ' (send|sendto|sendmsg|sendmmsg|recv|recvfrom|recvmsg|recvmmsg|read|write|readv|writev|poll|ppoll)$'; then
    fail 'a packet system call'
fi
echo 'no kernel UDP socket, no packet system call'
