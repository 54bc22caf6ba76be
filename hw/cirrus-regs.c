/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers of the CL-GD5446 that a VGA does not have: CL-GD5446 Technical
 * Reference Manual, "VGA core" and "Extension registers"; what X.Org's and
 * Linux's drivers and the firmware do with them. Unless SR06 holds the key
 * they cannot be reached; a VGA's own are always there.
 *
 * Not modelled: the video window (CR31-CR3F keep what is written), the clock
 * synthesizers, the signature generator, the EEPROM, power management.
 */
#include "hw/cirrus.h"

#define CR_ID        0x27
#define CR_ID_5446   0xb8
#define CR_STATUS    0x25
#define SR_ID_BITS   0x38 /* SR17: strapped: PCI */
#define SR_PCI       0x20
#define KEY_BITS     0x17
#define DDC_CLOCK    0x01
#define DDC_DATA     0x02
#define DDC_ON       0x40
#define DDC_CLOCKED  0x04
#define DDC_LEVEL    0x80
#define HIDDEN_AFTER 4 /* reads of 3c6 */
#define NO_REG       0xff

/* Bits that can be written; 0: no such register here, or not of this kind. */
static const uint8_t sr_mask[CIRRUS_SRS] = {
    [0x07] = 0xff, [0x08] = 0x43, [0x09] = 0xff, [0x0a] = 0xff, [0x0b] = 0x7f, [0x0c] = 0x7f,
    [0x0d] = 0x7f, [0x0e] = 0x7f, [0x0f] = 0xff, [0x12] = 0xff, [0x13] = 0x3f, [0x14] = 0xff,
    [0x15] = 0xff, [0x16] = 0xff, [0x17] = 0xc7, [0x18] = 0xff, [0x1b] = 0x7f, [0x1c] = 0x7f,
    [0x1d] = 0x7f, [0x1e] = 0x7f, [0x1f] = 0x7f,
};
static const uint8_t gr_mask[CIRRUS_GRS] = {
    [0x00] = 0xff, [0x01] = 0xff, [0x05] = 0x04, [0x09] = 0xff, [0x0a] = 0xff, [0x0b] = 0x3f,
    [0x0c] = 0xff, [0x0d] = 0xff, [0x0e] = 0x3f, [0x10] = 0xff, [0x11] = 0xff, [0x12] = 0xff,
    [0x13] = 0xff, [0x14] = 0xff, [0x15] = 0xff, [0x16] = 0xff, [0x17] = 0xff, [0x18] = 0xff,
    [0x20] = 0xff, [0x21] = 0x1f, [0x22] = 0xff, [0x23] = 0x07, [0x24] = 0xff, [0x25] = 0x1f,
    [0x26] = 0xff, [0x27] = 0x1f, [0x28] = 0xff, [0x29] = 0xff, [0x2a] = 0x3f, [0x2c] = 0xff,
    [0x2d] = 0xff, [0x2e] = 0x3f, [0x2f] = 0xff, [0x30] = 0xff, [0x31] = 0x80, [0x32] = 0xff,
    [0x33] = 0x1f, [0x34] = 0xff, [0x35] = 0xff, [0x38] = 0xff, [0x39] = 0xff,
};
static const uint8_t cr_mask[CIRRUS_CRS] = {
    [0x19] = 0xff, [0x1a] = 0xff, [0x1b] = 0xff, [0x1c] = 0xff, [0x1d] = 0xff,
    [0x31] = 0xff, [0x32] = 0xff, [0x33] = 0xff, [0x34] = 0xff, [0x35] = 0xff,
    [0x36] = 0xff, [0x37] = 0xff, [0x38] = 0xff, [0x39] = 0xff, [0x3a] = 0xff,
    [0x3b] = 0xff, [0x3c] = 0xff, [0x3d] = 0xff, [0x3e] = 0xff, [0x3f] = 0xff,
};

static struct cirrus *cirrus_of_v(struct vga *v)
{
    return container_of(v, struct cirrus, v);
}

static bool open_(const struct cirrus *c)
{
    return c->s.sr[SR_KEY] == KEY_OPEN;
}

void cirrus_regs_reset(struct cirrus *c)
{
    c->s.sr[SR_KEY] = KEY_LOCKED;
    c->s.sr[SR_DRAM] = 0x98; /* 64 bits wide, two banks: 4 MiB, as the firmware reads it */
    c->s.sr[0x15] = 0x04;    /* and as its scratch register says it */
    c->s.sr[SR_BUS] = SR_PCI;
    c->s.sr[0x1f] = 0x2d; /* memory clock */
    c->s.gr[0x18] = 0x0f;
}

static bool fits(const uint8_t *reg, const uint8_t *mask, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (reg[i] & ~mask[i])
            return false;
    }
    return true;
}

bool cirrus_regs_valid(const struct cirrus *c)
{
    uint8_t sr[CIRRUS_SRS];

    memcpy(sr, c->s.sr, sizeof(sr));
    if ((sr[SR_KEY] != KEY_OPEN && sr[SR_KEY] != KEY_LOCKED) || (sr[SR_BUS] & SR_ID_BITS) != SR_PCI)
        return false;
    sr[SR_KEY] = 0;
    sr[SR_BUS] &= ~SR_ID_BITS;
    return fits(sr, sr_mask, CIRRUS_SRS) && fits(c->s.gr, gr_mask, CIRRUS_GRS) &&
           fits(c->s.cr, cr_mask, CIRRUS_CRS);
}

/* ---- sequencer ---- */

static uint8_t sr_read(struct cirrus *c)
{
    unsigned i = c->s.vga.sr_index & 0x1f;

    if (i < SR_COUNT)
        return vga_port_read(&c->v, 0x3c5);
    if (i == SR_KEY)
        return c->s.sr[SR_KEY];
    if (!open_(c))
        return NO_REG;
    switch (i) {
    case SR_CURSOR_X:
        return (uint8_t)(c->s.cursor_x >> 3);
    case SR_CURSOR_Y:
        return (uint8_t)(c->s.cursor_y >> 3);
    case SR_DDC:
        return c->s.sr[i] | (c->s.ddc.scl ? DDC_CLOCKED : 0) | (ddc_sda(&c->s.ddc) ? DDC_LEVEL : 0);
    default:
        return c->s.sr[i];
    }
}

/* While the wires are not the chip's they float high. */
static void ddc_write(struct cirrus *c, uint8_t val)
{
    bool on = val & DDC_ON;

    ddc_wires(&c->s.ddc, !on || val & DDC_CLOCK, !on || val & DDC_DATA, c->v.edid);
}

static void sr_write(struct cirrus *c, uint8_t val)
{
    unsigned i = c->s.vga.sr_index & 0x1f, low = c->s.vga.sr_index >> 5;

    if (i < SR_COUNT) {
        vga_port_write(&c->v, 0x3c5, val);
        return;
    }
    if (i == SR_KEY) {
        c->s.sr[i] = (val & KEY_BITS) == KEY_OPEN ? KEY_OPEN : KEY_LOCKED;
        return;
    }
    if (!open_(c))
        return;
    if (i == SR_CURSOR_X) /* the index' upper bits are the lowest of the place */
        c->s.cursor_x = (uint16_t)(val << 3 | low);
    else if (i == SR_CURSOR_Y)
        c->s.cursor_y = (uint16_t)(val << 3 | low);
    else
        c->s.sr[i] = (c->s.sr[i] & ~sr_mask[i]) | (val & sr_mask[i]);
    if (i == SR_DDC)
        ddc_write(c, val);
}

/* ---- graphics controller ---- */

static uint8_t gr_get(struct cirrus *c, unsigned i)
{
    if (i == GR_BLT_START)
        return cirrus_blt_status(c);
    return c->s.gr[i];
}

static void gr_set(struct cirrus *c, unsigned i, uint8_t val)
{
    c->s.gr[i] = val & gr_mask[i];
    if (i == GR_BLT_START) {
        if (val & START_RESET)
            cirrus_blt_stop(c);
        else if (val & START_GO)
            cirrus_blt_start(c);
    } else if (i == GR_BLT_DST_TOP && c->s.gr[GR_BLT_START] & START_AUTO) {
        cirrus_blt_start(c);
    }
}

static uint8_t gr_read(struct cirrus *c)
{
    unsigned i = c->s.vga.gr_index;

    if (i < GR_COUNT && (!open_(c) || !gr_mask[i]))
        return vga_port_read(&c->v, 0x3cf);
    if (i == GR_MODE)
        return vga_port_read(&c->v, 0x3cf) | c->s.gr[i];
    return open_(c) ? gr_get(c, i) : NO_REG;
}

static void gr_write(struct cirrus *c, uint8_t val)
{
    unsigned i = c->s.vga.gr_index;

    if (i < GR_COUNT)
        vga_port_write(&c->v, 0x3cf, val);
    if (i < 2 || open_(c)) /* the colours' low bytes have four bits more */
        gr_set(c, i, val);
}

/* ---- CRTC ---- */

static uint8_t cr_read(struct cirrus *c)
{
    unsigned i = c->s.vga.cr_index;

    if (i < CR_COUNT || i == 0x22 || i == 0x24 || i == 0x26)
        return vga_port_read(&c->v, 0x3d5);
    if (i == CR_ID)
        return CR_ID_5446;
    return open_(c) ? c->s.cr[i] : NO_REG;
}

static void cr_write(struct cirrus *c, uint8_t val)
{
    unsigned i = c->s.vga.cr_index;

    if (i < CR_COUNT)
        vga_port_write(&c->v, 0x3d5, val);
    else if (open_(c))
        c->s.cr[i] = val & cr_mask[i];
}

/* ---- DAC ---- */

/* 3c6: after four reads without another access to the DAC, the hidden register. */
static uint8_t mask_read(struct cirrus *c)
{
    if (c->s.hidden_reads == HIDDEN_AFTER) {
        c->s.hidden_reads = 0;
        return c->s.hidden_dac;
    }
    c->s.hidden_reads++;
    return vga_port_read(&c->v, 0x3c6);
}

static void mask_write(struct cirrus *c, uint8_t val)
{
    if (c->s.hidden_reads == HIDDEN_AFTER)
        c->s.hidden_dac = val;
    else
        vga_port_write(&c->v, 0x3c6, val);
    c->s.hidden_reads = 0;
}

/* With SR12 bit 1 the sixteen colours behind the palette; the pointer has the first and last. */
static bool cursor_colours(const struct cirrus *c)
{
    return c->s.sr[SR_CURSOR] & CURSOR_DAC;
}

static uint8_t cursor_read(struct cirrus *c)
{
    struct vga_regs *r = &c->s.vga;
    uint8_t val = c->s.cursor_dac[(r->dac_read & 15) * 3 + r->dac_sub % 3];

    r->dac_sub = (r->dac_sub + 1) % 3;
    if (!r->dac_sub)
        r->dac_read++;
    return val;
}

static void cursor_write(struct cirrus *c, uint8_t val)
{
    struct vga_regs *r = &c->s.vga;

    r->dac_cache[r->dac_sub % 3] = val & 0x3f;
    r->dac_sub = (r->dac_sub + 1) % 3;
    if (!r->dac_sub)
        memcpy(&c->s.cursor_dac[(r->dac_write++ & 15) * 3], r->dac_cache, 3);
}

/* ---- ports ---- */

/* Is this one of the two CRTC ports that answer now? */
static bool is_crtc(const struct cirrus *c, unsigned port, unsigned which)
{
    return port == (c->s.vga.misc & MISC_COLOUR ? 0x3d4 : 0x3b4) + which;
}

uint8_t cirrus_port_read(struct vga *v, unsigned port)
{
    struct cirrus *c = cirrus_of_v(v);

    if (is_crtc(c, port, 1))
        return cr_read(c);
    if (port == 0x3c6)
        return mask_read(c);
    if (port >= 0x3c7 && port <= 0x3c9)
        c->s.hidden_reads = 0;
    switch (port) {
    case 0x3c5:
        return sr_read(c);
    case 0x3c9:
        return cursor_colours(c) ? cursor_read(c) : vga_port_read(v, port);
    case 0x3cf:
        return gr_read(c);
    default:
        return vga_port_read(v, port);
    }
}

void cirrus_port_write(struct vga *v, unsigned port, uint8_t val)
{
    struct cirrus *c = cirrus_of_v(v);

    if (is_crtc(c, port, 1)) {
        cr_write(c, val);
        return;
    }
    if (port >= 0x3c7 && port <= 0x3c9)
        c->s.hidden_reads = 0;
    switch (port) {
    case 0x3c5:
        sr_write(c, val);
        break;
    case 0x3c6:
        mask_write(c, val);
        break;
    case 0x3c9:
        if (cursor_colours(c))
            cursor_write(c, val);
        else
            vga_port_write(v, port, val);
        break;
    case 0x3cf:
        gr_write(c, val);
        break;
    default:
        vga_port_write(v, port, val);
        break;
    }
}

/* ---- the blitter's registers in memory ---- */

/* Which GR a byte of the block is; 0 is GR00 only at the first place. */
static const uint8_t mmio_gr[0x44] = {
    [0x00] = 0x00, [0x01] = 0x10, [0x02] = 0x12, [0x03] = 0x14, [0x04] = 0x01, [0x05] = 0x11,
    [0x06] = 0x13, [0x07] = 0x15, [0x08] = 0x20, [0x09] = 0x21, [0x0a] = 0x22, [0x0b] = 0x23,
    [0x0c] = 0x24, [0x0d] = 0x25, [0x0e] = 0x26, [0x0f] = 0x27, [0x10] = 0x28, [0x11] = 0x29,
    [0x12] = 0x2a, [0x14] = 0x2c, [0x15] = 0x2d, [0x16] = 0x2e, [0x17] = 0x2f, [0x18] = 0x30,
    [0x1a] = 0x32, [0x1b] = 0x33, [0x1c] = 0x34, [0x1d] = 0x35, [0x20] = 0x38, [0x21] = 0x39,
    [0x40] = 0x31,
};

static bool mmio_find(unsigned off, unsigned *i)
{
    *i = off < sizeof(mmio_gr) ? mmio_gr[off] : 0;
    return *i || off == 0;
}

uint8_t cirrus_mmio_read(struct cirrus *c, unsigned off)
{
    unsigned i;

    return mmio_find(off, &i) ? gr_get(c, i) : NO_REG;
}

void cirrus_mmio_write(struct cirrus *c, unsigned off, uint8_t val)
{
    unsigned i;

    if (!mmio_find(off, &i))
        return;
    if (i < 2) { /* the VGA's set/reset registers are their low halves */
        c->s.vga.gr[i] = val & 0x0f;
    }
    gr_set(c, i, val);
}
