/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/fuzz/qcow2-fuzz.h: the entry that libFuzzer, a replay and the unit test share. */
#pragma once
#include <stddef.h>
#include <stdint.h>

int qcow2_fuzz(const uint8_t *data, size_t len); /* 0 */
