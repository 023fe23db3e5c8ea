#!/bin/sh
# A lab without namespaces: the switch in shared memory, faults of one pair in it, and what stands in
# for a kernel's client.
set -eu
. "$(dirname "$0")/lab.sh"
as user
start_lab --link vhost
grep -q '`lab udp` stands in for nc' "$work/up.out" || fail "it does not say what stands in for a kernel"

note "what can be asked without a kernel"
[ "$(weft lab udp 10.77.0.11 4200 '21 2 * .' | tr -d ' ')" = 42 ] || fail "no 42"
expect_exit 1 "unreachable" weft lab udp 10.77.0.12 4200 '21 2 * .'
expect_exit 124 "no answer" weft lab udp 10.77.0.99 4200 '21 2 * .' --timeout 300ms
expect_exit 70 "no namespace to enter" weft lab exec -- true
[ "$(weft port show n1 -o json | "$json_get" items 0 bypass)" = full ] || fail "a kernel is in the way"

note "captures"
weft lab pcap -w "$work/run/c" -c 9 2>/dev/null || fail "pcap: exit $?"
if command -v tcpdump >/dev/null; then
    [ "$(tcpdump -nr "$work/run/c" 2>/dev/null | wc -l)" -ge 9 ] || fail "tcpdump cannot read it"
fi
rm "$work/run/c"

note "n1 and n3 are parted, n2 hears both"
sees() { weft mesh ls "$1" -o json | "$json_get" items | tr '{' '\n' | grep "\"name\":\"$2\"" | grep -q '"state":"alive"'; }
await 10 sees n1 n3
await 10 sees n3 n1
expect "n1-n3" weft lab fault partition n1-n3
expect_exit 65 "no fault" weft lab fault melt n1-n3
expect_exit 1 "no node n9" weft lab fault loss n1-n9 10%
expect "n1-n2" weft lab fault delay n1-n2 5ms 1ms
expect "n1-n2" weft lab fault loss n1-n2 1%
sees n2 n1 || fail "n2 does not see n1"
sees n2 n3 || fail "n2 does not see n3"
expect "n1-n3" weft lab fault clear n1-n3
expect "n1-n2" weft lab fault clear n1-n2
await 20 sees n1 n3
await 20 sees n3 n1

weft lab down >/dev/null
wait "$up" || fail "the lab exited $?"
nothing_left
echo done
