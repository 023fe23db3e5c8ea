#!/bin/sh
# One command starts a swarm, checks that it works, and takes it away.
#   lab_smoke.sh root|user veth|vhost
set -eu
. "$(dirname "$0")/lab.sh"
as "$1"
[ "$2" = vhost ] || need_namespaces

note "as $1, over $2"
status=0
weft_within 120 lab up --smoke --link "$2" >"$work/up.out" 2>&1 || status=$?
cat "$work/up.out"
[ "$status" = 0 ] || fail "exit $status"
[ "$(grep -c '^ok ' "$work/up.out")" -ge 8 ] || fail "fewer than eight checks"
! grep -q '^FAIL' "$work/up.out" || fail "a check failed"
grep -q 'nothing left' "$work/up.out" || fail "it did not look for leftovers"
nothing_left
echo done
