#!/bin/sh
# embed_runner.sh STRIP NM RUNNER OUTPUT SOURCE...: the runner's bytes as C, and what the functions of
# the SOURCEs take in it: the words that reach other units.
set -eu
strip=$1 nm=$2 runner=$3 output=$4
shift 4
"$strip" -o "$output.bin" "$runner"
# Every function that begins a line of a SOURCE; nm says how long each is.
grep -hoE '^[a-z][a-z0-9_ *]* \**[a-z0-9_]+\(' "$@" | sed 's/($//; s/.*[ *]//' | sort -u >"$output.names"
bytes=$("$nm" -t d -S "$runner" | awk 'NR == FNR { ours[$1]; next } NF == 4 && ($4 in ours) { sum += $2 } END { print sum + 0 }' "$output.names" -)
{
    echo "static const unsigned char runner[] = {"
    od -v -An -tx1 "$output.bin" | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'
    echo "};"
    echo "enum { CONCURRENCY_BYTES = $bytes };"
} >"$output"
rm -f "$output.bin" "$output.names"
