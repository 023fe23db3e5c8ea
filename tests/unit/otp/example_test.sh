#!/bin/sh
# example_test.sh PROGRAM EXPECTED: the program prints what it should. Its log is not looked at.
set -eu
"$1" 2>/dev/null | diff - "$2"
