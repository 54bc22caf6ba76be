/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/sb16-int.h: what the files of the Sound Blaster 16 share. */
#pragma once
#include "hw/core/device.h"
#include "hw/core/irq.h"
#include "hw/core/timer.h"
#include "hw/pace.h"
#include "sound/sound.h"

/* Two streams: the one of bytes and the one of words. Bit n of pending is stream n's. */
enum { SB_8, SB_16, SB_STREAMS };

#define SB_IRQS     4
#define SB_REPLIES  60
#define SB_ARGS     3
#define SB_MIXER    0x48
#define SB_RATE_MAX PACE_RATE_MAX
#define SB_PACK_MAX 4

/* Of a stream's mode */
#define SB_ON     0x01
#define SB_PAUSED 0x02
#define SB_INPUT  0x04
#define SB_AUTO   0x08 /* the block begins again by itself … */
#define SB_EXIT   0x10 /* … but not this time */
#define SB_STEREO 0x20
#define SB_SIGNED 0x40
#define SB_SILENT 0x80 /* a time of silence: no DMA */

struct sb16 {
    struct device dev;
    struct sound_voice voice[SB_STREAMS];
    struct sb16_stream {
        struct sb16 *card;
        struct pace pace;
    } stream[SB_STREAMS];
    struct irq irq[SB_IRQS];
    uint64_t base, version;
    uint8_t irq_jumper, dma_jumper; /* registers 80 and 81 after power-on */
    struct {
        struct timer tick[SB_STREAMS];
        uint32_t ahead[SB_STREAMS];
        uint32_t left[SB_STREAMS];  /* of the block: samples, or bytes of packed ones */
        uint16_t block[SB_STREAMS]; /* less one */
        uint16_t next_block, rate;  /* commands 48, 41 */
        uint8_t mode[SB_STREAMS];
        uint8_t pack; /* samples in a byte of stream SB_8; 0, 1: plain */
        uint8_t tc;   /* command 40 */
        uint8_t cmd, args[SB_ARGS], nargs;
        uint8_t reply[SB_REPLIES], replies, last;
        uint8_t pending, test;
        uint8_t index, mixer[SB_MIXER], irq_setup, dma_setup;
        bool by_tc, speaker, reset, busy; /* busy: cmd waits for more of args */
    } s;
};

/* sb16-mixer.c: the CT1745. */
void sb16_mixer_reset(struct sb16 *sb);
uint8_t sb16_mixer_read(const struct sb16 *sb);
void sb16_mixer_write(struct sb16 *sb, uint8_t val);
bool sb16_mixer_check(const struct sb16 *sb);
/* What a stream is multiplied with on its way out, as sound_gain() has it. */
void sb16_mixer_gain(const struct sb16 *sb, uint32_t *left, uint32_t *right);

/* sb16-dsp.c: commands. */
void sb16_dsp_reset(struct sb16 *sb);
void sb16_dsp_write(struct sb16 *sb, uint8_t val);
bool sb16_dsp_check(const struct sb16 *sb);

/* sb16-stream.c: DMA at the pace of guest time. */
bool sb16_runs(const struct sb16 *sb, unsigned n);
/* A block of `count` samples or bytes (1 to 65536); mode: SB_ flags, SB_ON not needed. */
void sb16_start(struct sb16 *sb, unsigned n, uint8_t mode, uint32_t count);
void sb16_pause(struct sb16 *sb, unsigned n, bool pause);
void sb16_stop(struct sb16 *sb, unsigned n);
/* Whatever has gone by now is moved. */
void sb16_catch_up(struct sb16 *sb);
/* The rate has changed. */
void sb16_arm_again(struct sb16 *sb);
void sb16_stream_sync(struct sb16 *sb);
void sb16_tick(void *arg);
bool sb16_stream_check(const struct sb16 *sb);
