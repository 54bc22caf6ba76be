/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IDE: the state table of two channels and four units, and which states can be. */
#include "hw/core/state.h"
#include "hw/atapi.h"

#define CHAN_FIELDS(n)                                                                             \
    FIELD(struct ide, ch[n].lba, .max = 1ULL << 48), FIELD(struct ide, ch[n].left),                \
        FIELD(struct ide, ch[n].seq), FIELD(struct ide, ch[n].pos, .max = IDE_BUF),                \
        FIELD(struct ide, ch[n].end, .max = IDE_BUF),                                              \
        FIELD(struct ide, ch[n].len, .max = IDE_BUF),                                              \
        FIELD(struct ide, ch[n].prd, .bits = 0xfffffffc),                                          \
        FIELD(struct ide, ch[n].prd_next, .bits = 0xfffffffc), FIELD(struct ide, ch[n].prd_addr),  \
        FIELD(struct ide, ch[n].prd_left, .max = 0x10000),                                         \
        FIELD(struct ide, ch[n].limit, .max = 0xfffe),                                             \
        FIELD(struct ide, ch[n].per_drq, .max = IDE_MAX_MUL),                                      \
        FIELD(struct ide, ch[n].device, .bits = DEV_LBA | DEV_1 | DEV_HEAD),                       \
        FIELD(struct ide, ch[n].control, .bits = CTL_HOB | CTL_SRST | CTL_NIEN),                   \
        FIELD(struct ide, ch[n].active, .max = 1),                                                 \
        FIELD(struct ide, ch[n].phase, .max = PH_COUNT - 1),                                       \
        FIELD(struct ide, ch[n].bm_cmd, .bits = BM_START | BM_TO_RAM),                             \
        FIELD(struct ide, ch[n].bm_status, .bits = BM_CAPABLE | BM_INT | BM_ERROR | BM_ACTIVE),    \
        FIELD(struct ide, ch[n].line), FIELD(struct ide, ch[n].dma), FIELD(struct ide, ch[n].out), \
        FIELD(struct ide, ch[n].prd_last), FIELD(struct ide, ch[n].single),                        \
        FIELD(struct ide, ch[n].through), FIELD(struct ide, ch[n].raw),                            \
        FIELD(struct ide, ch[n].command), ARRAY(struct ide, ch[n].packet),                         \
        FIELD(struct ide, ch[n].fields, .bits = 0xfe, .since = 2),                                 \
        FIELD(struct ide, ch[n].sub, .max = 4, .since = 2),                                        \
        FIELD(struct ide, ch[n].sector, .max = IDE_CD_MAX, .since = 2),                            \
        FIELD(struct ide, ch[n].held, .since = 2), FIELD(struct ide, ch[n].verify, .since = 2),    \
        ARRAY(struct ide, ch[n].buf)

#define UNIT_FIELDS(n)                                                                             \
    ARRAY(struct ide, unit[n].feature), ARRAY(struct ide, unit[n].count),                          \
        ARRAY(struct ide, unit[n].low), ARRAY(struct ide, unit[n].mid),                            \
        ARRAY(struct ide, unit[n].high), FIELD(struct ide, unit[n].status),                        \
        FIELD(struct ide, unit[n].error), FIELD(struct ide, unit[n].heads, .max = 16),             \
        FIELD(struct ide, unit[n].secs), FIELD(struct ide, unit[n].multiple, .max = IDE_MAX_MUL),  \
        FIELD(struct ide, unit[n].xfer_mode, .max = 0x45),                                         \
        FIELD(struct ide, unit[n].power, .max = PM_COUNT - 1), FIELD(struct ide, unit[n].intrq),   \
        FIELD(struct ide, unit[n].wcache), FIELD(struct ide, unit[n].look_ahead),                  \
        FIELD(struct ide, unit[n].smart), FIELD(struct ide, unit[n].smart_save),                   \
        FIELD(struct ide, unit[n].gone), FIELD(struct ide, unit[n].sense_key, .max = 15),          \
        FIELD(struct ide, unit[n].asc), FIELD(struct ide, unit[n].ascq),                           \
        FIELD(struct ide, unit[n].attention, .max = UA_COUNT - 1),                                 \
        FIELD(struct ide, unit[n].event, .max = EV_COUNT - 1),                                     \
        FIELD(struct ide, unit[n].tray_open), FIELD(struct ide, unit[n].locked),                   \
        ARRAY(struct ide, unit[n].page01), ARRAY(struct ide, unit[n].page0d),                      \
        ARRAY(struct ide, unit[n].page0e), ARRAY(struct ide, unit[n].page1a, .since = 2),          \
        FIELD(struct ide, unit[n].standby, .since = 2),                                            \
        FIELD(struct ide, unit[n].max, .max = 1ULL << 48, .since = 2),                             \
        FIELD(struct ide, unit[n].err_count, .since = 2),                                          \
        FIELD(struct ide, unit[n].speed, .since = 2),                                              \
        FIELD(struct ide, unit[n].standby_code, .since = 2),                                       \
        FIELD(struct ide, unit[n].native, .since = 2),                                             \
        ARRAY(struct ide, unit[n].scratch, .since = 2),                                            \
        ARRAY(struct ide, unit[n].err_log, .since = 2),                                            \
        FIELD(struct ide, unit[n].err_next, .max = SMART_ERRORS - 1, .since = 2),                  \
        ARRAY(struct ide, unit[n].test_log, .since = 2),                                           \
        FIELD(struct ide, unit[n].test_last, .max = SMART_TESTS, .since = 2)

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

bool ide_check(const struct device *dev)
{
    const struct ide *ide = container_of(dev, const struct ide, pci.dev);

    for (unsigned i = 0; i < 2; i++) {
        const struct ide_chan_state *s = &ide->s.ch[i];
        unsigned n = 2 * i + (s->active & 1);

        if (s->pos > s->end || s->end > s->len || !check_phase(s, &ide->unit[n], &ide->s.unit[n]))
            return false;
        if ((s->phase == PH_IN || s->phase == PH_OUT || s->phase == PH_PACKET) && s->pos == s->end)
            return false;
    }
    for (unsigned i = 0; i < IDE_UNITS; i++) {
        if (!ide->s.unit[i].heads || !ide->s.unit[i].secs)
            return false;
    }
    return true;
}
