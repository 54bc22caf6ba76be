/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The world in which the kernel's KVM runs the guest and this process is the
 * whole PC but for the interrupt controllers and the interval timer.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "hw/core/log.h"
#include "ioreq/kvm-impl.h"

#define DEVICE       "/dev/kvm"
#define TSS_PAGES    0xfeffd000 /* three pages that Intel's real mode needs */
#define IDENTITY_MAP 0xfeffc000
#define VGA_BASE     0xa0000
#define VGA_SIZE     0x20000

/* ---- what devices ask ---- */

static void kvm_power(struct platform *p, enum power what)
{
    struct kvm *k = kvm_of(p);

    if (what == POWER_SUSPEND) /* the vCPU that asks goes no further */
        k->asleep_s3 = true;
    if (k->o.power)
        k->o.power(k->o.arg, what);
}

static int64_t kvm_now(struct platform *p)
{
    return guest_clock_now(&kvm_of(p)->clock);
}

static void kvm_timer(struct platform *p, int64_t at)
{
    guest_clock_arm(&kvm_of(p)->clock, at);
}

static const struct platform_ops kvm_ops = {
    .name = "kvm",
    .mem_read = kvm_mem_read,
    .mem_write = kvm_mem_write,
    .mem_pin = kvm_mem_pin,
    .rom = kvm_rom,
    .vram_alloc = kvm_vram_alloc,
    .vram_place = kvm_vram_place,
    .vram_dirty = kvm_vram_dirty,
    .isa_irq = kvm_isa_irq,
    .pci_intx = kvm_pci_intx,
    .pci_link = kvm_pci_link,
    .msi = kvm_msi,
    .power = kvm_power,
    .timer = kvm_timer,
    .now = kvm_now,
};

/* ---- the lock and the loop ---- */

static void on_kick(uv_async_t *h)
{
}

/*
 * A vCPU's thread has the lock and may have left the loop something to do: a
 * timer that is due sooner, a descriptor to watch, a handle to close. The
 * loop learns of it by itself only when it wakes up.
 */
void kvm_wake_loop(struct kvm *k)
{
    const uv_loop_t *loop = k->plat.loop;
    int due;

    if (!k->asleep)
        return;
    due = uv_backend_timeout(loop);
    if ((due >= 0 && (k->sleeps_for < 0 || due < k->sleeps_for)) ||
        loop->watcher_queue[0] != (const void *)&loop->watcher_queue) {
        k->asleep = false;
        uv_async_send(&k->kick);
    }
}

static void kvm_loop(struct platform *p, const bool *quit)
{
    struct kvm *k = kvm_of(p);
    struct pollfd backend = { .fd = uv_backend_fd(p->loop), .events = POLLIN };

    while (!*quit) {
        uv_run(p->loop, UV_RUN_NOWAIT);
        kvm_late_writes(k);
        if (*quit)
            break;
        k->sleeps_for = uv_backend_timeout(p->loop);
        k->asleep = k->sleeps_for != 0;
        pthread_mutex_unlock(&k->lock);
        poll(&backend, 1, k->sleeps_for);
        pthread_mutex_lock(&k->lock);
        k->asleep = false;
    }
}

/* Until no vCPU is in the guest or in a handler. */
static void stop_cpus(struct kvm *k)
{
    while (k->inside) {
        for (unsigned i = 0; i < k->ncpus; i++)
            kvm_vcpu_kick(&k->cpu[i]);
        pthread_cond_wait(&k->changed, &k->lock);
    }
    kvm_late_writes(k);
}

static void kvm_pause(struct platform *p)
{
    struct kvm *k = kvm_of(p);

    if (k->paused)
        return;
    k->paused = true;
    stop_cpus(k);
    guest_clock_pause(&k->clock);
}

static void kvm_resume(struct platform *p)
{
    struct kvm *k = kvm_of(p);

    if (!k->paused)
        return;
    guest_clock_resume(&k->clock);
    k->paused = false;
    pthread_cond_broadcast(&k->changed);
}

static void kvm_sleep(struct platform *p)
{
    struct kvm *k = kvm_of(p);

    k->asleep_s3 = true;
    stop_cpus(k);
}

/* The devices are reset already. */
static void kvm_reset_cpus(struct platform *p)
{
    struct kvm *k = kvm_of(p);
    bool was = k->paused;

    k->paused = true;
    stop_cpus(k);
    kvm_chips_reset(k);
    for (unsigned i = 0; i < k->ncpus; i++)
        kvm_state_reset(&k->cpu[i]);
    k->paused = was;
    k->asleep_s3 = false;
    pthread_cond_broadcast(&k->changed);
}

/* A vCPU's thread is in the kernel with it: nothing can be asked of it before it is out. */
static int kvm_nmi(struct platform *p, struct err *err)
{
    struct kvm *k = kvm_of(p);
    bool was = k->paused;
    int rc = 0;

    k->paused = true;
    stop_cpus(k);
    for (unsigned i = 0; !rc && i < k->ncpus; i++)
        rc = kvm_vcpu_nmi(&k->cpu[i]);
    k->paused = was;
    pthread_cond_broadcast(&k->changed);
    return rc ? err_set(err, rc, "KVM: %s", strerror(-rc)) : 0;
}

/* ---- set-up ---- */

static int open_kvm(struct kvm *k, struct err *err)
{
    uint64_t identity = IDENTITY_MAP;
    int size;

    k->fd = open(DEVICE, O_RDWR | O_CLOEXEC);
    if (k->fd < 0)
        return err_set(err, -errno,
                       errno == ENOENT ? "no KVM here: %s: %s; load the module kvm_intel or kvm_amd"
                                       : "%s: %s; you must be in its group (kvm), or root",
                       DEVICE, strerror(errno));
    if (ioctl(k->fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
        return err_set(err, -ENOTSUP, "%s: not the interface we know", DEVICE);
    k->vm = ioctl(k->fd, KVM_CREATE_VM, 0);
    size = ioctl(k->fd, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (k->vm < 0 || size <= 0)
        return err_set(err, -errno, "KVM: cannot make a guest: %s", strerror(errno));
    k->run_size = (size_t)size;
    if (ioctl(k->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity) ||
        ioctl(k->vm, KVM_SET_TSS_ADDR, TSS_PAGES))
        return err_set(err, -errno, "KVM: cannot make a guest: %s", strerror(errno));
    return 0;
}

/* Writes to the planes of the card's window are many and answer nothing. */
static void leave_late_writes(struct kvm *k)
{
    struct kvm_coalesced_mmio_zone zone = { .addr = VGA_BASE, .size = VGA_SIZE };

    if (k->late && ioctl(k->vm, KVM_REGISTER_COALESCED_MMIO, &zone))
        k->late = NULL;
}

static int make_guest(struct kvm *k, struct err *err)
{
    int rc;

    if (!k->o.cpus || k->o.max_cpus > KVM_CPUS_MAX)
        return err_set(err, -EINVAL, "-smp: 1 to %d vCPUs under KVM", KVM_CPUS_MAX);
    rc = open_kvm(k, err);
    rc = rc ? rc : kvm_irq_open(k, err);
    rc = rc ? rc : kvm_mem_open(k, err);
    for (k->ncpus = 0; !rc && k->ncpus < k->o.cpus; k->ncpus++)
        rc = kvm_vcpu_open(k, k->ncpus, err);
    rc = rc ? rc : kvm_chips_keep(k, err);
    if (!rc)
        leave_late_writes(k);
    return rc ? rc : guest_clock_open(&k->clock, &k->plat, err);
}

static void kick_closed(uv_handle_t *h)
{
    struct kvm *k = h->data;

    k->kick_closing = false;
}

static void kvm_close(struct platform *p)
{
    struct kvm *k;

    if (!p)
        return;
    k = kvm_of(p);
    k->ending = true;
    pthread_cond_broadcast(&k->changed);
    stop_cpus(k);
    pthread_mutex_unlock(&k->lock);
    for (unsigned i = 0; i < k->ncpus; i++) {
        if (k->cpu[i].started)
            pthread_join(k->cpu[i].thread, NULL);
    }
    for (unsigned i = 0; i < KVM_CPUS_MAX; i++)
        kvm_vcpu_close(&k->cpu[i]);
    guest_clock_close(&k->clock);
    k->kick_closing = true;
    uv_close((uv_handle_t *)&k->kick, kick_closed);
    while (k->kick_closing)
        uv_run(p->loop, UV_RUN_NOWAIT);
    if (k->vm >= 0)
        close(k->vm);
    if (k->fd >= 0)
        close(k->fd);
    kvm_mem_close(k);
    free(k);
}

static struct platform *kvm_open(struct uv_loop_s *loop, const struct world_options *o,
                                 struct err *err)
{
    struct kvm *k = calloc(1, sizeof(*k));

    if (!k) {
        err_set(err, -ENOMEM, "out of memory");
        return NULL;
    }
    platform_init(&k->plat, &kvm_ops, loop);
    k->o = *o;
    k->fd = k->vm = k->clock.fd = -1;
    k->paused = k->clock.paused = true; /* until it is announced */
    for (unsigned i = 0; i < KVM_CPUS_MAX; i++) {
        k->cpu[i].kvm = k;
        k->cpu[i].fd = -1;
    }
    pthread_mutex_init(&k->lock, NULL);
    pthread_cond_init(&k->changed, NULL);
    pthread_mutex_lock(&k->lock); /* the loop's thread has it but when it sleeps */
    uv_async_init(loop, &k->kick, on_kick);
    k->kick.data = k;
    if (make_guest(k, err)) {
        kvm_close(&k->plat);
        return NULL;
    }
    return &k->plat;
}

static int kvm_start(struct platform *p, struct err *err)
{
    struct kvm *k = kvm_of(p);
    int rc = 0;

    for (unsigned i = 0; !rc && i < k->ncpus; i++)
        rc = kvm_vcpu_start(&k->cpu[i], err);
    return rc;
}

/* There is no toolstack to wait for. */
static int kvm_announce(struct platform *p, struct err *err)
{
    kvm_resume(p);
    return 0;
}

const struct world world_kvm = {
    .name = "kvm",
    .open = kvm_open,
    .close = kvm_close,
    .start = kvm_start,
    .announce = kvm_announce,
    .loop = kvm_loop,
    .sleep = kvm_sleep,
    .pause = kvm_pause,
    .resume = kvm_resume,
    .reset = kvm_reset_cpus,
    .nmi = kvm_nmi,
};
