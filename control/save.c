/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The blob libxl carries to the device model that goes on with the guest:
 * magic, format version, number of devices; for each its id, type, place and
 * state. What is on the board is found by its id; a card by its place, as
 * cards that came or went at run time leave neither ids nor the order of the
 * command line to go by. Format 1 had no types and places.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "control/parts.h"
#include "hw/core/buf.h"
#include "hw/core/state.h"

#define SAVE_MAGIC   "PORTICO\n"
#define SAVE_VERSION 2
#define SAVE_MAX     (64u << 20)

static int write_all(int fd, const uint8_t *p, size_t len)
{
    while (len) {
        ssize_t n = write(fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -ENOSPC;
        p += n;
        len -= n;
    }
    return 0;
}

int save_write(struct vm *vm, int fd, struct err *err)
{
    struct buf b = { 0 };
    int rc = 0;

    buf_put(&b, SAVE_MAGIC, strlen(SAVE_MAGIC));
    buf_put_uint(&b, SAVE_VERSION, 4);
    buf_put_uint(&b, vm->machine.n, 4);
    for (unsigned i = 0; i < vm->machine.n; i++) {
        char place[MACHINE_PLACE];

        machine_place(&vm->machine, vm->machine.dev[i], place);
        buf_put_str(&b, vm->machine.dev[i]->id);
        buf_put_str(&b, vm->machine.dev[i]->type->name);
        buf_put_str(&b, place);
        state_save(vm->machine.dev[i], &b);
    }
    if (b.bad)
        rc = -ENOMEM;
    if (!rc && (lseek(fd, 0, SEEK_SET) < 0 && errno != ESPIPE))
        rc = -errno;
    if (!rc)
        rc = write_all(fd, b.data, b.len);
    buf_free(&b);
    return rc ? err_set(err, rc, "cannot write the device state: %s", strerror(-rc)) : 0;
}

static int read_all(int fd, struct buf *b)
{
    uint8_t part[65536];
    ssize_t n;

    while ((n = read(fd, part, sizeof(part))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (b->len + n > SAVE_MAX)
            return -EFBIG;
        buf_put(b, part, n);
    }
    return b->bad ? -ENOMEM : 0;
}

struct loading {
    struct vm *vm;
    struct buf b;
    unsigned version, n;
    bool done[MACHINE_DEVICES]; /* by index of the machine's devices */
};

static int load_header(struct loading *l, struct err *err)
{
    char magic[sizeof(SAVE_MAGIC)] = "";

    buf_get(&l->b, magic, strlen(SAVE_MAGIC));
    if (strcmp(magic, SAVE_MAGIC))
        return err_set(err, -EINVAL,
                       "-incoming: this is not a state saved by portico-dm; restore "
                       "it with the device model that saved it");
    l->version = (unsigned)buf_get_uint(&l->b, 4);
    if (l->version < 1 || l->version > SAVE_VERSION)
        return err_set(err, -EINVAL, "-incoming: saved in format %u, this program reads 1 to %d",
                       l->version, SAVE_VERSION);
    l->n = (unsigned)buf_get_uint(&l->b, 4);
    if (l->version == 1 && l->n != l->vm->machine.n)
        return err_set(err, -EINVAL,
                       "-incoming: saved with %u devices, configured are %u; use "
                       "the configuration it was saved with",
                       l->n, l->vm->machine.n);
    return 0;
}

static struct device *in_place(const struct machine *m, const char *place)
{
    for (unsigned i = m->nboard; i < m->n; i++) {
        char there[MACHINE_PLACE];

        machine_place(m, m->dev[i], there);
        if (!strcmp(there, place))
            return m->dev[i];
    }
    return NULL;
}

/* The card that is now where one was; NULL and the line. */
static struct device *find_card(const struct machine *m, const char *id, const char *type,
                                const char *place, struct err *err)
{
    struct device *dev = in_place(m, place), *called = machine_find(m, id);
    char now[MACHINE_PLACE];

    if (dev && !strcmp(dev->type->name, type))
        return dev;
    if (dev) {
        err_set(err, -EINVAL,
                "-incoming: at %s the guest had a %s (id=%s), and here is a %s (id=%s); use the "
                "devices it was saved with",
                place, type, id, dev->type->name, dev->id);
    } else if (called && !strcmp(called->type->name, type)) {
        machine_place(m, called, now);
        err_set(err, -EINVAL,
                "-incoming: the guest had %s (%s) at %s, and here it is at %s; say "
                "-device %s,id=%s,%s",
                id, type, place, now, type, id, place);
    } else {
        err_set(err, -EINVAL,
                "-incoming: saved with a device %s that is not configured; add -device "
                "%s,id=%s,%s",
                id, type, id, place);
    }
    return NULL;
}

static struct device *find_board(const struct machine *m, const char *id, struct err *err)
{
    struct device *dev = machine_find(m, id);

    if (!dev)
        err_set(err, -EINVAL, "-incoming: saved with a device %s that is not configured", id);
    return dev;
}

static int load_device(struct loading *l, struct err *err)
{
    const struct machine *m = &l->vm->machine;
    char id[256], type[256] = "", place[256] = "";
    struct device *dev;
    unsigned i = 0;

    if (!buf_get_str(&l->b, id, sizeof(id)) ||
        (l->version > 1 &&
         (!buf_get_str(&l->b, type, sizeof(type)) || !buf_get_str(&l->b, place, sizeof(place)))))
        return err_set(err, -EINVAL, "-incoming: the saved state ends early");
    dev = *place ? find_card(m, id, type, place, err) : find_board(m, id, err);
    if (!dev)
        return -EINVAL;
    while (m->dev[i] != dev)
        i++;
    if (l->done[i])
        return err_set(err, -EINVAL, "-incoming: the saved state has %s twice", id);
    l->done[i] = true;
    return state_load(dev, &l->b, err);
}

static int load_devices(struct loading *l, struct err *err)
{
    const struct machine *m = &l->vm->machine;
    int rc = 0;

    for (unsigned i = 0; i < l->n && !rc; i++)
        rc = load_device(l, err);
    if (rc)
        return rc;
    for (unsigned i = 0; i < m->n; i++) {
        if (!l->done[i])
            return err_set(err, -EINVAL,
                           "-incoming: %s (%s) is configured and was not there when the guest was "
                           "saved; leave it out",
                           m->dev[i]->id, m->dev[i]->type->name);
    }
    return l->b.pos == l->b.len ? 0
                                : err_set(err, -EINVAL, "-incoming: the saved state is too long");
}

int save_read(struct vm *vm, int fd, struct err *err)
{
    struct loading l = { .vm = vm };
    int rc = read_all(fd, &l.b);

    if (rc)
        err_set(err, rc, "-incoming: cannot read the saved state: %s", strerror(-rc));
    else
        rc = load_header(&l, err);
    if (!rc)
        rc = load_devices(&l, err);
    buf_free(&l.b);
    return rc;
}
