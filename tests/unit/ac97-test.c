/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ICH's AC '97 audio, driven as Linux's snd_intel8x0 drives it. */
#include "hw/devices.h"
#include "tests/unit/sound-util.h"

#define DEVFN 0x20
#define NAM   0xc000
#define NABM  0xc400
#define PI    (NABM + 0x00)
#define PO    (NABM + 0x10)
#define MC    (NABM + 0x20)
#define CIV   0x4
#define LVI   0x5
#define SR    0x6
#define PICB  0x8
#define PIV   0xa
#define CR    0xb
#define CNT   (NABM + 0x2c)
#define STA   (NABM + 0x30)
#define CAS   (NABM + 0x34)

#define LIST 0x10000 /* descriptors, and the buffers behind them */
#define DATA 0x20000
#define IOC  0x80000000u

static struct record rec;

static struct qt *start(void)
{
    struct qt *t = qt_new();

    record_start(&rec, "48000");
    qt_config_obj(t, "sound", rec.sound);
    qt_add(t, &ac97_type.dev, DEVFN);
    cfg_write(t, DEVFN, PCI_BAR0, NAM, 4);
    cfg_write(t, DEVFN, PCI_BAR0 + 4, NABM, 4);
    cfg_write(t, DEVFN, PCI_COMMAND, 5, 2);
    return t;
}

static void end(struct qt *t)
{
    record_end(t, &rec);
}

/* Volumes at 0 dB. */
static void open_mixer(struct qt *t)
{
    outl(t, CNT, 2);
    outw(t, NAM + 0x02, 0x0000);
    outw(t, NAM + 0x18, 0x0808);
}

static void descriptor(struct qt *t, unsigned i, uint32_t addr, uint32_t ctl)
{
    put32(t, LIST + 8 * i, addr);
    put32(t, LIST + 8 * i + 4, ctl);
}

/* n buffers of `frames` frames with the tone, an interrupt behind each. */
static void tone_list(struct qt *t, unsigned n, unsigned frames)
{
    for (unsigned i = 0; i < n; i++) {
        uint32_t at = DATA + i * frames * 4;

        put_tone(t, at, (size_t)i * frames, frames);
        descriptor(t, i, at, IOC | 2 * frames);
    }
    outl(t, PO, LIST);
    outb(t, PO + LVI, n - 1);
}

static int64_t ns(unsigned frames)
{
    return (int64_t)frames * NS_PER_S / 48000 + 1;
}

TEST(what_linux_finds)
{
    struct qt *t = start();

    CHECK_EQ(cfg_read(t, DEVFN, 0, 4), 0x24158086);
    CHECK_EQ(cfg_read(t, DEVFN, 6, 2), 0x0280);
    CHECK_EQ(cfg_read(t, DEVFN, 8, 4), 0x04010001);
    CHECK_EQ(cfg_read(t, DEVFN, 0x2c, 4), 0x11001af4);
    outl(t, CNT, 0x02);
    CHECK_EQ(inl(t, CNT), 0x02);
    CHECK_EQ(inl(t, STA), 0x100); /* the codec is ready */
    outl(t, CNT, 0x06);           /* a warm reset is over at once */
    CHECK_EQ(inl(t, CNT), 0x02);
    CHECK_EQ(inw(t, NAM + 0x7c), 0x8384);
    CHECK_EQ(inw(t, NAM + 0x7e), 0x7600);
    CHECK_EQ(inw(t, NAM + 0x28), 0x0809);
    CHECK_EQ(inl(t, PO), 0);
    CHECK_EQ(inl(t, PO + CIV), 0x00010000); /* halted */
    CHECK_EQ(inl(t, PO + PICB), 0);
    CHECK_EQ(inl(t, NAM + 0x00), 0x80000000);
    CHECK_EQ(guest_errors(t), 0);
    end(t);
    record_free(&rec);
}

TEST(a_tone_arrives_sample_by_sample)
{
    struct qt *t = start();

    open_mixer(t);
    tone_list(t, 4, 1000);
    outb(t, PO + CR, 0x1d);
    CHECK_EQ(inb(t, PO + CIV), 0);
    CHECK_EQ(inb(t, PO + PIV), 1);
    CHECK_EQ(inw(t, PO + SR), 0);
    CHECK_EQ(inw(t, PO + PICB), 2000);
    clock_step(t, ns(999));
    CHECK(!intx(t, 4, 0));
    CHECK_EQ(inw(t, PO + PICB), 2); /* read when no deadline is near, too */
    clock_step(t, ns(1));
    CHECK(intx(t, 4, 0));
    CHECK_EQ(inl(t, STA), 0x140);
    CHECK_EQ(inl(t, PO + CIV), 0x00080301); /* CIV 1, LVI 3, BCIS */
    outw(t, PO + SR, 0x1c);
    CHECK(!intx(t, 4, 0));
    CHECK_EQ(inl(t, STA), 0x100);
    clock_step(t, ns(3000));
    CHECK(intx(t, 4, 0));
    CHECK_EQ(inl(t, PO + CIV), 0x000f0303); /* the end: DCH, CELV, LVBCI, BCIS */
    outw(t, PO + SR, 0x1c);
    CHECK_EQ(inw(t, PO + SR), 3);
    clock_step(t, ns(5000));
    CHECK(!intx(t, 4, 0));
    end(t);
    CHECK_EQ(record_frames(&rec), 4000);
    CHECK(record_is_tone(&rec, 0, 4000));
    record_free(&rec);
}

/* The driver keeps moving LVI: 32 descriptors of two buffers go round and round. */
TEST(a_ring)
{
    struct qt *t = start();
    unsigned irqs = 0;

    open_mixer(t);
    for (unsigned i = 0; i < 32; i++)
        descriptor(t, i, DATA, IOC | 2 * 480);
    put_tone(t, DATA, 0, 480);
    outl(t, PO, LIST);
    outb(t, PO + LVI, 31);
    outb(t, PO + CR, 0x11);
    for (unsigned i = 0; i < 100; i++) {
        clock_step(t, ns(480));
        irqs += intx(t, 4, 0);
        outb(t, PO + LVI, (inb(t, PO + CIV) + 31) % 32);
        outb(t, PO + SR, 0x08);
    }
    CHECK(irqs >= 99);
    CHECK_EQ(inb(t, PO + CIV), 100 % 32);
    end(t);
    CHECK(record_frames(&rec) >= 48000 && record_frames(&rec) <= 48010);
    CHECK(record_is_tone(&rec, 480 * 99, 480) && record_is_tone(&rec, 480 * 50, 480));
    record_free(&rec);
}

TEST(a_list_that_ended_goes_on_with_lvi)
{
    struct qt *t = start();

    open_mixer(t);
    tone_list(t, 6, 100);
    outb(t, PO + LVI, 1);
    outb(t, PO + CR, 0x15);
    clock_step(t, ns(1000));
    CHECK_EQ(inl(t, PO + CIV), 0x000f0101);
    CHECK_EQ(inb(t, PO + PIV), 2);
    outw(t, PO + SR, 0x1c);
    outb(t, PO + LVI, 3);
    CHECK_EQ(inl(t, PO + CIV), 0x00000302);
    clock_step(t, ns(1000));
    CHECK_EQ(inl(t, PO + CIV), 0x000f0303);
    outb(t, PO + CR, 0); /* now while it is stopped: it waits for the run bit */
    outb(t, PO + LVI, 5);
    CHECK_EQ(inb(t, PO + SR), 0x0d);
    clock_step(t, ns(1000));
    CHECK_EQ(inb(t, PO + CIV), 4);
    outb(t, PO + CR, 0x15);
    clock_step(t, ns(1000));
    CHECK_EQ(inl(t, PO + CIV), 0x000f0505);
    end(t);
    CHECK_EQ(record_frames(&rec), 600);
    CHECK(record_is_tone(&rec, 0, 600));
    record_free(&rec);
}

TEST(pause_keeps_the_place_and_reset_does_not)
{
    struct qt *t = start();

    open_mixer(t);
    tone_list(t, 2, 1000);
    outb(t, PO + CR, 0x1d);
    clock_step(t, ns(600));
    outb(t, PO + CR, 0x1c);
    CHECK_EQ(inw(t, PO + PICB), 800);
    CHECK_EQ(inw(t, PO + SR), 1);
    clock_step(t, ns(600));
    CHECK_EQ(inw(t, PO + PICB), 800);
    outb(t, PO + CR, 0x1d);
    clock_step(t, ns(1400));
    CHECK_EQ(inw(t, PO + SR), 0x0f);
    outb(t, PO + CR, 0x1e);
    CHECK_EQ(inb(t, PO + CR), 0x1c); /* the enables stay */
    CHECK_EQ(inl(t, PO + CIV), 0x00010000);
    CHECK_EQ(inl(t, PO), 0);
    CHECK(!intx(t, 4, 0));
    end(t);
    CHECK_EQ(record_frames(&rec), 2000);
    CHECK(record_is_tone(&rec, 0, 2000));
    record_free(&rec);
}

TEST(odd_buffers_tear_frames_and_empty_ones_are_passed)
{
    struct qt *t = start();

    open_mixer(t);
    put_tone(t, DATA, 0, 100);
    descriptor(t, 0, DATA, 3);
    descriptor(t, 1, DATA + 6, 0);
    descriptor(t, 2, DATA + 6, IOC);
    descriptor(t, 3, DATA + 6, 197);
    outl(t, PO, LIST);
    outb(t, PO + LVI, 3);
    outb(t, PO + CR, 0x11);
    clock_step(t, ns(2));
    CHECK_EQ(inb(t, PO + CIV), 3);
    CHECK(intx(t, 4, 0)); /* the empty one's, too */
    clock_step(t, ns(200));
    CHECK_EQ(inl(t, PO + CIV), 0x000f0303);
    end(t);
    CHECK_EQ(record_frames(&rec), 100);
    CHECK(record_is_tone(&rec, 0, 100));
    record_free(&rec);
}

/* 32 empty descriptors and a driver that never lets the list end: no access runs long. */
TEST(an_endless_ring_of_nothing)
{
    struct qt *t = start();

    open_mixer(t);
    for (unsigned i = 0; i < 32; i++)
        descriptor(t, i, DATA, IOC);
    outl(t, PO, LIST);
    outb(t, PO + LVI, 31);
    outb(t, PO + CR, 0x11);
    for (unsigned i = 0; i < 50; i++) {
        clock_step(t, NS_PER_MS);
        outb(t, PO + LVI, (inb(t, PO + CIV) + 31) % 32);
        outb(t, PO + SR, 0x1c);
    }
    end(t);
    CHECK_EQ(record_frames(&rec), 0);
    record_free(&rec);
}

TEST(no_memory_behind_the_list_or_the_buffer)
{
    struct qt *t = start();

    open_mixer(t);
    outl(t, PO, 0xf0000000);
    outb(t, PO + CR, 0x09);
    CHECK_EQ(inw(t, PO + SR), 0x11); /* halted, FIFO error */
    CHECK(intx(t, 4, 0));
    outb(t, PO + CR, 0x02);
    outw(t, PO + SR, 0x1c);
    descriptor(t, 0, 0xf0000000, 960);
    outl(t, PO, LIST);
    outb(t, PO + CR, 0x01);
    clock_step(t, ns(1000));
    CHECK_EQ(inw(t, PO + SR), 0x17);
    end(t);
    CHECK_EQ(record_frames(&rec), 480); /* silence */
    CHECK_EQ(record_sample(&rec, 100, 0), 0);
    record_free(&rec);
}

TEST(variable_rate)
{
    struct qt *t = start();

    open_mixer(t);
    outw(t, NAM + 0x2c, 8000);
    CHECK_EQ(inw(t, NAM + 0x2c), 48000); /* VRA is off */
    outw(t, NAM + 0x2a, 1);
    outw(t, NAM + 0x2c, 60000);
    CHECK_EQ(inw(t, NAM + 0x2c), 48000);
    outw(t, NAM + 0x2c, 12000);
    CHECK_EQ(inw(t, NAM + 0x2c), 12000);
    descriptor(t, 0, DATA, IOC | 2 * 1200);
    outl(t, PO, LIST);
    outb(t, PO + CR, 0x1d);
    clock_step(t, 50 * NS_PER_MS);
    CHECK_EQ(inw(t, PO + PICB), 1200);
    outw(t, NAM + 0x2c, 24000); /* while it plays */
    clock_step(t, 25 * NS_PER_MS + 100000);
    CHECK_EQ(inw(t, PO + SR), 0x0f);
    outw(t, NAM + 0x2a, 0);
    CHECK_EQ(inw(t, NAM + 0x2c), 48000);
    end(t);
    CHECK(record_frames(&rec) >= 3595 && record_frames(&rec) <= 3600);
    record_free(&rec);
}

TEST(volume)
{
    struct qt *t = start();
    static const uint16_t master[] = { 0x0000, 0x8000, 0x0004, 0x0400 };

    outl(t, CNT, 2);
    for (unsigned i = 0; i < 40; i++)
        put32(t, DATA + 4 * i, 0x40002000);
    for (unsigned i = 0; i < 4; i++)
        descriptor(t, i, DATA, 20);
    outl(t, PO, LIST);
    outb(t, PO + LVI, 3);
    outw(t, NAM + 0x18, 0x0808);
    outb(t, PO + CR, 0x01);
    for (unsigned i = 0; i < 4; i++) {
        outw(t, NAM + 0x02, master[i]);
        while (inb(t, PO + CIV) == i && !(inb(t, PO + SR) & 1))
            clock_step(t, ns(1));
    }
    end(t);
    CHECK_EQ(record_sample(&rec, 3, 0), 0x2000);
    CHECK_EQ(record_sample(&rec, 3, 1), 0x4000);
    CHECK_EQ(record_sample(&rec, 13, 0), 0);
    CHECK_EQ(record_sample(&rec, 23, 0), 0x2000);
    CHECK_EQ(record_sample(&rec, 23, 1), 8211); /* -6 dB of 16384 */
    CHECK_EQ(record_sample(&rec, 33, 0), 4105);
    CHECK_EQ(record_sample(&rec, 33, 1), 0x4000);
    record_free(&rec);
}

TEST(mixer_registers)
{
    struct qt *t = start();

    CHECK_EQ(inw(t, NAM + 0x02), 0x8000);
    CHECK_EQ(inw(t, NAM + 0x10), 0x8808);
    outw(t, NAM + 0x02, 0x2005); /* a sixth bit is all five */
    CHECK_EQ(inw(t, NAM + 0x02), 0x1f05);
    outw(t, NAM + 0x04, 0x1234);
    CHECK_EQ(inw(t, NAM + 0x04), 0); /* no headphones */
    outw(t, NAM + 0x26, 0x0300);
    CHECK_EQ(inw(t, NAM + 0x26), 0x030c); /* the converters sleep */
    outw(t, NAM + 0x7c, 0);
    CHECK_EQ(inw(t, NAM + 0x7c), 0x8384);
    outw(t, NAM, 0);
    CHECK_EQ(inw(t, NAM + 0x02), 0x8000);
    CHECK_EQ(inw(t, NAM + 0x26), 0x000f);
    CHECK_EQ(inb(t, CAS), 0); /* the semaphore: read and taken, free by an access */
    CHECK_EQ(inb(t, CAS), 1);
    inw(t, NAM + 0x02);
    CHECK_EQ(inb(t, CAS), 0);
    CHECK_EQ(inw(t, NAM + 0x80), 0xffff); /* a second codec does not answer */
    CHECK_EQ(inl(t, STA), 0x8100);
    outl(t, STA, 0x38000);
    CHECK_EQ(inl(t, STA), 0x30100);
    outl(t, CNT, 0x0a); /* the link is off */
    CHECK_EQ(inl(t, STA), 0x30000);
    CHECK_EQ(inw(t, NAM + 0x02), 0xffff);
    outl(t, CNT, 2);
    outw(t, NAM + 0x02, 0x0101);
    outl(t, CNT, 0); /* a cold reset */
    outl(t, CNT, 2);
    CHECK_EQ(inw(t, NAM + 0x02), 0x8000);
    end(t);
    record_free(&rec);
}

TEST(recording_is_silence_at_the_right_pace)
{
    struct qt *t = start();

    for (unsigned i = 0; i < 1000; i++)
        put32(t, DATA + 4 * i, 0xffffffff);
    descriptor(t, 0, DATA, IOC | 960);
    descriptor(t, 1, DATA + 2000, IOC | 480);
    outl(t, PI, LIST);
    outb(t, PI + CR, 0x15);
    outl(t, MC, LIST + 8);
    outb(t, MC + CR, 0x10);
    outb(t, MC + CR, 0x11);
    clock_step(t, ns(240));
    CHECK_EQ(inw(t, PI + PICB), 480);
    CHECK_EQ(inw(t, MC + PICB), 240); /* one sample a frame */
    clock_step(t, ns(241));
    CHECK_EQ(inw(t, PI + SR), 0x0f);
    CHECK_EQ(inw(t, MC + SR), 0x0f);
    CHECK_EQ(inl(t, STA), 0x1a0);
    CHECK(ram32(t, DATA) == 0 && ram32(t, DATA + 1916) == 0 && ram32(t, DATA + 1920) == ~0u);
    CHECK(ram32(t, DATA + 2000) == 0 && ram32(t, DATA + 2956) == 0 && ram32(t, DATA + 2960) == ~0u);
    end(t);
    record_free(&rec);
}

/* A guest that was away for a second does not get all of it at once. */
TEST(lost_time_is_lost)
{
    struct qt *t = start();

    open_mixer(t);
    tone_list(t, 32, 480);
    outb(t, PO + CR, 0x11);
    t->now += NS_PER_S;
    timers_run(&t->plat, t->now);
    qt_touched(t);
    CHECK(inb(t, PO + CIV) <= 1);
    clock_step(t, 100 * NS_PER_MS);
    CHECK_EQ(inb(t, PO + CIV), 11);
    end(t);
    record_free(&rec);
}

TEST(a_saved_state_must_make_sense)
{
    static const struct {
        const char *field;
        unsigned at;
        uint8_t val;
    } bad[] = { { "sr", 1, 1 },           /* halted, and with a deadline */
                { "mixer", 5, 0x20 },     /* a sixth bit of Master */
                { "tick", 24 + 6, 0x3f }, /* in years */
                { "ahead", 4, 0 } };
    struct qt *t = start();

    open_mixer(t);
    tone_list(t, 2, 100);
    outb(t, PO + CR, 0x11);
    for (unsigned i = 0; i < 4; i++) {
        const struct field *f = t->dev->type->state;
        uint8_t *p, keep;

        while (f->name && strcmp(f->name, bad[i].field))
            f++;
        p = (uint8_t *)t->dev + f->off + bad[i].at;
        keep = *p;
        *p = bad[i].val;
        CHECK(state_valid(t->dev) == (i == 3)); /* none ahead: that can be */
        *p = keep;
    }
    CHECK(state_valid(t->dev));
    end(t);
    record_free(&rec);
}
