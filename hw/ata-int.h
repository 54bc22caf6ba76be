/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hw/ata-int.h: between the files of the disk: ata.c (commands), ata-identify.c, ata-*.c. */
#pragma once
#include "hw/ata.h"
#include "hw/ide-int.h"

typedef void ata_fn(struct ide_unit *u, unsigned flags); /* flags: of the table's row */

/* ---- ata.c ---- */
void ata_abort(struct ide_unit *u);
void ata_ok(struct ide_unit *u); /* done, nothing to move */
/* 512 bytes of buf go to the guest. */
void ata_reply_sector(struct ide_unit *u);
uint64_t ata_sectors(const struct ide_unit *u); /* that the guest can reach now */
bool ata_trims(const struct ide_unit *u);       /* does the disk have TRIM? */

/* ---- ata-identify.c ---- */
void ata_identify(struct ide_unit *u, uint8_t *id);

/* ---- ata-features.c ---- */
ata_fn ata_set_features;

/* ---- ata-smart.c ---- */
ata_fn ata_smart;
void ata_log_error(struct ide_unit *u); /* the command has just ended with an error */

/* ---- ata-log.c ---- */
ata_fn ata_read_log;

/* ---- ata-power.c ---- */
ata_fn ata_standby_now, ata_standby, ata_idle_now, ata_idle, ata_sleep, ata_check_power;
void ata_wake(struct ide_unit *u); /* a command that needs the medium */

/* ---- for ata-smart.c and ata-features.c: commands told apart by the feature register ---- */
struct ata_sub { /* code: its value */
    uint8_t code;
    void (*run)(struct ide_unit *u);
};
/* Runs the one whose code the register has; false: none has. */
bool ata_sub_run(struct ide_unit *u, const struct ata_sub *tab, unsigned n);
#define ATA_SUB_RUN(u, tab) ata_sub_run((u), (tab), sizeof(tab) / sizeof((tab)[0]))
