/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets and clients for the tests of the control protocol: see qmp-rig.h. */
#include "tests/unit/qmp-rig.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "tests/unit/qt.h"

#define ARGS                                                                                       \
    "dm|-xen-domid|1|-S|-name|g1|-smp|2,maxcpus=4|-serial|pty|-machine|xenfv|"                     \
    "-hda|/a.img|-drive|if=none,readonly=on,id=ide-5696|"                                          \
    "-device|ide-cd,id=ide-5696,drive=ide-5696,bus=ide.1,unit=1|"

void rig_dir(struct rig *r)
{
    memcpy(r->dir, "/tmp/qmp-test-XXXXXX", 21);
    if (!mkdtemp(r->dir))
        abort();
    snprintf(r->cmd, sizeof(r->cmd), "%s/cmd", r->dir);
    snprintf(r->stat, sizeof(r->stat), "%s/stat", r->dir);
}

struct rig *rig_new(const char *more)
{
    struct rig *r = calloc(1, sizeof(*r));
    char args[1024];
    struct err err = { "" };

    rig_dir(r);
    snprintf(args, sizeof(args),
             ARGS "-chardev|socket,id=libxl-cmd,path=%s,server=on,wait=off|-mon|chardev=libxl-cmd,"
                  "mode=control|-chardev|socket,id=libxenstat-cmd,path=%s,server=on,wait=off|"
                  "-mon|chardev=libxenstat-cmd,mode=control|%s",
             r->cmd, r->stat, more);
    r->f = fake_new(args);
    r->q = qmp_new(&r->f->loop, &r->f->vm, r->f->vm.args.chardevs, r->f->vm.args.nchardevs, &err);
    if (!r->q)
        fprintf(stderr, "%s\n", err.msg);
    CHECK(r->q && r->f->vm.qmp == r->q);
    return r;
}

void rig_free(struct rig *r)
{
    rig_free_with(r, NULL);
}

void rig_free_with(struct rig *r, const char *file)
{
    qmp_free(r->q);
    CHECK(!r->f->vm.qmp);
    CHECK(access(r->cmd, F_OK) && access(r->stat, F_OK));
    fake_free(r->f);
    CHECK(!file || unlink(file) == 0);
    CHECK(rmdir(r->dir) == 0);
    free(r);
}

void turn(struct rig *r)
{
    uv_run(&r->f->loop, UV_RUN_NOWAIT);
}

struct client *dial(struct rig *r, const char *path)
{
    struct client *c = calloc(1, sizeof(*c));
    struct sockaddr_un sa = { .sun_family = AF_UNIX };

    c->r = r;
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
    CHECK(connect(c->fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
    return c;
}

void hang_up(struct client *c)
{
    close(c->fd);
    turn(c->r);
    free(c->in);
    free(c);
}

void slurp(struct client *c)
{
    ssize_t n;

    do {
        if (c->cap - c->len < 65536) {
            c->cap = 2 * c->cap + 131072;
            c->in = realloc(c->in, c->cap);
        }
        n = recv(c->fd, c->in + c->len, c->cap - c->len - 1, MSG_DONTWAIT);
        if (n > 0)
            c->len += (size_t)n;
        if (n == 0 || (n < 0 && errno != EAGAIN))
            c->eof = true;
    } while (n > 0);
    c->in[c->len] = 0;
}

double seconds(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Turns the loop until `text` is in what came, or the peer hung up, or 5 s. */
bool await(struct client *c, const char *text)
{
    double end = seconds() + 5;

    do {
        turn(c->r);
        slurp(c);
        if (text && strstr(c->in, text))
            return true;
    } while (!c->eof && seconds() < end);
    return false;
}

/* Everything that came so far is exactly `text`; forget it. */
bool got(struct client *c, const char *text)
{
    bool same = await(c, text) && !strcmp(c->in, text);

    if (!same)
        fprintf(stderr, "got: %swanted: %s", c->in, text);
    c->len = 0;
    return same;
}

/* `text` came, perhaps with more; forget it. */
bool had(struct client *c, const char *text)
{
    bool in = await(c, text);

    if (!in)
        fprintf(stderr, "got: %swanted in it: %s\n", c->in, text);
    c->len = 0;
    return in;
}

void say(struct client *c, const char *text)
{
    size_t len = strlen(text);

    while (len) {
        ssize_t n = send(c->fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno != EAGAIN)
            return;
        if (n > 0) {
            text += n;
            len -= (size_t)n;
        }
        turn(c->r);
    }
}

void say_with_fds(struct client *c, const char *text, const int *fds, unsigned n)
{
    char space[CMSG_SPACE(8 * sizeof(int))] = { 0 };
    struct iovec iov = { (char *)(uintptr_t)text, strlen(text) };
    struct msghdr mh = { .msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = space,
                         .msg_controllen = CMSG_SPACE(n * sizeof(int)) };
    struct cmsghdr *cm = CMSG_FIRSTHDR(&mh);

    cm->cmsg_level = SOL_SOCKET;
    cm->cmsg_type = SCM_RIGHTS;
    cm->cmsg_len = CMSG_LEN(n * sizeof(int));
    memcpy(CMSG_DATA(cm), fds, n * sizeof(int));
    CHECK(sendmsg(c->fd, &mh, 0) == (ssize_t)strlen(text));
}

/* Connected and negotiated, as libxl does it. */
struct client *libxl(struct rig *r)
{
    struct client *c = dial(r, r->cmd);

    CHECK(got(c, GREETING));
    say(c, "{\"execute\":\"qmp_capabilities\",\"id\":2020372737}\r\n");
    CHECK(got(c, OK("2020372737")));
    return c;
}

bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

unsigned open_fds(void)
{
    unsigned n = 0;

    for (int fd = 0; fd < 1024; fd++)
        n += is_open(fd);
    return n;
}

int temp_file(struct rig *r, const char *name, const char *text, char path[64])
{
    int fd;

    snprintf(path, 64, "%s/%s", r->dir, name);
    fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    return fd;
}
