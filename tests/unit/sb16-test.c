/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Sound Blaster 16 behind the DMA controllers, driven as Linux's snd_sb16 and DOS games do. */
#include "hw/devices.h"
#include "tests/unit/sound-util.h"

#define INDEX  0x224
#define MIXER  0x225
#define RESET  0x226
#define READ   0x22a
#define WRITE  0x22c
#define STATUS 0x22e
#define ACK16  0x22f

#define DATA   0x20000
#define IRQ    5
#define READ1  0x08 /* DMA modes: from memory, to memory, again and again */
#define WRITE1 0x04
#define AGAIN  0x10

static struct record rec;

static struct qt *start(const char *rate)
{
    struct qt *t = qt_new();

    record_start(&rec, rate);
    qt_add(t, &dma8237_type, -1);
    qt_config_obj(t, "sound", rec.sound);
    qt_add(t, &sb16_type, -1);
    return t;
}

static void end(struct qt *t)
{
    record_end(t, &rec);
}

static int64_t ns(unsigned frames, unsigned rate)
{
    return (int64_t)frames * NS_PER_S / rate + 1;
}

static void dsp(struct qt *t, unsigned n, const uint8_t *bytes)
{
    for (unsigned i = 0; i < n; i++) {
        CHECK(!(inb(t, WRITE) & 0x80));
        outb(t, WRITE, bytes[i]);
    }
}
#define DSP(t, ...) dsp(t, sizeof((uint8_t[]){ __VA_ARGS__ }), (uint8_t[]){ __VA_ARGS__ })

static void reset(struct qt *t)
{
    outb(t, RESET, 1);
    outb(t, RESET, 0);
    CHECK_EQ(inb(t, STATUS), 0x80);
    CHECK_EQ(inb(t, READ), 0xaa);
    CHECK_EQ(inb(t, STATUS), 0);
}

static uint8_t mixer(struct qt *t, uint8_t reg)
{
    outb(t, INDEX, reg);
    return inb(t, MIXER);
}

static void set_mixer(struct qt *t, uint8_t reg, uint8_t val)
{
    outb(t, INDEX, reg);
    outb(t, MIXER, val);
}

/* Channel 1: `count` bytes. */
static void dma_bytes(struct qt *t, uint8_t mode, uint32_t addr, unsigned count)
{
    outb(t, 0x0a, 0x05);
    outb(t, 0x0c, 0);
    outb(t, 0x0b, 0x40 | mode | 1);
    outb(t, 0x02, (uint8_t)addr);
    outb(t, 0x02, (uint8_t)(addr >> 8));
    outb(t, 0x83, (uint8_t)(addr >> 16));
    outb(t, 0x03, (uint8_t)(count - 1));
    outb(t, 0x03, (uint8_t)((count - 1) >> 8));
    outb(t, 0x0a, 0x01);
}

/* Channel 5: `count` words. */
static void dma_words(struct qt *t, uint8_t mode, uint32_t addr, unsigned count)
{
    outb(t, 0xd4, 0x05);
    outb(t, 0xd8, 0);
    outb(t, 0xd6, 0x40 | mode | 1);
    outb(t, 0xc4, (uint8_t)(addr >> 1));
    outb(t, 0xc4, (uint8_t)(addr >> 9));
    outb(t, 0x8b, (uint8_t)(addr >> 16));
    outb(t, 0xc6, (uint8_t)(count - 1));
    outb(t, 0xc6, (uint8_t)((count - 1) >> 8));
    outb(t, 0xd4, 0x01);
}

static unsigned count_of(struct qt *t, bool words)
{
    uint16_t port = words ? 0xc6 : 0x03;
    unsigned low;

    outb(t, words ? 0xd8 : 0x0c, 0);
    low = inb(t, port);
    return low | inb(t, port) << 8;
}

static void put_bytes(uint8_t *ram, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        ram[DATA + i] = (uint8_t)(i * 7 + i / 256);
}

static bool bytes_heard(size_t at, unsigned from, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        int want = ((uint8_t)((from + i) * 7 + (from + i) / 256) - 0x80) * 256;

        if (record_sample(&rec, at + i, 0) != want || record_sample(&rec, at + i, 1) != want)
            return false;
    }
    return true;
}

TEST(what_a_driver_finds)
{
    static const char rights[] = "COPYRIGHT (C) CREATIVE TECHNOLOGY LTD, 1992.";
    struct qt *t = start("44100");

    CHECK_EQ(inb(t, STATUS), 0); /* nothing before it is asked */
    CHECK_EQ(inb(t, 0x220), 0xff);
    reset(t);
    outb(t, RESET, 0); /* not an edge */
    CHECK_EQ(inb(t, STATUS), 0);
    DSP(t, 0xe1);
    CHECK_EQ(inb(t, STATUS), 0x80);
    CHECK_EQ(inb(t, READ), 4);
    CHECK_EQ(inb(t, READ), 5);
    CHECK_EQ(inb(t, STATUS), 0);
    CHECK_EQ(inb(t, READ), 5); /* the last one stays */
    DSP(t, 0xe3);
    for (unsigned i = 0; i < sizeof(rights); i++)
        CHECK_EQ(inb(t, READ), (uint8_t)rights[i]);
    CHECK_EQ(inb(t, STATUS), 0);
    DSP(t, 0xe0, 0x35);
    CHECK_EQ(inb(t, READ), 0xca);
    DSP(t, 0xe4, 0x77, 0xe8);
    CHECK_EQ(inb(t, READ), 0x77);
    DSP(t, 0xd8, 0xd1, 0xd8, 0xd3, 0xd8);
    CHECK_EQ(inb(t, READ), 0);
    CHECK_EQ(inb(t, READ), 0xff);
    CHECK_EQ(inb(t, READ), 0);
    DSP(t, 0x0e, 0x83, 0x55, 0x0f, 0x83); /* is there an ASP? */
    CHECK_EQ(inb(t, READ), 0xff);
    DSP(t, 0x20);
    CHECK_EQ(inb(t, READ), 0x80);
    for (unsigned i = 0; i < 3; i++) /* nobody reads, and nothing overflows */
        DSP(t, 0xe3);
    reset(t);
    CHECK_EQ(guest_errors(t), 0);
    DSP(t, 0x41, 0xac); /* in the middle of a command */
    reset(t);
    DSP(t, 0xe8);
    CHECK_EQ(inb(t, READ), 0x77);
    CHECK_EQ(mixer(t, 0x80), 0x02);
    CHECK_EQ(mixer(t, 0x81), 0x22);
    CHECK_EQ(mixer(t, 0x82), 0);
    CHECK_EQ(mixer(t, 0x01), 0xff);
    end(t);
    record_free(&rec);
}

TEST(unknown_commands)
{
    struct qt *t = start("44100");

    DSP(t, 0x00, 0xff);
    CHECK_EQ(t->devs[1]->guest_errors, 2);
    DSP(t, 0xe1);
    CHECK_EQ(inb(t, READ), 4);
    end(t);
    record_free(&rec);
}

/* As Linux plays: words, stereo, a ring of two periods. */
TEST(words_round_and_round)
{
    struct qt *t = start("44100");

    put_tone(t, DATA, 0, 2000);
    reset(t);
    dma_words(t, READ1 | AGAIN, DATA, 4000);
    DSP(t, 0x41, 0xac, 0x44, 0xb6, 0x30, 0xcf, 0x07); /* 44100; 2000 words a period */
    clock_step(t, ns(999, 44100));
    CHECK(!t->isa[IRQ]);
    CHECK_EQ(count_of(t, true), 3999 - 1998); /* of this moment */
    clock_step(t, ns(1, 44100));
    CHECK(t->isa[IRQ]);
    CHECK_EQ(mixer(t, 0x82), 2);
    CHECK_EQ(inb(t, STATUS), 0); /* not this one's */
    CHECK(t->isa[IRQ]);
    inb(t, ACK16);
    CHECK(!t->isa[IRQ]);
    CHECK_EQ(mixer(t, 0x82), 0);
    CHECK_EQ(count_of(t, true), 1999);
    clock_step(t, ns(1000, 44100));
    CHECK(t->isa[IRQ]);
    CHECK_EQ(count_of(t, true), 3999); /* around */
    CHECK_EQ(inb(t, 0xd0), 0x02);      /* with its terminal count */
    inb(t, ACK16);
    put_tone(t, DATA, 2000, 1000);
    clock_step(t, ns(500, 44100));
    DSP(t, 0xd5); /* paused in the middle */
    clock_step(t, ns(5000, 44100));
    CHECK_EQ(count_of(t, true), 2999);
    DSP(t, 0xd6, 0xd9); /* goes on, and this block is the last */
    clock_step(t, ns(5000, 44100));
    CHECK(t->isa[IRQ]);
    CHECK_EQ(count_of(t, true), 1999);
    DSP(t, 0xd6); /* there is nothing to go on with */
    clock_step(t, ns(5000, 44100));
    CHECK_EQ(count_of(t, true), 1999);
    end(t);
    CHECK_EQ(record_frames(&rec), 3000);
    CHECK(record_is_tone(&rec, 0, 3000));
    record_free(&rec);
}

/* As a game for the first Sound Blaster plays: a time constant, single blocks. */
TEST(single_blocks_of_bytes)
{
    struct qt *t = start("20000");

    put_bytes(t->ram, 1000);
    DSP(t, 0x48, 0x12, 0x34);
    reset(t);
    dma_bytes(t, READ1, DATA, 1000);
    DSP(t, 0x40, 206, 0xd1);  /* 1000000 / (256 - 206) */
    DSP(t, 0x14, 0x8f, 0x01); /* 400 bytes */
    clock_step(t, ns(399, 20000));
    CHECK(!t->isa[IRQ]);
    clock_step(t, ns(1, 20000));
    CHECK(t->isa[IRQ]);
    CHECK_EQ(mixer(t, 0x82), 1);
    inb(t, ACK16);
    CHECK(t->isa[IRQ]);
    inb(t, STATUS);
    CHECK(!t->isa[IRQ]);
    clock_step(t, ns(1000, 20000));
    CHECK_EQ(count_of(t, false), 599);
    DSP(t, 0x91); /* its length is command 48's: after a reset one byte */
    clock_step(t, ns(100, 20000));
    CHECK_EQ(count_of(t, false), 598);
    DSP(t, 0x48, 0xff, 0x03, 0x91); /* 1024, of which 599 are there: it waits for its DMA */
    clock_step(t, ns(2000, 20000));
    inb(t, STATUS);
    CHECK_EQ(inb(t, 0x08), 0x02);
    CHECK(!t->isa[IRQ]);
    dma_bytes(t, READ1, DATA, 1000);
    clock_step(t, ns(1000, 20000));
    CHECK(t->isa[IRQ]);
    CHECK_EQ(count_of(t, false), 999 - 425);
    end(t);
    CHECK_EQ(record_frames(&rec), 1000 + 425);
    CHECK(bytes_heard(0, 0, 1000) && bytes_heard(1000, 0, 425));
    record_free(&rec);
}

TEST(bytes_round_and_round)
{
    struct qt *t = start("20000");

    put_bytes(t->ram, 600);
    reset(t);
    dma_bytes(t, READ1 | AGAIN, DATA, 600);
    DSP(t, 0x40, 206, 0x48, 0x2b, 0x01, 0x1c); /* blocks of 300 */
    for (unsigned i = 0; i < 4; i++) {
        CHECK(!t->isa[IRQ]);
        clock_step(t, ns(300, 20000));
        CHECK(t->isa[IRQ]);
        inb(t, STATUS);
    }
    DSP(t, 0xd0);
    clock_step(t, ns(300, 20000));
    CHECK(!t->isa[IRQ]);
    DSP(t, 0xd4, 0xda, 0x45); /* the last block, or not */
    clock_step(t, ns(600, 20000));
    CHECK(t->isa[IRQ]);
    inb(t, STATUS);
    CHECK_EQ(count_of(t, false), 599);
    DSP(t, 0xda);
    clock_step(t, ns(900, 20000));
    CHECK_EQ(count_of(t, false), 299);
    DSP(t, 0x1c); /* a reset ends it as well */
    clock_step(t, ns(100, 20000));
    reset(t);
    clock_step(t, ns(900, 20000));
    CHECK_EQ(count_of(t, false), 199);
    CHECK(!t->isa[IRQ]);
    end(t);
    CHECK_EQ(record_frames(&rec), 2200);
    CHECK(bytes_heard(0, 0, 600) && bytes_heard(600, 0, 600) && bytes_heard(1800, 0, 300));
    record_free(&rec);
}

TEST(formats)
{
    static const struct {
        uint8_t cmd, mode, frames;
        int16_t left, right;
    } how[] = {
        { 0xc0, 0x00, 4, -0x4000, -0x4000 }, /* unsigned bytes: 40 90 60 a0 */
        { 0xc0, 0x10, 4, 0x4000, 0x4000 },
        { 0xc0, 0x20, 2, -0x4000, 0x1000 },
        { 0xc0, 0x30, 2, 0x4000, (int16_t)0x9000 },
        { 0xb0, 0x00, 2, 0x1040, 0x1040 },
        { 0xb0, 0x10, 2, (int16_t)0x9040, (int16_t)0x9040 },
        { 0xb0, 0x20, 1, 0x1040, 0x2060 },
        { 0xb0, 0x30, 1, (int16_t)0x9040, (int16_t)0xa060 },
    };
    struct qt *t = start("22050");
    size_t at = 0;

    put32(t, DATA, 0xa0609040);
    reset(t);
    DSP(t, 0x41, 0x56, 0x22);
    for (unsigned i = 0; i < 8; i++) {
        bool words = how[i].cmd == 0xb0;

        if (words)
            dma_words(t, READ1, DATA, 2);
        else
            dma_bytes(t, READ1, DATA, 4);
        DSP(t, how[i].cmd, how[i].mode, words ? 1 : 3, 0);
        clock_step(t, ns(50, 22050));
        CHECK_EQ(mixer(t, 0x82), words ? 2 : 1);
        inb(t, words ? ACK16 : STATUS);
    }
    end(t);
    for (unsigned i = 0; i < 8; at += how[i].frames, i++) {
        CHECK_EQ(record_sample(&rec, at, 0), how[i].left);
        CHECK_EQ(record_sample(&rec, at, 1), how[i].right);
    }
    CHECK_EQ(record_frames(&rec), at);
    record_free(&rec);
}

/* A time constant is of samples: in stereo it makes half as many frames. */
TEST(rates)
{
    static const struct {
        uint8_t set[3], n;
        unsigned stereo, rate;
    } how[] = {
        { { 0x40, 156 }, 2, 0, 10000 },        { { 0x40, 206 }, 2, 1, 10000 },
        { { 0x41, 0x2b, 0x11 }, 3, 1, 11025 }, { { 0x42, 0x1f, 0x40 }, 3, 0, 8000 },
        { { 0x40, 255 }, 2, 0, 48000 },        { { 0x41, 0xff, 0xff }, 3, 0, 48000 },
        { { 0x41, 0x00, 0x00 }, 3, 0, 4000 },
    };
    struct qt *t = start("22050");

    reset(t);
    for (unsigned i = 0; i < 7; i++) {
        unsigned ch = how[i].stereo + 1;

        dma_bytes(t, READ1, DATA, 65536);
        dsp(t, how[i].n, how[i].set);
        DSP(t, 0xc0, how[i].stereo ? 0x20 : 0, 0xff, 0xff);
        clock_step(t, NS_PER_S / 4);
        CHECK_EQ(0xffff - count_of(t, false), how[i].rate / 4 * ch);
        DSP(t, 0x40, 156); /* while it plays */
        clock_step(t, NS_PER_S / 4);
        CHECK_EQ(0xffff - count_of(t, false), how[i].rate / 4 * ch + 2500);
    }
    end(t);
    record_free(&rec);
}

TEST(recording_is_silence_at_the_right_pace)
{
    struct qt *t = start("22050");

    for (unsigned i = 0; i < 400; i++)
        put32(t, DATA + 4 * i, 0x55555555);
    reset(t);
    DSP(t, 0x41, 0x56, 0x22);
    dma_words(t, WRITE1, DATA, 400);
    DSP(t, 0xb8, 0x30, 0xc7, 0x00); /* 200 words, signed */
    clock_step(t, ns(100, 22050));
    CHECK(t->isa[IRQ]);
    inb(t, ACK16);
    CHECK(ram32(t, DATA) == 0 && ram32(t, DATA + 396) == 0 && ram32(t, DATA + 400) == 0x55555555);
    dma_words(t, WRITE1, DATA, 2);
    DSP(t, 0xb8, 0x00, 0x01, 0x00); /* unsigned */
    clock_step(t, ns(50, 22050));
    CHECK_EQ(ram32(t, DATA), 0x80008000);
    dma_bytes(t, WRITE1, DATA, 4);
    DSP(t, 0x24, 0x03, 0x00);
    clock_step(t, ns(50, 22050));
    CHECK_EQ(ram32(t, DATA), 0x80808080);
    end(t);
    CHECK_EQ(record_frames(&rec), 0);
    record_free(&rec);
}

/* Silence and packed samples last as long as they should. */
TEST(silence)
{
    static const struct {
        uint8_t cmd, pack;
    } packed[] = { { 0x75, 2 }, { 0x77, 3 }, { 0x17, 4 } };
    struct qt *t = start("20000");

    reset(t);
    DSP(t, 0x40, 206, 0x80, 0xe7, 0x03); /* 1000 */
    clock_step(t, ns(998, 20000));
    CHECK(!t->isa[IRQ]);
    clock_step(t, ns(2, 20000));
    CHECK(t->isa[IRQ]);
    inb(t, STATUS);
    for (unsigned i = 0; i < 3; i++) {
        dma_bytes(t, READ1, DATA, 500);
        DSP(t, packed[i].cmd, 0xf3, 0x01);
        clock_step(t, ns(490 * packed[i].pack, 20000));
        CHECK(!t->isa[IRQ]);
        clock_step(t, ns(10 * packed[i].pack + 1, 20000));
        CHECK(t->isa[IRQ]);
        inb(t, STATUS);
    }
    CHECK_EQ(count_of(t, false), 0xffff);
    end(t);
    CHECK_EQ(record_frames(&rec), 0);
    record_free(&rec);
}

TEST(mixer_registers)
{
    struct qt *t = start("44100");

    CHECK_EQ(mixer(t, 0x30), 0xc0);
    CHECK_EQ(mixer(t, 0x22), 0xcc); /* the Pro's registers are the upper halves of its own */
    CHECK_EQ(mixer(t, 0x04), 0xcc);
    CHECK_EQ(mixer(t, 0x28), 0x00);
    CHECK_EQ(mixer(t, 0x3c), 0x1f);
    CHECK_EQ(mixer(t, 0x3d), 0x15);
    CHECK_EQ(mixer(t, 0x3e), 0x0b);
    CHECK_EQ(mixer(t, 0x44), 0x80);
    set_mixer(t, 0x22, 0xa5);
    CHECK_EQ(mixer(t, 0x30), 0xa8);
    CHECK_EQ(mixer(t, 0x31), 0x58);
    CHECK_EQ(mixer(t, 0x22), 0xa5);
    set_mixer(t, 0x33, 0xff);
    CHECK_EQ(mixer(t, 0x33), 0xf8);
    CHECK_EQ(mixer(t, 0x04), 0xcf);
    set_mixer(t, 0x0a, 0x05);
    CHECK_EQ(mixer(t, 0x3a), 0xb8);
    CHECK_EQ(mixer(t, 0x0a), 0x05);
    set_mixer(t, 0x41, 0xff);
    CHECK_EQ(mixer(t, 0x41), 0xc0);
    set_mixer(t, 0x43, 0xff);
    CHECK_EQ(mixer(t, 0x43), 0x01);
    set_mixer(t, 0x80, 0xf8);
    set_mixer(t, 0x81, 0xff);
    set_mixer(t, 0x82, 0xff);
    set_mixer(t, 0x00, 0x00); /* a reset, which the setup survives */
    CHECK_EQ(mixer(t, 0x30), 0xc0);
    CHECK_EQ(mixer(t, 0x41), 0x00);
    CHECK_EQ(mixer(t, 0x43), 0x00);
    CHECK_EQ(mixer(t, 0x80), 0x08);
    CHECK_EQ(mixer(t, 0x81), 0xeb);
    CHECK_EQ(mixer(t, 0x82), 0x00);
    end(t);
    record_free(&rec);
}

TEST(volumes)
{
    static const struct {
        uint8_t reg, val;
        int16_t left, right;
    } set[] = {
        { 0x30, 0xf8, 0x2000, 0x1000 }, /* more than after power-on is not louder */
        { 0x31, 0xa8, 0x2000, 2052 },   /* three steps of 2 dB less */
        { 0x32, 0xa8, 4105, 2052 },     { 0x41, 0x40, 8192, 2052 }, /* 6 dB of output gain */
        { 0x33, 0x00, 8192, 0 },        { 0x30, 0x00, 0, 0 },
    };
    struct qt *t = start("22050");

    for (unsigned i = 0; i < 100; i++)
        put32(t, DATA + 4 * i, 0x10002000);
    reset(t);
    dma_words(t, READ1 | AGAIN, DATA, 200);
    DSP(t, 0x41, 0x56, 0x22, 0xb6, 0x30, 0xff, 0x7f);
    clock_step(t, ns(10, 22050));
    for (unsigned i = 0; i < 6; i++) {
        set_mixer(t, set[i].reg, set[i].val);
        clock_step(t, ns(10, 22050));
    }
    inb(t, STATUS);
    end(t);
    CHECK_EQ(record_sample(&rec, 5, 0), 0x2000);
    CHECK_EQ(record_sample(&rec, 5, 1), 0x1000);
    for (unsigned i = 0; i < 6; i++) {
        CHECK_EQ(record_sample(&rec, 15 + 10 * i, 0), set[i].left);
        CHECK_EQ(record_sample(&rec, 15 + 10 * i, 1), set[i].right);
    }
    record_free(&rec);
}

/* Software may choose lines and channels; words go through the bytes' channel if they have none. */
TEST(lines_and_channels)
{
    static const uint8_t pin[] = { 9, 5, 7, 10 };
    struct qt *t = start("22050");

    reset(t);
    DSP(t, 0xf2);
    for (unsigned i = 0; i < 4; i++) {
        set_mixer(t, 0x80, (uint8_t)(1 << i));
        for (unsigned k = 0; k < 4; k++)
            CHECK_EQ(t->isa[pin[k]], k == i);
    }
    DSP(t, 0xf3);
    CHECK_EQ(mixer(t, 0x82), 3);
    inb(t, STATUS);
    CHECK(t->isa[10]);
    CHECK_EQ(mixer(t, 0x82), 2);
    inb(t, ACK16);
    CHECK(!t->isa[10]);
    put32(t, DATA, 0x20001000);
    set_mixer(t, 0x81, 0x02);
    dma_bytes(t, READ1, DATA, 4);
    DSP(t, 0x41, 0x56, 0x22, 0xb0, 0x10, 0x01, 0x00);
    clock_step(t, ns(50, 22050));
    CHECK_EQ(mixer(t, 0x82), 2);
    CHECK_EQ(count_of(t, false), 0xffff);
    inb(t, ACK16);
    set_mixer(t, 0x81, 0x82); /* channel 7 */
    outb(t, 0xd8, 0);
    outb(t, 0xd6, 0x4b);
    outb(t, 0xcc, DATA >> 1 & 0xff);
    outb(t, 0xcc, DATA >> 9 & 0xff);
    outb(t, 0x8a, DATA >> 16);
    outb(t, 0xce, 0);
    outb(t, 0xce, 0);
    outb(t, 0xd4, 0x03);
    DSP(t, 0xb0, 0x10, 0x00, 0x00);
    clock_step(t, ns(50, 22050));
    CHECK_EQ(mixer(t, 0x82), 2);
    CHECK_EQ(inb(t, 0xd0), 0x08);
    set_mixer(t, 0x81, 0x00); /* none at all: it waits */
    DSP(t, 0xc0, 0x00, 0x01, 0x00);
    clock_step(t, ns(500, 22050));
    CHECK_EQ(mixer(t, 0x82), 2);
    end(t);
    CHECK_EQ(record_frames(&rec), 3);
    CHECK_EQ(record_sample(&rec, 0, 0), 0x1000);
    CHECK_EQ(record_sample(&rec, 1, 0), 0x2000);
    record_free(&rec);
}

/* Out by words and in by bytes at the same time. */
TEST(both_ways)
{
    struct qt *t = start("22050");

    put_tone(t, DATA, 0, 200);
    put32(t, DATA + 0x1000, ~0u);
    reset(t);
    dma_words(t, READ1, DATA, 400);
    dma_bytes(t, WRITE1, DATA + 0x1000, 100);
    DSP(t, 0x41, 0x56, 0x22, 0xb0, 0x30, 0x8f, 0x01, 0xc8, 0x00, 0x63, 0x00);
    clock_step(t, ns(100, 22050));
    CHECK_EQ(mixer(t, 0x82), 1);
    clock_step(t, ns(100, 22050));
    CHECK_EQ(mixer(t, 0x82), 3);
    CHECK_EQ(ram32(t, DATA + 0x1000), 0x80808080);
    end(t);
    CHECK_EQ(record_frames(&rec), 200);
    CHECK(record_is_tone(&rec, 0, 200));
    record_free(&rec);
}

TEST(jumpers)
{
    static const char *const bad[][2] = {
        { "irq", "6" },         { "dma", "2" },       { "dma16", "4" }, { "iobase", "0x10000" },
        { "version", "70000" }, { "iobase", "0xc0" }, /* the DMA controller's */
    };
    struct qt *t = qt_new();

    qt_add(t, &dma8237_type, -1);
    for (unsigned i = 0; i < 6; i++) {
        struct config cfg = { 0 };
        struct err err = { "" };

        config_set(&cfg, bad[i][0], bad[i][1]);
        CHECK(!device_new(&t->plat, &sb16_type, "sb", -1, &cfg, &err));
        CHECK(strstr(err.msg, i == 5 ? "iobase" : bad[i][0]) != NULL);
        config_free(&cfg);
    }
    qt_config(t, "iobase", "0x240");
    qt_config(t, "irq", "2");
    qt_config(t, "dma", "3");
    qt_config(t, "dma16", "7");
    qt_config(t, "version", "0x40d");
    qt_add(t, &sb16_type, -1);
    outb(t, 0x24c, 0xe1);
    CHECK_EQ(inb(t, 0x24a), 4);
    CHECK_EQ(inb(t, 0x24a), 13);
    outb(t, 0x244, 0x80);
    CHECK_EQ(inb(t, 0x245), 1);
    outb(t, 0x244, 0x81);
    CHECK_EQ(inb(t, 0x245), 0x88);
    outb(t, 0x24c, 0xf2);
    CHECK(t->isa[9]);
}

TEST(a_saved_state_must_make_sense)
{
    static const struct {
        const char *field;
        unsigned at;
        uint8_t val;
    } bad[] = {
        { "mode", 1, 0 },                           /* nothing is left of what is not on */
        { "left", 0, 1 },                           /* … and the other way round */
        { "mixer", 0x30, 1 },                       /* no such bit */
        { "mixer", 0x10, 1 },                       /* no such register */
        { "irq_setup", 0, 16 },                     /* no such line */
        { "dma_setup", 0, 4 },    { "busy", 0, 1 }, /* all of the last command has come */
        { "tick", 24 + 7, 0x7f },
    };
    struct qt *t = start("44100");

    dma_words(t, READ1 | AGAIN, DATA, 4000);
    DSP(t, 0xb6, 0x30, 0xcf, 0x07);
    for (unsigned i = 0; i < 8; i++) {
        const struct field *f = sb16_type.state;
        uint8_t *p, keep;

        while (f->name && strcmp(f->name, bad[i].field))
            f++;
        p = (uint8_t *)t->devs[1] + f->off + bad[i].at;
        keep = *p;
        *p = bad[i].val;
        CHECK(!state_valid(t->devs[1]));
        *p = keep;
    }
    CHECK(state_valid(t->devs[1]));
    end(t);
    record_free(&rec);
}
