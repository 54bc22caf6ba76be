# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What the parts of tests/lab/kvm are written with. A part is a script with a few steps:
#     step NAME SECONDS FUNCTION [WORD...]
# runs the function in a process of its own for at most so long (times lab_until's patience), and
# writes "ok NAME" or "not ok NAME - why"; a part ends with the first step that fails. In a step,
# fail says why, and nothing may wait without an end: what blocks is stopped, and named.
. /host/.lab/lib.sh
export PORTICO_LOG_DIR=/tmp/log

portico() { timeout 60 /opt/portico/portico "$@"; }

fail() { echo "$*" > /tmp/why; exit 1; }
note() { echo "# $*" >> /host/results; }        # a number worth seeing

# Every other second what is being done, for the other side to see that this machine runs.
alive() {
    while :; do
        echo "$(cut -d' ' -f1 /proc/uptime) s, in step $(cat /tmp/step 2> /dev/null)" > /host/alive
        sleep 2
    done
}

step() {
    local name=$1 limit=$(($2 * ${LAB_SLOW:-1})) start pid end
    shift 2
    echo "$name" > /tmp/step
    rm -f /tmp/why
    start=$(lab_now) end=$((SECONDS + limit))
    set -m                      # a process group of its own, to be stopped as one
    ( "$@" ) &
    pid=$!
    set +m
    while kill -0 $pid 2> /dev/null && [ $SECONDS -lt $end ]; do sleep 0.1; done
    if kill -0 $pid 2> /dev/null; then
        echo "not over after $limit s; it waits in: $(waits_in $pid)" > /tmp/why
        kill -KILL -- -$pid
    fi
    if wait $pid 2> /dev/null; then
        echo "ok $name $(lab_since "$start")s" >> /host/results
        return
    fi
    state > "/host/$name.state" 2>&1
    echo "not ok $name - $(head -1 /tmp/why 2> /dev/null || echo "its shell ended"); $name.state has the rest" >> /host/results
    exit 1
}

waits_in() {
    local p
    for p in /proc/[0-9]*; do
        [ "$(awk '{ print $5 }' "$p/stat" 2> /dev/null)" = "$1" ] && tr '\0' ' ' < "$p/cmdline"
    done
}

# All that there is to know of all guests, for people.
state() {
    local log
    echo "== portico list"; portico list
    echo "== processes"; ps | grep -v " \["
    for log in /tmp/*.console-pid; do
        [ -e "$log" ] || continue
        kill -0 "$(cat "$log")" 2> /dev/null && echo "== ${log##*/}: alive" || echo "== ${log##*/}: ended"
    done
    for log in /tmp/*.err /tmp/log/* /host/*.serial; do
        [ -s "$log" ] && { echo; echo "== $log"; tail -n 30 "$log"; }
    done
    echo "== the kernel"; dmesg | tail -n 15
}

clear_away() {
    local id
    for id in $(portico list 2> /dev/null | awk 'NR > 1 { print $2 }'); do portico destroy "$id"; done
    rm -rf /tmp/*.cfg /tmp/*.keys /tmp/*.err /tmp/*.console-pid /tmp/*.img
}

# guest NAME [LINE...]: makes its configuration and starts it with its console, which is copied to
# /host/NAME.serial; what its user types comes from a FIFO.
guest() {
    local name=$1
    shift
    printf '%s\n' "name = \"$name\"" 'builder = "hvm"' 'kernel = "/usr/lib/xen/boot/hvmloader"' 'memory = 384' \
        'vga = "stdvga"' 'vnc = 0' "serial = 'pty'" "$@" > "/tmp/$name.cfg"
    rm -f "/tmp/$name.keys"
    mkfifo "/tmp/$name.keys"
    (exec 3<> "/tmp/$name.keys"
     exec setsid /opt/portico/portico create -c "/tmp/$name.cfg" <&3 3<&- > "/host/$name.serial" 2> "/tmp/$name.err") &
    echo $! > "/tmp/$name.console-pid"
    lab_until 60 known "$name" || fail "$name does not start: $(tail -1 "/tmp/$name.err")"
}

console_lives() { kill -0 "$(cat "/tmp/$1.console-pid")" 2> /dev/null; }
known() { portico list > /tmp/list && grep -q "^$1 " /tmp/list; }

# is NAME LETTERS: so `portico list` shows it; "": not at all.
is() { portico list > /tmp/list && [ "$(awk -v n="$1" '$1 == n { print $5 }' /tmp/list)" = "$2" ]; }

# type NAME TEXT: at its console. The FIFO has no reader when that has ended.
type() {
    # shellcheck disable=SC2016
    timeout 10 sh -c 'printf "%s\r" "$1" > "$2"' sh "$2" "/tmp/$1.keys" && return
    console_lives "$1" && fail "$1: its console lives and takes nothing"
    fail "$1: its console has ended: $(tail -1 "/tmp/$1.err")"
}

# seen NAME N TEXT: the guest has written TEXT to its serial port N times. says NAME SECONDS TEXT [N]:
# it does so in time.
seen() { [ "$(grep -ac -- "$3" "/host/$1.serial")" -ge "$2" ]; }
says() {
    lab_until "$2" seen_or_over "$1" "${4:-1}" "$3"
    seen "$1" "${4:-1}" "$3" && return
    console_lives "$1" || fail "$1: its console ended before \"$3\": $(tail -1 "/tmp/log/$1.log")"
    fail "$1: no \"$3\" in time; last: $(tail -n 1 "/host/$1.serial" | tr -d '\r')"
}
seen_or_over() { seen "$@" || ! console_lives "$1"; }

# gone NAME: its end was orderly, and nothing of it is left.
gone() {
    lab_until 60 is "$1" '' || fail "$1 is still there"
    grep 'died\|ended with status' "/tmp/log/$1.log" > /tmp/bad && fail "$1: $(head -1 /tmp/bad)"
    lab_until 10 eval "! console_lives $1" || fail "$1: its console does not end"
    [ -z "$(ls -d /run/portico/[0-9]* 2> /dev/null)" ] || fail "$1: its folder is left behind"
}

# qmp NAME COMMAND...: JSON in, answers out; the first is the greeting.
qmp() {
    local dir
    dir=/run/portico/$(portico domid "$1") || fail "$1 has no number"
    shift
    { printf '%s\n' '{"execute":"qmp_capabilities"}' "$@"; sleep 1; } |
        timeout 20 socat -t 1 - "UNIX-CONNECT:$dir/qmp"
}
