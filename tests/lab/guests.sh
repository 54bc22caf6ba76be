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

# verify NAME DISK [REQUESTS]: random requests on 8 MiB, several at once; each sector read must be the one that
# was written last. The checksum of the whole is kept, to be compared with the image.
verify() {
    local answer
    answer=$(ask "$1" "$((300 + ${3:-150}))" verify "$2" 8 "${3:-150}" 7) || fail "$(cat $STATE/why)"
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
# a CD to start from, a drive that is empty, and a row of small disks. The memory is for a second
# kernel beside the first.
pv_disks() {
    local c
    cp /host/pv.iso /tmp/pv.iso
    cp /host/disk.img /tmp/pv.img
    qemu_img create -q -f qcow2 /tmp/pv.qcow2 64M
    qemu_img create -q -f vpc -o subformat=dynamic,force_size=on /tmp/pv.vhd 64M
    echo "disk=['$(lab_disk hda /tmp/pv.img)','format=qcow2,vdev=hdb,access=rw,target=/tmp/pv.qcow2',\
'$(lab_cd hdc /tmp/pv.iso)','vdev=hdd,devtype=cdrom,access=ro,format=raw',\
'format=vhd,vdev=xvde,access=rw,target=/tmp/pv.vhd'"
    for c in $PV_SMALL; do
        head -c 65536 /dev/urandom > "/tmp/pv-$c.img"
        echo ",'$(lab_disk "xvd$c" "/tmp/pv-$c.img")'"
    done
    echo "]"
}
PV_SMALL=$(echo g h i j k l m n o p q | cut -d' ' -f"1-${PV_DISKS:-2}")

# xl 4.17 gives the first channel the number of the console, and libxl refuses that one alone.
create_pv() {
    LAB_GUEST_MEMORY=400 start pv 'boot="d"' "$(pv_disks)" \
        'channel=["connection=pty,name=lost","connection=socket,path=/tmp/pv.channel,name=org.portico.test"]'
}

guest_pv() {
    guest_started pv
    lab_wait_line 300 $STATE/pv.serial 'GUEST: ready' || fail "no userland in time: $(tail -3 $STATE/pv.serial | tr '\r\n' '  ')"
}

# --- networks ---------------------------------------------------------------------------------

NET_HERE=192.168.50.1               # dom0 on the bridge; .20 and up are given out
NET_MIB=${NET_MIB:-2}               # each way, for each card

# A bridge with DHCP, and files by HTTP for who boots from the network.
bridge_up() {
    [ ! -e /sys/class/net/xenbr0 ] || return 0
    modprobe -a tun bridge xen-netback 8021q
    ip link add xenbr0 type bridge
    ip link set xenbr0 up
    ip addr add $NET_HERE/24 dev xenbr0
    mkdir -p /var/lib/misc /tmp/files
    touch /var/lib/misc/udhcpd.leases
    nbp > /tmp/files/nbp
    chmod 755 /tmp/files
    printf '%s\n' "start 192.168.50.20" "end 192.168.50.60" "interface xenbr0" \
        "option subnet 255.255.255.0" "option router $NET_HERE" \
        "boot_file http://$NET_HERE/nbp" > /tmp/udhcpd.conf
    udhcpd /tmp/udhcpd.conf
    httpd -p $NET_HERE:80 -h /tmp/files
}

# A boot program for PXE, 16-bit code for 0:7c00: writes its text to COM1 and stops.
nbp() {
    printf '\x31\xc0\x8e\xd8\xbe\x21\x7c\xac\x84\xc0\x74\x12\x88\xc4\xba\xfd\x03\xec\xa8\x20'
    printf '\x74\xfb\xba\xf8\x03\x88\xe0\xee\xeb\xe9\xf4\xeb\xfdPORTICO-NBP runs\r\n\0'
    head -c 2048 /dev/zero
}

# vif SCRIPT-IS-STOCK-OR-NOT: on a machine in peace, Xen's own script.
vif() {
    local script=/etc/xen/scripts/vif-bridge
    [ "${LAB_SLOW:-1}" -le 2 ] || script=/host/tests/vif-plain
    echo "mac=$1,bridge=xenbr0,model=$2,type=ioemu,script=$script"
}

# Two cards on the bridge and two in user mode.
create_net() {
    bridge_up
    cp /host/guest.iso /tmp/guest.iso
    start net 'boot="d"' "disk=['$(lab_cd hdc /tmp/guest.iso)']" \
        "vif=['$(vif 00:16:3e:00:00:11 rtl8139)','$(vif 00:16:3e:00:00:12 e1000)']" \
        'device_model_args_hvm=["-nic","user,model=rtl8139,mac=00:16:3e:00:00:13",
"-nic","user,model=e1000,mac=00:16:3e:00:00:14","-object","filter-dump,id=d,netdev=net0,file=/tmp/net0.pcap"]'
}

guest_net() {
    guest_started net
    lab_wait_line 300 $STATE/net.serial 'GUEST: ready' || fail "no userland in time"
    [ "$(field cards "$(ask net 60 net)")" = 4 ] || fail "not four cards: $(ask net 60 net)"
}

# talk CARD ADDRESS: DHCP, echoes, and bytes both ways between the guest and dom0 at that address.
talk() {
    local card=$1 here=$2 got sum
    got=$(ask net 120 dhcp "$card")
    case $got in "dhcp "*) ;; *) fail "$card: $got" ;; esac
    got=$(ask net 120 ping "$here" 5)
    [ "$got" = "ping 5/5" ] || fail "$card: $got"
    got=$(ask net 120 ping "$here" 3 1472)
    [ "$got" = "ping 3/3" ] || fail "$card, full frames: $got"
    [ -e /tmp/big ] || head -c $((NET_MIB << 20)) /dev/urandom > /tmp/big
    socat -u FILE:/tmp/big TCP-LISTEN:5001,reuseaddr &
    lab_until 10 listening 1389
    got=$(ask net 300 fetch "$here" 5001)
    sum=$(md5sum < /tmp/big | cut -d' ' -f1)
    [ "$(field md5 "$got")" = "$sum" ] || fail "$card, to the guest: $got instead of $sum"
    note "$card to the guest: $NET_MIB MiB in $(field seconds "$got") s"
    socat -u TCP-LISTEN:5002,reuseaddr STDOUT | md5sum > /tmp/pushed &
    lab_until 10 listening 138A
    got=$(ask net 300 push "$here" 5002 $NET_MIB)
    lab_until 10 test -s /tmp/pushed
    [ "$(field md5 "$got")" = "$(cut -d' ' -f1 /tmp/pushed)" ] ||
        fail "$card, from the guest: $got but $(cat /tmp/pushed) came"
    note "$card from the guest: $NET_MIB MiB in $(field seconds "$got") s"
    rm /tmp/pushed
    ask net 60 down "$card" > /dev/null
}
listening() { grep -q ":$1 00000000:0000 0A" /proc/net/tcp; }

# boots_by_pxe NAME LINE...: iPXE finds the boot program and starts it.
boots_by_pxe() {
    local name=$1
    shift
    start "$name" 'boot="n"' "$@"
    lab_wait_line 180 "$STATE/$name.serial" 'PORTICO-NBP runs' ||
        fail "$name: $(xen_log "$name" | tail -2 | tr '\n' ';')"
    stop "$name"
}
answered_ping() { [ "$(ask net 60 ping 10.0.2.2 1)" = "ping 1/1" ]; }
