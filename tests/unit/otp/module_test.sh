#!/bin/sh
# module_test.sh WEFT_RUN PKG_CONFIG_DIR SOURCE.c EXPECTED COMPILER…: builds an example as its reader
# would, by pkg-config alone, runs it, and compares what it says. On one core line for line; on two,
# and with the stacks of an older kernel, in whatever order the cores were heard. Pids are PID.
set -eu
run=$1 flags_dir=$2 source=$3 expected=$4
shift 4
"$run" --version >/dev/null 2>&1 || { echo "SKIP: this machine does not run what is built for another"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
name=$(basename -- "$source" .c)
flags=$(PKG_CONFIG_PATH=$flags_dir pkg-config --cflags weft) || { echo 'SKIP: no pkg-config'; exit 77; }
# shellcheck disable=SC2086
"$@" -O2 -Wall -Wextra -Werror $flags -shared -o "$work/$name.so" "$source"

# said OPTION…: what the module says, run with these.
said() {
    status=0
    "$run" "$@" "$work/$name.so" 2>"$work/err" || status=$?
    sed 's/0x[0-9a-f]*/PID/g' "$work/err" >"$work/said"
    [ "$status" = 0 ] || { cat "$work/err"; echo "$name, run with $*: exit $status"; exit 1; }
}
said --workers 1
diff "$expected" "$work/said"
sort "$expected" >"$work/sorted"
said --workers 2
sort "$work/said" | diff "$work/sorted" -
said --workers 2 --checked
sort "$work/said" | diff "$work/sorted" -
