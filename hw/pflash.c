/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A parallel NOR flash below 4 GiB, one byte wide: the firmware's code, or the
 * place where it keeps its variables. Commands are Intel's (28F320J3/640J3/128J3
 * datasheet, order number 290667, "Command Definitions" and "Status Register"),
 * the query table is JEDEC's JESD68.01, Common Flash Interface. Blocks are
 * 4 KiB; erasing and programming take no time that a guest could see, so there
 * is nothing to suspend. Lock bits are taken and lock nothing. Config: medium
 * (a block), base (its address), readonly.
 */
#include <errno.h>
#include <string.h>
#include "hw/core/config.h"
#include "hw/core/log.h"
#include "hw/core/platform.h"
#include "hw/core/state.h"
#include "hw/devices.h"
#include "hw/pflash-int.h"

#define BUFFER 256u

enum {
    CMD_PROGRAM = 0x10,
    CMD_ERASE = 0x20,
    CMD_PROGRAM_TOO = 0x40,
    CMD_CLEAR_STATUS = 0x50,
    CMD_LOCK = 0x60,
    CMD_STATUS = 0x70,
    CMD_ID = 0x90,
    CMD_QUERY = 0x98,
    CMD_BUFFER = 0xe8,
    CMD_CONFIRM = 0xd0,
    LOCK_SET = 0x01,
    LOCK_DOWN = 0x2f,
};

#define SR_READY         0x80
#define SR_ERASE_ERROR   0x20
#define SR_PROGRAM_ERROR 0x10
#define SR_LOCKED        0x02
#define SR_BITS          (SR_READY | SR_ERASE_ERROR | SR_PROGRAM_ERROR | SR_LOCKED)

enum mode { /* what a read shows: the array, the status, or a table; what the next write is */
            MODE_ARRAY,
            MODE_STATUS,
            MODE_ID,
            MODE_QUERY,
            MODE_PROGRAM,
            MODE_ERASE,
            MODE_LOCK,
            MODE_COUNT,
            MODE_FILL,
            MODE_CONFIRM,
            MODES
};

struct pflash {
    struct device dev;
    struct flash_store store;
    struct io_range window;
    uint64_t base;
    bool readonly;
    bool shown; /* the world lets the guest read the array without us */
    struct {
        uint32_t start;      /* of the bytes in buf: that of the first one written */
        uint32_t block;      /* that WRITE TO BUFFER was given for */
        uint16_t left, want; /* bytes that buf is still to get, and to get in all */
        uint16_t outside;    /* those that were for another place */
        uint8_t mode, status;
        uint8_t buf[BUFFER];
    } s;
};

static const struct field pflash_state[] = { FIELD(struct pflash, start, .max = PFLASH_MAX - 1),
                                             FIELD(struct pflash, block,
                                                   .max = PFLASH_MAX - PFLASH_BLOCK),
                                             FIELD(struct pflash, left, .max = BUFFER),
                                             FIELD(struct pflash, want, .max = BUFFER),
                                             FIELD(struct pflash, mode, .max = MODES - 1),
                                             FIELD(struct pflash, status, .bits = SR_BITS),
                                             FIELD(struct pflash, outside, .max = BUFFER),
                                             ARRAY(struct pflash, buf),
                                             FIELDS_END };

static struct pflash *pflash_of(struct device *dev)
{
    return container_of(dev, struct pflash, dev);
}

/* ---- the tables ---- */

static unsigned log2_up(uint64_t n)
{
    unsigned bits = 0;

    while ((UINT64_C(1) << bits) < n)
        bits++;
    return bits;
}

/* JESD68.01: the query structure from 0x10 on, and Intel's extended table at 0x31. */
static uint8_t query(const struct pflash *f, uint64_t at)
{
    uint32_t blocks = (uint32_t)(f->store.size / PFLASH_BLOCK) - 1;
    const uint8_t table[] = {
        [0x10] = 'Q',
        [0x11] = 'R',
        [0x12] = 'Y',
        [0x13] = 0x01, /* Intel's command set */
        [0x15] = 0x31, /* where its table is */
        [0x1b] = 0x45, /* 4.5 to 5.5 V */
        [0x1c] = 0x55,
        [0x1f] = 7, /* a byte in 2^7 us, a buffer in as much, a block erased in 2^10 ms */
        [0x20] = 7,
        [0x21] = 10,
        [0x23] = 4, /* and at most 2^4 times as long */
        [0x24] = 4,
        [0x25] = 4,
        [0x27] = (uint8_t)log2_up(f->store.size),
        [0x28] = 0x02, /* x8 and x16 */
        [0x2a] = (uint8_t)log2_up(BUFFER),
        [0x2c] = 1, /* region of blocks of one size */
        [0x2d] = (uint8_t)blocks,
        [0x2e] = (uint8_t)(blocks >> 8),
        [0x2f] = (uint8_t)(PFLASH_BLOCK >> 8),
        [0x30] = (uint8_t)(PFLASH_BLOCK >> 16),
        [0x31] = 'P',
        [0x32] = 'R',
        [0x33] = 'I',
        [0x34] = '1',
        [0x35] = '0',
        [0x3f] = 1, /* protection register */
    };

    return at < sizeof(table) ? table[at] : 0;
}

static uint64_t pflash_read(struct device *dev, uint64_t off, unsigned width)
{
    const struct pflash *f = pflash_of(dev);

    switch (f->s.mode) {
    case MODE_ARRAY:
        return f->store.mem[off];
    case MODE_ID: /* no maker's code: what it is the query says */
        return 0;
    case MODE_QUERY:
        return query(f, off);
    default:
        return f->s.status;
    }
}

/* ---- programming ---- */

/* 290667, table "Status Register Definitions": both bits say that the sequence was wrong. */
static void bad_sequence(struct pflash *f, const char *what)
{
    f->s.status |= SR_READY | SR_PROGRAM_ERROR | SR_ERASE_ERROR;
    guest_err(&f->dev, "%s", what);
}

static bool may_change(struct pflash *f, uint8_t error)
{
    f->s.status |= SR_READY;
    if (f->readonly)
        f->s.status |= SR_LOCKED | error;
    return !f->readonly;
}

/* A program clears bits; only an erase sets them. */
static void program(struct pflash *f, uint64_t off, const uint8_t *from, uint64_t len)
{
    if (!may_change(f, SR_PROGRAM_ERROR))
        return;
    for (uint64_t i = 0; i < len; i++)
        f->store.mem[off + i] &= from[i];
    flash_changed(&f->store, off, len);
}

static void erase(struct pflash *f, uint64_t off)
{
    uint64_t block = off - off % PFLASH_BLOCK;

    if (!may_change(f, SR_ERASE_ERROR))
        return;
    memset(f->store.mem + block, 0xff, PFLASH_BLOCK);
    flash_changed(&f->store, block, PFLASH_BLOCK);
}

static void begin_fill(struct pflash *f, uint64_t off, uint8_t val)
{
    f->s.want = f->s.left = (uint16_t)(val + 1u);
    f->s.block = (uint32_t)(off - off % PFLASH_BLOCK);
    f->s.start = 0;
    f->s.outside = 0;
    memset(f->s.buf, 0xff, sizeof(f->s.buf)); /* which changes nothing */
    f->s.mode = MODE_FILL;
}

static void fill(struct pflash *f, uint64_t off, uint8_t val)
{
    if (f->s.left == f->s.want)
        f->s.start = (uint32_t)off;
    if (off < f->s.start || off - f->s.start >= BUFFER || off - off % PFLASH_BLOCK != f->s.block)
        f->s.outside++;
    else
        f->s.buf[off - f->s.start] = val;
    if (!--f->s.left)
        f->s.mode = MODE_CONFIRM;
}

static void confirm_fill(struct pflash *f, uint8_t val)
{
    uint64_t len = f->store.size - f->s.start;

    if (val != CMD_CONFIRM)
        bad_sequence(f, "a buffer was not confirmed");
    else if (f->s.outside)
        bad_sequence(f, "a buffer has bytes for more than one place");
    else
        program(f, f->s.start, f->s.buf, len < BUFFER ? len : BUFFER);
}

/* ---- commands ---- */

static void command(struct pflash *f, uint8_t val)
{
    static const struct {
        uint8_t cmd, mode;
    } modes[] = {
        { CMD_PROGRAM, MODE_PROGRAM }, { CMD_PROGRAM_TOO, MODE_PROGRAM }, { CMD_ERASE, MODE_ERASE },
        { CMD_LOCK, MODE_LOCK },       { CMD_STATUS, MODE_STATUS },       { CMD_ID, MODE_ID },
        { CMD_QUERY, MODE_QUERY },     { CMD_BUFFER, MODE_COUNT },
    };

    f->s.mode = MODE_ARRAY; /* 0xff, and anything unknown */
    for (unsigned i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (modes[i].cmd == val)
            f->s.mode = modes[i].mode;
    }
    if (val == CMD_CLEAR_STATUS)
        f->s.status = 0; /* OVMF's driver wants all of it so */
    if (val == CMD_BUFFER)
        f->s.status |= SR_READY; /* the buffer is free */
}

static void pflash_sync(struct device *dev);

static void pflash_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct pflash *f = pflash_of(dev);
    uint8_t mode = f->s.mode, byte = (uint8_t)val;

    switch (mode) {
    case MODE_PROGRAM:
        program(f, off, &byte, 1);
        break;
    case MODE_ERASE:
        if (byte == CMD_CONFIRM)
            erase(f, off);
        else
            bad_sequence(f, "an erase was not confirmed");
        break;
    case MODE_LOCK:
        if (byte == LOCK_SET || byte == CMD_CONFIRM || byte == LOCK_DOWN)
            f->s.status |= SR_READY;
        else
            bad_sequence(f, "no such lock command");
        break;
    case MODE_COUNT:
        begin_fill(f, off, byte);
        break;
    case MODE_FILL:
        fill(f, off, byte);
        break;
    case MODE_CONFIRM:
        confirm_fill(f, byte);
        break;
    default:
        command(f, byte);
    }
    if (mode == MODE_PROGRAM || mode == MODE_ERASE || mode == MODE_LOCK || mode == MODE_CONFIRM)
        f->s.mode = MODE_STATUS;
    pflash_sync(dev);
}

/* ---- life ---- */

/* In read-array mode the guest reads it as memory, where the world can do that. */
static void pflash_sync(struct device *dev)
{
    struct pflash *f = pflash_of(dev);
    bool show = f->s.mode == MODE_ARRAY;

    if (show == f->shown)
        return;
    f->shown = show;
    platform_rom(dev->plat, f->base, f->store.size, f->store.mem, show);
}

static bool pflash_check(const struct device *dev)
{
    const struct pflash *f = container_of(dev, const struct pflash, dev);

    if (f->s.mode == MODE_FILL && (!f->s.left || f->s.left > f->s.want))
        return false;
    return f->s.start < f->store.size && f->s.block < f->store.size &&
           f->s.block % PFLASH_BLOCK == 0;
}

static void pflash_reset(struct device *dev, enum reset_kind kind)
{
    pflash_of(dev)->s.status = SR_READY;
}

static void not_written(void *arg, int err)
{
    struct pflash *f = arg;

    f->s.status |= SR_PROGRAM_ERROR;
    log_provoked("%s: cannot write %s: %s; the guest is told that programming failed", f->dev.id,
                 f->store.blk->name, strerror(err));
}

static int pflash_init(struct device *dev, const struct config *cfg, struct err *err)
{
    struct pflash *f = pflash_of(dev);
    int rc = config_uint(cfg, "base", 0, UINT32_MAX, &f->base, err);

    rc = rc ? rc : flash_open(&f->store, config_obj(cfg, "medium"), dev->id, err);
    if (rc)
        return rc;
    f->store.failed = not_written;
    f->store.arg = f;
    f->readonly = f->store.blk->readonly;
    f->window = (struct io_range){ IO_MEM, 0, f->store.size, 1, pflash_read, pflash_write };
    rc = platform_map(dev->plat, dev, &f->window, f->base, f->store.size);
    if (rc) {
        flash_close(&f->store);
        return err_set(err, rc, "%s: there is something else at 0x%llx", dev->id,
                       (unsigned long long)f->base);
    }
    return 0;
}

static void pflash_fini(struct device *dev)
{
    struct pflash *f = pflash_of(dev);

    platform_rom(dev->plat, f->base, f->store.size, NULL, false);
    platform_unmap(dev->plat, dev, &f->window, f->base);
    flash_close(&f->store);
}

int pflash_drain(struct device *dev)
{
    return block_drain(pflash_of(dev)->store.blk);
}

const struct device_type pflash_type = {
    .name = "cfi.pflash01",
    .version = 1,
    DEVICE_LAYOUT(struct pflash),
    .state = pflash_state,
    .init = pflash_init,
    .fini = pflash_fini,
    .reset = pflash_reset,
    .sync = pflash_sync,
    .check = pflash_check,
};
