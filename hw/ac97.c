/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AC '97 audio of Intel's ICH (82801AA, 8086:2415). Sources: Intel 82801AA
 * datasheet (290655), chapter 12 "AC'97 Audio Controller Registers"; Intel
 * AC '97 Programmer's Reference Manual, sections 2 and 3; what Linux's
 * snd_intel8x0 and Windows' drivers do. The codec is hw/ac97-codec.c.
 *
 * Three bus masters walk lists of 32 buffers: PCM in, PCM out, microphone.
 * What is recorded is silence. Not modelled: the modem function, a second
 * codec, what is left in a FIFO when it runs dry (it is silence). The codec
 * answers before the driver takes it out of cold reset, too: a PC's firmware
 * has done that. Config: sound.
 */
#include <string.h>
#include "hw/ac97-codec.h"
#include "hw/core/config.h"
#include "hw/core/state.h"
#include "hw/devices.h"
#include "hw/pace.h"
#include "sound/sound.h"

/* Registers of a bus master, 16 bytes each: PCM in, PCM out, microphone */
enum { R_BDBAR = 0x0, R_CIV = 0x4, R_LVI = 0x5, R_SR = 0x6, R_PICB = 0x8, R_PIV = 0xa, R_CR = 0xb };
enum { M_IN, M_OUT, M_MIC, MASTERS };

#define GLOB_CNT 0x2c
#define GLOB_STA 0x30
#define CAS      0x34
#define NABM_END 0x40

#define SR_DCH   0x01
#define SR_CELV  0x02
#define SR_LVBCI 0x04
#define SR_BCIS  0x08
#define SR_FIFOE 0x10
#define SR_W1C   (SR_LVBCI | SR_BCIS | SR_FIFOE)
#define SR_BITS  0x1f

#define CR_RPBM  0x01
#define CR_RR    0x02
#define CR_LVBIE 0x04
#define CR_FEIE  0x08
#define CR_IOCE  0x10
#define CR_IE    (CR_LVBIE | CR_FEIE | CR_IOCE)
#define CR_BITS  (CR_RPBM | CR_IE)

#define CNT_COLD 0x02 /* AC_RST# is not asserted */
#define CNT_OFF  0x08 /* the link is shut off */
#define CNT_BITS 0x3b /* the warm reset, 04, clears itself */

#define STA_PCR    0x00000100 /* the codec is ready */
#define STA_RCS    0x00008000 /* a read of the codec has timed out */
#define STA_NOTES  0x00030000 /* AD3, MD3: the driver's */
#define STA_KEPT   (STA_RCS | STA_NOTES)
#define KEPT_SHIFT 15

#define BD_LIST 32
#define BD_LEN  0xffff
#define BD_IOC  0x80000000u
#define BD_SIZE 8
#define EMPTY   32 /* buffers without a sample, passed in one go */

struct ac97 {
    struct pci_func pci;
    struct sound_voice voice;
    struct ac97_engine {
        struct ac97 *card;
        struct pace pace;
    } engine[MASTERS];
    struct {
        struct timer tick[MASTERS];
        uint32_t ahead[MASTERS];
        uint32_t bdbar[MASTERS], addr[MASTERS], ctl[MASTERS]; /* list; next sample; its buffer */
        uint16_t picb[MASTERS], mixer[AC97_REGS];
        uint8_t civ[MASTERS], lvi[MASTERS], sr[MASTERS], cr[MASTERS];
        bool fetched[MASTERS];  /* the descriptor of civ: addr, ctl and picb are of it */
        uint8_t glob_cnt, kept; /* kept: the bits of GLOB_STA from KEPT_SHIFT on */
        bool busy;              /* the semaphore of the codec's registers */
    } s;
};

#define A     struct ac97
#define AC(d) container_of((d), struct ac97, pci.dev)
static const struct field ac97_state[] = { ARRAY(A, tick),
                                           ARRAY(A, ahead, .max = PACE_FRAMES),
                                           ARRAY(A, bdbar, .bits = ~7u),
                                           ARRAY(A, addr, .bits = ~1u),
                                           ARRAY(A, ctl),
                                           ARRAY(A, picb),
                                           ARRAY(A, mixer),
                                           ARRAY(A, civ, .max = BD_LIST - 1),
                                           ARRAY(A, lvi, .max = BD_LIST - 1),
                                           ARRAY(A, sr, .bits = SR_BITS),
                                           ARRAY(A, cr, .bits = CR_BITS),
                                           ARRAY(A, fetched),
                                           FIELD(A, glob_cnt, .bits = CNT_BITS),
                                           FIELD(A, kept, .bits = STA_KEPT >> KEPT_SHIFT),
                                           FIELD(A, busy),
                                           FIELDS_END };

/* ---- what follows from the state ---- */

static bool runs(const struct ac97 *c, unsigned m)
{
    return (c->s.cr[m] & CR_RPBM) && !(c->s.sr[m] & SR_DCH);
}

static uint32_t rate_of(const struct ac97 *c, unsigned m)
{
    static const enum ac97_stream stream[] = {
        [M_IN] = AC97_PCM_IN, [M_OUT] = AC97_PCM_OUT, [M_MIC] = AC97_MIC
    };

    return ac97_codec_rate(c->s.mixer, stream[m]);
}

/* Samples of a frame: the microphone has one. */
static unsigned wide(unsigned m)
{
    return m == M_MIC ? 1 : 2;
}

static bool master_interrupts(const struct ac97 *c, unsigned m)
{
    uint8_t sr = c->s.sr[m], cr = c->s.cr[m];

    return ((sr & SR_LVBCI) && (cr & CR_LVBIE)) || ((sr & SR_BCIS) && (cr & CR_IOCE)) ||
           ((sr & SR_FIFOE) && (cr & CR_FEIE));
}

static uint32_t glob_sta(const struct ac97 *c)
{
    static const uint32_t bit[] = { [M_IN] = 0x20, [M_OUT] = 0x40, [M_MIC] = 0x80 };
    uint32_t sta = (uint32_t)c->s.kept << KEPT_SHIFT;

    for (unsigned m = 0; m < MASTERS; m++)
        sta |= master_interrupts(c, m) ? bit[m] : 0;
    return c->s.glob_cnt & CNT_OFF ? sta : sta | STA_PCR;
}

static void ac97_sync(struct device *dev)
{
    struct ac97 *c = AC(dev);
    struct sound_format f = {
        .rate = rate_of(c, M_OUT), .channels = 2, .bits = 16, .is_signed = true
    };
    uint32_t left, right;
    bool irq = false;

    for (unsigned m = 0; m < MASTERS; m++) {
        pace_sync(&c->engine[m].pace);
        irq |= master_interrupts(c, m);
    }
    pci_intx(&c->pci, irq);
    ac97_codec_gain(c->s.mixer, &left, &right);
    sound_gain(&c->voice, left, right);
    sound_set(&c->voice, runs(c, M_OUT) ? &f : NULL);
}

/* ---- the lists ---- */

static void halt(struct ac97 *c, unsigned m, uint8_t why)
{
    c->s.sr[m] |= SR_DCH | why;
    pace_stop(&c->engine[m].pace);
}

static void fetch(struct ac97 *c, unsigned m)
{
    uint32_t at = c->s.bdbar[m] + c->s.civ[m] * BD_SIZE, bd[2];

    if (pci_dma_read(&c->pci, at, bd, sizeof(bd))) {
        guest_err(&c->pci.dev, "no descriptor at %08x", at);
        halt(c, m, SR_FIFOE);
        return;
    }
    c->s.addr[m] = bd[0] & ~1u;
    c->s.ctl[m] = bd[1];
    c->s.picb[m] = bd[1] & BD_LEN;
    c->s.fetched[m] = true;
}

/* The last sample of the current buffer has gone. */
static void buffer_done(struct ac97 *c, unsigned m)
{
    if (c->s.ctl[m] & BD_IOC)
        c->s.sr[m] |= SR_BCIS;
    if (c->s.civ[m] == c->s.lvi[m]) {
        halt(c, m, SR_LVBCI | SR_CELV);
        return;
    }
    c->s.civ[m] = (c->s.civ[m] + 1) % BD_LIST;
    c->s.fetched[m] = false;
    fetch(c, m);
}

static void move(struct ac97 *c, unsigned m, unsigned samples)
{
    uint8_t data[2 * PACE_FRAMES * sizeof(uint16_t)];
    size_t len = samples * sizeof(uint16_t);
    int rc;

    memset(data, 0, sizeof(data));
    if (m == M_OUT)
        rc = pci_dma_read(&c->pci, c->s.addr[m], data, len);
    else
        rc = pci_dma_write(&c->pci, c->s.addr[m], data, len);
    if (rc) {
        c->s.sr[m] |= SR_FIFOE;
        memset(data, 0, sizeof(data));
    }
    if (m == M_OUT)
        sound_play(&c->voice, data, len);
    c->s.addr[m] += (uint32_t)len;
    c->s.picb[m] -= samples;
}

/* So many frames have gone. Buffers may be empty: a list of them is not run around for ever. */
static void run(struct ac97 *c, unsigned m, uint32_t frames)
{
    unsigned left = frames * wide(m), empty = 0;

    while (runs(c, m) && empty < EMPTY) {
        unsigned n = left < c->s.picb[m] ? left : c->s.picb[m];

        if (!c->s.picb[m]) {
            empty++;
            buffer_done(c, m);
            continue;
        }
        if (!left)
            break;
        move(c, m, n);
        left -= n;
        if (!c->s.picb[m])
            buffer_done(c, m);
    }
}

static void arm(struct ac97 *c, unsigned m)
{
    unsigned w = wide(m);

    if (runs(c, m))
        pace_arm(&c->engine[m].pace, rate_of(c, m), (c->s.picb[m] + w - 1) / w);
}

static void catch_up(struct ac97 *c, unsigned m)
{
    uint32_t frames = pace_due(&c->engine[m].pace, rate_of(c, m));

    if (frames)
        run(c, m, frames);
}

static void ac97_tick(void *arg)
{
    struct ac97_engine *e = arg;
    struct ac97 *c = e->card;
    unsigned m = (unsigned)(e - c->engine);

    run(c, m, pace_fired(&e->pace));
    arm(c, m);
    ac97_sync(&c->pci.dev);
}

/* RPBM has been set, or a list that had ended goes on. */
static void start(struct ac97 *c, unsigned m)
{
    c->s.sr[m] &= ~SR_DCH;
    if (!c->s.fetched[m])
        fetch(c, m);
    arm(c, m);
}

/* ---- registers of a bus master ---- */

static void write_lvi(struct ac97 *c, unsigned m, uint8_t val)
{
    c->s.lvi[m] = val % BD_LIST;
    if (!(c->s.sr[m] & SR_CELV))
        return;
    c->s.sr[m] &= ~SR_CELV;
    c->s.civ[m] = (c->s.civ[m] + 1) % BD_LIST;
    c->s.fetched[m] = false;
    if (c->s.cr[m] & CR_RPBM)
        start(c, m);
}

/* All but the interrupt enables. */
static void reset_master(struct ac97 *c, unsigned m)
{
    pace_stop(&c->engine[m].pace);
    c->s.bdbar[m] = c->s.addr[m] = c->s.ctl[m] = 0;
    c->s.picb[m] = c->s.civ[m] = c->s.lvi[m] = 0;
    c->s.fetched[m] = false;
    c->s.sr[m] = SR_DCH;
    c->s.cr[m] &= CR_IE;
}

static void write_cr(struct ac97 *c, unsigned m, uint8_t val)
{
    uint8_t old = c->s.cr[m];

    c->s.cr[m] = val & CR_BITS;
    if (val & CR_RR) {
        reset_master(c, m);
        return;
    }
    if (!(val & CR_RPBM)) {
        halt(c, m, 0);
    } else if (!(old & CR_RPBM) && !(c->s.sr[m] & SR_CELV)) {
        start(c, m);
    }
}

static void write_master(struct ac97 *c, unsigned m, unsigned reg, uint8_t val)
{
    unsigned shift = 8 * (reg & 3);

    switch (reg) {
    case R_BDBAR:
    case R_BDBAR + 1:
    case R_BDBAR + 2:
    case R_BDBAR + 3:
        c->s.bdbar[m] = ((c->s.bdbar[m] & ~(0xffu << shift)) | (uint32_t)val << shift) & ~7u;
        break;
    case R_LVI:
        write_lvi(c, m, val);
        break;
    case R_SR:
        c->s.sr[m] &= ~(val & SR_W1C);
        break;
    case R_CR:
        write_cr(c, m, val);
        break;
    }
}

static uint8_t read_master(const struct ac97 *c, unsigned m, unsigned reg)
{
    switch (reg) {
    case R_CIV:
        return c->s.civ[m];
    case R_LVI:
        return c->s.lvi[m];
    case R_SR:
        return c->s.sr[m];
    case R_PICB:
        return (uint8_t)c->s.picb[m];
    case R_PICB + 1:
        return c->s.picb[m] >> 8;
    case R_PIV:
        return (c->s.civ[m] + c->s.fetched[m]) % BD_LIST;
    case R_CR:
        return c->s.cr[m];
    default:
        return reg < R_CIV ? (uint8_t)(c->s.bdbar[m] >> 8 * reg) : 0;
    }
}

/* ---- the windows ---- */

static void write_cnt(struct ac97 *c, uint8_t val)
{
    if ((c->s.glob_cnt & CNT_COLD) && !(val & CNT_COLD))
        ac97_codec_reset(c->s.mixer); /* AC_RST# */
    c->s.glob_cnt = val & CNT_BITS;
}

static uint8_t read_global(struct ac97 *c, unsigned off)
{
    uint8_t val;

    switch (off) {
    case GLOB_CNT:
        return c->s.glob_cnt;
    case GLOB_STA:
    case GLOB_STA + 1:
    case GLOB_STA + 2:
    case GLOB_STA + 3:
        return (uint8_t)(glob_sta(c) >> 8 * (off - GLOB_STA));
    case CAS:
        val = c->s.busy;
        c->s.busy = true;
        return val;
    default:
        return 0;
    }
}

static void write_global(struct ac97 *c, unsigned off, uint8_t val)
{
    uint8_t rcs = STA_RCS >> KEPT_SHIFT;

    if (off == GLOB_CNT)
        write_cnt(c, val);
    else if (off == GLOB_STA + 1 && (val & STA_RCS >> 8))
        c->s.kept &= ~rcs;
    else if (off == GLOB_STA + 2)
        c->s.kept = (c->s.kept & rcs) | ((uint32_t)val << 16 & STA_NOTES) >> KEPT_SHIFT;
}

/* A wider access is to the registers it covers, lowest first. */
static uint64_t nabm_read(struct device *dev, uint64_t off, unsigned width)
{
    struct ac97 *c = AC(dev);
    uint64_t val = 0;

    if (off / 16 < MASTERS)
        catch_up(c, (unsigned)(off / 16));
    for (unsigned i = 0; i < width; i++) {
        unsigned at = (unsigned)off + i;
        uint8_t b = at / 16 < MASTERS && at % 16 <= R_CR ? read_master(c, at / 16, at % 16)
                                                         : read_global(c, at);

        val |= (uint64_t)b << 8 * i;
    }
    ac97_sync(dev);
    return val;
}

static void nabm_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct ac97 *c = AC(dev);

    if (off / 16 < MASTERS)
        catch_up(c, (unsigned)(off / 16));
    for (unsigned i = 0; i < width; i++) {
        unsigned at = (unsigned)off + i;

        if (at / 16 < MASTERS && at % 16 <= R_CR)
            write_master(c, at / 16, at % 16, (uint8_t)(val >> 8 * i));
        else
            write_global(c, at, (uint8_t)(val >> 8 * i));
    }
    ac97_sync(dev);
}

/* The first 128 bytes are the primary codec's; there is no other. */
static uint64_t nam_read(struct device *dev, uint64_t off, unsigned width)
{
    struct ac97 *c = AC(dev);

    c->s.busy = false;
    if (off >= 2 * AC97_REGS || (c->s.glob_cnt & CNT_OFF)) {
        c->s.kept |= STA_RCS >> KEPT_SHIFT;
        return 0xffff;
    }
    return ac97_codec_read(c->s.mixer, (unsigned)off);
}

static void nam_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct ac97 *c = AC(dev);
    uint32_t rate[MASTERS];

    c->s.busy = false;
    if (off >= 2 * AC97_REGS || (c->s.glob_cnt & CNT_OFF))
        return;
    for (unsigned m = 0; m < MASTERS; m++) {
        catch_up(c, m);
        rate[m] = rate_of(c, m);
    }
    ac97_codec_write(c->s.mixer, (unsigned)off, (uint16_t)val);
    for (unsigned m = 0; m < MASTERS; m++) {
        if (rate_of(c, m) != rate[m])
            arm(c, m);
    }
    ac97_sync(dev);
}

/* ---- the device ---- */

static void ac97_reset(struct device *dev, enum reset_kind kind)
{
    struct ac97 *c = AC(dev);

    for (unsigned m = 0; m < MASTERS; m++)
        c->s.sr[m] = SR_DCH;
    ac97_codec_reset(c->s.mixer);
}

static bool ac97_check(const struct device *dev)
{
    const struct ac97 *c = container_of(dev, const struct ac97, pci.dev);

    for (unsigned m = 0; m < MASTERS; m++) {
        uint8_t sr = c->s.sr[m];

        if (!pace_check(&c->engine[m].pace, runs(c, m)))
            return false;
        if ((!(c->s.cr[m] & CR_RPBM) || (sr & SR_CELV)) && !(sr & SR_DCH))
            return false;
    }
    return ac97_codec_check(c->s.mixer);
}

static int ac97_init(struct device *dev, const struct config *cfg, struct err *err)
{
    struct ac97 *c = AC(dev);

    for (unsigned m = 0; m < MASTERS; m++) {
        c->engine[m].card = c;
        pace_init(&c->engine[m].pace, dev, &c->s.tick[m], &c->s.ahead[m], ac97_tick, &c->engine[m]);
    }
    sound_attach(&c->voice, config_obj(cfg, "sound"));
    return 0;
}

static void ac97_fini(struct device *dev)
{
    struct ac97 *c = AC(dev);

    sound_detach(&c->voice);
    for (unsigned m = 0; m < MASTERS; m++)
        pace_fini(&c->engine[m].pace);
}

static const struct io_range nam = {
    .space = IO_PORT, .size = 256, .widths = 2, .read = nam_read, .write = nam_write
};
static const struct io_range nabm = {
    .space = IO_PORT, .size = NABM_END, .widths = 1 | 2 | 4, .read = nabm_read, .write = nabm_write
};
/* Status: medium DEVSEL#, fast back-to-back. */
static const struct pci_reg ac97_regs[] = { { PCI_STATUS, 2, 0x0280, 0, 0xf900 }, { 0 } };

const struct pci_type ac97_type = {
    .dev = { .name = "AC97",
             .version = 1,
             DEVICE_LAYOUT(struct ac97),
             .state = ac97_state,
             .pci = true,
             .init = ac97_init,
             .fini = ac97_fini,
             .reset = ac97_reset,
             .sync = ac97_sync,
             .check = ac97_check },
    .vendor = 0x8086,
    .device = 0x2415,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .class_code = 0x040100,
    .revision = 0x01,
    .intx = 1,
    .bar = { &nam, &nabm },
    .regs = ac97_regs,
};
