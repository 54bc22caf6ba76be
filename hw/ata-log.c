/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * READ LOG EXT of an ATA disk (ATA8-ACS §7.29, annex A): the directory, and the
 * log of the last queued command that failed, where there are such commands.
 */
#include <string.h>
#include "hw/ata-int.h"

#define LOG_DIRECTORY 0x00
#define LOG_NCQ_ERROR 0x10

static void log_directory(uint8_t *page)
{
    memset(page, 0, IDE_SECTOR);
    page[0] = 1;                 /* version 1.0, with its minor number in the other byte */
    page[2 * LOG_NCQ_ERROR] = 1; /* sectors */
}

void ata_read_log(struct ide_unit *u, unsigned flags)
{
    const struct ide_transport *tr = u->ch->host->tr;
    const struct ide_unit_state *s = u->s;
    uint8_t *page = u->ch->s->buf;
    bool first = !s->mid[0] && !s->mid[1]; /* each log is of one sector */

    if (!tr->error_log || !first || s->count[0] != 1 || s->count[1])
        ata_abort(u);
    else if (s->low[0] == LOG_DIRECTORY) {
        log_directory(page);
        ata_reply_sector(u);
    } else if (s->low[0] == LOG_NCQ_ERROR && tr->error_log(u->ch, page))
        ata_reply_sector(u);
    else
        ata_abort(u);
}
