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

# format_disks NAME: four disks: raw, qcow2, the CD it starts from, VHD.
format_disks() {
    have_qemu_img || { linux_disks "$1"; return; }
    cp /host/guest.iso /tmp/guest.iso
    cp /host/disk.img "/tmp/$1.img"
    qemu_img create -q -f qcow2 "/tmp/$1.qcow2" 64M
    qemu_img create -q -f vpc -o subformat=dynamic,force_size=on "/tmp/$1.vhd" 64M
    echo "disk=['$(lab_disk hda "/tmp/$1.img")','format=qcow2,vdev=hdb,access=rw,target=/tmp/$1.qcow2',\
'$(lab_cd hdc /tmp/guest.iso)','format=vhd,vdev=hdd,access=rw,target=/tmp/$1.vhd']"
}

linux_disks() {
    cp /host/guest.iso /tmp/guest.iso
    cp /host/disk.img "/tmp/$1.img"
    echo "disk=['$(lab_disk hda "/tmp/$1.img")','$(lab_cd hdc /tmp/guest.iso)']"
}

# verify NAME DISK: random requests on 8 MiB, several at once; each sector read must be the one that
# was written last. The checksum of the whole is kept, to be compared with the image.
verify() {
    local answer
    answer=$(ask "$1" 300 verify "$2" 8 150 7) || fail "$(cat $STATE/why)"
    [ "$(field wrong "$answer")" = 0 ] || fail "$answer $(grep -a "verify $2 wrong:" "$STATE/$1.serial" | tail -1)"
    [ "$(field written "$answer")" -gt 1000000 ] || fail "$answer"
    field md5 "$answer" > "$STATE/$1-$2.md5"
    note "$answer"
}

# images_are_sound NAME: qemu-img finds nothing wrong with the images that `verify` wrote to, and in
# them what the guest read at the end, and nothing behind it.
images_are_sound() {
    local hd format ending
    qemu_img check -f qcow2 "/tmp/$1.qcow2" > $STATE/qcow2.check 2>&1 ||
        fail "qemu-img check: $(head -3 $STATE/qcow2.check | tr '\n' ';')"
    while read -r hd format ending; do
        qemu_img convert -f "$format" -O raw "/tmp/$1.$ending" /tmp/flat.img ||
            fail "qemu-img cannot read $ending"
        [ "$(head -c 8388608 /tmp/flat.img | md5sum | cut -d' ' -f1)" = "$(cat "$STATE/$1-$hd.md5")" ] ||
            fail "the $ending image is not what the guest has read"
        [ "$(tail -c +8388609 /tmp/flat.img | tr -d '\0' | wc -c)" = 0 ] ||
            fail "$ending: something was written where the guest did not write"
        note "$ending: $(du -k "/tmp/$1.$ending" | cut -f1) KiB on the host"
    done <<< 'hdb qcow2 qcow2
hdd vpc vhd'
    rm -f /tmp/flat.img "/tmp/$1.qcow2" "/tmp/$1.vhd"
}

create_linux() {
    start linux 'boot="d"' 'usbdevice="tablet"' "$(format_disks linux)"
    lab_now > $STATE/linux.started
}

guest_linux() {
    guest_started linux
    lab_wait_line 300 $STATE/linux.serial 'GUEST: ready' || fail "no userland in time"
}

# SeaBIOS puts no more than is needed in low memory; 2500 MiB reach close to the PCI hole. Four
# processors and AHCI's queues go together. The CD stays an IDE drive: libxl has it so.
create_smp() {
    LAB_GUEST_MEMORY=2500 start smp 'boot="d"' 'vcpus=4' 'hdtype="ahci"' "$(format_disks smp)"
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

# A Linux that nobody told anything: it unplugs its disks and drives PV disks. Raw, qcow2 and VHD,
# a CD to start from, and a drive that is empty.
pv_disks() {
    cp /host/pv.iso /tmp/pv.iso
    cp /host/disk.img /tmp/pv.img
    qemu_img create -q -f qcow2 /tmp/pv.qcow2 64M
    qemu_img create -q -f vpc -o subformat=dynamic,force_size=on /tmp/pv.vhd 64M
    echo "disk=['$(lab_disk hda /tmp/pv.img)','format=qcow2,vdev=hdb,access=rw,target=/tmp/pv.qcow2',\
'$(lab_cd hdc /tmp/pv.iso)','format=vhd,vdev=xvde,access=rw,target=/tmp/pv.vhd']"
}

create_pv() {
    start pv 'boot="d"' "$(pv_disks)"
}

guest_pv() {
    guest_started pv
    lab_wait_line 300 $STATE/pv.serial 'GUEST: ready' || fail "no userland in time: $(tail -3 $STATE/pv.serial | tr '\r\n' '  ')"
}
