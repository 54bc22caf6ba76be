/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The world in which a test is the guest's CPU, its memory controller and its
 * clock. Requests come as lines of text (docs/qtest.md). Guest time stands
 * still until the test moves it; disks work in real time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hw/core/pci.h"
#include "ioreq/qtest-impl.h"

/* ---- interrupt lines ---- */

void qtest_line(struct qtest *q, unsigned n, bool level)
{
    char *to, text[32];
    int len;

    if (!q->watched || n >= QTEST_LINES || q->told[n] == level)
        return;
    q->told[n] = level;
    len = snprintf(text, sizeof(text), "IRQ %s %u\n", level ? "raise" : "lower", n);
    to = qtest_conn_room(q, (size_t)len);
    if (!to)
        return;
    memcpy(to, text, (size_t)len);
    qtest_conn_put(q, (size_t)len);
    if (!q->serving)
        qtest_conn_flush(q);
}

/* An ISA interrupt is held up by the chips on its own pin and by the links routed to it. */
static void isa_changed(struct qtest *q, unsigned irq)
{
    bool level = q->isa[irq];

    for (unsigned i = 0; i < 4; i++)
        level |= irq && q->route[i] == irq && q->link[i];
    qtest_line(q, irq, level);
}

static void qtest_isa_irq(struct platform *p, unsigned pin, bool level)
{
    struct qtest *q = qtest_of(p);

    q->isa[pin & 15] = level;
    isa_changed(q, pin & 15);
}

/* The board's wiring: pin A of slot 1 pulls PIRQA, of slot 2 PIRQB, and so on round. */
static void qtest_pci_intx(struct platform *p, unsigned devfn, unsigned pin, bool level)
{
    struct qtest *q = qtest_of(p);
    unsigned i = (PCI_SLOT(devfn) + pin + 3) & 3;

    q->link[i] = (uint8_t)(level ? q->link[i] + 1 : q->link[i] - 1);
    if (q->route[i])
        isa_changed(q, q->route[i]);
}

static void qtest_pci_link(struct platform *p, unsigned link, unsigned irq)
{
    struct qtest *q = qtest_of(p);
    unsigned old = q->route[link & 3];

    q->route[link & 3] = irq & 15;
    if (old)
        isa_changed(q, old);
    if (irq & 15)
        isa_changed(q, irq & 15);
}

/* ---- time ---- */

static int64_t qtest_now(struct platform *p)
{
    return qtest_of(p)->now;
}

bool qtest_advance(struct qtest *q, int64_t to)
{
    for (unsigned n = 0; n < QTEST_FIRE_SLICE; n++) {
        int64_t next = timers_next(&q->plat);

        if (next > to) {
            if (q->now < to)
                q->now = to;
            return true;
        }
        if (q->now < next)
            q->now = next;
        timers_run(&q->plat, q->now);
    }
    return false;
}

/* ---- the world ---- */

static void qtest_power(struct platform *p, enum power what)
{
    struct qtest *q = qtest_of(p);

    q->yield = true;
    if (q->o.power)
        q->o.power(q->o.arg, what);
}

static const struct platform_ops qtest_ops = {
    .name = "qtest",
    .mem_read = qtest_dma_read,
    .mem_write = qtest_dma_write,
    .mem_pin = qtest_pin,
    .mem_unpin = qtest_unpin,
    .vram_alloc = qtest_vram_alloc,
    .vram_place = qtest_vram_place,
    .vram_dirty = qtest_vram_dirty,
    .isa_irq = qtest_isa_irq,
    .pci_intx = qtest_pci_intx,
    .pci_link = qtest_pci_link,
    .power = qtest_power,
    .now = qtest_now,
};

static void qtest_close(struct platform *p)
{
    struct qtest *q;

    if (!p)
        return;
    q = qtest_of(p);
    qtest_conn_close(q);
    qtest_mem_close(&q->mem);
    free(q);
}

static struct platform *qtest_open(struct uv_loop_s *loop, const struct world_options *o,
                                   struct err *err)
{
    struct qtest *q = calloc(1, sizeof(*q));

    if (!q) {
        err_set(err, -ENOMEM, "out of memory");
        return NULL;
    }
    platform_init(&q->plat, &qtest_ops, loop);
    q->o = *o;
    q->conn.loop = loop;
    if (qtest_conn_open(q, err) || qtest_mem_open(&q->mem, o, err)) {
        qtest_close(&q->plat);
        return NULL;
    }
    return &q->plat;
}

static int qtest_start(struct platform *p, struct err *err)
{
    return qtest_conn_start(qtest_of(p), err);
}

const struct world world_qtest = {
    .name = "qtest",
    .open = qtest_open,
    .close = qtest_close,
    .start = qtest_start,
};
