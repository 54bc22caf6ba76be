/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SET FEATURES of an ATA disk: ATA/ATAPI-7 volume 1 §6.46. */
#include "hw/ata-int.h"

#define SATA_KEEP 0x06

bool ata_sub_run(struct ide_unit *u, const struct ata_sub *tab, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (tab[i].code == u->s->feature[0]) {
            tab[i].run(u);
            return true;
        }
    }
    return false;
}

static void feature_wcache_on(struct ide_unit *u)
{
    u->s->wcache = true;
    ata_ok(u);
}

static void feature_wcache_off(struct ide_unit *u)
{
    u->s->wcache = false;
    xfer_flush(u->ch);
}

static void feature_mode(struct ide_unit *u)
{
    if (ide_set_mode(u, u->s->count[0]))
        ata_ok(u);
    else
        ata_abort(u);
}

static void feature_look_ahead_on(struct ide_unit *u)
{
    u->s->look_ahead = true;
    ata_ok(u);
}

static void feature_look_ahead_off(struct ide_unit *u)
{
    u->s->look_ahead = false;
    ata_ok(u);
}

/* SATA 2.6 §13.3: of what can be enabled only "settings outlive a reset", which is always so. */
static void feature_sata_on(struct ide_unit *u)
{
    if (u->ch->host->sata && u->s->count[0] == SATA_KEEP)
        ata_ok(u);
    else
        ata_abort(u);
}

static const struct ata_sub features[] = {
    { 0x02, feature_wcache_on },      { 0x03, feature_mode }, { 0x10, feature_sata_on },
    { 0x55, feature_look_ahead_off }, { 0x66, ata_ok },       { 0x82, feature_wcache_off },
    { 0xaa, feature_look_ahead_on },  { 0xcc, ata_ok }, /* 66, CC: settings survive SRST or not */
};

void ata_set_features(struct ide_unit *u, unsigned flags)
{
    if (!ATA_SUB_RUN(u, features))
        ata_abort(u);
}
