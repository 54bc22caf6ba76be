/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The recorder stands between a world and the machine: it has the world's
 * operations in its hand, and hears of each request. Guest memory is not lent
 * to disk requests while it records (mem_pin): every byte is copied, and so
 * can be noted.
 *
 * Video memory is written by the guest's CPU without a word to anybody. What
 * the machine says of it is only what is read through the window at a0000;
 * before such a read the pages that changed are noted. Where asking for them
 * takes the guest's time, at most a tenth of it is spent so: what the CPU wrote
 * in between is noted by a later read.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "hw/core/log.h"
#include "ioreq/record-impl.h"

#define PAGE         4096
#define WINDOW_START 0xa0000
#define WINDOW_END   0xc0000
#define LOOK_PAUSE   10

struct recorder {
    struct tape tape;
    struct platform *p;
    const struct platform_ops *world;
    struct platform_ops ops;
    struct tape_writer *writer;
    int64_t time;
    bool stopped;
    /* Video memory. */
    uint8_t *host, *shadow; /* shadow: as the player has it, or older */
    uint64_t pages;
    uint64_t *unseen, *undrawn; /* bits: changed, and not told to tape, display */
    bool placed;                /* where the CPU can write it */
    int64_t looked, look_cost;  /* guest time */
};

static struct recorder *recorder_of(const struct platform *p)
{
    return container_of(p->ops, struct recorder, ops);
}

/* ---- the tape ---- */

static void record_end(struct recorder *c, uint64_t early, const char *why)
{
    struct tape_rec r = { .kind = T_END,
                          .v = { early },
                          .data = (const uint8_t *)why,
                          .len = (uint32_t)strlen(why),
                          .time = c->time };

    if (c->stopped)
        return;
    c->stopped = true;
    tape_writer_end(c->writer, &r, &c->time);
}

static void record_stop(struct tape *t, const char *why)
{
    struct recorder *c = container_of(t, struct recorder, tape);

    if (!c->stopped)
        log_line("-trace ioreq: the recording ends here: %s", why);
    record_end(c, 1, why);
}

static void note(struct recorder *c, const struct tape_rec *r)
{
    int rc = c->stopped ? 0 : tape_put(c->writer, r, &c->time);

    if (rc == -ENOSPC)
        record_stop(&c->tape, "the file cannot be written fast enough");
    else if (rc)
        record_stop(&c->tape, strerror(-rc));
}

/* In something else only the end of a disk request is news: somebody waits for it. */
static void record_enter(struct tape *t, struct tape_rec *r)
{
    struct recorder *c = container_of(t, struct recorder, tape);

    if (t->depth++ && r->kind != T_DISK)
        return;
    if (r->kind != T_TIMERS)
        r->time = c->world->now(c->p);
    note(c, r);
}

static void record_say(struct tape *t, struct tape_rec *r)
{
    if (t->depth)
        note(container_of(t, struct recorder, tape), r);
}

/* ---- video memory ---- */

static size_t words(uint64_t pages)
{
    return (pages + 63) / 64;
}

/* Asks the world which pages changed, always of all: some worlds begin anew for another range. */
static int vram_ask(struct recorder *c)
{
    uint64_t bits[65536 / 64];
    int rc = -ENODEV;

    if (c->pages > 65536)
        return rc;
    if (c->world->vram_dirty)
        rc = c->world->vram_dirty(c->p, 0, c->pages, bits);
    for (size_t i = 0; i < words(c->pages); i++) {
        c->unseen[i] |= rc ? ~0ULL : bits[i];
        c->undrawn[i] |= rc ? ~0ULL : bits[i];
    }
    return rc;
}

static void vram_note(struct recorder *c, uint64_t page)
{
    const uint8_t *now = c->host + page * PAGE;
    uint8_t *before = c->shadow + page * PAGE;
    struct tape_rec r = {
        .kind = T_VRAM, .v = { page }, .data = before, .len = PAGE, .time = c->time
    };

    c->unseen[page / 64] &= ~(1ULL << page % 64);
    if (!memcmp(now, before, PAGE))
        return;
    memcpy(before, now, PAGE);
    note(c, &r);
}

static void vram_look(struct recorder *c)
{
    int64_t began;

    if (!c->placed || !c->host || c->stopped)
        return;
    began = c->world->now(c->p);
    if (began - c->looked < LOOK_PAUSE * c->look_cost)
        return;
    vram_ask(c);
    for (uint64_t page = 0; page < c->pages; page++) {
        if (!c->unseen[page / 64])
            page |= 63;
        else if (c->unseen[page / 64] >> page % 64 & 1)
            vram_note(c, page);
    }
    c->looked = c->world->now(c->p);
    c->look_cost = c->looked - began;
}

static int record_vram_alloc(struct platform *p, uint64_t size, void **host, struct err *err)
{
    struct recorder *c = recorder_of(p);
    int rc = c->world->vram_alloc ? c->world->vram_alloc(p, size, host, err) : -ENODEV;
    struct tape_rec r = { .kind = T_VRAM_ALLOC, .v = { size, (uint64_t)(int64_t)rc } };

    c->tape.say(&c->tape, &r);
    if (rc)
        return rc;
    c->pages = size / PAGE;
    c->shadow = calloc(c->pages, PAGE);
    c->unseen = calloc(words(c->pages), sizeof(uint64_t));
    c->undrawn = calloc(words(c->pages), sizeof(uint64_t));
    if (c->shadow && c->unseen && c->undrawn)
        c->host = *host;
    else
        record_stop(&c->tape, "out of memory");
    return 0;
}

static int record_vram_place(struct platform *p, uint64_t gpa)
{
    struct recorder *c = recorder_of(p);
    int rc = c->world->vram_place ? c->world->vram_place(p, gpa) : 0;
    struct tape_rec r = { .kind = T_VRAM_PLACE, .v = { gpa, (uint64_t)(int64_t)rc } };

    c->tape.say(&c->tape, &r);
    if (!rc)
        c->placed = gpa != 0;
    return rc;
}

static int record_vram_dirty(struct platform *p, uint64_t first, size_t pages, uint64_t *bits)
{
    struct recorder *c = recorder_of(p);
    int rc;

    if (!c->host || first + pages > c->pages)
        return -ENODEV;
    rc = vram_ask(c);
    memset(bits, 0, words(pages) * sizeof(*bits));
    for (size_t i = 0; i < pages; i++) {
        uint64_t page = first + i, bit = 1ULL << page % 64;

        if (c->undrawn[page / 64] & bit)
            bits[i / 64] |= 1ULL << i % 64;
        c->undrawn[page / 64] &= ~bit;
    }
    return rc;
}

/* ---- what the machine asks of the world ---- */

#define SAY(c, ...)                                                                                \
    do {                                                                                           \
        struct tape_rec say_ = { __VA_ARGS__ };                                                    \
        (c)->tape.say(&(c)->tape, &say_);                                                          \
    } while (0)
#define RC(rc) (uint64_t)(int64_t)(rc)

static int record_range(struct platform *p, bool add, enum io_space space, uint64_t base,
                        uint64_t size)
{
    struct recorder *c = recorder_of(p);
    int rc = c->world->range ? c->world->range(p, add, space, base, size) : 0;

    SAY(c, .kind = T_RANGE, .v = { add, space, base, size, RC(rc) });
    return rc;
}

static int record_pci(struct platform *p, bool add, unsigned devfn)
{
    struct recorder *c = recorder_of(p);
    int rc = c->world->pci ? c->world->pci(p, add, devfn) : 0;

    SAY(c, .kind = T_PCI, .v = { add, devfn, RC(rc) });
    return rc;
}

static int record_mem_read(struct platform *p, uint64_t gpa, void *dst, size_t len)
{
    struct recorder *c = recorder_of(p);
    int rc = c->world->mem_read ? c->world->mem_read(p, gpa, dst, len) : -ENXIO;

    if (len > TAPE_BYTES)
        record_stop(&c->tape, "a transfer is too large");
    else
        SAY(c, .kind = T_READ, .v = { gpa, len, RC(rc) }, .data = dst,
            .len = rc ? 0 : (uint32_t)len);
    return rc;
}

static int record_mem_write(struct platform *p, uint64_t gpa, const void *src, size_t len)
{
    struct recorder *c = recorder_of(p);
    int rc = c->world->mem_write ? c->world->mem_write(p, gpa, src, len) : -ENXIO;
    struct tape_rec r = { .kind = T_WRITE, .v = { gpa, len, RC(rc) } };
    uint8_t hash[8];

    if (!c->tape.depth)
        return rc;
    tape_digest(&r, src, len, hash);
    c->tape.say(&c->tape, &r);
    return rc;
}

static int record_mem_readonly(struct platform *p, uint64_t gpa, uint64_t len, bool readonly)
{
    struct recorder *c = recorder_of(p);
    int rc = c->world->mem_readonly ? c->world->mem_readonly(p, gpa, len, readonly) : 0;

    SAY(c, .kind = T_READONLY, .v = { gpa, len, readonly, RC(rc) });
    return rc;
}

static void record_isa_irq(struct platform *p, unsigned pin, bool level)
{
    struct recorder *c = recorder_of(p);

    SAY(c, .kind = T_ISA, .v = { pin, level });
    if (c->world->isa_irq)
        c->world->isa_irq(p, pin, level);
}

static void record_pci_intx(struct platform *p, unsigned devfn, unsigned pin, bool level)
{
    struct recorder *c = recorder_of(p);

    SAY(c, .kind = T_INTX, .v = { devfn, pin, level });
    if (c->world->pci_intx)
        c->world->pci_intx(p, devfn, pin, level);
}

static void record_pci_link(struct platform *p, unsigned link, unsigned irq)
{
    struct recorder *c = recorder_of(p);

    SAY(c, .kind = T_ROUTE, .v = { link, irq });
    if (c->world->pci_link)
        c->world->pci_link(p, link, irq);
}

static void record_msi(struct platform *p, uint64_t addr, uint32_t data)
{
    struct recorder *c = recorder_of(p);

    SAY(c, .kind = T_MSI, .v = { addr, data });
    if (c->world->msi)
        c->world->msi(p, addr, data);
}

static void record_power(struct platform *p, enum power what)
{
    struct recorder *c = recorder_of(p);

    SAY(c, .kind = T_POWER, .v = { what });
    if (c->world->power)
        c->world->power(p, what);
}

static void record_timer(struct platform *p, int64_t at)
{
    struct recorder *c = recorder_of(p);

    if (c->world->timer)
        c->world->timer(p, at);
}

/* The machine hears what the tape holds: time that never goes back. */
static int64_t record_now(struct platform *p)
{
    struct recorder *c = recorder_of(p);
    int64_t now = c->world->now(p);

    if (now < c->time && !c->stopped)
        now = c->time;
    SAY(c, .kind = T_NOW, .v = { (uint64_t)now });
    return now;
}

static int64_t record_wall(struct platform *p)
{
    struct recorder *c = recorder_of(p);
    int64_t now = c->world->wall ? c->world->wall(p) : (int64_t)time(NULL);

    SAY(c, .kind = T_WALL, .v = { (uint64_t)now });
    return now;
}

static const struct platform_ops record_ops = {
    .name = "record",
    .range = record_range,
    .pci = record_pci,
    .mem_read = record_mem_read,
    .mem_write = record_mem_write,
    .mem_readonly = record_mem_readonly,
    .vram_alloc = record_vram_alloc,
    .vram_place = record_vram_place,
    .vram_dirty = record_vram_dirty,
    .isa_irq = record_isa_irq,
    .pci_intx = record_pci_intx,
    .pci_link = record_pci_link,
    .msi = record_msi,
    .power = record_power,
    .timer = record_timer,
    .now = record_now,
    .wall = record_wall,
};

/* ---- what goes in ---- */

static void tap_request(struct platform *p, int devfn, unsigned off, const struct io_req *req)
{
    struct recorder *c = recorder_of(p);
    bool window =
        devfn < 0 && req->space == IO_MEM && req->addr >= WINDOW_START && req->addr < WINDOW_END;
    struct tape_rec r = { .kind = req->space == IO_PORT ? (req->write ? T_OUT : T_IN)
                                  : req->write          ? T_MEM_OUT
                                                        : T_MEM_IN,
                          .v = { req->addr, req->width, req->data } };

    if (devfn >= 0)
        r = (struct tape_rec){ .kind = req->write ? T_CFG_OUT : T_CFG_IN,
                               .v = { (uint64_t)devfn, off, req->width, req->data } };
    if (window && !req->write && !c->tape.depth)
        vram_look(c);
    c->tape.enter(&c->tape, &r);
}

static void tap_answer(struct platform *p, const struct io_req *req)
{
    struct recorder *c = recorder_of(p);

    if (!req->write && c->tape.depth == 1)
        SAY(c, .kind = T_ANSWER, .v = { req->data });
    tape_leave(&c->tape);
}

static void tap_timers(struct platform *p, int64_t now)
{
    struct recorder *c = recorder_of(p);
    struct tape_rec r = { .kind = T_TIMERS, .time = now };

    c->tape.enter(&c->tape, &r);
}

static void tap_timers_done(struct platform *p)
{
    tape_leave(&recorder_of(p)->tape);
}

static const struct platform_tap record_tap = {
    .request = tap_request,
    .answer = tap_answer,
    .timers = tap_timers,
    .timers_done = tap_timers_done,
};

/* ---- birth and end ---- */

static void record_close(struct tape *t)
{
    struct recorder *c = container_of(t, struct recorder, tape);
    int rc;

    record_end(c, 0, "");
    rc = tape_writer_free(c->writer);
    if (rc)
        log_line("-trace ioreq: the file is not whole: %s", strerror(-rc));
    c->p->tap = NULL;
    c->p->ops = c->world;
    free(c->shadow);
    free(c->unseen);
    free(c->undrawn);
    free(c);
}

struct tape *record_new(struct platform *p, const char *file, const char *world, struct err *err)
{
    struct recorder *c = calloc(1, sizeof(*c));

    if (c)
        c->writer = tape_writer_new(file, world, err);
    else
        err_set(err, -ENOMEM, "out of memory");
    if (!c || !c->writer) {
        free(c);
        return NULL;
    }
    c->p = p;
    c->world = p->ops;
    c->ops = record_ops;
    c->tape = (struct tape){ .depth = 1, /* the machine is being built */
                             .enter = record_enter,
                             .say = record_say,
                             .close = record_close,
                             .stop = record_stop };
    p->ops = &c->ops;
    p->tap = &record_tap;
    return &c->tape;
}
