/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/core/state.h: one table says what a device remembers. */
#pragma once
#include <stdio.h>
#include "hw/core/device.h"
#include "hw/core/timer.h"

enum field_kind { F_END, F_BOOL, F_U8, F_U16, F_U32, F_U64, F_TIMER };

struct field {
    const char *name;
    uint32_t off, count;
    uint8_t kind, since; /* since: first version of the table to have it */
    uint64_t max;        /* largest reachable value; 0 = any */
    uint64_t bits;       /* of a register: those that can be set; 0 = any */
};

#define FIELD_KIND(x)                                                                              \
    _Generic((x), bool                                                                             \
             : F_BOOL, uint8_t                                                                     \
             : F_U8, uint16_t                                                                      \
             : F_U16, uint32_t                                                                     \
             : F_U32, uint64_t                                                                     \
             : F_U64, struct timer                                                                 \
             : F_TIMER)
#define FIELD(T, m, ...)                                                                           \
    {                                                                                              \
        .name = #m, .off = offsetof(T, s.m), .count = 1, .kind = FIELD_KIND(((T *)0)->s.m),        \
        __VA_ARGS__                                                                                \
    }
#define ARRAY(T, m, ...)                                                                           \
    {                                                                                              \
        .name = #m, .off = offsetof(T, s.m),                                                       \
        .count = sizeof(((T *)0)->s.m) / sizeof(((T *)0)->s.m[0]),                                 \
        .kind = FIELD_KIND(((T *)0)->s.m[0]), __VA_ARGS__                                          \
    }
#define FIELDS_END                                                                                 \
    {                                                                                              \
        .kind = F_END                                                                              \
    }

struct buf;
/* The device's name, version and every field (timers as time remaining); for PCI also cfg. */
void state_save(const struct device *dev, struct buf *out);
/* All or nothing: on a name, kind, count, bound or check() mismatch the device is untouched. */
int state_load(struct device *dev, struct buf *in, struct err *err);
/* Every field within max, timers sane, then type->check. */
bool state_valid(const struct device *dev);
/* Is every byte of s in exactly one field? Padding counts as a hole: order members by size. */
bool state_covers(const struct device_type *type);
/* "name=value" for every field, one line each, arrays in hex. */
void state_print(const struct device *dev, FILE *out);
