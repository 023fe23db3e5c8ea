#!/bin/sh
# A machine whose clock has no battery: it does not start before the image was built, says so, and takes the time from a peer.
. "$(dirname "$0")/lib.sh"

dead='-rtc base=1970-01-01T00:00:00'
epoch=$(cat "$images/epoch" 2>/dev/null || git -C "$root" -c safe.directory='*' log -1 --format=%ct)
said() { vm_get "$1" status.txt | tr -d '\r' | sed -n "s/^$2: *//p"; }

machine n1
give "$at" 1 1
# shellcheck disable=SC2046,SC2086
vm_start "$at" $dead $(vm_admin_nic 1 $((port_base + 1))) $(vm_mesh_net "$work" 1 1) $(vm_mesh_nic 1) || fail 'QEMU did not start'
expect "$at" 'weft-init: the clock stood before a time that has passed; it was set forward'
expect "$at" "$vm_ready"
expect "$at" 'weft-init: status.txt says ready'
said "$at" clock | grep -q '^WRONG: .*before the image was built' || fail "status.txt says of its clock: $(said "$at" clock)"
written=$(date -u -d "$(said "$at" written | cut -d' ' -f1)" +%s)
[ "$written" -ge "$epoch" ] && [ "$written" -lt $((epoch + 3600)) ] || fail "its time is $written, the image's $epoch"
# Whoever has the right time, or the image's, finds the certificate valid.
valid_from=$(openssl s_client -connect "127.0.0.1:$((port_base + 1))" </dev/null 2>/dev/null | openssl x509 -noout -startdate | cut -d= -f2)
[ -n "$valid_from" ] && [ "$(date -u -d "$valid_from" +%s)" -le "$epoch" ] || fail "its certificate is valid from '$valid_from'"
[ "$(ask 1 /readyz)" = ready ] || fail '/readyz does not say ready'
vm_stop "$at"
ok 'it begins when the image was built, serves, and says that its clock is wrong'

# n2 has a clock and tells; n1 has none and asks. One wire between their admin cards.
printf '[node]\nname = "n2"\n[admin]\naddress = "10.9.0.2/24"\n[time]\nserve = true\n' >"$work/teller.toml"
printf '[node]\nname = "n1"\n[admin]\naddress = "10.9.0.1/24"\n[time]\nservers = ["10.9.0.2:123"]\n' >"$work/asker.toml"
wire() { printf '%s' "-netdev stream,id=wire,server=$1,addr.type=unix,addr.path=$work/wire -device virtio-net-pci,netdev=wire,romfile=,mac=52:54:57:00:00:0$2"; }
asker=$at
vm_put "$asker" "$work/asker.toml" weft.toml
machine n2
vm_put "$at" "$work/teller.toml" weft.toml
# shellcheck disable=SC2046
vm_start "$at" $(wire on 2) || fail 'QEMU did not start'
expect "$at" "$vm_ready"
expect "$at" 'weft-init: status.txt says ready'
said "$at" clock | grep -q "^the machine's own" || fail "status.txt of the teller says: $(said "$at" clock)"
# shellcheck disable=SC2046,SC2086
vm_start "$asker" $dead $(wire off 1) || fail 'QEMU did not start'
expect "$asker" 'weft-init: the clock was -[0-9.]* s off and is set by a time server: 10.9.0.2'
expect "$asker" 'weft-init: status.txt says ready'
said "$asker" clock | grep -q '^set by the time server 10.9.0.2' || fail "status.txt of the asker says: $(said "$asker" clock)"
now=$(date +%s)
written=$(date -u -d "$(said "$asker" written | cut -d' ' -f1)" +%s)
[ "$written" -ge $((now - 600)) ] && [ "$written" -le $((now + 600)) ] || fail "its time is $written, and it is $now"
ok 'it takes the time from a peer'
