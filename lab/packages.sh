# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Which Debian packages the work needs, and how to get them. Sourced by ./demo, ./check and the
# lab's own scripts, so that there is one list and one way of asking.

# To build portico.
PACKAGES_BUILD=(meson ninja-build pkg-config gcc clang acpica-tools libc6-dev libxen-dev libuv1-dev
    libjansson-dev liburing-dev libnbd-dev libvncserver-dev libgnutls28-dev
    libseccomp-dev libsdl2-dev libslirp-dev libpng-dev libzstd-dev zlib1g-dev libcmocka-dev)

# To test what needs no hypervisor: oracles (QEMU, qemu-img, nbdkit), fuzzers and lints.
PACKAGES_CHECK=(dmidecode passt tcpdump nbdkit qemu-utils qemu-system-xen libclang-rt-14-dev valgrind python3
    universal-ctags clang-format clang-tidy cppcheck)

# To run real Xen nested under QEMU, and to make the guests it runs.
PACKAGES_LAB=(qemu-system-x86 qemu-utils cpio util-linux xz-utils python3
    grub-common grub-pc-bin xorriso mtools gcc libc6-dev)

# Prints those of the named packages which are not installed.
packages_missing() {
    local p
    for p in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null | grep -qx installed || echo "$p"
    done
}

# Installs what is missing (root), or names it in one line to paste (anybody else) and fails.
packages_need() {
    local missing
    mapfile -t missing < <(packages_missing "$@")
    [ ${#missing[@]} -eq 0 ] && return 0
    if [ "$(id -u)" != 0 ]; then
        echo "missing packages; please run: sudo apt-get install ${missing[*]}" >&2
        return 1
    fi
    echo "installing: ${missing[*]}" >&2
    # A fresh image has no package lists, an old one has lists that name files long gone.
    packages_install "${missing[@]}" ||
        { apt-get -qq update >&2 && packages_install "${missing[@]}"; }
}

packages_install() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}
