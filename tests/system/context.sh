#!/bin/sh
# context.sh: a node elsewhere: its owner's port opens with the token alone, `weft context add` knows it by its words,
# and a node that has lost its key is another node. What only an image can do is refused in so many words.
#
# Environment: WEFT, WEFTD: the built programs.
set -eu
: "${WEFT:?the built tool}" "${WEFTD:?the built daemon}"
dir=$(mktemp -d)
pid=
clean() {
    [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$dir"
}
trap clean EXIT INT TERM
fail() { echo "FAIL: $*"; exit 1; }

export WEFT_RUN_DIR="$dir/nobody" XDG_CONFIG_HOME="$dir/config"
unset WEFT_TOKEN WEFT_FINGERPRINT
mkdir -m 700 "$dir/run" "$dir/data"
port=$((20000 + $$ % 20000))
echo "a-token-of-$$-and-long-enough" >"$dir/owner.token"
cat >"$dir/far.toml" <<TOML
[node]
name = "far"
data_dir = "$dir/data"
run_dir = "$dir/run"
[memory]
arena_per_core = "8MiB"
mbufs = 255
[admin]
listen = "127.0.0.1:$port"
owner_token = "owner.token"
owner_key = "owner.key"
[ports.p0]
device = "ring:far"
address = "10.77.1.1/24"
TOML

start() {
    mkfifo "$dir/ready"
    "$WEFTD" --config "$dir/far.toml" --ready-fd 9 9>"$dir/ready" 2>"$dir/log" &
    pid=$!
    word=$(timeout 20 cat "$dir/ready") || fail "it was not ready in 20 s: $(cat "$dir/log")"
    rm "$dir/ready"
    [ "$word" = ready ] || fail "it ended before it was ready: $(cat "$dir/log")"
}
# says CODE WORDS -- COMMAND…: it exits with CODE and says so on standard error.
says() {
    wanted=$1
    said=$2
    shift 3
    status=0
    "$WEFT" "$@" >"$dir/out" 2>"$dir/err" || status=$?
    [ "$status" = "$wanted" ] || fail "$*: exit $status, not $wanted: $(cat "$dir/err")"
    grep -qF -- "$said" "$dir/err" || fail "$* does not say '$said': $(cat "$dir/err")"
}

"$WEFT" context keygen "$dir/owner.pem" >"$dir/owner.key" 2>/dev/null || fail 'no key'
"$WEFT" context keygen "$dir/owner.pem" | cmp - "$dir/owner.key" || fail 'asked again, another public half'
"$WEFT" context keygen "$dir/stranger.pem" >/dev/null 2>&1 || fail 'no other key'
start
says 65 '--token FILE is needed' -- context add "127.0.0.1:$port"
says 77 ' shows ' -- context add "127.0.0.1:$port" --token "$dir/owner.token"
words=$(sed -n 's/.* shows \([a-z-]*\)$/\1/p' "$dir/err")
[ ${#words} = 35 ] || fail "no six words: $(cat "$dir/err")"
says 77 'is not the code' -- context add "127.0.0.1:$port" --token "$dir/owner.token" --code babab-babab-babab-babab-babab-babab
[ ! -e "$XDG_CONFIG_HOME/weft/contexts" ] || fail 'a stranger was kept'
echo another-token-that-is-wrong >"$dir/wrong.token"
says 77 'token' -- context add "127.0.0.1:$port" --token "$dir/wrong.token" --code "$words"

# Words as people type them.
says 0 'far is at' -- context add "127.0.0.1:$port" --token "$dir/owner.token" --code "$(echo "$words" | tr a-z- 'A-Z ')"
[ "$(stat -c %a "$XDG_CONFIG_HOME/weft/contexts")" = 600 ] || fail 'others may read the token'
"$WEFT" context ls | grep -qF "$words" || fail 'the words are not listed'
"$WEFT" node show far | grep -q '^name *far' || fail 'it does not answer by its name'
"$WEFT" node show | grep -q '^name *far' || fail 'it is not asked where no node runs'
says 0 'at' -- context add "127.0.0.1:$port" --token "$dir/owner.token" --code "$words" --name other
"$WEFT" context ls -o jsonl | grep -c . | grep -qx 2 || fail 'there are not two'
"$WEFT" context rm other
says 1 'no context' -- context rm other

# By key: nothing that opens the node is sent to it, or kept in the list.
says 77 'token, or key' -- context add "127.0.0.1:$port" --key "$dir/stranger.pem" --code "$words" --name keyed
says 65 'others may read it' -- context add "127.0.0.1:$port" --key "$dir/owner.key" --code "$words" --name keyed
says 0 'keyed is at' -- context add "127.0.0.1:$port" --key "$dir/owner.pem" --code "$words" --name keyed
"$WEFT" node show keyed | grep -q '^name *far' || fail 'it does not answer who has the key'
grep -q "^keyed .* - $dir/owner.pem\$" "$XDG_CONFIG_HOME/weft/contexts" || fail 'the key is not named in the list'
WEFT_KEY="$dir/owner.pem" "$WEFT" --socket "https://127.0.0.1:$port" node show | grep -q '^name *far' || fail 'WEFT_KEY does not open it'
"$WEFT" context keygen >"$dir/own.key" 2>/dev/null || fail 'no key of ones own'
[ "$(stat -c %a "$XDG_CONFIG_HOME/weft/owner.pem")" = 600 ] || fail 'others may read the key'
says 77 'token, or key' -- context add "127.0.0.1:$port" --code "$words" --name keyed # It is taken unasked.
"$WEFT" context rm keyed
# Others may do the same, with any certificate of the key; but not for a page of somebody else's in a browser.
if command -v curl >/dev/null && command -v openssl >/dev/null; then
    openssl req -new -x509 -key "$dir/owner.pem" -subj /CN=me -days 1 -out "$dir/owner.crt" 2>/dev/null || fail 'openssl does not take the key'
    as_curl() { curl -sk -o /dev/null -w '%{http_code}' --max-time 20 --cert "$dir/owner.crt" --key "$dir/owner.pem" "$@" "https://127.0.0.1:$port/api/v1/node"; }
    [ "$(as_curl)" = 200 ] || fail "curl gets $(as_curl)"
    [ "$(as_curl -H 'Origin: https://elsewhere.example')" = 401 ] || fail 'a page from elsewhere may ask'
fi

# It is no image, and says so.
for command in slots rollback reboot poweroff boot panic logs 'reset --factory --yes'; do
    # shellcheck disable=SC2086
    says 1 'W0901' -- node $command far
done
printf 'WEFTUPD1 and what follows' >"$dir/some.update"
says 1 'W0901' -- node upgrade far "$dir/some.update"
says 65 'is no update' -- node upgrade far "$dir/far.toml"
says 1 'nothing was done' -- node reset --factory far </dev/null

# Its key is damaged: its owner is not shut out, and told so.
kill -TERM "$pid"
wait "$pid" || true
head -c 100 "$dir/data/admin.pem" >"$dir/half"
cat "$dir/half" >"$dir/data/admin.pem"
start
says 77 'fingerprint' -- node show far
grep -q 'admin.pem was damaged' "$dir/log" || fail "it does not say that its key was damaged: $(cat "$dir/log")"
grep -q 'another key was made' "$dir/run/fingerprint.why" || fail 'who shows the fingerprint is not told'
[ "$(wc -c <"$dir/run/fingerprint")" = 65 ] || fail "its fingerprint: $(cat "$dir/run/fingerprint")"
cmp "$dir/half" "$dir/data/admin.pem.damaged" || fail 'the damaged one is not put aside'

# Its key is gone: another node.
kill -TERM "$pid"
wait "$pid" || true
rm "$dir/data/admin.pem"
start
says 77 'fingerprint' -- node show far
[ ! -e "$dir/run/fingerprint.why" ] || fail "it was not damaged: $(cat "$dir/run/fingerprint.why")"
chmod 644 "$XDG_CONFIG_HOME/weft/contexts"
says 65 'chmod 600' -- node show far
