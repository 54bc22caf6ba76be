/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What one device was told: key=value pairs as a command line has them, and
 * host objects (a disk, a display) under a key. The config owns its strings,
 * never the objects.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hw/core/err.h"

struct config_item {
    char *key, *val;
    void *obj;
};

struct config {
    struct config_item *items;
    size_t n;
};

void config_free(struct config *cfg);
/* Sets or replaces. val is copied. Aborts only when the host is out of memory, at set-up. */
void config_set(struct config *cfg, const char *key, const char *val);
void config_set_obj(struct config *cfg, const char *key, void *obj);

/* The value of key, or def when it was not given. cfg may be NULL everywhere below. */
const char *config_str(const struct config *cfg, const char *key, const char *def);
bool config_bool(const struct config *cfg, const char *key, bool def); /* on/off/yes/no */
void *config_obj(const struct config *cfg, const char *key);
/* *out = the number (decimal or 0x…) or def. -EINVAL and a line in err when none or > max. */
int config_uint(const struct config *cfg, const char *key, uint64_t def, uint64_t max,
                uint64_t *out, struct err *err);
