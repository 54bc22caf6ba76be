#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What cppcheck calls an error, a warning or a portability trap. The suppressed kinds are those
# where it is wrong about this code: it does not see that main() ends the loop it lends, it takes
# offsetof-like macros for dereferences, it cannot follow ranges through a conditional, it fears a
# NULL among variadic arguments (a pointer wherever Xen runs), and its parser gives up on some macros.
set -u
cd "$(dirname "$0")/../.." || exit 1
git ls-files --cached --others --exclude-standard '*.c' |
    grep -vE '^tests/(guest|unit)/' |
    xargs cppcheck --quiet --enable=warning,portability --inline-suppr --std=c11 -j2 -I. \
        --suppress=missingInclude --suppress=autoVariables --suppress=nullPointer \
        --suppress=shiftTooManyBits --suppress=varFuncNullUB --suppress=internalAstError --error-exitcode=1 2>&1
