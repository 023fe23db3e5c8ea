#!/bin/sh
# The cards that QEMU has and the image has a driver for: each takes part in the exchange of frames. The million is for
# virtio, in frames.sh.
. "$(dirname "$0")/lib.sh"

more=
[ "${WEFT_ALL:-no}" = no ] || more=vmxnet3
for model in e1000e $more; do
    WEFT_ALL=no sh "$root/tests/image/frames.sh" "$model" || fail "$model does not pass frames"
done
