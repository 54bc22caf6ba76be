# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What the tests in t/ are written with. Sourced in dom0 by dom0-run, before each test.
. /host/.lab/lib.sh

STATE=/host/state
VNC=/host/vnc
CR=$'\r'
mkdir -p $STATE

fail() { echo "$*" > $STATE/why; exit 1; }
skip() { echo "$*" > $STATE/why; exit 77; }
note() { echo "# $*" >> /host/results; }       # a number worth seeing, shown with the result

peer() { [ "$(cat /host/dm-kind)" = qemu-xen ]; }

have_qemu_img() { [ -x /host/qemu-img/qemu-img ] || command -v qemu-img > /dev/null; }
qemu_img() {
    if [ -x /host/qemu-img/qemu-img ]; then
        LD_LIBRARY_PATH=/host/qemu-img/lib /host/qemu-img/qemu-img "$@"
    else
        qemu-img "$@"
    fi
}

# --- guests -----------------------------------------------------------------------------------

# start NAME LINE...: xl create, with the time it took; fails the test when it does not work.
start() {
    local name=$1 t
    shift
    lab_cfg "$name" "$@" > "$STATE/$name.cfg"
    t=$(lab_now)
    timeout 120 xl create "$STATE/$name.cfg" > "$STATE/$name.create" 2>&1 ||
        fail "xl create failed: $(grep -v '^Parsing' "$STATE/$name.create" | head -3 | tr '\n' ';') log: \
$(tail -2 "/var/log/xen/qemu-dm-$name.log" 2>/dev/null | tr '\n' ';')"
    lab_since "$t" > "$STATE/$name.create-seconds"
    lab_domid "$name" > "$STATE/$name.domid"
    lab_watch_serial "$name" "$STATE/$name.serial"
}

# refused NAME WHAT LINE...: xl create must fail, say WHAT in the device model's log, and leave
# nothing.
refused() {
    local name=$1 what=$2 log=/var/log/xen/qemu-dm-$1.log
    shift 2
    lab_cfg "$name" "$@" > "$STATE/$name.cfg"
    if timeout 120 xl create "$STATE/$name.cfg" > "$STATE/$name.create" 2>&1; then
        xl destroy "$name"
        fail "xl create succeeded"
    fi
    # libxl itself refuses what it can see is wrong; then there is no device model to speak.
    if [ -e "$log" ]; then
        [ "$(grep -ac -- "$what" "$log")" = 1 ] ||
            fail "not one line naming $what: $(head -3 "$log" | tr '\n' ';')"
    elif ! grep -q -- "$what" "$STATE/$name.create"; then
        fail "$what is not named by xl: $(tail -2 "$STATE/$name.create" | tr '\n' ';')"
    fi
    lab_clean > "$STATE/left" || fail "left behind: $(head -3 $STATE/left | tr '\n' ';')"
}

stop() { xl destroy "$1" 2>/dev/null; lab_until 20 lab_gone "$1"; }

# xen_log NAME: what the guest's firmware wrote, and what Xen said of it.
xen_log() {
    local id
    id=$(cat "$STATE/$1.domid")
    { if [ -s /host/console.log ]; then cat /host/console.log; else xl dmesg; fi; } |
        grep -a "^(d$id)"
}
xen_log_has() { xen_log "$1" | grep -aq -- "$2"; }

# ask NAME SECONDS COMMAND...: types a command at the Linux guest, prints its answer, the line
# that starts with the regular expression in $ANSWER or else with the command's first word.
ask() {
    local name=$1 limit=$2 log=$STATE/$1.serial at word
    shift 2
    word=${ANSWER:-${1%% *}}
    at=$(wc -c < "$log")
    lab_type "$name" "$*"
    word="^PORTICO-GUEST: (($word|error|what is).*)$CR"     # not the half of a line
    lab_until "$limit" answered "$name" "$at" "$word" ||
        fail "no answer to \"$*\" within $limit s"
    after "$at" "$log" "$word" ||
        fail "the guest died of \"$*\": $(grep -a "(XEN) d$(cat "$STATE/$name.domid")v.*" /host/console.log | tail -1)"
    tail -c +$((at + 1)) "$log" | sed -nE "s/$word/\1/p" | tail -1
}
# Waiting for one who has died is over, too.
answered() {
    after "$2" "$STATE/$1.serial" "$3" || [ "$(lab_domid "$1")" != "$(cat "$STATE/$1.domid")" ]
}
after() { tail -c +$(($1 + 1)) "$2" | grep -aEq -- "$3"; }

# field NAME TEXT: the value of NAME=value in TEXT
field() { sed -nE "s/(.* )?$1=([^ ]*).*/\2/p" <<< "$2"; }

vnc_address() { echo "127.0.0.1:$(xenstore-read "/local/domain/$(lab_domid "$1")/console/vnc-port")"; }

. /host/tests/guests.sh
