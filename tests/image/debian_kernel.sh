#!/bin/sh
# The flavour on Debian's kernel, whose drivers are modules in a first root in memory: it comes up as the other does, and DPDK
# has the drivers that only this flavour has.
# WEFT_ALL=yes: and is as strict about what it starts.
export WEFT_KERNEL=debian
. "$(dirname "$0")/lib.sh"

more=
[ "${WEFT_ALL:-no}" = no ] || more='secure_boot rollback corrupt rescue'
# shellcheck disable=SC2086
others smoke drivers $more frames
tell_left_out
