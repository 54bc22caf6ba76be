/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The controller under nonsense: random accesses, random but allowed states,
 * media that fail. After every access the state must be valid (the harness
 * checks), and nothing may crash, hang or write where it should not.
 */
#include "hw/core/buf.h"
#include "hw/ide-int.h"
#include "tests/unit/ide-util.h"
#include "tests/unit/random.h"

static void one_access(struct qt *t, uint64_t *seed)
{
    static const uint16_t base[] = { PRI, SEC, CTL(PRI), CTL(SEC), BM_BASE, BM_BASE + 8 };
    static const uint8_t cmds[] = { 0xa0, 0x20, 0x30, 0xc4, 0xc5, 0xc8, 0xca, 0x25, 0x35, 0x24,
                                    0xec, 0xa1, 0xef, 0xe7, 0xb0, 0x08, 0x90, 0x29, 0x39, 0xea };
    unsigned what = rnd(seed) % 6, off = what < 2 ? rnd(seed) % 8 : what < 4 ? 0 : rnd(seed) % 8;
    uint16_t port = base[what] + off;
    uint32_t val = rnd(seed) % 3 ? rnd(seed) & 0x3f3f3f3f : rnd(seed) | rnd(seed) << 20;

    if (what < 2 && off == R_CMD)
        val = cmds[rnd(seed) % sizeof(cmds)];
    if (what >= 2 && what < 4 && rnd(seed) % 4)
        val = 0; /* not always in reset */
    switch (rnd(seed) % 8) {
    case 0:
        inb(t, port);
        break;
    case 1:
        inl(t, port);
        break;
    case 2:
        outl(t, port, val);
        break;
    case 3:
        loop_step(t);
        break;
    case 4: /* data, so that phases move on */
        for (int i = 0; i < 40; i++)
            inl(t, what % 2 ? PRI : SEC);
        break;
    case 5:
        for (int i = 0; i < 6; i++)
            outw(t, what % 2 ? PRI : SEC, i ? rnd(seed) & 0x0303 : rnd(seed) & 0xff);
        break;
    default:
        outb(t, port, val);
        break;
    }
}

static struct rig rig_all(void)
{
    struct rig r = { qt_new(), { NULL } };

    rig_unit(&r, 0, false, 256);
    rig_unit(&r, 1, true, 64);
    rig_unit(&r, 2, true, 0);
    rig_unit(&r, 3, false, 64);
    rig_go(&r);
    for (unsigned i = 0; i < 64; i++)
        prd(r.t, 0, i, 0x1000 * i, 0x3334 * i, i % 16 == 15);
    return r;
}

TEST(random_accesses)
{
    for (uint32_t start = 1; start <= 4; start++) {
        struct rig r = rig_all();
        struct fault *f = r.blk[0]->priv;
        uint64_t seed = start;

        f->bad = 100 * 512;
        f->bad_len = 512;
        for (int i = 0; i < (r.t->reload ? 100 : 4000); i++)
            one_access(r.t, &seed);
        CHECK_EQ(ide_drain(r.t->dev), 0);
        rig_end(&r);
    }
}

/* Any value a field may have; the rest of the device then has to live with it. */
static void scramble(struct device *dev, uint64_t *seed)
{
    for (const struct field *f = dev->type->state; f->kind != F_END; f++) {
        uint8_t *p = (uint8_t *)dev + f->off;
        unsigned size = f->kind == F_U64 ? 8 : f->kind == F_U32 ? 4 : f->kind == F_U16 ? 2 : 1;

        /* Not always everything, and never unplugged: or hardly a state would be allowed. */
        if (strstr(f->name, ".gone") || rnd(seed) % 3 == 0)
            continue;
        for (unsigned i = 0; i < f->count; i++, p += size) {
            uint64_t val = (uint64_t)rnd(seed) << 24 | rnd(seed);

            if (f->kind == F_BOOL)
                val &= 1;
            else if (f->max)
                val = rnd(seed) % 4 ? val % (f->max + 1) % 70 : val % (f->max + 1);
            if (f->bits)
                val &= f->bits;
            memcpy(p, &val, size);
        }
    }
}

static int by_size(const void *a, const void *b)
{
    return *(const uint32_t *)a < *(const uint32_t *)b ? -1 : 1;
}

/* What ide_check() wants most: pos, end and len in order; transfers that fit their direction. */
static void straighten(struct device *dev)
{
    struct ide *ide = container_of(dev, struct ide, host.pci.dev);

    for (int i = 0; i < 2; i++) {
        struct ide_chan_state *s = &ide->s.ch[i];
        uint32_t at[3] = { s->pos, s->end, s->len };

        qsort(at, 3, sizeof(at[0]), by_size);
        s->pos = at[0];
        s->end = at[1];
        s->len = s->phase == PH_PACKET ? IDE_PACKET : at[2];
        s->held &= s->phase >= PH_READ && s->phase <= PH_FLUSH;
        s->verify = false;
        s->out = s->phase == PH_OUT || s->phase == PH_WRITE || (s->out && s->phase == PH_DMA);
    }
}

TEST(random_states)
{
    struct rig r = rig_all();
    struct qt *t = r.t;
    uint64_t seed = 7;
    struct buf good = { 0 };
    unsigned lived = 0;

    qt_no_reload(t, "states are made up, not reached");
    state_save(t->dev, &good);
    for (int i = 0; i < 3000; i++) {
        struct err err;

        scramble(t->dev, &seed);
        straighten(t->dev);
        if (state_valid(t->dev)) {
            lived++;
            t->dev->type->sync(t->dev);
            for (int k = 0; k < 30; k++)
                one_access(t, &seed);
            CHECK_EQ(ide_drain(t->dev), 0);
        }
        good.pos = 0;
        CHECK_EQ(state_load(t->dev, &good, &err), 0);
    }
    buf_free(&good);
    CHECK(lived > 300);
    rig_end(&r);
}

TEST(states_no_guest_can_bring_about)
{
    struct rig r = rig_all();
    struct ide *ide = container_of(r.t->dev, struct ide, host.pci.dev);
    struct ide_chan_state *s = &ide->s.ch[0], good = *s;

    qt_no_reload(r.t, "states are made up, not reached");
    CHECK(state_valid(r.t->dev));
    s->pos = 2;
    CHECK(!state_valid(r.t->dev)); /* beyond end */
    s->end = 4;
    CHECK(!state_valid(r.t->dev)); /* beyond len */
    s->len = 4;
    CHECK(state_valid(r.t->dev));
    *s = good;
    s->per_drq = 1;
    s->phase = PH_READ;
    CHECK(!state_valid(r.t->dev)); /* of nothing */
    s->left = 1;
    CHECK(state_valid(r.t->dev));
    s->raw = true;
    CHECK(!state_valid(r.t->dev)); /* of a disk */
    s->active = 1;
    CHECK(!state_valid(r.t->dev)); /* of no size */
    s->fields = 0xf8;
    s->sector = 2352;
    CHECK(state_valid(r.t->dev));
    s->out = true;
    CHECK(!state_valid(r.t->dev));
    *s = good;
    rig_end(&r);
}

TEST(saved_states_with_flipped_bytes)
{
    struct rig r = rig_all();
    struct qt *t = r.t;
    uint64_t seed = 3;
    struct buf good = { 0 };

    qt_no_reload(t, "states are loaded by the test");
    command(t, PRI, 0xe0, 3, 8, 0x20);
    state_save(t->dev, &good);
    for (int i = 0; i < 1500; i++) {
        size_t at = rnd(&seed) % good.len;
        uint8_t old = good.data[at];
        struct err err;

        good.data[at] ^= 1u << rnd(&seed) % 8;
        good.pos = 0;
        good.bad = false;
        if (!state_load(t->dev, &good, &err)) {
            for (int k = 0; k < 5; k++)
                one_access(t, &seed);
            CHECK_EQ(ide_drain(t->dev), 0);
        }
        good.data[at] = old;
    }
    buf_free(&good);
    rig_end(&r);
}
