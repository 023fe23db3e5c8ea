#!/bin/sh
# What a user may do wrong: a second lab, a port in use, a bad place, a node that is not there.
set -eu
. "$(dirname "$0")/lab.sh"
as user
link=veth
$prefix unshare -Urnm true 2>/dev/null || link=vhost

note "a TCP port in use: the lab takes the next one, and says so"
if command -v nc >/dev/null; then
    nc -l 127.0.0.1 9338 >/dev/null 2>&1 &
    holder=$!
    await 5 sh -c "ss -ltnH 'sport = :9338' 2>/dev/null | grep -q . || grep -q ':247A ' /proc/net/tcp"
fi
start_lab --link "$link"
grep -q 'TCP port 9338 is in use: n1 answers on' "$work/up.out" || fail "it did not say that a port is in use"
[ -z "${holder-}" ] || kill "$holder" 2>/dev/null || :

note "a second lab"
expect_exit 1 "error[W0601]" weft lab up
expect_exit 1 "process $lab_pid" weft lab up
expect "ready" weft lab ls # It did no harm to the first.

note "nodes and words that do not exist"
expect_exit 1 "no node n9" weft lab stop n9
expect_exit 1 "no node n9" weft lab exec n9 -- true
expect_exit 65 "no fault" weft lab fault melt n1 1%
expect_exit 65 "how often" weft lab fault loss n1 150%
expect_exit 64 "which node" weft lab fault kill
expect_exit 64 "links are veth and vhost" weft lab up --link carrier-pigeon
expect_exit 64 "1 to 16" weft lab up --nodes 17
expect_exit 64 "" weft lab exec
weft lab down >/dev/null

note "without a lab"
expect_exit 69 "no lab runs" weft lab ls
expect_exit 69 "no lab runs" weft lab exec -- true
expect_exit 69 "no lab runs" weft lab fault kill n1
expect_exit 69 "no lab runs" weft lab udp 10.77.0.11 4200 x
expect "nothing left" weft lab down

note "a run directory that others may enter"
$prefix mkdir "$run"
chmod 755 "$run"
expect_exit 77 "open to other users" weft lab up
rmdir "$run"

note "a node that cannot start: its log is shown, and nothing stays"
printf '#!/bin/sh\necho "this weftd is ill" >&2\nexit 78\n' >"$work/bin/ill"
chmod 755 "$work/bin/ill"
mv "$work/bin/weftd" "$work/bin/weftd.well"
mv "$work/bin/ill" "$work/bin/weftd"
expect_exit 69 "this weftd is ill" weft lab up --link "$link"
expect_exit 69 "error[W0604]" weft lab up --link "$link"
nothing_left
rm "$work/bin/weftd"
expect_exit 69 "weftd" weft lab up --link "$link"
mv "$work/bin/weftd.well" "$work/bin/weftd"
nothing_left

note "refused namespaces: one line, and the switch instead"
if [ "$link" = veth ]; then
    cat >"$work/bin/refused" <<'TXT'
#!/bin/sh
echo 0 >/proc/sys/user/max_net_namespaces && exec "$@"
TXT
    chmod 755 "$work/bin/refused"
    output=$(timeout 120 $prefix unshare -Ur "$work/bin/refused" env -u WEFT_SELF -u WEFTD -u WEFT_SWITCH WEFT_RUN_DIR="$run" WEFT_SHARE_DIR="$work/share" \
        "$work/bin/weft" lab up --smoke 2>&1) || { echo "$output"; fail "no fallback to vhost"; }
    case $output in *"no namespaces here"*"--link vhost"*) ;; *) fail "it did not say why: $output" ;; esac
    output=$(timeout 120 $prefix unshare -Ur "$work/bin/refused" env -u WEFT_SELF -u WEFTD -u WEFT_SWITCH WEFT_RUN_DIR="$run" WEFT_SHARE_DIR="$work/share" \
        "$work/bin/weft" lab up --smoke --link veth 2>&1) && fail "veth without namespaces"
    case $output in *W0603*) ;; *) fail "not W0603: $output" ;; esac
fi
nothing_left
echo done
