/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/ata-int.h: between the files of the disk: ata.c (commands), ata-identify.c, ata-smart.c. */
#pragma once
#include "hw/ata.h"
#include "hw/ide-int.h"

void ata_abort(struct ide_unit *u);
void ata_ok(struct ide_unit *u); /* done, nothing to move */
/* 512 bytes of buf go to the guest. */
void ata_reply_sector(struct ide_unit *u);
void ata_identify(struct ide_unit *u, uint8_t *id);
void ata_smart(struct ide_unit *u, unsigned flags);
void ata_set_features(struct ide_unit *u, unsigned flags);
