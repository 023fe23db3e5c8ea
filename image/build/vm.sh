# vm.sh: sourced by `./do boot` and by tests/image. One emulated machine that boots the image as hardware would: UEFI,
# the boot loader, an IOMMU, a disk of its own.
#
# A machine is a folder: disk.img (its copy of the image: a boot writes to it), vars.fd (what its firmware remembers),
# serial.log, pid. Functions take that folder first. Needs: choose_arch and choose_kernel (image.sh), and QEMU with its firmware installed.
# shellcheck shell=sh

vm_fail() { echo "vm: $*" >&2; return 1; }

vm_conf_at=$((esp_mib + 105))M # Where the FAT drive lies in the image (image/build/disk.sh).
vm_esp_at=1M
vm_ready=${WEFT_READY_LINE:-'weft-init: ready'} # What a node says on its serial line when /readyz answers.
export MTOOLS_SKIP_CHECK=1

# The firmware: its program, and the memory of one that has never run.
case $arch in
arm64) vm_firmware=/usr/share/AAVMF/AAVMF_CODE.fd vm_memory_of_firmware=/usr/share/AAVMF/AAVMF_VARS.fd ;;
amd64) vm_firmware=/usr/share/OVMF/OVMF_CODE_4M.fd vm_memory_of_firmware=/usr/share/OVMF/OVMF_VARS_4M.fd ;;
esac

# vm_make DIR IMAGE: a machine with a copy of the image that takes no more room than what is in it.
vm_make() {
    mkdir -p "$1"
    cp --sparse=always --reflink=auto "$2" "$1/disk.img"
    [ -f "$vm_firmware" ] || { vm_fail "there is no $vm_firmware"; return 1; }
    cp --sparse=always "$vm_memory_of_firmware" "$1/vars.fd"
}

# vm_put DIR FILE NAME: onto its FAT drive, as a laptop would. vm_get DIR NAME: what stands there, on stdout.
vm_put() { mcopy -i "$1/disk.img@@$vm_conf_at" -o "$2" "::$3"; }
vm_get() { mtype -i "$1/disk.img@@$vm_conf_at" "::$2"; }
vm_esp_list() { mdir -b -i "$1/disk.img@@$vm_esp_at" ::EFI/Linux | sed 's|^::/EFI/Linux/||' | sort; }

# vm_accelerator: the words for the CPU. TCG with cortex-a72: `max` emulates pointer authentication, at five times the cost;
# with Nehalem: the least that Debian's DPDK runs on.
vm_accelerator() {
    if [ "$arch" = "$(dpkg --print-architecture)" ] && [ -w /dev/kvm ] && [ "${WEFT_KVM:-no}" = yes ]; then echo '-accel kvm -cpu host'
    elif [ "$arch" = amd64 ]; then echo '-accel tcg,thread=multi -cpu Nehalem'
    else echo '-accel tcg,thread=multi -cpu cortex-a72'
    fi
}

# vm_board: the machine, and its IOMMU; none with vm_iommu set to nothing.
vm_board() {
    case $arch-${vm_iommu-yes} in
    arm64-) echo 'aarch64 -M virt,gic-version=3' ;;
    arm64-*) echo 'aarch64 -M virt,gic-version=3,iommu=smmuv3' ;;
    amd64-) echo 'x86_64 -M q35,kernel-irqchip=split' ;;
    amd64-*) echo 'x86_64 -M q35,kernel-irqchip=split -device intel-iommu,intremap=on,caching-mode=on' ;;
    esac
}

# vm_disk DIR: the words of its disk. With $vm_log, each write to it and each flush is noted in disk.log beside it.
vm_disk() {
    if [ "${vm_log:-no}" = yes ]; then
        printf '%s' "-blockdev driver=file,node-name=image,filename=$1/disk.img -blockdev driver=file,node-name=log,filename=$1/disk.log \
            -blockdev driver=blklogwrites,node-name=disk,file=image,log=log"
    else
        printf '%s' "-drive if=none,id=disk,format=raw,file=$1/disk.img,cache=${vm_cache:-writeback}"
    fi
}

# vm_run DIR ARGUMENT…: QEMU in the foreground, as this machine. The arguments say where its serial line goes, and its NICs.
vm_run() {
    vm_dir=$1
    shift
    # shellcheck disable=SC2046
    qemu-system-$(vm_board) "$@" $(vm_accelerator) -smp "${vm_cpus:-2}" -m "${vm_memory:-1024}" -display none -vga "${vm_screen:-none}" -nodefaults \
        -drive if=pflash,unit=0,format=raw,readonly=on,file="$vm_firmware" -drive if=pflash,unit=1,format=raw,file="$vm_dir/vars.fd" \
        $(vm_disk "$vm_dir") -device virtio-blk-pci,drive=disk,bootindex=1 \
        -device virtio-rng-pci -device i6300esb -action watchdog=reset \
        -boot menu=on,splash-time=0 # Or the firmware waits five seconds for a key.
}

# vm_stick DIR EFI-PROGRAM: a USB stick that starts this program. vm_with_stick DIR: the words that plug it in, before the disk.
vm_stick() {
    rm -f "$1/stick.img"
    truncate -s $(($(stat -c %s "$2") / 1048576 + 64))M "$1/stick.img"
    mkfs.vfat -F 32 "$1/stick.img" >/dev/null && mmd -i "$1/stick.img" ::EFI ::EFI/BOOT &&
        mcopy -i "$1/stick.img" "$2" "::EFI/BOOT/BOOT$(echo "$efi_arch" | tr a-z A-Z).EFI"
}
vm_with_stick() {
    printf '%s' "-device qemu-xhci -drive if=none,id=stick,format=raw,file=$1/stick.img -device usb-storage,drive=stick,bootindex=0"
}

# vm_start DIR ARGUMENT…: the same in the background. It returns when the machine runs and its sockets listen.
vm_start() {
    vm_at=$1
    shift
    rm -f "$vm_at/serial.log" "$vm_at/pid"
    vm_run "$vm_at" -chardev "socket,id=serial,path=$vm_at/serial,server=on,wait=off,logfile=$vm_at/serial.log" -serial chardev:serial -monitor none -qmp "unix:$vm_at/qmp,server=on,wait=off" \
        -daemonize -pidfile "$vm_at/pid" "$@" >"$vm_at/qemu.log" 2>&1 || { cat "$vm_at/qemu.log" >&2; return 1; }
}

vm_alive() { [ -s "$1/pid" ] && kill -0 "$(cat "$1/pid")" 2>/dev/null; }

# vm_wait DIR PATTERN SECONDS: until its serial line has said it (since vm_start or vm_mark); 1 if it ends or stays silent.
# The seconds are of this machine and only there so that nothing waits for ever; what a test states is the guest's time.
vm_wait() {
    vm_pid=$(cat "$1/pid" 2>/dev/null) || vm_pid=2147483647 # Nobody's: what it has said is looked at.
    [ -e "$1/serial.log" ] || return 1
    touch "$1/serial.log"
    rm -f "$1/lines"
    mkfifo "$1/lines"
    timeout "$3" tail -n "+$(($(cat "$1/mark" 2>/dev/null || echo 0) + 1))" -s 0.2 -f --pid="${vm_pid:-2147483647}" "$1/serial.log" >"$1/lines" 2>/dev/null &
    vm_tail=$!
    vm_found=0
    grep -a -m 1 -q -e "$2" "$1/lines" || vm_found=1
    kill "$vm_tail" 2>/dev/null || true # It would only learn of grep's end by its next line.
    return $vm_found
}

# vm_mark DIR: from here on; what was said before does not count any more.
vm_mark() { wc -l <"$1/serial.log" >"$1/mark"; }
vm_said() { tail -n "+$(($(cat "$1/mark" 2>/dev/null || echo 0) + 1))" "$1/serial.log" | tr -d '\r'; }

# vm_type DIR LINE: into its serial line.
vm_type() { printf '%s\n' "$2" | timeout 60 nc -N -U "$1/serial" >/dev/null; }

# vm_stop DIR: as pulling the plug. vm_ended DIR SECONDS: whether it switches itself off.
vm_stop() {
    vm_alive "$1" || return 0
    vm_pid=$(cat "$1/pid" 2>/dev/null) || return 0 # It has just switched itself off.
    kill -9 "$vm_pid" 2>/dev/null || true
    tail -s 0.1 -f --pid="$vm_pid" /dev/null # Until it is gone, and the disk is its owner's again.
    rm -f "$1/mark"
}
vm_ended() {
    vm_alive "$1" || return 0
    vm_pid=$(cat "$1/pid" 2>/dev/null) || return 0 # QEMU takes the file along.
    timeout "$2" tail -s 0.1 -f --pid="$vm_pid" /dev/null
}

# vm_admin_nic NUMBER PORT: the kernel's own card, with its admin port forwarded to this machine's loopback.
vm_admin_nic() {
    printf '%s' "-netdev user,id=admin,hostfwd=tcp:127.0.0.1:$2-:9338 -device virtio-net-pci,netdev=admin,mac=52:54:57:00:00:$(printf %02x "$1"),romfile="
}

# vm_mesh_nic NUMBER [MODEL]: the card that DPDK takes, on the network `mesh`; virtio behind the IOMMU unless told otherwise.
vm_mesh_nic() {
    case ${2:-virtio} in
    virtio) vm_model=virtio-net-pci,disable-legacy=on,iommu_platform=on ;;
    *) vm_model=$2 ;;
    esac
    printf '%s' "-device $vm_model,netdev=mesh,mac=52:54:57:01:00:$(printf %02x "$1"),romfile="
}

# vm_mesh_net DIR NUMBER COUNT: the wire between them: machine 1 is the hub, the others hang on its sockets. It loses nothing
# (a full socket holds the sender back), so frames can be counted. With $vm_wire, the path of a socket, all hang on that.
vm_mesh_net() {
    if [ -n "${vm_wire:-}" ]; then
        printf '%s' "-netdev stream,id=mesh,server=off,addr.type=unix,addr.path=$vm_wire"
    elif [ "$2" != 1 ]; then
        printf '%s' "-netdev stream,id=mesh,server=off,addr.type=unix,addr.path=$1/wire$2"
    elif [ "$3" = 1 ]; then
        printf '%s' '-netdev hubport,id=mesh,hubid=1'
    elif [ "$3" = 2 ]; then
        printf '%s' "-netdev stream,id=mesh,server=on,addr.type=unix,addr.path=$1/wire2"
    else
        printf '%s' '-netdev hubport,id=mesh,hubid=1'
        vm_other=2
        while [ "$vm_other" -le "$3" ]; do
            printf '%s' " -netdev stream,id=wire$vm_other,server=on,addr.type=unix,addr.path=$1/wire$vm_other -netdev hubport,id=hub$vm_other,hubid=1,netdev=wire$vm_other"
            vm_other=$((vm_other + 1))
        done
    fi
}

# vm_config NUMBER COUNT FILE: weft.toml of a node of a swarm: one port, greeting the others.
vm_config() {
    vm_seeds=
    vm_other=1
    while [ "$vm_other" -le "$2" ]; do
        [ "$vm_other" = "$1" ] || vm_seeds="$vm_seeds${vm_seeds:+, }\"10.77.0.$((10 + vm_other)):4201\""
        vm_other=$((vm_other + 1))
    done
    cat >"$3" <<TOML
[node]
name = "n$1"

[cores]
workers = 1

[mesh]
key_file = "join.token"
seeds = [$vm_seeds]

[admin]
listen = "0.0.0.0:9338"
owner_token = "owner.token"

[ports.p0]
device = "mac:52:54:57:01:00:$(printf %02x "$1")"
address = "10.77.0.$((10 + $1))/24"
TOML
}

# vm_join_token FILE: a new cluster key: 64 hex digits and a newline.
vm_join_token() { echo "$(head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n')" >"$1"; }
