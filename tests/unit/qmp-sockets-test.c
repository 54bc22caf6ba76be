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

/* A qtest client listens by itself, and the device model is to call it. */
static int listen_at(const char *path)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
    CHECK(bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 && listen(fd, 1) == 0);
    return fd;
}

static struct client *take_call(struct rig *r, int listener)
{
    struct client *c = calloc(1, sizeof(*c));

    c->r = r;
    c->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    CHECK(c->fd >= 0);
    return c;
}

TEST(connects_to_a_client_that_waits)
{
    struct rig r = { .f = NULL };
    char args[160], name[96];
    struct client *c;
    int fd;

    rig_dir(&r);
    fd = listen_at(r.cmd);
    snprintf(args, sizeof(args), "dm|-S|-chardev|socket,path=%s,id=char0|-mon|char0,mode=control",
             r.cmd);
    r.f = fake_new(args);
    r.q = qmp_new(&r.f->loop, &r.f->vm, r.f->vm.args.chardevs, 1, NULL);
    CHECK(r.q != NULL);
    c = take_call(&r, fd);
    CHECK(got(c, GREETING));
    say(c, "{\"execute\":\"qmp_capabilities\",\"id\":1}");
    CHECK(got(c, OK("1")));
    say(c, "{\"execute\":\"query-chardev\"}");
    snprintf(name, sizeof(name), "\"unix:%s\", \"label\": \"char0\"", r.cmd);
    CHECK(had(c, name));
    hang_up(c);
    qmp_free(r.q);
    fake_free(r.f);
    CHECK(access(r.cmd, F_OK) == 0); /* it is the client's */
    close(fd);
    unlink(r.cmd);
    rmdir(r.dir);
}

TEST(nobody_to_connect_to)
{
    struct fake *f =
        fake_new("dm|-S|-chardev|socket,path=/no/such/dir/s,id=char0|-mon|char0,mode=control");
    struct err err = { "" };

    CHECK(!qmp_new(&f->loop, &f->vm, f->vm.args.chardevs, 1, &err));
    CHECK(strstr(err.msg, "control socket /no/such/dir/s: No such file"));
    fake_free(f);
}

TEST(calls_again_after_a_hang_up)
{
    struct rig r = { .f = NULL };
    char args[160];
    struct client *c;
    int fd;

    rig_dir(&r);
    fd = listen_at(r.cmd);
    snprintf(args, sizeof(args),
             "dm|-S|-chardev|socket,path=%s,id=char0,reconnect=1|-mon|char0,mode=control", r.cmd);
    r.f = fake_new(args);
    r.q = qmp_new(&r.f->loop, &r.f->vm, r.f->vm.args.chardevs, 1, NULL);
    c = take_call(&r, fd);
    CHECK(got(c, GREETING));
    hang_up(c);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    c = calloc(1, sizeof(*c));
    c->r = &r;
    for (double end = seconds() + 20; (c->fd = accept(fd, NULL, NULL)) < 0 && seconds() < end;)
        turn(&r);
    CHECK(got(c, GREETING));
    hang_up(c);
    qmp_free(r.q);
    fake_free(r.f);
    close(fd);
    unlink(r.cmd);
    rmdir(r.dir);
}
