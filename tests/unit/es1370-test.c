/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The AudioPCI, driven as Linux's snd_ens1370 drives it. */
#include "hw/devices.h"
#include "tests/unit/sound-util.h"

#define DEVFN  0x20
#define IO     0xc000
#define CTL    (IO + 0x00)
#define STATUS (IO + 0x04)
#define UART   (IO + 0x08)
#define PAGE   (IO + 0x0c)
#define CODEC  (IO + 0x10)
#define SERIAL (IO + 0x20)
#define COUNT1 (IO + 0x24)
#define COUNT2 (IO + 0x28)
#define COUNTR (IO + 0x2c)
#define FRAME1 (IO + 0x30)
#define SIZE1  (IO + 0x34)
#define FRAME2 (IO + 0x38)
#define SIZE2  (IO + 0x3c)

#define DATA     0x20000
#define RATE     44100
#define DIV_44K  (30u << 16) /* 1411200 / (30 + 2) */
#define DAC1_44K 0x3000
#define DAC1     0x40
#define DAC2     0x20
#define ADC      0x10

static struct record rec;

static struct qt *start(void)
{
    struct qt *t = qt_new();

    record_start(&rec, "44100");
    qt_config_obj(t, "sound", rec.sound);
    qt_add(t, &es1370_type.dev, DEVFN);
    cfg_write(t, DEVFN, PCI_BAR0, IO, 4);
    cfg_write(t, DEVFN, PCI_COMMAND, 5, 2);
    return t;
}

static void end(struct qt *t)
{
    record_end(t, &rec);
}

static void codec(struct qt *t, unsigned reg, uint8_t val)
{
    outw(t, CODEC, (uint16_t)(reg << 8 | val));
}

/* Master, Voice and FM at 0 dB, and both on their way out. */
static void open_mixer(struct qt *t)
{
    codec(t, 0x16, 3);
    for (unsigned reg = 0; reg < 6; reg++)
        codec(t, reg, reg < 2 ? 0 : 6);
    codec(t, 0x10, 0x60);
    codec(t, 0x11, 0x0c);
}

/* A buffer of `frames` stereo frames for DAC 2 with an interrupt every `period`. */
static void prepare(struct qt *t, unsigned frames, unsigned period)
{
    outl(t, CTL, DIV_44K);
    outl(t, PAGE, 0x0c);
    outl(t, FRAME2, DATA);
    outl(t, SIZE2, frames - 1);
    outl(t, SERIAL, 0x20c);
    outl(t, COUNT2, period - 1);
}

static int64_t ns(unsigned frames)
{
    return (int64_t)frames * NS_PER_S / RATE + 1;
}

TEST(what_linux_finds)
{
    struct qt *t = start();

    CHECK_EQ(cfg_read(t, DEVFN, 0, 4), 0x50001274);
    CHECK_EQ(cfg_read(t, DEVFN, 6, 2), 0x0400);
    CHECK_EQ(cfg_read(t, DEVFN, 8, 4), 0x04010000);
    CHECK_EQ(cfg_read(t, DEVFN, 0x2c, 4), 0x4c4c4942);
    CHECK_EQ(cfg_read(t, DEVFN, 0x3c, 4) >> 16, 0x800c);
    CHECK_EQ(inl(t, CTL), 1);
    CHECK_EQ(inl(t, STATUS), 0x60); /* no interrupt, and the codec is never busy */
    CHECK_EQ(inl(t, SERIAL), 0);
    outl(t, CTL, 0xffffff8e); /* all but the channels */
    CHECK_EQ(inl(t, CTL), 0xffffff8e);
    outb(t, CTL + 1, 0x12);
    CHECK_EQ(inl(t, CTL), 0xffff128e);
    outl(t, SERIAL, 0xffffffff);
    CHECK_EQ(inl(t, SERIAL), 0x007fffff);
    outl(t, PAGE, 0xfd);
    CHECK_EQ(inl(t, PAGE), 0x0d);
    outl(t, FRAME1, 0x12345678);
    outl(t, FRAME2, 0x9abcdef0); /* the phantom's */
    outl(t, SIZE2, 0x00010002);
    CHECK_EQ(inl(t, FRAME1), 0x12345678);
    CHECK_EQ(inl(t, FRAME2), 0x9abcdef0);
    CHECK_EQ(inl(t, SIZE2), 0x00010002);
    outb(t, PAGE, 0x0c);
    CHECK_EQ(inl(t, FRAME1), 0);
    outl(t, SIZE1, 0x00030100);
    CHECK_EQ(inw(t, SIZE1), 0x100);
    CHECK_EQ(inw(t, SIZE1 + 2), 3);
    outb(t, PAGE, 0x0e); /* the UART's FIFO: nothing valid is in it */
    CHECK_EQ(inl(t, FRAME1), 0);
    CHECK_EQ(inl(t, CODEC), 0); /* written only */
    CHECK_EQ(guest_errors(t), 0);
    end(t);
    record_free(&rec);
}

TEST(a_tone_goes_round_in_its_buffer)
{
    struct qt *t = start();

    open_mixer(t);
    put_tone(t, DATA, 0, 1000);
    prepare(t, 1000, 500);
    CHECK_EQ(inl(t, COUNT2), 499 << 16 | 499);
    outl(t, CTL, DIV_44K | DAC2);
    clock_step(t, ns(499));
    CHECK(!intx(t, 4, 0));
    CHECK_EQ(inl(t, COUNT2), 499);
    CHECK_EQ(inl(t, SIZE2), 499 << 16 | 999); /* the place: read when no deadline is near, too */
    clock_step(t, ns(1));
    CHECK(intx(t, 4, 0));
    CHECK_EQ(inl(t, STATUS), 0x80000062);
    CHECK_EQ(inl(t, COUNT2), 499 << 16 | 499);
    CHECK_EQ(inl(t, SIZE2), 500 << 16 | 999);
    clock_step(t, ns(10));
    CHECK(intx(t, 4, 0)); /* until its enable goes off and on */
    outl(t, SERIAL, 0x00c);
    CHECK(!intx(t, 4, 0));
    outl(t, SERIAL, 0x20c);
    CHECK_EQ(inl(t, STATUS), 0x60);
    clock_step(t, ns(490));
    CHECK(intx(t, 4, 0));
    CHECK_EQ(inl(t, SIZE2) >> 16, 0);
    put_tone(t, DATA, 1000, 500);
    clock_step(t, ns(500));
    outl(t, CTL, DIV_44K);
    CHECK_EQ(inl(t, SIZE2) >> 16, 500); /* switched off, it stays where it was */
    clock_step(t, ns(500));
    CHECK_EQ(inl(t, SIZE2) >> 16, 500);
    CHECK_EQ(inl(t, COUNT2), 499 << 16 | 499);
    end(t);
    CHECK_EQ(record_frames(&rec), 1500);
    CHECK(record_is_tone(&rec, 0, 1500));
    record_free(&rec);
}

TEST(the_clock_divider)
{
    struct qt *t = start();

    prepare(t, 65536, 65536);
    outl(t, CTL, 127u << 16 | DAC2); /* 1411200 / 129 = 10939 */
    clock_step(t, NS_PER_S);
    CHECK_EQ(inl(t, SIZE2) >> 16, 10939);
    outl(t, CTL, 62u << 16 | DAC2); /* while it plays: 22050 */
    clock_step(t, NS_PER_S);
    CHECK_EQ(inl(t, SIZE2) >> 16, 10939 + 22050);
    end(t);
    record_free(&rec);
}

TEST(dac_1_has_four_rates_of_its_own)
{
    static const unsigned rate[] = { 5512, 11025, 22050, 44100 };
    struct qt *t = start();

    outl(t, PAGE, 0x0c);
    outl(t, SERIAL, 0x03);
    outl(t, COUNT1, 65535);
    for (unsigned i = 0; i < 4; i++) {
        outl(t, SIZE1, 65535);
        outl(t, CTL, i << 12 | DAC1);
        clock_step(t, NS_PER_S);
        CHECK_EQ(inl(t, SIZE1) >> 16, rate[i]);
        outl(t, CTL, 0);
    }
    end(t);
    record_free(&rec);
}

/* Its way out is the codec's FM. */
TEST(dac_1_beside_dac_2)
{
    struct qt *t = start();

    qt_no_reload(t, "what of two voices meets is the mixer's, which no guest can see");
    open_mixer(t);
    for (unsigned i = 0; i < 200; i++) {
        put32(t, DATA + 4 * i, 0x10000800);
        put32(t, DATA + 0x1000 + 4 * i, 0x01000080);
    }
    prepare(t, 200, 200);
    outl(t, FRAME1, DATA + 0x1000);
    outl(t, SIZE1, 199);
    outl(t, SERIAL, 0x30f);
    outl(t, COUNT1, 99);
    outl(t, CTL, DIV_44K | DAC1_44K | DAC1 | DAC2);
    clock_step(t, ns(100));
    CHECK_EQ(inl(t, STATUS), 0x80000064);
    outl(t, SERIAL, 0x20f);
    CHECK_EQ(inl(t, STATUS), 0x60);
    clock_step(t, ns(100));
    CHECK_EQ(inl(t, STATUS), 0x80000062);
    outl(t, CTL, DIV_44K);
    codec(t, 0x10, 0x20);
    outl(t, CTL, DIV_44K | DAC1_44K | DAC1);
    clock_step(t, ns(100));
    outl(t, CTL, 0);
    end(t);
    CHECK_EQ(record_sample(&rec, 50, 0), 0x880);
    CHECK_EQ(record_sample(&rec, 50, 1), 0x1100);
    CHECK_EQ(record_sample(&rec, 180, 1), 0x1100);
    CHECK_EQ(record_sample(&rec, 250, 0), 0); /* only the right one's switch */
    CHECK_EQ(record_sample(&rec, 250, 1), 0x100);
    record_free(&rec);
}

TEST(formats)
{
    struct qt *t = start();

    open_mixer(t);
    for (unsigned i = 0; i < 16; i++)
        put32(t, DATA + 4 * i, 0xa0609040); /* bytes 40 90 60 a0 */
    prepare(t, 16, 65536);
    outl(t, SERIAL, 0x00); /* mono, bytes */
    outl(t, CTL, DIV_44K | DAC2);
    clock_step(t, ns(5));
    CHECK_EQ(inl(t, SIZE2) >> 16, 1); /* one dword and a byte of the next */
    clock_step(t, ns(3));
    CHECK_EQ(inl(t, SIZE2) >> 16, 2);
    outl(t, SERIAL, 0x04); /* stereo, bytes */
    clock_step(t, ns(4));
    CHECK_EQ(inl(t, SIZE2) >> 16, 4);
    outl(t, SERIAL, 0x08); /* mono, words */
    clock_step(t, ns(4));
    CHECK_EQ(inl(t, SIZE2) >> 16, 6);
    outl(t, SERIAL, 0x00);
    clock_step(t, ns(1));
    outl(t, SIZE2, 15); /* a new place: the rest of the torn dword is not played */
    clock_step(t, ns(2));
    outl(t, CTL, DIV_44K);
    end(t);
    CHECK_EQ(record_sample(&rec, 16, 0), -0x4000);
    CHECK_EQ(record_sample(&rec, 17, 0), -0x4000);
    CHECK_EQ(record_sample(&rec, 18, 0), 0x1000);
    CHECK_EQ(record_sample(&rec, 0, 0), -0x4000);
    CHECK_EQ(record_sample(&rec, 0, 1), -0x4000);
    CHECK_EQ(record_sample(&rec, 3, 0), 0x2000);
    CHECK_EQ(record_sample(&rec, 8, 0), -0x4000);
    CHECK_EQ(record_sample(&rec, 8, 1), 0x1000);
    CHECK_EQ(record_sample(&rec, 12, 0), (int16_t)0x9040);
    CHECK_EQ(record_sample(&rec, 13, 1), (int16_t)0xa060);
    record_free(&rec);
}

TEST(pause_keeps_the_place_and_stop_mode_ends)
{
    struct qt *t = start();

    open_mixer(t);
    put_tone(t, DATA, 0, 1000);
    prepare(t, 1000, 800);
    outl(t, SERIAL, 0x420c & ~0x400u);
    outl(t, CTL, DIV_44K | DAC2);
    clock_step(t, ns(300));
    outl(t, SERIAL, 0x520c); /* paused */
    CHECK_EQ(inl(t, SIZE2) >> 16, 300);
    clock_step(t, ns(300));
    CHECK_EQ(inl(t, COUNT2) >> 16, 499);
    outl(t, SERIAL, 0x420c);
    clock_step(t, ns(600)); /* 500 are left, and it does not go round */
    CHECK(intx(t, 4, 0));
    CHECK_EQ(inl(t, SIZE2) >> 16, 800);
    outl(t, SERIAL, 0x400c);
    clock_step(t, ns(2000));
    CHECK(!intx(t, 4, 0));
    CHECK_EQ(inl(t, SIZE2) >> 16, 800);
    outl(t, CTL, DIV_44K); /* off and on again: it goes on */
    outl(t, CTL, DIV_44K | DAC2);
    clock_step(t, ns(200));
    CHECK_EQ(inl(t, SIZE2) >> 16, 0);
    outl(t, CTL, DIV_44K);
    end(t);
    CHECK_EQ(record_frames(&rec), 1000);
    CHECK(record_is_tone(&rec, 0, 1000));
    record_free(&rec);
}

TEST(sample_counts)
{
    struct qt *t = start();

    prepare(t, 1000, 1000);
    outl(t, SERIAL, 0x30f);
    outl(t, COUNT1, 499);
    outl(t, CTL, DIV_44K | DAC1_44K | DAC1 | DAC2);
    clock_step(t, ns(100));
    CHECK_EQ(inl(t, COUNT2), 899u << 16 | 999);
    outl(t, COUNT2, 949); /* from the next period on */
    CHECK_EQ(inl(t, COUNT2), 899u << 16 | 949);
    outl(t, COUNT2, 199); /* less than what is left: now */
    CHECK_EQ(inl(t, COUNT2), 199 << 16 | 199);
    CHECK_EQ(inl(t, COUNT1), 399 << 16 | 499);
    outl(t, SERIAL, 0x38f); /* DAC 1's is loaded by hand */
    CHECK_EQ(inl(t, COUNT1), 499 << 16 | 499);
    end(t);
    record_free(&rec);
}

TEST(volumes)
{
    static const struct {
        uint8_t reg, val;
    } set[] = { { 0x00, 0x03 }, { 0x03, 0x09 }, { 0x02, 0x83 }, { 0x11, 0x04 }, { 0x16, 0x01 } };
    struct qt *t = start();

    open_mixer(t);
    for (unsigned i = 0; i < 16; i++)
        put32(t, DATA + 4 * i, 0x20004000);
    prepare(t, 16, 65536);
    outl(t, CTL, DIV_44K | DAC2);
    clock_step(t, ns(10));
    for (unsigned i = 0; i < 5; i++) {
        codec(t, set[i].reg, set[i].val);
        clock_step(t, ns(10));
    }
    codec(t, 0x16, 0x02); /* a reset: muted, and the switches are open */
    codec(t, 0x16, 0x03);
    clock_step(t, ns(10));
    codec(t, 0x0f, 7); /* no more than a register */
    codec(t, 0x1b, 7); /* no registers at all */
    codec(t, 0x40, 7);
    end(t);
    CHECK_EQ(record_sample(&rec, 5, 0), 0x4000);
    CHECK_EQ(record_sample(&rec, 5, 1), 0x2000);
    CHECK_EQ(record_sample(&rec, 15, 0), 8211); /* -6 dB of 16384 */
    CHECK_EQ(record_sample(&rec, 15, 1), 0x2000);
    CHECK_EQ(record_sample(&rec, 25, 1), 4105); /* -6 dB of 8192 */
    CHECK_EQ(record_sample(&rec, 35, 0), 0);
    CHECK_EQ(record_sample(&rec, 35, 1), 4105);
    CHECK_EQ(record_sample(&rec, 45, 1), 4105); /* only the right one's switch */
    CHECK_EQ(record_sample(&rec, 55, 1), 0);    /* no power */
    CHECK_EQ(record_sample(&rec, 65, 1), 0);
    record_free(&rec);
}

TEST(recording_is_silence_at_the_right_pace)
{
    struct qt *t = start();

    for (unsigned i = 0; i < 1000; i++)
        put32(t, DATA + 4 * i, 0xffffffff);
    outl(t, CTL, DIV_44K);
    outl(t, PAGE, 0x0d);
    outl(t, FRAME1, DATA);
    outl(t, SIZE1, 499);
    outl(t, SERIAL, 0x430);
    outl(t, COUNTR, 249);
    outl(t, CTL, DIV_44K | ADC);
    clock_step(t, ns(250));
    CHECK_EQ(inl(t, STATUS), 0x80000061);
    CHECK_EQ(inl(t, SIZE1), 250u << 16 | 499);
    CHECK(ram32(t, DATA) == 0 && ram32(t, DATA + 996) == 0 && ram32(t, DATA + 1000) == ~0u);
    outl(t, CTL, DIV_44K);
    outl(t, SIZE1, 499);
    outl(t, SERIAL, 0x400); /* bytes: the middle of their range */
    outl(t, CTL, DIV_44K | ADC);
    clock_step(t, ns(4));
    CHECK_EQ(inl(t, SIZE1) >> 16, 1); /* looked at, it is up to date */
    CHECK_EQ(ram32(t, DATA), 0x80808080);
    put32(t, DATA + 4, 0x12345678);
    outl(t, CTL, DIV_44K | ADC | 0x80000000); /* the transfer is stopped */
    clock_step(t, ns(100));
    CHECK_EQ(ram32(t, DATA + 4), 0x12345678);
    end(t);
    record_free(&rec);
}

/* The transmitter takes what it gets, and says so as often as it is asked to. */
TEST(the_uart)
{
    struct qt *t = start();

    CHECK_EQ(inb(t, UART + 1), 0);
    outb(t, UART + 1, 0x20);
    CHECK(!intx(t, 4, 0));
    outl(t, CTL, 0x08);
    CHECK(intx(t, 4, 0));
    CHECK_EQ(inl(t, STATUS), 0x80000068);
    CHECK_EQ(inb(t, UART + 1), 0x06);
    outb(t, UART, 0x90);
    CHECK_EQ(inb(t, UART + 1), 0x06);
    outb(t, UART + 1, 0x00);
    CHECK(!intx(t, 4, 0));
    CHECK_EQ(inb(t, UART + 1), 0x02);
    CHECK_EQ(inb(t, UART), 0);
    outb(t, UART + 2, 1);
    CHECK_EQ(inl(t, UART), 0x00010200);
    end(t);
    record_free(&rec);
}

TEST(no_memory_behind_the_buffer)
{
    struct qt *t = start();

    open_mixer(t);
    prepare(t, 1000, 500);
    outl(t, FRAME2, 0xf0000000);
    outl(t, CTL, DIV_44K | DAC2);
    clock_step(t, ns(500));
    CHECK(intx(t, 4, 0));
    CHECK_EQ(inl(t, SIZE2) >> 16, 500);
    CHECK(guest_errors(t) > 0);
    end(t);
    CHECK_EQ(record_frames(&rec), 500);
    CHECK_EQ(record_sample(&rec, 100, 0), 0);
    record_free(&rec);
}

/* A place behind the buffer's end, a buffer of one dword and a period of one sample. */
TEST(small_buffers)
{
    struct qt *t = start();

    open_mixer(t);
    put32(t, DATA, 0x00100020);
    prepare(t, 1, 1);
    outl(t, SIZE2, 0x1234 << 16);
    outl(t, CTL, DIV_44K | DAC2);
    clock_step(t, NS_PER_S / 10);
    CHECK(intx(t, 4, 0));
    CHECK_EQ(inl(t, COUNT2), 0);
    CHECK_EQ(inl(t, SIZE2), 0);
    outl(t, CTL, DIV_44K);
    outl(t, COUNT2, 9); /* periods of ten: several are over between two deadlines */
    outl(t, CTL, DIV_44K | DAC2);
    clock_step(t, ns(37));
    CHECK_EQ(inl(t, COUNT2), 2 << 16 | 9);
    clock_step(t, ns(441));
    CHECK_EQ(inl(t, COUNT2), 1 << 16 | 9);
    end(t);
    CHECK_EQ(record_frames(&rec), 4410 + 37 + 441);
    CHECK_EQ(record_sample(&rec, 4000, 0), 0x20);
    record_free(&rec);
}

TEST(a_saved_state_must_make_sense)
{
    static const struct {
        const char *field;
        unsigned at;
        uint8_t val;
    } bad[] = { { "left", 3, 0x10 },  /* more than the period */
                { "pending", 0, 1 },  /* of a stream that may not */
                { "stopped", 0, 1 },  /* … that is not on */
                { "codec", 0x1a, 1 }, /* no register */
                { "tick", 24 + 7, 0x7f } };
    struct qt *t = start();

    prepare(t, 1000, 500);
    outl(t, CTL, DIV_44K | DAC2);
    for (unsigned i = 0; i < 5; i++) {
        const struct field *f = t->dev->type->state;
        uint8_t *p, keep;

        while (f->name && strcmp(f->name, bad[i].field))
            f++;
        p = (uint8_t *)t->dev + f->off + bad[i].at;
        keep = *p;
        *p = bad[i].val;
        CHECK(!state_valid(t->dev));
        *p = keep;
    }
    CHECK(state_valid(t->dev));
    end(t);
    record_free(&rec);
}
