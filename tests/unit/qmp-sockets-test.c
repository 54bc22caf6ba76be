/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the control protocol listens: paths, inherited sockets, what is in the way. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "tests/unit/qmp-rig.h"
#include "tests/unit/qt.h"

TEST(inherited_socket)
{
    struct rig r = { .f = NULL };
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    char args[128];
    struct client *c;

    rig_dir(&r);
    memcpy(sa.sun_path, r.cmd, sizeof(r.cmd));
    CHECK(bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 && listen(fd, 1) == 0);
    snprintf(args, sizeof(args),
             "dm|-S|-chardev|socket,id=x,fd=%d,server=on,wait=off|"
             "-mon|x,mode=control",
             fd);
    r.f = fake_new(args);
    r.q = qmp_new(&r.f->loop, &r.f->vm, r.f->vm.args.chardevs, 1, NULL);
    CHECK(r.q != NULL);
    c = libxl(&r);
    say(c, "{\"execute\":\"query-chardev\"}");
    CHECK(had(c, r.cmd));
    hang_up(c);
    qmp_free(r.q);
    CHECK(access(r.cmd, F_OK) == 0); /* it is the toolstack's to remove */
    fake_free(r.f);
    unlink(r.cmd);
    rmdir(r.dir);
}

static bool refuses(const char *chardev, const char *words)
{
    char args[256];
    struct err err = { "" };
    struct fake *f;
    struct qmp *q;

    snprintf(args, sizeof(args), "dm|-chardev|socket,id=x,%s,server=on|-mon|x,mode=control",
             chardev);
    f = fake_new(args);
    q = qmp_new(&f->loop, &f->vm, f->vm.args.chardevs, 1, &err);
    qmp_free(q);
    if (!strstr(err.msg, words))
        fprintf(stderr, "%s\n", err.msg);
    fake_free(f);
    return !q && strstr(err.msg, words);
}

TEST(sockets_that_cannot_be)
{
    struct rig r = { .f = NULL };
    char path[64], chardev[80];
    int fd;

    rig_dir(&r);
    fd = temp_file(&r, "file", "precious", path);
    snprintf(chardev, sizeof(chardev), "path=%s", path);
    CHECK(refuses(chardev, "there is a file of that name"));
    CHECK(access(path, F_OK) == 0);
    snprintf(chardev, sizeof(chardev), "fd=%d", fd);
    CHECK(refuses(chardev, "is not a listening UNIX socket"));
    CHECK(refuses("path=/no/such/dir/sock", "/no/such/dir/sock: No such file"));
    CHECK(refuses("path=/a/very/long/path/that/goes/on/and/on/and/on/and/on/and/on/and/on/and/on/"
                  "and/on/and/on/and/on/and/on/and/on/end/of/it",
                  "must have 1 to 107 bytes"));
    close(fd);
    unlink(path);
    rmdir(r.dir);
}

TEST(stale_socket_is_replaced)
{
    struct rig *r = rig_new("");
    struct err err = { "" };
    struct stat st;
    struct client *c;
    struct qmp *old = r->q;

    r->q = qmp_new(&r->f->loop, &r->f->vm, r->f->vm.args.chardevs, r->f->vm.args.nchardevs, &err);
    CHECK(r->q != NULL);
    c = libxl(r);
    CHECK(stat(r->cmd, &st) == 0 && (st.st_mode & 0777) == 0600);
    hang_up(c);
    r->f->vm.qmp = NULL;
    qmp_free(old);
    r->f->vm.qmp = r->q;
    rig_free(r);
}
