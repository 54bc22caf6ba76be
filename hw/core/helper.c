/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs beside portico-dm: see helper.h. */
#include "hw/core/helper.h"
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

int helper_spawn(const char *path, char *const argv[], const struct helper_fd *fds, size_t n,
                 pid_t *pid)
{
    posix_spawn_file_actions_t fa;
    posix_spawnattr_t attr;
    sigset_t none, all;
    int rc;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&fa);
    for (size_t i = 0; i < n; i++) {
        if (fds[i].from >= 0)
            posix_spawn_file_actions_adddup2(&fa, fds[i].from, fds[i].to);
        else
            posix_spawn_file_actions_addclose(&fa, fds[i].to);
    }
    posix_spawn_file_actions_adddup2(&fa, 2, 1);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    rc = -posix_spawn(pid, path, &fa, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&fa);
    return rc;
}
