/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line for a person: what failed, where, what to do about it. */
#pragma once
#include <stdarg.h>

struct err {
    char msg[512];
};

/*
 * Formats the line into err (which may be NULL) and returns rc, so that a
 * set-up function can end with `return err_set(err, -EINVAL, "...")`.
 */
int err_set(struct err *err, int rc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
