#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes display/keymap-tables.inc: X keysym -> evdev code, by keyboard layout.

The layouts are those of the xkb-data package, compiled by libxkbcommon (both
are asked for at the time this runs, not at build time: the output is checked
in). Run from the root of the source: tools/gen-keymap.py > display/keymap-tables.inc
"""
import ctypes
import sys

# The names people write after -k, and the XKB layouts (with variants) they mean. What a later
# variant adds (dead keys against plain accents) is added; what it says differently is not.
LAYOUTS = {
    'ar': ['ara'], 'bepo': ['fr(bepo)'], 'cz': ['cz'], 'da': ['dk', 'dk(nodeadkeys)'],
    'de': ['de', 'de(nodeadkeys)'], 'de-ch': ['ch', 'ch(de_nodeadkeys)'],
    'en-gb': ['gb'], 'en-us': ['us'], 'es': ['es', 'es(nodeadkeys)'], 'et': ['ee'],
    'fi': ['fi', 'fi(nodeadkeys)'], 'fo': ['fo', 'fo(nodeadkeys)'],
    'fr': ['fr', 'fr(nodeadkeys)'], 'fr-be': ['be', 'be(nodeadkeys)'],
    'fr-ca': ['ca'], 'fr-ch': ['ch(fr)', 'ch(fr_nodeadkeys)'],
    'hr': ['hr'], 'hu': ['hu', 'hu(nodeadkeys)'], 'is': ['is'], 'it': ['it', 'it(nodeadkeys)'],
    'ja': ['jp'], 'lt': ['lt'], 'lv': ['lv'], 'mk': ['mk'], 'nl': ['nl'],
    'no': ['no', 'no(nodeadkeys)'], 'pl': ['pl'], 'pt': ['pt', 'pt(nodeadkeys)'],
    'pt-br': ['br', 'br(nodeadkeys)'], 'ru': ['ru'], 'sl': ['si'],
    'sv': ['se', 'se(nodeadkeys)'], 'th': ['th'], 'tr': ['tr'],
}
# What PC keyboards have: XKB also lists keys that no PC keyboard sends.
PC_KEYS = {*range(1, 84), *range(85, 118), 119, *range(122, 129), 140, 142, 143, 155, 156, 157, 158,
           159, 163, 164, 165, 166, 172, 173, 217, 226}
KEY_KPCOMMA = 121
KPCOMMA_LAYOUTS = ('br', 'jp')
# Keysyms that viewers send, whatever the layout says of them (or does not).
EXTRA = {
    0xffe7: 125, 0xffe8: 126,  # Meta_L, Meta_R: the Windows keys
    0xffeb: 125, 0xffec: 126,  # Super
    0xffea: 100, 0xfe03: 100, 0xff7e: 100,  # Alt_R, ISO_Level3_Shift, Mode_switch
    0xff15: 99, 0xff6b: 119,   # Sys_Req, Break
    0xfe20: 15,                # ISO_Left_Tab: what Shift makes of Tab
    0xff9f: 83, 0xffac: 83, 0xffae: 83,  # KP_Delete, KP_Separator, KP_Decimal
}
SHIFT, ALTGR, NUMLOCK = 1, 2, 4
KEY_102ND = 86

xkb = ctypes.CDLL('libxkbcommon.so.0')
for fn in ('xkb_context_new', 'xkb_keymap_new_from_names'):
    getattr(xkb, fn).restype = ctypes.c_void_p
U32P = ctypes.POINTER(ctypes.c_uint32)


class RuleNames(ctypes.Structure):
    _fields_ = [(n, ctypes.c_char_p) for n in ('rules', 'model', 'layout', 'variant', 'options')]


def compile_layout(ctx, spec):
    layout, _, variant = spec.partition('(')
    names = RuleNames(b'evdev', b'pc105', layout.encode(), variant.rstrip(')').encode(), None)
    km = xkb.xkb_keymap_new_from_names(ctypes.c_void_p(ctx), ctypes.byref(names), 0)
    if not km:
        sys.exit('cannot compile layout ' + spec)
    return ctypes.c_void_p(km)


def level_mods(km, key, level, bits):
    """The least of Shift, AltGr, NumLock that selects the level; None if it takes more."""
    masks = (ctypes.c_uint32 * 64)()
    n = xkb.xkb_keymap_key_get_mods_for_level(km, key, 0, level, masks, ctypes.c_size_t(64))
    best = None
    for mask in masks[:n]:
        mods = sum(ours for xbit, ours in bits.items() if mask & xbit)
        if mask & ~sum(bits) == 0 and (best is None or mods < best):
            best = mods
    return best


def spellings(sym):
    """A keysym and its other form: U+0416 is Cyrillic_ZHE and 0x1000416."""
    out = [sym]
    u = xkb.xkb_keysym_to_utf32(sym)
    if u >= 0x100:
        out += [0x1000000 | u, xkb.xkb_utf32_to_keysym(u)]
    return sorted({s for s in out if s})


def has_key(spec, code):
    return code in PC_KEYS or code == KEY_KPCOMMA and spec[:2] in KPCOMMA_LAYOUTS


def symbols(ctx, spec):
    """[(keysym, evdev code, mods)] of one XKB layout, best choice first."""
    km = compile_layout(ctx, spec)
    bit = lambda n: 1 << xkb.xkb_keymap_mod_get_index(km, n)
    bits = {bit(b'Shift'): SHIFT, bit(b'Mod5'): ALTGR, bit(b'Mod2'): NUMLOCK}
    out = []
    for key in range(9, 256):
        for level in range(xkb.xkb_keymap_num_levels_for_key(km, key, 0)):
            syms = U32P()
            n = xkb.xkb_keymap_key_get_syms_by_level(km, key, 0, level, ctypes.byref(syms))
            mods = level_mods(km, key, level, bits)
            if n == 1 and mods is not None and has_key(spec, key - 8) and syms[0] not in EXTRA:
                out += [(s, key - 8, mods) for s in spellings(syms[0])]
    xkb.xkb_keymap_unref(km)
    return out


def merge(entries):
    """One key for each (keysym, mods); a keysym that needs no AltGr is not also listed with it."""
    best = {}
    for sym, code, mods in entries:
        best.setdefault((sym, mods), code)
    codes = {}
    for (sym, mods), code in best.items():
        codes.setdefault(sym, []).append((mods, code))
    out = set()
    for sym, choices in codes.items():
        elsewhere = [c for c in choices if c[1] != KEY_102ND and not c[0] & ALTGR]
        if elsewhere:
            choices = elsewhere  # the 102nd key means something else on 101-key boards
        least = min(m & ALTGR for m, _ in choices)
        out |= {(sym, code, mods) for mods, code in choices if mods & ALTGR == least}
    return {e for e in out if not redundant(e, out)}


def redundant(e, all_entries):
    """The same key for the same keysym with fewer modifiers is listed already."""
    return any((e[0], e[1], m) in all_entries for m in range(e[2]) if m & e[2] == m)


def layout_table(ctx, specs, us):
    first = symbols(ctx, specs[0])
    have = {s for s, _, _ in first}
    for spec in specs[1:]:
        first += [e for e in symbols(ctx, spec) if e[0] not in have]
    have = {s for s, _, _ in first}
    first += [e for e in us if 0x20 <= e[0] < 0x7f and e[0] not in have]
    first += [(s, c, 0) for s, c in EXTRA.items()]
    return merge(first)


def print_table(name, entries):
    print('static const struct keymap_entry %s[] = {' % name)
    line = '   '
    for sym, code, mods in sorted(entries, key=lambda e: (e[0], e[2], e[1])):
        cell = ' {0x%x,%d,%d},' % (sym, code, mods)
        if len(line + cell) > 99:
            print(line)
            line = '   '
        line += cell
    print(line + '\n};')


def main():
    ctx = xkb.xkb_context_new(0)
    us = symbols(ctx, 'us')
    tables = {name: layout_table(ctx, specs, us) for name, specs in LAYOUTS.items()}
    common = set.intersection(*tables.values())
    syms = {name: {e[0] for e in t - common} for name, t in tables.items()}
    common = {e for e in common if not any(e[0] in s for s in syms.values())}
    print('/* SPDX-License-Identifier: GPL-2.0-or-later */')
    print('/* Made by tools/gen-keymap.py from xkb-data: {keysym, evdev code, modifiers}. */')
    print('/* clang-format off */')
    print_table('map_common', common)
    for name, t in tables.items():
        print_table('map_' + name.replace('-', '_'), t - common)
    print('static const struct keymap keymaps[] = {')
    for name in sorted(tables):
        ident = 'map_' + name.replace('-', '_')
        print('    {"%s", %s, sizeof(%s) / sizeof(%s[0])},' % (name, ident, ident, ident))
    print('};')


main()
