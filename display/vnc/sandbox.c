/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portico-vnc: what it gives up before it reads the client's first byte. It
 * keeps two sockets; it opens no file, starts no program, connects nowhere.
 */
#include "display/vnc/helper.h"
#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define NOBODY          65534
#define MAX_FILES       16
#define BELOW_THE_GUEST 5 /* nice: where processors are short, the guest's I/O goes first */
#define MAX_DATA        (128ul << 20) /* buffers of the encoders */
#define MAX_SPACE       (1ul << 30)   /* two screens of 4096 x 4096: one replaces the other */

static void limit(int what, rlim_t most)
{
    struct rlimit r = { most, most };

    setrlimit((__rlimit_resource_t)what, &r);
}

/*
 * Started by root (the ordinary case under Xen) it becomes nobody, without a
 * network to open sockets on and without files: the root directory is one in
 * which only this process' descriptors are listed.
 */
static void drop_root(void)
{
    unshare(CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS);
    if (chroot("/proc/self/fdinfo") && errno != EPERM)
        _exit(EXIT_FAILED);
    if (chdir("/") || setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
        setresuid(NOBODY, NOBODY, NOBODY))
        _exit(EXIT_FAILED);
}

void sandbox_enter(void)
{
    setpriority(PRIO_PROCESS, 0, BELOW_THE_GUEST);
    close_range(VIEWER_FD + 1, ~0u, 0);
    if (geteuid() == 0)
        drop_root();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _exit(EXIT_FAILED);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_NOFILE, MAX_FILES);
#ifndef __SANITIZE_ADDRESS__ /* whose shadow takes terabytes */
    limit(RLIMIT_DATA, MAX_DATA);
    limit(RLIMIT_AS, MAX_SPACE);
#endif
}

void sandbox_close(void)
{
    /* After the change of user, which clears it. The pair's end tells of a death before. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_DUMPABLE, 0);
    limit(RLIMIT_NPROC, 0);
    if (sandbox_filter() && geteuid() == NOBODY) /* a kernel without filters: the rest holds */
        fprintf(stderr, "portico-vnc: the kernel has no system-call filters\n");
}
