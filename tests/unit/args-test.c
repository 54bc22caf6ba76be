/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line: libxl's own, and every option it can emit. */
#include "tests/unit/args-line.h"

TEST(real_command_line)
{
    static const uint8_t mac[6] = { 0x00, 0x16, 0x3e, 0x11, 0x22, 0x33 };
    struct line *l = parse(full);
    const struct vm_args *a = &l->a;

    CHECK(l->rc == 0);
    CHECK(a->domid == 1 && a->incoming == -1);
    CHECK(is(a->name, "g1") && is(a->machine, "xenfv") && is(a->accel, "xen"));
    CHECK(a->platform_pci && a->acpi && !a->paused && a->usb);
    CHECK_EQ(a->ram, 240u << 20);
    CHECK_EQ(a->max_ram_below_4g, 0xf0000000u);
    CHECK(a->cpus == 2 && a->max_cpus == 4);
    CHECK(is(a->boot, "cdn") && is(a->keymap, "en-us"));
    CHECK(a->vnc.enabled && is(a->vnc.host, "127.0.0.1") && a->vnc.display == 0 && a->vnc.to == 99);
    CHECK(a->vnc.password && !a->vnc.unix_path && !a->sdl);
    CHECK(a->nserials == 1 && is(a->serials[0], "pty"));
    CHECK(is(a->rom_path, ARGS_ROM_DIRS));
    CHECK(a->nchardevs == 2 && a->chardevs[0].monitor && a->chardevs[1].monitor);
    CHECK(is(a->chardevs[0].id, "libxl-cmd") && is(a->chardevs[0].kind, "socket"));
    CHECK(is(a->chardevs[1].path, "/var/run/xen/qmp-libxenstat-1") && a->chardevs[1].fd == -1);
    CHECK(a->ndevices == 3 && is(a->devices[0].driver, "VGA") && is(a->devices[2].driver, "AC97"));
    CHECK(is(config_str(&a->devices[0].cfg, "vgamem_mb", ""), "16"));
    CHECK(a->nnics == 1 && is(a->nics[0].model, "e1000") && is(a->nics[0].id, "nic0"));
    CHECK(is(a->nics[0].ifname, "vif1.0-emu") && !memcmp(a->nics[0].mac, mac, 6));
    CHECK(is(a->devices[1].driver, "usb-tablet"));
    CHECK(a->nics[0].after == 3);
    done(l);
}

TEST(real_drives)
{
    struct line *l = parse(full);
    const struct drive_arg *d = l->a.drives;

    CHECK(l->rc == 0 && l->a.ndrives == 4);
    CHECK(is(d[0].id, "ide0-hd0") && is(d[0].file, "/out/a.img") && is(d[0].format, "raw"));
    CHECK(d[0].unit == 0 && !d[0].cdrom && !d[0].readonly && d[0].writeback);
    CHECK(is(d[1].id, "ide0-hd1") && is(d[1].format, "qcow2") && d[1].unit == 1);
    CHECK(is(d[2].id, "ide-5632") && !d[2].file && d[2].cdrom && d[2].readonly && d[2].unit == 2);
    CHECK(is(d[3].id, "ide-5696") && is(d[3].file, "/out/cd1.iso") && d[3].unit == 3);
    done(l);
}

TEST(restricted_and_restored)
{
    struct line *l =
        parse("dm|-xen-domid|7|-S|-chardev|socket,id=libxl-cmd,fd=19,server=on,wait=off"
              "|-mon|chardev=libxl-cmd,mode=control|-vnc|none|-display|none|"
              "-net|none|-xen-domid-restrict|-chroot|/var/run/xen/qemu-root-7|"
              "-incoming|fd:15|-machine|pc,accel=xen,suppress-vmdesc=on,"
              "max-ram-below-4g=3221225472|-no-acpi|-m|512|-runas|65536:65536");

    CHECK(l->rc == 0);
    CHECK(l->a.paused && l->a.chardevs[0].fd == 19 && !l->a.chardevs[0].path);
    CHECK(l->a.incoming == 15 && l->a.domid_restrict && !l->a.acpi && !l->a.vnc.enabled);
    CHECK(is(l->a.chroot, "/var/run/xen/qemu-root-7") && is(l->a.runas, "65536:65536"));
    CHECK(is(l->a.machine, "pc") && is(l->a.accel, "xen") && !l->a.platform_pci);
    CHECK_EQ(l->a.max_ram_below_4g, 0xc0000000u);
    done(l);
}

TEST(file_names_with_commas_and_blanks)
{
    static const struct {
        const char *drive, *file;
    } table[] = {
        { "file=/a,b.img,if=ide,index=0,media=disk,format=raw,cache=writeback", "/a,b.img" },
        { "file=/x,discard,if=ide,index=0,format=raw", "/x,discard" },
        { "file=/my disk, the 2nd.img,if=ide,index=0", "/my disk, the 2nd.img" },
        { "file=/a,,b.img,if=ide", "/a,b.img" },
        { "file=/a,format.img,format=raw", "/a,format.img" },
        { "file=/a,b=c.img,index=0", "/a,b=c.img" },
        { "if=ide,index=0,file=/ends,with", "/ends,with" },
        { "/plain.img,index=0", "/plain.img" },
        { "/with=sign.img,index=0", "/with=sign.img" },
        { "file=/a=b,index=0", "/a=b" },
    };

    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char text[256];
        struct line *l;

        snprintf(text, sizeof(text), "dm|-drive|%s", table[i].drive);
        l = parse(text);
        CHECK(l->rc == 0);
        CHECK(l->a.ndrives == 1 && is(l->a.drives[0].file, table[i].file));
        CHECK(l->a.drives[0].unit == 0);
        done(l);
    }
}

TEST(words_of_smbios)
{
    struct line *l = parse("dm|-smbios|type=0,vendor=V,,W|-smbios|type=1,product=P,uuid="
                           "01234567-89AB-cdef-0123-456789abcdef|-smbios|type=11,value=one"
                           "|-smbios|type=11,value=two|-acpitable|file=/slic|-smbios|file=/x");

    CHECK(l->rc == 0);
    CHECK(is(config_str(&l->a.smbios, "0.vendor", NULL), "V,W"));
    CHECK(is(config_str(&l->a.smbios, "1.product", NULL), "P"));
    CHECK(is(config_str(&l->a.smbios, "11.0", NULL), "one"));
    CHECK(is(config_str(&l->a.smbios, "11.1", NULL), "two"));
    CHECK(is(l->a.uuid, "01234567-89ab-cdef-0123-456789abcdef"));
    CHECK(is(l->a.acpi_tables, "/slic") && is(l->a.smbios_file, "/x") && !l->a.smbios_sized);
    done(l);
}

TEST(a_kernel_and_what_goes_with_it)
{
    struct line *l = parse("dm|-kernel|/k|-initrd|/i|-append|a=b c,d");

    CHECK(l->rc == 0);
    CHECK(is(l->a.kernel, "/k") && is(l->a.initrd, "/i") && is(l->a.append, "a=b c,d"));
    CHECK(is(l->a.bootorder, "/rom@genroms/kernel.bin"));
    done(l);
}

TEST(names_are_raw)
{
    struct line *l =
        parse("dm|-name|guest=x,debug-threads=on, \"q\" %s \n,,|-vnc|unix:/a,b=c/v,to=3"
              "|-chardev|socket,id=c,path=/a,b,server,nowait|-mon|c,mode=control|"
              "-uuid|01234567-89AB-cdef-0123-456789abcdef|-L|/one|-L|/two");

    CHECK(l->rc == 0);
    CHECK(is(l->a.name, "guest=x,debug-threads=on, \"q\" %s \n,,"));
    CHECK(is(l->a.vnc.unix_path, "/a,b=c/v") && is(l->a.chardevs[0].path, "/a,b"));
    CHECK(l->a.chardevs[0].monitor && l->a.chardevs[0].server);
    CHECK(is(l->a.uuid, "01234567-89ab-cdef-0123-456789abcdef"));
    CHECK(is(l->a.rom_path, "/one:/two:" ARGS_ROM_DIRS));
    done(l);
}

TEST(vnc_forms)
{
    static const struct {
        const char *arg, *host;
        int display, to;
        bool password;
    } table[] = {
        { "127.0.0.1:0,to=99", "127.0.0.1", 0, 99, false },
        { "0.0.0.0:5", "0.0.0.0", 5, 5, false },
        { "[::]:3", "::", 3, 3, false },
        { "::1:7,password=on", "::1", 7, 7, true },
        { ":1,password", NULL, 1, 1, true },
        { "host.example:120,to=99", "host.example", 120, 120, false },
        { "vnc=1.2.3.4:2,share=ignore,password=off", "1.2.3.4", 2, 2, false },
    };

    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char text[128];
        struct line *l;

        snprintf(text, sizeof(text), "dm|-vnc|none|-vnc|%s", table[i].arg);
        l = parse(text);
        CHECK(l->rc == 0 && l->a.vnc.enabled);
        CHECK(table[i].host ? is(l->a.vnc.host, table[i].host) : !l->a.vnc.host);
        CHECK(l->a.vnc.display == table[i].display && l->a.vnc.to == table[i].to);
        CHECK(l->a.vnc.password == table[i].password);
        done(l);
    }
}

TEST(sizes_and_cpus)
{
    static const struct {
        const char *text;
        uint64_t ram;
        unsigned cpus, max;
    } table[] = {
        { "dm", 128u << 20, 1, 1 },
        { "dm|-m|240|-smp|4", 240u << 20, 4, 4 },
        { "dm|-m|2G|-smp|1,maxcpus=128", UINT64_C(2) << 30, 1, 128 },
        { "dm|-m|size=512m|-smp|cpus=2,maxcpus=8,sockets=8", 512u << 20, 2, 8 },
        { "dm|-m|1048576K|-smp|sockets=2,cores=3", 1u << 30, 6, 6 },
        { "dm|-m|1T|-smp|maxcpus=3", UINT64_C(1) << 40, 3, 3 },
    };

    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct line *l = parse(table[i].text);

        CHECK(l->rc == 0);
        CHECK_EQ(l->a.ram, table[i].ram);
        CHECK(l->a.cpus == table[i].cpus && l->a.max_cpus == table[i].max);
        done(l);
    }
}

TEST(worlds)
{
    struct line *l = parse("dm|--machine|pc-i440fx-7.2,accel=xen|-accel|qtest,x=y");

    CHECK(l->rc == 0 && is(l->a.machine, "pc") && is(l->a.accel, "qtest") && l->a.domid == -1);
    done(l);
    l = parse("dm|-enable-kvm");
    CHECK(l->rc == 0 && is(l->a.accel, "kvm"));
    done(l);
    l = parse("dm");
    CHECK(l->rc == 0 && !l->a.accel && is(l->a.boot, "cda") && l->a.acpi);
    done(l);
    l = parse("dm|-version|-nonsense");
    CHECK(l->rc == 0 && l->a.show_version);
    done(l);
    l = parse("dm|--help");
    CHECK(l->rc == 0 && l->a.show_help && strstr(args_help(), "-xen-domid"));
    done(l);
}

TEST(serial_ports)
{
    struct line *l = parse("dm|-serial|pty|-serial|chardev:log|-serial|none|-serial|vc|"
                           "-chardev|file,id=log,path=/l,og|-chardev|socket,id=d,path=/d,server=on|"
                           "-device|isa-debugcon,iobase=0x402,chardev=d");

    CHECK(l->rc == 0 && l->a.nserials == 4);
    CHECK(is(l->a.serials[0], "pty") && is(l->a.serials[1], "file:/l,og"));
    CHECK(is(l->a.serials[2], "none") && is(l->a.serials[3], "null"));
    CHECK(is(l->a.debugcon, "unix:/d,server,wait"));
    done(l);
    l = parse("dm|-serial|tcp:127.0.0.1:44,server,nowait|-serial|/dev/ttyS0|-debugcon|file:/x");
    CHECK(l->rc == 0 && is(l->a.serials[0], "tcp:127.0.0.1:44,server,nowait"));
    CHECK(is(l->a.serials[1], "/dev/ttyS0") && is(l->a.debugcon, "file:/x"));
    done(l);
}

TEST(drives_find_their_place)
{
    struct line *l =
        parse("dm|-cdrom|/c,d=1.iso|-hda|/h|-drive|file=/x|-drive|if=none,id=n|"
              "-drive|if=none,id=m,file=/m|-device|ide-hd,drive=m,serial=S,bootindex=1");

    CHECK(l->rc == 0 && l->a.ndrives == 5);
    CHECK(l->a.drives[0].unit == 2 && l->a.drives[0].cdrom && is(l->a.drives[0].id, "ide1-cd0"));
    CHECK(is(l->a.drives[0].file, "/c,d=1.iso"));
    CHECK(l->a.drives[1].unit == 0 && l->a.drives[2].unit == 1 && l->a.drives[3].unit == -1);
    CHECK(l->a.drives[4].unit == 3 && !l->a.drives[4].cdrom && is(l->a.drives[4].serial, "S"));
    done(l);
    l = parse("dm|-drive|file=/x,bus=1,unit=1,cache=writethrough,readonly=on,aio=native");
    CHECK(l->rc == 0 && l->a.drives[0].unit == 3 && !l->a.drives[0].writeback);
    CHECK(l->a.drives[0].readonly);
    done(l);
}

TEST(cards_keep_their_order)
{
    struct line *l = parse("dm|-device|VGA|-device|rtl8139,mac=00-16-3E-00-00-01|-device|ac97,id=s|"
                           "-device|e1000-82540em|-global|VGA.vgamem_mb=32|-global|PIIX4_PM.x=1|"
                           "-set|device.s.addr=9|-cpu|host|-trace|pci*|-usbdevice|mouse");

    CHECK(l->rc == 0 && l->a.ndevices == 3 && l->a.nnics == 2);
    CHECK(l->a.nics[0].after == 1 && l->a.nics[1].after == 2 && !l->a.nics[0].ifname);
    CHECK(is(l->a.nics[1].model, "e1000") && l->a.nics[0].mac[2] == 0x3e);
    CHECK(l->a.nics[1].mac[0] == 0x00 && l->a.nics[1].mac[1] == 0x16 &&
          l->a.nics[1].mac[2] == 0x3e);
    CHECK(is(config_str(&l->a.devices[0].cfg, "vgamem_mb", ""), "32"));
    CHECK(is(config_str(&l->a.devices[1].cfg, "addr", ""), "9"));
    CHECK(l->a.usb && is(l->a.devices[2].driver, "usb-mouse"));
    done(l);
    l = parse("dm|-device|piix3-usb-uhci,id=usb|-device|usb-tablet");
    CHECK(l->rc == 0 && !l->a.usb && l->a.ndevices == 2);
    CHECK(is(config_str(&l->a.devices[0].cfg, "id", ""), "usb"));
    CHECK(is(l->a.devices[1].driver, "usb-tablet"));
    done(l);
}
