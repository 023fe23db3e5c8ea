# lab.sh: sourced by the lab's tests. Runs the tool on copies of the programs, in a directory of its
# own, as root or as a user without any right.
#
# From meson: WEFT WEFTD WEFT_SWITCH_EXE JSON_GET EXAMPLES. A test calls `as root` or `as user` first.

test_uid=64321 # Nobody's: it has no entry in any user database.

skip() {
    echo "SKIP: $*"
    exit 77
}
fail() {
    echo "FAILED: $*" >&2
    [ ! -f "$work/up.out" ] || sed 's/^/  up: /' "$work/up.out" >&2
    for log in "$run"/n?/log; do
        [ ! -f "$log" ] || tail -5 "$log" | sed "s|^|  $(basename "$(dirname "$log")"): |" >&2
    done
    exit 1
}
note() { printf '# %s\n' "$*"; }

work=$(mktemp -d /tmp/weft-test.XXXXXX) # Short: socket paths hold 107 bytes.
run=$work/run/weft
prefix=
up=
clean() {
    if [ -n "$up" ]; then kill -9 $(ours) 2>/dev/null || :; fi
    rm -rf "$work"
}
trap clean EXIT
trap 'exit 1' INT TERM
mkdir "$work/bin" "$work/run" "$work/share"
chmod 755 "$work" "$work/bin" "$work/share"
cp "$WEFT" "$work/bin/weft"
cp "$WEFTD" "$work/bin/weftd"
cp "$WEFT_SWITCH_EXE" "$work/bin/weft-switch"
cp "$JSON_GET" "$work/bin/json_get"
cp -r "$EXAMPLES" "$work/share/examples"
chmod -R a+rX "$work/bin" "$work/share"
chmod 700 "$work/run"
touch "$work/stamp"
json_get=$work/bin/json_get
examples=$work/share/examples

# as root|user: who runs the tool from here on.
as() {
    case $1 in
    root) [ "$(id -u)" = 0 ] || skip "needs root" ;;
    user)
        [ "$(id -u)" = 0 ] || return 0 # We are one.
        command -v setpriv >/dev/null || skip "needs setpriv (util-linux)"
        prefix="setpriv --reuid $test_uid --regid $test_uid --clear-groups"
        chown "$test_uid:$test_uid" "$work/run"
        ;;
    esac
}

# With a limit on everything: a test that hangs must say where.
weft_within() {
    limit=$1
    shift
    # shellcheck disable=SC2086
    timeout "$limit" $prefix env -u WEFT_SELF -u WEFTD -u WEFT_SWITCH \
        PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin WEFT_RUN_DIR="$run" HOME="$work/run" \
        XDG_RUNTIME_DIR="$work/run" WEFT_SHARE_DIR="$work/share" NO_COLOR=1 "$work/bin/weft" "$@"
}
weft() { weft_within 30 "$@"; }

# The processes that run our programs. A zombie has no program any more.
ours() {
    for exe in /proc/[0-9]*/exe; do
        case $(readlink "$exe" 2>/dev/null) in "$work"/bin/weft*) echo "$exe" | cut -d/ -f3 ;; esac
    done
}

# start_lab ARGUMENT...: returns when the lab is ready; its output goes on into $work/up.out.
start_lab() {
    rm -f "$work/up.fifo"
    mkfifo "$work/up.fifo"
    weft_within 300 lab up --no-live "$@" >"$work/up.fifo" 2>"$work/up.err" &
    up=$!
    exec 9<"$work/up.fifo"
    : >"$work/up.out"
    ready=
    while read -r line <&9; do
        printf '%s\n' "$line" >>"$work/up.out"
        case $line in *"Ctrl-C removes everything") ready=1; break ;; esac
    done
    if [ -z "$ready" ]; then
        cat "$work/up.err" >&2
        wait "$up" || up_status=$?
        up=
        fail "the lab did not start (exit ${up_status-0})"
    fi
    cat <&9 >>"$work/up.out" &
    exec 9<&-
    lab_pid=$(weft lab ls -o json | "$json_get" process_id)
}

# await SECONDS COMMAND...: until it succeeds. For states that nothing announces.
await() {
    until=$(($(date +%s) + $1))
    shift
    while ! "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -le "$until" ] || fail "waited in vain: $*"
        sleep 0.1
    done
}

# Namespaces of the lab's nodes: net:[4026532...]
namespaces() {
    for pid in $(ours); do readlink "/proc/$pid/ns/net" "/proc/$pid/ns/user" 2>/dev/null || :; done |
        sort -u | grep -vxF "$(readlink /proc/self/ns/net; readlink /proc/self/ns/user)" || :
}

# Nothing may be left. $1: the namespaces that were there (or nothing).
nothing_left() {
    [ -z "$(ours)" ] || fail "processes are left: $(ours | tr '\n' ' ')"
    if [ -n "${1-}" ]; then
        # Numbers of namespaces are used again: only who was started from here may not hold one.
        for environ in $(grep -lsF "WEFT_RUN_DIR=$run" /proc/[0-9]*/environ); do
            process=${environ%/environ}
            held=$(find "$process/ns" "$process/fd" -type l -printf '%l\n' 2>/dev/null | grep -xF "$1" || :)
            [ -z "$held" ] || fail "$process holds namespaces: $held"
        done
    fi
    ! grep -F "$work" /proc/net/unix || fail "sockets are left"
    left=$(find "$work/run" -mindepth 1)
    [ -z "$left" ] || fail "files are left: $left"
    if [ -n "$prefix" ]; then # Only then do files of this user say something.
        left=$(find /tmp /run /dev/shm /var/tmp -xdev -newer "$work/stamp" -user "$test_uid" \
            ! -path "$work/*" 2>/dev/null || :)
        [ -z "$left" ] || fail "files are left elsewhere: $left"
    fi
    up=
}

# expect TEXT COMMAND...: its output holds TEXT.
expect() {
    text=$1
    shift
    output=$("$@" 2>&1) || { echo "$output"; fail "exit $?: $*"; }
    case $output in *"$text"*) ;; *) fail "'$*' printed '$output', not '$text'" ;; esac
}

# expect_exit STATUS TEXT COMMAND...: it exits so, and says TEXT.
expect_exit() {
    status=$1
    text=$2
    shift 2
    got=0
    output=$("$@" 2>&1) || got=$?
    [ "$got" = "$status" ] || fail "'$*' exited $got, not $status: $output"
    case $output in *"$text"*) ;; *) fail "'$*' said '$output', not '$text'" ;; esac
}

# Can this user have namespaces here? Else the test is skipped by the kernel's own words.
need_namespaces() {
    # shellcheck disable=SC2086
    if [ -n "$prefix" ] || [ "$(id -u)" != 0 ]; then
        why=$($prefix unshare -Urnm true 2>&1) || skip "the kernel refuses user namespaces: $why"
    else
        why=$(unshare -nm true 2>&1) || skip "the kernel refuses network namespaces: $why"
    fi
    if [ -n "$prefix" ] || [ "$(id -u)" != 0 ]; then
        why=$($prefix unshare -Urn ip link add w0 type veth peer name w1 2>&1) || skip "the kernel has no veth: $why"
    else
        why=$(unshare -n ip link add w0 type veth peer name w1 2>&1) || skip "the kernel has no veth: $why"
    fi
}
