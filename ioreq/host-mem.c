/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The firmware's pages are the file's own until written; what nobody touched costs nothing. */
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "hw/core/pci.h"
#include "ioreq/host-mem.h"

#define BIOS_END   0x100000
#define BIOS_LOW   0x20000 /* as much of it as is seen below 1 MiB */
#define ROM_MAX    (16u << 20)
#define PAGE_SHIFT 12
#define HUGE_2M    (2u << 20)
#define PAGE       (1u << PAGE_SHIFT)

static void *map_anonymous(uint64_t size)
{
    return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                0);
}

/* MAP_SHARED: its pages are put aside now, so that a lack of them is seen here and by nobody later.
 */
static void *map_huge(struct host_mem *m, uint64_t page)
{
    int fd = memfd_create("guest-ram", MFD_CLOEXEC | MFD_HUGETLB |
                                           (page > HUGE_2M ? MFD_HUGE_1GB : MFD_HUGE_2MB));
    void *at = MAP_FAILED;
    int e;

    if (fd < 0)
        return at;
    if (!ftruncate(fd, (off_t)m->mapped))
        at = mmap(NULL, m->mapped, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    e = errno;
    close(fd);
    errno = e;
    return at;
}

/* Into memory that cannot be mapped over in small pieces. */
static void *copy_firmware(void *to, const uint8_t *rom, uint64_t len)
{
    memcpy(to, rom, len);
    return to;
}

/* Its last bytes lie below 4 GiB; the last 128 KiB also below 1 MiB, where it is like RAM. */
static int map_firmware(struct host_mem *m, const char *file, struct err *err)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    struct stat st;
    uint64_t low;
    void *at;

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
    low = m->rom_size < BIOS_LOW ? m->rom_size : BIOS_LOW;
    at = m->rom;
    if (m->rom != MAP_FAILED && m->low >= BIOS_END && !m->board && m->huge)
        at = copy_firmware(m->ram + BIOS_END - low, m->rom + m->rom_size - low, low);
    else if (m->rom != MAP_FAILED && m->low >= BIOS_END && !m->board)
        at = mmap(m->ram + BIOS_END - low, low, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd,
                  (off_t)(m->rom_size - low));
    close(fd);
    if (m->rom == MAP_FAILED)
        m->rom = NULL;
    return at == MAP_FAILED ? err_set(err, -errno, "firmware %s: %s", file, strerror(errno)) : 0;
}

int host_mem_open(struct host_mem *m, const struct world_options *o, struct err *err)
{
    m->low = o->ram < o->low_ram_max ? o->ram : o->low_ram_max;
    m->high = o->ram - m->low;
    m->mapped = o->ram;
    m->huge = o->huge_page != 0;
    m->ram = m->huge ? map_huge(m, o->huge_page) : map_anonymous(o->ram);
    if (m->ram == MAP_FAILED) {
        m->ram = NULL;
        if (m->huge)
            return err_set(err, -errno,
                           "-object hugetlb=on: cannot have %llu pages of %llu MiB: %s; make them: "
                           "/sys/kernel/mm/hugepages/hugepages-%llukB/nr_hugepages",
                           (unsigned long long)(o->ram / o->huge_page),
                           (unsigned long long)(o->huge_page >> 20), strerror(errno),
                           (unsigned long long)(o->huge_page >> 10));
        return err_set(err, -errno, "-m: cannot have %llu MiB of memory: %s",
                       (unsigned long long)(o->ram >> 20), strerror(errno));
    }
    return o->firmware ? map_firmware(m, o->firmware, err) : 0;
}

void host_mem_close(struct host_mem *m)
{
    if (m->ram)
        munmap(m->ram, m->mapped);
    if (m->rom)
        munmap(m->rom, m->rom_size);
    if (m->vram)
        munmap(m->vram, m->vram_size);
    free(m->vram_dirty);
    memset(m, 0, sizeof(*m));
}

static void dirty(struct host_mem *m, uint64_t off, uint64_t len)
{
    for (uint64_t page = off >> PAGE_SHIFT; len && page <= (off + len - 1) >> PAGE_SHIFT; page++)
        m->vram_dirty[page / 64] |= 1ULL << page % 64;
}

/* Is gpa in [base, base + size)? *off is then how far in; *len is cut to the end of it. */
static bool within(uint64_t gpa, uint64_t base, uint64_t size, uint64_t *off, uint64_t *len)
{
    if (gpa < base) {
        if (*len > base - gpa)
            *len = base - gpa; /* so that a hole ends where this begins */
        return false;
    }
    if (gpa - base >= size)
        return false;
    *off = gpa - base;
    if (*len > size - *off)
        *len = size - *off;
    return true;
}

#define PAM     0x59 /* of the 82441FX: RE is bit 0, WE bit 1 of each nibble (290549, 3.2.18) */
#define SEGMENT 0x4000
#define BIOS_AT 0xe0000

/* Does an access there go to RAM? 0xf0000-0xfffff is the first register's high nibble. */
static bool is_shadowed(const struct host_mem *m, uint64_t gpa, bool write)
{
    const struct pci_func *bridge = m->board ? m->board->pci[0] : NULL;
    unsigned n = gpa >= 0xf0000 ? 1 : 2 + (unsigned)(gpa - HOST_MEM_VGA_END) / SEGMENT;

    return !bridge || (bridge->cfg[PAM + n / 2] >> (n & 1 ? 4 : 0) & (write ? 2 : 1));
}

/* The last bytes below 4 GiB, of the firmware's file or of a chip. NULL: none. */
static uint8_t *firmware(const struct host_mem *m, uint64_t *size)
{
    for (unsigned i = 0; i < HOST_MEM_CHIPS; i++) {
        const struct host_chip *c = &m->chip[i];

        if (c->host && c->at + c->size == HOST_MEM_GIB4) {
            *size = c->size;
            return c->host;
        }
    }
    *size = m->rom_size;
    return m->rom;
}

/* 0xc0000-0xfffff: RAM, the firmware's ROM behind it, or nothing. */
static uint8_t *shadow_at(const struct host_mem *m, uint64_t gpa, uint64_t *len, bool write)
{
    uint64_t left = SEGMENT - gpa % SEGMENT, below_end = BIOS_END - gpa, size;
    uint8_t *rom;

    if (*len > left)
        *len = left;
    if (is_shadowed(m, gpa, write))
        return m->ram + gpa;
    rom = firmware(m, &size);
    if (!write && gpa >= BIOS_AT && rom && size >= below_end)
        return rom + size - below_end;
    return NULL;
}

struct host_chip *host_mem_chip(struct host_mem *m, uint64_t gpa, uint64_t size, uint8_t *host,
                                bool shown)
{
    struct host_chip *c = NULL;

    for (unsigned i = 0; i < HOST_MEM_CHIPS; i++) {
        if (m->chip[i].host && m->chip[i].at == gpa)
            c = &m->chip[i];
        else if (!m->chip[i].host && !c)
            c = &m->chip[i];
    }
    if (c)
        *c = (struct host_chip){ gpa, size, host, shown, host && c->copied };
    return c;
}

static uint8_t *chip_at(const struct host_mem *m, uint64_t gpa, uint64_t *len, bool write)
{
    for (unsigned i = 0; i < HOST_MEM_CHIPS; i++) {
        const struct host_chip *c = &m->chip[i];
        uint64_t off;

        if (c->host && within(gpa, c->at, c->size, &off, len))
            return write || !c->shown ? NULL : c->host + off;
    }
    return NULL;
}

uint8_t *host_mem_at(struct host_mem *m, uint64_t gpa, uint64_t *len, bool write)
{
    uint64_t off, low = m->low < HOST_MEM_VGA_BASE ? m->low : HOST_MEM_VGA_BASE;

    if (within(gpa, 0, low, &off, len))
        return m->ram + off;
    if (m->low >= BIOS_END && gpa >= HOST_MEM_VGA_END && gpa < BIOS_END)
        return shadow_at(m, gpa, len, write);
    if (m->low > HOST_MEM_VGA_END &&
        within(gpa, HOST_MEM_VGA_END, m->low - HOST_MEM_VGA_END, &off, len))
        return m->ram + HOST_MEM_VGA_END + off;
    if (m->high && within(gpa, HOST_MEM_GIB4, m->high, &off, len))
        return m->ram + m->low + off;
    if (m->vram_at && within(gpa, m->vram_at, m->vram_size, &off, len)) {
        if (write)
            dirty(m, off, *len);
        return m->vram + off;
    }
    if (m->rom && within(gpa, HOST_MEM_GIB4 - m->rom_size, m->rom_size, &off, len) && !write)
        return m->rom + off;
    return chip_at(m, gpa, len, write);
}

int host_vram_alloc(struct host_mem *m, uint64_t size, void **host, struct err *err)
{
    if (m->vram)
        return err_set(err, -EBUSY, "a machine has one display adapter; leave out one -device VGA");
    m->vram_dirty = calloc(host_vram_words(size), sizeof(uint64_t));
    m->vram = m->vram_dirty ? map_anonymous(size) : MAP_FAILED;
    if (m->vram == MAP_FAILED) {
        m->vram = NULL;
        return err_set(err, -ENOMEM, "cannot have %llu MiB of video memory",
                       (unsigned long long)(size >> 20));
    }
    m->vram_size = size;
    *host = m->vram;
    return 0;
}

size_t host_vram_words(uint64_t size)
{
    return (((size + PAGE - 1) >> PAGE_SHIFT) + 63) / 64;
}

int host_vram_dirty(struct host_mem *m, uint64_t first_page, size_t pages, uint64_t *bits)
{
    uint64_t end = (m->vram_size + PAGE - 1) >> PAGE_SHIFT;

    if (first_page > end || pages > end - first_page)
        return -EINVAL;
    memset(bits, 0, (pages + 63) / 64 * sizeof(*bits));
    for (size_t i = 0; i < pages; i++) {
        uint64_t page = first_page + i, bit = 1ULL << page % 64;

        if (m->vram_dirty[page / 64] & bit)
            bits[i / 64] |= 1ULL << i % 64;
        m->vram_dirty[page / 64] &= ~bit;
    }
    return 0;
}

int host_mem_read(struct host_mem *m, uint64_t gpa, void *dst, size_t len)
{
    while (len) {
        uint64_t n = len;
        const uint8_t *from = host_mem_at(m, gpa, &n, false);

        if (!from)
            return -EFAULT;
        memcpy(dst, from, n);
        dst = (uint8_t *)dst + n;
        gpa += n;
        len -= n;
    }
    return 0;
}

int host_mem_write(struct host_mem *m, uint64_t gpa, const void *src, size_t len)
{
    while (len) {
        uint64_t n = len;
        uint8_t *to = host_mem_at(m, gpa, &n, true);

        if (!to)
            return -EFAULT;
        memcpy(to, src, n);
        src = (const uint8_t *)src + n;
        gpa += n;
        len -= n;
    }
    return 0;
}

void *host_mem_pin(struct host_mem *m, uint64_t gpa, uint64_t len, bool write, uint64_t *got)
{
    uint8_t *at = host_mem_at(m, gpa, &len, write);

    if (at && m->rom && at >= m->rom && at < m->rom + m->rom_size)
        return NULL; /* not to be lent: nobody may write there */
    for (unsigned i = 0; at && i < HOST_MEM_CHIPS; i++) {
        const struct host_chip *c = &m->chip[i];

        if (c->host && at >= c->host && at < c->host + c->size)
            return NULL; /* nor this: it may be gone before the disk is done */
    }
    *got = len;
    return at;
}
