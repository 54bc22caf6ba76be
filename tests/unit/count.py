#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""tests/unit/count.py testlog.json: what became of the unit tests.

Prints the failed ones, with what their program said of it, and then
"PASSED FAILED". A program that fails without a test of its own
that failed (it crashed, hung, leaked, or ran none) counts as one failed test.
"""
import json
import re
import sys


def outcome(run):
    """(tests that passed, names of those that failed) of one program"""
    out = run.get('stdout', '')
    passed = len(re.findall(r'^\[       OK \]', out, re.M))
    failed = re.findall(r'^\[  FAILED  \] (.*)', out, re.M)
    if 'fuzz' in run['name'] and 'replay-' in run['name'] and run['result'] == 'OK':
        return 1, []  # it plays inputs and says nothing while all is well
    if not failed and (run['result'] != 'OK' or not passed):
        failed = ['%s (exit status %s)' % (run['result'], run.get('returncode'))]
    return passed, failed


def reasons(run):
    said = (run.get('stdout', '') + run.get('stderr', '')).splitlines()
    telling = [line for line in said if re.search(r'ERROR|LINE  |runtime error|SUMMARY|^Test ', line)]
    return (telling or said[-15:])[:15]


def main(log):
    passed = failed = 0
    for run in map(json.loads, open(log)):
        good, bad = outcome(run)
        passed += good
        failed += len(bad)
        for name in bad:
            print('not ok %s: %s' % (run['name'], name))
        for line in reasons(run) if bad else []:
            print('    ' + line)
    print(passed, failed)


main(sys.argv[1])
