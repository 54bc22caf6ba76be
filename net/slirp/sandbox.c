/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portico-slirp: what the worker gives up before it sees a byte of the guest's.
 * It needs sockets, /etc/resolv.conf and the files of tftp=; the rest goes:
 * root, files (Landlock, where the kernel has it), and the system calls that
 * start programs or reach into other processes or the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "net/slirp/helper.h"

#define NOBODY    65534
#define MAX_FILES 1100          /* some 1000 connections */
#define MAX_SPACE (512ul << 20) /* buffers of that many connections */

static int fail(struct err *err, const char *what)
{
    int e = errno;

    return err_set(err, -e, "portico-slirp: %s: %s", what, strerror(e));
}

static void limit(int what, rlim_t most)
{
    struct rlimit r = { most, most };

    setrlimit((__rlimit_resource_t)what, &r);
}

/* ---- files ---- */

static int allow(int rules, const char *path, uint64_t access)
{
    struct landlock_path_beneath_attr a = { .allowed_access = access,
                                            .parent_fd = open(path, O_PATH | O_CLOEXEC) };
    long rc;

    if (a.parent_fd < 0)
        return 0; /* what is not there need not be allowed */
    rc = syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &a, 0);
    close(a.parent_fd);
    return (int)rc;
}

/* Without Landlock in the kernel, what user nobody may read is the limit. */
static int forbid_files(const char *tftp, struct err *err)
{
    const struct landlock_ruleset_attr all = {
        .handled_access_fs = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |
                             LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
                             LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                             LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
                             LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                             LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                             LANDLOCK_ACCESS_FS_MAKE_SYM
    };
    const uint64_t read = LANDLOCK_ACCESS_FS_READ_FILE;
    int rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0), rc;

    if (rules < 0)
        return errno == ENOSYS || errno == EOPNOTSUPP ? 0 : fail(err, "Landlock");
    /* resolv.conf is often a link, and often replaced: its directories, not the file. */
    rc = allow(rules, "/etc", read) || allow(rules, "/run/systemd/resolve", read) ||
         allow(rules, "/run/resolvconf", read) || allow(rules, "/run/NetworkManager", read) ||
         (tftp && allow(rules, tftp, read | LANDLOCK_ACCESS_FS_READ_DIR)) ||
         syscall(SYS_landlock_restrict_self, rules, 0);
    rc = rc ? fail(err, "Landlock") : 0;
    close(rules);
    return rc;
}

/* ---- system calls ---- */

#define NO(call)                                                                                   \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1),                                         \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

static int forbid_calls(struct err *err)
{
#ifdef __x86_64__
    struct sock_filter f[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1), /* the x32 calls */
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        NO(execve),
        NO(execveat),
        NO(fork),
        NO(vfork),
        NO(ptrace),
        NO(process_vm_readv),
        NO(process_vm_writev),
        NO(pidfd_getfd),
        NO(pidfd_send_signal),
        NO(mount),
        NO(umount2),
        NO(move_mount),
        NO(open_tree),
        NO(fsopen),
        NO(pivot_root),
        NO(chroot),
        NO(setns),
        NO(unshare),
        NO(open_by_handle_at),
        NO(init_module),
        NO(finit_module),
        NO(delete_module),
        NO(kexec_load),
        NO(kexec_file_load),
        NO(bpf),
        NO(perf_event_open),
        NO(userfaultfd),
        NO(io_uring_setup),
        NO(keyctl),
        NO(add_key),
        NO(request_key),
        NO(symlink),
        NO(link),
        NO(unlink),
        NO(rename),
        NO(chmod),
        NO(chown),
        NO(truncate),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog prog = { sizeof(f) / sizeof(f[0]), f };

    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) && errno != EINVAL && errno != ENOSYS)
        return fail(err, "seccomp");
#endif
    return 0;
}

/* ---- all of it ---- */

static int drop_root(struct err *err)
{
    if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
        setresuid(NOBODY, NOBODY, NOBODY))
        return fail(err, "becoming user nobody");
    return 0;
}

int sandbox_enter(const char *tftp, struct err *err)
{
    int rc = geteuid() == 0 ? drop_root(err) : 0;

    if (!rc && tftp && access(tftp, R_OK | X_OK))
        rc = err_set(err, -errno,
                     "tftp=%s: %s for uid %u, who serves it; chmod o+rx it and what is above", tftp,
                     strerror(errno), geteuid());
    if (!rc && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        rc = fail(err, "PR_SET_NO_NEW_PRIVS");
    if (!rc)
        rc = forbid_files(tftp, err);
    if (rc)
        return rc;
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, MAX_FILES);
#ifndef __SANITIZE_ADDRESS__ /* whose shadow takes terabytes, and whose reports go to a file */
    limit(RLIMIT_AS, MAX_SPACE);
    limit(RLIMIT_FSIZE, 0);
#endif
    prctl(PR_SET_DUMPABLE, 0);
    return forbid_calls(err);
}
