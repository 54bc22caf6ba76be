/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/qmp-fd.c: descriptors that clients pass, grouped in sets that other
 * verbs name as "/dev/fdset/K". They live as long as the connection that
 * brought them; whoever uses one works on a duplicate.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "control/keyval.h"
#include "control/qmp-impl.h"

#define FDSET_PATH "/dev/fdset/"
#define NFDS       (sizeof(((struct vm *)0)->fds) / sizeof(((struct vm *)0)->fds[0]))

static bool set_exists(const struct vm *vm, json_int_t set)
{
    for (unsigned i = 0; i < NFDS; i++) {
        if (vm->fds[i].owner && vm->fds[i].fdset == set)
            return true;
    }
    return false;
}

static struct vm_fd *free_slot(struct vm *vm)
{
    for (unsigned i = 0; i < NFDS; i++) {
        if (!vm->fds[i].owner)
            return &vm->fds[i];
    }
    return NULL;
}

static void forget(struct vm_fd *f)
{
    close(f->fd);
    memset(f, 0, sizeof(*f));
    f->fd = -1;
}

void qmp_fdset_forget(struct vm *vm, const void *owner)
{
    for (unsigned i = 0; i < NFDS; i++) {
        if (vm->fds[i].owner && vm->fds[i].owner == owner)
            forget(&vm->fds[i]);
    }
}

static void add_fd(struct qmp_call *c)
{
    const char *opaque = qmp_arg(c, "opaque", "");
    json_int_t set = qmp_arg_int(c, "fdset-id", -1);
    struct vm_fd *slot = free_slot(c->vm);
    int fd;

    if (json_object_get(c->args, "fdset-id") && (set < 0 || set > INT32_MAX)) {
        qmp_fail(c, "Parameter 'fdset-id' expects a non-negative value");
        return;
    }
    fd = qmp_client_take_fd(c->client);
    if (fd < 0) {
        qmp_fail(c, "No file descriptor supplied via SCM_RIGHTS");
        return;
    }
    if (!slot || strlen(opaque) >= sizeof(slot->opaque)) {
        close(fd);
        qmp_fail(c, slot ? "Parameter 'opaque' is too long" : "Too many file descriptors");
        return;
    }
    for (set = set < 0 ? 0 : set; !json_object_get(c->args, "fdset-id") && set_exists(c->vm, set);)
        set++;
    slot->owner = c->client;
    slot->fd = fd;
    slot->fdset = (int)set;
    memcpy(slot->opaque, opaque, strlen(opaque) + 1);
    c->ret = json_pack("{s:i, s:I}", "fd", fd, "fdset-id", set);
}

static void remove_fd(struct qmp_call *c)
{
    json_int_t set = qmp_arg_int(c, "fdset-id", -1), fd = qmp_arg_int(c, "fd", -1);
    bool one = json_object_get(c->args, "fd"), found = false;

    for (unsigned i = 0; i < NFDS; i++) {
        struct vm_fd *f = &c->vm->fds[i];

        if (f->owner && f->fdset == set && (!one || f->fd == fd)) {
            forget(f);
            found = true;
        }
    }
    if (!found && one)
        qmp_fail(c, "File descriptor named 'fdset-id:%lld, fd:%lld' not found", (long long)set,
                 (long long)fd);
    else if (!found)
        qmp_fail(c, "File descriptor named 'fdset-id:%lld' not found", (long long)set);
}

static json_t *find_set(json_t *sets, int id)
{
    size_t i;
    json_t *set;

    json_array_foreach(sets, i, set)
    {
        if (json_integer_value(json_object_get(set, "fdset-id")) == id)
            return set;
    }
    set = json_pack("{s:i, s:[]}", "fdset-id", id, "fds");
    json_array_append_new(sets, set);
    return set;
}

static void query_fdsets(struct qmp_call *c)
{
    c->ret = json_array();
    for (unsigned i = 0; i < NFDS; i++) {
        const struct vm_fd *f = &c->vm->fds[i];
        json_t *fd;

        if (!f->owner)
            continue;
        fd = json_pack("{s:i}", "fd", f->fd);
        if (f->opaque[0])
            json_object_set_new(fd, "opaque", qmp_str(f->opaque));
        json_array_append_new(json_object_get(find_set(c->ret, f->fdset), "fds"), fd);
    }
}

static bool opened_for(int fd, bool write)
{
    int mode = fcntl(fd, F_GETFL) & O_ACCMODE;

    return mode == O_RDWR || mode == (write ? O_WRONLY : O_RDONLY);
}

int qmp_fdset_open(struct qmp_call *c, const char *filename, bool write, const char **name)
{
    uint64_t set;
    int fd = -1;

    if (strncmp(filename, FDSET_PATH, strlen(FDSET_PATH)))
        return -2;
    if (!parse_uint(filename + strlen(FDSET_PATH), INT32_MAX, &set) ||
        !set_exists(c->vm, (json_int_t)set)) {
        qmp_fail(c, "%s: there is no such set of descriptors (add-fd first)", filename);
        return -1;
    }
    for (unsigned i = 0; i < NFDS && fd < 0; i++) {
        const struct vm_fd *f = &c->vm->fds[i];

        if (!f->owner || f->fdset != (int)set || !opened_for(f->fd, write))
            continue;
        fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 3);
        if (name)
            *name = f->opaque[0] ? f->opaque : NULL;
    }
    if (fd < 0)
        qmp_fail(c, "%s: holds no descriptor that is open for %s", filename,
                 write ? "writing" : "reading");
    return fd;
}

const struct qmp_verb qmp_fd_verbs[] = {
    { "add-fd", add_fd, "fdset-id:i? opaque:s?", NULL },
    { "remove-fd", remove_fd, "fdset-id:i fd:i?", NULL },
    { "query-fdsets", query_fdsets, NULL, NULL },
    { NULL, NULL, NULL, NULL },
};
