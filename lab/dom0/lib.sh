# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Helpers for scripts that run in the lab's dom0:   . /host/.lab/lib.sh
# Functions that wait take a number of seconds (on an idle machine) and fail when it is over. /host/dm may hold a
# device model put there by lab/pack-dm; lab_dm prints the path to give to xl.

export LIBXL_DISABLE_BOOTLOADER=1

lab_now() { cut -d' ' -f1 /proc/uptime; }

# lab_since START: seconds since a lab_now, one decimal.
lab_since() { awk -v a="$1" '{ printf "%.1f\n", $1 - a }' /proc/uptime; }

# A busy machine is no reason to fail: all patience is in units of what dom0's own start took.
LAB_SLOW=$(awk '{ n = int($1 / 3); print (n < 1 ? 1 : (n > 4 ? 4 : n)) }' /run/lab-ready 2>/dev/null)

# lab_until SECONDS COMMAND...: repeats the command until it succeeds.
lab_until() {
    local end=$((SECONDS + $1 * ${LAB_SLOW:-1}))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt "$end" ] || return 1
        sleep 0.2
    done
}

# The device model to test, copied into dom0's memory: 9p would be part of every measurement.
lab_dm() {
    [ -z "${LAB_DM:-}" ] || { echo "$LAB_DM"; return; }
    if [ -e /host/dm/portico-dm ]; then
        [ -n "${LAB_NATIVE:-}" ] && { echo /host/dm/portico-dm; return; }
        [ -d /opt/portico ] || cp -r /host/dm /opt/portico
        echo /opt/portico/portico-dm
    else
        echo /usr/libexec/xen-qemu-system-i386
    fi
}

# lab_cfg NAME [LINE...]: prints an xl configuration for a test guest. Disks are given a qdisk
# backend because the block script's loop devices want udev, which is not here.
lab_cfg() {
    local name=$1
    shift
    cat <<END
name="$name"
type="hvm"
memory=${LAB_GUEST_MEMORY:-256}
vcpus=1
device_model_version="qemu-xen"
device_model_override="$(lab_dm)"
serial="pty"
vga="${LAB_GUEST_VGA:-stdvga}"
vnc=1
vnclisten="0.0.0.0"
on_crash="destroy"
END
    printf '%s\n' "$@"
}

lab_disk() { echo "format=raw,vdev=$1,access=rw,backendtype=qdisk,target=$2"; }
lab_cd() { echo "format=raw,vdev=$1,devtype=cdrom,access=ro,backendtype=qdisk,target=$2"; }

lab_domid() { xl domid "$1" 2>/dev/null; }
lab_dm_pid() { xenstore-read "/local/domain/$(lab_domid "$1")/image/device-model-pid"; }
lab_gone() { ! xl domid "$1"; }

# lab_watch_serial NAME FILE: copies the guest's serial port to FILE until the domain is gone.
# lab_type NAME TEXT: types at that port.
lab_watch_serial() {
    local tty fifo=/run/lab-$1.in
    tty=$(xenstore-read "/local/domain/$(lab_domid "$1")/serial/0/tty") || return 1
    rm -f "$fifo"
    mkfifo "$fifo"
    : > "$2"
    (
        stty -F "$tty" raw -echo 2>/dev/null
        exec 3<>"$fifo"                 # held open for writing too: it must never end
        cat <&3 >"$tty" 2>/dev/null &
        cat "$tty" >> "$2" 2>/dev/null
        kill $! 2>/dev/null
    ) &
}
lab_type() { printf '%s\r' "$2" > "/run/lab-$1.in"; }

# lab_wait_line SECONDS FILE REGEX
lab_wait_line() { lab_until "$1" grep -aEq -- "$3" "$2"; }

# lab_bridge: the bridge xenbr0 for guests' NICs, when a test wants one.
lab_bridge() {
    modprobe -a tun bridge xen-netback
    ip link add xenbr0 type bridge 2>/dev/null || return 0
    ip addr add 10.1.0.1/24 dev xenbr0
    ip link set xenbr0 up
}

# lab_leftovers: prints whatever a guest has left behind; nothing when all is clean. On a real
# host, what was there before us is not ours.
lab_leftovers() { lab_all_there_is | grep -vxF -- "${LAB_BEFORE:-nothing}"; }
lab_all_there_is() {
    local p cmd
    for p in /proc/[0-9]*; do
        cmd=$(tr '\0' ' ' 2>/dev/null < "$p/cmdline") || continue
        case $cmd in
        *-xen-domid*|*portico-vnc*|*portico-slirp*) echo "process ${p#/proc/}: ${cmd%% *}" ;;
        esac
    done
    find /var/run/xen -name 'qmp-*' 2>/dev/null | sed 's/^/socket /'
    xl list | awk 'NR > 1 && $1 != "Domain-0" { print "domain " $1 " " $2 }'
    xenstore-ls /local/domain/0/device-model 2>/dev/null | sed 's/^/xenstore device-model /'
}

# lab_clean: waits a little for leftovers to go; prints them and fails if they stay.
lab_clean() {
    local left end=$((SECONDS + 5 * ${LAB_SLOW:-1}))
    while [ $SECONDS -lt $end ]; do
        left=$(lab_leftovers) || return 0
        sleep 0.5
    done
    echo "$left"
    return 1
}

# lab_destroy_all: the end of a test that went wrong must not be the start of the next. It takes
# everything, so it is nothing for a host that has guests of its own.
lab_destroy_all() {
    local p d
    [ -z "${LAB_NATIVE:-}" ] || return 0
    for d in $(xl list | awk 'NR > 1 && $1 != "Domain-0" { print $2 }'); do
        xl destroy "$d" 2>/dev/null
    done
    for p in /proc/[0-9]*; do
        tr '\0' ' ' 2>/dev/null < "$p/cmdline" | grep -q -e '-xen-domid' && kill -9 "${p#/proc/}"
    done
    rm -f /var/run/xen/qmp-*
}

# lab_qmp NAME COMMAND...: sends JSON commands to the device model, prints the answers. The other
# socket than libxl's, which serves one client at a time.
lab_qmp() {
    local sock
    sock=/var/run/xen/qmp-libxenstat-$(lab_domid "$1")
    shift
    { printf '%s\r\n' '{"execute":"qmp_capabilities"}' "$@"; sleep "${LAB_QMP_WAIT:-1}"; } |
        timeout 20 socat -t 1 - "UNIX-CONNECT:$sock"
}

[ -z "${LAB_NATIVE:-}" ] || LAB_BEFORE=$(lab_all_there_is)
