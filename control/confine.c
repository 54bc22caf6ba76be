/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libxl's dm_restrict=1 asks for: an empty root, another user, handles for one domain. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "control/parts.h"

/* "user", or "UID:GID" in numbers */
static int find_user(const char *spec, uid_t *uid, gid_t *gid, struct err *err)
{
    unsigned u, g;
    char rest;
    const struct passwd *pw;

    if (sscanf(spec, "%u:%u%c", &u, &g, &rest) == 2) {
        *uid = u;
        *gid = g;
        return 0;
    }
    pw = getpwnam(spec);
    if (!pw)
        return err_set(err, -ENOENT, "-runas %s: no such user; make it, or give UID:GID", spec);
    *uid = pw->pw_uid;
    *gid = pw->pw_gid;
    return 0;
}

int confine(const struct vm *vm, struct err *err)
{
    const struct vm_args *a = &vm->args;
    uid_t uid = 0;
    gid_t gid = 0;
    int rc;

    /* Users and /dev/null, which the restricted xenstore becomes, are not in the new root. */
    if (a->runas && (rc = find_user(a->runas, &uid, &gid, err)))
        return rc;
    if (a->domid_restrict && (rc = world_restrict(vm->world, vm->plat, err)))
        return rc;
    if (a->chroot && (chroot(a->chroot) || chdir("/")))
        return err_set(err, -errno, "-chroot %s: %s", a->chroot, strerror(errno));
    if (a->runas && (setgroups(0, NULL) || setgid(gid) || setuid(uid)))
        return err_set(err, -errno, "-runas %s: %s", a->runas, strerror(errno));
    if (a->runas && uid && !setuid(0))
        return err_set(err, -EPERM, "-runas %s: root could be had back", a->runas);
    return 0;
}
