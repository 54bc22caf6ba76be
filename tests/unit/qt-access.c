/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the guest of a test does: port, memory and configuration cycles; and its memory. */
#include <string.h>
#include "tests/unit/qt.h"

static uint64_t qt_io(struct qt *t, enum io_space space, bool write, uint64_t addr, uint64_t data,
                      unsigned width)
{
    struct io_req req = { space, write, width, addr, data };

    platform_io(&t->plat, &req);
    qt_touched(t);
    return req.data;
}

uint8_t inb(struct qt *t, uint16_t port)
{
    return qt_io(t, IO_PORT, false, port, 0, 1);
}

uint16_t inw(struct qt *t, uint16_t port)
{
    return qt_io(t, IO_PORT, false, port, 0, 2);
}

uint32_t inl(struct qt *t, uint16_t port)
{
    return qt_io(t, IO_PORT, false, port, 0, 4);
}

void outb(struct qt *t, uint16_t port, uint8_t val)
{
    qt_io(t, IO_PORT, true, port, val, 1);
}

void outw(struct qt *t, uint16_t port, uint16_t val)
{
    qt_io(t, IO_PORT, true, port, val, 2);
}

void outl(struct qt *t, uint16_t port, uint32_t val)
{
    qt_io(t, IO_PORT, true, port, val, 4);
}

uint64_t mmio_read(struct qt *t, uint64_t addr, unsigned width)
{
    return qt_io(t, IO_MEM, false, addr, 0, width);
}

void mmio_write(struct qt *t, uint64_t addr, uint64_t val, unsigned width)
{
    qt_io(t, IO_MEM, true, addr, val, width);
}

bool hex_is(const char *hex, const uint8_t *bytes, unsigned n)
{
    char got[512];
    unsigned len = 0;

    got[0] = 0;
    for (unsigned i = 0; i < n && len + 4 < sizeof(got); i++)
        len += snprintf(got + len, 4, i ? " %02x" : "%02x", bytes[i]);
    if (strcmp(got, hex))
        fprintf(stderr, "what came: %s\n", got); /* the CHECK names what should have */
    return !strcmp(got, hex);
}

static void *qt_ram(struct qt *t, uint32_t addr, unsigned len)
{
    CHECK(addr <= QT_RAM - len);
    return t->ram + addr;
}

void put32(struct qt *t, uint32_t addr, uint32_t val)
{
    memcpy(qt_ram(t, addr, 4), &val, 4);
}

void put64(struct qt *t, uint32_t addr, uint64_t val)
{
    memcpy(qt_ram(t, addr, 8), &val, 8);
}

uint32_t ram32(struct qt *t, uint32_t addr)
{
    uint32_t val;

    memcpy(&val, qt_ram(t, addr, 4), 4);
    return val;
}

uint64_t ram64(struct qt *t, uint32_t addr)
{
    uint64_t val;

    memcpy(&val, qt_ram(t, addr, 8), 8);
    return val;
}

uint32_t cfg_read(struct qt *t, unsigned devfn, unsigned off, unsigned width)
{
    struct io_req req = { IO_PORT, false, width, 0, 0 };

    platform_pci_cfg(&t->plat, devfn, off, &req);
    qt_touched(t);
    return req.data;
}

void cfg_write(struct qt *t, unsigned devfn, unsigned off, uint32_t val, unsigned width)
{
    struct io_req req = { IO_PORT, true, width, 0, val };

    platform_pci_cfg(&t->plat, devfn, off, &req);
    qt_touched(t);
}
