#!/bin/sh
# page_test.sh PAGE ROOT COUNT: each block of C in PAGE, COUNT or more of them, stands, line for line, in the
# file named last before it in backticks: what is read is what is compiled.
set -eu
awk -v root="$2" -v wanted="$3" '
    function load(path,   line) {
        text = "\n"
        while ((getline line < path) > 0) text = text line "\n"
        close(path)
        if (text == "\n") { print path ": empty, or not there"; bad = 1 }
    }
    /^```c$/ { inside = 1; block = "\n"; next }
    /^```$/ && inside {
        inside = 0
        blocks++
        if (index(text, block) == 0) { print "not in " file ":" block; bad = 1 }
        next
    }
    inside { block = block $0 "\n"; next }
    match($0, /`docs\/examples\/[^`]*\.c`/) {
        file = substr($0, RSTART + 1, RLENGTH - 2)
        load(root "/" file)
    }
    END {
        if (blocks < wanted) { print "only " blocks " blocks"; bad = 1 }
        exit bad
    }' "$1"
