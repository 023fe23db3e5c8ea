#!/bin/sh
# Everything that a user can do while a lab runs, as typed: each command, its table and its JSON.
set -eu
. "$(dirname "$0")/lab.sh"
as "$1"
need_namespaces
start_lab

# json PATH... -- COMMAND...: the value at PATH of what COMMAND -o json prints.
json() {
    path=
    while [ "$1" != -- ]; do path="$path $1"; shift; done
    shift
    weft "$@" -o json >"$work/json" || fail "exit $?: weft $* -o json"
    # shellcheck disable=SC2086
    "$json_get" $path <"$work/json" || fail "weft $* -o json has no $path: $(cat "$work/json")"
}
is() { [ "$1" = "$2" ] || fail "'$1' is not '$2'${3+: $3}"; }
at_least() { [ "$1" -ge "$2" ] || fail "$1 is less than $2${3+: $3}"; }
trimmed() { tr -d ' \r\n'; }

note "what the nodes are"
meet() { weft swarm status -o json | "$json_get" alive | grep -qx 3; }
await 10 meet
expect "3 nodes, 3 alive" weft swarm status
expect "n3" weft swarm status
is "$(json nodes -- swarm status)" 3
expect "joined" weft node show n1
is "$(json name -- node show n1)" n1
is "$(json ready -- node show n1)" true
expect "n2" weft node ls
is "$(json items '#' -- node ls)" 3
expect "worker" weft core ls n1
at_least "$(json items '#' -- core ls n1)" 2
is "$(json items 0 kind -- core ls n1)" control
expect "n3" weft mesh ls n1
is "$(json items '#' -- mesh ls n1)" 2
expect "af_packet" weft port show n1
is "$(json items 0 bypass -- port show n1)" none
is "$(json items 0 address -- port show n1)" 10.77.0.11/24
at_least "$(json items 0 rx_packets -- port show n1)" 1
weft drops n1 >/dev/null || fail "drops n1"
is "$(json balance n1 holds -- drops n1)" true
expect "ready" weft lab ls
is "$(json items 1 address -- lab ls)" 10.77.0.12
is "$(weft lab ls -o jsonl | "$json_get" -l node | tr '\n' ' ')" "n1 n2 n3 "
is "$(weft lab path)" "$run"
is "$(weft lab path n1)" "$run/n1"

note "a unit that remembers"
expect "counter" weft unit load n2 "$examples/counter.fth" --name counter
expect "counter" weft unit ls
expect "udp-calc" weft unit ls n1
is "$(json items 0 name -- unit ls n2)" counter
is "$(weft unit eval n2/counter '5 add total .' | trimmed)" 5
is "$(weft unit eval n2/counter '7 add total .' | trimmed)" 12
expect_exit 65 "nonsense" weft unit eval n2/counter 'nonsense'
is "$(weft unit eval n2/counter 'total .' | trimmed)" 12

note "a session"
printf '2 3 + .\n: sq dup * ;\n7 sq .\n' >"$work/session"
weft repl n1 <"$work/session" >"$work/session.out" 2>&1 || fail "repl: exit $?: $(cat "$work/session.out")"
grep -q 5 "$work/session.out" || fail "repl: $(cat "$work/session.out")"
grep -q 49 "$work/session.out" || fail "repl: $(cat "$work/session.out")"

note "a kernel's UDP client gets 42"
if command -v nc >/dev/null; then
    is "$(printf '21 2 * .' | weft lab exec -- nc -u -W1 -w2 10.77.0.11 4200 | trimmed)" 42
fi
is "$(weft lab udp 10.77.0.11 4200 '21 2 * .' | trimmed)" 42
is "$(weft lab udp 10.77.0.11 4200 ': f 1+ ; 1 f .' | trimmed)" 2
expect "undefined" weft lab udp 10.77.0.11 4200 '1 f .' # Nothing is remembered.
is "$(weft lab udp 10.77.0.11 4200 '6 7 * .' | trimmed)" 42
expect_exit 1 "unreachable" weft lab udp 10.77.0.12 4200 '21 2 * .'
weft_within 20 lab udp 10.77.0.11 4200 'begin again' >"$work/loop" 2>&1 || :
is "$(weft lab udp 10.77.0.11 4200 '6 7 * .' | trimmed)" 42 "after an endless loop"

note "ping, ip and shells inside"
expect " 0% packet loss" weft lab exec -- ping -c 2 -i 0.2 -W 5 10.77.0.12
expect " 0% packet loss" weft lab exec -- ping -c 2 -i 0.2 -W 5 -s 1400 10.77.0.13
expect "eth0" weft lab exec n1 -- ip -o link
expect "10.77.0.1/24" weft lab exec -- ip -o addr
expect_exit 7 "" weft lab exec -- sh -c 'exit 7'
expect_exit 127 "no-such-program" weft lab exec -- no-such-program
got=0
echo 'ip -o link show eth0 && exit 3' | SHELL=/bin/sh weft lab shell n2 >"$work/shell" 2>&1 || got=$?
is "$got" 3 "$(cat "$work/shell")"
grep -q eth0 "$work/shell" || fail "no eth0 in the shell: $(cat "$work/shell")"

note "captures"
if command -v tcpdump >/dev/null; then
    weft lab pcap -w "$work/run/all.pcapng" -c 20 2>/dev/null || fail "pcap: exit $?"
    at_least "$(tcpdump -nr "$work/run/all.pcapng" 2>/dev/null | wc -l)" 20
    tcpdump -nr "$work/run/all.pcapng" 2>/dev/null | grep -q '10\.77\.0\.1[123]\.4201' || fail "no mesh datagrams in the capture"
    rm -f "$work/run/all.pcapng"
    # Live: what is sent while it runs is seen, and Ctrl-C ends it.
    mkfifo "$work/pcap.err"
    weft_within 60 lab pcap -w - 2>"$work/pcap.err" | tcpdump -lnr - udp port 4200 >"$work/pcap.out" 2>/dev/null &
    pcap=$!
    read -r line <"$work/pcap.err"
    is "$line" "capturing on n1 n2 n3"
    weft lab udp 10.77.0.11 4200 '21 2 * .' >/dev/null
    await 10 grep -q '10.77.0.1.*> 10.77.0.11.4200' "$work/pcap.out"
    await 10 grep -q '10.77.0.11.4200 > 10.77.0.1' "$work/pcap.out"
    capturing() { pgrep -f "^$work/bin/weft lab pcap" | head -1; }
    kill -INT "$(capturing)"
    wait "$pcap" || fail "pcap ended with $?"
    expect "10.77.0" sh -c "'$work/bin/weft' version >/dev/null; cat '$work/pcap.out'"
    expect "UDP" weft lab exec -- tcpdump -i weft0 -c 1 -n udp port 4201
fi

note "what the nodes say"
expect "n1" weft logs n1
weft logs n1 -o jsonl | "$json_get" -l text >/dev/null || fail "logs are not JSON lines"
weft events n1 -o jsonl | "$json_get" -l type >"$work/types" || fail "events are not JSON lines"
grep -q '^node\.' "$work/types" || fail "no events of nodes: $(cat "$work/types")"

note "HTTP from the host: reading only"
if command -v curl >/dev/null; then
    url=$(json items 0 admin -- lab ls)
    is "$(curl -s --max-time 5 "${url}readyz")" ready
    curl -s --max-time 5 "${url}metrics" | grep -q '^weft_' || fail "no metrics"
    is "$(curl -s --max-time 5 "${url}api/v1/node" | "$json_get" name)" n1
    is "$(curl -s -o /dev/null -w '%{http_code}' --max-time 5 -X POST -d '{}' "${url}api/v1/fault")" 403
    is "$(curl -s -o /dev/null -w '%{http_code}' --max-time 5 -H 'Host: evil.example' "${url}api/v1/node")" 403
fi

note "a message from a unit of n1 to a unit of n3"
weft unit load n3 "$examples/inbox.fth" --name inbox >/dev/null || fail "inbox does not load"
id=$(json id -- node show n3)
printf ': hail s" hello" $%s send-host . ;\n' "$id" >"$work/run/hail.fth"
chmod a+r "$work/run/hail.fth"
weft unit load n1 "$work/run/hail.fth" --name hail >/dev/null || fail "hail does not load"
hailed() {
    weft unit eval n1/hail hail >/dev/null
    weft unit eval n3/inbox report | grep -q 'from afar, the last: hello'
}
await 10 hailed
rm "$work/run/hail.fth"

note "faults: the drops are counted, and the balance holds"
expect "20.0 %" weft lab fault loss n1 20%
expect "20.0 %" weft lab fault corrupt n1 0.1 # Adds to what holds.
expect "5.0 ms" weft lab fault delay all 5ms 1ms
is "$(json items 0 loss_ratio -- lab fault duplicate n1 10%)" 0.2
weft lab exec -- ping -c 20 -i 0.01 -W 1 -q 10.77.0.11 >/dev/null 2>&1 || :
lost() { weft drops n1 -o json | "$json_get" items | grep -q '"stage":"fault"'; }
await 10 lost
is "$(json balance n1 holds -- drops n1)" true "$(cat "$work/json")"
expect "yes" weft lab fault partition n1
expect_exit 1 "100% packet loss" weft lab exec -- ping -c 1 -W 1 10.77.0.11
weft lab fault clear >/dev/null || fail "fault clear"
expect " 0% packet loss" weft lab exec -- ping -c 1 -W 5 10.77.0.11
await 20 meet

note "a node dies: the others notice within 5 s, and say so"
mkfifo "$work/events"
weft_within 60 events n1 -f -o jsonl >"$work/events" &
follower=$!
exec 8<"$work/events"
began=$(date +%s)
expect "n2 is down" weft lab fault kill n2
dead=
while read -r line <&8; do
    case $line in *'"node.dead"'*) case $line in *'"n2"'*) dead=1; break ;; esac ;; esac
    [ $(($(date +%s) - began)) -lt 20 ] || break
done
took=$(($(date +%s) - began))
exec 8<&-
kill "$(pgrep -f "^$work/bin/weft events")" 2>/dev/null || :
wait "$follower" 2>/dev/null || :
[ -n "$dead" ] || fail "n1 never said that n2 is dead"
[ "$took" -le 6 ] || fail "n1 took $took s" # The clock of this test counts whole seconds.
expect "n2 is ready" weft lab start n2
is "$(weft unit eval n2/counter 'total .' | trimmed)" 12 "after a kill"
await 20 meet

note "units end"
expect "" weft unit unload n2/counter
expect_exit 1 "W0402" weft unit eval n2/counter 'total .'
weft unit kill n1/udp-calc >/dev/null || fail "kill n1/udp-calc"
refused() { ! weft lab udp 10.77.0.11 4200 '1 .' 2>"$work/refused" && grep -q unreachable "$work/refused"; }
await 10 refused

weft lab down >/dev/null
wait "$up" || fail "the lab exited $?"
nothing_left
echo done
