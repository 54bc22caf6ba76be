/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Option ROMs (PCI 2.1 §6.3): a file of the host, padded to a power of two,
 * read through the ROM BAR as emulated memory, so no guest page is spent.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "hw/core/config.h"
#include "hw/core/pci.h"

#define ROM_MAX     (1u << 20)
#define ROM_DEFAULT "/usr/share/seabios:/usr/lib/ipxe/qemu:/usr/share/qemu:/usr/share/portico"

static uint64_t rom_read(struct device *dev, uint64_t off, unsigned width)
{
    struct pci_func *f = pci_of(dev);
    uint64_t val = 0;

    if (!f->rom || off + width > f->bar_size[PCI_ROM])
        return ~0ULL;
    memcpy(&val, f->rom + off, width);
    return val;
}

static void rom_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    guest_err(dev, "write to the option ROM at %llx", (unsigned long long)off);
}

const struct io_range pci_rom_range = {
    .space = IO_MEM, .size = ROM_MAX, .widths = 1 | 2 | 4 | 8, .read = rom_read, .write = rom_write
};

void pci_rom_free(struct pci_func *f)
{
    free(f->rom);
    f->rom = NULL;
}

/* Opens file in the first directory of the list that has it; path says where. */
static int rom_open(const char *dirs, const char *file, char *path, size_t size)
{
    if (strchr(file, '/')) {
        snprintf(path, size, "%s", file);
        return open(path, O_RDONLY | O_CLOEXEC);
    }
    while (*dirs) {
        int len = strcspn(dirs, ":");
        int fd;

        snprintf(path, size, "%.*s/%s", len, dirs, file);
        fd = len ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        if (fd >= 0)
            return fd;
        dirs += len + (dirs[len] == ':');
    }
    return -1;
}

static unsigned le16(const uint8_t *p)
{
    return p[0] | p[1] << 8;
}

/* The PCIR structure names the device; a ROM for another id of the family is made to fit. */
static void rom_patch(struct pci_func *f, uint8_t *rom, size_t size)
{
    unsigned pcir = le16(rom + 0x18);
    size_t image = rom[2] * 512u;
    uint8_t sum = 0;

    if (rom[0] != 0x55 || rom[1] != 0xaa || pcir + 0x18 > size || memcmp(rom + pcir, "PCIR", 4))
        return;
    if (!memcmp(rom + pcir + 4, f->init, 4))
        return;
    memcpy(rom + pcir + 4, f->init, 4);
    if (!image || image > size)
        return;
    for (size_t i = 0; i < image; i++)
        sum += rom[i];
    rom[6] -= sum; /* byte 6 is free for the checksum in both SeaBIOS's and iPXE's ROMs */
}

static int rom_fill(struct pci_func *f, int fd, const char *path, struct err *err)
{
    struct stat st;
    uint64_t size = 2048;

    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size < 512 || st.st_size > ROM_MAX)
        return err_set(err, -EINVAL, "%s: option ROM %s is not a file of 512 bytes to 1 MiB",
                       f->dev.id, path);
    while (size < (uint64_t)st.st_size)
        size *= 2;
    f->rom = malloc(size);
    if (!f->rom)
        return err_set(err, -ENOMEM, "%s: out of memory", f->dev.id);
    memset(f->rom, 0xff, size);
    if (read(fd, f->rom, st.st_size) != st.st_size)
        return err_set(err, -EIO, "%s: cannot read option ROM %s", f->dev.id, path);
    rom_patch(f, f->rom, size);
    pci_set_bar_size(f, PCI_ROM, size);
    return 0;
}

int pci_load_rom(struct pci_func *f, const struct config *cfg, const char *file, struct err *err)
{
    const char *asked = config_str(cfg, "romfile", NULL);
    char path[4096];
    int fd, rc;

    file = asked ? asked : file;
    if (!*file || !config_bool(cfg, "rombar", true))
        return 0;
    snprintf(path, sizeof(path), "%s", file);
    fd = asked ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    if (fd < 0)
        fd = rom_open(config_str(cfg, "rom-path", ""), file, path, sizeof(path));
    if (fd < 0)
        fd = rom_open(ROM_DEFAULT, file, path, sizeof(path));
    if (fd < 0)
        return err_set(err, -ENOENT,
                       "%s: option ROM %s not found; install Debian's seabios and ipxe-qemu "
                       "or name its directory with -L",
                       f->dev.id, file);
    rc = rom_fill(f, fd, path, err);
    close(fd);
    if (rc)
        pci_rom_free(f);
    return rc;
}
