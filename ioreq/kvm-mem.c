/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory under KVM: ours (ioreq/host-mem.h), lent to the kernel slot by
 * slot. Video memory is a slot of its own, which logs its dirty pages.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "hw/core/log.h"
#include "ioreq/kvm-impl.h"

/* size 0 takes the slot away. */
static int set_slot(struct kvm *k, unsigned slot, unsigned flags, uint64_t gpa, uint64_t size,
                    const void *host)
{
    struct kvm_userspace_memory_region r = { .slot = slot,
                                             .flags = flags,
                                             .guest_phys_addr = gpa,
                                             .memory_size = size,
                                             .userspace_addr = (uintptr_t)host };

    return ioctl(k->vm, KVM_SET_USER_MEMORY_REGION, &r) ? -errno : 0;
}

int kvm_mem_open(struct kvm *k, struct err *err)
{
    struct host_mem *m = &k->mem;
    uint64_t first;
    int rc = host_mem_open(m, &k->o, err);

    if (rc)
        return rc;
    madvise(m->ram, k->o.ram, MADV_HUGEPAGE); /* it is only faster with them */
    first = m->low < HOST_MEM_VGA_BASE ? m->low : HOST_MEM_VGA_BASE;
    rc = set_slot(k, SLOT_LOW, 0, 0, first, m->ram);
    if (!rc && m->low > HOST_MEM_VGA_END)
        rc = set_slot(k, SLOT_MIDDLE, 0, HOST_MEM_VGA_END, m->low - HOST_MEM_VGA_END,
                      m->ram + HOST_MEM_VGA_END);
    if (!rc && m->high)
        rc = set_slot(k, SLOT_HIGH, 0, HOST_MEM_GIB4, m->high, m->ram + m->low);
    if (!rc && m->rom)
        rc = set_slot(k, SLOT_ROM, KVM_MEM_READONLY, HOST_MEM_GIB4 - m->rom_size, m->rom_size,
                      m->rom);
    return rc ? err_set(err, rc, "KVM: guest memory: %s", strerror(-rc)) : 0;
}

void kvm_mem_close(struct kvm *k)
{
    host_mem_close(&k->mem);
    free(k->fetched);
    k->fetched = NULL;
}

int kvm_mem_read(struct platform *p, uint64_t gpa, void *dst, size_t len)
{
    return host_mem_read(&kvm_of(p)->mem, gpa, dst, len);
}

int kvm_mem_write(struct platform *p, uint64_t gpa, const void *src, size_t len)
{
    return host_mem_write(&kvm_of(p)->mem, gpa, src, len);
}

void *kvm_mem_pin(struct platform *p, uint64_t gpa, uint64_t len, bool write, uint64_t *got)
{
    return host_mem_pin(&kvm_of(p)->mem, gpa, len, write, got);
}

#define BIOS_END 0x100000
#define BIOS_LOW 0x20000

/* A write to such a slot is an exit; and so is a read while there is none. */
void kvm_rom(struct platform *p, uint64_t gpa, uint64_t size, uint8_t *host, bool shown)
{
    struct kvm *k = kvm_of(p);
    struct host_mem *m = &k->mem;
    struct host_chip *c = host_mem_chip(m, gpa, size, host, shown);
    uint64_t low = size < BIOS_LOW ? size : BIOS_LOW;
    unsigned slot;

    if (!c)
        return;
    slot = SLOT_CHIP + (unsigned)(c - m->chip);
    set_slot(k, slot, 0, gpa, 0, NULL);
    if (host && shown && set_slot(k, slot, KVM_MEM_READONLY, gpa, size, host))
        log_line("KVM: the flash at %llx is slow: %s", (unsigned long long)gpa, strerror(errno));
    /* No guest has run yet: the firmware's end is where a processor begins, as with -bios. */
    if (host && shown && gpa + size == HOST_MEM_GIB4 && m->low >= BIOS_END && !c->copied)
        memcpy(m->ram + BIOS_END - low, host + size - low, low);
    c->copied = host != NULL;
}

int kvm_vram_alloc(struct platform *p, uint64_t size, void **host, struct err *err)
{
    struct kvm *k = kvm_of(p);
    int rc = host_vram_alloc(&k->mem, size, host, err);

    if (rc)
        return rc;
    k->fetched = calloc(host_vram_words(size), sizeof(*k->fetched));
    return k->fetched ? 0 : err_set(err, -ENOMEM, "out of memory");
}

/* Pages the guest wrote, so far: into our own log, because asking empties the kernel's. */
static int fetch_dirty(struct kvm *k)
{
    struct host_mem *m = &k->mem;
    size_t words = host_vram_words(m->vram_size);
    struct kvm_dirty_log log = { .slot = SLOT_VRAM, .dirty_bitmap = k->fetched };

    if (!m->vram_at)
        return 0;
    memset(k->fetched, 0, words * sizeof(*k->fetched));
    if (ioctl(k->vm, KVM_GET_DIRTY_LOG, &log))
        return -errno;
    for (size_t i = 0; i < words; i++)
        m->vram_dirty[i] |= k->fetched[i];
    return 0;
}

int kvm_vram_place(struct platform *p, uint64_t gpa)
{
    struct kvm *k = kvm_of(p);
    struct host_mem *m = &k->mem;
    int rc;

    if (!m->vram || gpa == m->vram_at)
        return 0;
    if (m->vram_at) {
        fetch_dirty(k);
        set_slot(k, SLOT_VRAM, 0, m->vram_at, 0, NULL);
        m->vram_at = 0;
    }
    if (!gpa)
        return 0;
    rc = set_slot(k, SLOT_VRAM, KVM_MEM_LOG_DIRTY_PAGES, gpa, m->vram_size, m->vram);
    if (!rc)
        m->vram_at = gpa;
    return rc;
}

int kvm_vram_dirty(struct platform *p, uint64_t first_page, size_t pages, uint64_t *bits)
{
    int rc = fetch_dirty(kvm_of(p));

    return rc ? rc : host_vram_dirty(&kvm_of(p)->mem, first_page, pages, bits);
}
