/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI functions. Config space is bytes with a mask of what a guest may write
 * (PCI 2.1 §6.2); which windows are mapped is derived from them, in one place.
 */
#include "hw/core/pci.h"
#include <errno.h>
#include <string.h>

#define COMMAND_WRITABLE 0x0547 /* IO, MEM, master, parity, SERR, INTx disable */
#define BAR_IO           0x1
#define BAR_PREFETCH     0x8
#define ROM_ENABLE       0x1

const struct pci_type *pci_type_of(const struct pci_func *f)
{
    return container_of(f->dev.type, const struct pci_type, dev);
}

uint16_t pci_cfg16(const struct pci_func *f, unsigned off)
{
    return off + 2 <= sizeof(f->cfg) ? f->cfg[off] | f->cfg[off + 1] << 8 : 0xffff;
}

uint32_t pci_cfg32(const struct pci_func *f, unsigned off)
{
    return pci_cfg16(f, off) | (uint32_t)pci_cfg16(f, off + 2) << 16;
}

static void put_le(uint8_t *p, uint32_t val, unsigned len)
{
    for (unsigned i = 0; i < len; i++)
        p[i] = val >> (8 * i);
}

static bool bar_is_io(const struct pci_func *f, unsigned bar)
{
    const struct pci_type *t = pci_type_of(f);

    return bar < PCI_BARS && t->bar[bar] && t->bar[bar]->space == IO_PORT;
}

static unsigned bar_off(unsigned bar)
{
    return bar == PCI_ROM ? PCI_ROM_BAR : PCI_BAR0 + 4 * bar;
}

/* Fills init and writable bytes of one BAR from its size: sizing needs no special case. */
static void bar_layout(struct pci_func *f, unsigned bar)
{
    const struct pci_type *t = pci_type_of(f);
    uint32_t mask = 0, init = 0;

    if (f->bar_size[bar]) {
        mask = ~(uint32_t)(f->bar_size[bar] - 1);
        if (bar == PCI_ROM)
            mask |= ROM_ENABLE;
        else if (bar_is_io(f, bar))
            init = BAR_IO;
        else if (t->bar_prefetch & (1 << bar))
            init = BAR_PREFETCH;
    }
    put_le(&f->init[bar_off(bar)], init, 4);
    put_le(&f->writable[bar_off(bar)], mask, 4);
}

void pci_set_bar_size(struct pci_func *f, unsigned bar, uint64_t size)
{
    f->bar_size[bar] = size;
    bar_layout(f, bar);
}

static void header_layout(struct pci_func *f, const struct pci_type *t)
{
    put_le(&f->init[PCI_VENDOR_ID], t->vendor | (uint32_t)t->device << 16, 4);
    f->init[PCI_REVISION] = t->revision;
    put_le(&f->init[PCI_CLASS], t->class_code, 3);
    f->init[PCI_HEADER_TYPE] = t->multifunction ? 0x80 : 0;
    put_le(&f->init[PCI_SUBVENDOR_ID], t->subvendor | (uint32_t)t->subdevice << 16, 4);
    f->init[PCI_INT_PIN] = t->intx;
    put_le(&f->writable[PCI_COMMAND], COMMAND_WRITABLE, 2);
    f->w1c[PCI_STATUS + 1] = 0xf9; /* the error bits */
    f->writable[0x0c] = 0xff;      /* cache line size */
    f->writable[0x0d] = 0xf8;      /* latency timer */
    f->writable[PCI_INT_LINE] = 0xff;
}

static void pci_drive(void *to, unsigned pin, bool level)
{
    struct pci_func *f = to;
    struct platform *p = f->dev.plat;
    uint8_t *n = &p->intx_level[PCI_SLOT(f->devfn)][pin];
    uint8_t old = *n;

    *n = level ? old + 1 : old - 1;
    if (p->ops->pci_intx && (old == 0 || *n == 0))
        p->ops->pci_intx(p, f->devfn, pin, level);
}

int pci_attach(struct pci_func *f, int devfn, struct err *err)
{
    const struct pci_type *t = pci_type_of(f);

    if (devfn < 0 || devfn > 255 || f->dev.plat->pci[devfn] || f->dev.plat->away[devfn])
        return err_set(err, -EBUSY, "%s: PCI slot %d.%d is not free", f->dev.id, devfn / 8,
                       devfn % 8);
    f->devfn = devfn;
    header_layout(f, t);
    for (const struct pci_reg *r = t->regs; r && r->len; r++) {
        put_le(&f->init[r->off], r->init, r->len);
        put_le(&f->writable[r->off], r->writable, r->len);
        put_le(&f->w1c[r->off], r->w1c, r->len);
    }
    for (unsigned i = 0; i < PCI_BARS; i++) {
        if (t->bar[i])
            pci_set_bar_size(f, i, t->bar[i]->size);
    }
    if (t->intx)
        f->intx = (struct irq){ .drive = pci_drive, .to = f, .pin = t->intx - 1 };
    return 0;
}

int pci_plug(struct pci_func *f, struct err *err)
{
    struct platform *p = f->dev.plat;
    int rc = p->ops->pci ? p->ops->pci(p, true, f->devfn) : 0;

    if (rc)
        return err_set(err, rc, "%s: cannot claim PCI function %02x.%x: %s", f->dev.id,
                       PCI_SLOT(f->devfn), f->devfn & 7, strerror(-rc));
    p->pci[f->devfn] = f;
    return 0;
}

static void bar_leave(struct pci_func *f, unsigned bar)
{
    const struct pci_type *t = pci_type_of(f);

    if (f->mapped[bar] && (bar == PCI_ROM || t->bar[bar]->read || t->bar[bar]->write))
        platform_unmap(f->dev.plat, &f->dev, bar == PCI_ROM ? &pci_rom_range : t->bar[bar],
                       f->mapped[bar]);
    f->mapped[bar] = 0;
}

static void bar_unmap(struct pci_func *f, unsigned bar)
{
    const struct pci_type *t = pci_type_of(f);

    if (!f->mapped[bar])
        return;
    bar_leave(f, bar);
    if (bar < PCI_BARS && t->bar_mapped)
        t->bar_mapped(f, bar, 0);
}

static void bar_map(struct pci_func *f, unsigned bar, uint64_t base)
{
    const struct pci_type *t = pci_type_of(f);
    int rc = 0;

    if (bar == PCI_ROM || t->bar[bar]->read || t->bar[bar]->write)
        rc = platform_map(f->dev.plat, &f->dev, bar == PCI_ROM ? &pci_rom_range : t->bar[bar], base,
                          f->bar_size[bar]);
    if (rc) {
        guest_err(&f->dev, "BAR %u at %llx overlaps another: not mapped", bar,
                  (unsigned long long)base);
        return;
    }
    f->mapped[bar] = base;
    if (bar < PCI_BARS && t->bar_mapped)
        t->bar_mapped(f, bar, base);
}

/* Where cfg wants a BAR to be; 0: nowhere (not decoded, not set, or out of its space). */
static uint64_t bar_wanted(const struct pci_func *f, unsigned bar)
{
    uint16_t command = pci_cfg16(f, PCI_COMMAND);
    uint32_t val = pci_cfg32(f, bar_off(bar));
    uint32_t base = val & ~(uint32_t)(f->bar_size[bar] - 1);

    if (!f->bar_size[bar] || !base)
        return 0;
    if (bar_is_io(f, bar))
        return (command & PCI_COMMAND_IO) && base + f->bar_size[bar] <= 0x10000 ? base : 0;
    if (bar == PCI_ROM && !(val & ROM_ENABLE))
        return 0;
    /* A BAR of ones is one being sized; it also would cover the APICs. */
    if (!(command & PCI_COMMAND_MEM) || base + f->bar_size[bar] > 0xfec00000)
        return 0;
    return base;
}

void pci_remap(struct pci_func *f)
{
    uint64_t wanted[PCI_BARS + 1];
    bool away = pci_is_away(f);

    for (unsigned i = 0; i <= PCI_ROM; i++) {
        wanted[i] = away ? 0 : bar_wanted(f, i);
        if (f->mapped[i] != wanted[i])
            bar_unmap(f, i);
    }
    for (unsigned i = 0; i <= PCI_ROM; i++) {
        if (f->mapped[i] != wanted[i])
            bar_map(f, i, wanted[i]);
    }
}

void pci_intx(struct pci_func *f, bool level)
{
    if (level)
        f->cfg[PCI_STATUS] |= PCI_STATUS_INTX;
    else
        f->cfg[PCI_STATUS] &= ~PCI_STATUS_INTX;
    irq_set(&f->intx,
            level && !pci_is_away(f) && !(pci_cfg16(f, PCI_COMMAND) & PCI_COMMAND_INTX_DIS));
}

bool pci_is_away(const struct pci_func *f)
{
    return f->dev.plat->away[f->devfn] == f;
}

bool pci_may_master(const struct pci_func *f)
{
    return (pci_cfg16(f, PCI_COMMAND) & PCI_COMMAND_MASTER) && !pci_is_away(f);
}

void pci_set_away(struct pci_func *f, bool away)
{
    struct platform *p = f->dev.plat;

    if (away == pci_is_away(f))
        return;
    p->pci[f->devfn] = away ? NULL : f;
    p->away[f->devfn] = away ? f : NULL;
    if (p->ops->pci)
        p->ops->pci(p, !away, f->devfn);
    irq_set(&f->intx, false);
    pci_remap(f);
    if (f->dev.type->sync)
        f->dev.type->sync(&f->dev);
}

void pci_reset(struct pci_func *f)
{
    memcpy(f->cfg, f->init, sizeof(f->cfg));
    pci_remap(f);
}

void pci_detach(struct pci_func *f)
{
    struct platform *p = f->dev.plat;

    irq_set(&f->intx, false);
    for (unsigned i = 0; i <= PCI_ROM; i++)
        bar_leave(f, i);
    if (pci_is_away(f))
        p->away[f->devfn] = NULL;
    if (p->pci[f->devfn] == f) {
        p->pci[f->devfn] = NULL;
        if (p->ops->pci)
            p->ops->pci(p, false, f->devfn);
    }
    pci_rom_free(f);
}

uint64_t pci_cfg_read(struct pci_func *f, unsigned off, unsigned len)
{
    uint64_t val = 0;

    for (unsigned i = 0; i < len; i++)
        val |= (uint64_t)(off + i < sizeof(f->cfg) ? f->cfg[off + i] : 0xff) << (8 * i);
    return val;
}

void pci_cfg_write(struct pci_func *f, unsigned off, uint64_t val, unsigned len)
{
    const struct pci_type *t = pci_type_of(f);

    for (unsigned i = 0; i < len && off + i < sizeof(f->cfg); i++) {
        uint8_t byte = val >> (8 * i);
        uint8_t *c = &f->cfg[off + i];

        *c = (*c & ~f->writable[off + i]) | (byte & f->writable[off + i]);
        *c &= ~(byte & f->w1c[off + i]);
    }
    pci_remap(f);
    if (t->cfg_written)
        t->cfg_written(f, off, len);
    if (f->dev.type->sync)
        f->dev.type->sync(&f->dev);
}

int pci_dma_read(struct pci_func *f, uint64_t gpa, void *dst, size_t len)
{
    if (!pci_may_master(f)) {
        memset(dst, 0xff, len);
        return -EPERM;
    }
    return dma_read(&f->dev, gpa, dst, len);
}

int pci_dma_write(struct pci_func *f, uint64_t gpa, const void *src, size_t len)
{
    if (!pci_may_master(f))
        return -EPERM;
    return dma_write(&f->dev, gpa, src, len);
}

void *pci_dma_pin(struct pci_func *f, uint64_t gpa, uint64_t len, bool write, uint64_t *got)
{
    if (!pci_may_master(f))
        return NULL;
    return dma_pin(&f->dev, gpa, len, write, got);
}
