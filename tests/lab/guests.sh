# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The guests that tests share. `guest NAME` makes sure it runs; its log is $STATE/NAME.serial.

guest() {
    [ ! -e "$STATE/$1.failed" ] || fail "the guest $1 did not come up"
    [ ! -e "$STATE/$1.over" ] || fail "the guest $1 has ended already"
    if [ -e "$STATE/$1.up" ]; then
        [ "$(lab_domid "$1")" = "$(cat "$STATE/$1.domid")" ] || fail "the guest $1 died in an earlier test"
    else
        touch "$STATE/$1.failed"
        "guest_$1"
        rm "$STATE/$1.failed"
        touch "$STATE/$1.up"
    fi
}

# guest_started NAME: the domain is created, the guest perhaps not up yet.
guest_started() {
    [ -e "$STATE/$1.created" ] || { "create_$1" && touch "$STATE/$1.created"; }
}

# Four disks: raw, qcow2, the CD it starts from, VHD.
format_disks() {
    have_qemu_img || { linux_disks linux; return; }
    cp /host/guest.iso /tmp/guest.iso
    cp /host/disk.img /tmp/linux.img
    qemu_img create -q -f qcow2 /tmp/linux.qcow2 64M
    qemu_img create -q -f vpc -o subformat=dynamic,force_size=on /tmp/linux.vhd 64M
    echo "disk=['$(lab_disk hda /tmp/linux.img)','format=qcow2,vdev=hdb,access=rw,target=/tmp/linux.qcow2',\
'$(lab_cd hdc /tmp/guest.iso)','format=vhd,vdev=hdd,access=rw,target=/tmp/linux.vhd']"
}

linux_disks() {
    cp /host/guest.iso /tmp/guest.iso
    cp /host/disk.img "/tmp/$1.img"
    echo "disk=['$(lab_disk hda "/tmp/$1.img")','$(lab_cd hdc /tmp/guest.iso)']"
}

create_linux() {
    start linux 'boot="d"' "$(format_disks)"
    lab_now > $STATE/linux.started
}

guest_linux() {
    guest_started linux
    lab_wait_line 300 $STATE/linux.serial 'GUEST: ready' || fail "no userland in time"
}

# SeaBIOS puts no more than is needed in low memory; 2500 MiB reach close to the PCI hole.
create_smp() {
    LAB_GUEST_MEMORY=2500 start smp 'boot="d"' 'vcpus=4' "$(linux_disks smp)"
}

guest_smp() {
    guest_started smp
    lab_wait_line 400 $STATE/smp.serial 'GUEST: ready' || fail "no userland in time"
}

# boot_order ORDER FIRST: a disk and a CD, neither bootable, so that all is over quickly.
boot_order() {
    head -c 1048576 /dev/zero > /tmp/blank.img
    cp /tmp/blank.img /tmp/blank.iso
    start "order-$1" "boot=\"$1\"" "disk=['$(lab_disk hda /tmp/blank.img)','$(lab_cd hdc /tmp/blank.iso)']"
    lab_until 60 xen_log_has "order-$1" 'Booting from' || fail "SeaBIOS boots nothing: $(xen_log "order-$1" | tail -1)"
    xen_log "order-$1" | grep -a 'Booting from' | head -1 | grep -aq "Booting from $2" ||
        fail "tried first: $(xen_log "order-$1" | grep -a 'Booting from' | head -1)"
    stop "order-$1"
}
