/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the firmware is that the guest starts with, in worlds where nobody else brings it. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "control/parts.h"

#define DEFAULT_FIRMWARE "bios-256k.bin"

/* Looks along the -L directories, then takes the name for a path. */
static bool find(const char *dirs, const char *name, char *path, size_t size)
{
    while (dirs && *dirs && !strchr(name, '/')) {
        size_t len = strcspn(dirs, ":");
        int n = snprintf(path, size, "%.*s/%s", (int)len, dirs, name);

        if (n > 0 && (size_t)n < size && !access(path, R_OK))
            return true;
        dirs += len + (dirs[len] == ':');
    }
    return (size_t)snprintf(path, size, "%s", name) < size && !access(path, R_OK);
}

int firmware_find(const struct vm_args *a, char *path, size_t size, struct err *err)
{
    if (find(a->rom_path, a->bios ? a->bios : DEFAULT_FIRMWARE, path, size))
        return 0;
    path[0] = 0;
    if (!a->bios)
        return 0;
    return err_set(err, -ENOENT, "-bios %s: no such file, neither here nor in %s", a->bios,
                   a->rom_path ? a->rom_path : "a -L directory");
}
