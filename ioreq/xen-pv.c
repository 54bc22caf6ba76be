/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the back ends of PV devices ask of Xen: ioreq/pv/pv.h's operations as
 * calls of libxenstore, libxengnttab and libxenevtchn. Their event channels
 * have a handle of their own: requests of vCPUs are not to wait for them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "hw/core/log.h"
#include "ioreq/xen-impl.h"

#define COPIES_AT_ONCE 128
#define EVENTS_AT_ONCE 64

static char *store_read(void *arg, const char *path)
{
    struct xen *x = arg;

    return xs_read(x->xs, XBT_NULL, path, NULL); /* it puts a NUL behind what it read */
}

static int store_write(void *arg, const char *path, const char *val)
{
    struct xen *x = arg;

    return xs_write(x->xs, XBT_NULL, path, val, (unsigned)strlen(val)) ? 0 : -errno;
}

static char **store_list(void *arg, const char *path, unsigned *n)
{
    struct xen *x = arg;
    char **names = xs_directory(x->xs, XBT_NULL, path, n);

    if (!names)
        *n = 0;
    return names;
}

static int store_watch(void *arg, const char *path, const char *token, bool on)
{
    struct xen *x = arg;
    bool ok = on ? xs_watch(x->xs, path, token) : xs_unwatch(x->xs, path, token);

    return ok ? 0 : -errno;
}

static void *grant_map(void *arg, uint32_t *refs, unsigned n)
{
    struct xen *x = arg;

    return xengnttab_map_domain_grant_refs(x->gnt, n, (uint32_t)x->o.domid, refs,
                                           PROT_READ | PROT_WRITE);
}

static void grant_unmap(void *arg, void *host, unsigned n)
{
    struct xen *x = arg;

    xengnttab_unmap(x->gnt, host, n);
}

static void copy_some(struct xen *x, struct pv_copy *c, unsigned n)
{
    xengnttab_grant_copy_segment_t seg[COPIES_AT_ONCE];
    int rc;

    for (unsigned i = 0; i < n; i++) {
        union xengnttab_copy_ptr here = { .virt = c[i].local }, there = { .virt = NULL };

        there.foreign.ref = c[i].ref;
        there.foreign.offset = c[i].off;
        there.foreign.domid = (uint16_t)x->o.domid;
        seg[i] = (xengnttab_grant_copy_segment_t){ .len = c[i].len,
                                                   .flags = c[i].to_guest ? GNTCOPY_dest_gref
                                                                          : GNTCOPY_source_gref };
        seg[i].source = c[i].to_guest ? here : there;
        seg[i].dest = c[i].to_guest ? there : here;
    }
    rc = xengnttab_grant_copy(x->gnt, n, seg);
    for (unsigned i = 0; i < n; i++)
        c[i].failed = rc || seg[i].status != GNTST_okay;
}

static void grant_copy(void *arg, struct pv_copy *c, unsigned n)
{
    while (n) {
        unsigned some = n < COPIES_AT_ONCE ? n : COPIES_AT_ONCE;

        copy_some(arg, c, some);
        c += some;
        n -= some;
    }
}

static void *page_map(void *arg, uint64_t gfn)
{
    struct xen *x = arg;
    xen_pfn_t pfn = gfn;

    return xenforeignmemory_map(x->fmem, (uint32_t)x->o.domid, PROT_READ | PROT_WRITE, 1, &pfn,
                                NULL);
}

static void page_unmap(void *arg, void *host)
{
    struct xen *x = arg;

    xenforeignmemory_unmap(x->fmem, host, 1);
}

static int event_bind(void *arg, uint32_t remote)
{
    struct xen *x = arg;
    xenevtchn_port_or_error_t port =
        xenevtchn_bind_interdomain(x->pv_xce, (uint32_t)x->o.domid, remote);

    return port < 0 ? -errno : port;
}

static void event_unbind(void *arg, int port)
{
    struct xen *x = arg;

    xenevtchn_unbind(x->pv_xce, (evtchn_port_t)port);
}

static void event_notify(void *arg, int port)
{
    struct xen *x = arg;

    xenevtchn_notify(x->pv_xce, (evtchn_port_t)port);
}

static const struct pv_ops xen_pv_ops = {
    .read = store_read,
    .write = store_write,
    .list = store_list,
    .watch = store_watch,
    .map = grant_map,
    .unmap = grant_unmap,
    .copy = grant_copy,
    .map_gfn = page_map,
    .unmap_gfn = page_unmap,
    .bind = event_bind,
    .unbind = event_unbind,
    .notify = event_notify,
};

/* Unmasked before they are looked at: what comes from now on is told anew. */
static void pv_events_ready(uv_poll_t *h, int status, int events)
{
    struct xen *x = h->data;
    evtchn_port_t ports[EVENTS_AT_ONCE];
    ssize_t n = read(xenevtchn_fd(x->pv_xce), ports, sizeof(ports));

    if (n < (ssize_t)sizeof(ports[0]))
        return;
    if (write(xenevtchn_fd(x->pv_xce), ports, (size_t)n) != n)
        log_line("domain %d: event channels: %s", x->o.domid, strerror(errno));
    for (size_t i = 0; i < (size_t)n / sizeof(ports[0]); i++)
        pv_event(x->pv, (int)ports[i]);
}

int xen_pv_open(struct xen *x, struct err *err)
{
    x->gnt = xengnttab_open(NULL, 0);
    if (!x->gnt)
        return err_set(err, -errno,
                       "cannot open /dev/xen/gntdev: %s; is the module xen-gntdev loaded?",
                       strerror(errno));
    x->pv_xce = xenevtchn_open(NULL, 0);
    if (!x->pv_xce || fcntl(xenevtchn_fd(x->pv_xce), F_SETFL, O_NONBLOCK))
        return err_set(err, -errno, "event channels: %s", strerror(errno));
    x->pv = pv_new(x->plat.loop, (unsigned)x->o.domid, pv_types, &xen_pv_ops, x);
    if (!x->pv)
        return err_set(err, -ENOMEM, "out of memory");
    uv_poll_init(x->plat.loop, &x->pv_events, xenevtchn_fd(x->pv_xce));
    x->pv_events.data = x;
    x->nhandles++;
    return -uv_poll_start(&x->pv_events, UV_READABLE, pv_events_ready);
}

struct pv *xen_pv(struct platform *p)
{
    return xen_of(p)->pv;
}

void xen_pv_close(struct xen *x)
{
    pv_free(x->pv);
    x->pv = NULL;
    if (x->pv_xce)
        xenevtchn_close(x->pv_xce);
    if (x->gnt)
        xengnttab_close(x->gnt);
}
