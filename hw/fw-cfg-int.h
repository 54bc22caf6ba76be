/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/fw-cfg-int.h: between the device (hw/fw-cfg.c) and what it is to say (hw/fw-cfg-config.c). */
#pragma once
#include "hw/fw-cfg.h"

/* A number as the items have it: little endian. */
void fw_put_le(uint8_t *to, uint64_t val, unsigned bytes);
/* Adds all items that config asks for. 0, or -errno and a line. */
int fw_cfg_describe(struct device *fw, const struct config *cfg, struct err *err);
