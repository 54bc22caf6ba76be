/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The SMBIOS structures (DMTF DSP0134 2.8), as tables and as the anchor in
 * which firmware puts their address (hvmloader: hvm_write_smbios_tables()).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bios-loader/bios.h"
#include "bios-loader/blob.h"
#include "hw/fw-cfg.h"

#define HANDLE_BIOS    0x0000
#define HANDLE_SYSTEM  0x0100
#define HANDLE_BOARD   0x0200
#define HANDLE_CHASSIS 0x0300
#define HANDLE_OEM     0x0b00
#define HANDLE_CPU     0x0400
#define HANDLE_ARRAY   0x1000
#define HANDLE_DIMM    0x1100
#define HANDLE_MAPPED  0x1300
#define HANDLE_BOOT    0x2000
#define HANDLE_END     0x7f00
#define NONE           0xfffe
#define UNKNOWN        2
#define OTHER          1

struct smbios {
    struct blob t;
    struct blob strings; /* of the structure that is being written */
    size_t at;
    unsigned nstrings, count;
    size_t longest;
};

static void begin(struct smbios *s, unsigned type, unsigned handle)
{
    s->at = blob_uint(&s->t, type, 1);
    blob_uint(&s->t, 0, 1); /* length, without strings */
    blob_uint(&s->t, handle, 2);
    s->strings.len = 0;
    s->nstrings = 0;
}

static void end(struct smbios *s)
{
    blob_set(&s->t, s->at + 1, s->t.len - s->at, 1);
    blob_bytes(&s->t, s->strings.data, s->strings.len);
    blob_uint(&s->t, 0, s->nstrings ? 1 : 2);
    if (s->longest < s->t.len - s->at)
        s->longest = s->t.len - s->at;
    s->count++;
}

static void num(struct smbios *s, uint64_t val, unsigned bytes)
{
    blob_uint(&s->t, val, bytes);
}

/* A string is told by its number, from 1 on; 0 is none. */
static void str(struct smbios *s, const char *text, const char *otherwise)
{
    const char *is = text ? text : otherwise;

    if (!is || !*is) {
        num(s, 0, 1);
        return;
    }
    blob_bytes(&s->strings, is, strlen(is) + 1);
    num(s, ++s->nstrings, 1);
}

static void put_bios(struct smbios *s, const struct bios_strings *c)
{
    begin(s, 0, HANDLE_BIOS);
    str(s, c->bios_vendor, "Portico");
    str(s, c->bios_version, PORTICO_VERSION);
    num(s, 0xe800, 2);
    str(s, c->bios_date, "01/01/2024");
    num(s, 0, 1);
    num(s, 1u << 4 | 1u << 7 | 1u << 15 | 1u << 16, 8); /* ISA, PCI, boots from CD, selectable */
    num(s, 1u << 0 | 1u << 4 << 8, 2); /* ACPI; the table describes a virtual machine */
    num(s, 1, 1);
    num(s, 0, 1);
    num(s, 0xff, 1);
    num(s, 0xff, 1);
    end(s);
}

/* The first three fields of a UUID are little endian here (7.2.1). */
static void put_uuid(struct smbios *s, const uint8_t *u)
{
    static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };

    for (unsigned i = 0; i < 16; i++)
        num(s, u ? u[order[i]] : 0, 1);
}

static void put_system(struct smbios *s, const struct bios_facts *f)
{
    const struct bios_strings *c = &f->smbios;

    begin(s, 1, HANDLE_SYSTEM);
    str(s, c->manufacturer, "Portico");
    str(s, c->product, "HVM guest");
    str(s, c->version, PORTICO_VERSION);
    str(s, c->serial, NULL);
    put_uuid(s, f->uuid);
    num(s, 6, 1); /* woken by the power switch */
    str(s, c->sku, NULL);
    str(s, c->family, NULL);
    end(s);
}

static void put_board(struct smbios *s, const struct bios_strings *c)
{
    if (!c->board_manufacturer && !c->board_product && !c->board_version && !c->board_serial &&
        !c->board_asset && !c->board_location)
        return;
    begin(s, 2, HANDLE_BOARD);
    str(s, c->board_manufacturer, "Portico");
    str(s, c->board_product, NULL);
    str(s, c->board_version, NULL);
    str(s, c->board_serial, NULL);
    str(s, c->board_asset, NULL);
    num(s, 1, 1); /* hosts other parts */
    str(s, c->board_location, NULL);
    num(s, HANDLE_CHASSIS, 2);
    num(s, 0x0a, 1); /* motherboard */
    num(s, 0, 1);
    end(s);
}

static void put_oem(struct smbios *s, const struct bios_strings *c)
{
    unsigned n = 0;

    while (n < BIOS_OEM && c->oem[n])
        n++;
    if (!n)
        return;
    begin(s, 11, HANDLE_OEM);
    num(s, n, 1);
    for (unsigned i = 0; i < n; i++)
        blob_bytes(&s->strings, c->oem[i], strlen(c->oem[i]) + 1);
    s->nstrings = n;
    end(s);
}

/* ---- structures that the user passes on ---- */

/* Its length with its strings, which end with an empty one; 0: it is not whole. */
static size_t foreign_length(const uint8_t *p, size_t left)
{
    if (left < 6 || p[1] < 4)
        return 0;
    for (size_t i = p[1]; i + 1 < left; i++) {
        if (!p[i] && !p[i + 1])
            return i + 2;
    }
    return 0;
}

static int check_foreign(const struct bios_facts *f, struct err *err)
{
    for (size_t at = 0, len; at < f->structs_len; at += len) {
        len = foreign_length(f->structs + at, f->structs_len - at);
        if (!len || f->structs[at] == 127)
            return err_set(err, -EINVAL,
                           "SMBIOS structures to pass on: at byte %zu there is no whole one", at);
    }
    return 0;
}

static bool has_foreign(const struct bios_facts *f, unsigned type)
{
    for (size_t at = 0; at < f->structs_len;
         at += foreign_length(f->structs + at, f->structs_len - at)) {
        if (f->structs[at] == type)
            return true;
    }
    return false;
}

static void put_foreign(struct smbios *s, const struct bios_facts *f)
{
    for (size_t at = 0, len; at < f->structs_len; at += len) {
        len = foreign_length(f->structs + at, f->structs_len - at);
        blob_bytes(&s->t, f->structs + at, len);
        s->longest = s->longest < len ? len : s->longest;
        s->count++;
    }
}

static void put_chassis(struct smbios *s, const struct bios_strings *c)
{
    begin(s, 3, HANDLE_CHASSIS);
    str(s, c->chassis_manufacturer, "Portico");
    num(s, OTHER, 1);
    str(s, c->chassis_version, NULL);
    str(s, c->chassis_serial, NULL);
    str(s, c->asset, NULL);
    for (unsigned i = 0; i < 3; i++)
        num(s, 3, 1); /* boot-up, power supply, thermal: safe */
    num(s, UNKNOWN, 1);
    num(s, 0, 4);
    num(s, 0, 1);
    num(s, 1, 1);
    num(s, 0, 1); /* no contained elements */
    num(s, 0, 1);
    str(s, c->chassis_sku, NULL);
    end(s);
}

static void put_cpu(struct smbios *s, unsigned n, unsigned cores)
{
    char socket[24];

    snprintf(socket, sizeof(socket), "CPU %u", n);
    begin(s, 4, HANDLE_CPU + n);
    str(s, socket, NULL);
    num(s, 3, 1); /* central processor */
    num(s, OTHER, 1);
    str(s, NULL, "Portico");
    num(s, 0, 8);
    str(s, NULL, NULL);
    num(s, 0, 1); /* voltage */
    num(s, 0, 2);
    num(s, 2000, 2);
    num(s, 2000, 2);
    num(s, 0x41, 1); /* there, enabled */
    num(s, OTHER, 1);
    for (unsigned i = 0; i < 3; i++)
        num(s, 0xffff, 2); /* caches: not told of */
    for (unsigned i = 0; i < 3; i++)
        str(s, NULL, NULL);
    num(s, cores < 255 ? cores : 255, 1);
    num(s, cores < 255 ? cores : 255, 1);
    num(s, cores < 255 ? cores : 255, 1);
    num(s, 1u << 2, 2); /* 64-bit */
    num(s, OTHER, 2);
    end(s);
}

static void put_memory(struct smbios *s, const struct bios_facts *f)
{
    uint64_t mib = (f->ram_low + f->ram_high) >> 20;

    begin(s, 16, HANDLE_ARRAY);
    num(s, OTHER, 1);
    num(s, 3, 1); /* system memory */
    num(s, 6, 1); /* multi-bit ECC */
    num(s, mib < 0x200000 ? mib << 10 : 0x80000000, 4);
    num(s, NONE, 2);
    num(s, 1, 2);
    num(s, mib < 0x200000 ? 0 : mib << 20, 8);
    end(s);

    begin(s, 17, HANDLE_DIMM);
    num(s, HANDLE_ARRAY, 2);
    num(s, NONE, 2);
    num(s, 64, 2);
    num(s, 64, 2);
    num(s, mib < 0x7fff ? mib : 0x7fff, 2);
    num(s, 9, 1); /* DIMM */
    num(s, 0, 1);
    str(s, NULL, "DIMM 0");
    str(s, NULL, NULL);
    num(s, 7, 1);       /* RAM */
    num(s, 1u << 1, 2); /* other */
    num(s, 0, 2);
    for (unsigned i = 0; i < 4; i++)
        str(s, i ? NULL : "Portico", NULL);
    num(s, 0, 1);
    num(s, mib < 0x7fff ? 0 : mib, 4);
    num(s, 0, 2);
    num(s, 0, 6);
    end(s);
}

/* Kilobytes, from the first to the last. */
static void put_mapped(struct smbios *s, unsigned n, uint64_t base, uint64_t size)
{
    if (!size)
        return;
    begin(s, 19, HANDLE_MAPPED + n);
    if (base + size <= 1ULL << 41) {
        num(s, base >> 10, 4);
        num(s, (base + size - 1) >> 10, 4);
    } else {
        num(s, UINT32_MAX, 4);
        num(s, UINT32_MAX, 4);
    }
    num(s, HANDLE_ARRAY, 2);
    num(s, 1, 1);
    num(s, base + size <= 1ULL << 41 ? 0 : base, 8);
    num(s, base + size <= 1ULL << 41 ? 0 : base + size - 1, 8);
    end(s);
}

static void put_rest(struct smbios *s)
{
    begin(s, 32, HANDLE_BOOT);
    num(s, 0, 6);
    num(s, 0, 1); /* no errors detected */
    end(s);
    begin(s, 127, HANDLE_END);
    end(s);
}

/* 5.2.1; firmware fills in the address and mends both sums. */
static void put_anchor(struct blob *a, const struct smbios *s)
{
    blob_bytes(a, "_SM_", 4);
    blob_uint(a, 0, 1);
    blob_uint(a, 0x1f, 1);
    blob_uint(a, 2, 1);
    blob_uint(a, 8, 1);
    blob_uint(a, s->longest, 2);
    blob_uint(a, 0, 6);
    blob_bytes(a, "_DMI_", 5);
    blob_uint(a, 0, 1);
    blob_uint(a, s->t.len, 2);
    blob_uint(a, 0, 4);
    blob_uint(a, s->count, 2);
    blob_uint(a, 0x28, 1);
    blob_set(a, 0x15, blob_checksum(a, 0x10, 0x0f), 1);
    blob_set(a, 0x04, blob_checksum(a, 0, 0x1f), 1);
}

int bios_smbios(struct device *fw_cfg, const struct bios_facts *f, struct err *err)
{
    struct smbios s = { { 0 } };
    struct blob anchor = { 0 };
    int rc = check_foreign(f, err);

    if (rc)
        return rc;
    if (!has_foreign(f, 0))
        put_bios(&s, &f->smbios);
    if (!has_foreign(f, 1))
        put_system(&s, f);
    if (!has_foreign(f, 2))
        put_board(&s, &f->smbios);
    if (!has_foreign(f, 3))
        put_chassis(&s, &f->smbios);
    put_cpu(&s, 0, f->max_cpus);
    put_memory(&s, f);
    put_mapped(&s, 0, 0, f->ram_low);
    put_mapped(&s, 1, 1ULL << 32, f->ram_high);
    if (!has_foreign(f, 11))
        put_oem(&s, &f->smbios);
    put_foreign(&s, f);
    put_rest(&s);
    put_anchor(&anchor, &s);
    if (s.t.failed || s.strings.failed || anchor.failed)
        rc = err_set(err, -ENOMEM, "out of memory");
    else
        rc = fw_cfg_add_file(fw_cfg, "etc/smbios/smbios-tables", s.t.data, s.t.len, err);
    if (!rc)
        rc = fw_cfg_add_file(fw_cfg, "etc/smbios/smbios-anchor", anchor.data, anchor.len, err);
    free(s.t.data);
    free(s.strings.data);
    free(anchor.data);
    return rc;
}
