/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioreq/kvm-impl.h: what the kvm-*.c files share. Nobody else includes it.
 *   kvm.c        the world: set-up, the one lock, pause, reset
 *   kvm-vcpu.c   a thread for each vCPU, its exits
 *   kvm-cpuid.c  the features that a vCPU shows
 *   kvm-state.c  what a vCPU and the kernel's chips are at reset, the register dump
 *   kvm-mem.c    guest RAM, the firmware's ROM, video memory
 *   kvm-irq.c    interrupt lines, MSI
 * The interface is the kernel's Documentation/virt/kvm/api.rst.
 *
 * One lock guards all devices, as everywhere. The loop's thread has it except
 * while it sleeps; a vCPU's thread takes it to serve an exit.
 */
#pragma once
#include <linux/kvm.h>
#include <pthread.h>
#include <stdbool.h>
#include <uv.h>
#include "ioreq/guest-clock.h"
#include "ioreq/host-mem.h"
#include "ioreq/ioreq.h"
#include "ioreq/pc-lines.h"
#include "ioreq/world.h"

#define KVM_CPUS_MAX 64

enum {              /* memory slots */
       SLOT_LOW,    /* below the window of the display card */
       SLOT_MIDDLE, /* behind it, up to the hole below 4 GiB */
       SLOT_HIGH,   /* above 4 GiB */
       SLOT_ROM,    /* the firmware, below 4 GiB */
       SLOT_VRAM,
       SLOT_CHIP /* and up: flash chips, while they are read as memory */
};

struct kvm_reset;

struct vcpu {
    struct kvm *kvm;
    unsigned index;
    int fd; /* -1: none */
    struct kvm_run *run;
    struct ioreq req; /* the slot that Xen would fill */
    pthread_t thread;
    bool started; /* there is a thread */
    bool parked;  /* it has died of a triple fault and waits for a reset */
    struct kvm_reset *reset;
};

struct kvm {
    struct platform plat;
    struct world_options o;
    int fd, vm; /* /dev/kvm, and what it made; -1: none */
    size_t run_size;
    struct vcpu cpu[KVM_CPUS_MAX];
    unsigned ncpus;
    struct host_mem mem;
    uint64_t *fetched; /* of video memory: as much as mem.vram_dirty, for the kernel to fill */
    struct pc_lines lines;
    struct guest_clock clock;
    struct kvm_coalesced_mmio_ring *late; /* writes that did not stop a vCPU; NULL: not there */
    struct kvm_irqchip chip[3];           /* as they were made */
    struct kvm_pit_state2 pit;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* paused, ending or inside */
    unsigned inside;        /* vCPUs that are in the guest */
    bool paused, ending;
    bool asleep_s3;  /* the guest is in ACPI S3: no vCPU runs until a reset */
    uv_async_t kick; /* wakes the loop's thread */
    bool kick_closing;
    bool asleep;    /* the loop's thread is */
    int sleeps_for; /* ms, as uv_backend_timeout() has it */
};

#define kvm_of(p) container_of((p), struct kvm, plat)

/* kvm.c: with the lock; the loop's thread is woken up if it has something to do now. */
void kvm_wake_loop(struct kvm *k);

/* kvm-mem.c */
int kvm_mem_open(struct kvm *k, struct err *err);
void kvm_mem_close(struct kvm *k);
int kvm_mem_read(struct platform *p, uint64_t gpa, void *dst, size_t len);
int kvm_mem_write(struct platform *p, uint64_t gpa, const void *src, size_t len);
void *kvm_mem_pin(struct platform *p, uint64_t gpa, uint64_t len, bool write, uint64_t *got);
void kvm_rom(struct platform *p, uint64_t gpa, uint64_t size, uint8_t *host, bool shown);
int kvm_vram_alloc(struct platform *p, uint64_t size, void **host, struct err *err);
int kvm_vram_place(struct platform *p, uint64_t gpa);
int kvm_vram_dirty(struct platform *p, uint64_t first_page, size_t pages, uint64_t *bits);

/* kvm-irq.c */
int kvm_irq_open(struct kvm *k, struct err *err);
void kvm_isa_irq(struct platform *p, unsigned pin, bool level);
void kvm_pci_intx(struct platform *p, unsigned devfn, unsigned pin, bool level);
void kvm_pci_link(struct platform *p, unsigned link, unsigned irq);
void kvm_msi(struct platform *p, uint64_t addr, uint32_t data);

/* kvm-vcpu.c */
int kvm_vcpu_open(struct kvm *k, unsigned index, struct err *err);
int kvm_vcpu_start(struct vcpu *c, struct err *err);
void kvm_vcpu_close(struct vcpu *c); /* its thread has ended or never began */
/* The pin LINT1, where a PC has NMI: its APIC takes it or not. -errno; no vCPU is in the guest. */
int kvm_vcpu_nmi(struct vcpu *c);
/* Makes a vCPU that is in the guest come out of it; with the lock. */
void kvm_vcpu_kick(struct vcpu *c);
/* Serves what the guest wrote without waiting for us; with the lock. */
void kvm_late_writes(struct kvm *k);

/* kvm-cpuid.c */
int kvm_cpuid_set(struct vcpu *c, struct err *err);

/* kvm-state.c */
int kvm_state_keep(struct vcpu *c,
                   struct err *err); /* what the vCPU is now is what a reset makes it */
void kvm_state_forget(struct vcpu *c);
void kvm_state_reset(struct vcpu *c);
int kvm_chips_keep(struct kvm *k, struct err *err);
void kvm_chips_reset(struct kvm *k);
void kvm_state_log(struct vcpu *c); /* the registers, a few lines */
