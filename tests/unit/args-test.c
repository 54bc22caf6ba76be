/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line: libxl's own, every option it can emit, and nonsense. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "control/args.h"
#include "tests/unit/qt.h"
#include "tests/unit/random.h"

#define ARGV_MAX 512

struct line {
    char *text, *argv[ARGV_MAX];
    int argc;
    struct vm_args a;
    struct err err;
    int rc;
};

/* Splits at '|' and parses. */
static struct line *parse(const char *text)
{
    struct line *l = calloc(1, sizeof(*l));

    l->text = strdup(text);
    l->argv[l->argc++] = l->text;
    for (char *p = l->text; *p && l->argc < ARGV_MAX; p++) {
        if (*p == '|') {
            *p = 0;
            l->argv[l->argc++] = p + 1;
        }
    }
    l->rc = args_parse(&l->a, l->argc, l->argv, &l->err);
    return l;
}

static void done(struct line *l)
{
    args_free(&l->a);
    free(l->text);
    free(l);
}

static bool is(const char *a, const char *b)
{
    return a && !strcmp(a, b);
}

/* What was recorded from a live libxl: all sorts of things at once. */
static const char full[] =
    "dm|-xen-domid|1|-no-shutdown|"
    "-chardev|socket,id=libxl-cmd,path=/var/run/xen/qmp-libxl-1,server=on,wait=off|"
    "-mon|chardev=libxl-cmd,mode=control|"
    "-chardev|socket,id=libxenstat-cmd,path=/var/run/xen/qmp-libxenstat-1,server=on,wait=off|"
    "-mon|chardev=libxenstat-cmd,mode=control|-nodefaults|-no-user-config|-name|g1|"
    "-vnc|127.0.0.1:0,password=on,to=99|-display|none|-k|en-us|-serial|pty|"
    "-device|VGA,vgamem_mb=16|-boot|order=cdn|-usb|-usbdevice|tablet|-device|ac97|"
    "-smp|2,maxcpus=4|-device|e1000,id=nic0,netdev=net0,mac=00:16:3e:11:22:33|"
    "-netdev|type=tap,id=net0,ifname=vif1.0-emu,br=xenbr0,script=no,downscript=no|"
    "-machine|xenfv,suppress-vmdesc=on|-m|240|"
    "-drive|file=/out/a.img,if=ide,index=0,media=disk,format=raw,cache=writeback|"
    "-drive|file=/out/b.qcow2,if=ide,index=1,media=disk,format=qcow2,cache=writeback|"
    "-drive|if=none,readonly=on,id=ide-5632|"
    "-device|ide-cd,id=ide-5632,drive=ide-5632,bus=ide.1,unit=0|"
    "-drive|if=none,readonly=on,id=ide-5696,file=/out/cd1.iso,format=raw|"
    "-device|ide-cd,id=ide-5696,drive=ide-5696,bus=ide.1,unit=1";

TEST(real_command_line)
{
    static const uint8_t mac[6] = { 0x00, 0x16, 0x3e, 0x11, 0x22, 0x33 };
    struct line *l = parse(full);
    const struct vm_args *a = &l->a;

    CHECK(l->rc == 0);
    CHECK(a->domid == 1 && a->incoming == -1);
    CHECK(is(a->name, "g1") && is(a->machine, "xenfv") && is(a->accel, "xen"));
    CHECK(a->platform_pci && a->acpi && !a->paused && a->usb && a->tablet);
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
    CHECK(a->ndevices == 2 && is(a->devices[0].driver, "VGA") && is(a->devices[1].driver, "ac97"));
    CHECK(is(config_str(&a->devices[0].cfg, "vgamem_mb", ""), "16"));
    CHECK(a->nnics == 1 && is(a->nics[0].model, "e1000") && is(a->nics[0].id, "nic0"));
    CHECK(is(a->nics[0].ifname, "vif1.0-emu") && !memcmp(a->nics[0].mac, mac, 6));
    CHECK(a->nics[0].after == 2);
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
    CHECK(is(l->a.debugcon, "unix:/d,server,nowait"));
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

    CHECK(l->rc == 0 && l->a.ndevices == 2 && l->a.nnics == 2);
    CHECK(l->a.nics[0].after == 1 && l->a.nics[1].after == 2 && !l->a.nics[0].ifname);
    CHECK(is(l->a.nics[1].model, "e1000") && l->a.nics[0].mac[2] == 0x3e);
    CHECK(l->a.nics[1].mac[0] == 0x52 && l->a.nics[1].mac[5] == 0x57);
    CHECK(is(config_str(&l->a.devices[0].cfg, "vgamem_mb", ""), "32"));
    CHECK(is(config_str(&l->a.devices[1].cfg, "addr", ""), "9"));
    CHECK(l->a.usb && !l->a.tablet);
    done(l);
    l = parse("dm|-device|piix3-usb-uhci,id=usb|-device|usb-tablet");
    CHECK(l->rc == 0 && l->a.usb && l->a.tablet);
    done(l);
}

/* The rare options of libxl that are not there: the message names the option and the way out. */
static const struct {
    const char *text, *message;
} refused[] = {
    { "-kernel|/vmlinuz", "-kernel: not supported; boot from a disk or CD image instead" },
    { "-initrd|/i", "-initrd: not supported; boot from a disk or CD image instead" },
    { "-append|x", "-append: not supported; boot from a disk or CD image instead" },
    { "-spice|port=5900,disable-ticketing=on", "-spice: not supported; use -vnc" },
    { "-display|sdl", "-display sdl: not supported; use vnc=1 in the guest's configuration "
                      "(-vnc HOST:N)" },
    { "-sdl", "-sdl: not supported; use vnc=1 in the guest's configuration (-vnc HOST:N)" },
    { "-xen-attach", "-xen-attach: not supported; PV and PVH domains need no device model of "
                     "this kind" },
    { "-machine|xenpv", "-machine xenpv: not supported; PV and PVH domains need no device model "
                        "of this kind" },
    { "-machine|q35", "-machine q35: not supported; use xenfv or pc" },
    { "-machine|xenfv,igd-passthru=on", "-machine igd-passthru=on: not supported; remove "
                                        "gfx_passthru and use vga=\"stdvga\"" },
    { "-machine|pc,accel=tcg", "-machine accel=tcg: not supported; use xen, kvm or qtest" },
    { "-device|lsi53c895a", "-device lsi53c895a: not supported; use hd* vdevs (hda to hdd)" },
    { "-device|scsi-hd,drive=scsi0-hd0,scsi-id=0",
      "-device scsi-hd: not supported; use hd* vdevs (hda to hdd)" },
    { "-device|ahci,id=ahci0", "-device ahci: not supported; use hdtype=\"ide\"" },
    { "-device|ide-hd,bus=ahci0.0,unit=0,drive=ahcidisk-0",
      "-device ide-hd,bus=ahci0.0: not supported; use hdtype=\"ide\"" },
    { "-device|qxl-vga,vram_size_mb=64,ram_size_mb=64",
      "-device qxl-vga: not supported; use vga=\"stdvga\"" },
    { "-device|adlib", "-device adlib: not supported; guests have no sound yet; remove soundhw=" },
    { "-device|cs4231a",
      "-device cs4231a: not supported; guests have no sound yet; remove soundhw=" },
    { "-device|es1370",
      "-device es1370: not supported; guests have no sound yet; remove soundhw=" },
    { "-device|gus", "-device gus: not supported; guests have no sound yet; remove soundhw=" },
    { "-device|sb16", "-device sb16: not supported; guests have no sound yet; remove soundhw=" },
    { "-device|intel-hda|-device|hda-duplex",
      "-device intel-hda: not supported; guests have no sound yet; remove soundhw=" },
    { "-device|ich9-usb-ehci1,id=usb,addr=0x1d.0x7,multifunction=on",
      "-device ich9-usb-ehci1: not supported; use usbversion=1 or usb=1" },
    { "-device|ich9-usb-uhci1,masterbus=usb.0,firstport=0",
      "-device ich9-usb-uhci1: not supported; use usbversion=1 or usb=1" },
    { "-device|nec-usb-xhci,id=usb", "-device nec-usb-xhci: not supported; use usbversion=1 or "
                                     "usb=1" },
    { "-chardev|spicevmc,name=usbredir,id=usbrc1", "-chardev spicevmc: not supported; use -vnc" },
    { "-device|usb-redir,chardev=usbrc1,id=usbrc1",
      "-device usb-redir: not supported; use -vnc (it needs spice)" },
    { "-device|virtio-serial", "-device virtio-serial: not supported; use -vnc (spicevdagent needs "
                               "spice)" },
    { "-device|xen-pvdevice,device-id=0xc000", "-device xen-pvdevice: not supported; remove "
                                               "vendor_device= from the guest's configuration" },
    { "-device|virtio-net,netdev=n,mac=00:16:3e:00:00:01",
      "-device virtio-net: not supported; use model=rtl8139 or model=e1000" },
    { "-device|ne2k_pci", "-device ne2k_pci: not supported; use model=rtl8139 or model=e1000" },
    { "-usbdevice|host:1234:5678", "-usbdevice host:1234:5678: not supported; use "
                                   "usbdevice=\"tablet\"" },
    { "-soundhw|hda", "-soundhw: not supported; guests have no sound yet; remove it" },
    { "-drive|file=/f,if=floppy", "-drive if=floppy: not supported; boot from a CD image instead" },
    { "-netdev|user,id=n", "-netdev user,id=n: not supported; use type=tap" },
    { "-vnc|:0,tls-creds=x", "-vnc tls-creds: not supported; use password=on, or listen on "
                             "127.0.0.1 and tunnel with ssh" },
    { "-mon|chardev=c", "-mon chardev=c: only mode=control is supported; for the human monitor use "
                        "`xl qemu-monitor-command`" },
    { "-incoming|tcp:0:4444", "-incoming tcp:0:4444: not supported; use fd:N, an open file" },
    { "-daemonize", "-daemonize: not supported; it stays in the foreground: start it with '&' or "
                    "setsid" },
};

TEST(refusals_name_the_way_out)
{
    for (unsigned i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        char text[256];
        struct line *l;

        snprintf(text, sizeof(text), "dm|%s", refused[i].text);
        l = parse(text);
        if (l->rc != -ENOTSUP || strcmp(l->err.msg, refused[i].message))
            fprintf(stderr, "%s: %d %s\n", text, l->rc, l->err.msg);
        CHECK(l->rc == -ENOTSUP);
        CHECK(!strcmp(l->err.msg, refused[i].message));
        done(l);
    }
}

/* Nonsense: one line each that holds these words. */
static const struct {
    const char *text, *words;
} malformed[] = {
    { "-bogus", "-bogus: unknown option" },
    { "disk.img", "disk.img: not an option" },
    { "-", "-: not an option" },
    { "-xen-domid", "-xen-domid: the argument is missing" },
    { "-xen-domid|0", "-xen-domid 0: not a domain id" },
    { "-xen-domid|-1", "not a domain id" },
    { "-xen-domid|32752", "not a domain id from 1 to 32751" },
    { "-xen-domid|1x", "not a domain id" },
    { "-xen-domid|99999999999999999999999", "not a domain id" },
    { "-machine|xenfv", "-xen-domid: missing" },
    { "-accel|xen", "-xen-domid: missing" },
    { "-xen-domid-restrict", "needs -xen-domid" },
    { "-m|0", "-m 0: not a size" },
    { "-m|", "not a size" },
    { "-m|12Q", "-m 12Q: not a size" },
    { "-m|1.5G", "not a size" },
    { "-m|99999999T", "not a size" },
    { "-m|512,slots=2,maxmem=4G", "memory hot-plug is not supported" },
    { "-smp|0", "cpus=0: must be at least 1" },
    { "-smp|4,maxcpus=2", "1 <= cpus <= maxcpus" },
    { "-smp|129", "cpus=129: not a number from 0 to 128" },
    { "-smp|cores=100,sockets=100", "1 <= cpus" },
    { "-boot|order=cdx", "-boot order=cdx" },
    { "-boot|cc", "at most once" },
    { "-boot|once=d", "use order=" },
    { "-machine|pc,max-ram-below-4g=5G", "max-ram-below-4g=5G" },
    { "-machine|pc,frobnicate=on", "-machine: unknown key 'frobnicate'" },
    { "-machine|pc,accel", "'accel' needs a value" },
    { "-vnc|nothing", "-vnc nothing: not HOST:N" },
    { "-vnc|:x", "not HOST:N" },
    { "-vnc|[::1:3", "']' is missing" },
    { "-vnc|[:3", "']' is missing" },
    { "-vnc|:60000", "not HOST:N" },
    { "-vnc|:0,password=maybe", "-vnc: password=maybe: say on or off" },
    { "-vnc|:0,to=x", "to=x: not a number" },
    { "-vnc|unix:", "the path of the socket is missing" },
    { "-vnc|:0,colour=red", ":0,colour=red: not HOST:N" },
    { "-drive|file=/a,index=4", "-drive index=4: only hda to hdd" },
    { "-drive|file=/a,index=0|-drive|file=/b,index=0", "IDE unit 0 (hda) is taken by 'ide0-hd0'" },
    { "-hda|/a|-hda|/b", "is taken by" },
    { "-drive|/a|-drive|/b|-drive|/c|-drive|/d|-drive|/e", "-drive /e: more than 4 IDE drives" },
    { "-drive|if=none", "id= is missing" },
    { "-drive|if=none,id=a|-drive|if=none,id=a", "two of that name" },
    { "-drive|if=weird,file=/a", "-drive if=weird" },
    { "-drive|if=ide,media=tape", "media=tape" },
    { "-drive|if=ide,foo=1", "-drive: unknown key 'foo'" },
    { "-drive|file=/a,cache=maybe", "cache=maybe" },
    { "-drive|file=/a,readonly=2", "readonly=2: say on or off" },
    { "-drive|file=/a,bus=2,unit=0", "bus=2" },
    { "-drive|file=/a,iops=5", "cgroup" },
    { "-drive|file=/a,snapshot=on", "snapshot=on: not supported" },
    { "-device|ide-cd,drive=x", "there is no -drive of that id" },
    { "-device|ide-cd", "drive= is missing" },
    { "-drive|if=none,id=x|-device|ide-cd,drive=x,bus=ide.2,unit=0", "bus=ide.2: no such bus" },
    { "-drive|if=none,id=x|-device|ide-cd,drive=x,bus=ide.1,unit=2", "unit=2: not a number" },
    { "-drive|if=none,id=x|-device|ide-cd,drive=x,unit=1", "bus= is missing" },
    { "-drive|if=none,id=x|-device|ide-cd,drive=x|-device|ide-cd,drive=x", "plugged in already" },
    { "-hdc|/a|-drive|if=none,id=x|-device|ide-cd,drive=x,bus=ide.1,unit=0", "IDE unit 2 (hdc)" },
    { "-device|nosuchthing,x=y", "-device nosuchthing: unknown" },
    { "-device|", "unknown" },
    { "-device|VGA,=3", "unknown key ''" },
    { "-device|e1000,mac=00:16:3e:11:22", "mac=00:16:3e:11:22 is not a MAC" },
    { "-device|e1000,mac=01:16:3e:11:22:33", "mac=01:16" },
    { "-device|e1000,mac=00:16:3e:11:22:33:44", "is not a MAC" },
    { "-device|e1000,mac=zz:16:3e:11:22:33", "is not a MAC" },
    { "-device|e1000,mac=", "mac= is not a MAC" },
    { "-device|e1000,netdev=n", "netdev=n: there is no -netdev" },
    { "-netdev|tap,id=n,ifname=t|-device|e1000,netdev=n|-device|e1000,netdev=n", "another NIC" },
    { "-netdev|tap,id=n", "ifname= is not an interface name" },
    { "-netdev|tap,id=n,ifname=sixteencharacter", "is not an interface name" },
    { "-netdev|tap,ifname=t", "id= is missing" },
    { "-netdev|tap,id=n,ifname=t,script=/etc/qemu-ifup", "is not run" },
    { "-netdev|id=n,type=user", "-netdev user: not supported" },
    { "-netdev|type=user,id=n,hostfwd=tcp::1-:2", "not supported; use type=tap" },
    { "-netdev|id=n,ifname=t", "-netdev : not supported" },
    { "-net|nic,model=e1000", "use -device rtl8139" },
    { "-chardev|socket,id=c", "needs path=FILE or fd=N" },
    { "-chardev|socket,id=c,path=/x,fd=3", "needs path=FILE or fd=N" },
    { "-chardev|socket,path=/x", "id= is missing" },
    { "-chardev|socket,id=c,host=a,port=1", "host= and port=" },
    { "-chardev|socket,id=c,fd=x", "fd=x: not a number" },
    { "-chardev|pty,id=c|-chardev|pty,id=c", "two of that name" },
    { "-chardev|file,id=c", "path= is missing" },
    { "-chardev|wormhole,id=c", "-chardev wormhole: not supported" },
    { "-mon|chardev=no,mode=control", "there is no -chardev of that id" },
    { "-chardev|pty,id=c|-mon|c,mode=control", "-mon chardev=c: not supported" },
    { "-qmp|tcp:0:1", "use unix:PATH,server,nowait" },
    { "-qmp|unix:/x", "needs unix:PATH,server,nowait" },
    { "-serial|", "the argument is empty" },
    { "-serial|null|-serial|null|-serial|null|-serial|null|-serial|pty", "4 serial ports" },
    { "-serial|chardev:x", "there is no -chardev" },
    { "-device|isa-debugcon,iobase=0xe9,chardev=x", "use 0x402" },
    { "-incoming|fd:x", "not a descriptor" },
    { "-uuid|123", "not a UUID" },
    { "-L|/a:b", "-L /a:b" },
    { "-k|", "-k: the argument is empty" },
    { "-set|drive.x.y=z", "only device.ID.KEY" },
    { "-global|nonsense", "not DRIVER.KEY=VALUE" },
    { "-parallel|", "-parallel: the argument is empty" },
};

TEST(nonsense_is_one_line)
{
    for (unsigned i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        char text[512];
        struct line *l;

        snprintf(text, sizeof(text), "dm|%s", malformed[i].text);
        l = parse(text);
        if (!l->rc || !strstr(l->err.msg, malformed[i].words))
            fprintf(stderr, "%s: %d %s\n", text, l->rc, l->err.msg);
        CHECK(l->rc == -EINVAL || l->rc == -ENOTSUP);
        CHECK(strstr(l->err.msg, malformed[i].words) && !strchr(l->err.msg, '\n'));
        CHECK(!l->a.name && !l->a.ndrives && !l->a.nchardevs); /* nothing is left */
        done(l);
    }
}

TEST(too_many)
{
    static const struct {
        const char *option;
        unsigned fits;
    } table[] = {
        { "|-device|VGA", ARGS_DEVICES },
        { "|-device|e1000", ARGS_NICS },
        { "|-global|a.b=c", ARGS_DEVICES },
        { "|-mon|a,mode=control", ARGS_CHARDEVS },
    };

    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char text[4096] = "dm";
        int len = 2;

        for (unsigned n = 0; n <= table[i].fits; n++)
            len += snprintf(text + len, sizeof(text) - (size_t)len, "%s", table[i].option);
        struct line *l = parse(text);

        CHECK(l->rc == -EINVAL && strstr(l->err.msg, "more than"));
        done(l);
    }
}

/* The options of every test above, cut, joined and damaged at random. */
static void damage(char *text, uint64_t *seed)
{
    static const char bytes[] = ",,=|.:-019azID[]/\x80\xff ";
    size_t len = strlen(text);

    for (unsigned n = rnd_below(seed, 4); n && len; n--)
        text[rnd_below(seed, (unsigned)len)] = bytes[rnd_below(seed, sizeof(bytes) - 1)];
    if (len && !rnd_below(seed, 8))
        text[rnd_below(seed, (unsigned)len)] = 0;
}

static void fuzz_one(uint64_t *seed)
{
    const unsigned nrefused = sizeof(refused) / sizeof(refused[0]);
    const unsigned nmalformed = sizeof(malformed) / sizeof(malformed[0]);
    char text[4096] = "dm|";
    size_t len = 3;

    if (!rnd_below(seed, 3)) {
        snprintf(text, sizeof(text), "%s|", full);
        len = strlen(text);
    }
    for (unsigned n = rnd_below(seed, 4); n && len < sizeof(text) - 512; n--) {
        const char *piece = rnd_below(seed, 2) ? refused[rnd_below(seed, nrefused)].text
                                         : malformed[rnd_below(seed, nmalformed)].text;

        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s|", piece);
    }
    if (rnd_below(seed, 8))
        text[len - 1] = 0;
    damage(text + 3, seed);
    struct line *l = parse(text);

    CHECK(l->rc == 0 || l->rc == -EINVAL || l->rc == -ENOTSUP);
    CHECK(l->rc == 0 || l->err.msg[0]);
    done(l);
}

TEST(random_command_lines)
{
    int saved = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);
    uint64_t seed = 1;

    dup2(null, STDERR_FILENO); /* what is noted and ignored would fill the log */
    for (unsigned i = 0; i < 20000; i++)
        fuzz_one(&seed);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(null);
}
