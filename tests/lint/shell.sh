#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every shell script parses; none names a place outside the project.
set -u
cd "$(dirname "$0")/../.." || exit 1
bad=0
for f in $(git ls-files --cached --others --exclude-standard); do
    [ -f "$f" ] || continue
    head -c 64 "$f" | head -1 | grep -qE '^#!.*\bbash' || continue
    bash -n "$f" || bad=1
done
git grep -nIE '\b(TODO|FIXME|XXX)\b' -- '*.c' '*.h' '*.sh' demo check lab tests/lab ':!tests/lint' && bad=1
exit $bad
