# boot.sh: sourced by `./do boot`. The image in QEMU: one node on this terminal, or a swarm; or a quick check.
# shellcheck shell=sh

boot_usage() {
    cat <<'TXT'
usage: ./do boot [--arch ARCH] [--kernel KERNEL] [--nodes N] [--smoke] [--rescue] [--config FILE] [--image FILE] [--port N]

Starts a copy of the image in QEMU: UEFI, boot loader, verified root, packets by DPDK on vfio-pci behind an
emulated IOMMU. The serial line is this terminal; Ctrl-C ends it and leaves nothing behind.

  --arch ARCH    arm64 (the default) or amd64
  --kernel KERNEL   own (the default) or debian, as of ./do image
  --nodes N      that many (1 to 8), joined to a swarm by the network of their data ports (default 1)
  --smoke        check that one node comes up and answers, then stop; exit 0 or 1
  --rescue       the rescue kernel from a USB stick, beside the image's disk; Ctrl-C is the shell's, Ctrl-A x ends it
  --config FILE  the weft.toml of node 1, instead of one made for it
  --image FILE   another image (default build-image/weft-VERSION-ARCH.img, which is made when it is not there)
  --port N       where the admin ports begin on this machine's loopback (default 9338)
TXT
}

boot_clean() {
    [ -z "${boot_tail:-}" ] || kill "$boot_tail" 2>/dev/null || true
    for boot_one in "$boot_dir"/n*; do [ ! -d "$boot_one" ] || vm_stop "$boot_one"; done
    rm -rf "$boot_dir"
}

# boot_make NUMBER: the machine of that node, with its configuration and keys on the FAT drive.
boot_make() {
    boot_at=$boot_dir/n$1
    vm_make "$boot_at" "$boot_image" || die 'the machine could not be made'
    vm_config "$1" "$boot_nodes" "$boot_dir/weft.toml"
    [ "$1" != 1 ] || [ -z "$boot_config" ] || cp "$boot_config" "$boot_dir/weft.toml"
    vm_put "$boot_at" "$boot_dir/weft.toml" weft.toml
    vm_put "$boot_at" "$boot_dir/join.token" join.token
    vm_put "$boot_at" "$boot_dir/owner.token" owner.token
}

# The arguments of its NICs.
boot_nics() {
    echo "$(vm_admin_nic "$1" $((boot_port + $1 - 1))) $(vm_mesh_net "$boot_dir" "$1" "$boot_nodes") $(vm_mesh_nic "$1")"
}

boot_swarm() {
    number=1
    while [ "$number" -le "$boot_nodes" ]; do
        boot_make "$number"
        # shellcheck disable=SC2046
        vm_start "$boot_dir/n$number" $(boot_nics "$number") || die "node $number did not start"
        number=$((number + 1))
    done
    number=1
    while [ "$number" -le "$boot_nodes" ]; do
        vm_wait "$boot_dir/n$number" "$vm_ready" 300 || { tail -20 "$boot_dir/n$number/serial.log" >&2; die "node $number did not get ready"; }
        say "n$number: https://127.0.0.1:$((boot_port + number - 1))"
        number=$((number + 1))
    done
    boot_tell
    # What they say from here on, until Ctrl-C; in the background, since a shell that waits for a program hears no signal.
    tail -q -n 0 -f "$boot_dir"/n*/serial.log &
    boot_tail=$!
    wait $boot_tail
}

boot_tell() {
    say "its owner's token: export WEFT_TOKEN=$(cat "$boot_dir/owner.token")"
    say "then: ./do weft --socket https://127.0.0.1:$boot_port swarm status"
}

boot_smoke() {
    boot_make 1
    # shellcheck disable=SC2046
    vm_start "$boot_dir/n1" $(boot_nics 1) || die 'QEMU did not start'
    if vm_wait "$boot_dir/n1" "$vm_ready" 300 &&
        curl -fsSk --max-time 60 -H "Authorization: Bearer $(cat "$boot_dir/owner.token")" "https://127.0.0.1:$boot_port/readyz" >"$boot_dir/readyz"; then
        tr -d '\r' <"$boot_dir/n1/serial.log" | grep 'weft-init:' || true
        say "boot: ready, and the admin port answers: $(cat "$boot_dir/readyz")"
        return 0
    fi
    tail -40 "$boot_dir/n1/serial.log" >&2
    say 'boot: the node did not become ready (or its admin port does not answer)'
    return 1
}

boot_rescue() {
    boot_make 1
    boot_program=${boot_image%.img}.rescue.efi
    [ -f "$boot_program" ] || die "boot: there is no $boot_program: ./do image"
    vm_stick "$boot_dir/n1" "$boot_program" || die 'boot: the stick could not be made'
    # shellcheck disable=SC2046
    vm_run "$boot_dir/n1" -serial mon:stdio -monitor none $(vm_with_stick "$boot_dir/n1") -no-reboot
}

boot_image() {
    . "$root/image/build/image.sh"
    choose_arch arm64
    choose_kernel own
    boot_kernel=own
    boot_nodes=1 boot_smoke=no boot_rescue=no boot_config='' boot_image='' boot_port=9338
    while [ $# -gt 0 ]; do
        case $1 in
        --arch) choose_arch "${2:?}"; shift ;;
        --kernel) choose_kernel "${2:?}"; boot_kernel=$2; shift ;;
        --nodes) boot_nodes=${2:?}; shift ;;
        --smoke) boot_smoke=yes ;;
        --rescue) boot_rescue=yes ;;
        --config) boot_config=${2:?}; shift ;;
        --image) boot_image=${2:?}; shift ;;
        --port) boot_port=${2:?}; shift ;;
        -h | --help) boot_usage; return 0 ;;
        *) boot_usage >&2; exit 64 ;;
        esac
        shift
    done
    case $boot_nodes in [1-8]) ;; *) die 'boot: --nodes is 1 to 8' ;; esac
    . "$root/image/build/vm.sh"
    # shellcheck disable=SC2086
    install_missing $packages_boot_vm
    version=$(image_version)
    [ -n "$boot_image" ] || boot_image=$(results)/weft-$version-$arch$flavour.img
    [ -f "$boot_image" ] || (build_image --arch "$arch" --kernel "$boot_kernel")
    boot_dir=$(mktemp -d "${TMPDIR:-/tmp}/weft-boot.XXXXXX")
    trap boot_clean EXIT
    trap 'exit 130' INT TERM
    vm_join_token "$boot_dir/join.token"
    vm_join_token "$boot_dir/owner.token"
    if [ "$boot_smoke" = yes ]; then boot_smoke
    elif [ "$boot_rescue" = yes ]; then boot_rescue
    elif [ "$boot_nodes" != 1 ]; then boot_swarm
    else
        boot_make 1
        say "its admin port: https://127.0.0.1:$boot_port"
        boot_tell
        # shellcheck disable=SC2046
        vm_run "$boot_dir/n1" -serial stdio -monitor none $(boot_nics 1)
    fi
}
