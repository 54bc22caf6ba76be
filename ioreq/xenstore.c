/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xenstore: says "running" to libxl, and hears of the domain's end. Nobody
 * else would end a device model whose domain is gone.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ioreq/xen-impl.h"

#define RELEASE "@releaseDomain"

static bool domain_alive(struct xen *x)
{
    xc_dominfo_t info;
    int n = xc_domain_getinfo(x->xc, x->o.domid, 1, &info);

    if (n < 0)
        return errno != ESRCH; /* no right to ask (restricted) is not death */
    return n == 1 && (int)info.domid == x->o.domid && !info.dying;
}

static void store_event(uv_poll_t *h, int status, int events)
{
    struct xen *x = h->data;
    bool released = false;
    char **watch;

    while ((watch = xs_check_watch(x->xs))) { /* the first comes at once, for registering */
        if (!strcmp(watch[XS_WATCH_TOKEN], RELEASE))
            released = true;
        else
            pv_watch_fired(x->pv, watch[XS_WATCH_TOKEN]);
        free(watch);
    }
    if (released && x->started && !domain_alive(x) && x->o.gone)
        x->o.gone(x->o.arg);
    else
        pv_watches_settled(x->pv);
}

int xen_store_open(struct xen *x, struct err *err)
{
    x->xs = xs_open(0);
    if (!x->xs)
        return err_set(err, -errno, "cannot reach xenstore: %s; is xenstored running?",
                       strerror(errno));
    if (!xs_watch(x->xs, RELEASE, RELEASE))
        return err_set(err, -errno, "cannot watch %s in xenstore: %s", RELEASE, strerror(errno));
    uv_poll_init(x->plat.loop, &x->store, xs_fileno(x->xs));
    x->store.data = x;
    x->nhandles++;
    return -uv_poll_start(&x->store, UV_READABLE, store_event);
}

void xen_store_close(struct xen *x)
{
    if (x->xs)
        xs_close(x->xs);
    x->xs = NULL;
}

int xen_announce(struct platform *p, struct err *err)
{
    struct xen *x = xen_of(p);
    char path[64];

    snprintf(path, sizeof(path), "device-model/%d/state", x->o.domid);
    if (!xs_write(x->xs, XBT_NULL, path, "running", strlen("running")))
        return err_set(err, -errno, "cannot write %s in xenstore: %s", path, strerror(errno));
    return 0;
}

/* Where a word for the guest's next start is; false: the guest has no UUID in xenstore. */
static bool word_path(struct xen *x, char *path, size_t size)
{
    char vm_path[64], *vm, *uuid;

    snprintf(vm_path, sizeof(vm_path), "/local/domain/%d/vm", x->o.domid);
    vm = xs_read(x->xs, XBT_NULL, vm_path, NULL);
    uuid = vm ? strrchr(vm, '/') : NULL;
    if (uuid)
        snprintf(path, size, "/local/domain/0/portico/next-boot%s", uuid);
    free(vm);
    return uuid != NULL;
}

int xen_leave_word(struct platform *p, const char *word, struct err *err)
{
    struct xen *x = xen_of(p);
    char path[160];

    if (!word_path(x, path, sizeof(path)))
        return err_set(err, -ENOENT, "domain %d has no UUID in xenstore", x->o.domid);
    if (!*word)
        xs_rm(x->xs, XBT_NULL, path); /* none there is as good */
    else if (!xs_write(x->xs, XBT_NULL, path, word, (unsigned)strlen(word)))
        return err_set(err, -errno, "cannot write %s in xenstore: %s", path, strerror(errno));
    return 0;
}

bool xen_take_word(struct platform *p, char *word, size_t size)
{
    struct xen *x = xen_of(p);
    char path[160], *val;

    if (!word_path(x, path, sizeof(path)))
        return false;
    val = xs_read(x->xs, XBT_NULL, path, NULL);
    if (val) {
        snprintf(word, size, "%s", val);
        xs_rm(x->xs, XBT_NULL, path);
    }
    free(val);
    return val != NULL;
}
