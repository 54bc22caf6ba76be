/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A hypervisor for the back ends of PV devices: see fake-pv.h. */
#include "tests/unit/fake-pv.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PORT_BASE 100
#define ROUNDS    64

/* ---- xenstore: relative paths are domain 0's ---- */

static void absolute(const char *path, char *out, size_t size)
{
    snprintf(out, size, "%s%s", path[0] == '/' ? "" : "/local/domain/0/", path);
}

static int find(const struct fake_pv *f, const char *path)
{
    for (int i = 0; i < FAKE_NODES; i++) {
        if (f->node[i].path && !strcmp(f->node[i].path, path))
            return i;
    }
    return -1;
}

static bool below(const char *path, const char *base)
{
    size_t n = strlen(base);

    return !strncmp(path, base, n) && (path[n] == '/' || !path[n]);
}

static void touched(struct fake_pv *f, const char *path)
{
    for (int i = 0; i < FAKE_WATCHES; i++)
        f->watch[i].due |= f->watch[i].on && below(path, f->watch[i].path);
}

static void put(struct fake_pv *f, const char *path, const char *val)
{
    int at = find(f, path);

    for (int i = 0; at < 0 && i < FAKE_NODES; i++) {
        if (!f->node[i].path) {
            f->node[i].path = strdup(path);
            at = i;
        }
    }
    if (at < 0)
        return; /* a quota, as the real one has */
    free(f->node[at].val);
    f->node[at].val = strdup(val);
    touched(f, path);
}

void fake_set(struct fake_pv *f, const char *path, const char *fmt, ...)
{
    char full[192], val[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(val, sizeof(val), fmt, ap);
    va_end(ap);
    absolute(path, full, sizeof(full));
    put(f, full, val);
}

void fake_rm(struct fake_pv *f, const char *path)
{
    char full[192];

    absolute(path, full, sizeof(full));
    for (int i = 0; i < FAKE_NODES; i++) {
        if (!f->node[i].path || !below(f->node[i].path, full))
            continue;
        touched(f, f->node[i].path);
        free(f->node[i].path);
        free(f->node[i].val);
        f->node[i].path = f->node[i].val = NULL;
    }
}

const char *fake_get(const struct fake_pv *f, const char *path)
{
    char full[192];
    int at;

    absolute(path, full, sizeof(full));
    at = find(f, full);
    return at < 0 ? "" : f->node[at].val;
}

void fake_settle(struct fake_pv *f)
{
    bool any = true;

    for (int round = 0; any && round < ROUNDS; round++) {
        any = false;
        for (int i = 0; i < FAKE_WATCHES; i++) {
            char token[64];

            if (!f->watch[i].on || !f->watch[i].due)
                continue;
            f->watch[i].due = false;
            any = true;
            memcpy(token, f->watch[i].token, sizeof(token));
            pv_watch_fired(f->pv, token);
        }
        if (any)
            pv_watches_settled(f->pv);
    }
}

static char *op_read(void *arg, const char *path)
{
    struct fake_pv *f = arg;
    char full[192];
    int at;

    absolute(path, full, sizeof(full));
    at = find(f, full);
    return at < 0 ? NULL : strdup(f->node[at].val);
}

static int op_write(void *arg, const char *path, const char *val)
{
    fake_set(arg, path, "%s", val);
    return 0;
}

static bool in_list(char **list, unsigned n, const char *name)
{
    for (unsigned i = 0; i < n; i++) {
        if (!strcmp(list[i], name))
            return true;
    }
    return false;
}

static char **op_list(void *arg, const char *path, unsigned *n)
{
    struct fake_pv *f = arg;
    char full[192], *text;
    char **list = calloc(1, FAKE_NODES * (sizeof(char *) + 32));

    *n = 0;
    if (!list)
        return NULL;
    text = (char *)(list + FAKE_NODES);
    absolute(path, full, sizeof(full));
    for (int i = 0; i < FAKE_NODES; i++) {
        const char *p = f->node[i].path;
        char name[32];

        if (!p || !below(p, full) || !p[strlen(full)])
            continue;
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(p + strlen(full) + 1, "/"),
                 p + strlen(full) + 1);
        if (in_list(list, *n, name))
            continue;
        list[*n] = text + 32 * *n;
        memcpy(list[(*n)++], name, sizeof(name));
    }
    return list;
}

static int op_watch(void *arg, const char *path, const char *token, bool on)
{
    struct fake_pv *f = arg;
    char full[192];

    absolute(path, full, sizeof(full));
    for (int i = 0; i < FAKE_WATCHES; i++) {
        if (on && !f->watch[i].on) {
            f->watch[i].on = f->watch[i].due = true;
            snprintf(f->watch[i].path, sizeof(f->watch[i].path), "%s", full);
            snprintf(f->watch[i].token, sizeof(f->watch[i].token), "%s", token);
            return 0;
        }
        if (!on && f->watch[i].on && !strcmp(f->watch[i].path, full) &&
            !strcmp(f->watch[i].token, token)) {
            f->watch[i].on = false;
            return 0;
        }
    }
    return -ENOENT;
}

/* ---- memory ---- */

static bool granted(const struct fake_pv *f, uint32_t ref)
{
    return ref < FAKE_PAGES && f->granted[ref];
}

static void *op_map(void *arg, uint32_t *refs, unsigned n)
{
    struct fake_pv *f = arg;
    uint8_t *host;

    f->maps++;
    for (unsigned i = 0; i < n; i++) {
        if (!granted(f, refs[i]) || f->readonly[refs[i]])
            return NULL;
    }
    host = mmap(NULL, (size_t)n * PV_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (host == MAP_FAILED)
        return NULL;
    for (unsigned i = 0; i < n; i++) {
        if (mmap(host + (size_t)i * PV_PAGE, PV_PAGE, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_FIXED, f->memfd, (off_t)refs[i] * PV_PAGE) == MAP_FAILED) {
            munmap(host, (size_t)n * PV_PAGE);
            return NULL;
        }
    }
    f->mapped += n;
    return host;
}

static void op_unmap(void *arg, void *host, unsigned n)
{
    struct fake_pv *f = arg;

    munmap(host, (size_t)n * PV_PAGE);
    f->mapped -= n;
}

static void op_copy(void *arg, struct pv_copy *c, unsigned n)
{
    struct fake_pv *f = arg;

    for (unsigned i = 0; i < n; i++) {
        f->copies++;
        if (c[i].off + (unsigned)c[i].len > PV_PAGE)
            abort(); /* the hypervisor would refuse it, but nobody may ask */
        c[i].failed = !granted(f, c[i].ref) || (c[i].to_guest && f->readonly[c[i].ref]);
        if (c[i].failed)
            continue;
        if (c[i].to_guest)
            memcpy(f->page[c[i].ref] + c[i].off, c[i].local, c[i].len);
        else
            memcpy(c[i].local, f->page[c[i].ref] + c[i].off, c[i].len);
    }
}

static void *op_map_gfn(void *arg, uint64_t gfn)
{
    uint32_t ref = gfn < FAKE_PAGES ? (uint32_t)gfn : FAKE_PAGES;

    return op_map(arg, &ref, 1);
}

static void op_unmap_gfn(void *arg, void *host)
{
    op_unmap(arg, host, 1);
}

/* ---- event channels ---- */

static int op_bind(void *arg, uint32_t remote)
{
    struct fake_pv *f = arg;

    if (remote >= FAKE_PORTS || f->bound[remote])
        return -EINVAL;
    f->bound[remote] = true;
    return PORT_BASE + (int)remote;
}

static void op_unbind(void *arg, int port)
{
    struct fake_pv *f = arg;

    if (!f->bound[port - PORT_BASE])
        abort();
    f->bound[port - PORT_BASE] = false;
}

static void op_notify(void *arg, int port)
{
    struct fake_pv *f = arg;

    if (!f->bound[port - PORT_BASE])
        abort();
    f->notified[port - PORT_BASE]++;
}

void fake_event(struct fake_pv *f, unsigned remote)
{
    if (remote < FAKE_PORTS && f->bound[remote])
        pv_event(f->pv, PORT_BASE + (int)remote);
}

static const struct pv_ops ops = {
    .read = op_read,
    .write = op_write,
    .list = op_list,
    .watch = op_watch,
    .map = op_map,
    .unmap = op_unmap,
    .copy = op_copy,
    .map_gfn = op_map_gfn,
    .unmap_gfn = op_unmap_gfn,
    .bind = op_bind,
    .unbind = op_unbind,
    .notify = op_notify,
};

/* ---- its life ---- */

bool fake_pv_open(struct fake_pv *f, struct uv_loop_s *loop, const struct pv_type *const *types)
{
    uint8_t *all;

    memset(f, 0, sizeof(*f));
    f->memfd = memfd_create("guest", 0);
    if (f->memfd < 0 || ftruncate(f->memfd, (off_t)FAKE_PAGES * PV_PAGE))
        return false;
    all = mmap(NULL, (size_t)FAKE_PAGES * PV_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, f->memfd, 0);
    if (all == MAP_FAILED)
        return false;
    for (unsigned i = 0; i < FAKE_PAGES; i++) {
        f->page[i] = all + (size_t)i * PV_PAGE;
        f->granted[i] = i != 0;
    }
    f->pv = pv_new(loop, FAKE_DOMID, types ? types : pv_types, &ops, f);
    return f->pv != NULL;
}

bool fake_pv_start(struct fake_pv *f, const struct pv_outside *outside)
{
    static const struct pv_outside nothing;
    struct err err = { "" };

    return !pv_start(f->pv, outside ? outside : &nothing, &err);
}

bool fake_pv_close(struct fake_pv *f)
{
    bool clean;

    pv_free(f->pv);
    clean = !f->mapped;
    for (unsigned i = 0; i < FAKE_PORTS; i++)
        clean &= !f->bound[i];
    for (unsigned i = 0; i < FAKE_WATCHES; i++)
        clean &= !f->watch[i].on || !strncmp(f->watch[i].token, "be/", 3);
    fake_rm(f, "/local");
    munmap(f->page[0], (size_t)FAKE_PAGES * PV_PAGE);
    close(f->memfd);
    return clean;
}
