#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""embed.py OUTPUT FILE...: writes C with the files' bytes as `struct page pages[]` (display/vnc/page.h)."""
import os
import sys

TYPES = {'.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8',
         '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml'}


def main():
    out, files = sys.argv[1], sys.argv[2:]
    rows, text = [], ['#include "display/vnc/page.h"']
    for i, name in enumerate(files):
        with open(name, 'rb') as f:
            data = f.read()
        text.append('static const unsigned char file%d[] = {%s};' % (i, ','.join(map(str, data))))
        rows.append('    {"%s", "%s", file%d, sizeof(file%d)},'
                    % (os.path.basename(name), TYPES[os.path.splitext(name)[1]], i, i))
    text += ['const struct page pages[] = {', *rows, '    {0}', '};', '']
    with open(out, 'w', encoding='ascii') as f:
        f.write('\n'.join(text))


main()
