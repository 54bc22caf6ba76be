/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line for a person. */
#include "hw/core/err.h"
#include <stdio.h>

int err_set(struct err *err, int rc, const char *fmt, ...)
{
    va_list ap;

    if (!err)
        return rc;
    va_start(ap, fmt);
    vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
    va_end(ap);
    for (char *p = err->msg; *p; p++) {
        if (*p == '\n' || *p == '\r')
            *p = ' '; /* a file name may hold anything, the message is one line */
    }
    return rc;
}
