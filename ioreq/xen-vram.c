/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Video memory of a Xen guest: real pages of the domain, made just above its
 * RAM and moved to wherever the guest puts the BAR, so that the linear frame
 * buffer costs no exits. Contract: docs/xen.md, "VRAM".
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "ioreq/xen-impl.h"

#define CACHE_WB 6 /* XEN_DOMCTL_MEM_CACHEATTR_WB */

static uint64_t hidden_gfn(const struct world_options *o)
{
    uint64_t end = o->ram <= o->low_ram_max ? o->ram : (1ULL << 32) + o->ram - o->low_ram_max;

    return (end + 0xfff) >> XEN_PAGE_SHIFT;
}

static xen_pfn_t *gfn_list(uint64_t first, uint64_t pages)
{
    xen_pfn_t *gfns = calloc(pages, sizeof(*gfns));

    for (uint64_t i = 0; gfns && i < pages; i++)
        gfns[i] = first + i;
    return gfns;
}

/* Puts the pages at v->gfn under the reserved host addresses. */
static int vram_map(struct xen *x, xen_pfn_t *gfns)
{
    struct xen_vram *v = &x->vram;
    int *errs = calloc(v->pages, sizeof(*errs));
    void *p = NULL;
    int rc = 0;

    if (errs)
        p = xenforeignmemory_map2(x->fmem, x->o.domid, v->host, PROT_READ | PROT_WRITE, MAP_FIXED,
                                  v->pages, gfns, errs);
    if (!p)
        rc = -errno;
    for (uint64_t i = 0; !rc && i < v->pages; i++)
        rc = errs[i]; /* a negative errno */
    v->mapped = !rc;
    free(errs);
    return rc;
}

int xen_vram_alloc(struct platform *p, uint64_t size, void **host, struct err *err)
{
    struct xen *x = xen_of(p);
    struct xen_vram *v = &x->vram;
    xen_pfn_t *gfns;
    int rc = 0;

    if (v->host)
        return err_set(err, -EBUSY, "a machine has one display adapter; leave out one -device VGA");
    v->pages = size >> XEN_PAGE_SHIFT;
    v->hidden_gfn = v->gfn = hidden_gfn(&x->o);
    v->host = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    if (v->host == MAP_FAILED) {
        v->host = NULL;
        return err_set(err, -ENOMEM, "cannot reserve address space for video memory");
    }
    *host = v->host;
    if (x->o.incoming)
        return 0; /* the pages are at their BAR, which the saved state will tell */
    gfns = gfn_list(v->gfn, v->pages);
    if (!gfns)
        rc = -ENOMEM;
    else if (xc_domain_populate_physmap_exact(x->xc, x->o.domid, v->pages, 0, 0, gfns))
        rc = errno ? -errno : -ENOMEM;
    if (!rc)
        rc = vram_map(x, gfns);
    free(gfns);
    if (rc)
        return err_set(err, rc,
                       "cannot make %llu MiB of video memory for domain %d: %s; is "
                       "videoram= within memory=?",
                       (unsigned long long)size >> 20, x->o.domid, strerror(-rc));
    return 0;
}

/* The restored guest's pages already are at gfn: only look. */
static int vram_adopt(struct xen *x, uint64_t gfn)
{
    xen_pfn_t *gfns = gfn_list(gfn, x->vram.pages);
    int rc = gfns ? 0 : -ENOMEM;

    x->vram.gfn = gfn;
    if (!rc)
        rc = vram_map(x, gfns);
    free(gfns);
    return rc;
}

int xen_vram_restored(struct xen *x)
{
    /* No BAR claimed it while the state was loaded: the guest had decoding off. */
    return x->vram.host && !x->vram.mapped ? vram_adopt(x, x->vram.hidden_gfn) : 0;
}

int xen_vram_place(struct platform *p, uint64_t gpa)
{
    struct xen *x = xen_of(p);
    struct xen_vram *v = &x->vram;
    uint64_t gfn = gpa ? gpa >> XEN_PAGE_SHIFT : v->hidden_gfn;

    if (!v->host)
        return -ENODEV;
    if (!v->mapped)
        return gpa ? vram_adopt(x, gfn) : 0;
    if (gfn == v->gfn)
        return 0;
    if (xendevicemodel_relocate_memory(x->dmod, x->o.domid, v->pages, v->gfn, gfn))
        return -errno;
    v->gfn = gfn;
    guest_mem_drop(x->mem);
    /* Only matters for a guest with real hardware passed through; without it Xen may refuse. */
    xendevicemodel_pin_memory_cacheattr(x->dmod, x->o.domid, gfn << XEN_PAGE_SHIFT,
                                        ((gfn + v->pages) << XEN_PAGE_SHIFT) - 1, CACHE_WB);
    return 0;
}

int xen_vram_dirty(struct platform *p, uint64_t first_page, size_t pages, uint64_t *bits)
{
    struct xen *x = xen_of(p);
    struct xen_vram *v = &x->vram;

    if (!v->mapped || first_page + pages > v->pages)
        return -ENODEV;
    memset(bits, 0, (pages + 63) / 64 * 8);
    if (xendevicemodel_track_dirty_vram(x->dmod, x->o.domid, v->gfn + first_page, pages,
                                        (unsigned long *)bits))
        return -errno;
    return 0;
}

void xen_vram_free(struct xen *x)
{
    if (x->vram.host)
        munmap(x->vram.host, x->vram.pages << XEN_PAGE_SHIFT);
    x->vram.host = NULL;
}
