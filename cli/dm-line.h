/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/dm-line.h: the command line of portico-dm for a guest. */
#pragma once
#include <stdint.h>
#include "cli/guest.h"

#define IFNAME_SIZE 16 /* as the kernel's IFNAMSIZ */

struct dm_place {
    const char *dm;     /* the program */
    const char *dir;    /* a folder for its sockets: "qmp" for all, "keeper" for the keeper */
    unsigned id;        /* the guest's number, of which interfaces are named */
    unsigned user_nics; /* bit i: card i gets user-mode networking, whatever its bridge */
    int64_t now;        /* seconds since 1970: what rtc_timeoffset= is added to */
};

/* A NULL-terminated list for execv(); dm_line_free() gives it back. */
char **dm_line(const struct guest *g, const struct dm_place *place);
void dm_line_free(char **line);
/* The name of card i's interface on the host, as libxl makes it. */
void dm_ifname(const struct guest *g, unsigned i, unsigned id, char name[IFNAME_SIZE]);
