#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# No blanks at the end of a line, no left-over of a merge, every file ends its last line.
set -u
cd "$(dirname "$0")/../.." || exit 1
bad=0
git grep -nI --untracked -E '[[:blank:]]+$' -- ':!tests/fuzz/seeds' ':!tests/fuzz/regress' && bad=1
git grep -nI --untracked -E '^(<<<<<<<|>>>>>>>) ' && bad=1
# Inputs of the fuzzers are what they are.
for f in $(git ls-files --cached --others --exclude-standard ':!tests/fuzz/seeds' ':!tests/fuzz/regress'); do
    [ -s "$f" ] && grep -qI . "$f" && [ -n "$(tail -c 1 "$f")" ] && echo "$f: no newline at its end" && bad=1
done
exit $bad
