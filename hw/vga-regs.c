/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VGA's registers at 3b4-3df: IBM PS/2 Hardware Interface Technical
 * Reference, "Video Subsystem"; FreeVGA, "VGA Registers". A register keeps the
 * bits it has; the rest read as zero. Three read-backs that IBM left
 * undocumented and its successors have (CR22 latch, CR24 flip-flop, CR26
 * attribute index) are here because drivers save and restore by them.
 *
 * Not modelled: the vertical interrupt (few PCs wired it), the light pen, the
 * feature connector, the sequencer's reset. The palette registers may be
 * written whatever the PAS bit says, as on every card since IBM's second.
 */
#include "hw/vga.h"

#define ST1_BLANK   0x01 /* the beam is not in the picture */
#define ST1_RETRACE 0x08
#define ST0_SWITCH  0x10 /* a monitor is there */

#define CR_PROTECT     0x80 /* CR11: CR00-CR07 cannot be written … */
#define CR_OVERFLOW    0x07 /* … but for bit 4 of this */
#define CR_OVF_SPLIT   0x10
#define CR_LATCH       0x22
#define CR_FLIPFLOP    0x24
#define CR_AR_INDEX    0x26
#define DAC_STATE_READ 3

static const uint8_t sr_mask[SR_COUNT] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e };
static const uint8_t gr_mask[GR_COUNT] = { 0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff };
static const uint8_t cr_mask[CR_COUNT] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0x3f, 0x7f, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xef, 0xff,
};
static const uint8_t ar_mask[AR_COUNT] = {
    0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
    0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0xef, 0xff, 0x3f, 0x0f, 0x0f,
};

static bool masked(const uint8_t *reg, const uint8_t *mask, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (reg[i] & ~mask[i])
            return false;
    }
    return true;
}

bool vga_regs_valid(const struct vga *v)
{
    return v->r->edid_x && v->r->edid_y && masked(v->r->sr, sr_mask, SR_COUNT) &&
           masked(v->r->gr, gr_mask, GR_COUNT) && masked(v->r->cr, cr_mask, CR_COUNT) &&
           masked(v->r->ar, ar_mask, AR_COUNT);
}

static uint8_t indexed_read(const uint8_t *reg, unsigned n, unsigned index)
{
    return index < n ? reg[index] : 0;
}

static void indexed_write(uint8_t *reg, const uint8_t *mask, unsigned n, unsigned index,
                          uint8_t val)
{
    if (index < n)
        reg[index] = val & mask[index];
}

/* ---- CRTC ---- */

static uint8_t crtc_read(const struct vga *v)
{
    switch (v->r->cr_index) {
    case CR_LATCH:
        return v->r->latch[v->r->gr[GR_READ_PLANE] & 3];
    case CR_FLIPFLOP:
        return v->r->ar_data ? 0x80 : 0;
    case CR_AR_INDEX:
        return v->r->ar_index;
    default:
        return indexed_read(v->r->cr, CR_COUNT, v->r->cr_index);
    }
}

static void crtc_write(struct vga *v, uint8_t val)
{
    unsigned i = v->r->cr_index;

    if (i <= CR_OVERFLOW && (v->r->cr[CR_VRE] & CR_PROTECT)) {
        if (i == CR_OVERFLOW)
            v->r->cr[i] = (v->r->cr[i] & ~CR_OVF_SPLIT) | (val & CR_OVF_SPLIT);
        return;
    }
    indexed_write(v->r->cr, cr_mask, CR_COUNT, i, val);
}

/* ---- attribute controller: one port for index and data, in turns ---- */

static void attr_write(struct vga *v, uint8_t val)
{
    if (v->r->ar_data)
        indexed_write(v->r->ar, ar_mask, AR_COUNT, v->r->ar_index & 0x1f, val);
    else
        v->r->ar_index = val & (AR_INDEX_PAS | 0x1f);
    v->r->ar_data = !v->r->ar_data;
}

/* ---- DAC: three bytes a colour, six bits each unless the Bochs interface says eight ---- */

static bool dac_is_8bit(const struct vga *v)
{
    return v->ops->dac_8bit && v->ops->dac_8bit(v);
}

static void dac_start(struct vga *v, bool read, uint8_t index)
{
    v->r->dac_state = read ? DAC_STATE_READ : 0;
    v->r->dac_sub = 0;
    if (read)
        v->r->dac_read = index;
    else
        v->r->dac_write = index;
}

static uint8_t dac_data_read(struct vga *v)
{
    uint8_t val = v->r->dac[v->r->dac_read * 3 + v->r->dac_sub % 3];

    v->r->dac_sub = (v->r->dac_sub + 1) % 3;
    if (!v->r->dac_sub)
        v->r->dac_read++;
    return dac_is_8bit(v) ? val : val >> 2;
}

/* A colour is stored when all of it has come. */
static void dac_data_write(struct vga *v, uint8_t val)
{
    if (!dac_is_8bit(v))
        val = val << 2 | (val >> 4 & 3);
    v->r->dac_cache[v->r->dac_sub % 3] = val;
    v->r->dac_sub = (v->r->dac_sub + 1) % 3;
    if (!v->r->dac_sub) {
        memcpy(&v->r->dac[v->r->dac_write * 3], v->r->dac_cache, 3);
        v->r->dac_write++;
    }
}

/* ---- input status ---- */

/*
 * The beam, from guest time. A guest that polls costs exits and may be
 * descheduled, so retrace is shown from its start to the end of the frame.
 */
static uint8_t beam_status(struct vga *v)
{
    const uint8_t *cr = v->r->cr;
    unsigned dots = v->r->sr[SR_CLOCK] & SR_CLOCK_8DOT ? 8 : 9;
    uint64_t clock = (v->r->misc & MISC_CLOCK) == 4 ? 28322 : 25175; /* kHz */
    uint64_t columns = cr[0] + 5u, line_ns, line, column;
    uint32_t lines, shown, retrace;
    uint64_t now = platform_now(v->pci.dev.plat);

    if (v->r->sr[SR_CLOCK] & SR_CLOCK_HALF)
        dots *= 2;
    lines = (cr[6] | (cr[7] & 0x01) << 8 | (cr[7] & 0x20) << 4) + 2u;
    shown = (cr[CR_VDE] | (cr[7] & 0x02) << 7 | (cr[7] & 0x40) << 3) + 1u;
    retrace = cr[CR_VRS] | (cr[7] & 0x04) << 6 | (cr[7] & 0x80) << 2;
    line_ns = columns * dots * 1000000 / clock;
    if ((v->ops->own_timing && v->ops->own_timing(v)) || lines < 100 || columns < 20 ||
        retrace >= lines) {
        lines = 525; /* 640x480 at 60 Hz, 31.5 kHz */
        shown = 480;
        retrace = 490;
        columns = 100;
        line_ns = 31778;
    }
    line = now / line_ns % lines;
    column = now % line_ns * columns / line_ns;
    if (line >= retrace)
        return ST1_RETRACE | ST1_BLANK;
    return line >= shown || column > cr[1] ? ST1_BLANK : 0;
}

static uint8_t status1_read(struct vga *v)
{
    v->r->ar_data = false;
    return beam_status(v);
}

/* ---- ports ---- */

/* 3b4-3bf or 3d4-3df as 3d4-3df; 0: the other half of the two is selected. */
static unsigned crtc_port(const struct vga *v, unsigned port)
{
    bool colour = port >= 0x3d0;

    if (port >= 0x3c0 && port <= 0x3cf)
        return port;
    if (colour != !!(v->r->misc & MISC_COLOUR))
        return 0;
    return colour ? port : port + 0x20;
}

uint8_t vga_port_read(struct vga *v, unsigned port)
{
    switch (crtc_port(v, port)) {
    case 0x3c0:
        return v->r->ar_index;
    case 0x3c1:
        return indexed_read(v->r->ar, AR_COUNT, v->r->ar_index & 0x1f);
    case 0x3c2:
        return ST0_SWITCH;
    case 0x3c3:
        return v->r->enable;
    case 0x3c4:
        return v->r->sr_index;
    case 0x3c5:
        return indexed_read(v->r->sr, SR_COUNT, v->r->sr_index);
    case 0x3c6:
        return v->r->pel_mask;
    case 0x3c7:
        return v->r->dac_state;
    case 0x3c8:
        return v->r->dac_write;
    case 0x3c9:
        return dac_data_read(v);
    case 0x3ca:
        return v->r->feature;
    case 0x3cc:
        return v->r->misc;
    case 0x3ce:
        return v->r->gr_index;
    case 0x3cf:
        return indexed_read(v->r->gr, GR_COUNT, v->r->gr_index);
    case 0x3d4:
        return v->r->cr_index;
    case 0x3d5:
        return crtc_read(v);
    case 0x3da:
        return status1_read(v);
    default:
        return 0xff;
    }
}

void vga_port_write(struct vga *v, unsigned port, uint8_t val)
{
    switch (crtc_port(v, port)) {
    case 0x3c0:
    case 0x3c1: /* a word written to 3c0 is index and data */
        attr_write(v, val);
        break;
    case 0x3c2:
        v->r->misc = val & 0xef;
        break;
    case 0x3c3:
        v->r->enable = val & 1;
        break;
    case 0x3c4:
        v->r->sr_index = val & v->ops->sr_index;
        break;
    case 0x3c5:
        indexed_write(v->r->sr, sr_mask, SR_COUNT, v->r->sr_index, val);
        break;
    case 0x3c6:
        v->r->pel_mask = val;
        break;
    case 0x3c7:
        dac_start(v, true, val);
        break;
    case 0x3c8:
        dac_start(v, false, val);
        break;
    case 0x3c9:
        dac_data_write(v, val);
        break;
    case 0x3ce:
        v->r->gr_index = val & v->ops->gr_index;
        break;
    case 0x3cf:
        indexed_write(v->r->gr, gr_mask, GR_COUNT, v->r->gr_index, val);
        break;
    case 0x3d4:
        v->r->cr_index = val & v->ops->cr_index;
        break;
    case 0x3d5:
        crtc_write(v, val);
        break;
    case 0x3da:
        v->r->feature = val & 0x0b;
        break;
    default:
        break;
    }
}
