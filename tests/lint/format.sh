#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The layout of C is clang-format's to decide: run "clang-format -i" on what this names.
set -u
cd "$(dirname "$0")/../.." || exit 1
bad=0
while IFS= read -r f; do
    [ -f "$f" ] || continue
    clang-format "$f" | cmp -s - "$f" || { echo "$f: not as clang-format has it"; bad=1; }
done < <(git ls-files --cached --others --exclude-standard '*.c' '*.h')
exit $bad
