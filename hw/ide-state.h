/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/ide-state.h: the rows of a state table for a channel and for a unit, at T's member m.
 * region: bytes of the largest region of guest memory a table entry can name.
 */
#pragma once
#include "hw/atapi.h"
#include "hw/core/state.h"

#define IDE_CHAN_FIELDS(T, m, region)                                                              \
    FIELD(T, m.lba, .max = 1ULL << 48), FIELD(T, m.left), FIELD(T, m.seq),                         \
        FIELD(T, m.pos, .max = IDE_BUF), FIELD(T, m.end, .max = IDE_BUF),                          \
        FIELD(T, m.len, .max = IDE_BUF), FIELD(T, m.prd, .bits = 0xfffffffc),                      \
        FIELD(T, m.prd_next, .bits = 0xfffffffc), FIELD(T, m.prd_addr),                            \
        FIELD(T, m.prd_left, .max = region), FIELD(T, m.limit, .max = 0xfffe),                     \
        FIELD(T, m.per_drq, .max = IDE_MAX_MUL),                                                   \
        FIELD(T, m.device, .bits = DEV_LBA | DEV_1 | DEV_HEAD),                                    \
        FIELD(T, m.control, .bits = CTL_HOB | CTL_SRST | CTL_NIEN), FIELD(T, m.active, .max = 1),  \
        FIELD(T, m.phase, .max = PH_COUNT - 1), FIELD(T, m.bm_cmd, .bits = BM_START | BM_TO_RAM),  \
        FIELD(T, m.bm_status, .bits = BM_CAPABLE | BM_INT | BM_ERROR | BM_ACTIVE),                 \
        FIELD(T, m.line), FIELD(T, m.dma), FIELD(T, m.out), FIELD(T, m.prd_last),                  \
        FIELD(T, m.single), FIELD(T, m.through), FIELD(T, m.raw), FIELD(T, m.command),             \
        ARRAY(T, m.packet), FIELD(T, m.fields, .bits = 0xfe, .since = 2),                          \
        FIELD(T, m.sub, .max = 4, .since = 2), FIELD(T, m.sector, .max = IDE_CD_MAX, .since = 2),  \
        FIELD(T, m.held, .since = 2), FIELD(T, m.verify, .since = 2), ARRAY(T, m.buf)

#define IDE_UNIT_FIELDS(T, m)                                                                      \
    ARRAY(T, m.feature), ARRAY(T, m.count), ARRAY(T, m.low), ARRAY(T, m.mid), ARRAY(T, m.high),    \
        FIELD(T, m.status), FIELD(T, m.error), FIELD(T, m.heads, .max = 16), FIELD(T, m.secs),     \
        FIELD(T, m.multiple, .max = IDE_MAX_MUL), FIELD(T, m.xfer_mode, .max = 0x45),              \
        FIELD(T, m.power, .max = PM_COUNT - 1), FIELD(T, m.intrq), FIELD(T, m.wcache),             \
        FIELD(T, m.look_ahead), FIELD(T, m.smart), FIELD(T, m.smart_save), FIELD(T, m.gone),       \
        FIELD(T, m.sense_key, .max = 15), FIELD(T, m.asc), FIELD(T, m.ascq),                       \
        FIELD(T, m.attention, .max = UA_COUNT - 1), FIELD(T, m.event, .max = EV_COUNT - 1),        \
        FIELD(T, m.tray_open), FIELD(T, m.locked), ARRAY(T, m.page01), ARRAY(T, m.page0d),         \
        ARRAY(T, m.page0e), ARRAY(T, m.page1a, .since = 2), FIELD(T, m.standby, .since = 2),       \
        FIELD(T, m.max, .max = 1ULL << 48, .since = 2), FIELD(T, m.err_count, .since = 2),         \
        FIELD(T, m.speed, .since = 2), FIELD(T, m.standby_code, .since = 2),                       \
        FIELD(T, m.native, .since = 2), ARRAY(T, m.scratch, .since = 2),                           \
        ARRAY(T, m.err_log, .since = 2),                                                           \
        FIELD(T, m.err_next, .max = SMART_ERRORS - 1, .since = 2),                                 \
        ARRAY(T, m.test_log, .since = 2), FIELD(T, m.test_last, .max = SMART_TESTS, .since = 2)
