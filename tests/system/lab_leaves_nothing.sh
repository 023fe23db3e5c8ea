#!/bin/sh
# However a lab ends, nothing is left: processes, namespaces, sockets, files.
#   lab_leaves_nothing.sh root|user veth|vhost
set -eu
. "$(dirname "$0")/lab.sh"
as "$1"
link=$2
[ "$link" = vhost ] || need_namespaces

end_of() { # Its exit status, once it has ended.
    status=0
    wait "$up" || status=$?
}

note "Ctrl-C"
start_lab --link "$link"
before=$(namespaces)
[ "$link" = vhost ] || [ -n "$before" ] || fail "the nodes have no namespaces of their own"
kill -INT "$lab_pid"
end_of
[ "$status" = 0 ] || fail "exit $status after Ctrl-C"
grep -q 'nothing left' "$work/up.out" || fail "it did not say so"
nothing_left "$before"

note "weft lab down"
start_lab --link "$link"
before=$(namespaces)
expect "nothing left" weft lab down
end_of
nothing_left "$before"
expect "nothing left" weft lab down

note "the terminal is closed"
start_lab --link "$link"
before=$(namespaces)
kill -HUP "$lab_pid"
end_of
nothing_left "$before"

note "the lab is killed: its nodes die with it, and the next command removes its files"
start_lab --link "$link"
before=$(namespaces)
kill -9 "$lab_pid"
end_of
none_runs() { [ -z "$(ours)" ]; }
await 10 none_runs
[ -e "$run/lab.sock" ] || fail "a killed lab cannot have cleaned up: this test tests nothing"
expect_exit 69 "W0602" weft lab ls
expect "removed what a lab had left" weft lab down
nothing_left "$before"

note "killed, and started again"
start_lab --link "$link"
kill -9 "$lab_pid"
end_of
start_lab --link "$link"
grep -q 'removed what a killed lab had left' "$work/up.out" || fail "it did not say what it removed"
before=$(namespaces)
weft lab down >/dev/null
end_of
nothing_left "$before"

note "--keep leaves logs, until the next command"
start_lab --link "$link" --keep
kill -INT "$lab_pid"
end_of
[ -s "$run/n1/log" ] || fail "--keep kept no log"
expect "removed what a lab had left" weft lab down
nothing_left
echo done
