#!/bin/sh
# exports.sh list|script HEADER...: what modules and programs may call, for the linker: every
# function and object that a public header declares. As a dynamic list (of a program that loads
# modules) or a version script (of libweft).
set -eu
kind=$1
shift
[ "$kind" = list ] && echo '{' || echo '{ global:'
# Not what a macro declares in the user's own file: its lines end with a backslash.
cat "$@" | sed -e 's|//.*||' -e '/\\$/d' |
    grep -oE '\bweft_[a-z0-9_]+ *\(|extern const [a-z_ ]*\bweft_[a-z0-9_]+;' |
    grep -oE 'weft_[a-z0-9_]+ *[(;]' | grep -oE 'weft_[a-z0-9_]+' | sort -u | sed 's/$/;/'
echo '__cyg_profile_func_enter; __cyg_profile_func_exit;'
[ "$kind" = list ] && echo '};' || echo 'local: *; };'
