/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/core/helper.h: starts the programs that work beside portico-dm, in
 * processes of their own (portico-vnc, portico-sdl, portico-sound, portico-slirp).
 */
#pragma once
#include <stddef.h>
#include <sys/types.h>

struct helper_fd {
    int from; /* of this process; -1: `to` is closed in the helper */
    int to;
};

/*
 * Starts `path` with argv (NULL at its end; argv[0] is for ps). It has the
 * descriptors fds[0] to fds[n - 1], in this order, and what is not
 * close-on-exec; its standard output goes to standard error, and no signal is
 * blocked or ignored. 0, or -errno; *pid is the caller's to wait for.
 */
int helper_spawn(const char *path, char *const argv[], const struct helper_fd *fds, size_t n,
                 pid_t *pid);
