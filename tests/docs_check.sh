#!/bin/sh
# docs_check.sh: every file, function, constant and command that the documentation names is there.
#
# What it looks at: README.md, docs/, and the README of each directory. What it takes for a name:
#   runtime/node/node.c, steer.h, bench/       a file or directory, from the root, beside the page, or by its last part
#   weft_core_turn, WEFT_DROP_TABLE, struct …  a word of the sources
#   `weft_unit_actor_keep`                     a C function or word in backticks, if it has an underscore
#   `weft unit ls`, `./do fuzz`                a command of the tool or of ./do
# A page that names a file of its reader's own says so: <!-- docs_check: hello.fth -->
#
# Exits 1 and names what does not exist. Needs git, grep and awk.
set -eu
cd "$(dirname -- "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git ls-files --cached --others --exclude-standard >"$work/files"
grep -E '(^|/)README\.md$|^docs/.*\.md$' "$work/files" | grep -v -e '^docs/cli\.md$' -e '^docs/man/' >"$work/pages"
sed -n 's|^|/|p' "$work/files" >"$work/slashed"
sed -n 's|/[^/]*$|/|p' "$work/slashed" | awk '{ n = split($0, part, "/"); path = "/"
    for (i = 2; i < n; i++) { path = path part[i] "/"; if (!(path in seen)) { seen[path]; print path } } }' >"$work/directories"
# Every word of the sources, once.
grep -E '\.(c|h|inc|fs|sh|build)$|^do$' "$work/files" | while read -r file; do
    [ ! -f "$file" ] || grep -hoE '[A-Za-z_][A-Za-z0-9_]{3,}' "$file" || :
done | sort -u >"$work/words"
# "forth *": the noun alone is a command, whatever stands behind it.
awk -F'"' '/\.noun = / { if (noun != "" && !verb) print noun " *" }
    /\.noun = "/ { noun = $2; verb = 0; print noun } /\.verb = "/ { verb = 1; print noun " " $2 }' \
    runtime/tool/commands.c runtime/tool/image_commands.c runtime/lab/commands.c | sort -u >"$work/commands"
# Words of others, and what only looks like one of ours.
theirs='memory_order net_memif epb_flags isb_ifdrop weft mesh claim'

miss() { # PAGE WHAT NAME
    case " $own $theirs " in *" $3 "*) return 0 ;; esac
    echo "$1: there is no $2 $3" >>"$work/missing"
}

has_word() { grep -qxF -- "$1" "$work/words"; }

has_file() { # PAGE NAME
    case $2 in
    */) grep -qE -- "/$2$" "$work/directories" ;;
    */*) [ -e "$2" ] || [ -e "$(dirname -- "$1")/$2" ] || grep -qF -- "/$2" "$work/slashed" ;;
    *) [ -e "$2" ] || [ -e "$(dirname -- "$1")/$2" ] || grep -qE -- "/$(printf %s "$2" | sed 's/\./\\./g')$" "$work/slashed" ;;
    esac
}

: >"$work/missing"
while read -r page; do
    own=$(sed -n 's/^<!-- docs_check: \(.*\) -->$/\1/p' "$page" | tr '\n' ' ')
    # Files and directories.
    grep -oE '[A-Za-z0-9_./*-]*[A-Za-z0-9_]\.(c|h|inc|fs|fth|sh|md|toml)\b' "$page" | grep -v '[*]' | sort -u >"$work/names" || :
    grep -oE '(^|[ (`|])(runtime|dataplane|forth|config|tests|bench|docs|image)/([A-Za-z0-9_.-]+/)*' "$page" |
        grep -oE '[a-z].*' | sort -u >>"$work/names" || :
    while read -r name; do
        case $name in DIR/* | */DIR/* | NAME* | */NAME* | */FILE | FILE* | /*) continue ;; esac
        has_file "$page" "${name#./}" || miss "$page" file "$name"
    done <"$work/names"
    # Words of ours.
    grep -oE '\b(weft|WEFT|world)_[A-Za-z0-9_]+' "$page" | sort -u >"$work/names" || :
    while read -r name; do
        case $name in weft_MODULE_VERB) continue ;; esac
        has_word "$name" || miss "$page" name "$name"
    done <"$work/names"
    # Names in backticks, with an underscore or a struct in front.
    grep -oE '`(struct |enum )?[A-Za-z]+(_[A-Za-z0-9]+)+(\(\))?`' "$page" | tr -d '`()' | sed 's/^[a-z]* //' | sort -u >"$work/names" || :
    while read -r name; do
        has_word "$name" || miss "$page" name "$name"
    done <"$work/names"
    # Commands: `weft NOUN VERB …` and `./do NAME`.
    grep -oE '(^ *\$ (\./do )?|`(\./do )?)weft [a-z_]+( [a-z_]+)?' "$page" | sed 's/.*weft //' | sort -u >"$work/names" || :
    while read -r noun verb; do
        grep -qxF -- "$noun" "$work/commands" || { miss "$page" command "weft $noun"; continue; }
        # A noun that has verbs is followed by one of them, unless it is a command by itself.
        if [ -n "$verb" ] && ! grep -qxF -- "$noun *" "$work/commands" && grep -q "^$noun " "$work/commands"; then
            grep -qxF -- "$noun $verb" "$work/commands" || miss "$page" command "weft $noun $verb"
        fi
    done <"$work/names"
    grep -oE '\./do [a-z]+' "$page" | sort -u | sed 's/.* //' >"$work/names" || :
    while read -r name; do
        grep -qE "^([a-z| -]*\| )?$name( \|[a-z| -]*)?\)" do || miss "$page" command "./do $name"
    done <"$work/names"
done <"$work/pages"
if [ -s "$work/missing" ]; then
    sort -u "$work/missing"
    exit 1
fi
