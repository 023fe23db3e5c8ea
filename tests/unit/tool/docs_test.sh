#!/bin/sh
# docs_test.sh WEFT DOCS: the committed reference says what the table of commands says.
set -eu
status=0
for page in "man man/weft.1" "man5 man/weft.toml.5" "markdown cli.md" "forth forth-words.md"; do
    kind=${page%% *} file=${page#* }
    if ! ${MESON_EXE_WRAPPER-} "$1" __docs "$kind" | cmp -s - "$2/$file"; then
        echo "docs/$file is not what the table says: weft __docs $kind >docs/$file" >&2
        status=1
    fi
done
exit $status
