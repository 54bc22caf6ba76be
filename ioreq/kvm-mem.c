/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest memory under KVM: ours, lent to the kernel slot by slot. RAM is split
 * round the hole below 4 GiB as on a PC; 0xa0000-0xbffff belongs to the
 * display card. Video memory is a slot of its own, which logs its dirty pages.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ioreq/kvm-impl.h"

#define GIB4       (UINT64_C(1) << 32)
#define VGA_BASE   0xa0000
#define VGA_END    0xc0000
#define BIOS_END   0x100000
#define BIOS_LOW   0x20000 /* as much of it as is seen below 1 MiB */
#define ROM_MAX    (16u << 20)
#define PAGE_SHIFT 12
#define PAGE       (1u << PAGE_SHIFT)

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

static int read_firmware(struct kvm *k, const char *file, struct err *err)
{
    struct kvm_mem *m = &k->mem;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    struct stat st;
    uint64_t low;

    if (fd < 0 || fstat(fd, &st)) {
        int e = errno;

        if (fd >= 0)
            close(fd);
        return err_set(err, -e, "firmware %s: %s", file, strerror(e));
    }
    if (!S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > ROM_MAX || st.st_size % PAGE) {
        close(fd);
        return err_set(err, -EINVAL, "firmware %s: must be a file of whole pages up to 16 MiB",
                       file);
    }
    m->rom_size = (uint64_t)st.st_size;
    m->rom = mmap(NULL, m->rom_size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (m->rom == MAP_FAILED) {
        m->rom = NULL;
        return err_set(err, -errno, "firmware %s: %s", file, strerror(errno));
    }
    low = m->rom_size < BIOS_LOW ? m->rom_size : BIOS_LOW;
    if (m->low >= BIOS_END)
        memcpy(m->ram + BIOS_END - low, m->rom + m->rom_size - low, low);
    return set_slot(k, SLOT_ROM, KVM_MEM_READONLY, GIB4 - m->rom_size, m->rom_size, m->rom)
               ? err_set(err, -errno, "KVM: the firmware's memory: %s", strerror(errno))
               : 0;
}

int kvm_mem_open(struct kvm *k, struct err *err)
{
    struct kvm_mem *m = &k->mem;
    uint64_t first;
    int rc;

    m->low = k->o.ram < k->o.low_ram_max ? k->o.ram : k->o.low_ram_max;
    m->high = k->o.ram - m->low;
    m->ram = mmap(NULL, k->o.ram, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (m->ram == MAP_FAILED) {
        m->ram = NULL;
        return err_set(err, -errno, "-m: cannot have %llu MiB of memory: %s",
                       (unsigned long long)(k->o.ram >> 20), strerror(errno));
    }
    madvise(m->ram, k->o.ram, MADV_HUGEPAGE); /* it is only faster with them */
    first = m->low < VGA_BASE ? m->low : VGA_BASE;
    rc = set_slot(k, SLOT_LOW, 0, 0, first, m->ram);
    if (!rc && m->low > VGA_END)
        rc = set_slot(k, SLOT_MIDDLE, 0, VGA_END, m->low - VGA_END, m->ram + VGA_END);
    if (!rc && m->high)
        rc = set_slot(k, SLOT_HIGH, 0, GIB4, m->high, m->ram + m->low);
    if (rc)
        return err_set(err, rc, "KVM: guest memory: %s", strerror(-rc));
    return k->o.firmware ? read_firmware(k, k->o.firmware, err) : 0;
}

void kvm_mem_close(struct kvm *k)
{
    struct kvm_mem *m = &k->mem;

    if (m->ram)
        munmap(m->ram, m->low + m->high);
    if (m->rom)
        munmap(m->rom, m->rom_size);
    if (m->vram)
        munmap(m->vram, m->vram_size);
    free(m->vram_log);
    memset(m, 0, sizeof(*m));
}

/* ---- what devices ask ---- */

/* Host address of gpa; *len is cut to what is in one piece. NULL: no memory there. */
static uint8_t *mem_at(struct kvm_mem *m, uint64_t gpa, uint64_t *len, bool write)
{
    const struct {
        uint64_t base, size;
        uint8_t *host;
    } parts[] = {
        { 0, m->low < VGA_BASE ? m->low : VGA_BASE, m->ram },
        { VGA_END, m->low > VGA_END ? m->low - VGA_END : 0, m->ram + VGA_END },
        { GIB4, m->high, m->ram + m->low },
        { m->vram_at, m->vram_at ? m->vram_size : 0, m->vram },
        { GIB4 - m->rom_size, write ? 0 : m->rom_size, m->rom },
    };

    for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        uint64_t off = gpa - parts[i].base;

        if (gpa < parts[i].base || off >= parts[i].size)
            continue;
        if (*len > parts[i].size - off)
            *len = parts[i].size - off;
        return parts[i].host + off;
    }
    return NULL;
}

static void note_dirty(struct kvm_mem *m, const uint8_t *host, uint64_t len)
{
    if (!m->vram || host < m->vram || host >= m->vram + m->vram_size)
        return;
    for (uint64_t at = (uint64_t)(host - m->vram) >> PAGE_SHIFT,
                  end = ((uint64_t)(host - m->vram) + len - 1) >> PAGE_SHIFT;
         at <= end; at++)
        m->vram_log[at / 64] |= 1ULL << at % 64;
}

int kvm_mem_read(struct platform *p, uint64_t gpa, void *dst, size_t len)
{
    uint8_t *to = dst;

    while (len) {
        uint64_t n = len;
        const uint8_t *host = mem_at(&kvm_of(p)->mem, gpa, &n, false);

        if (!host)
            return -EFAULT;
        memcpy(to, host, n);
        gpa += n;
        to += n;
        len -= n;
    }
    return 0;
}

int kvm_mem_write(struct platform *p, uint64_t gpa, const void *src, size_t len)
{
    const uint8_t *from = src;

    while (len) {
        uint64_t n = len;
        uint8_t *host = mem_at(&kvm_of(p)->mem, gpa, &n, true);

        if (!host)
            return -EFAULT;
        memcpy(host, from, n);
        note_dirty(&kvm_of(p)->mem, host, n);
        gpa += n;
        from += n;
        len -= n;
    }
    return 0;
}

/* Video memory and the ROM are not lent: they can go, and their dirty pages are to be noted. */
void *kvm_mem_pin(struct platform *p, uint64_t gpa, uint64_t len, bool write, uint64_t *got)
{
    struct kvm_mem *m = &kvm_of(p)->mem;
    uint64_t n = len;
    uint8_t *host = mem_at(m, gpa, &n, true);

    if (!host || host < m->ram || host >= m->ram + m->low + m->high)
        return NULL;
    *got = n;
    return host;
}

/* ---- video memory ---- */

int kvm_vram_alloc(struct platform *p, uint64_t size, void **host, struct err *err)
{
    struct kvm_mem *m = &kvm_of(p)->mem;

    if (m->vram)
        return err_set(err, -EBUSY, "a machine has one display adapter; leave out one -device VGA");
    m->vram = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    m->vram_log = calloc(2 * ((size >> PAGE_SHIFT) / 64 + 1), sizeof(*m->vram_log));
    if (m->vram == MAP_FAILED || !m->vram_log) {
        m->vram = NULL;
        return err_set(err, -ENOMEM, "cannot have %llu MiB of video memory",
                       (unsigned long long)(size >> 20));
    }
    m->vram_size = size;
    *host = m->vram;
    return 0;
}

/* Pages the guest wrote, so far: into our own log, because asking empties the kernel's. */
static int fetch_dirty(struct kvm *k)
{
    struct kvm_mem *m = &k->mem;
    size_t words = (m->vram_size >> PAGE_SHIFT) / 64 + 1;
    uint64_t *fetched = m->vram_log + words;
    struct kvm_dirty_log log = { .slot = SLOT_VRAM, .dirty_bitmap = fetched };

    if (!m->vram_at)
        return 0;
    memset(fetched, 0, words * sizeof(*fetched));
    if (ioctl(k->vm, KVM_GET_DIRTY_LOG, &log))
        return -errno;
    for (size_t i = 0; i < words; i++)
        m->vram_log[i] |= fetched[i];
    return 0;
}

int kvm_vram_place(struct platform *p, uint64_t gpa)
{
    struct kvm *k = kvm_of(p);
    struct kvm_mem *m = &k->mem;
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
    struct kvm *k = kvm_of(p);
    struct kvm_mem *m = &k->mem;
    int rc = fetch_dirty(k);

    if (first_page + pages > m->vram_size >> PAGE_SHIFT)
        return -EINVAL;
    memset(bits, 0, (pages + 63) / 64 * sizeof(*bits));
    for (size_t i = 0; i < pages; i++) {
        uint64_t page = first_page + i, bit = 1ULL << page % 64;

        if (m->vram_log[page / 64] & bit)
            bits[i / 64] |= 1ULL << i % 64;
        m->vram_log[page / 64] &= ~bit;
    }
    return rc;
}
