#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A short list of clang-tidy's checks: those that found something here or would be believed if
# they did. Needs the clang build that ./check makes (for its compile_commands.json).
set -u
cd "$(dirname "$0")/../.." || exit 1
[ -f build/clang/compile_commands.json ] || { echo "build/clang is missing: run ./check"; exit 1; }
checks='-*,bugprone-*,-bugprone-easily-swappable-parameters,-bugprone-narrowing-conversions'
checks+=',-bugprone-implicit-widening-of-multiplication-result,-bugprone-reserved-identifier'
checks+=',-bugprone-branch-clone,-bugprone-sizeof-expression,-bugprone-suspicious-string-compare'
checks+=',-bugprone-not-null-terminated-result,misc-redundant-expression,misc-static-assert'
checks+=',readability-misleading-indentation,readability-redundant-control-flow'
checks+=',readability-redundant-declaration'
git ls-files --cached --others --exclude-standard '*.c' | grep -vE '^tests/' |
    xargs -P "$(nproc)" -n 8 clang-tidy -p build/clang --quiet --warnings-as-errors='*' \
        --checks="$checks" 2> /dev/null
