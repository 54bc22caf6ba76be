/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread for each vCPU. It runs the guest without the lock, takes it for an
 * exit, and serves that in place: there is no other thread to hand it to.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "hw/core/log.h"
#include "ioreq/kvm-impl.h"

#define KICK           SIGUSR1
#define LATE_RING_PAGE 4096

#define LVT_LINT1    0x360
#define LVT_MASKED   (1u << 16)
#define LVT_MODE     (7u << 8)
#define LVT_NMI      (4u << 8)
#define APIC_BASE_ON (1u << 11)

static const struct ioreq_hooks no_hooks = { .invalidate = NULL };

/* ---- exits ---- */

/* A batch of a REP instruction is one exit; its data stand in the shared pages. */
static void exit_io(struct vcpu *c)
{
    struct kvm_run *run = c->run;
    uint8_t *data = (uint8_t *)run + run->io.data_offset;

    for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
        c->req =
            (struct ioreq){ .addr = run->io.port,
                            .count = 1,
                            .size = run->io.size,
                            .dir = run->io.direction == KVM_EXIT_IO_IN ? IOREQ_READ : IOREQ_WRITE,
                            .type = IOREQ_TYPE_PIO };
        if (c->req.dir == IOREQ_WRITE)
            memcpy(&c->req.data, data, run->io.size);
        ioreq_serve(&c->kvm->plat, &no_hooks, &c->req);
        if (c->req.dir == IOREQ_READ)
            memcpy(data, &c->req.data, run->io.size);
    }
}

/* Of any length up to 8: an access that crosses into ours is told as the rest of it. */
static void serve_mmio(struct platform *p, struct ioreq *req, uint64_t addr, uint8_t *data,
                       unsigned len, bool write)
{
    while (len) {
        unsigned size = len >= 8 ? 8 : len >= 4 ? 4 : len >= 2 ? 2 : 1;

        *req = (struct ioreq){ .addr = addr,
                               .count = 1,
                               .size = size,
                               .dir = write ? IOREQ_WRITE : IOREQ_READ,
                               .type = IOREQ_TYPE_COPY };
        if (write)
            memcpy(&req->data, data, size);
        ioreq_serve(p, &no_hooks, req);
        if (!write)
            memcpy(data, &req->data, size);
        addr += size;
        data += size;
        len -= size;
    }
}

void kvm_late_writes(struct kvm *k)
{
    struct kvm_coalesced_mmio_ring *ring = k->late;
    uint32_t max = (LATE_RING_PAGE - sizeof(*ring)) / sizeof(struct kvm_coalesced_mmio);

    for (uint32_t n = 0; ring && n < max; n++) {
        uint32_t first = ring->first % max;
        struct kvm_coalesced_mmio w;
        struct ioreq req;

        if (ring->first == __atomic_load_n(&ring->last, __ATOMIC_ACQUIRE))
            return;
        w = ring->coalesced_mmio[first];
        if (w.pio)
            req = (struct ioreq){ .addr = w.phys_addr,
                                  .count = 1,
                                  .size = w.len,
                                  .dir = IOREQ_WRITE,
                                  .type = IOREQ_TYPE_PIO };
        if (w.pio && w.len <= 4) {
            memcpy(&req.data, w.data, w.len);
            ioreq_serve(&k->plat, &no_hooks, &req);
        } else if (!w.pio && w.len <= 8) {
            serve_mmio(&k->plat, &req, w.phys_addr, w.data, w.len, true);
        }
        __atomic_store_n(&ring->first, (first + 1) % max, __ATOMIC_RELEASE);
    }
}

/* What this vCPU did ends the guest. */
static void broken(struct vcpu *c, const char *what, uint64_t number)
{
    log_line("KVM: vCPU %u: %s (%#llx); its registers:", c->index, what,
             (unsigned long long)number);
    kvm_state_log(c);
    c->parked = true;
    if (c->kvm->o.broken)
        c->kvm->o.broken(c->kvm->o.arg, what);
}

static void system_event(struct vcpu *c)
{
    struct world_options *o = &c->kvm->o;

    switch (c->run->system_event.type) {
    case KVM_SYSTEM_EVENT_SHUTDOWN:
        o->power(o->arg, POWER_OFF);
        break;
    case KVM_SYSTEM_EVENT_RESET:
        o->power(o->arg, POWER_RESET);
        break;
    default:
        broken(c, "the guest crashed, it says", c->run->system_event.type);
    }
}

static void serve_exit(struct vcpu *c)
{
    struct kvm *k = c->kvm;
    struct kvm_run *run = c->run;

    kvm_late_writes(k); /* what was written before comes first */
    switch (run->exit_reason) {
    case KVM_EXIT_IO:
        exit_io(c);
        break;
    case KVM_EXIT_MMIO:
        serve_mmio(&k->plat, &c->req, run->mmio.phys_addr, run->mmio.data,
                   run->mmio.len <= 8 ? run->mmio.len : 8, run->mmio.is_write);
        break;
    case KVM_EXIT_INTR:
    case KVM_EXIT_IRQ_WINDOW_OPEN:
    case KVM_EXIT_HLT:
    case KVM_EXIT_NMI:
    case KVM_EXIT_HYPERV: /* the guest moved its synthetic interrupts' pages: the kernel knows */
        break;
    case KVM_EXIT_SHUTDOWN: /* a triple fault: a PC's chip set answers it with a reset */
        c->parked = true;
        log_provoked("KVM: vCPU %u: triple fault", c->index);
        k->o.power(k->o.arg, POWER_RESET);
        break;
    case KVM_EXIT_SYSTEM_EVENT:
        system_event(c);
        break;
    case KVM_EXIT_FAIL_ENTRY:
        broken(c, "the processor refuses the guest's state",
               run->fail_entry.hardware_entry_failure_reason);
        break;
    case KVM_EXIT_INTERNAL_ERROR:
        broken(c, "internal error of KVM", run->internal.suberror);
        break;
    default:
        broken(c, "an exit that is not known", run->exit_reason);
    }
}

/* ---- the thread ---- */

static void nothing(int signum)
{
}

/* An access that was served is finished by the kernel when it is entered again. */
static void finish_access(struct vcpu *c)
{
    if (c->run->exit_reason != KVM_EXIT_IO && c->run->exit_reason != KVM_EXIT_MMIO)
        return;
    c->run->immediate_exit = 1;
    ioctl(c->fd, KVM_RUN, 0);
}

/* One trip into the guest and the exit that ended it; with the lock, but not on the way. */
static void run_once(struct vcpu *c)
{
    struct kvm *k = c->kvm;
    int rc, e;

    k->inside++;
    pthread_mutex_unlock(&k->lock);
    rc = ioctl(c->fd, KVM_RUN, 0);
    e = errno;
    pthread_mutex_lock(&k->lock);
    c->run->immediate_exit = 0;
    if (!rc)
        serve_exit(c);
    else if (e != EINTR && e != EAGAIN)
        broken(c, strerror(e), (uint64_t)e);
    if (k->paused || k->ending || k->asleep_s3 || c->parked)
        finish_access(c);
    c->run->immediate_exit = 0;
    k->inside--;
    if (k->paused || k->ending || k->asleep_s3)
        pthread_cond_broadcast(&k->changed);
    kvm_wake_loop(k);
}

static void *vcpu_main(void *arg)
{
    struct vcpu *c = arg;
    struct kvm *k = c->kvm;

    pthread_mutex_lock(&k->lock);
    while (!k->ending) {
        if (k->paused || k->asleep_s3 || c->parked)
            pthread_cond_wait(&k->changed, &k->lock);
        else
            run_once(c);
    }
    pthread_mutex_unlock(&k->lock);
    return NULL;
}

void kvm_vcpu_kick(struct vcpu *c)
{
    if (!c->started)
        return;
    c->run->immediate_exit = 1;
    pthread_kill(c->thread, KICK);
}

/* SDM volume 3, 11.5.1: what LVT LINT1 says; an APIC that is off lets it through. */
int kvm_vcpu_nmi(struct vcpu *c)
{
    struct kvm_lapic_state apic;
    struct kvm_sregs s;
    uint32_t lint1;

    if (ioctl(c->fd, KVM_GET_LAPIC, &apic) || ioctl(c->fd, KVM_GET_SREGS, &s))
        return -errno;
    memcpy(&lint1, apic.regs + LVT_LINT1, sizeof(lint1));
    if (s.apic_base & APIC_BASE_ON && (lint1 & LVT_MASKED || (lint1 & LVT_MODE) != LVT_NMI))
        return 0;
    return ioctl(c->fd, KVM_NMI, 0) ? -errno : 0;
}

int kvm_vcpu_open(struct kvm *k, unsigned index, struct err *err)
{
    struct vcpu *c = &k->cpu[index];
    int late;

    c->kvm = k;
    c->index = index;
    c->fd = ioctl(k->vm, KVM_CREATE_VCPU, index);
    if (c->fd < 0)
        return err_set(err, -errno, "KVM: vCPU %u: %s", index, strerror(errno));
    c->run = mmap(NULL, k->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
    if (c->run == MAP_FAILED) {
        c->run = NULL;
        return err_set(err, -errno, "KVM: vCPU %u: %s", index, strerror(errno));
    }
    late = ioctl(k->fd, KVM_CHECK_EXTENSION, KVM_CAP_COALESCED_MMIO);
    if (late > 0 && !k->late)
        k->late = (void *)((uint8_t *)c->run + late * LATE_RING_PAGE);
    if (kvm_cpuid_set(c, err))
        return -EIO;
    return kvm_state_keep(c, err);
}

int kvm_vcpu_start(struct vcpu *c, struct err *err)
{
    struct sigaction act = { .sa_handler = nothing };
    sigset_t all, old;
    int rc;

    sigaction(KICK, &act, NULL);
    sigfillset(&all); /* the process's signals are the loop's */
    sigdelset(&all, KICK);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    rc = pthread_create(&c->thread, NULL, vcpu_main, c);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (rc)
        return err_set(err, -rc, "vCPU %u: no thread: %s", c->index, strerror(rc));
    c->started = true;
    return 0;
}

void kvm_vcpu_close(struct vcpu *c)
{
    kvm_state_forget(c);
    if (c->run)
        munmap(c->run, c->kvm->run_size);
    if (c->fd >= 0)
        close(c->fd);
    c->run = NULL;
    c->fd = -1;
}
