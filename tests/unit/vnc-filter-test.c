/* SPDX-License-Identifier: GPL-2.0-or-later */
/* portico-vnc's system-call filter: what is forbidden ends the process, what is needed does not. */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/unit/qt.h"

int sandbox_filter(void);

static const struct attempt {
    const char *name;
    long nr, a, b, c, d;
    bool allowed;
} attempts[] = {
    { "socket", SYS_socket, AF_INET, SOCK_STREAM, 0, 0, false },
    { "connect", SYS_connect, 3, 0, 0, 0, false },
    { "execve", SYS_execve, 0, 0, 0, 0, false },
    { "fork", SYS_fork, 0, 0, 0, 0, false },
    { "clone", SYS_clone, SIGCHLD, 0, 0, 0, false },
    { "open", SYS_open, (long)(uintptr_t) "/", O_RDONLY, 0, 0, false },
#ifndef __SANITIZE_ADDRESS__ /* which needs it itself */
    { "openat", SYS_openat, AT_FDCWD, (long)(uintptr_t) "/", O_RDONLY, 0, false },
#endif
    { "ptrace", SYS_ptrace, PTRACE_TRACEME, 0, 0, 0, false },
    { "kill", SYS_kill, 1, 0, 0, 0, false },
    { "ioctl", SYS_ioctl, 0, 0, 0, 0, false },
    { "unshare", SYS_unshare, 0, 0, 0, 0, false },
    { "io_uring_setup", SYS_io_uring_setup, 1, 0, 0, 0, false },
    { "memfd_create", SYS_memfd_create, 0, 0, 0, 0, false },
    { "mprotect to run", SYS_mprotect, 0, 0, PROT_READ | PROT_EXEC, 0, false },
    { "mmap to run", SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, false },
    { "mmap", SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, true },
    { "getpid", SYS_getpid, 0, 0, 0, 0, true },
    { "poll", SYS_poll, 0, 0, 0, 0, true },
};

/* The signal that ended the attempt; 0: it lived. */
static int try_it(const struct attempt *a)
{
    pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        prctl(PR_SET_DUMPABLE, 0);
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        if (sandbox_filter())
            syscall(SYS_exit_group, 2);
        syscall(a->nr, a->a, a->b, a->c, a->d, -1, 0);
        syscall(SYS_exit_group, 0);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(!WIFEXITED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST(what_the_filter_lets_through)
{
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
        int sig = try_it(&attempts[i]);
        if (sig != (attempts[i].allowed ? 0 : SIGSYS))
            printf("%s: ended by signal %d\n", attempts[i].name, sig);
        CHECK_EQ(sig, attempts[i].allowed ? 0 : SIGSYS);
    }
}
