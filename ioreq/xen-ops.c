/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the devices ask of Xen: hw/core/platform.h's operations as calls of
 * libxendevicemodel, and guest time on a timerfd. Video memory is in xen-vram.c.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <xen/hvm/params.h>
#include <xen/sched.h>
#include "hw/core/log.h"
#include "hw/core/pci.h"
#include "ioreq/xen-impl.h"

static int xen_range(struct platform *p, bool add, enum io_space space, uint64_t base,
                     uint64_t size)
{
    struct xen *x = xen_of(p);
    int mem = space == IO_MEM, rc;

    if (add)
        rc = xendevicemodel_map_io_range_to_ioreq_server(x->dmod, x->o.domid, x->server, mem, base,
                                                         base + size - 1);
    else
        rc = xendevicemodel_unmap_io_range_from_ioreq_server(x->dmod, x->o.domid, x->server, mem,
                                                             base, base + size - 1);
    return rc ? -errno : 0;
}

static int xen_pci(struct platform *p, bool add, unsigned devfn)
{
    struct xen *x = xen_of(p);
    int rc;

    if (add)
        rc = xendevicemodel_map_pcidev_to_ioreq_server(x->dmod, x->o.domid, x->server, 0, 0,
                                                       PCI_SLOT(devfn), devfn & 7);
    else
        rc = xendevicemodel_unmap_pcidev_from_ioreq_server(x->dmod, x->o.domid, x->server, 0, 0,
                                                           PCI_SLOT(devfn), devfn & 7);
    return rc ? -errno : 0;
}

static int xen_mem_read(struct platform *p, uint64_t gpa, void *dst, size_t len)
{
    return guest_mem_copy(xen_of(p)->mem, gpa, dst, len, false);
}

static int xen_mem_write(struct platform *p, uint64_t gpa, const void *src, size_t len)
{
    return guest_mem_copy(xen_of(p)->mem, gpa, (void *)(uintptr_t)src, len, true);
}

static void *xen_mem_pin(struct platform *p, uint64_t gpa, uint64_t len, bool write, uint64_t *got)
{
    return guest_mem_pin(xen_of(p)->mem, gpa, len, got);
}

static void xen_mem_unpin(struct platform *p, void *host, uint64_t len, bool written)
{
    guest_mem_unpin(xen_of(p)->mem, host, len, written);
}

static int xen_mem_readonly(struct platform *p, uint64_t gpa, uint64_t len, bool readonly)
{
    struct xen *x = xen_of(p);

    return xendevicemodel_set_mem_type(x->dmod, x->o.domid,
                                       readonly ? HVMMEM_ram_ro : HVMMEM_ram_rw,
                                       gpa >> XEN_PAGE_SHIFT, len >> XEN_PAGE_SHIFT)
               ? -errno
               : 0;
}

static void xen_isa_irq(struct platform *p, unsigned pin, bool level)
{
    struct xen *x = xen_of(p);

    if (pin != 0 && pin != 2 && pin != 8) /* Xen's own: timer, cascade, RTC */
        xendevicemodel_set_isa_irq_level(x->dmod, x->o.domid, pin, level);
}

static void xen_pci_intx(struct platform *p, unsigned devfn, unsigned pin, bool level)
{
    struct xen *x = xen_of(p);

    xendevicemodel_set_pci_intx_level(x->dmod, x->o.domid, 0, 0, PCI_SLOT(devfn), pin, level);
}

static void xen_pci_link(struct platform *p, unsigned link, unsigned irq)
{
    struct xen *x = xen_of(p);

    xendevicemodel_set_pci_link_route(x->dmod, x->o.domid, link & 3, irq & 15);
}

static void xen_msi(struct platform *p, uint64_t addr, uint32_t data)
{
    struct xen *x = xen_of(p);

    xendevicemodel_inject_msi(x->dmod, x->o.domid, addr, data);
}

static void xen_power(struct platform *p, enum power what)
{
    struct xen *x = xen_of(p);
    int rc = 0;

    log_provoked("domain %d: the guest asks for %s", x->o.domid,
                 what == POWER_OFF     ? "power off"
                 : what == POWER_RESET ? "reset"
                                       : "sleep or wake-up");
    if (what == POWER_OFF || what == POWER_RESET)
        rc = xendevicemodel_shutdown(x->dmod, x->o.domid,
                                     what == POWER_OFF ? SHUTDOWN_poweroff : SHUTDOWN_reboot);
    else
        rc = xc_hvm_param_set(x->xc, x->o.domid, HVM_PARAM_ACPI_S_STATE,
                              what == POWER_SUSPEND ? 3 : 0);
    if (rc)
        log_line("domain %d: Xen refused that: %s", x->o.domid, strerror(errno));
}

static int64_t xen_now(struct platform *p)
{
    return guest_clock_now(&xen_of(p)->clock);
}

static void xen_timer(struct platform *p, int64_t at)
{
    guest_clock_arm(&xen_of(p)->clock, at);
}

const struct platform_ops xen_ops = {
    .name = "xen",
    .range = xen_range,
    .pci = xen_pci,
    .mem_read = xen_mem_read,
    .mem_write = xen_mem_write,
    .mem_pin = xen_mem_pin,
    .mem_unpin = xen_mem_unpin,
    .mem_readonly = xen_mem_readonly,
    .vram_alloc = xen_vram_alloc,
    .vram_place = xen_vram_place,
    .vram_dirty = xen_vram_dirty,
    .isa_irq = xen_isa_irq,
    .pci_intx = xen_pci_intx,
    .pci_link = xen_pci_link,
    .msi = xen_msi,
    .power = xen_power,
    .timer = xen_timer,
    .now = xen_now,
};
