#!/bin/sh
# do: the front door. Installs what is missing, builds, runs, tests. Needs nothing but sh and apt.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
cd "$root"
build=${WEFT_BUILD_DIR:-build}
# Where meson finds ccache it uses it, and ccache fails where it may not write.
[ -w "${CCACHE_DIR:-${HOME:-/nonexistent}}" ] || export CCACHE_DISABLE=1

packages_build='gcc libc6-dev meson ninja-build pkg-config libdpdk-dev liburing-dev libjemalloc-dev
libgnutls28-dev libmicrohttpd-dev libjansson-dev libedit-dev systemtap-sdt-dev iproute2'
packages_test='libcmocka-dev clang-14 llvm-14 libclang-rt-14-dev clang-format-14 netcat-openbsd
iputils-ping tcpdump strace spin util-linux procps curl git gforth-common'
packages_cross='gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static'
packages_vm='qemu-system-arm cpio'
# The image: what builds the kernel, makes the file systems, signs. And what starts it.
packages_image='linux-source-6.12 make flex bison bc libelf-dev libssl-dev openssl xz-utils zstd erofs-utils cryptsetup-bin
dosfstools mtools e2fsprogs fdisk sbsigntool faketime binutils'
packages_boot_vm='qemu-system-arm qemu-efi-aarch64 qemu-system-x86 ovmf dosfstools mtools netcat-openbsd curl jq'
# What the arm64 sysroot holds: unpacked with dpkg -x, never installed (multiarch -dev packages conflict).
packages_arm64='libdpdk-dev liburing-dev libjemalloc-dev libgnutls28-dev libmicrohttpd-dev
libjansson-dev libedit-dev libcmocka-dev libc6-dev libgcc-12-dev'

usage() {
    cat <<'TXT'
usage: ./do COMMAND [ARGUMENT…]

  run [--smoke]   build, then start a swarm of three on this machine until Ctrl-C
                  (--smoke: check that it works, then stop; exit 0 or 1)
  test            build and pass every test that this machine can run
  test forth …    the standard's Forth suites: Debian's (gforth-common), or with --suite DIR those of a
                  checkout of forth2012-test-suite; --mode plain, single or restore for one way only;
                  --mode relay --peer COMMAND: by turns here and in a process of another CPU
  test soak …     a great many actors for a long time (--actors N, --seconds N)
  test mutants …  that the proofs of the actors find faults that are put in on purpose
  test arm64-vm … the actors in an emulated ARM64 machine
  test image …    the flashable image in emulated machines (--all: over an hour; --jobs N at a time; or names)
  weft …          run the tool just built: ./do weft swarm status

  build [KIND]    KIND is release (default), debug, asan, tsan, clang, fuzz or arm64
  setup           install what building and testing needs (apt, with sudo when not root)
  check           formatting, lints and generated files
  bench [NAME]    measure; ./do bench lists the names
  fuzz [NAME]     fuzz one parser, or each for 60 seconds (WEFT_FUZZ_SECONDS)
  sim [--seed N]  run the simulator: two nodes of two cores, one thread, one seed
  image …         build the flashable image (docs/image.md; --arch amd64, --kernel debian, --new-keys,
                  --relock)
  boot …          start it in QEMU until Ctrl-C (--nodes 3: a swarm; --smoke: check it, exit 0 or 1;
                  --rescue: the rescue kernel and its shell; --arch amd64: that of x86-64)
TXT
}

say() { printf '%s\n' "do: $*" >&2; }
die() { say "$*"; exit 1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null 2>&1; then sudo "$@"
    else die "needs root for: $* (no sudo here; run it as root, then try again)"
    fi
}

# Installs those of the named packages that are missing, in one go.
install_missing() {
    missing=
    for package in "$@"; do
        state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
        case $state in ii*) ;; *) missing="$missing $package" ;; esac
    done
    [ -n "$missing" ] || return 0
    command -v apt-get >/dev/null 2>&1 || die "missing packages, and there is no apt here:$missing"
    say "installing:$missing"
    log=$root/build-apt.log
    as_root apt-get -qq update >"$log" 2>&1 || say "apt-get update failed; trying with the lists that are there"
    # shellcheck disable=SC2086
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
        -o Dpkg::Use-Pty=0 install $missing >>"$log" 2>&1 ||
        { tail -20 "$log" >&2; die "apt-get could not install:$missing"; }
}

# configure DIR OPTION…: a meson build directory, made once for these options.
configure() {
    dir=$1
    shift
    if [ -f "$dir/build.ninja" ] && [ "$(cat "$dir/configured" 2>/dev/null)" = "$*" ]; then return 0; fi
    if [ -d "$dir/meson-private" ]; then rm -rf "$dir"; fi # Nothing else is ours to remove.
    meson setup "$dir" "$@" >"$dir.log" 2>&1 || { cat "$dir.log" >&2; die "meson could not configure $dir"; }
    rm -f "$dir.log"
    printf '%s\n' "$*" >"$dir/configured"
}

# compile DIR [TARGET…]
compile() {
    say "building in $1"
    ninja -C "$@" >"$1/build.log" 2>&1 ||
        { sed -n '/^FAILED\|ERROR:\|^ninja: error/,$p' "$1/build.log" | head -60 >&2; die "the build failed (whole log: $1/build.log)"; }
}

# build_release [TARGET…]: without the tests where cmocka is not installed, so that `run` needs less.
build_release() {
    # shellcheck disable=SC2086
    install_missing $packages_build
    tests=false
    if pkg-config --exists cmocka; then tests=true; fi
    configure "$build" --buildtype=debugoptimized -Db_lto=true -Dtests=$tests
    compile "$build" "$@"
}

build_kind() {
    case ${1:-release} in
    release) build_release ;;
    debug) setup_all; configure build-debug --buildtype=debug; compile build-debug ;;
    asan)
        setup_all
        configure build-asan --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false
        compile build-asan ;;
    tsan)
        setup_all
        configure_tsan
        compile build-tsan ;;
    clang)
        setup_all
        (export CC=clang-14; configure build-clang --buildtype=debugoptimized)
        compile build-clang ;;
    fuzz)
        setup_all
        (export CC=clang-14
        configure build-fuzz --buildtype=debugoptimized -Dfuzz=true -Dtests=false \
            -Db_sanitize=address,undefined -Db_lundef=false)
        compile build-fuzz fuzzers ;;
    arm64) build_arm64 ;;
    *) die "unknown kind of build '$1' (release, debug, asan, tsan, clang, fuzz, arm64)" ;;
    esac
}

setup_all() {
    is_arm64 || packages_test="$packages_test $packages_cross"
    # shellcheck disable=SC2086
    install_missing $packages_build $packages_test
}

is_arm64() { [ "$(uname -m)" = aarch64 ]; }

configure_tsan() {
    configure build-tsan --buildtype=debugoptimized -Db_sanitize=thread -Db_lundef=false
}

# skip TEXT: for `./do test`, which counts exit status 77 as skipped.
skip() { say "SKIP: $*"; exit 77; }

# What the tests of the image need: the image itself, QEMU, and the tool of this machine.
ready_image() {
    build_release runtime/tool/weft bench/macro/bench_swarm
    # shellcheck disable=SC2086
    install_missing $packages_boot_vm $packages_image
    . image/build/image.sh
    (build_image)
    export WEFT_TOOL="$root/$build/runtime/tool/weft"
}

# test_image [--all] [NAME…]
test_image() {
    for word in "$@"; do # Before an hour of builds.
        case $word in --all | --jobs | [0-9]*) continue ;; esac
        [ -f "tests/image/$word.sh" ] || die "there is no test of the image '$word': they are the files of tests/image"
    done
    ready_image
    case " $* " in *" --all "* | *" tpm "*) install_missing swtpm ;; esac
    case " $* " in
    *" --all "* | *" units "*)
        is_arm64 || { build_arm64; arm64_machine; export WEFT_SYSROOT="$sysroot" WEFT_BUSYBOX="$machine/busybox"; } ;;
    esac
    # The other flavours, where this machine can build them.
    case " $* " in *" --all "* | *" amd64 "*) is_arm64 || (build_image --arch amd64) ;; esac
    case " $* " in *" --all "* | *" debian_kernel "*) (build_image --kernel debian) ;; esac
    sh tests/image/run.sh "$@"
}

# apt_arch ARCH DIR TOOL ARGUMENT…: apt for another CPU, with all that it remembers in DIR. Needs no root.
apt_arch() {
    cpu=$1
    state=$2
    tool=$3
    shift 3
    mkdir -p "$state/lists/partial" "$state/archives/partial"
    "$tool" -qq -oDir::State::status=/dev/null -oAPT::Architecture="$cpu" -oAPT::Architectures="$cpu" \
        -oDir::State::Lists="$state/lists" -oDir::Cache::archives="$state/archives" \
        -oDir::Cache::pkgcache= -oDir::Cache::srcpkgcache= -oDebug::NoLocking=1 \
        -oAPT::Sandbox::User=root -oAcquire::Languages=none "$@"
}

# Sets $cache: what is fetched once for all builds of this user.
find_cache() {
    cache=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/weft
    mkdir -p "$cache" 2>/dev/null && [ -w "$cache" ] || cache=$root/build-cache
}

# The arm64 sysroot, unpacked once per package list into the user's cache. Needs no root.
arm64_sysroot() {
    # shellcheck disable=SC2086
    list=$(printf '%s\n' $packages_arm64 | sort)
    find_cache
    sysroot=$cache/sysroot-arm64-$(printf '%s' "$list" | cksum | cut -d' ' -f1)
    [ -e "$sysroot/.complete" ] && return 0
    say "unpacking the arm64 sysroot (about 70 MB, once)"
    rm -rf "$sysroot"
    mkdir -p "$sysroot"
    apt_arch arm64 "$sysroot.apt" apt-get update >&2 || skip "no arm64 package lists could be fetched"
    # shellcheck disable=SC2086
    apt_arch arm64 "$sysroot.apt" apt-get -y -d --no-install-recommends install $packages_arm64 >&2 ||
        skip "the arm64 packages could not be fetched"
    for package in "$sysroot.apt/archives/"*.deb; do
        dpkg -x "$package" "$sysroot"
    done
    rm -rf "$sysroot.apt"
    touch "$sysroot/.complete"
}

# Debian's arm64 kernel and a shell for it, in $machine. Once; needs no root.
arm64_machine() {
    find_cache
    machine=$cache/machine-arm64
    [ -e "$machine/.complete" ] && return 0
    say "fetching an arm64 kernel (about 22 MB, once)"
    rm -rf "$machine"
    mkdir -p "$machine"
    apt_arch arm64 "$machine.apt" apt-get update >&2 || skip "no arm64 package lists could be fetched"
    newest=$(apt_arch arm64 "$machine.apt" apt-cache depends linux-image-cloud-arm64 |
        sed -n 's/.*Depends: \(linux-image-[^ ]*\)$/\1/p' | head -1)
    (cd "$machine.apt" && apt_arch arm64 "$machine.apt" apt-get download busybox-static "$newest" >&2) ||
        skip "the arm64 kernel could not be fetched"
    for package in "$machine.apt/"*.deb; do
        dpkg -x "$package" "$machine"
    done
    mv "$machine/boot/vmlinuz-"* "$machine/vmlinuz"
    mv "$machine/bin/busybox" "$machine/busybox"
    rm -rf "$machine.apt" "$machine/boot" "$machine/lib" "$machine/usr" "$machine/bin"
    touch "$machine/.complete"
}

# Tests of actors in an emulated ARM64 machine.
test_arm64_vm() {
    build_arm64
    # shellcheck disable=SC2086
    install_missing $packages_vm
    arm64_machine
    exec sh tests/arm64/vm.sh build-arm64 "$sysroot" "$machine/vmlinuz" "$machine/busybox" "$@"
}

build_arm64() {
    is_arm64 && skip "this machine is arm64 itself: './do build' is that build"
    setup_all
    arm64_sysroot
    write_cross_file build-arm64.ini
    configure build-arm64 --cross-file build-arm64.ini --buildtype=debugoptimized
    compile build-arm64
}

# write_cross_file FILE [C-ARGUMENT]: how meson builds for arm64 with $sysroot.
write_cross_file() {
    # The headers of systemtap-sdt-dev are the same for every CPU; its package would bring a Python.
    cp /usr/include/*/sys/sdt.h /usr/include/*/sys/sdt-config.h "$sysroot/usr/include/aarch64-linux-gnu/sys/" 2>/dev/null ||
        say "no systemtap-sdt-dev: built without probes"
    cat >"$1" <<INI
[binaries]
c = 'aarch64-linux-gnu-gcc'
ar = 'aarch64-linux-gnu-ar'
strip = 'aarch64-linux-gnu-strip'
pkgconfig = 'pkg-config'
exe_wrapper = ['qemu-aarch64-static', '-L', '$sysroot']
[properties]
sys_root = '$sysroot'
pkg_config_libdir = '$sysroot/usr/lib/aarch64-linux-gnu/pkgconfig:$sysroot/usr/share/pkgconfig'
[built-in options]
c_args = ['--sysroot=$sysroot'${2:+, '$2'}]
c_link_args = ['--sysroot=$sysroot'${2:+, '$2'}]
[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'armv8'
endian = 'little'
INI
}

run_weft() {
    [ -x "$build/runtime/tool/weft" ] || build_release
    WEFT_SELF='./do weft' exec "$build/runtime/tool/weft" "$@"
}

[ $# -gt 0 ] || { usage; exit 64; }
command=$1
shift
case $command in
run)
    build_release
    WEFT_SELF='./do weft' exec "$build/runtime/tool/weft" lab up "$@" ;;
weft) run_weft "$@" ;;
build) build_kind "$@" ;;
setup) setup_all ;;
test)
    case ${1:-} in
    '') setup_all; build_release; . tests/run.sh ;;
    forth) shift; setup_all; build_release; exec "$build/tests/forth/forth_suite" "$@" ;;
    soak) shift; setup_all; build_release; exec "$build/tests/soak/weft-soak" "$@" ;;
    mutants) shift; setup_all; exec sh tests/model/mutants.sh "$@" ;;
    arm64-vm) shift; test_arm64_vm "$@" ;;
    image) shift; test_image "$@" ;;
    *) die "there is no test '$1': forth, soak, mutants, arm64-vm, image, or nothing for all tests" ;;
    esac ;;
check) setup_all; build_release; exec sh tests/check.sh "$build" ;;
sim) setup_all; build_release; exec "$build/tests/sim/weft-sim" "$@" ;;
bench) setup_all; build_release; exec sh bench/run.sh "$build" "$@" ;;
fuzz) build_kind fuzz; exec sh tests/fuzz/run.sh build-fuzz "$@" ;;
image) . image/build/image.sh; build_image "$@" ;;
boot) . image/build/boot.sh; boot_image "$@" ;;
-h | --help | help) usage ;;
*) say "unknown command '$command'"; usage >&2; exit 64 ;;
esac
