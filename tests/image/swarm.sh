#!/bin/sh
# The bench of a swarm, between three machines whose wire loses nothing, 1 % and 5 % of the frames: it runs, each row has
# a figure, and they are printed. The third machine loses its power and starts again for the last two rows.
. "$(dirname "$0")/lib.sh"
tool=${WEFT_TOOL:-$root/build/runtime/tool/weft}
bench=${WEFT_BENCH_SWARM:-$root/build/bench/macro/bench_swarm}
[ -x "$tool" ] && [ -x "$bench" ] || { echo "SKIP: there is no $bench: ./do build"; exit 77; }

program wire
vm_wire=$work/wire
"$program" "$vm_wire" 0 "${WEFT_SEED:-1}" >"$work/wire.log" &
wire_pid=$!
hosts=
for number in 1 2 3; do
    machine n$number
    give "$at" $number 3
    start "$at" $number 3
    hosts="$hosts${hosts:+,}https://127.0.0.1:$((port_base + number))"
done
for number in 1 2 3; do expect "$work/n$number" 'weft-init: status.txt says ready'; done

# One line each for the bench to run: the third machine goes, and comes.
third="$(vm_admin_nic 3 $((port_base + 3))) $(vm_mesh_net "$work" 3 3) $(vm_mesh_nic 3)"
for what in "vm_stop '$work/n3'" "vm_start '$work/n3' $third"; do
    printf "set -eu; arch=%s esp_mib=$esp_mib vm_firmware='%s'; . '%s/image/build/vm.sh'; %s\n" "$arch" "$vm_firmware" "$root" "$what" >"$work/${what%% *}"
done
for loss in 0 1 5; do
    echo $((loss * 100)) >"$vm_wire.loss"
    kill -HUP "$wire_pid"
    expect "$work/n3" "$vm_ready" # It has started again.
    (cd "$root" && WEFT_TOKEN=$(cat "$work/owner.token") timeout 600 "$bench" "$tool" "$work" "--hosts=$hosts" "--loss=$loss" \
        "--kill=sh $work/vm_stop" "--start=sh $work/vm_start") >"$work/swarm.$loss" 2>&1 || fail "at $loss % loss: $(cat "$work/swarm.$loss")"
    sed "s/^/$test_name: /" "$work/swarm.$loss"
    grep -q 'p99' "$work/swarm.$loss" || fail 'the bench has no figures'
done
kill "$wire_pid"
wait "$wire_pid" 2>/dev/null || true
ok "load $(cut -d' ' -f1 /proc/loadavg); $(cat "$work/wire.log")"
