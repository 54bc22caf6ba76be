#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What CONTRIBUTING.md asks of every source: licence line, line and file length, banned calls,
# headers that compile alone, dependencies that point one way, no blocking call in a handler.
set -u
cd "$(dirname "$0")/../.." || exit 1
bad=0
complain() { echo "$*"; bad=1; }

sources() { git ls-files --cached --others --exclude-standard '*.c' '*.h'; }

for f in $(sources); do
    head -1 "$f" | grep -q 'SPDX-License-Identifier: GPL-2.0-or-later' ||
        complain "$f: the first line is not the licence"
    n=$(wc -l < "$f")
    [ "$n" -le 1000 ] || complain "$f: $n lines, more than 1000"
    expand "$f" | grep -nE '^.{101,}' | sed "s|^|$f:|;s|\(.\{60\}\).*|\1: over 100 columns|" | head -3 |
        grep . && bad=1
    grep -nP '\t' "$f" | head -1 | grep -q . && complain "$f: has tabs"
    case $f in *.h) grep -q '#pragma once' "$f" || complain "$f: no #pragma once" ;; esac
done

banned='\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|alloca|system|gets)\('
sources | grep -v '^tests/' | xargs grep -nE "$banned" && complain "banned functions, see above"
grep -nE '\b(usleep|nanosleep|sleep|fsync|fdatasync|poll|select|waitpid)\(' hw/*.c |
    grep . && complain "a device must not block, see above"

# One way: control -> {ioreq, bios-loader} -> hw -> {block, net, display, sound}; the core's small tools serve all.
# cli/ starts the program and talks to it: it includes nothing of it.
one_way() {
    local dir=$1 allowed=$2
    grep -nE '#include "(cli|control|bios-loader|ioreq|hw|block|net|display|sound|tests)/' -r "$dir" --include='*.[ch]' |
        grep -vE "#include \"($allowed)" | grep . && complain "$dir/ includes what it must not, see above"
}
tools='hw/core/(err|log|config|buf|helper)\.h'
one_way block "block/|$tools"
one_way net "net/|$tools"
one_way display "display/|$tools"
one_way sound "sound/|$tools"
one_way hw 'hw/|block/|net/|display/|sound/'
one_way ioreq 'ioreq/|hw/|block/|net/|display/'
one_way bios-loader 'bios-loader/|hw/'
one_way cli 'cli/'
one_way control 'control/|bios-loader/|ioreq/|hw/|block/|net/|display/|sound/'

flags='-std=gnu11 -D_GNU_SOURCE -D__XEN_TOOLS__ -I. -fsyntax-only -Wall -Wno-unused'
for h in $(git ls-files --cached --others --exclude-standard '*.h' | grep -v '^tests/guest'); do
    printf '#include "%s"\n' "$h" |
        gcc $flags $(pkg-config --cflags libuv jansson libvncserver libpng) -x c - 2>&1 |
        head -3 | grep . && complain "$h: does not compile alone"
done
exit $bad
