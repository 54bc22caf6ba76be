/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What bios-loader/ hands to firmware, put in place as firmware does it. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "bios-loader/bios.h"
#include "hw/devices.h"
#include "hw/fw-cfg.h"
#include "tests/unit/qt.h"

#define TABLES_AT 0x200000 /* where this firmware puts them */
#define RSDP_AT   0xf0000
#define FILE_MAX  0x20000

struct file {
    uint8_t data[FILE_MAX];
    uint32_t len;
};

static uint64_t le(const uint8_t *p, unsigned n)
{
    uint64_t val = 0;

    while (n--)
        val = val << 8 | p[n];
    return val;
}

static void get(struct qt *t, uint16_t key, uint8_t *to, unsigned n)
{
    outw(t, 0x510, key);
    for (unsigned i = 0; i < n; i++)
        to[i] = inb(t, 0x511);
}

static void read_file(struct qt *t, const char *name, struct file *f)
{
    uint8_t dir[4 + 64 * 64];

    get(t, FW_CFG_FILE_DIR, dir, 4);
    CHECK(dir[3] > 0 && dir[3] <= 64 && !dir[0] && !dir[1] && !dir[2]);
    get(t, FW_CFG_FILE_DIR, dir, 4 + dir[3] * 64u);
    for (unsigned i = 0; i < dir[3]; i++) {
        const uint8_t *e = dir + 4 + i * 64;

        if (strcmp((const char *)e + 8, name))
            continue;
        f->len = (uint32_t)e[0] << 24 | e[1] << 16 | e[2] << 8 | e[3];
        CHECK(f->len <= FILE_MAX);
        get(t, (uint16_t)(e[4] << 8 | e[5]), f->data, f->len);
        return;
    }
    fprintf(stderr, "there is no file %s\n", name);
    CHECK(false);
}

static struct qt *start(const struct bios_facts *f)
{
    struct qt *t = qt_new();
    struct err err;

    qt_no_reload(t, "what was added at set-up is not in its configuration");
    qt_add(t, &fw_cfg_type, -1);
    CHECK_EQ(bios_load(t->dev, f, &err), 0);
    return t;
}

static struct qt *plain(void)
{
    struct qt *t = qt_new();

    qt_no_reload(t, "what was added at set-up is not in its configuration");
    qt_config(t, "bare", "on");
    qt_add(t, &fw_cfg_type, -1);
    return t;
}

static const struct bios_facts facts = {
    .cpus = 2,
    .max_cpus = 5,
    .ram_low = 0xc0000000,
    .ram_high = 0x140000000,
    .hpet = true,
    .serials = 0x1,
    .uuid = (const uint8_t *)"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff",
    .smbios = { .manufacturer = "Acme", .serial = "42" },
};

/* ---- ACPI ---- */

struct acpi {
    struct file tables, rsdp, script;
    bool have_tables, have_rsdp;
};

static struct file *named(struct acpi *a, const uint8_t *name)
{
    if (!strcmp((const char *)name, "etc/acpi/tables"))
        return &a->tables;
    CHECK(!strcmp((const char *)name, "etc/acpi/rsdp"));
    return &a->rsdp;
}

static uint64_t where(struct acpi *a, const struct file *f)
{
    return f == &a->tables ? TABLES_AT : RSDP_AT;
}

static void allocate(struct acpi *a, const uint8_t *cmd)
{
    struct file *f = named(a, cmd + 4);

    CHECK_EQ(cmd[64], f == &a->tables ? 1 : 2); /* anywhere; the F segment */
    CHECK_EQ(where(a, f) % le(cmd + 60, 4), 0);
    *(f == &a->tables ? &a->have_tables : &a->have_rsdp) = true;
}

static void point(struct acpi *a, const uint8_t *cmd)
{
    struct file *f = named(a, cmd + 4), *to = named(a, cmd + 60);
    uint32_t at = le(cmd + 116, 4), size = cmd[120];
    uint64_t val;

    CHECK(a->have_tables && a->have_rsdp);
    CHECK(at + size <= f->len && (size == 4 || size == 8));
    val = le(f->data + at, size);
    CHECK(val < to->len);
    val += where(a, to);
    for (unsigned i = 0; i < size; i++)
        f->data[at + i] = (uint8_t)(val >> (8 * i));
}

static void sum_up(struct acpi *a, const uint8_t *cmd)
{
    struct file *f = named(a, cmd + 4);
    uint32_t at = le(cmd + 60, 4), first = le(cmd + 64, 4), len = le(cmd + 68, 4);
    uint8_t sum = 0;

    CHECK(first + len <= f->len && at >= first && at < first + len);
    for (uint32_t i = 0; i < len; i++)
        sum += f->data[first + i];
    CHECK_EQ(f->data[at], 0);
    f->data[at] = (uint8_t)-sum;
}

static void put_in_place(struct qt *t, struct acpi *a)
{
    read_file(t, "etc/acpi/tables", &a->tables);
    read_file(t, "etc/acpi/rsdp", &a->rsdp);
    read_file(t, "etc/table-loader", &a->script);
    CHECK_EQ(a->script.len % 128, 0);
    for (uint32_t i = 0; i < a->script.len; i += 128) {
        const uint8_t *cmd = a->script.data + i;

        switch (le(cmd, 4)) {
        case 1:
            allocate(a, cmd);
            break;
        case 2:
            point(a, cmd);
            break;
        case 3:
            sum_up(a, cmd);
            break;
        default:
            CHECK(false);
        }
    }
}

static const uint8_t *table_at(struct acpi *a, uint64_t gpa)
{
    CHECK(gpa >= TABLES_AT && gpa + 36 <= TABLES_AT + a->tables.len);
    return a->tables.data + (gpa - TABLES_AT);
}

static bool sound(struct acpi *a, const uint8_t *table)
{
    uint32_t len = le(table + 4, 4);
    uint8_t sum = 0;

    CHECK(table + len <= a->tables.data + a->tables.len);
    for (uint32_t i = 0; i < len; i++)
        sum += table[i];
    return sum == 0;
}

/* By the XSDT; NULL: it is not there. */
static const uint8_t *find(struct acpi *a, const char *signature)
{
    const uint8_t *xsdt = table_at(a, le(a->rsdp.data + 24, 8));
    const uint8_t *rsdt = table_at(a, le(a->rsdp.data + 16, 4));
    uint32_t n = (le(xsdt + 4, 4) - 36) / 8;

    CHECK(!memcmp(xsdt, "XSDT", 4) && sound(a, xsdt));
    CHECK(!memcmp(rsdt, "RSDT", 4) && sound(a, rsdt));
    CHECK_EQ((le(rsdt + 4, 4) - 36) / 4, n);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t at = le(xsdt + 36 + 8 * i, 8);
        const uint8_t *table = table_at(a, at);

        CHECK_EQ(le(rsdt + 36 + 4 * i, 4), at);
        CHECK(sound(a, table));
        if (!memcmp(table, signature, 4))
            return table;
    }
    return NULL;
}

static struct acpi *acpi_of(const struct bios_facts *f)
{
    static struct acpi a;

    memset(&a, 0, sizeof(a));
    put_in_place(start(f), &a);
    return &a;
}

TEST(the_root_pointer_is_sound)
{
    struct acpi *a = acpi_of(&facts);
    uint8_t sum = 0;

    CHECK_EQ(a->rsdp.len, 36);
    CHECK(!memcmp(a->rsdp.data, "RSD PTR ", 8));
    for (unsigned i = 0; i < 36; i++) {
        sum += a->rsdp.data[i];
        if (i == 19)
            CHECK_EQ(sum, 0);
    }
    CHECK_EQ(sum, 0);
}

TEST(the_fadt_names_the_ports_that_are_there)
{
    struct acpi *a = acpi_of(&facts);
    const uint8_t *fadt = find(a, "FACP"), *dsdt;

    CHECK(fadt != NULL);
    CHECK_EQ(le(fadt + 4, 4), 244);
    CHECK_EQ(le(fadt + 46, 2), 9);
    CHECK_EQ(le(fadt + 56, 4), 0x600); /* PM1a_EVT, PM1a_CNT, PM_TMR, GPE0 */
    CHECK_EQ(le(fadt + 64, 4), 0x604);
    CHECK_EQ(le(fadt + 76, 4), 0x608);
    CHECK_EQ(le(fadt + 80, 4), 0xafe0);
    CHECK_EQ(le(fadt + 88, 4), 0x04000204);
    CHECK_EQ(fadt[92], 4);
    CHECK_EQ(fadt[108], 0x32);
    CHECK_EQ(le(fadt + 120, 8), 0xcf9);
    CHECK_EQ(fadt[128], 6);
    CHECK_EQ(le(fadt + 152, 8), 0x600);
    CHECK_EQ(le(fadt + 176, 8), 0x604);
    CHECK_EQ(le(fadt + 212, 8), 0x608);
    CHECK_EQ(le(fadt + 224, 8), 0xafe0);
    CHECK_EQ(le(fadt + 36, 4) % 64, 0);
    CHECK(!memcmp(table_at(a, le(fadt + 36, 4)), "FACS", 4));
    dsdt = table_at(a, le(fadt + 40, 4));
    CHECK(!memcmp(dsdt, "DSDT", 4) && sound(a, dsdt));
    CHECK_EQ(le(fadt + 140, 8), le(fadt + 40, 4));
}

TEST(the_madt_has_each_processor_that_may_come)
{
    struct acpi *a = acpi_of(&facts);
    const uint8_t *madt = find(a, "APIC"), *e, *end;
    unsigned here = 0, all = 0, ioapics = 0, overrides = 0;

    CHECK(madt != NULL);
    end = madt + le(madt + 4, 4);
    for (e = madt + 44; e < end; e += e[1]) {
        CHECK(e[1] >= 6 && e + e[1] <= end);
        if (e[0] == 0) {
            CHECK_EQ(e[3], all);
            here += e[4] & 1;
            all++;
        }
        ioapics += e[0] == 1 && le(e + 4, 4) == 0xfec00000;
        overrides += e[0] == 2;
        if (e[0] == 2 && e[3] == 0)
            CHECK_EQ(le(e + 4, 4), 2);
    }
    CHECK_EQ(all, 5);
    CHECK_EQ(here, 2);
    CHECK_EQ(ioapics, 1);
    CHECK_EQ(overrides, 5);
}

static bool has_integer(const uint8_t *ssdt, const char *name, uint32_t val)
{
    uint32_t len = le(ssdt + 4, 4);

    for (uint32_t i = 36; i + 11 <= len; i++) {
        if (ssdt[i] == 0x08 && ssdt[i + 1] == '\\' && !memcmp(ssdt + i + 2, name, 4) &&
            ssdt[i + 6] == 0x0c)
            return le(ssdt + i + 7, 4) == val;
    }
    return false;
}

TEST(the_ssdt_says_what_this_machine_has)
{
    struct bios_facts small = { .cpus = 1, .max_cpus = 1, .ram_low = 64 << 20, .floppy = true };
    const uint8_t *ssdt = find(acpi_of(&facts), "SSDT");

    CHECK(ssdt != NULL);
    CHECK(has_integer(ssdt, "PMIN", 0xc0000000));
    CHECK(has_integer(ssdt, "PMAX", 0xfebfffff));
    CHECK(has_integer(ssdt, "HPTA", 1));
    CHECK(has_integer(ssdt, "FDCA", 0));
    CHECK(has_integer(ssdt, "COMA", 1));
    CHECK(find(acpi_of(&facts), "HPET") != NULL);
    CHECK(find(acpi_of(&facts), "WAET") != NULL);
    ssdt = find(acpi_of(&small), "SSDT");
    CHECK(has_integer(ssdt, "PMIN", 0x80000000));
    CHECK(has_integer(ssdt, "HPTA", 0));
    CHECK(has_integer(ssdt, "FDCA", 1));
    CHECK(find(acpi_of(&small), "HPET") == NULL);
}

TEST(a_table_of_the_users_is_passed_on)
{
    struct bios_facts f = facts;
    uint8_t slic[40] = "SLIC";

    slic[4] = sizeof(slic);
    slic[39] = (uint8_t) - ('S' + 'L' + 'I' + 'C' + 40);
    f.tables = slic;
    f.tables_len = sizeof(slic);
    CHECK(!memcmp(find(acpi_of(&f), "SLIC"), slic, sizeof(slic)));
    CHECK(find(acpi_of(&facts), "SLIC") == NULL);
}

static void make_table(uint8_t *t, const char *signature, uint8_t len)
{
    memset(t, 0, len);
    memcpy(t, signature, 4);
    t[4] = len;
    t[9] = 0x77; /* a sum that is wrong */
    memcpy(t + 10, "ACMEOSACMETABL", 14);
}

/* Windows wants the SLIC's maker in the others, too. */
TEST(tables_of_the_users_are_made_to_fit)
{
    struct bios_facts f = facts;
    uint8_t all[90];
    struct err err = { "" };
    struct acpi *a;

    make_table(all, "SLIC", 40);
    make_table(all + 40, "MSDM", 50);
    f.tables = all;
    f.tables_len = sizeof(all);
    a = acpi_of(&f);
    CHECK(find(a, "SLIC") && find(a, "MSDM")); /* which looks at the sums */
    CHECK(!memcmp(find(a, "FACP") + 10, "ACMEOSACMETABL", 14));
    CHECK(!memcmp(table_at(a, le(a->rsdp.data + 24, 8)) + 10, "ACMEOSACMETABL", 14));
    CHECK(!memcmp(a->rsdp.data + 9, "ACMEOS", 6));
    f.tables = all + 40;
    f.tables_len = 50;
    CHECK(!memcmp(find(acpi_of(&f), "FACP") + 10, "PORTICPORTICO ", 14));
    f.tables_len = 49;
    CHECK(bios_acpi(plain()->dev, &f, &err) < 0);
    CHECK(!strcmp(err.msg, "ACPI tables to pass on: at byte 0 there is no whole table"));
    f.tables_len = 50;
    all[44] = 35;
    CHECK(bios_acpi(plain()->dev, &f, &err) < 0);
}

/* ---- SMBIOS ---- */

/* String n of the structure at p; the first is 1. */
static const char *string_of(const uint8_t *p, unsigned n)
{
    const char *s = (const char *)p + p[1];

    while (--n)
        s += strlen(s) + 1;
    return s;
}

static const uint8_t *after(const uint8_t *p)
{
    p += p[1];
    while (p[0] || p[1])
        p++;
    return p + 2;
}

TEST(smbios_structures_follow_one_another_to_the_end)
{
    static struct file tables, anchor;
    struct qt *t = start(&facts);
    unsigned n = 0, last = 0, seen[128] = { 0 };
    size_t longest = 0;
    uint8_t sum = 0;

    read_file(t, "etc/smbios/smbios-tables", &tables);
    read_file(t, "etc/smbios/smbios-anchor", &anchor);
    for (const uint8_t *p = tables.data; p < tables.data + tables.len; p = after(p), n++) {
        last = p[0];
        CHECK(last < 128);
        seen[last]++;
        if ((size_t)(after(p) - p) > longest)
            longest = (size_t)(after(p) - p);
        if (last == 1) {
            CHECK(!strcmp(string_of(p, p[4]), "Acme"));
            CHECK(!strcmp(string_of(p, p[7]), "42"));
            CHECK(!memcmp(p + 8, "\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99", 10));
        }
        if (last == 4)
            CHECK_EQ(p[1], 42);
    }
    CHECK_EQ(last, 127);
    for (unsigned i = 0; i < 5; i++)
        CHECK_EQ(seen[i], i != 2);
    CHECK_EQ(seen[16], 1);
    CHECK_EQ(seen[17], 1);
    CHECK_EQ(seen[19], 2);
    CHECK_EQ(anchor.len, 31);
    CHECK(!memcmp(anchor.data, "_SM_", 4) && !memcmp(anchor.data + 16, "_DMI_", 5));
    CHECK_EQ(le(anchor.data + 8, 2), longest);
    CHECK_EQ(le(anchor.data + 0x16, 2), tables.len);
    CHECK_EQ(le(anchor.data + 0x1c, 2), n);
    for (unsigned i = 0; i < 31; i++)
        sum += anchor.data[i];
    CHECK_EQ(sum, 0);
}

TEST(smbios_has_what_the_user_says)
{
    static const uint8_t own[] = "\x03\x05\x00\x09\x01"
                                 "Mine\0\0"
                                 "\x80\x04\x01\x09\0"; /* chassis; of a maker's own type */
    static struct file tables;
    struct bios_facts f = facts;
    struct err err = { "" };
    unsigned seen[256] = { 0 };

    f.smbios.board_product = "Board";
    f.smbios.oem[0] = "one";
    f.smbios.oem[1] = "two";
    f.structs = own;
    f.structs_len = sizeof(own);
    read_file(start(&f), "etc/smbios/smbios-tables", &tables);
    for (const uint8_t *p = tables.data; p < tables.data + tables.len; p = after(p)) {
        seen[p[0]]++;
        if (p[0] == 2)
            CHECK(!strcmp(string_of(p, p[5]), "Board") && p[1] == 15);
        if (p[0] == 3)
            CHECK(!strcmp(string_of(p, p[4]), "Mine"));
        if (p[0] == 11)
            CHECK(p[4] == 2 && !strcmp(string_of(p, 1), "one") && !strcmp(string_of(p, 2), "two"));
    }
    CHECK(seen[2] == 1 && seen[3] == 1 && seen[11] == 1 && seen[128] == 1 && seen[127] == 1);
    f.structs_len = 10; /* amid its strings */
    CHECK(bios_smbios(plain()->dev, &f, &err) < 0);
    CHECK(!strcmp(err.msg, "SMBIOS structures to pass on: at byte 0 there is no whole one"));
}

/* ---- for others to look at: tests/tables/run ---- */

static void dump(const char *dir, const char *name, const void *data, size_t len)
{
    char path[512];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "wb");
    CHECK(f && fwrite(data, 1, len, f) == len);
    if (f)
        fclose(f);
}

TEST(tables_for_others_to_look_at)
{
    static struct file smbios, anchor;
    static uint8_t bin[0x20 + FILE_MAX];
    static const char *const names[] = { "FACP", "APIC", "HPET", "WAET", "SSDT" };
    const char *dir = getenv("BIOS_TABLES");
    struct acpi *a = acpi_of(&facts);
    const uint8_t *t;

    if (!dir)
        return;
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        t = find(a, names[i]);
        CHECK(t != NULL);
        dump(dir, names[i], t, le(t + 4, 4));
    }
    t = table_at(a, le(find(a, "FACP") + 40, 4));
    dump(dir, "DSDT", t, le(t + 4, 4));
    t = table_at(a, le(find(a, "FACP") + 36, 4));
    dump(dir, "FACS", t, le(t + 4, 4));
    t = table_at(a, le(a->rsdp.data + 24, 8));
    dump(dir, "XSDT", t, le(t + 4, 4));
    t = table_at(a, le(a->rsdp.data + 16, 4));
    dump(dir, "RSDT", t, le(t + 4, 4));
    /* As dmidecode --dump-bin writes it: the anchor, and the structures 32 bytes in. */
    read_file(start(&facts), "etc/smbios/smbios-tables", &smbios);
    read_file(start(&facts), "etc/smbios/smbios-anchor", &anchor);
    memcpy(bin, anchor.data, anchor.len);
    bin[0x18] = 0x20;
    bin[0x15] = (uint8_t)(bin[0x15] - 0x20); /* of 16 to 30 */
    memcpy(bin + 0x20, smbios.data, smbios.len);
    dump(dir, "smbios.bin", bin, 0x20 + smbios.len);
}

/* ---- a kernel that is started directly ---- */

#define SETUP_LEN  (3 * 512)
#define KERNEL_LEN 5000
#define INITRD_LEN 9000

static void set(uint8_t *p, unsigned at, uint64_t val, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        p[at + i] = (uint8_t)(val >> (8 * i));
}

/* boot.rst, "The Real-Mode Kernel Header": of protocol 2.15, as a kernel of today has it. */
static void fill_kernel(uint8_t *k)
{
    memset(k, 0, SETUP_LEN + KERNEL_LEN);
    k[0x1f1] = 2;
    set(k, 0x1fe, 0xaa55, 2);
    memcpy(k + 0x202, "HdrS", 4);
    set(k, 0x206, 0x20f, 2);
    k[0x211] = 0x01;
    set(k, 0x22c, 0x7fffffff, 4);
    set(k, 0x238, 2047, 4);
    set(k, 0x258, 0x1000000, 8);
    set(k, 0x260, 0x2000000, 4);
    for (unsigned i = 0; i < KERNEL_LEN; i++)
        k[SETUP_LEN + i] = (uint8_t)(i * 3);
}

static void write_file(char *name, const void *data, size_t len)
{
    int fd = mkstemp(name);

    CHECK(fd >= 0 && write(fd, data, len) == (ssize_t)len);
    close(fd);
}

/* One item as the descriptor of the ROM has it: where it is put. */
static uint64_t rom_item(const uint8_t *desc, unsigned key, unsigned len)
{
    CHECK_EQ(desc[0] << 8 | desc[1], key);
    CHECK_EQ(desc[2] << 8 | desc[3], 0x0a); /* select and read */
    CHECK_EQ((unsigned)desc[4] << 24 | desc[5] << 16 | desc[6] << 8 | desc[7], len);
    CHECK(!desc[8] && !desc[9] && !desc[10] && !desc[11]);
    return (unsigned)desc[12] << 24 | desc[13] << 16 | desc[14] << 8 | desc[15];
}

static uint32_t item32(struct qt *t, uint16_t key)
{
    uint8_t val[4];

    get(t, key, val, 4);
    return (uint32_t)le(val, 4);
}

static void check_rom(struct qt *t, uint32_t initrd_at)
{
    static struct file f;
    uint8_t sum = 0, pnp_sum = 0;
    unsigned pnp;

    read_file(t, "genroms/kernel.bin", &f);
    CHECK_EQ(f.len, 512);
    CHECK_EQ(le(f.data, 2), 0xaa55);
    CHECK_EQ(f.data[2], 1);
    for (unsigned i = 0; i < 512; i++)
        sum += f.data[i];
    CHECK_EQ(sum, 0);
    pnp = (unsigned)le(f.data + 0x1a, 2);
    CHECK(!memcmp(f.data + pnp, "$PnP", 4));
    for (unsigned i = 0; i < 32; i++)
        pnp_sum += f.data[pnp + i];
    CHECK_EQ(pnp_sum, 0);
    CHECK_EQ(f.data[le(f.data + pnp + 0x1a, 2)], 0xfc); /* the boot entry: cld */
    CHECK_EQ(rom_item(f.data + 0x40, FW_CFG_SETUP_DATA, SETUP_LEN), 0x10000);
    CHECK_EQ(rom_item(f.data + 0x50, FW_CFG_KERNEL_DATA, KERNEL_LEN), 0x100000);
    CHECK_EQ(rom_item(f.data + 0x60, FW_CFG_CMDLINE_DATA, 14), 0x20000);
    CHECK_EQ(rom_item(f.data + 0x70, FW_CFG_INITRD_DATA, INITRD_LEN), initrd_at);
}

TEST(a_kernel_is_prepared)
{
    static uint8_t k[SETUP_LEN + KERNEL_LEN], got[SETUP_LEN + KERNEL_LEN], initrd[INITRD_LEN];
    char kernel[] = "/tmp/portico-kernel-XXXXXX", file[] = "/tmp/portico-initrd-XXXXXX";
    struct bios_kernel b = {
        .kernel = kernel, .initrd = file, .append = "ro vga=0x317x", .ram_low = 256u << 20
    };
    struct qt *t = plain();
    struct err err;
    uint32_t at;

    fill_kernel(k);
    memset(initrd, 0x5a, sizeof(initrd));
    write_file(kernel, k, sizeof(k));
    write_file(file, initrd, sizeof(initrd));
    CHECK_EQ(bios_kernel(t->dev, &b, &err), 0);
    unlink(kernel);
    unlink(file);
    CHECK_EQ(item32(t, FW_CFG_SETUP_SIZE), SETUP_LEN);
    CHECK_EQ(item32(t, FW_CFG_KERNEL_SIZE), KERNEL_LEN);
    CHECK_EQ(item32(t, FW_CFG_KERNEL_ADDR), 0x100000);
    get(t, FW_CFG_KERNEL_DATA, got, KERNEL_LEN);
    CHECK(!memcmp(got, k + SETUP_LEN, KERNEL_LEN));
    get(t, FW_CFG_CMDLINE_DATA, got, 14);
    CHECK(!strcmp((char *)got, "ro vga=0x317x"));
    get(t, FW_CFG_INITRD_DATA, got, 16);
    CHECK_EQ(got[0], 0x5a);
    get(t, FW_CFG_SETUP_DATA, got, SETUP_LEN);
    at = (uint32_t)le(got + 0x218, 4);
    CHECK_EQ(at, ((254u << 20) - INITRD_LEN) & ~4095u); /* below what firmware keeps */
    CHECK_EQ(le(got + 0x21c, 4), INITRD_LEN);
    CHECK_EQ(le(got + 0x228, 4), 0x20000);
    CHECK_EQ(le(got + 0x224, 2), 0xde00);
    CHECK_EQ(got[0x210], 0xff);
    CHECK_EQ(got[0x211], 0x81);
    CHECK_EQ(le(got + 0x1fa, 2), 0x317);
    CHECK_EQ(item32(t, FW_CFG_INITRD_ADDR), at);
    check_rom(t, at);
}

/* Changes the good one at one place: the line says what is wrong with it. */
static void refused(struct qt *t, unsigned at, uint64_t val, unsigned n, size_t len, uint64_t ram,
                    const char *append, const char *says)
{
    static uint8_t k[SETUP_LEN + KERNEL_LEN];
    char kernel[] = "/tmp/portico-kernel-XXXXXX";
    struct bios_kernel b = { .kernel = kernel, .initrd = kernel, .append = append, .ram_low = ram };
    struct err err = { "" };

    fill_kernel(k);
    set(k, at, val, n);
    write_file(kernel, k, len);
    CHECK(bios_kernel(t->dev, &b, &err) < 0);
    unlink(kernel);
    if (!strstr(err.msg, says))
        fprintf(stderr, "\"%s\" is not in \"%s\"\n", says, err.msg);
    CHECK(strstr(err.msg, says) && !strchr(err.msg, '\n'));
}

TEST(what_is_no_kernel_is_refused)
{
    const size_t all = SETUP_LEN + KERNEL_LEN;
    struct bios_kernel none = { .kernel = "/nowhere/vmlinuz", .ram_low = 64u << 20 };
    struct qt *t = plain();
    struct err err = { "" };
    char longer[2100];

    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = 0;
    CHECK(bios_kernel(t->dev, &none, &err) < 0);
    CHECK(!strcmp(err.msg, "-kernel /nowhere/vmlinuz: No such file or directory"));
    none.kernel = "/tmp";
    CHECK(bios_kernel(t->dev, &none, &err) < 0);
    CHECK(!strcmp(err.msg, "-kernel /tmp: not a file of less than 2 GiB"));
    refused(t, 0, 0, 1, 0x200, 256u << 20, "", "not a Linux kernel");
    refused(t, 0x1fe, 0, 2, all, 256u << 20, "", "not a Linux kernel");
    refused(t, 0x202, 0, 4, all, 256u << 20, "", "not a Linux kernel");
    refused(t, 0x206, 0x201, 2, all, 256u << 20, "", "not a Linux kernel");
    refused(t, 0x211, 0, 1, all, 256u << 20, "", "not a Linux kernel");
    refused(t, 0x1f1, 255, 1, all, 256u << 20, "", "its set-up is of");
    refused(t, 0x1f1, 20, 1, all, 256u << 20, "", "its set-up is of");
    refused(t, 0, 0, 1, all, 256u << 20, longer, "takes 2047 letters, these are 2099");
    refused(t, 0, 0, 1, all, 48u << 20, "", "the guest has 48");
    refused(t, 0, 0, 1, all, 1u << 20, "", "does not fit");
    refused(t, 0x260, UINT32_MAX, 4, all, 256u << 20, "", "of memory below 4 GiB");
    refused(t, 0x22c, 0x100, 4, all, 256u << 20, "", "of memory below 4 GiB");
    refused(t, 0x22c, UINT32_MAX, 4, all, 49u << 20, "", "the guest has 49");
}
