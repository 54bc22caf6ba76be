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

static void qtest_isa_changed(struct pc_lines *l, unsigned irq, bool level)
{
    qtest_line(container_of(l, struct qtest, lines), irq, level);
}

static void qtest_isa_irq(struct platform *p, unsigned pin, bool level)
{
    pc_lines_isa(&qtest_of(p)->lines, pin, level);
}

static void qtest_pci_intx(struct platform *p, unsigned devfn, unsigned pin, bool level)
{
    pc_lines_intx(&qtest_of(p)->lines, devfn, pin, level);
}

static void qtest_pci_link(struct platform *p, unsigned link, unsigned irq)
{
    pc_lines_route(&qtest_of(p)->lines, link, irq);
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

/* ---- memory ---- */

static int qtest_mem_read(struct platform *p, uint64_t gpa, void *dst, size_t len)
{
    return host_mem_read(&qtest_of(p)->mem, gpa, dst, len);
}

static int qtest_mem_write(struct platform *p, uint64_t gpa, const void *src, size_t len)
{
    return host_mem_write(&qtest_of(p)->mem, gpa, src, len);
}

static void *qtest_pin(struct platform *p, uint64_t gpa, uint64_t len, bool write, uint64_t *got)
{
    return host_mem_pin(&qtest_of(p)->mem, gpa, len, write, got);
}

static void qtest_rom(struct platform *p, uint64_t gpa, uint64_t size, uint8_t *host, bool shown)
{
    host_mem_chip(&qtest_of(p)->mem, gpa, size, host, shown);
}

static int qtest_vram_alloc(struct platform *p, uint64_t size, void **host, struct err *err)
{
    return host_vram_alloc(&qtest_of(p)->mem, size, host, err);
}

static int qtest_vram_place(struct platform *p, uint64_t gpa)
{
    qtest_of(p)->mem.vram_at = gpa;
    return 0;
}

static int qtest_vram_dirty(struct platform *p, uint64_t first_page, size_t pages, uint64_t *bits)
{
    return host_vram_dirty(&qtest_of(p)->mem, first_page, pages, bits);
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
    .mem_read = qtest_mem_read,
    .mem_write = qtest_mem_write,
    .mem_pin = qtest_pin,
    .rom = qtest_rom,
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
    host_mem_close(&q->mem);
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
    q->mem.board = &q->plat;
    q->lines.changed = qtest_isa_changed;
    q->conn.loop = loop;
    if (qtest_conn_open(q, err) || host_mem_open(&q->mem, o, err)) {
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
