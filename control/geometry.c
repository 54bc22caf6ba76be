/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/geometry.c: see geometry.h. A partition table tells what geometry
 * its maker saw: an entry that ends on a cylinder has the last head and sector
 * in its end address (the IBM PC's fixed disk; ATA/ATAPI-4 6.2 for the default).
 */
#include "control/geometry.h"
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "hw/ata.h"

#define SECTOR     512
#define TABLE      446 /* four entries of 16 bytes, then 55 aa */
#define ENTRIES    4
#define CYLS_MIN   2 /* as QEMU has it for the smallest */
#define CYLS_MAX   16383
#define BIOS_CYLS  1024
#define BIOS_HEADS 16
#define BIOS_SECS  63
#define LARGE_MAX  131072 /* cylinders times heads that fit "large" translation */

static const char *auto_trans(unsigned cyls, unsigned heads, unsigned secs)
{
    return cyls <= BIOS_CYLS && heads <= BIOS_HEADS && secs <= BIOS_SECS ? "none" : "lba";
}

static void by_size(uint64_t sectors, struct geometry *g)
{
    ata_geometry(sectors, &g->cyls, &g->heads, &g->secs);
    if (g->cyls < CYLS_MIN) {
        g->cyls = CYLS_MIN;
        g->told = true;
    }
    g->trans = auto_trans(g->cyls, g->heads, g->secs);
}

/* The geometry that the maker of the partition table saw; false: nothing there tells. */
static bool of_table(uint64_t sectors, const uint8_t *mbr, struct geometry *g)
{
    if (mbr[SECTOR - 2] != 0x55 || mbr[SECTOR - 1] != 0xaa)
        return false;
    for (unsigned i = 0; i < ENTRIES; i++) {
        const uint8_t *p = mbr + TABLE + 16 * i;
        unsigned heads = p[5] + 1u, secs = p[6] & 63;
        uint64_t cyls;

        if (!(p[12] | p[13] | p[14] | p[15]) || !p[5] || !secs)
            continue;
        cyls = sectors / (heads * secs);
        if (cyls < 1 || cyls > CYLS_MAX)
            continue;
        g->cyls = (unsigned)cyls;
        g->heads = heads;
        g->secs = secs;
        return true;
    }
    return false;
}

void geometry_guess(uint64_t sectors, const uint8_t *mbr, struct geometry *g)
{
    struct geometry seen;

    memset(g, 0, sizeof(*g));
    by_size(sectors, g);
    if (!mbr || !of_table(sectors, mbr, &seen))
        return;
    if (seen.heads > BIOS_HEADS) { /* a translated one: the drive's own stays */
        g->trans = seen.cyls * seen.heads <= LARGE_MAX ? "large" : "lba";
        return;
    }
    g->told |= seen.cyls != g->cyls || seen.heads != g->heads || seen.secs != g->secs;
    g->cyls = seen.cyls;
    g->heads = seen.heads;
    g->secs = seen.secs;
    g->trans = "none";
}

struct first { /* the read of the first sector */
    struct block_req req;
    uint8_t data[SECTOR];
    struct iovec iov;
    int err;
};

static void read_done(struct block_req *req, int err)
{
    ((struct first *)req->arg)->err = err;
}

/* An image is read by way of its format; a plain file at once, without waiting for the loop. */
static bool read_first(const struct vm_drive *d, uint8_t *mbr)
{
    struct block *b = d->block;
    struct first f = { .err = -1 };
    int fd;

    if (b->size < SECTOR)
        return false;
    if (d->arg->file && (!d->arg->format || !strcmp(d->arg->format, "raw"))) {
        fd = open(d->arg->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd >= 0) {
            ssize_t n = pread(fd, mbr, SECTOR, 0);

            close(fd);
            return n == SECTOR;
        }
    }
    f.iov = (struct iovec){ f.data, SECTOR };
    f.req = (struct block_req){
        .op = BLOCK_READ, .len = SECTOR, .iov = &f.iov, .niov = 1, .done = read_done, .arg = &f
    };
    block_submit(b, &f.req);
    block_settle(b); /* no flush: a drive that only starts has written nothing */
    memcpy(mbr, f.data, SECTOR);
    return !f.err;
}

static unsigned number(const struct vm_drive *d, const char *key)
{
    return (unsigned)strtoul(config_str(&d->arg->props, key, "0"), NULL, 10);
}

void geometry_of(const struct vm_drive *d, struct geometry *g)
{
    const struct config *props = &d->arg->props;
    const char *trans =
        config_str(props, "bios-chs-trans",
                   config_str(props, "chs-trans", config_str(props, "trans", "auto")));
    uint8_t mbr[SECTOR];

    memset(g, 0, sizeof(*g));
    if (number(d, "cyls")) {
        g->cyls = number(d, "cyls");
        g->heads = number(d, "heads");
        g->secs = number(d, "secs");
        g->trans = auto_trans(g->cyls, g->heads, g->secs);
        g->told = true;
    } else {
        geometry_guess(d->block->size / SECTOR, read_first(d, mbr) ? mbr : NULL, g);
    }
    if (strcmp(trans, "auto"))
        g->trans = trans;
}
