/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IDE: the state table of two channels and four units, and which states can be. */
#include "hw/ide-state.h"

#define CHAN_FIELDS(n) IDE_CHAN_FIELDS(struct ide, ch[n], 0x10000)
#define UNIT_FIELDS(n) IDE_UNIT_FIELDS(struct ide, unit[n])

const struct field ide_fields[] = { CHAN_FIELDS(0), CHAN_FIELDS(1), UNIT_FIELDS(0), UNIT_FIELDS(1),
                                    UNIT_FIELDS(2), UNIT_FIELDS(3), FIELDS_END };

/* buf holds, or is to hold, whole sectors of what is still to be written. */
static bool check_pio_write(const struct ide_chan_state *s)
{
    return s->len && s->len % IDE_SECTOR == 0 && s->len / IDE_SECTOR <= s->left;
}

/* Only a request to a medium can have failed. */
static bool check_held(const struct ide_chan_state *s)
{
    return !s->held || s->phase == PH_READ || s->phase == PH_WRITE || s->phase == PH_FLUSH ||
           s->phase == PH_TRIM;
}

/* Ranges of whole entries, some still to be done. */
static bool check_trim(const struct ide_chan_state *s)
{
    return s->out && s->len % IDE_TRIM == 0 && s->pos % IDE_TRIM == 0 && s->pos < s->len;
}

static bool check_phase(const struct ide_chan_state *s, const struct ide_unit *u,
                        const struct ide_unit_state *us)
{
    bool disk = u->kind == IDE_DISK;

    if (s->phase == PH_IDLE)
        return !s->held;
    if (u->kind == IDE_NONE || us->gone || !s->per_drq || (s->raw && disk) || !check_held(s))
        return false;
    if (s->raw && (!s->sector || s->sector != atapi_sector_size(s->fields, s->sub)))
        return false;
    if (s->verify && (!disk || s->dma || s->out))
        return false;
    switch (s->phase) {
    case PH_PACKET:
        return !disk && s->len == IDE_PACKET;
    case PH_READ:
        return s->left && !s->out;
    case PH_WRITE:
        return disk && s->left && s->out && (s->dma || check_pio_write(s));
    case PH_OUT:
        return s->out && !s->dma && (disk && s->left ? check_pio_write(s) : !s->left);
    case PH_DMA:
        return s->dma && s->len && !(disk && s->len % IDE_SECTOR);
    case PH_FLUSH:
        return disk;
    case PH_TRIM:
        return disk && check_trim(s);
    default:
        return !s->out && !s->dma;
    }
}

bool ide_check_chan(const struct ide_chan_state *s, const struct ide_unit *u,
                    const struct ide_unit_state *us)
{
    if (s->pos > s->end || s->end > s->len || !check_phase(s, u, us))
        return false;
    return (s->phase != PH_IN && s->phase != PH_OUT && s->phase != PH_PACKET) || s->pos != s->end;
}

bool ide_check_unit(const struct ide_unit_state *us)
{
    return us->heads && us->secs;
}

/* Active without start: only while a command runs out. */
static bool check_master(const struct ide_chan_state *s)
{
    return !(s->bm_status & BM_ACTIVE) || (s->bm_cmd & BM_START) ||
           (s->dma && (s->phase == PH_READ || s->phase == PH_WRITE || s->phase == PH_FLUSH));
}

bool ide_check(const struct device *dev)
{
    const struct ide *ide = container_of(dev, const struct ide, host.pci.dev);

    for (unsigned i = 0; i < 2; i++) {
        const struct ide_chan_state *s = &ide->s.ch[i];
        unsigned n = 2 * i + (s->active & 1);

        if (!ide_check_chan(s, &ide->unit[n], &ide->s.unit[n]) || !check_master(s))
            return false;
    }
    for (unsigned i = 0; i < IDE_UNITS; i++) {
        if (!ide_check_unit(&ide->s.unit[i]))
            return false;
    }
    return true;
}
