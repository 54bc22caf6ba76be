/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the AHCI controller share: a controller with drives, and its command lists. */
#pragma once
#include "hw/devices.h"
#include "tests/unit/ide-util.h"

#define AHCI_DEVFN 0x20
#define ABAR       0xe0000000u
#define IDP        0xc100
#define PORT(n)    (ABAR + 0x100 + 0x80 * (n))

/* Where things are in guest memory */
#define LIST(n)  (0x10000u + 0x1000 * (n))
#define RFIS(n)  (0x20000u + 0x100 * (n))
#define TAB(s)   (0x30000u + 0x2000 * (s)) /* of any port: room for 504 regions */
#define AHCI_DAT 0x100000u

enum { G_CAP = 0, G_GHC = 4, G_IS = 8, G_PI = 12, G_VS = 16 };
enum {
    P_CLB = 0,
    P_FB = 8,
    P_IS = 0x10,
    P_IE = 0x14,
    P_CMD = 0x18,
    P_TFD = 0x20,
    P_SIG = 0x24,
    P_SSTS = 0x28,
    P_SCTL = 0x2c,
    P_SERR = 0x30,
    P_SACT = 0x34,
    P_CI = 0x38
};

static inline uint32_t hba(struct qt *t, unsigned reg)
{
    return mmio_read(t, ABAR + reg, 4);
}

static inline void hba_set(struct qt *t, unsigned reg, uint32_t val)
{
    mmio_write(t, ABAR + reg, val, 4);
}

static inline uint32_t px(struct qt *t, unsigned n, unsigned reg)
{
    return mmio_read(t, PORT(n) + reg, 4);
}

static inline void px_set(struct qt *t, unsigned n, unsigned reg, uint32_t val)
{
    mmio_write(t, PORT(n) + reg, val, 4);
}

/* Port n gets a drive: sectors of 512, or blocks of 2048 for a CD; 0: a CD drive without medium. */
static inline void ahci_unit(struct rig *r, unsigned n, bool cd, uint64_t count)
{
    char key[32];

    snprintf(key, sizeof(key), "port%u.kind", n);
    qt_config(r->t, key, cd ? "cdrom" : "disk");
    snprintf(key, sizeof(key), "port%u", n);
    if (!count)
        return;
    r->blk[n] = fault_open(r->t, count * (cd ? 2048 : 512));
    medium_fill(r->blk[n], cd ? 2048 : 512);
    r->blk[n]->readonly = cd;
    qt_config_obj(r->t, key, r->blk[n]);
}

/* As firmware leaves it: memory and bus master on, lists set, FIS receive and start. */
static inline void port_up(struct qt *t, unsigned n)
{
    px_set(t, n, P_CLB, LIST(n));
    px_set(t, n, P_FB, RFIS(n));
    px_set(t, n, P_SERR, 0xffffffff);
    px_set(t, n, P_CMD, 0x10);
    px_set(t, n, P_CMD, 0x11);
    px_set(t, n, P_IS, 0xffffffff);
    px_set(t, n, P_IE, 0x7d4000ff);
}

static inline void ahci_go(struct rig *r)
{
    struct qt *t = r->t;

    qt_add(t, &ahci_type.dev, AHCI_DEVFN);
    cfg_write(t, AHCI_DEVFN, 0x24, ABAR, 4);
    cfg_write(t, AHCI_DEVFN, 0x20, IDP | 1, 4);
    cfg_write(t, AHCI_DEVFN, 0x04, 0x0007, 2);
    hba_set(t, G_GHC, 0x80000002);
    for (unsigned n = 0; n < 4; n++) {
        if (px(t, n, P_SSTS))
            port_up(t, n);
    }
    hba_set(t, G_IS, 0x3f);
}

/* Port 0: a disk. */
static inline struct rig ahci_disk(uint64_t sectors)
{
    struct rig r = { qt_new(), { NULL } };

    ahci_unit(&r, 0, false, sectors);
    ahci_go(&r);
    return r;
}

/* Port 0: a disk; port 1: a CD drive. */
static inline struct rig ahci_disk_cd(uint64_t sectors, uint64_t blocks)
{
    struct rig r = { qt_new(), { NULL } };

    ahci_unit(&r, 0, false, sectors);
    ahci_unit(&r, 1, true, blocks);
    ahci_go(&r);
    return r;
}

/* Region i of slot's table. len 0: 4 MiB. */
static inline void region(struct qt *t, unsigned slot, unsigned i, uint64_t addr, uint32_t len)
{
    put64(t, TAB(slot) + 0x80 + 16 * i, addr);
    put32(t, TAB(slot) + 0x80 + 16 * i + 8, 0);
    put32(t, TAB(slot) + 0x80 + 16 * i + 12, len - 1);
}

/* The header of port n's slot, for a table of that many regions; PRDBC is made nonsense. */
static inline void header(struct qt *t, unsigned n, unsigned slot, unsigned regions, uint32_t flags)
{
    uint32_t at = LIST(n) + 32 * slot;

    put32(t, at, regions << 16 | 5 | flags);
    put32(t, at + 4, 0xeeeeeeee);
    put64(t, at + 8, TAB(slot));
}

static inline void host_fis(struct qt *t, unsigned slot, uint8_t cmd, uint16_t feature,
                            uint64_t lba, uint16_t count, uint8_t device)
{
    uint8_t *f = t->ram + TAB(slot);

    memset(f, 0, 0x80);
    f[0] = 0x27;
    f[1] = 0x80;
    f[2] = cmd;
    f[3] = feature;
    f[11] = feature >> 8;
    for (unsigned i = 0; i < 3; i++) {
        f[4 + i] = lba >> (8 * i);
        f[8 + i] = lba >> (24 + 8 * i);
    }
    f[7] = device;
    f[12] = count;
    f[13] = count >> 8;
}

/* A command with one region of len bytes at addr (0: no data), not yet issued. */
static inline void make(struct qt *t, unsigned n, unsigned slot, uint8_t cmd, uint64_t lba,
                        uint16_t count, uint32_t addr, uint32_t len)
{
    host_fis(t, slot, cmd, 0, lba, count, 0x40);
    header(t, n, slot, len ? 1 : 0, 0);
    if (len)
        region(t, slot, 0, addr, len);
}

static inline void make_ncq(struct qt *t, unsigned n, unsigned slot, bool write, uint64_t lba,
                            uint16_t count, uint32_t addr)
{
    host_fis(t, slot, write ? 0x61 : 0x60, count, lba, slot << 3, 0x40);
    header(t, n, slot, 1, 0);
    region(t, slot, 0, addr, count * 512u);
}

static inline void make_packet(struct qt *t, unsigned n, unsigned slot, const uint8_t *p, bool dma,
                               uint32_t addr, uint32_t len)
{
    host_fis(t, slot, 0xa0, dma, 0xfffe00, 0, 0);
    memcpy(t->ram + TAB(slot) + 0x40, p, 12);
    header(t, n, slot, len ? 1 : 0, 0x20);
    if (len)
        region(t, slot, 0, addr, len);
}

/* Waits until port n has finished what is in its CI and SACT, or has stopped with an error. */
static inline void port_settled(struct qt *t, unsigned n)
{
    loop_until(t, !(px(t, n, P_CI) | px(t, n, P_SACT)) || (px(t, n, P_IS) & 0x78000000));
}

/* Issues slot 0 and waits; returns PxTFD. */
static inline uint32_t run(struct qt *t, unsigned n)
{
    px_set(t, n, P_CI, 1);
    port_settled(t, n);
    return px(t, n, P_TFD);
}

static inline uint32_t prdbc(struct qt *t, unsigned n, unsigned slot)
{
    return ram32(t, LIST(n) + 32 * slot + 4);
}

/* After an error, as drivers do it: stop, acknowledge, start. */
static inline void port_restart(struct qt *t, unsigned n)
{
    px_set(t, n, P_CMD, 0x10);
    loop_until(t, !(px(t, n, P_CMD) & 0x8000));
    CHECK(!(px(t, n, P_CMD) & 0x8000));
    px_set(t, n, P_SERR, 0xffffffff);
    px_set(t, n, P_IS, 0xffffffff);
    hba_set(t, G_IS, 0x3f);
    px_set(t, n, P_CMD, 0x11);
}

static inline bool sectors_are(const struct qt *t, uint32_t at, uint64_t first, unsigned n,
                               size_t bsize)
{
    uint8_t want[2048];
    bool same = true;

    for (unsigned i = 0; i < n; i++) {
        pattern(want, first + i, bsize);
        same &= !memcmp(t->ram + at + bsize * i, want, bsize);
    }
    return same;
}
