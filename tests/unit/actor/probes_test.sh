#!/bin/sh
# probes_test.sh PROGRAM: the program has the eight probes of docs/tracing.md, and no others of ours.
set -eu
found=$(readelf --notes --wide "$1" | awk '/Provider: weft$/ { ours = 1; next } ours && /Name: / { print $2; ours = 0 }' |
    sort -u | tr '\n' ' ')
wanted='crash exit move mute receive send spawn stuck '
[ "$found" = "$wanted" ] || { echo "FAIL: the probes are '$found', not '$wanted'"; exit 1; }
