#!/bin/sh
# check.sh BUILD: what needs no running program: formatting, direction of includes, generated files.
set -eu
build=$1
status=0
fail() { echo "check: $*"; status=1; }

# 1. .clang-format settles the layout.
files=$(git ls-files '*.c' '*.h')
# shellcheck disable=SC2086
clang-format-14 --dry-run --Werror $files 2>&1 | head -20 >"$build/format.out" || true
if [ -s "$build/format.out" ]; then
    cat "$build/format.out"
    fail "formatting differs: clang-format-14 -i FILE"
fi

# 2. A directory includes only what stands below it (docs/HACKING.md, "Layers").
layer() { # The directories that $1 may include, besides itself.
    case $1 in
    runtime/base) echo '' ;;
    runtime/env | runtime/mem) echo 'runtime/base' ;;
    runtime/storage | runtime/mesh) echo 'runtime/base runtime/env' ;;
    runtime/sched) echo 'runtime/base runtime/env runtime/mem' ;;
    runtime/actor) echo 'runtime/base runtime/env runtime/mem runtime/sched' ;;
    config | forth) echo 'runtime/base' ;;
    dataplane) echo 'runtime/base runtime/env runtime/mem runtime/sched' ;;
    runtime/admin) echo 'runtime/base runtime/env runtime/mem runtime/sched' ;;
    runtime/lab) echo 'runtime/base config runtime/admin runtime/tool' ;;
    runtime/tool) echo 'runtime/base config forth runtime/admin runtime/mesh runtime/env runtime/lab' ;;
    runtime/node) echo 'runtime/base runtime/env runtime/mem runtime/storage runtime/mesh runtime/sched runtime/actor config dataplane forth runtime/admin' ;;
    *) echo '*' ;;
    esac
}
git grep -nE '^#include "' -- runtime config dataplane forth | while IFS=: read -r file line text; do
    included=${text#*\"}
    included=${included%\"*}
    case $file in
    runtime/*) from=$(echo "$file" | cut -d/ -f1-2) ;;
    *) from=${file%%/*} ;;
    esac
    case $included in
    runtime/*) to=$(echo "$included" | cut -d/ -f1-2) ;;
    */*) to=${included%%/*} ;;
    *) echo "$file:$line: include from the repository root: \"$included\""; continue ;;
    esac
    [ "$from" = "$to" ] && continue
    case " $(layer "$from") " in *" $to "* | *' * '*) ;; *) echo "$file:$line: $from may not include $to" ;; esac
done >"$build/layers.out"
if [ -s "$build/layers.out" ]; then
    cat "$build/layers.out"
    fail 'an include points up or sideways'
fi

# 3. What a person must not find in the tree.
if git grep -nIE '\b(TODO|FIXME|XXX)\b' -- '*.c' '*.h' '*.fs' '*.fth' do >"$build/todo.out"; then
    cat "$build/todo.out"
    fail 'an unfinished thing'
fi

# 4. Shell is plain sh.
for script in $(git ls-files '*.sh' do .ci/run); do
    sh -n "$script" || fail "$script does not parse"
done

# 5. Generated files are what their tables say.
weft=$build/runtime/tool/weft
if [ -x "$weft" ]; then
    "$weft" config defaults | cmp -s - config/weft.toml || fail 'config/weft.toml is not `weft config defaults`'
fi
exit $status
