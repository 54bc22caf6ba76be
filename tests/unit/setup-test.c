/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings of devices that cannot be: one line that names them, and nothing left behind. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "hw/devices.h"
#include "hw/fw-cfg.h"
#include "hw/ide.h"
#include "tests/unit/qt.h"

TEST(what_cannot_be_is_said_in_one_line)
{
    static const struct {
        const struct device_type *type;
        int devfn;
        const char *set[2][2], *says;
    } all[] = {
        { &piix3_ide_type.dev,
          9,
          { { "drive0.kind", "cdrom" }, { "drive0.cyls", "100" } },
          "x: drive0: give cyls, heads and secs, or none of them" },
        { &piix3_ide_type.dev, 9, { { "drive3.kind", "cdrom" }, { "drive3.heads", "17" } }, "17" },
        { &piix3_ide_type.dev, 9, { { "drive1.kind", "cdrom" }, { "drive1.secs", "256" } }, "256" },
        { &piix3_ide_type.dev,
          9,
          { { "drive1.kind", "cdrom" }, { "drive1.cyls", "many" } },
          "many" },
        { &piix3_ide_type.dev, 9, { { "drive0.kind", "cdrom" }, { "drive0.wwn", "x1" } }, "x1" },
        { &cmos_type, -1, { { "rtc", "on" }, { "base", "yesterday" } }, "yesterday" },
        { &rtl8139_type.dev, 16, { { "mac", "00:16:3e:00:00" } }, "00:16:3e:00:00" },
        { &e1000_type.dev, 16, { { "mac", "zz:16:3e:00:00:01" } }, "zz:16:3e:00:00:01" },
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        struct qt *t = qt_new();
        struct config cfg = { 0 };
        struct err err = { "" };

        config_set(&cfg, "romfile", "");
        for (unsigned k = 0; k < 2 && all[i].set[k][0]; k++)
            config_set(&cfg, all[i].set[k][0], all[i].set[k][1]);
        CHECK(!device_new(&t->plat, all[i].type, "x", all[i].devfn, &cfg, &err));
        if (!strstr(err.msg, all[i].says))
            fprintf(stderr, "%s\n", err.msg);
        CHECK(strstr(err.msg, all[i].says) && !strchr(err.msg, '\n'));
        CHECK(!t->plat.nwindows[IO_PORT] && !t->plat.ntimers);
        CHECK(all[i].devfn < 0 || !t->plat.pci[all[i].devfn]);
        config_free(&cfg);
        qt_end();
    }
}

static uint8_t bcd(unsigned n)
{
    return (uint8_t)(n / 10 << 4 | n % 10);
}

static uint8_t reg(struct qt *t, uint8_t index)
{
    outb(t, 0x70, index);
    return inb(t, 0x71);
}

/* Five and a half hours east: the guest's clock is on the host's wall, not in Greenwich. */
TEST(a_clock_of_local_time)
{
    char *kept = getenv("TZ") ? strdup(getenv("TZ")) : NULL;
    struct qt *t = qt_new();
    time_t before, after;
    struct tm a, b;

    setenv("TZ", "XST-5:30", 1);
    tzset();
    qt_no_reload(t, "the base counts from when the device was made");
    qt_config(t, "rtc", "on");
    qt_config(t, "base", "localtime");
    before = time(NULL);
    qt_add(t, &cmos_type, -1);
    after = time(NULL);
    before += 19800;
    after += 19800;
    CHECK(gmtime_r(&before, &a) && gmtime_r(&after, &b));
    CHECK(reg(t, 2) == bcd(a.tm_min) || reg(t, 2) == bcd(b.tm_min));
    CHECK(reg(t, 4) == bcd(a.tm_hour) || reg(t, 4) == bcd(b.tm_hour));
    CHECK(reg(t, 7) == bcd(a.tm_mday) || reg(t, 7) == bcd(b.tm_mday));
    if (kept)
        setenv("TZ", kept, 1);
    else
        unsetenv("TZ");
    tzset();
    free(kept);
}

/* What the directory says of a file: its key; 0 when it is not there. */
static uint16_t file_key(struct qt *t, const char *name)
{
    uint32_t count = 0;

    outw(t, 0x510, 0x19);
    for (unsigned i = 0; i < 4; i++)
        count = count << 8 | inb(t, 0x511);
    for (; count; count--) {
        uint8_t e[64];

        for (unsigned i = 0; i < sizeof(e); i++)
            e[i] = inb(t, 0x511);
        if (!strncmp((char *)e + 8, name, 56))
            return (uint16_t)(e[4] << 8 | e[5]);
    }
    return 0;
}

/* The list of files has an end; what was added before stays readable. */
TEST(more_files_than_the_firmware_can_be_given)
{
    struct qt *t = qt_new();
    struct err err = { "" };
    char name[32];
    unsigned n = 0;

    qt_no_reload(t, "files are given after the device is made");
    qt_add(t, &fw_cfg_type, -1);
    for (; n < 1000; n++) {
        snprintf(name, sizeof(name), "etc/n%03u", n);
        if (fw_cfg_add_file(t->dev, name, name, strlen(name), &err))
            break;
    }
    CHECK(n > 64 && n < 128);
    CHECK(strstr(err.msg, "more than 128 items") != NULL);
    CHECK(fw_cfg_add_uint(t->dev, 0x8010, 1, 4, &err) < 0);
    CHECK_EQ(file_key(t, name), 0); /* the one too many */
    snprintf(name, sizeof(name), "etc/n%03u", n - 1);
    CHECK(file_key(t, name) >= 0x20);
    outw(t, 0x510, file_key(t, name));
    for (unsigned i = 0; name[i]; i++)
        CHECK_EQ(inb(t, 0x511), name[i]);
}

TEST(trays_of_what_is_no_cd_drive)
{
    struct qt *t = qt_new();
    struct err err = { "" };

    qt_config(t, "drive0.kind", "cdrom");
    qt_add(t, &piix3_ide_type.dev, 9);
    CHECK_EQ(ide_eject(t->dev, 0, false, &err), 0);
    CHECK(ide_tray_open(t->dev, 0));
    CHECK_EQ(ide_close_tray(t->dev, 0, &err), 0);
    CHECK(!ide_tray_open(t->dev, 0));
    CHECK_EQ(ide_close_tray(t->dev, 0, &err), 0);
    CHECK(ide_close_tray(t->dev, 1, &err) < 0);
    CHECK(strstr(err.msg, "unit 1 is not a CD drive") != NULL);
}
