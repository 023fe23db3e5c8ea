#!/bin/sh
# check.sh BUILD: what needs no running program: formatting, direction of includes, generated files.
set -eu
build=$1
status=0
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*' # Whoever owns the clone.
git rev-parse --git-dir >/dev/null 2>&1 || { echo 'SKIP: this is no git checkout'; exit 77; }
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
    runtime/include) echo '' ;;
    runtime/sched) echo 'runtime/base runtime/env runtime/mem runtime/include' ;;
    runtime/actor) echo 'runtime/base runtime/env runtime/mem runtime/sched runtime/include' ;;
    runtime/otp) echo 'runtime/include' ;; # As a user's own behaviours would.
    runtime/table | runtime/port) echo 'runtime/base runtime/env runtime/mem runtime/sched runtime/actor runtime/include' ;;
    runtime/module) echo 'runtime/base runtime/include' ;;
    runtime/lib) echo 'runtime/module runtime/base runtime/env runtime/mem runtime/sched runtime/actor runtime/table runtime/otp runtime/port runtime/include dataplane' ;;
    config | forth) echo 'runtime/base' ;;
    image) echo 'runtime/base config' ;; # image/init reads the node's own configuration.
    dataplane) echo 'runtime/base runtime/env runtime/mem runtime/sched' ;;
    runtime/admin) echo 'runtime/base runtime/env runtime/mem runtime/sched' ;;
    runtime/lab) echo 'runtime/base runtime/env runtime/mesh config runtime/admin runtime/tool' ;;
    runtime/tool) echo 'runtime/base config forth runtime/admin runtime/mesh runtime/env runtime/lab image' ;;
    runtime/node) echo 'runtime/module runtime/base runtime/env runtime/mem runtime/storage runtime/mesh runtime/sched runtime/actor runtime/table runtime/otp runtime/port runtime/include config dataplane forth runtime/admin' ;;
    *) echo '*' ;;
    esac
}
git grep -nE '^#include "' -- runtime config dataplane forth image | while IFS=: read -r file line text; do
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

# 3. What a person must not find in the tree: unfinished things, and one machine's paths and hosts.
if git grep -nIE '\b(TODO|FIXME|XXX)\b' -- '*.c' '*.h' '*.sh' '*.fs' '*.fth' do ':!tests/check.sh' >"$build/todo.out"; then
    cat "$build/todo.out"
    fail 'an unfinished thing'
fi
if git grep -nIE '(^|[^A-Za-z0-9_.])/(work|root|home/[a-z]+|tmp/b-[a-z]+|tmp/ci-[0-9]+)/' -- ':!tests/check.sh' >"$build/paths.out"; then
    cat "$build/paths.out"
    fail 'a path of one machine'
fi
hosts=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | sed -n 's|^[^#]*://\([^/: ]*\).*|\1|p' |
    grep -vE '(^|\.)debian\.(org|net)$' | sort -u) || true
for host in $hosts; do
    if git grep -nIF "$host" >"$build/hosts.out"; then
        cat "$build/hosts.out"
        fail "a package source of one machine: $host"
    fi
done

# 4. Shell is plain sh.
for script in $(git ls-files '*.sh' do .ci/run); do
    sh -n "$script" || fail "$script does not parse"
done

# 5. Every error code that is given to a person is in the table of runtime/base/error.h, and the other way round.
code='runtime config dataplane forth image'
sed -n 's/^ *X(\(0[0-9]*\), .*/\1/p' runtime/base/error.h | sort -u >"$build/codes.table"
# shellcheck disable=SC2086
{
    git grep -hoE 'weft_error_set\([^,]*, *[0-9]{3}\b|reply_problem\([^,]*, *[0-9]{3}\b|reply_refusal\([^,]*, *[0-9]+, *[0-9]{3}\b|complain\([^,]*, *[0-9]{3}\b' -- $code |
        sed 's/.*[^0-9]\([0-9]*\)$/0\1/'
    git grep -hoE '\bW0[0-9]{3}\b' -- . ':!runtime/base/error.h' | tr -d W
} | sort -u >"$build/codes.used"
unknown=$(comm -13 "$build/codes.table" "$build/codes.used" | tr '\n' ' ')
[ -z "$unknown" ] || fail "error codes that are not in runtime/base/error.h: $unknown"
while read -r digits; do
    # shellcheck disable=SC2086
    git grep -qE "\b(W$digits|${digits#0})\b" -- $code ':!runtime/base/error.h' || fail "nothing gives the error W$digits"
done <"$build/codes.table"

# 6. No two object files define the same name: the linker takes whichever comes first.
find "$build/runtime" "$build/config" "$build/dataplane" "$build/forth" "$build/image/update" -name 'lib*.a' -exec nm -A -g --defined-only {} + 2>/dev/null |
    awk 'NF > 2 && $(NF - 1) ~ /^[TDBRGSC]$/ {
             object = $1
             sub(/^[^:]*:/, "", object) # An object may lie in two libraries.
             sub(/:.*/, "", object)
             if (!seen[object, $NF]++) { count[$NF]++; where[$NF] = where[$NF] " " object }
         }
         END { for (name in count) if (count[name] > 1) print name ":" where[name] }' >"$build/twice.out"
if [ -s "$build/twice.out" ]; then
    cat "$build/twice.out"
    fail 'a global name is defined twice'
fi

# 7. Generated files are what their tables say.
weft=$build/runtime/tool/weft
if [ -x "$weft" ]; then
    "$weft" config defaults | cmp -s - config/weft.toml || fail 'config/weft.toml is not `weft config defaults`'
    sh tests/unit/tool/docs_test.sh "$weft" docs || fail 'the reference in docs/ is not what weft prints'
fi
# What the pages name is there.
if ! sh tests/docs_check.sh >"$build/docs.out" 2>&1; then
    cat "$build/docs.out"
    fail 'a page names what is not there'
fi
exit $status
