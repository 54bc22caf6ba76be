/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IDENTIFY DEVICE and the words IDENTIFY PACKET DEVICE shares with it:
 * ATA/ATAPI-7 volume 1 §6.16, §6.17. Values are what drivers look at; words
 * that are not set are zero: not reported or not supported.
 */
#include <string.h>
#include "hw/ata-int.h"

#define MODE_PIO_MAX  4
#define MODE_MDMA_MAX 2
#define MODE_UDMA_MAX 5
#define SATA_TAGS     32

void ata_geometry(uint64_t sectors, unsigned *cyls, unsigned *heads, unsigned *secs)
{
    uint64_t n = sectors / (16 * 63);

    *heads = 16;
    *secs = 63;
    *cyls = n > 16383 ? 16383 : n ? n : 1;
}

static void unit_geometry(const struct ide_unit *u, unsigned *cyls, unsigned *heads, unsigned *secs)
{
    ata_geometry(u->blocks, cyls, heads, secs);
    if (u->cyls) {
        *cyls = u->cyls;
        *heads = u->heads;
        *secs = u->secs;
    }
}

void ide_word(uint8_t *id, unsigned word, uint16_t val)
{
    id[2 * word] = val;
    id[2 * word + 1] = val >> 8;
}

/* An ATA string: space-padded, bytes swapped in each word. */
static void put_string(uint8_t *id, unsigned word, unsigned words, const char *s)
{
    for (unsigned i = 0; i < 2 * words; i++)
        id[2 * word + (i ^ 1)] = *s ? *s++ : ' ';
}

/* §6.46, table 43: the type in the upper five bits, the mode below. */
bool ide_set_mode(struct ide_unit *u, uint8_t mode)
{
    unsigned n = mode & 7;

    switch (mode >> 3) {
    case 0: /* default PIO, with or without IORDY */
        if (n > 1)
            return false;
        break;
    case 1:
        if (n > MODE_PIO_MAX)
            return false;
        break;
    case 4:
        if (n > MODE_MDMA_MAX)
            return false;
        break;
    case 8:
        if (n > MODE_UDMA_MAX)
            return false;
        break;
    default:
        return false;
    }
    u->s->xfer_mode = mode;
    return true;
}

/* A capability word with the selected mode's bit in the upper byte. */
static uint16_t mode_word(const struct ide_unit *u, unsigned type, unsigned max)
{
    uint16_t val = (1u << (max + 1)) - 1;

    if (u->s->xfer_mode >> 3 == type)
        val |= 0x100u << (u->s->xfer_mode & 7);
    return val;
}

/* ATA8-ACS §7.16.7, SATA 2.6 §13.2.1. Word 93 stays zero: that is how one knows. */
static void identify_sata(const struct ide_unit *u, uint8_t *id)
{
    bool disk = u->kind == IDE_DISK;

    ide_word(id, 75, disk ? SATA_TAGS - 1 : 0);
    ide_word(id, 76, disk ? 0x0106 : 0x0006); /* 1.5 and 3 Gb/s; queuing */
    ide_word(id, 78, 0x0040);                 /* settings outlive a reset of the link ... */
    ide_word(id, 79, 0x0040);                 /* ... always */
    ide_word(id, 80, 0x01f0);                 /* up to ATA8-ACS */
    ide_word(id, 222, 0x101f);                /* serial, up to SATA 2.6 */
}

void ide_identify_common(struct ide_unit *u, uint8_t *id)
{
    put_string(id, 10, 10, u->serial);
    put_string(id, 23, 4, u->version);
    put_string(id, 27, 20, u->model);
    ide_word(id, 63, mode_word(u, 4, MODE_MDMA_MAX));
    ide_word(id, 64, 0x0003); /* PIO 3 and 4 */
    ide_word(id, 65, 120);    /* nanoseconds per MDMA word: least, recommended; PIO, with IORDY */
    ide_word(id, 66, 120);
    ide_word(id, 67, 120);
    ide_word(id, 68, 120);
    ide_word(id, 80, 0x00f0); /* ATA/ATAPI-4 to -7 */
    ide_word(id, 88, mode_word(u, 8, MODE_UDMA_MAX));
    if (u->ch->host->sata)
        identify_sata(u, id);
    else
        ide_word(id, 93, u->index ? 0x6100 : 0x6001); /* an 80-wire cable; told apart by jumper */
}

void ide_identify_checksum(uint8_t *id)
{
    uint8_t sum = 0xa5;

    id[510] = 0xa5; /* signature: there is a checksum */
    for (unsigned i = 0; i < 510; i++)
        sum += id[i];
    id[511] = -sum;
}

static void identify_geometry(const struct ide_unit *u, uint8_t *id)
{
    unsigned cyls, heads, secs;
    uint64_t all = ata_sectors(u), current, lba28 = all > 0x0fffffff ? 0x0fffffff : all;

    unit_geometry(u, &cyls, &heads, &secs);
    ide_word(id, 1, cyls);
    ide_word(id, 3, heads);
    ide_word(id, 6, secs);
    if (u->s->heads && u->s->secs && (u->s->heads != heads || u->s->secs != secs)) {
        heads = u->s->heads; /* the translation in effect: words 54-58 */
        secs = u->s->secs;
        current = u->blocks / (heads * secs);
        cyls = current > 65535 ? 65535 : current;
    }
    ide_word(id, 54, cyls);
    ide_word(id, 55, heads);
    ide_word(id, 56, secs);
    current = (uint64_t)cyls * heads * secs;
    ide_word(id, 57, current);
    ide_word(id, 58, current >> 16);
    ide_word(id, 60, lba28);
    ide_word(id, 61, lba28 >> 16);
    for (unsigned i = 0; i < 4; i++)
        ide_word(id, 100 + i, all >> (16 * i));
}

static void identify_trim(const struct ide_unit *u, uint8_t *id)
{
    if (!ata_trims(u))
        return;
    ide_word(id, 69, 0x4000); /* trimmed sectors read the same each time; not said to be zero */
    ide_word(id, 105, IDE_BUF / IDE_SECTOR); /* blocks of ranges in a command */
    ide_word(id, 169, 0x0001);
}

static void identify_features(const struct ide_unit *u, uint8_t *id)
{
    /* SMART logs, self test, FUA; bit 5: READ LOG EXT; bit 8: a world-wide name */
    uint16_t more = 0x4043 | (u->ch->host->tr->error_log ? 0x0020 : 0) | (u->wwn ? 0x0100 : 0);

    ide_word(id, 82, 0x7469); /* NOP, buffers, HPA, look-ahead, write cache, power, SMART */
    ide_word(id, 83, 0x7400); /* FLUSH CACHE (EXT), 48-bit */
    ide_word(id, 84, more);
    ide_word(id, 85,
             0x7408 | (u->s->look_ahead ? 0x40 : 0) | (u->s->wcache ? 0x20 : 0) |
                 (u->s->smart ? 0x01 : 0));
    ide_word(id, 86, 0x3400);
    ide_word(id, 87, more);
    for (unsigned i = 0; i < 4; i++)
        ide_word(id, 108 + i, u->wwn >> (48 - 16 * i));
}

void ata_identify(struct ide_unit *u, uint8_t *id)
{
    memset(id, 0, IDE_SECTOR);
    ide_identify_common(u, id);
    identify_geometry(u, id);
    identify_features(u, id);
    identify_trim(u, id);
    ide_word(id, 0, 0x0040); /* fixed disk */
    ide_word(id, 20, 3);     /* dual-ported buffer with read caching */
    ide_word(id, 21, IDE_BUF / IDE_SECTOR);
    ide_word(id, 22, 4); /* ECC bytes */
    ide_word(id, 47, 0x8000 | IDE_MAX_MUL);
    ide_word(id, 48, 1);      /* 32-bit access to the data port */
    ide_word(id, 49, 0x2f00); /* DMA, LBA, IORDY, the standard's standby timer values */
    ide_word(id, 50, 0x4000);
    ide_word(id, 51, 0x0200);
    ide_word(id, 52, 0x0200);
    ide_word(id, 53, 0x0007); /* words 54-58, 64-70 and 88 are valid */
    ide_word(id, 59, u->s->multiple ? 0x0100 | u->s->multiple : 0);
    ide_identify_checksum(id);
}
