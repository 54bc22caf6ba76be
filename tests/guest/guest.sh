# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Makes the guests that the lab boots; to be sourced. Results are kept in the lab's cache.
#     guest_iso [KERNEL-ARGUMENT...]   prints the path of an ISO: GRUB, Debian's kernel, our init;
#                                      beside it are vmlinuz, initrd and cmdline, its parts
#     guest_pv_iso                     the same, free to unplug and to use PV devices
#     guest_netboot                    prints the folder of Debian's installer as PXE wants it
#     guest_bare                       prints the path of a disk image with the bare fuzzer
#     guest_probe                      the same with probe/
GUEST_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$GUEST_DIR/../../lab/packages.sh"
. "$GUEST_DIR/../../lab/cache.sh"

# What is not a module in Debian's kernel needs no mention: i8042, atkbd, serio, 8250, balloon.
GUEST_MODULES=(sd_mod sr_mod isofs ata_piix ahci evdev psmouse)
GUEST_PV_MODULES=(sr_mod isofs ata_piix evdev psmouse xen-blkfront xen-kbdfront)
GUEST_USB_MODULES=(uhci-hcd usbhid hid-generic)
GUEST_NET_MODULES=(8139cp e1000 pcnet32 ne2k-pci 8021q)
# xen_emul_unplug=never: drive the emulated devices, not the paravirtual ones. iomem=relaxed: for
# the tests that reach VGA memory through /dev/mem. nokaslr, mitigations=off, tests off: time.
GUEST_CMDLINE="console=tty0 console=ttyS0,115200 quiet panic=-1 \
iomem=relaxed nokaslr mitigations=off cryptomgr.notests ipv6.disable=1 raid=noautodetect"

guest_compile() {
    gcc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Wno-unused-parameter \
        -Wno-missing-field-initializers -Os -static -s -ffunction-sections -fdata-sections \
        -Wl,--gc-sections -o "$1" "$GUEST_DIR"/*.c -lm
}

guest_initramfs() {
    local root=$1 tree=$2 kver m
    kver=$(cat "$root/kernel-version")
    mkdir -p "$tree"/{proc,sys,dev,modules}
    guest_compile "$tree/init"
    lab_modules "$root" "${GUEST_MODULES[@]}" | while read -r m; do
        cp "$root/lib/modules/$kver/$m" "$tree/modules/"
        echo "${m##*/}" >> "$tree/modules/list"
    done
    lab_modules "$root" "${GUEST_NET_MODULES[@]}" | while read -r m; do
        cp "$root/lib/modules/$kver/$m" "$tree/modules/"
        echo "${m##*/}" >> "$tree/modules/net"
    done
    lab_modules "$root" "${GUEST_USB_MODULES[@]}" | while read -r m; do
        cp "$root/lib/modules/$kver/$m" "$tree/modules/"
        echo "${m##*/}" >> "$tree/modules/usb"
    done
    strip --strip-debug "$tree"/modules/*.ko
}

# The same bytes are a disk that boots. Every megabyte on this ISO is read by a BIOS, word by word, through a hypervisor that runs on an
# emulated processor. So GRUB is one image with three modules, and the initramfs is packed tight.
guest_make_iso() {
    local out=$1 root work=$1/work
    root=$(lab_root)
    mkdir -p "$work/iso"
    guest_initramfs "$root" "$work/tree"
    lab_cpio "$work/tree" | xz -9e --check=crc32 > "$work/iso/initrd"
    cp "$root/boot/vmlinuz-$(cat "$root/kernel-version")" "$work/iso/vmlinuz"
    cat > "$work/grub.cfg" <<END
echo PORTICO GUEST: GRUB loads Linux
linux /vmlinuz $GUEST_CMDLINE $GUEST_ARGS
initrd /initrd
boot
END
    grub-mkimage -O i386-pc-eltorito -p / -c "$work/grub.cfg" -o "$work/iso/grub.img" \
        biosdisk iso9660 linux echo
    xorriso -as mkisofs -quiet -V PORTICO -o "$out/guest.iso" -b grub.img -no-emul-boot \
        -boot-load-size 4 -boot-info-table --grub2-boot-info \
        --grub2-mbr /usr/lib/grub/i386-pc/boot_hybrid.img "$work/iso" 2>/dev/null
    mv "$work/iso/vmlinuz" "$work/iso/initrd" "$out/"
    echo "$GUEST_CMDLINE $GUEST_ARGS" > "$out/cmdline"
    rm -rf "$work"
}

guest_iso() {
    GUEST_ARGS="xen_emul_unplug=never $*"
    guest_any_iso
}

guest_pv_iso() {
    local GUEST_MODULES=("${GUEST_PV_MODULES[@]}")
    GUEST_ARGS=''
    guest_any_iso
}

guest_any_iso() {
    local key dir
    key=$( { cat "$GUEST_DIR"/*.[ch] "$GUEST_DIR/guest.sh"; echo "$GUEST_ARGS" "${GUEST_MODULES[@]}"; lab_root; } |
        sha256sum | cut -c1-12)
    dir=$(lab_once guest "$key" guest_make_iso) && echo "$dir/guest.iso"
}

# The fuzzer that is its own operating system: a boot sector and a flat 32-bit program.
guest_make_bare() {
    local out=$1 src=$GUEST_DIR/bare
    gcc -m32 -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Os -ffreestanding -fno-pic -fno-stack-protector \
        -mno-sse -mno-mmx -nostdlib -static -Wl,-T,"$src/bare.ld" -Wl,--build-id=none \
        -Wl,--no-warn-rwx-segments -I "$GUEST_DIR" -o "$out/bare.elf" "$src/boot.S" "$src/bare.c"
    objcopy -O binary "$out/bare.elf" "$out/bare.img"
    truncate -s 1M "$out/bare.img"
}

guest_bare() {
    local key dir
    key=$(cat "$GUEST_DIR"/bare/* "$GUEST_DIR/fuzz.h" "$GUEST_DIR/guest.sh" |
        sha256sum | cut -c1-12)
    dir=$(lab_once bare "$key" guest_make_bare) && echo "$dir/bare.img"
}

# The guest of commands that Linux hides, made as the fuzzer is.
guest_make_probe() {
    local out=$1 src=$GUEST_DIR/bare
    gcc -m32 -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Wno-parentheses -Os -ffreestanding -fno-pic \
        -fno-stack-protector -fcf-protection=none -mno-sse -mno-mmx -nostdlib -static -Wl,-T,"$src/bare.ld" \
        -Wl,--build-id=none -Wl,--no-warn-rwx-segments -o "$out/probe.elf" "$src/boot.S" \
        "$GUEST_DIR/probe/probe.c"
    objcopy -O binary "$out/probe.elf" "$out/probe.img"
    truncate -s 1M "$out/probe.img"
}

guest_probe() {
    local key dir
    key=$(cat "$GUEST_DIR"/bare/bo* "$GUEST_DIR/bare/bare.ld" "$GUEST_DIR/probe/probe.c" "$GUEST_DIR/guest.sh" |
        sha256sum | cut -c1-12)
    dir=$(lab_once probe "$key" guest_make_probe) && echo "$dir/probe.img"
}

# The text installer for the network, without what only UEFI asks for.
guest_make_netboot() {
    local out=$1 tree
    LAB_APT=()
    (cd "$out" && apt-get -qq -o APT::Sandbox::User=root download debian-installer-12-netboot-amd64) 2> /dev/null ||
        { lab_apt_private && (cd "$out" && apt-get -qq "${LAB_APT[@]}" -o APT::Sandbox::User=root \
            download debian-installer-12-netboot-amd64); } || return 1
    dpkg -x "$out"/*.deb "$out/x"
    tree=$(echo "$out"/x/usr/lib/debian-installer/images/12/amd64/text)
    rm -r "$tree/debian-installer/amd64/grub" "$tree"/debian-installer/amd64/*.efi
    cp -rL "$tree" "$out/netboot"
    rm -r "$out/x" "$out"/*.deb
}

guest_netboot() {
    local key dir
    key=$(declare -f guest_make_netboot | sha256sum | cut -c1-12)
    dir=$(lab_once netboot "$key" guest_make_netboot) && echo "$dir/netboot"
}
