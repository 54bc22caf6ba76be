#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes display/font-tables.inc: the 8x16 glyphs that consoles and boot loaders draw.

  tools/gen-fonts.py FOLDER > display/font-tables.inc

FOLDER holds what Debian's packages console-setup-linux and unifont install: files
Uni2-VGA16.psf.gz, Uni2-Fixed16.psf.gz, Uni2-TerminusBold16.psf.gz, Uni2-Terminus16.psf.gz and
unifont.hex somewhere below it (dpkg-deb -x). The first are what Linux's setfont loads, the last is
what GRUB's gfxterm draws with. The 8x8 and 8x14 fonts of firmware are not here: they are read from
the guest's own VGA BIOS.
"""
import glob
import gzip
import os
import struct
import sys

PSF = ['Uni2-VGA16', 'Uni2-Fixed16', 'Uni2-Terminus16', 'Uni2-TerminusBold16']
LICENCES = '''/*
 * Whose shapes they are: Unifont's are GPL-2.0-or-later; the consoles' fonts are public domain by
 * console-setup's word, Terminus is under OFL-1.1 besides; those that only
 * Linux has are as its own font (GPL-2.0) draws them.
 */'''
# Of Unifont: what a screen of a boot loader or installer may show. Narrow glyphs only.
RANGES = [(0x20, 0x7e), (0xa1, 0x17f), (0x218, 0x21b), (0x384, 0x3ce), (0x400, 0x45f),
          (0x2010, 0x2026), (0x2030, 0x203a), (0x20ac, 0x20ac), (0x2122, 0x2122),
          (0x2190, 0x2195), (0x2500, 0x259f), (0x25a0, 0x25c9), (0x263a, 0x263c),
          (0x2660, 0x266b)]
# Linux's built-in 8x16 font where it is not Uni2-VGA16, as it is on the screen (code page 437).
LINUX = {
    0x0027: '00303030600000000000000000000000',
    0x0060: '0030180c000000000000000000000000',
    0x0066: '00001c36323078303030307800000000',
    0x0076: '0000000000c6c6c6c6c66c3800000000',
    0x007e: '0076dc00000000000000000000000000',
    0x2593: 'dd77dd77dd77dd77dd77dd77dd77dd77',
    0x2561: '1818181818f818f81818181818181818',
    0x2562: '36363636363636f63636363636363636',
    0x2556: '00000000000000fe3636363636363636',
    0x2555: '0000000000f818f81818181818181818',
    0x2563: '3636363636f606f63636363636363636',
    0x2551: '36363636363636363636363636363636',
    0x2557: '0000000000fe06f63636363636363636',
    0x255d: '3636363636f606fe0000000000000000',
    0x255c: '36363636363636fe0000000000000000',
    0x255b: '1818181818f818f80000000000000000',
    0x255e: '18181818181f181f1818181818181818',
    0x255f: '36363636363636373636363636363636',
    0x255a: '363636363637303f0000000000000000',
    0x2554: '00000000003f30373636363636363636',
    0x2569: '3636363636f700ff0000000000000000',
    0x2566: '0000000000ff00f73636363636363636',
    0x2560: '36363636363730373636363636363636',
    0x2550: '0000000000ff00ff0000000000000000',
    0x256c: '3636363636f700f73636363636363636',
    0x2567: '1818181818ff00ff0000000000000000',
    0x2568: '36363636363636ff0000000000000000',
    0x2564: '0000000000ff00ff1818181818181818',
    0x2565: '00000000000000ff3636363636363636',
    0x2559: '363636363636363f0000000000000000',
    0x2558: '18181818181f181f0000000000000000',
    0x2552: '00000000001f181f1818181818181818',
    0x2553: '000000000000003f3636363636363636',
    0x256b: '36363636363636ff3636363636363636',
    0x256a: '1818181818ff18ff1818181818181818',
    0x2584: '00000000000000ffffffffffffffffff',
    0x258c: 'f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0',
    0x2590: '0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f',
    0x2580: 'ffffffffffffff000000000000000000',
}


def find(folder, name):
    found = glob.glob(os.path.join(folder, '**', name), recursive=True)
    if not found:
        sys.exit(f'{name} is nowhere below {folder}')
    return found[0]


def psf(path):
    """PSF version 1: (Unicode, 16 bytes) of each glyph that has a character."""
    data = gzip.open(path).read()
    if data[:2] != b'\x36\x04' or data[3] != 16:
        sys.exit(f'{path}: not a PSF1 font of 16 rows')
    count, at = (512 if data[2] & 1 else 256), 4
    glyphs = [data[at + 16 * i:at + 16 * i + 16] for i in range(count)]
    at += 16 * count
    for glyph in glyphs:
        while True:
            (char,) = struct.unpack_from('<H', data, at)
            at += 2
            if char == 0xffff:
                break
            if char < 0xfff0:
                yield char, glyph


def unifont(path):
    for line in open(path, encoding='ascii'):
        code, bits = line.strip().split(':')
        char = int(code, 16)
        if len(bits) == 32 and any(lo <= char <= hi for lo, hi in RANGES):
            yield char, bytes.fromhex(bits)


def main():
    folder, seen, rows = sys.argv[1], {}, []
    sources = [psf(find(folder, name + '.psf.gz')) for name in PSF]
    sources.append(iter([(c, bytes.fromhex(g)) for c, g in LINUX.items()]))
    sources.append(unifont(find(folder, 'unifont.hex')))
    for source in sources:
        for char, glyph in source:
            # a picture stands for the character that comes first: A is not the Greek Alpha
            if glyph not in seen or char < seen[glyph]:
                seen[glyph] = char
    print('/* SPDX-License-Identifier: GPL-2.0-or-later */')
    print('/* Made by tools/gen-fonts.py from console-setup-linux and unifont; not to be edited. */')
    print(LICENCES)
    for glyph, char in sorted(seen.items(), key=lambda item: (item[1], item[0])):
        if any(glyph):
            rows.append('{%d,"%s"},' % (char, ''.join('\\x%02x' % b for b in glyph)))
    print('\n'.join(rows))


main()
