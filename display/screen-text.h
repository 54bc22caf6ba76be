/* SPDX-License-Identifier: GPL-2.0-or-later */
/* display/screen-text.h: a text screen as a string. */
#pragma once
#include <stdint.h>

/*
 * rows x cols characters of code page 437, row after row, as UTF-8 rows joined
 * by '\n', spaces at the end of a row left out. The caller frees it; NULL when
 * there is no memory.
 */
char *screen_text(const uint8_t *chars, unsigned cols, unsigned rows);
