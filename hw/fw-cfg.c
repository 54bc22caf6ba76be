/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware configuration device: selector at port 0x510, data at 0x511, a
 * DMA address at 0x514 (the "fw_cfg" interface specification). The guest reads
 * items that were made from the configuration; none of them can be written.
 *
 * Config: uuid, ram-low, ram-high (bytes), cpus, max-cpus, boot-menu (on/off),
 * reboot-timeout and splash-time (milliseconds), bootorder and bios-geometry
 * (text of the files of these names), hpet (on: there is one, tell firmware);
 * bare (on: nothing but bootorder and what is added at set-up).
 */
#include "hw/fw-cfg.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "hw/core/config.h"
#include "hw/core/platform.h"
#include "hw/core/state.h"
#include "hw/devices.h"
#include "hw/fw-cfg-int.h"

enum { REG_SELECTOR, REG_DATA, REG_END };
enum { DMA_HIGH = 0, DMA_LOW = 4, DMA_END = 8 };

#define ITEMS   128
#define WRITING 0x4000 /* of a selector: no item takes it, so it is not part of the key */

/* Control word of a DMA descriptor; bits 16-31: the key to select */
#define CTL_ERROR  0x01
#define CTL_READ   0x02
#define CTL_SKIP   0x04
#define CTL_SELECT 0x08
#define CTL_WRITE  0x10

#define DMA_COPY  4096       /* bytes a copy */
#define DMA_VISIT (1u << 20) /* bytes before somebody else has a turn */
#define DMA_PAUSE (NS_PER_US * 50)

struct fw_desc { /* in guest memory, big endian */
    uint32_t control, length;
    uint64_t address;
};
_Static_assert(sizeof(struct fw_desc) == 16, "as the specification has it");

struct fw_item {
    uint16_t key;
    char name[FW_CFG_NAME]; /* "": not a file */
    uint8_t *data;
    uint32_t len;
};

struct fw_cfg {
    struct device dev;
    struct fw_item item[ITEMS];
    unsigned n;
    struct {
        struct timer turn; /* a long read goes on */
        uint64_t dma_addr; /* as written so far */
        uint64_t desc, to; /* of the running read: its descriptor, where the next byte goes */
        uint64_t left;     /* bytes of it still to come */
        uint32_t offset;   /* in the selected item */
        uint32_t key;
    } s;
};

static const struct field fw_cfg_state[] = { FIELD(struct fw_cfg, turn),
                                             FIELD(struct fw_cfg, dma_addr),
                                             FIELD(struct fw_cfg, desc),
                                             FIELD(struct fw_cfg, to),
                                             FIELD(struct fw_cfg, left, .max = UINT32_MAX),
                                             FIELD(struct fw_cfg, offset),
                                             FIELD(struct fw_cfg, key,
                                                   .bits = UINT16_MAX & ~WRITING),
                                             FIELDS_END };

static struct fw_cfg *fw_of(struct device *dev)
{
    return container_of(dev, struct fw_cfg, dev);
}

/* ---- items ---- */

static struct fw_item *item_find(struct fw_cfg *f, uint16_t key)
{
    for (unsigned i = 0; i < f->n; i++) {
        if (f->item[i].key == key)
            return &f->item[i];
    }
    return NULL;
}

/* data is of malloc(), and ours from here on. */
static struct fw_item *item_take(struct fw_cfg *f, uint16_t key, uint8_t *data, size_t len,
                                 struct err *err)
{
    struct fw_item *it;

    if (f->n == ITEMS) {
        err_set(err, -ENOSPC, "%s: more than %d items", f->dev.id, ITEMS);
        free(data);
        return NULL;
    }
    it = &f->item[f->n];
    memset(it, 0, sizeof(*it));
    it->data = data;
    it->len = len;
    it->key = key;
    f->n++;
    return it;
}

static struct fw_item *item_new(struct fw_cfg *f, uint16_t key, const void *data, size_t len,
                                struct err *err)
{
    uint8_t *copy = malloc(len + 1);

    if (!copy) {
        err_set(err, -ENOMEM, "%s: out of memory", f->dev.id);
        return NULL;
    }
    if (len)
        memcpy(copy, data, len);
    return item_take(f, key, copy, len, err);
}

static void item_drop(struct fw_cfg *f, uint16_t key)
{
    struct fw_item *old = item_find(f, key);

    if (!old)
        return;
    free(old->data);
    *old = f->item[--f->n];
}

int fw_cfg_add_bytes(struct device *dev, uint16_t key, const void *data, size_t len,
                     struct err *err)
{
    struct fw_cfg *f = fw_of(dev);

    item_drop(f, key);
    return item_new(f, key, data, len, err) ? 0 : -ENOMEM;
}

int fw_cfg_give_bytes(struct device *dev, uint16_t key, uint8_t *data, size_t len, struct err *err)
{
    struct fw_cfg *f = fw_of(dev);

    item_drop(f, key);
    return item_take(f, key, data, len, err) ? 0 : -ENOMEM;
}

void fw_put_le(uint8_t *to, uint64_t val, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        to[i] = val >> (8 * i);
}

static void put_be(uint8_t *to, uint64_t val, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        to[i] = val >> (8 * (bytes - 1 - i));
}

int fw_cfg_add_uint(struct device *dev, uint16_t key, uint64_t val, unsigned bytes, struct err *err)
{
    uint8_t le[8];

    fw_put_le(le, val, sizeof(le));
    return fw_cfg_add_bytes(dev, key, le, bytes <= sizeof(le) ? bytes : sizeof(le), err);
}

/* The directory: how many, then size, key, two reserved bytes and name of each, by name. */
static int directory_make(struct fw_cfg *f, struct err *err)
{
    enum { ENTRY = 8 + FW_CFG_NAME };
    uint8_t dir[4 + ITEMS * ENTRY] = { 0 };
    unsigned files = 0;

    for (unsigned i = 0; i < f->n; i++) {
        struct fw_item *it = &f->item[i];
        unsigned before = 0;
        uint8_t *entry;

        if (!it->name[0])
            continue;
        for (unsigned k = 0; k < f->n; k++)
            before += f->item[k].name[0] && strcmp(f->item[k].name, it->name) < 0;
        it->key = FW_CFG_FILES + before;
        entry = dir + 4 + before * ENTRY;
        put_be(entry, it->len, 4);
        put_be(entry + 4, it->key, 2);
        memcpy(entry + 8, it->name, FW_CFG_NAME);
        files++;
    }
    put_be(dir, files, 4);
    return fw_cfg_add_bytes(&f->dev, FW_CFG_FILE_DIR, dir, 4 + files * ENTRY, err);
}

int fw_cfg_add_file(struct device *dev, const char *name, const void *data, size_t len,
                    struct err *err)
{
    struct fw_cfg *f = fw_of(dev);
    struct fw_item *it;

    if (!name[0] || strlen(name) >= FW_CFG_NAME)
        return err_set(err, -EINVAL, "%s: file name '%s' is not of 1 to %d letters", dev->id, name,
                       FW_CFG_NAME - 1);
    for (unsigned i = 0; i < f->n; i++) {
        if (!strcmp(f->item[i].name, name))
            return err_set(err, -EINVAL, "%s: there are two files named %s", dev->id, name);
    }
    it = item_new(f, FW_CFG_FILES, data, len, err);
    if (!it)
        return -ENOMEM;
    strncpy(it->name, name, sizeof(it->name) - 1);
    return directory_make(f, err);
}

/* ---- the ports ---- */

static void select_key(struct fw_cfg *f, uint16_t key)
{
    f->s.key = key & ~WRITING;
    f->s.offset = 0;
}

/* What is left of the selected item; *len 0 at its end and for a key that nobody has. */
static const uint8_t *item_rest(struct fw_cfg *f, uint32_t *len)
{
    const struct fw_item *it = item_find(f, f->s.key);

    *len = it && f->s.offset < it->len ? it->len - f->s.offset : 0;
    return *len ? it->data + f->s.offset : NULL;
}

static uint64_t fw_cfg_read(struct device *dev, uint64_t off, unsigned width)
{
    struct fw_cfg *f = fw_of(dev);
    uint32_t len;
    const uint8_t *data;

    if (off != REG_DATA)
        return 0; /* the selector cannot be read */
    data = item_rest(f, &len);
    if (!data)
        return 0;
    f->s.offset++;
    return *data;
}

static void fw_cfg_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    if (off == REG_SELECTOR && width == 2)
        select_key(fw_of(dev), val);
}

/* ---- DMA ---- */

static uint64_t from_be(uint64_t val, unsigned bytes)
{
    return __builtin_bswap64(val) >> (64 - 8 * bytes);
}

/* Tells the guest that its request is over. */
static void dma_done(struct fw_cfg *f, uint32_t control)
{
    uint32_t be = from_be(control, 4);

    f->s.left = 0;
    timer_set(f->dev.plat, &f->s.turn, TIMER_OFF);
    if (dma_put(&f->dev, f->s.desc, &be))
        guest_err(&f->dev, "DMA descriptor at %llx is not in memory",
                  (unsigned long long)f->s.desc);
}

/* One copy: what the item still has, and zeroes after its end. False: not memory. */
static bool dma_copy(struct fw_cfg *f)
{
    uint8_t chunk[DMA_COPY] = { 0 };
    uint32_t n = f->s.left < sizeof(chunk) ? f->s.left : sizeof(chunk), rest;
    const uint8_t *data = item_rest(f, &rest);

    if (rest > n)
        rest = n;
    if (rest)
        memcpy(chunk, data, rest);
    if (dma_write(&f->dev, f->s.to, chunk, n))
        return false;
    f->s.offset += rest;
    f->s.to += n;
    f->s.left -= n;
    return true;
}

static void dma_go_on(struct fw_cfg *f)
{
    for (unsigned n = 0; f->s.left && n < DMA_VISIT / DMA_COPY; n++) {
        if (!dma_copy(f)) {
            dma_done(f, CTL_ERROR);
            return;
        }
    }
    if (f->s.left)
        timer_set(f->dev.plat, &f->s.turn, platform_now(f->dev.plat) + DMA_PAUSE);
    else
        dma_done(f, 0);
}

static void dma_turn(void *arg)
{
    dma_go_on(arg);
}

static void dma_start(struct fw_cfg *f, uint64_t at)
{
    struct fw_desc d;
    uint32_t control, length, rest;

    if (f->s.left)
        dma_done(f, CTL_ERROR); /* the one before is given up */
    f->s.desc = at;
    if (dma_get(&f->dev, at, &d)) {
        dma_done(f, CTL_ERROR);
        return;
    }
    control = from_be(d.control, 4);
    length = from_be(d.length, 4);
    if (control & CTL_SELECT)
        select_key(f, control >> 16);
    if (control & CTL_READ) {
        f->s.to = from_be(d.address, 8);
        f->s.left = length;
        dma_go_on(f);
    } else if (control & CTL_WRITE) {
        dma_done(f, length ? CTL_ERROR : 0);
    } else {
        item_rest(f, &rest);
        if (control & CTL_SKIP)
            f->s.offset += length < rest ? length : rest;
        dma_done(f, 0);
    }
}

static uint64_t fw_dma_read(struct device *dev, uint64_t off, unsigned width)
{
    return (uint8_t) "QEMU CFG"[off & 7];
}

static void fw_dma_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct fw_cfg *f = fw_of(dev);
    uint64_t at;

    if (width != 4)
        return;
    if (off == DMA_HIGH) {
        f->s.dma_addr = from_be(val, 4) << 32;
        return;
    }
    at = f->s.dma_addr | from_be(val, 4);
    f->s.dma_addr = 0;
    dma_start(f, at);
}

static uint64_t fw_dma_read4(struct device *dev, uint64_t off, unsigned width)
{
    uint64_t val = 0;

    for (unsigned i = 0; i < width; i++)
        val |= fw_dma_read(dev, off + i, 1) << (8 * i);
    return val;
}

/* ---- the device's life ---- */

static bool fw_cfg_check(const struct device *dev)
{
    struct fw_cfg *f = container_of(dev, struct fw_cfg, dev);
    const struct fw_item *it = item_find(f, f->s.key);

    return f->s.offset <= (it ? it->len : 0) && !(uint32_t)f->s.dma_addr &&
           (f->s.turn.at != TIMER_OFF) == (f->s.left != 0);
}

static void fw_cfg_fini(struct device *dev)
{
    struct fw_cfg *f = fw_of(dev);

    timer_fini(dev->plat, &f->s.turn);
    while (f->n)
        free(f->item[--f->n].data);
}

static int fw_cfg_init(struct device *dev, const struct config *cfg, struct err *err)
{
    struct fw_cfg *f = fw_of(dev);
    int rc;

    timer_init(dev->plat, &f->s.turn, dma_turn, f);
    rc = fw_cfg_describe(dev, cfg, err);
    if (rc)
        fw_cfg_fini(dev);
    return rc;
}

static const struct io_range fw_cfg_io[] = {
    { IO_PORT, 0x510, REG_END, 1 | 2, fw_cfg_read, fw_cfg_write },
    { IO_PORT, 0x514, DMA_END, 1 | 4, fw_dma_read4, fw_dma_write },
    { 0 }
};

const struct device_type fw_cfg_type = {
    .name = "fw_cfg",
    .version = 1,
    DEVICE_LAYOUT(struct fw_cfg),
    .io = fw_cfg_io,
    .state = fw_cfg_state,
    .init = fw_cfg_init,
    .fini = fw_cfg_fini,
    .check = fw_cfg_check,
};
