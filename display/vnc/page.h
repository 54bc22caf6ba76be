/* SPDX-License-Identifier: GPL-2.0-or-later */
/* portico-vnc: the web console's own files, made part of the program by tools/embed.py. */
#pragma once
#include <stddef.h>

struct page {
    const char *path, *type;
    const unsigned char *data;
    size_t len;
};
extern const struct page pages[]; /* ends with path NULL */
