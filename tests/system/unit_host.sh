#!/bin/sh
# unit_host.sh: what a unit may ask of a running node, and how much: input, files, quotas.
#
# Environment: WEFT, WEFTD: the built programs; PTY_TALK: tests/support/pty_talk.c.
set -eu
: "${WEFT:?the built tool}" "${WEFTD:?the built daemon}" "${PTY_TALK:?pty_talk}"
dir=$(mktemp -d)
pid=
clean() {
    [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$dir"
}
trap clean EXIT INT TERM
fail() { echo "FAIL: $*"; exit 1; }
is() { [ "$1" = "$2" ] || fail "'$1' is not '$2'${3+: $3}"; }
weft() { "$WEFT" "$@"; }

export WEFT_RUN_DIR="$dir/run" XDG_STATE_HOME="$dir/state"
# libedit does not free the names of functions that were added to it; a sanitizer need not say so.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"
mkdir -m 700 "$WEFT_RUN_DIR"
mkdir "$dir/files" "$dir/files/sub"
cat >"$dir/n1.toml" <<TOML
[node]
name = "n1"
data_dir = "$dir/data"
run_dir = "$WEFT_RUN_DIR/n1"
[memory]
arena_per_core = "16MiB"
mbufs = 255
[admin]
listen = ""
[units]
channels_max = 5
files = "files"
[ports.p0]
device = "ring:p0"
address = "10.77.1.1/24"
TOML
start() {
    mkfifo "$dir/ready"
    "$WEFTD" --config "$dir/n1.toml" --ready-fd 9 9>"$dir/ready" 2>"$dir/log" &
    pid=$!
    word=$(timeout 20 cat "$dir/ready") || fail "not ready in 20 s: $(cat "$dir/log")"
    rm "$dir/ready"
    [ "$word" = ready ] || fail "ended before it was ready: $(cat "$dir/log")"
}
start
load() { printf '%s\n' "$2" | weft unit load n1 - --name "$1" ${3+--quota "$3"} >"$dir/said" 2>&1 || fail "$1: $(cat "$dir/said")"; }
state() { weft unit show "n1/$1" | sed -n "s/^state  *//p"; }

echo "input"
load asker ': ask ( -- ) ." name? " pad 80 accept ." hello " pad swap type ;'
weft unit eval n1/asker ask >"$dir/said" 2>"$dir/err"
is "$(cat "$dir/said")" "name? "
grep -q 'weft unit input n1/asker' "$dir/err" || fail "nothing is said of input: $(cat "$dir/err")"
is "$(state asker)" asking
is "$(weft unit input n1/asker Ada)" "hello Ada"
is "$(state asker)" ready
weft unit eval n1/asker 'key emit key emit' >/dev/null 2>&1
is "$(weft unit input n1/asker --keys ab)" ab
weft unit eval n1/asker key >/dev/null 2>&1
status=0
weft unit input n1/asker --end >/dev/null 2>"$dir/err" || status=$?
is "$status" 65
grep -q 'THROW -39' "$dir/err" || fail "the end: $(cat "$dir/err")"
is "$(printf 'ask\nBob\n1 2 + .\n' | weft repl n1/asker)" "name? 
hello Bob
3 "

echo "a session"
load game 'variable n : play begin ." guess: " pad 8 accept pad swap evaluate n ! ." got " n ? again ; play'
talk() { "$PTY_TALK" "$WEFT" repl "$@" >"$dir/out" || fail "a session: exit $?: $(cat "$dir/out")"; }
talk n1/game <<'END'
< ? 
> 7
< got 7 guess:
< ? 
= \cc
!
END
talk n1/asker <<'END'
< > 
> ask
< name?
< ? 
> Eve
< hello Eve
< ok
< > 
> key
< ? 
= \cc
< THROW -39
< > 
> 5 .
< 5
< ok
> bye
!
END
is "$(state game)" asking
is "$(weft unit eval n1/game 'n ?' 2>/dev/null)" "7 "

echo "quotas"
load tight ': spin begin again ; : work 50000 0 do loop ; : bomb begin 1 channel drop again ;' spawned=2,reductions=50000
weft unit show n1/tight >"$dir/said"
grep -q '^quota of spawned  *0 of 2$' "$dir/said" || fail "unit show: $(cat "$dir/said")"
grep -q '^quota of channels  *0 of 5$' "$dir/said" || fail "unit show: $(cat "$dir/said")"
grep -q '^quota of reductions  *50000 a second$' "$dir/said" || fail "unit show: $(cat "$dir/said")"
weft unit show n1/tight -o json | tr -d ' \n' | grep -q '"spawned":{"limit":2,"used":0}' || fail "unit show -o json"
status=0
weft unit eval n1/tight bomb >/dev/null 2>"$dir/err" || status=$?
is "$status" 65
grep -q -e '--quota channels=N' "$dir/err" || fail "which quota? $(cat "$dir/err")"
weft unit eval n1/tight "0 ' spin spawn drop" >/dev/null
weft unit eval n1/tight work >/dev/null 2>&1 &
working=$!
awaited=0
until [ "$(state tight)" = throttled ]; do
    awaited=$((awaited + 1))
    [ "$awaited" -lt 500 ] || fail "it never rests: $(state tight)"
done
wait "$working" || true
for wrong in zork=1 spawned=0 memory=9TiB spawned; do
    status=0
    printf ': x ;' | weft unit load n1 - --name wrong --quota "$wrong" >/dev/null 2>"$dir/err" || status=$?
    [ "$status" != 0 ] || fail "--quota $wrong is taken"
done
status=0
weft unit show n1/nobody >/dev/null 2>&1 || status=$?
is "$status" 1

echo "files"
load filer ': lines begin pad 80 2 pick read-line throw while pad swap type ." ;" repeat 2drop ; variable f'
weft unit eval n1/filer 's" a.txt" r/w create-file throw f ! s" one" f @ write-line throw s" two" f @ write-line throw f @ flush-file throw f @ file-size throw d.' >"$dir/said"
is "$(cat "$dir/said")" "8 "
is "$(cat "$dir/files/a.txt")" "one
two"
is "$(weft unit eval n1/filer '0. f @ reposition-file throw f @ lines')" "one;two;"
grep -q '^quota of files  *1 of 16$' <<EOT || fail "unit show: $(weft unit show n1/filer)"
$(weft unit show n1/filer)
EOT
head -c 200000 /dev/zero | tr '\\0' 'x' >"$dir/files/large"
is "$(weft unit eval n1/filer ': sum 0 >r begin pad 256 f @ read-file throw dup while r> + >r repeat drop r> ; s" large" r/o open-file throw f ! sum .')" "200000 "
printf ': four 4 ;\n: five ( a comment\n over lines ) 5 ;\n' >"$dir/files/sub/words.fth"
is "$(weft unit eval n1/filer 's" sub/words.fth" included four five + .')" "9 "
is "$(weft unit eval n1/filer 's" a.txt" s" b.txt" rename-file . s" b.txt" file-status . $f000 and $8000 = . s" b.txt" r/w open-file throw f ! 3. f @ resize-file . f @ close-file .')" "0 0 -1 0 0 "
is "$(cat "$dir/files/b.txt")" one
is "$(weft unit eval n1/filer 's" b.txt" delete-file . s" b.txt" delete-file . s" none" r/o open-file . .')" "0 -38 -38 0 "
[ ! -e "$dir/files/b.txt" ] || fail "delete-file"
ln -s .. "$dir/files/up"
for name in ../n1.toml /etc/passwd up/n1.toml sub/../../n1.toml; do
    is "$(weft unit eval n1/filer "s\" $name\" r/o open-file nip .")" "-265 " "$name"
done
mkfifo "$dir/files/pipe"
is "$(weft unit eval n1/filer 's" pipe" r/o open-file nip .')" "-37 "
load few ': open s" large" r/o open-file ;' files=2
is "$(weft unit eval n1/few 'open . drop open . drop open . . ')" "0 0 -322 0 "
is "$(weft unit eval n1/few 's" FILE" environment? . .')" "-1 -1 "

echo "a file outlives the node"
load reader 'variable f : next pad 3 f @ read-file throw pad swap type ; s" large" r/o open-file throw f !'
weft unit eval n1/reader 's" abcdefghi" s" letters" w/o create-file throw dup f ! write-file throw f @ close-file throw s" letters" r/o open-file throw f ! next' >"$dir/said"
is "$(cat "$dir/said")" abc
kill -KILL "$pid"
wait "$pid" 2>/dev/null || true
start
is "$(weft unit eval n1/reader 'next next')" defghi
# What it had spawned has gone with the node, and it has not joined it: that is told at JOIN.
is "$(weft unit show n1/tight | grep '^quota of spawned')" "quota of spawned     1 of 2"
# A copy from a file has the quotas of its original.
weft unit save n1/tight "$dir/tight.unit" 2>"$dir/said" || fail "unit save: $(cat "$dir/said")"
weft unit restore n1 "$dir/tight.unit" --name copy 2>"$dir/said" || fail "unit restore: $(cat "$dir/said")"
is "$(weft unit show n1/copy | grep '^quota of reductions')" "quota of reductions  50000 a second"
rm "$dir/files/letters"
kill -KILL "$pid"
wait "$pid" 2>/dev/null || true
sed -i 's/^files = .*//' "$dir/n1.toml"
start
status=0
weft unit eval n1/reader next >/dev/null 2>"$dir/err" || status=$?
is "$status" 65
grep -q 'units.files' "$dir/err" || fail "why no files? $(cat "$dir/err")"
is "$(weft unit eval n1/reader 's" FILE" environment? . .')" "-1 0 "

echo ok
