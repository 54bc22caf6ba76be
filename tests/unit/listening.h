/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/listening.h: is a server there? Its socket's file is, before anybody listens. */
#pragma once
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define UNIX_ACCEPTS 0x10000 /* of the flags in /proc/net/unix */

static inline bool listening(const char *path)
{
    char line[512];
    bool found = false;
    FILE *f = fopen("/proc/net/unix", "r");

    while (f && !found && fgets(line, sizeof(line), f)) {
        char *name = strchr(line, '/');
        unsigned flags = 0;

        line[strcspn(line, "\n")] = 0;
        found = name && !strcmp(name, path) && sscanf(line, "%*s %*s %*s %x", &flags) == 1 &&
                flags & UNIX_ACCEPTS;
    }
    if (f)
        fclose(f);
    return found;
}

static inline bool wait_listening(const char *path, unsigned ms)
{
    while (!listening(path)) {
        if (!ms--)
            return false;
        usleep(1000);
    }
    return true;
}
