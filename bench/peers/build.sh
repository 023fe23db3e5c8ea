#!/bin/sh
# build.sh DIRECTORY: installs what the peers need (apt, with sudo when not root) and builds each into
# DIRECTORY as a program of its own: DIRECTORY/go CORES GROUP [quick]. One that cannot be installed or
# built is left out, with a word about it.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
out=${1:?usage: build.sh DIRECTORY}
log=$out/build.log

say() { printf '%s\n' "bench: $*" >&2; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null 2>&1; then sudo "$@"
    else return 1
    fi
}

has() { # PACKAGE
    case $(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null || true) in
    ii*) ;;
    *) return 1 ;;
    esac
}

updated=false
needs() { # PACKAGE…
    missing=
    for package in "$@"; do
        has "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null 2>&1 || return 1
    say "installing$missing"
    if ! $updated; then
        as_root apt-get -qq update >>"$log" 2>&1 || say "apt-get update failed; trying with the lists that are there"
        updated=true
    fi
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
        -o Dpkg::Use-Pty=0 install $missing >>"$log" 2>&1
}

# One at a time: the two schedulers of a row share nothing with a compiler.
build() { # COMMAND…
    "$@" >>"$log" 2>&1
}

script() { # NAME: a program that is a shell script, from standard input.
    { echo '#!/bin/sh'; cat; } >"$out/$1"
    chmod +x "$out/$1"
}

# Without the busy waiting that would be counted as work; with it where timers are to be on time.
make_erlang() {
    needs erlang-base && build erlc -o "$out" "$here/bench.erl" || return 1
    script erlang <<'SH'
quiet='+sbwt none +sbwtdcpu none +sbwtdio none'
[ "$1" = 1 ] && [ "$2" != timer ] || quiet=
export ERL_CRASH_DUMP=/dev/null HOME="${HOME:-/}"
exec erl +P 2000000 +S "$1:$1" $quiet -noshell -pa "$(dirname -- "$0")" -s bench main "$2" ${3:-} -s init stop </dev/null
SH
}

make_go() {
    needs golang-go && build env GOCACHE="$out/go-cache" GOFLAGS= GO111MODULE=off \
        go build -o "$out/go" "$here/bench.go"
}

make_caf() {
    needs g++ libcaf-dev && build c++ -O2 -std=c++17 -w -o "$out/caf" "$here/bench.cpp" -lcaf_core -pthread
}

make_boost() {
    needs g++ libboost-fiber-dev libboost-context-dev &&
        build c++ -O2 -w -o "$out/boost" "$here/boost.cpp" -lboost_fiber -lboost_context -pthread
}

make_st() {
    needs gcc libc6-dev libst-dev && build cc -O2 -w -o "$out/st" "$here/st.c" -lst
}

make_pth() {
    needs gcc libc6-dev libpth-dev && build cc -O2 -w -o "$out/pth" "$here/pth.c" -lpth
}

: >"$log"
for peer in erlang go caf boost st pth; do
    "make_$peer" && continue
    rm -f "$out/$peer"
    say "no $peer; going on without it. The last words of its installation or build:"
    tail -2 "$log" >&2
done
