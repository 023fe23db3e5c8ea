#!/bin/sh
# With a TPM the firmware's stub measures what it starts: PCR 11 tells a slot's kernel from the rescue kernel, and is the
# same each time for the same one. It is what a secret could be sealed to.
. "$(dirname "$0")/lib.sh"

command -v swtpm >/dev/null || { echo 'SKIP: there is no swtpm (package swtpm)'; exit 77; }
rescue=$images/$name.rescue.efi
case $arch in arm64) tpm=tpm-tis-device ;; *) tpm=tpm-tis ;; esac

# measured EFI-PROGRAM NAME: what it says of PCR 11, on a machine of its own with a TPM of its own, into NAME.pcr.
measured() {
    machine "$2"
    vm_stick "$at" "$1"
    mkdir "$at/tpm"
    swtpm socket --tpm2 --tpmstate "dir=$at/tpm" --ctrl "type=unixio,path=$at/tpm/socket" --daemon --terminate || fail 'swtpm does not start'
    # shellcheck disable=SC2046
    vm_start "$at" $(vm_with_stick "$at") -chardev "socket,id=tpm,path=$at/tpm/socket" -tpmdev emulator,id=tpm,chardev=tpm \
        -device "$tpm",tpmdev=tpm -no-reboot || fail 'QEMU did not start'
    expect "$at" ': measured: PCR 11 '
    vm_said "$at" | sed -n 's/.*: measured: PCR 11 \([0-9A-F]*\).*/\1/p' | head -1 >"$work/$2.pcr"
    vm_stop "$at"
    [ "$(tr -d 0 <"$work/$2.pcr" | wc -c)" -gt 32 ] || fail "PCR 11 of $2 was not measured into: $(cat "$work/$2.pcr")"
}
measured "$rescue" rescue
measured "$images/$name.uki-a.efi" a
measured "$images/$name.uki-a.efi" again
cmp -s "$work/a.pcr" "$work/again.pcr" || fail "PCR 11 of one kernel differs: $(cat "$work/a.pcr" "$work/again.pcr")"
! cmp -s "$work/a.pcr" "$work/rescue.pcr" || fail 'PCR 11 is the same for the kernel of a slot and for the rescue kernel'
ok "measured: slot a $(cut -c1-16 "$work/a.pcr")…, rescue $(cut -c1-16 "$work/rescue.pcr")…"
