#!/bin/sh
# example_test.sh PROGRAM EXPECTED: the program prints what it should. Its log is not looked at.
set -eu
# Meson names what runs programs of another CPU.
# shellcheck disable=SC2086
${MESON_EXE_WRAPPER:-} "$1" 2>/dev/null | diff - "$2"
