#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# No function over 100 lines; those over 60 are named, as a hint.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
git ls-files --cached --others --exclude-standard '*.c' |
    xargs ctags --c-kinds=f --fields=+ne --output-format=json -f - |
    python3 -c '
import json, sys
bad = 0
for line in sys.stdin:
    t = json.loads(line)
    n = t.get("end", 0) - t.get("line", 0) + 1
    if n > 60:
        print("%s:%d: %s has %d lines" % (t["path"], t["line"], t["name"], n))
    bad |= n > 100
sys.exit(bad)'
