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

# ask NAME SECONDS COMMAND: of a guest of tests/guest/probe; its line is in $answer.
ask() {
    local n
    n=$(grep -ac '^PROBE: .*.$' "/host/$1.serial")
    type "$1" "$3"
    lab_until "$2" asked "$1" "$n" || fail "$1: no answer to \"$3\"; last: $(tail -n 1 "/host/$1.serial" | tr -d '\r')"
    answer=$(grep -a '^PROBE: .*.$' "/host/$1.serial" | tail -n 1 | tr -d '\r' | sed 's/^PROBE: //')
}
asked() { [ "$(grep -ac $'^PROBE: .*\r$' "/host/$1.serial")" -gt "$2" ]; }

# compare_clocks NAME SECONDS PPM: the guest's PM timer and HPET, and this machine's clock, by the guest's RTC.
# Everybody may be late at any second here, so the least late of the first third are compared with those of
# the last. This machine's clock is read when a line of the guest arrives: it is noted only.
compare_clocks() {
    local name=$1 seconds=$2 limit=$3 said
    : > /tmp/edges
    stamp_edges "/host/$name.serial" > /tmp/edges &
    type "$name" "clocks $seconds"
    says "$name" $((seconds + 20)) 'PROBE: clocks.$'
    sleep 0.5
    kill $! 2> /dev/null
    said=$(tr -d '\r' < /tmp/edges | awk -v n="$seconds" -v limit="$limit" '
        function least(have, late) { return have == "" || late < have ? late : have }
        function size(x) { return x < 0 ? -x : x }
        {
            k = $3; part = k < n / 3 ? 0 : k > n - n / 3 ? 1 : 2
            pm[part] = least(pm[part], $4 / 3.579545 - k * 1e6)
            wall[part] = least(wall[part], $8 - first - k * 1e6)
            if (NR == 1) { first = $8; wall[0] = 0 }
            if (width[part] == "" || $6 < width[part]) {
                width[part] = $6
                hpet[part] = $5 * $7 / 1e9 - $4 / 3.579545
            }
        }
        END {
            if (NR != n + 1) { print NR " edges"; exit 1 }
            span = n - n / 3
            a = (pm[1] - pm[0]) / span; b = (hpet[1] - hpet[0]) / span; c = (wall[1] - wall[0]) / span
            printf "PM timer %+.1f ppm, HPET %+.1f ppm of that", a, b
            if (n >= 30) printf ", this machine %+.1f ppm", c
            exit size(a) > limit || size(b) > limit
        }') || fail "over $seconds s of the RTC: $said"
    note "over $seconds s of the RTC: $said"
}
# Nobody tells of changes on this file system.
stamp_edges() {
    local line='' part
    exec 4< "$1"
    while :; do
        if IFS= read -r -u 4 part; then
            case $line$part in *edge*) echo "$line$part ${EPOCHREALTIME/./}" ;; esac
            line=''
        else
            line+=$part
            sleep 0.01
        fi
    done
}
