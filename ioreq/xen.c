/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ioreq server of one domain and its event channels. One thread, the loop:
 * it drains the buffered ring, then serves every vCPU whose slot is READY.
 * The sequence of set-up and the barriers are those of docs/xen.md; what the
 * devices ask of Xen is in xen-ops.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xen/memory.h>
#include <xentoolcore.h>
#include "hw/core/log.h"
#include "ioreq/xen-impl.h"

#define PRIVCMD         "/dev/xen/privcmd"
#define SPIN_MAX_CYCLES 200000 /* never look longer than this for the next request: 70 us or so */
#define SPIN_ROUNDS     256    /* then the loop looks after sockets and timers */
#define GAP_MAX_CYCLES  4000000

/* ---- requests ---- */

static void xen_invalidate(struct platform *p)
{
    guest_mem_drop(xen_of(p)->mem);
}

static const struct ioreq_hooks xen_hooks = { .invalidate = xen_invalidate };

static bool slots_ready(const struct xen *x)
{
    for (unsigned v = 0; v < x->nvcpus; v++) {
        if (ioreq_waits(&x->slots->vcpu_ioreq[v]))
            return true;
    }
    return false;
}

/* Every vCPU that waits is answered, whoever's event it was: one that comes later finds nothing. */
static unsigned serve_slots(struct xen *x)
{
    unsigned served = 0;

    for (unsigned v = 0; v < x->nvcpus; v++) {
        if (ioreq_slot(&x->plat, &xen_hooks, &x->slots->vcpu_ioreq[v], x->ring)) {
            xenevtchn_notify(x->xce, x->port[v]);
            served++;
        }
    }
    return served;
}

/*
 * A guest that talks to a device comes back within microseconds, a sleep and
 * a wake-up cost as much: while the last pauses were short, look at the slots
 * a little longer before going to sleep. Not while disks are at work, whose
 * completions the loop must see. Time is counted in cycles, because in a PV
 * dom0 every look at the clock is a system call.
 */
static bool another_comes(struct xen *x)
{
    uint64_t until = x->answered + 2 * x->gap;

    if (2 * x->gap > SPIN_MAX_CYCLES || (x->o.busy && x->o.busy(x->o.arg)))
        return false;
    do {
        if (slots_ready(x))
            return true;
        __builtin_ia32_pause();
    } while (__builtin_ia32_rdtsc() < until);
    return false;
}

/* The mean pause between an answer and the next request, the newer the heavier. */
static void note_gap(struct xen *x)
{
    uint64_t gap = __builtin_ia32_rdtsc() - x->answered;

    x->gap = x->gap - x->gap / 8 + (gap < GAP_MAX_CYCLES ? gap : GAP_MAX_CYCLES) / 8;
}

/*
 * The device file gives all pending ports in one read and takes all that are
 * to be unmasked in one write; the library's calls would be two system calls
 * for each. While they are masked nothing interrupts: what comes meanwhile
 * stays pending, and unmasking raises it again.
 */
static void events_ready(uv_poll_t *h, int status, int events)
{
    struct xen *x = h->data;
    evtchn_port_t ports[XEN_MAX_VCPUS + 1];
    ssize_t n = read(xenevtchn_fd(x->xce), ports, sizeof(ports));

    if (n < (ssize_t)sizeof(ports[0]))
        return;
    for (unsigned round = 0; round < SPIN_ROUNDS; round++) {
        note_gap(x);
        if (!serve_slots(x))
            ioreq_drain(&x->plat, &xen_hooks, x->ring);
        x->answered = __builtin_ia32_rdtsc();
        if (!another_comes(x))
            break;
    }
    if (write(xenevtchn_fd(x->xce), ports, n) != n)
        log_line("domain %d: event channels: %s", x->o.domid, strerror(errno));
}

/* ---- set-up ---- */

static void quiet_message(struct xentoollog_logger *l, xentoollog_level level, int errnoval,
                          const char *context, const char *format, va_list al)
{
}

static void quiet_progress(struct xentoollog_logger *l, const char *context, const char *doing_what,
                           int percent, unsigned long done, unsigned long total)
{
}

static void quiet_destroy(struct xentoollog_logger *l)
{
}

/* The libraries print lines of their own on failure; ours is the one that is wanted. */
static xentoollog_logger quiet = { quiet_message, quiet_progress, quiet_destroy };

static int open_handles(struct xen *x, struct err *err)
{
    if (access(PRIVCMD, R_OK | W_OK))
        return err_set(err, -errno, "no Xen here: %s: %s; portico-dm must run in dom0, as root",
                       PRIVCMD, strerror(errno));
    x->xc = xc_interface_open(&quiet, &quiet, 0);
    x->dmod = x->xc ? xendevicemodel_open(&quiet, 0) : NULL;
    x->fmem = x->dmod ? xenforeignmemory_open(&quiet, 0) : NULL;
    x->xce = x->fmem ? xenevtchn_open(&quiet, 0) : NULL;
    if (!x->xce)
        return err_set(err, -errno,
                       "cannot open a Xen interface: %s; are the modules "
                       "xen-privcmd and xen-evtchn loaded?",
                       strerror(errno));
    if (fcntl(xenevtchn_fd(x->xce), F_SETFL, O_NONBLOCK))
        return err_set(err, -errno, "event channels: %s", strerror(errno));
    x->mem = guest_mem_new(x->fmem, x->dmod, x->o.domid);
    return x->mem ? 0 : err_set(err, -ENOMEM, "out of memory");
}

static int check_domain(struct xen *x, struct err *err)
{
    xc_dominfo_t info;

    if (xc_domain_getinfo(x->xc, x->o.domid, 1, &info) != 1 || (int)info.domid != x->o.domid)
        return err_set(err, -ESRCH, "-xen-domid %d: there is no such domain", x->o.domid);
    if (!info.hvm)
        return err_set(err, -EINVAL, "-xen-domid %d: the domain is not an HVM guest", x->o.domid);
    return 0;
}

static int make_server(struct xen *x, struct err *err)
{
    void *pages = NULL;

    if (xendevicemodel_create_ioreq_server(x->dmod, x->o.domid, HVM_IOREQSRV_BUFIOREQ_ATOMIC,
                                           &x->server))
        return err_set(err, -errno, "domain %d: cannot create an ioreq server: %s", x->o.domid,
                       strerror(errno));
    x->have_server = true;
    x->pages = xenforeignmemory_map_resource(x->fmem, x->o.domid, XENMEM_resource_ioreq_server,
                                             x->server, 0, 2, &pages, PROT_READ | PROT_WRITE, 0);
    if (!x->pages)
        return err_set(err, -errno, "domain %d: cannot map the ioreq pages: %s", x->o.domid,
                       strerror(errno));
    x->ring = pages;
    x->slots = (shared_iopage_t *)((char *)pages + (1 << XEN_PAGE_SHIFT));
    return 0;
}

static void watch(struct xen *x, uv_poll_t *h, int fd, uv_poll_cb cb)
{
    uv_poll_init(x->plat.loop, h, fd);
    h->data = x;
    uv_poll_start(h, UV_READABLE, cb);
    x->nhandles++;
}

static void xen_close(struct platform *p);

static struct platform *xen_open(struct uv_loop_s *loop, const struct world_options *o,
                                 struct err *err)
{
    struct xen *x = calloc(1, sizeof(*x));

    if (!x) {
        err_set(err, -ENOMEM, "out of memory");
        return NULL;
    }
    platform_init(&x->plat, &xen_ops, loop);
    x->o = *o;
    x->clock.fd = -1;
    if (open_handles(x, err) || check_domain(x, err) || make_server(x, err))
        goto fail;
    if (guest_clock_open(&x->clock, &x->plat, err))
        goto fail;
    if (xen_store_open(x, err) || xen_pv_open(x, err))
        goto fail;
    return &x->plat;
fail:
    xen_close(&x->plat);
    return NULL;
}

static int bind_ports(struct xen *x, struct err *err)
{
    evtchn_port_t ring_remote;
    unsigned n = 0;

    if (xendevicemodel_nr_vcpus(x->dmod, x->o.domid, &n) || !n || n > XEN_MAX_VCPUS)
        return err_set(err, -EINVAL, "domain %d: %u vCPUs, of 1 to %d possible", x->o.domid, n,
                       XEN_MAX_VCPUS);
    for (x->nvcpus = 0; x->nvcpus < n; x->nvcpus++) {
        xenevtchn_port_or_error_t port = xenevtchn_bind_interdomain(
            x->xce, x->o.domid, x->slots->vcpu_ioreq[x->nvcpus].vp_eport);

        if (port < 0)
            return err_set(err, -errno, "domain %d: cannot bind the event channel of vCPU %u: %s",
                           x->o.domid, x->nvcpus, strerror(errno));
        x->port[x->nvcpus] = port;
    }
    if (xendevicemodel_get_ioreq_server_info(x->dmod, x->o.domid, x->server, NULL, NULL,
                                             &ring_remote))
        return err_set(err, -errno, "domain %d: ioreq server: %s", x->o.domid, strerror(errno));
    n = xenevtchn_bind_interdomain(x->xce, x->o.domid, ring_remote);
    if ((int)n < 0)
        return err_set(err, -errno, "domain %d: cannot bind the ring's event channel: %s",
                       x->o.domid, strerror(errno));
    return 0;
}

static int xen_start(struct platform *p, struct err *err)
{
    struct xen *x = xen_of(p);
    int rc = xen_vram_restored(x);

    if (rc)
        return err_set(err, rc, "domain %d: cannot find the restored video memory: %s", x->o.domid,
                       strerror(-rc));
    /* Only an enabled server has its event channel ports in the page. */
    if (xendevicemodel_set_ioreq_server_state(x->dmod, x->o.domid, x->server, 1))
        return err_set(err, -errno, "domain %d: cannot enable the ioreq server: %s", x->o.domid,
                       strerror(errno));
    rc = bind_ports(x, err);
    if (rc)
        return rc;
    watch(x, &x->events, xenevtchn_fd(x->xce), events_ready);
    x->started = true;
    return 0;
}

static void xen_pause(struct platform *p)
{
    struct xen *x = xen_of(p);

    if (x->clock.paused)
        return;
    ioreq_drain(p, &xen_hooks, x->ring);
    guest_clock_pause(&x->clock);
    xendevicemodel_set_ioreq_server_state(x->dmod, x->o.domid, x->server, 0);
}

static void xen_resume(struct platform *p)
{
    struct xen *x = xen_of(p);

    if (!x->clock.paused)
        return;
    xendevicemodel_set_ioreq_server_state(x->dmod, x->o.domid, x->server, 1);
    guest_clock_resume(&x->clock);
}

static void xen_log_dirty(struct platform *p, bool on)
{
    guest_mem_log_dirty(xen_of(p)->mem, on);
}

static int xen_restrict(struct platform *p, struct err *err)
{
    if (xentoolcore_restrict_all(xen_of(p)->o.domid))
        return err_set(err, -errno, "-xen-domid-restrict: %s", strerror(errno));
    return 0;
}

static void handle_closed(uv_handle_t *h)
{
    struct xen *x = h->data;

    x->nhandles--;
}

static void close_handles(struct xen *x)
{
    uv_poll_t *all[] = { &x->events, &x->store, &x->pv_events };

    for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if (all[i]->data)
            uv_close((uv_handle_t *)all[i], handle_closed);
    }
    while (x->nhandles)
        uv_run(x->plat.loop, UV_RUN_NOWAIT);
    guest_clock_close(&x->clock);
}

static void xen_close(struct platform *p)
{
    struct xen *x;

    if (!p)
        return;
    x = xen_of(p);
    close_handles(x);
    xen_pv_close(x);
    xen_vram_free(x);
    guest_mem_free(x->mem);
    if (x->pages)
        xenforeignmemory_unmap_resource(x->fmem, x->pages);
    /*
     * A guest that has run stays without an answer until the toolstack ends it:
     * with the server gone its disks would read as ones, and it might go on.
     */
    if (x->have_server && !x->started)
        xendevicemodel_destroy_ioreq_server(x->dmod, x->o.domid, x->server);
    xen_store_close(x);
    if (x->xce)
        xenevtchn_close(x->xce);
    if (x->fmem)
        xenforeignmemory_close(x->fmem);
    if (x->dmod)
        xendevicemodel_close(x->dmod);
    if (x->xc)
        xc_interface_close(x->xc);
    free(x);
}

const struct world world_xen = {
    .name = "xen",
    .open = xen_open,
    .close = xen_close,
    .start = xen_start,
    .announce = xen_announce,
    .pause = xen_pause,
    .resume = xen_resume,
    .log_dirty = xen_log_dirty,
    .pv = xen_pv,
    .leave_word = xen_leave_word,
    .take_word = xen_take_word,
    .restrict_handles = xen_restrict,
};
