/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Option ROMs: PCI Local Bus Specification 2.1, §6.2.5.2 (the BAR) and §6.3.1 (what is in it). */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "hw/devices.h"
#include "hw/nic.h"
#include "tests/unit/nic-frames.h"

#define DEVFN 0x20
#define AT    0xf1000000u
#define PCIR  0x20
#define IMAGE 1536 /* bytes: three blocks of 512 */
#define TAIL  100  /* behind the image */

static uint8_t rom[IMAGE + TAIL];
static char dir[64], path[128];
static struct net *net;

/* An image for 10ec:8029, with a sum of 0. */
static void make_rom(void)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < sizeof(rom); i++)
        rom[i] = (uint8_t)(i * 37 ^ i >> 8);
    memcpy(rom, "\x55\xaa\x03", 3);
    rom[0x18] = PCIR;
    rom[0x19] = 0;
    memcpy(rom + PCIR, "PCIR\xec\x10\x29\x80", 8);
    for (unsigned i = 0; i < IMAGE; i++)
        sum += rom[i];
    rom[6] -= sum;
}

static void write_rom(size_t size)
{
    FILE *f;

    snprintf(dir, sizeof(dir), "/tmp/pci-rom-test-XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
    snprintf(path, sizeof(path), "%s/card.rom", dir);
    f = fopen(path, "wb");
    CHECK(f && fwrite(rom, 1, size, f) == size && !fclose(f));
}

static void forget_rom(void)
{
    unlink(path);
    rmdir(dir);
}

/* A card with the ROM, which the guest has sized and switched on. */
static struct qt *start(uint32_t size)
{
    struct qt *t = qt_new();

    net = cable(t);
    qt_config(t, "romfile", path);
    qt_add(t, &e1000_type.dev, DEVFN);
    CHECK_EQ(cfg_read(t, DEVFN, PCI_ROM_BAR, 4), 0);
    cfg_write(t, DEVFN, PCI_ROM_BAR, 0xfffffffe, 4);
    CHECK_EQ(cfg_read(t, DEVFN, PCI_ROM_BAR, 4), ~(size - 1));
    cfg_write(t, DEVFN, PCI_ROM_BAR, AT | 1, 4);
    cfg_write(t, DEVFN, PCI_COMMAND, PCI_COMMAND_MEM, 2);
    return t;
}

static void end(struct qt *t)
{
    cable_end(t, net);
    forget_rom();
}

TEST(it_is_read_at_every_width_and_padded_with_ones)
{
    struct qt *t;
    uint64_t want;

    make_rom();
    rom[PCIR + 4] = 0x86; /* this one is the card's own: not a byte of it changes */
    rom[PCIR + 5] = 0x80;
    rom[PCIR + 6] = 0x0e;
    rom[PCIR + 7] = 0x10;
    write_rom(sizeof(rom));
    t = start(2048);
    for (unsigned i = 0; i < sizeof(rom); i += 97)
        CHECK_EQ(mmio_read(t, AT + i, 1), rom[i]);
    memcpy(&want, rom + 512, 8);
    CHECK_EQ(mmio_read(t, AT + 512, 8), want);
    CHECK_EQ(mmio_read(t, AT + 512, 4), want & 0xffffffff);
    CHECK_EQ(mmio_read(t, AT + sizeof(rom), 4), 0xffffffff);
    CHECK_EQ(mmio_read(t, AT + 2047, 2), 0xffff); /* its last byte, and one of nobody */
    CHECK_EQ(guest_errors(t), 0);
    end(t);
}

TEST(it_is_read_only_and_only_while_decoded)
{
    struct qt *t;

    make_rom();
    write_rom(sizeof(rom));
    t = start(2048);
    CHECK_EQ(mmio_read(t, AT, 2), 0xaa55);
    mmio_write(t, AT, 0, 2);
    CHECK_EQ(mmio_read(t, AT, 2), 0xaa55);
    CHECK_EQ(guest_errors(t), 1);
    cfg_write(t, DEVFN, PCI_COMMAND, 0, 2);
    CHECK_EQ(mmio_read(t, AT, 2), 0xffff);
    cfg_write(t, DEVFN, PCI_COMMAND, PCI_COMMAND_MEM, 2);
    cfg_write(t, DEVFN, PCI_ROM_BAR, AT, 4); /* the enable bit */
    CHECK_EQ(mmio_read(t, AT, 2), 0xffff);
    cfg_write(t, DEVFN, PCI_ROM_BAR, (AT + 0x800) | 1, 4);
    CHECK_EQ(mmio_read(t, AT, 2), 0xffff);
    CHECK_EQ(mmio_read(t, AT + 0x800, 2), 0xaa55);
    end(t);
}

/* One of a family's ROMs is given to another: firmware compares the ids, and sums the image. */
TEST(it_is_made_to_fit_the_card)
{
    struct qt *t;
    uint8_t sum = 0;

    make_rom();
    write_rom(sizeof(rom));
    t = start(2048);
    qt_no_reload(t, "it reads two thousand bytes that no access changes");
    CHECK_EQ(mmio_read(t, AT + PCIR, 4), 0x52494350);
    CHECK_EQ(mmio_read(t, AT + PCIR + 4, 4), 0x100e8086);
    for (unsigned i = 0; i < IMAGE; i++)
        sum += mmio_read(t, AT + i, 1);
    CHECK_EQ(sum, 0);
    for (unsigned i = IMAGE; i < sizeof(rom); i++)
        CHECK_EQ(mmio_read(t, AT + i, 1), rom[i]);
    end(t);
}

/* Structures that point outside, or are none: they are left as they are. */
TEST(odd_images_are_not_touched)
{
    static const struct {
        unsigned at;
        uint8_t val;
    } odd[] = { { 0, 0x54 }, { 1, 0 }, { 0x19, 0xff }, { PCIR, 'p' } };

    for (unsigned i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        struct qt *t;

        make_rom();
        rom[odd[i].at] = odd[i].val;
        write_rom(sizeof(rom));
        t = start(2048);
        CHECK_EQ(mmio_read(t, AT + PCIR + 4, 4), 0x802910ec);
        CHECK_EQ(mmio_read(t, AT + 6, 1), rom[6]);
        end(t);
    }
}

/* A length of 0, or of more than there is: the ids are set, no sum can be made. */
TEST(an_image_longer_than_its_file)
{
    for (unsigned blocks = 0; blocks <= 5; blocks += 5) {
        struct qt *t;

        make_rom();
        rom[2] = blocks;
        write_rom(sizeof(rom));
        t = start(2048);
        CHECK_EQ(mmio_read(t, AT + PCIR + 4, 4), 0x100e8086);
        CHECK_EQ(mmio_read(t, AT + 6, 1), rom[6]);
        end(t);
    }
}

static int load(struct qt *t, const char *file, const char *key, const char *val, struct err *err)
{
    struct pci_func f = { .dev = { .type = &e1000_type.dev, .plat = &t->plat, .id = "nic" } };
    struct config cfg = { 0 };
    int rc;

    if (key)
        config_set(&cfg, key, val);
    rc = pci_load_rom(&f, &cfg, file, err);
    if (rc || !f.rom)
        CHECK(!f.rom && !f.bar_size[PCI_ROM]);
    else
        CHECK_EQ(f.bar_size[PCI_ROM], 2048);
    rc = rc ? rc : f.rom ? 1 : 0;
    pci_rom_free(&f);
    config_free(&cfg);
    return rc;
}

TEST(where_it_is_looked_for)
{
    struct qt *t = qt_new();
    struct err err = { "" };
    char dirs[128];

    make_rom();
    write_rom(sizeof(rom));
    snprintf(dirs, sizeof(dirs), ":/no/such/dir:%s", dir);
    CHECK_EQ(load(t, "card.rom", "rom-path", dirs, &err), 1);
    CHECK_EQ(load(t, path, NULL, NULL, &err), 1);
    CHECK_EQ(load(t, path, "rombar", "off", &err), 0);
    CHECK_EQ(load(t, path, "romfile", "", &err), 0);
    CHECK_EQ(load(t, "", NULL, NULL, &err), 0);
    CHECK(load(t, "no-such-card.rom", "rom-path", dirs, &err) < 0);
    CHECK(strstr(err.msg, "nic: option ROM no-such-card.rom not found; install") != NULL);
    forget_rom();
}

TEST(files_that_are_no_rom)
{
    struct qt *t = qt_new();
    struct err err = { "" };

    make_rom();
    write_rom(511);
    CHECK(load(t, path, NULL, NULL, &err) < 0);
    CHECK(strstr(err.msg, path) && strstr(err.msg, "512 bytes to 1 MiB"));
    CHECK(truncate(path, (1 << 20) + 1) == 0);
    CHECK(load(t, path, NULL, NULL, &err) < 0);
    forget_rom();
    CHECK(load(t, "/tmp/", NULL, NULL, &err) < 0);
    CHECK(strstr(err.msg, "is not a file") != NULL);
}

/* Without its own ROM a card only loses booting; a ROM that was asked for must be there. */
TEST(a_card_without_its_rom)
{
    static const struct nic_ops ops;
    struct pci_func f = { .dev = { .id = "nic" } };
    struct config cfg = { 0 };
    struct err err = { "" };
    struct nic n = { 0 };

    CHECK_EQ(nic_init(&n, &f, &cfg, "no-such-card.rom", &ops, &err), 0);
    CHECK(!f.rom && !*err.msg);
    config_set(&cfg, "romfile", "/no/such/file.rom");
    CHECK(nic_init(&n, &f, &cfg, "no-such-card.rom", &ops, &err) < 0);
    CHECK(strstr(err.msg, "option ROM /no/such/file.rom not found") != NULL);
    config_free(&cfg);
}
