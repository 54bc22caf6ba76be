/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ACPI tables of the PC (ACPI 5.0, chapter 5) in one file, "etc/acpi/tables",
 * and the root pointer in another. Where firmware puts them is its own affair:
 * "etc/table-loader" is the list of what it has to do then, allocate, add the
 * address of one to pointers into it, sum up (hvmloader: acpi_build_tables()).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "bios-loader/bios.h"
#include "bios-loader/blob.h"
#include "bios-loader/dsdt.h"
#include "hw/fw-cfg.h"

#define TABLES "etc/acpi/tables"
#define RSDP   "etc/acpi/rsdp"
#define LOADER "etc/table-loader"

#define HEADER       36 /* of every table but FACS and RSDP */
#define OFF_LENGTH   4
#define OFF_CHECKSUM 9
#define OFF_OEM      10 /* the maker's id, and his for the table: 6 and 8 bytes */
#define FOREIGN_MAX  16
#define MAX_TABLES   32

#define PM_BASE    0x600 /* where SeaBIOS and OVMF put the PIIX4's block */
#define GPE_BASE   0xafe0
#define SMI_CMD    0xb2
#define ACPI_ON    0xf1
#define ACPI_OFF   0xf0
#define SCI        9
#define RESET_PORT 0xcf9
#define RESET_FULL 0x06
#define CENTURY    0x32 /* in the RTC's memory */
#define LAPIC      0xfee00000
#define IOAPIC     0xfec00000
#define HPET_BASE  0xfed00000
#define HPET_ID    0x8086a201
#define PCI_LAST   0xfebfffff

struct acpi {
    struct blob tables, rsdp, loader;
    size_t table[MAX_TABLES]; /* where those are that the XSDT names */
    const uint8_t *oem;       /* 14 bytes: whose machine it is */
    unsigned n;
};

/* ---- the list of things to do: commands of 128 bytes ---- */

enum { DO_ALLOCATE = 1, DO_POINTER = 2, DO_CHECKSUM = 3 };
enum { ZONE_HIGH = 1, ZONE_FSEG = 2 };
#define COMMAND 128

static void put_name(struct acpi *a, const char *file)
{
    char name[FW_CFG_NAME] = "";

    memcpy(name, file, strlen(file));
    blob_bytes(&a->loader, name, sizeof(name));
}

static void end_command(struct acpi *a, size_t at)
{
    blob_bytes(&a->loader, NULL, COMMAND - (a->loader.len - at));
}

static void do_allocate(struct acpi *a, const char *file, unsigned align, unsigned zone)
{
    size_t at = blob_uint(&a->loader, DO_ALLOCATE, 4);

    put_name(a, file);
    blob_uint(&a->loader, align, 4);
    blob_uint(&a->loader, zone, 1);
    end_command(a, at);
}

/* The size bytes at `at` of `file` hold a place in the tables: add where those are. */
static void do_pointer(struct acpi *a, const char *file, size_t at, unsigned size)
{
    size_t cmd = blob_uint(&a->loader, DO_POINTER, 4);

    put_name(a, file);
    put_name(a, TABLES);
    blob_uint(&a->loader, at, 4);
    blob_uint(&a->loader, size, 1);
    end_command(a, cmd);
}

static void do_checksum(struct acpi *a, const char *file, size_t at, size_t start, size_t len)
{
    size_t cmd = blob_uint(&a->loader, DO_CHECKSUM, 4);

    put_name(a, file);
    blob_uint(&a->loader, at, 4);
    blob_uint(&a->loader, start, 4);
    blob_uint(&a->loader, len, 4);
    end_command(a, cmd);
}

/* ---- tables ---- */

static size_t begin(struct acpi *a, const char *signature, unsigned revision)
{
    size_t at = blob_align(&a->tables, 8);

    blob_bytes(&a->tables, signature, 4);
    blob_uint(&a->tables, 0, 4); /* length */
    blob_uint(&a->tables, revision, 1);
    blob_uint(&a->tables, 0, 1); /* checksum */
    blob_bytes(&a->tables, a->oem, 14);
    blob_uint(&a->tables, 1, 4);
    blob_bytes(&a->tables, "PRTC", 4);
    blob_uint(&a->tables, 1, 4);
    return at;
}

static void end(struct acpi *a, size_t at)
{
    size_t len = a->tables.len - at;

    blob_set(&a->tables, at + OFF_LENGTH, len, 4);
    blob_set(&a->tables, at + OFF_CHECKSUM, 0, 1);
    do_checksum(a, TABLES, at + OFF_CHECKSUM, at, len);
}

static void named(struct acpi *a, size_t at)
{
    a->table[a->n++] = at;
}

static void put_pointer(struct acpi *a, size_t target, unsigned size)
{
    do_pointer(a, TABLES, blob_uint(&a->tables, target, size), size);
}

/* Generic address structure of a port (5.2.3.1). */
static void put_port(struct acpi *a, uint16_t port, unsigned bits)
{
    unsigned access = bits == 8 ? 1 : bits == 16 ? 2 : bits == 32 ? 3 : 0;

    blob_uint(&a->tables, bits ? 1 : 0, 1);
    blob_uint(&a->tables, bits, 1);
    blob_uint(&a->tables, 0, 1);
    blob_uint(&a->tables, access, 1);
    blob_uint(&a->tables, port, 8);
}

static size_t put_facs(struct acpi *a)
{
    size_t at = blob_align(&a->tables, 64);

    blob_bytes(&a->tables, "FACS", 4);
    blob_uint(&a->tables, 64, 4);
    blob_bytes(&a->tables, NULL, 64 - 8);
    return at;
}

static size_t put_dsdt(struct acpi *a)
{
    size_t at = blob_align(&a->tables, 8);

    blob_bytes(&a->tables, dsdt_aml, sizeof(dsdt_aml)); /* iasl made its header and its sum */
    return at;
}

#define FLAG_WBINVD     (1u << 0)
#define FLAG_PROC_C1    (1u << 2)
#define FLAG_SLP_BUTTON (1u << 5) /* there is none with registers of its own */
#define FLAG_RESET_REG  (1u << 10)
#define BOOT_LEGACY     (1u << 0)
#define BOOT_8042       (1u << 1)

/* 5.2.9, of revision 3: what every system since Windows 2000 takes. */
static void put_fadt(struct acpi *a, size_t facs, size_t dsdt)
{
    size_t at = begin(a, "FACP", 3);
    struct blob *t = &a->tables;

    put_pointer(a, facs, 4);
    put_pointer(a, dsdt, 4);
    blob_uint(t, 0, 1);
    blob_uint(t, 0, 1); /* preferred profile: not said */
    blob_uint(t, SCI, 2);
    blob_uint(t, SMI_CMD, 4);
    blob_uint(t, ACPI_ON, 1);
    blob_uint(t, ACPI_OFF, 1);
    blob_uint(t, 0, 2);       /* S4BIOS_REQ, PSTATE_CNT */
    blob_uint(t, PM_BASE, 4); /* PM1a_EVT_BLK */
    blob_uint(t, 0, 4);
    blob_uint(t, PM_BASE + 4, 4); /* PM1a_CNT_BLK */
    blob_uint(t, 0, 8);           /* PM1b_CNT_BLK, PM2_CNT_BLK */
    blob_uint(t, PM_BASE + 8, 4); /* PM_TMR_BLK */
    blob_uint(t, GPE_BASE, 4);
    blob_uint(t, 0, 4);
    blob_uint(t, 4, 1);     /* PM1_EVT_LEN */
    blob_uint(t, 2, 1);     /* PM1_CNT_LEN */
    blob_uint(t, 0, 1);     /* PM2_CNT_LEN */
    blob_uint(t, 4, 1);     /* PM_TMR_LEN */
    blob_uint(t, 4, 1);     /* GPE0_BLK_LEN */
    blob_uint(t, 0, 3);     /* GPE1_BLK_LEN, GPE1_BASE, CST_CNT */
    blob_uint(t, 0xfff, 2); /* C2 and C3 are not there */
    blob_uint(t, 0xfff, 2);
    blob_uint(t, 0, 8); /* FLUSH_SIZE ... MON_ALRM */
    blob_uint(t, CENTURY, 1);
    blob_uint(t, BOOT_LEGACY | BOOT_8042, 2);
    blob_uint(t, 0, 1);
    blob_uint(t, FLAG_WBINVD | FLAG_PROC_C1 | FLAG_SLP_BUTTON | FLAG_RESET_REG, 4);
    put_port(a, RESET_PORT, 8);
    blob_uint(t, RESET_FULL, 1);
    blob_uint(t, 0, 3);
    blob_uint(t, 0, 8); /* X_FIRMWARE_CTRL: the 32-bit one counts */
    put_pointer(a, dsdt, 8);
    put_port(a, PM_BASE, 32);
    put_port(a, 0, 0);
    put_port(a, PM_BASE + 4, 16);
    put_port(a, 0, 0);
    put_port(a, 0, 0);
    put_port(a, PM_BASE + 8, 32);
    put_port(a, GPE_BASE, 32);
    put_port(a, 0, 0);
    end(a, at);
    named(a, at);
}

#define LEVEL_HIGH 0x0d /* MPS INTI flags, 5.2.12.5 */

static void put_override(struct blob *t, unsigned irq, unsigned gsi, unsigned flags)
{
    blob_uint(t, 2, 1);
    blob_uint(t, 10, 1);
    blob_uint(t, 0, 1);
    blob_uint(t, irq, 1);
    blob_uint(t, gsi, 4);
    blob_uint(t, flags, 2);
}

static void put_madt(struct acpi *a, const struct bios_facts *f)
{
    static const uint8_t levels[] = { 5, SCI, 10, 11 };
    size_t at = begin(a, "APIC", 3);
    struct blob *t = &a->tables;

    blob_uint(t, LAPIC, 4);
    blob_uint(t, 1, 4); /* PCAT_COMPAT: there are 8259s too */
    for (unsigned i = 0; i < f->max_cpus; i++) {
        blob_uint(t, 0, 1);
        blob_uint(t, 8, 1);
        blob_uint(t, i, 1);
        blob_uint(t, i, 1);
        blob_uint(t, i < f->cpus, 4);
    }
    blob_uint(t, 1, 1);
    blob_uint(t, 12, 1);
    blob_uint(t, 0, 2);
    blob_uint(t, IOAPIC, 4);
    blob_uint(t, 0, 4);
    put_override(t, 0, 2, 0);
    for (unsigned i = 0; i < sizeof(levels); i++)
        put_override(t, levels[i], levels[i], LEVEL_HIGH);
    blob_uint(t, 4, 1); /* every processor has NMI at LINT1 */
    blob_uint(t, 6, 1);
    blob_uint(t, 0xff, 1);
    blob_uint(t, 0, 2);
    blob_uint(t, 1, 1);
    end(a, at);
    named(a, at);
}

/* IA-PC HPET 1.0a, 3.2.4 */
static void put_hpet(struct acpi *a)
{
    size_t at = begin(a, "HPET", 1);

    blob_uint(&a->tables, HPET_ID, 4);
    blob_uint(&a->tables, 0, 4); /* memory, of which the register width is not said */
    blob_uint(&a->tables, HPET_BASE, 8);
    blob_uint(&a->tables, 0, 1 + 2 + 1);
    end(a, at);
    named(a, at);
}

/* Windows ACPI Emulated devices Table: one read of the PM timer is enough. */
static void put_waet(struct acpi *a)
{
    size_t at = begin(a, "WAET", 1);

    blob_uint(&a->tables, 2, 4);
    end(a, at);
    named(a, at);
}

static void put_integer(struct blob *t, const char *name, uint32_t val)
{
    blob_uint(t, 0x08, 1); /* NameOp, RootChar */
    blob_uint(t, '\\', 1);
    blob_bytes(t, name, 4);
    blob_uint(t, 0x0c, 1); /* DWordPrefix */
    blob_uint(t, val, 4);
}

/* Where SeaBIOS begins with the memory of PCI devices. */
static uint32_t pci_first(const struct bios_facts *f)
{
    return f->ram_low <= 0x80000000   ? 0x80000000
           : f->ram_low <= 0xc0000000 ? 0xc0000000
                                      : 0xe0000000;
}

static void put_ssdt(struct acpi *a, const struct bios_facts *f)
{
    size_t at = begin(a, "SSDT", 1);

    put_integer(&a->tables, "PMIN", pci_first(f));
    put_integer(&a->tables, "PMAX", PCI_LAST);
    put_integer(&a->tables, "HPTA", f->hpet);
    put_integer(&a->tables, "FDCA", f->floppy);
    put_integer(&a->tables, "PRTA", f->parallel);
    put_integer(&a->tables, "COMA", f->serials);
    end(a, at);
    named(a, at);
}

static uint32_t foreign_length(const uint8_t *table)
{
    return table[OFF_LENGTH] | table[OFF_LENGTH + 1] << 8 | table[OFF_LENGTH + 2] << 16 |
           (uint32_t)table[OFF_LENGTH + 3] << 24;
}

/* They are whole, and not too many with ours; there may be none. */
static int check_foreign(const struct bios_facts *f, struct err *err)
{
    unsigned n = 0;

    for (size_t at = 0; at < f->tables_len; at += foreign_length(f->tables + at), n++) {
        size_t left = f->tables_len - at;

        if (left < HEADER || foreign_length(f->tables + at) < HEADER ||
            foreign_length(f->tables + at) > left)
            return err_set(err, -EINVAL,
                           "ACPI tables to pass on: at byte %zu there is no whole table", at);
        if (n == FOREIGN_MAX)
            return err_set(err, -EINVAL, "ACPI tables to pass on: more than %d", FOREIGN_MAX);
    }
    return 0;
}

/* Windows takes a licence only where the other tables are of the same maker (SLIC). */
static const uint8_t *foreign_maker(const struct bios_facts *f)
{
    for (size_t at = 0; at < f->tables_len; at += foreign_length(f->tables + at)) {
        if (!memcmp(f->tables + at, "SLIC", 4))
            return f->tables + at + OFF_OEM;
    }
    return NULL;
}

/* What the user passes on, such as a licence: as it is, but its sum is made right. */
static void put_foreign(struct acpi *a, const struct bios_facts *f)
{
    for (size_t i = 0; i < f->tables_len; i += foreign_length(f->tables + i)) {
        uint32_t len = foreign_length(f->tables + i);
        size_t at = blob_align(&a->tables, 8);

        blob_bytes(&a->tables, f->tables + i, len);
        blob_set(&a->tables, at + OFF_CHECKSUM, 0, 1);
        blob_set(&a->tables, at + OFF_CHECKSUM, blob_checksum(&a->tables, at, len), 1);
        named(a, at);
    }
}

static void put_root(struct acpi *a, const char *signature, unsigned size, size_t *at)
{
    *at = begin(a, signature, 1);
    for (unsigned i = 0; i < a->n; i++)
        put_pointer(a, a->table[i], size);
    end(a, *at);
}

/* 5.2.5.3 */
static void put_rsdp(struct acpi *a, size_t rsdt, size_t xsdt)
{
    struct blob *r = &a->rsdp;

    blob_bytes(r, "RSD PTR ", 8);
    blob_uint(r, 0, 1);
    blob_bytes(r, a->oem, 6);
    blob_uint(r, 2, 1);
    do_pointer(a, RSDP, blob_uint(r, rsdt, 4), 4);
    blob_uint(r, 36, 4);
    do_pointer(a, RSDP, blob_uint(r, xsdt, 8), 8);
    blob_uint(r, 0, 4);
    do_checksum(a, RSDP, 8, 0, 20);
    do_checksum(a, RSDP, 32, 0, 36);
}

static void build(struct acpi *a, const struct bios_facts *f)
{
    size_t facs, dsdt, rsdt, xsdt;

    do_allocate(a, TABLES, 64, ZONE_HIGH);
    do_allocate(a, RSDP, 16, ZONE_FSEG);
    facs = put_facs(a);
    dsdt = put_dsdt(a);
    put_fadt(a, facs, dsdt);
    put_madt(a, f);
    if (f->hpet)
        put_hpet(a);
    put_waet(a);
    put_ssdt(a, f);
    put_foreign(a, f);
    put_root(a, "RSDT", 4, &rsdt);
    put_root(a, "XSDT", 8, &xsdt);
    put_rsdp(a, rsdt, xsdt);
}

static int hand_over(struct device *fw, const char *name, const struct blob *b, struct err *err)
{
    if (b->failed)
        return err_set(err, -ENOMEM, "out of memory");
    return fw_cfg_add_file(fw, name, b->data, b->len, err);
}

int bios_acpi(struct device *fw_cfg, const struct bios_facts *f, struct err *err)
{
    struct acpi a = { .oem = (const uint8_t *)"PORTICPORTICO " };
    int rc = check_foreign(f, err);

    if (rc)
        return rc;
    a.oem = foreign_maker(f) ? foreign_maker(f) : a.oem;
    build(&a, f);
    rc = hand_over(fw_cfg, TABLES, &a.tables, err);
    rc = rc ? rc : hand_over(fw_cfg, RSDP, &a.rsdp, err);
    rc = rc ? rc : hand_over(fw_cfg, LOADER, &a.loader, err);
    free(a.tables.data);
    free(a.rsdp.data);
    free(a.loader.data);
    return rc;
}
