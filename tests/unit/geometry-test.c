/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The geometry of disks. The numbers were read from QEMU 7.2's CMOS for the same images. */
#include "control/geometry.h"
#include <stdio.h>
#include <string.h>
#include "block/block.h"
#include "control/vm.h"
#include "tests/unit/qt.h"

#define MIB (1024 * 1024 / 512)

/* A table whose second entry ends at the last head and sector of a cylinder. */
static void table(uint8_t *mbr, unsigned heads, unsigned secs)
{
    memset(mbr, 0, 512);
    mbr[510] = 0x55;
    mbr[511] = 0xaa;
    mbr[462 + 5] = heads - 1;
    mbr[462 + 6] = secs | 0xc0;
    mbr[462 + 13] = 4;
}

TEST(by_table_and_by_size)
{
    static const struct {
        uint64_t sectors;
        unsigned heads, secs; /* of the table; 0: there is none */
        char want[24];
    } disks[] = {
        { 1, 0, 0, "2,16,63,none told" },
        { 10 * MIB, 0, 0, "20,16,63,none" },
        { 2048ull * MIB, 0, 0, "4161,16,63,lba" },
        { 300ull * 1024 * MIB, 0, 0, "16383,16,63,lba" },
        { 20 * MIB, 8, 32, "160,8,32,none told" },
        { 20 * MIB, 16, 63, "40,16,63,none" },
        { 2048ull * MIB, 64, 63, "4161,16,63,large" },
        { 20ull * 1024 * MIB, 255, 63, "16383,16,63,lba" },
        { 20 * MIB, 8, 0, "40,16,63,none" },                /* no sectors: not a geometry */
        { 20 * MIB, 1, 63, "40,16,63,none" },               /* one head ends nowhere */
        { 100, 16, 63, "2,16,63,none told" },               /* less than a cylinder */
        { 300ull * 1024 * MIB, 16, 63, "16383,16,63,lba" }, /* more than an address holds */
    };

    for (unsigned i = 0; i < sizeof(disks) / sizeof(disks[0]); i++) {
        uint8_t mbr[512];
        struct geometry g;
        char got[64];

        table(mbr, disks[i].heads ? disks[i].heads : 1, disks[i].secs);
        geometry_guess(disks[i].sectors, disks[i].heads ? mbr : NULL, &g);
        snprintf(got, sizeof(got), "%u,%u,%u,%s%s", g.cyls, g.heads, g.secs, g.trans,
                 g.told ? " told" : "");
        if (strcmp(got, disks[i].want))
            fprintf(stderr, "disk %u: %s, wanted %s\n", i, got, disks[i].want);
        CHECK(!strcmp(got, disks[i].want));
    }
}

TEST(a_sector_without_the_mark_is_no_table)
{
    uint8_t mbr[512];
    struct geometry g;

    table(mbr, 8, 32);
    mbr[511] = 0;
    geometry_guess(20 * MIB, mbr, &g);
    CHECK(g.cyls == 40 && g.heads == 16 && !g.told);
}

/* One that counted on the first flush being the guest's once met an error that was spent. */
TEST(the_first_sector_is_read_and_nothing_flushed)
{
    struct qt *t = qt_new();
    struct drive_arg arg = { 0 };
    struct vm_drive d = { .arg = &arg, .block = block_open_mem(t->plat.loop, 20 << 20) };
    struct geometry g;

    geometry_of(&d, &g);
    CHECK_EQ(g.cyls, 40);
    CHECK_EQ(d.block->stat[BLOCK_READ].ops, 1);
    CHECK_EQ(d.block->stat[BLOCK_FLUSH].ops, 0);
    block_close(d.block);
}
