# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The part of ./demo that runs in dom0. Each line of /host/steps is "SECONDS TEXT"; the demo shows
# them as they come. /host/up appears when the guest is at its userland, /host/stop ends it all.
. /host/.lab/lib.sh

name=portico-demo
step() { echo "$(lab_since "$begin") $*" >> /host/steps; }
xen_log() {
    { if [ -s /host/console.log ]; then cat /host/console.log; else xl dmesg; fi; } |
        grep -a "^(d$id)"
}
has() { xen_log | grep -aq -- "$1"; }

: > /host/steps
begin=$(lab_now)
cp /host/guest.iso "/tmp/$name.iso"
listen=0.0.0.0
[ -z "${LAB_NATIVE:-}" ] || listen=127.0.0.1
lab_cfg "$name" 'boot="dc"' "vnclisten=\"$listen\"" "disk=['$(lab_cd hdc "/tmp/$name.iso")']" > "/tmp/$name.cfg"
cp "/tmp/$name.cfg" /host/guest.cfg
begin=$(lab_now)
if ! xl create "/tmp/$name.cfg" > /host/create.log 2>&1; then
    step "xl create failed: $(tail -1 /host/create.log)"
    tail -5 "/var/log/xen/qemu-dm-$name.log"
    exit 1
fi
id=$(lab_domid "$name")
step "xl create is done: domain $id runs, its device model is process $(lab_dm_pid "$name")"
xenstore-read "/local/domain/$id/console/vnc-port" > /host/vnc-port
lab_watch_serial "$name" /host/serial.log
lab_until 60 has 'SeaBIOS (version' && step "hvmloader has done its work, SeaBIOS runs"
lab_until 60 has 'Booting from DVD' && step "SeaBIOS boots from the CD, as boot=\"dc\" asks"
lab_wait_line 400 /host/serial.log 'GUEST: userland' || { step "no userland"; xl destroy "$name"; exit 1; }
step "Linux is at its userland"
lab_wait_line 120 /host/serial.log 'GUEST: ready' && step "its disk drivers are loaded, it takes commands"
pss=$(awk '/^Pss:/ { print $2 }' "/proc/$(lab_dm_pid "$name")/smaps_rollup")
step "the device model holds $((pss / 1024)) MiB of memory"
touch /host/up

until [ -e /host/stop ] || lab_gone "$name" 2>/dev/null >&2; do sleep 0.3; done
begin=$(lab_now)
lab_type "$name" poweroff
if lab_until 60 lab_gone "$name"; then
    step "the guest switched itself off"
else
    step "the guest does not switch itself off"
    xl destroy "$name"
    exit 1
fi
if left=$(lab_clean); then step "no process, socket or domain is left"; else step "left behind: $left"; exit 1; fi
