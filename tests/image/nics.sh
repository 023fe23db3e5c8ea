#!/bin/sh
# The cards that QEMU has and the image has a driver for: each takes part in the exchange of frames.
. "$(dirname "$0")/lib.sh"

for model in e1000e ${WEFT_ALL:+vmxnet3}; do
    sh "$root/tests/image/frames.sh" "$model" || fail "$model does not pass frames"
done
