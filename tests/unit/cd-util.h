/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the CD drive share: one drive, the secondary master, and packets to it. */
#pragma once
#include "tests/unit/ide-util.h"

#define DEV 0xa0

static inline struct rig rig_cd(uint64_t blocks)
{
    struct rig r = { qt_new(), { NULL } };

    rig_unit(&r, 2, true, blocks);
    rig_go(&r);
    return r;
}

static inline int cd(struct qt *t, const uint8_t *p, void *data, size_t size)
{
    return packet_in(t, SEC, DEV, p, data, size);
}

static inline uint32_t cd_sense(struct qt *t)
{
    return sense(t, SEC, DEV);
}

/* At power-on nothing is pending: a guest meets a drive that is ready. */
static inline void cd_awake(struct qt *t)
{
    CHECK_EQ(cd_sense(t), 0);
}

static inline int tur(struct qt *t)
{
    return cd(t, (uint8_t[12]){ 0 }, NULL, 0);
}

static inline unsigned be16_at(const uint8_t *p)
{
    return p[0] << 8 | p[1];
}

static inline uint32_t be32_at(const uint8_t *p)
{
    return (uint32_t)be16_at(p) << 16 | be16_at(p + 2);
}

static inline void check_block(const uint8_t *got, uint64_t n)
{
    uint8_t want[2048];

    pattern(want, n, 2048);
    CHECK(!memcmp(got, want, 2048));
}
