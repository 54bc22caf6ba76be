/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The world of the unit tests: RAM, wires and a clock, and nothing that runs by itself. */
#include "tests/unit/qt.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <uv.h>
#include <cmocka.h>
#include "hw/core/buf.h"

#define QT_TESTS 512
#define QT_PIECE 32768u

struct qt_test {
    const char *name;
    void (*fn)(void);
    bool reload;
};

static struct {
    struct qt_test test[QT_TESTS];
    struct CMUnitTest unit[QT_TESTS];
    char name[QT_TESTS][96];
    unsigned n;
    bool reload;
    struct qt *world[8]; /* made by the running test */
    unsigned nworlds;
} qt_all;

static struct qt *qt_of(struct platform *p)
{
    return container_of(p, struct qt, plat);
}

/* ---- the platform ---- */

static int qt_mem(struct qt *t, uint64_t gpa, size_t len)
{
    t->dma.calls++;
    t->dma.bytes += len;
    return gpa < QT_RAM && len <= QT_RAM - gpa ? 0 : -EFAULT;
}

static int qt_mem_read(struct platform *p, uint64_t gpa, void *dst, size_t len)
{
    int rc = qt_mem(qt_of(p), gpa, len);

    if (!rc)
        memcpy(dst, qt_of(p)->ram + gpa, len);
    return rc;
}

static int qt_mem_write(struct platform *p, uint64_t gpa, const void *src, size_t len)
{
    int rc = qt_mem(qt_of(p), gpa, len);

    if (!rc)
        memcpy(qt_of(p)->ram + gpa, src, len);
    return rc;
}

/* In pieces that end at 32 KiB, so that a device meets short ones. */
static void *qt_mem_pin(struct platform *p, uint64_t gpa, uint64_t len, bool write, uint64_t *got)
{
    struct qt *t = qt_of(p);

    if (t->no_pin || gpa >= QT_RAM)
        return NULL;
    *got = QT_PIECE - gpa % QT_PIECE;
    if (*got > len)
        *got = len;
    t->pins++;
    return t->ram + gpa;
}

static void qt_mem_unpin(struct platform *p, void *host, uint64_t len, bool written)
{
    struct qt *t = qt_of(p);
    uint64_t gpa = (uint8_t *)host - t->ram;

    assert_true(gpa < QT_RAM && len <= QT_PIECE && t->pins);
    t->pins--;
}

static void qt_rom(struct platform *p, uint64_t gpa, uint64_t size, uint8_t *host, bool shown)
{
    struct qt *t = qt_of(p);

    t->rom_at = gpa;
    t->rom_size = size;
    t->rom = host;
    t->rom_shown = shown;
}

static int qt_vram_alloc(struct platform *p, uint64_t size, void **host, struct err *err)
{
    struct qt *t = qt_of(p);

    if (t->vram && t->vram_size != size)
        return err_set(err, -EINVAL, "video memory of another size");
    if (!t->vram)
        t->vram = calloc(1, size);
    t->vram_size = size;
    *host = t->vram;
    return 0;
}

static int qt_vram_place(struct platform *p, uint64_t gpa)
{
    qt_of(p)->vram_gpa = gpa;
    return 0;
}

static int qt_vram_dirty(struct platform *p, uint64_t first, size_t pages, uint64_t *bits)
{
    struct qt *t = qt_of(p);

    memset(bits, 0, (pages + 63) / 64 * 8);
    for (size_t i = 0; i < pages && first + i < sizeof(t->vram_dirty) * 8; i++) {
        uint64_t *w = &t->vram_dirty[(first + i) / 64], bit = 1ULL << ((first + i) % 64);

        if (*w & bit)
            bits[i / 64] |= 1ULL << (i % 64);
        *w &= ~bit;
    }
    return 0;
}

static void qt_isa_irq(struct platform *p, unsigned pin, bool level)
{
    qt_of(p)->isa[pin] = level;
}

static void qt_intx(struct platform *p, unsigned devfn, unsigned pin, bool level)
{
    qt_of(p)->intx[PCI_SLOT(devfn)][pin] = level;
}

static void qt_link(struct platform *p, unsigned link, unsigned pin)
{
    qt_of(p)->link[link & 3] = pin;
}

static void qt_msi(struct platform *p, uint64_t addr, uint32_t data)
{
    qt_of(p)->msis++;
}

static void qt_power(struct platform *p, enum power what)
{
    qt_of(p)->power = what;
}

static int64_t qt_now(struct platform *p)
{
    return qt_of(p)->now;
}

static const struct platform_ops qt_ops = {
    .name = "test",
    .mem_read = qt_mem_read,
    .mem_write = qt_mem_write,
    .mem_pin = qt_mem_pin,
    .mem_unpin = qt_mem_unpin,
    .rom = qt_rom,
    .vram_alloc = qt_vram_alloc,
    .vram_place = qt_vram_place,
    .vram_dirty = qt_vram_dirty,
    .isa_irq = qt_isa_irq,
    .pci_intx = qt_intx,
    .pci_link = qt_link,
    .msi = qt_msi,
    .power = qt_power,
    .now = qt_now,
};

/* ---- worlds ---- */

struct qt *qt_new(void)
{
    struct qt *t = calloc(1, sizeof(*t));
    uv_loop_t *loop = malloc(sizeof(*loop));
    char name[64];

    assert_true(t && loop && uv_loop_init(loop) == 0);
    assert_true(qt_all.nworlds < 8);
    qt_all.world[qt_all.nworlds++] = t;
    platform_init(&t->plat, &qt_ops, loop);
    t->ram = calloc(1, QT_RAM);
    t->now = NS_PER_S;
    t->power = -1;
    t->reload = qt_all.reload;
    t->sink_fd = memfd_create("sink", MFD_CLOEXEC);
    snprintf(name, sizeof(name), "file:/proc/self/fd/%d", t->sink_fd);
    qt_config(t, "sink", name);
    qt_config(t, "file", name);
    return t;
}

void qt_config(struct qt *t, const char *key, const char *val)
{
    config_set(&t->cfg, key, val);
}

void qt_config_obj(struct qt *t, const char *key, void *obj)
{
    config_set_obj(&t->cfg, key, obj);
}

static struct device *qt_create(struct qt *t, const struct device_type *type, unsigned i)
{
    struct err err = { "" };
    char id[24];
    struct device *dev;

    snprintf(id, sizeof(id), "%.20s%u", type->name, i);
    dev = device_new(&t->plat, type, id, t->devfns[i], &t->cfgs[i], &err);
    if (!dev)
        fail_msg("cannot create %s: %s", type->name, err.msg);
    return dev;
}

void qt_add(struct qt *t, const struct device_type *type, int devfn)
{
    unsigned i = t->ndevs;

    assert_true(i < 8);
    assert_true(state_covers(type));
    for (size_t k = 0; k < t->cfg.n; k++) {
        if (t->cfg.items[k].val)
            config_set(&t->cfgs[i], t->cfg.items[k].key, t->cfg.items[k].val);
        if (t->cfg.items[k].obj)
            config_set_obj(&t->cfgs[i], t->cfg.items[k].key, t->cfg.items[k].obj);
    }
    t->devfns[i] = devfn;
    t->devs[i] = qt_create(t, type, i);
    t->ndevs++;
    if (!t->dev)
        t->dev = t->devs[0];
}

struct qt *qt_start(const struct device_type *type)
{
    struct qt *t = qt_new();

    qt_add(t, type, type->pci ? 0x08 : -1);
    return t;
}

void qt_no_reload(struct qt *t, const char *why)
{
    t->reload = false;
}

static void qt_free(struct qt *t)
{
    for (unsigned i = t->ndevs; i-- > 0;) {
        device_free(t->devs[i]);
        config_free(&t->cfgs[i]);
    }
    loop_step(t);
    assert_int_equal(t->pins, 0);
    config_free(&t->cfg);
    uv_loop_close(t->plat.loop);
    free(t->plat.loop);
    close(t->sink_fd);
    free(t->vram);
    free(t->ram);
    free(t);
}

/* ---- what happens after every access ---- */

static void qt_reload(struct qt *t)
{
    struct buf before[8] = { 0 }, after = { 0 };
    bool isa[16], line[32][4];
    unsigned errors[8];
    struct err err = { "" };
    const struct device_type *type[8];

    memcpy(isa, t->isa, sizeof(isa));
    memcpy(line, t->intx, sizeof(line));
    for (unsigned i = 0; i < t->ndevs; i++)
        state_save(t->devs[i], &before[i]);
    for (unsigned i = t->ndevs; i-- > 0;) {
        errors[i] = t->devs[i]->guest_errors;
        type[i] = t->devs[i]->type;
        device_free(t->devs[i]);
    }
    memset(t->plat.isa_level, 0, sizeof(t->plat.isa_level));
    memset(t->plat.intx_level, 0, sizeof(t->plat.intx_level));
    memset(t->isa, 0, sizeof(t->isa));
    memset(t->intx, 0, sizeof(t->intx));
    for (unsigned i = 0; i < t->ndevs; i++)
        t->devs[i] = qt_create(t, type[i], i);
    t->dev = t->devs[0];
    for (unsigned i = 0; i < t->ndevs; i++) {
        if (state_load(t->devs[i], &before[i], &err))
            fail_msg("load after save: %s", err.msg);
        t->devs[i]->guest_errors = errors[i];
    }
    for (unsigned i = 0; i < t->ndevs; i++) {
        state_save(t->devs[i], &after);
        if (after.len != before[i].len || memcmp(after.data, before[i].data, after.len))
            fail_msg("%s: state differs after save and load", t->devs[i]->id);
        buf_free(&after);
        buf_free(&before[i]);
    }
    assert_memory_equal(isa, t->isa, sizeof(isa));
    assert_memory_equal(line, t->intx, sizeof(line));
}

void qt_touched(struct qt *t)
{
    for (unsigned i = 0; i < t->ndevs; i++) {
        if (!state_valid(t->devs[i])) {
            state_print(t->devs[i], stderr);
            fail_msg("%s: state out of bounds", t->devs[i]->id);
        }
    }
    if (t->reload)
        qt_reload(t);
}

void clock_step(struct qt *t, int64_t ns)
{
    int64_t end = t->now + ns, next;

    while ((next = timers_next(&t->plat)) <= end) {
        if (next > t->now)
            t->now = next;
        timers_run(&t->plat, t->now);
        qt_touched(t);
    }
    t->now = end;
}

void loop_step(struct qt *t)
{
    uv_loop_t *loop = t->plat.loop;
    struct pollfd pfd = { .fd = uv_backend_fd(loop), .events = POLLIN };

    for (int i = 0; i < 10000; i++) {
        int timeout = uv_backend_timeout(loop);

        if (timeout != 0 && poll(&pfd, 1, t->hurry ? 0 : 3) <= 0)
            break;
        uv_run(loop, UV_RUN_NOWAIT);
    }
}

bool irq(const struct qt *t, unsigned pin)
{
    return t->isa[pin];
}

bool intx(const struct qt *t, unsigned slot, unsigned pin)
{
    return t->intx[slot][pin];
}

bool sunk(struct qt *t, const char *expected)
{
    char got[4096];
    ssize_t n;

    loop_step(t);
    n = pread(t->sink_fd, got, sizeof(got) - 1, 0);
    got[n > 0 ? n : 0] = 0;
    if (ftruncate(t->sink_fd, 0))
        return false;
    if (!strcmp(got, expected))
        return true;
    fputs("sunk: ", stderr);
    fputs(got, stderr);
    fputc('\n', stderr);
    return false;
}

unsigned guest_errors(const struct qt *t)
{
    return t->dev->guest_errors;
}

/* ---- running ---- */

void qt_check(bool ok, const char *what, const char *file, int line)
{
    _assert_true(ok, what, file, line);
}

void qt_check_eq(uint64_t a, uint64_t b, const char *what, const char *file, int line)
{
    if (a != b) {
        fprintf(stderr, "%s: %llx is not %llx\n", what, (unsigned long long)a,
                (unsigned long long)b);
        _fail(file, line);
    }
}

static void qt_run(void **state)
{
    const struct qt_test *test = *state;

    qt_all.reload = test->reload;
    test->fn();
}

void qt_end(void)
{
    while (qt_all.nworlds)
        qt_free(qt_all.world[--qt_all.nworlds]);
}

static int qt_after(void **state)
{
    qt_end();
    return 0;
}

void qt_register(const char *name, void (*fn)(void))
{
    for (int reload = 0; reload < 2 && qt_all.n < QT_TESTS; reload++) {
        unsigned i = qt_all.n++;

        qt_all.test[i] = (struct qt_test){ name, fn, reload };
        snprintf(qt_all.name[i], sizeof(qt_all.name[i]), "%s%s", name, reload ? " (reloaded)" : "");
        qt_all.unit[i] =
            (struct CMUnitTest){ qt_all.name[i], qt_run, NULL, qt_after, &qt_all.test[i] };
    }
}

int qt_main(int argc, char **argv)
{
    unsigned n = qt_all.n;

    if (argc > 1) { /* NAME: only the tests whose name holds it */
        n = 0;
        for (unsigned i = 0; i < qt_all.n; i++) {
            if (strstr(qt_all.name[i], argv[1]))
                qt_all.unit[n++] = qt_all.unit[i];
        }
    }
    return _cmocka_run_group_tests(argv[0], qt_all.unit, n, NULL, NULL) ? 1 : 0;
}
