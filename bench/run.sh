#!/bin/sh
# run.sh BUILD [NAME…|all] [--json] [--quick] [--peers]: what `./do bench` runs; without a NAME it
# lists the benches. Each ends by itself, in a minute or two (with --peers in several); none runs as a
# test. What follows `actors` and is no bench goes to it: groups of rows, --cores, --passes.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
build=${1:?usage: run.sh BUILD [NAME…|all] [--json] [--quick] [--peers]}
shift
case $build in /*) ;; *) build=$root/$build ;; esac
cd "$root"

list() {
    cat <<'TXT'
usage: ./do bench NAME… | all [--json] [--quick] [--peers]

  actors    spawn, messages, slices, timers, names, ends, memory, idle cores; one scheduler, then two
            (--peers installs Erlang, Go, CAF and C libraries and runs them beside; actors --help)
  units     Forth units: to make, to keep, to turn from one to the next; bytes of each; channels,
            spawned units and messages (--peers installs Go and Python and runs them beside)
  node      loads and evaluations a second through a running weftd, with journal and without
  mesh      gossip: the seal, a datagram, a table of 1 000 peers; how soon a death is known
  packets   cycles of a packet, round trips of a datagram, the kernel's beside them
  journal   durable records a second and their delay, on the disk of the working directory
  forth     eight programs, against gcc -O2 and itself without checks; compiling (--peers installs
            gforth, pforth and Lua, which are measured beside it where they are)
  lab       three nodes: time to ready, idle CPU, memory, a kill noticed, UDP round trips
  swarm     messages from unit to unit of other nodes, gossip, an end and a start known to all, at 0, 1
            and 5 % loss; in a lab of its own, or
            --hosts A,B,C   between those: https://HOST:PORT (WEFT_TOKEN, WEFT_FINGERPRINT), names
                            of `weft context`, nodes of this machine
            --loss PERCENT  what their network has been made to lose; --faults has them lose it
            --kill COMMAND --start COMMAND  how the last of them is ended and started

  --json    lines of JSON      --quick   a tenth of the work, to see that it runs

What each row means, and figures: docs/BENCH.md
TXT
}

names=
flags=
groups=
peers=false
hosts='' loss='' faults='' kill='' start=''
while [ $# -gt 0 ]; do
    word=$1
    shift
    case $word in
    --hosts | --loss | --kill | --start)
        [ $# -gt 0 ] || { echo "bench: $word: what?" >&2; exit 64; }
        set -- "$word=$1" "$@"
        word=$1
        shift 2
        ;;
    esac
    case $word in
    --hosts=*) hosts=$word ;;
    --loss=*) loss=$word ;;
    --kill=*) kill=$word ;;
    --start=*) start=$word ;;
    --faults) faults=$word ;;
    --peers) peers=true ;;
    --json | --quick) flags="$flags $word" ;;
    all) names="$names actors units node mesh packets journal forth lab swarm" ;;
    actors | units | node | mesh | packets | journal | forth | lab | swarm) names="$names $word" ;;
    -h | --help)
        case $names in *actors*) exec "$build/bench/actors/bench_actors" --help ;; esac
        list; exit 0 ;;
    --cores=* | --passes=* | [a-z]*)
        case $names in
        *actors*) groups="$groups $word" ;;
        *) echo "bench: there is no bench or option '$word'" >&2; list >&2; exit 64 ;;
        esac ;;
    *) echo "bench: there is no bench or option '$word'" >&2; list >&2; exit 64 ;;
    esac
done
[ -n "$names" ] || { list; exit 0; }
case "$names $hosts$loss$kill$start$faults" in
*" swarm "* | *' ') ;;
*) echo 'bench: --hosts, --loss, --faults, --kill and --start belong to swarm' >&2; exit 64 ;;
esac

scratch=$(mktemp -d "${TMPDIR:-/tmp}/weft-bench.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

install_missing() { # COMMAND PACKAGE…: the packages whose commands are not there.
    missing=
    while [ $# -gt 0 ]; do
        command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
        shift 2
    done
    [ -n "$missing" ] || return 0
    echo "bench: installing$missing" >&2
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    # shellcheck disable=SC2086
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
        -o Dpkg::Use-Pty=0 install $missing >&2 || echo "bench: going on without$missing" >&2
}

# As bench/micro/beside.h wants them.
make_beside() { # DIRECTORY
    mkdir "$1"
    ! command -v go >/dev/null 2>&1 ||
        env GOCACHE="$scratch/go-cache" GOFLAGS= GO111MODULE=off go build -o "$1/go" bench/forth/dealings.go ||
        echo "bench: going on without Go, whose program could not be built" >&2
    command -v python3 >/dev/null 2>&1 || return 0
    printf '#!/bin/sh\nexec python3 "%s/bench/forth/dealings.py" "$@"\n' "$root" >"$1/python"
    chmod +x "$1/python"
}

run_units() {
    beside=
    if $peers; then
        install_missing go golang-go python3 python3
        beside=$scratch/units
        make_beside "$beside"
    fi
    # shellcheck disable=SC2086
    timeout --foreground 240 "$build/bench/micro/bench_units" ${beside:+"$beside"} $flags
}

run_forth() {
    ! $peers || install_missing gforth-fast gforth pforth pforth lua5.4 lua5.4
    for source in bench/forth/*.c; do
        ${CC:-cc} -O2 -fno-tree-vectorize -I. -o "$scratch/$(basename "$source" .c)" "$source"
    done
    # pforth as it comes has room for a few kilobytes of data.
    printf '4000000 CODE-SIZE !\nc" %s" SAVE-FORTH\n' "$scratch/pforth.dic" >"$scratch/room.fth"
    echo >"$scratch/empty.fth"
    ! command -v pforth >/dev/null 2>&1 ||
        timeout 10 pforth -q "$scratch/room.fth" </dev/null >/dev/null 2>&1 || true
    # shellcheck disable=SC2086
    timeout --foreground 600 "$build/bench/macro/bench_forth" "$build/runtime/tool/weft" \
        "$build/forth/weft-forth" "$build/bench/macro/weft-forth-bare" bench/forth "$scratch" $flags
    # shellcheck disable=SC2086
    timeout --foreground 120 "$build/bench/macro/bench_siblings" "$scratch" $flags
}

# Its rows have limits of their own.
run_actors() {
    beside=
    if $peers; then
        mkdir -p "$scratch/peers"
        sh bench/peers/build.sh "$scratch/peers"
        beside=--peers=$scratch/peers
    fi
    # shellcheck disable=SC2086
    "$build/bench/actors/bench_actors" $groups $beside $flags
}

run_one() {
    # shellcheck disable=SC2086
    case $1 in
    actors) run_actors ;;
    units) run_units ;;
    mesh) timeout --foreground 120 "$build/bench/micro/bench_mesh" $flags ;;
    packets) timeout --foreground 120 "$build/bench/macro/bench_packets" $flags ;;
    journal) timeout --foreground 120 "$build/bench/macro/bench_journal" . $flags ;;
    node) timeout --foreground 120 "$build/bench/macro/bench_node" "$build/runtime/node/weftd" "$scratch" $flags ;;
    forth) run_forth ;;
    swarm) timeout --foreground 120 "$build/bench/macro/bench_swarm" "$build/runtime/tool/weft" "$scratch" $flags \
        ${faults:+"$faults"} ${hosts:+"$hosts"} ${loss:+"$loss"} ${kill:+"$kill"} ${start:+"$start"} ;;
    lab) timeout --foreground 120 "$build/bench/macro/bench_lab" "$build/runtime/tool/weft" "$scratch" $flags ;;
    esac
}

result=0
for name in $names; do
    run_one "$name" || {
        status=$?
        [ $status != 130 ] || exit 130 # Ctrl-C.
        echo "bench: $name failed with $status" >&2
        result=1
    }
done
exit $result
