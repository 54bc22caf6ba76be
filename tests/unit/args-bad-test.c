/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line: what is refused, nonsense, and random damage. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "tests/unit/args-line.h"
#include "tests/unit/random.h"

/* The rare options of libxl that are not there: the message names the option and the way out. */
static const struct {
    const char *text, *message;
} refused[] = {
    { "-smbios|type=4,manufacturer=x",
      "-smbios type=4: manufacturer: not supported; of types 0 to 3 the strings and of 11 value= "
      "are, or use file=" },
    { "-spice|port=5900,disable-ticketing=on", "-spice: not supported; use -vnc" },
    { "-display|gtk",
      "-display gtk: not supported; use vnc=1 (-vnc HOST:N) or sdl=1 (-display sdl) "
      "in the guest's configuration" },
    { "-xen-attach", "-xen-attach: not supported; PV and PVH domains need no device model of "
                     "this kind" },
    { "-machine|xenpv", "-machine xenpv: not supported; PV and PVH domains need no device model "
                        "of this kind" },
    { "-machine|q35", "-machine q35: not supported; use xenfv, pc or none" },
    { "-machine|xenfv,igd-passthru=on", "-machine igd-passthru=on: not supported; remove "
                                        "gfx_passthru and use vga=\"stdvga\"" },
    { "-machine|pc,accel=tcg", "-machine accel=tcg: not supported; use xen, kvm or qtest" },
    { "-device|lsi53c895a", "-device lsi53c895a: not supported; use hd* vdevs (hda to hdd)" },
    { "-device|scsi-hd,drive=scsi0-hd0,scsi-id=0",
      "-device scsi-hd: not supported; use hd* vdevs (hda to hdd)" },
    { "-device|qxl-vga,vram_size_mb=64,ram_size_mb=64",
      "-device qxl-vga: not supported; use vga=\"stdvga\"" },
    { "-device|adlib",
      "-device adlib: not supported; use soundhw=\"ac97\", \"es1370\" or \"sb16\"" },
    { "-device|cs4231a",
      "-device cs4231a: not supported; use soundhw=\"ac97\", \"es1370\" or \"sb16\"" },
    { "-device|gus", "-device gus: not supported; use soundhw=\"ac97\", \"es1370\" or \"sb16\"" },
    { "-device|intel-hda|-device|hda-duplex",
      "-device intel-hda: not supported; use soundhw=\"ac97\", \"es1370\" or \"sb16\"" },
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
      "-device virtio-net: not supported; use model=rtl8139, e1000, pcnet or ne2k_pci" },
    { "-device|tulip",
      "-device tulip: not supported; use model=rtl8139, e1000, pcnet or ne2k_pci" },
    { "-usbdevice|host:1234:5678", "-usbdevice host:1234:5678: not supported; use "
                                   "usbdevice=\"tablet\"" },
    { "-soundhw|hda", "-soundhw hda: not supported; use ac97, es1370 or sb16" },
    { "-soundhw|ac97,all", "-soundhw all: not supported; use ac97, es1370 or sb16" },
    { "-audio|none,model=hda", "-audio hda: not supported; use ac97, es1370 or sb16" },
    { "-audiodev|pa,id=a", "-audiodev pa: not supported; use none, wav or sdl" },
    { "-netdev|hubport,id=n,hubid=0",
      "-netdev hubport,id=n,hubid=0: not supported; use type=tap or type=user" },
    { "-vnc|:0,sasl=on", "-vnc sasl: not supported; use password=on, tls-creds=, or listen on "
                         "127.0.0.1 and tunnel with ssh" },
    { "-object|secret,id=s,data=x,keyid=k", "-object secret: keyid: not supported; leave it out" },
    { "-object|tls-creds-x509,id=t,dir=/x,endpoint=client",
      "-object tls-creds-x509: endpoint=client: only server is of use here" },
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
    { "-smbios|vendor=x", "-smbios vendor=x: neither type= nor file=" },
    { "-acpitable|sig=SLIC", "-acpitable: unknown key 'sig'" },
    { "-append|x", "-append: only allowed with -kernel option" },
    { "-initrd|/i", "-initrd: only allowed with -kernel option" },
    { "-drive|file=x,if=none,id=d|-device|ide-hd,bus=ahci0.0,unit=0,drive=d",
      "-device ide-hd: Bus 'ahci0.0' not found" },
    { "-drive|file=x,if=none,id=d|-device|ahci,id=a|-device|ide-hd,bus=a.6,drive=d",
      "use ide.0 or ide.1, or AHCI-ID.0 to AHCI-ID.5" },
    { "-drive|file=x,if=none,id=d|-device|ahci,id=a|-device|ide-hd,bus=a.0,unit=1,drive=d",
      "bus supports only 1 units" },
    { "-device|ahci,id=a|-device|ide-cd,bus=a.1|-device|ide-cd,bus=a.1",
      "IDE unit 0 of bus 'a.1' is in use" },
    { "-audiodev|none", "-audiodev: Parameter 'id' is missing" },
    { "-audiodev|id=x", "-audiodev: Parameter 'driver' is missing" },
    { "-audiodev|none,id=a|-audiodev|wav,id=a", "-audiodev wav: Duplicate audiodev ID 'a'" },
    { "-audiodev|none,id=a,path=/x", "-audiodev none: unknown key 'path'" },
    { "-audiodev|wav,id=a,in.bogus=1", "-audiodev: unknown key 'in.bogus'" },
    { "-audiodev|wav,id=a,bogus=1", "-audiodev: unknown key 'bogus'" },
    { "-device|AC97,audiodev=b|-audiodev|none,id=a",
      "-device AC97: Property 'AC97.audiodev' can't find value 'b'" },
    { "-device|AC97,bogus=1", "-device: unknown key 'bogus'" },
    { "-device|sb16,addr=3", "-device: unknown key 'addr'" },
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
    { "-m|512,slots", "'slots' needs a value" },
    { "-smp|0", "cpus=0: must be at least 1" },
    { "-smp|4,maxcpus=2", "1 <= cpus <= maxcpus" },
    { "-smp|129", "cpus=129: not a number from 0 to 128" },
    { "-smp|cores=100,sockets=100", "1 <= cpus" },
    { "-boot|order=cdx", "-boot order=cdx" },
    { "-boot|cc", "at most once" },
    { "-boot|once=dx", "-boot once=dx" },
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
    { "-vnc|:0,share=nobody", "share=nobody" },
    { "-vnc|:0,websocket=70000", "-vnc websocket: 70000 is not [HOST:]PORT" },
    { "-vnc|unix:/x,websocket=on", "websocket=PORT" },
    { "-vnc|:0,key-delay-ms=5000", "key-delay-ms=5000" },
    { "-web-console|", "is not [HOST:]PORT" },
    { "-web-console|8000,colour=red", "colour" },
    { "-object|secret,id=s", "give either data= or file=" },
    { "-object|secret,data=x", "id= is missing" },
    { "-object|tls-creds-x509,id=t", "dir= is missing" },
    { "-object|secret,id=s,data=1|-object|tls-creds-anon,id=s", "two of that name" },
    { "-vnc|:0,colour=red", ":0,colour=red: not HOST:N" },
    { "-drive|file=/a,index=4", "-drive index=4: only hda to hdd" },
    { "-drive|file=/a,index=0|-drive|file=/b,index=0", "IDE unit 0 (hda) is taken by 'ide0-hd0'" },
    { "-hda|/a|-hda|/b", "is taken by" },
    { "-drive|/a|-drive|/b|-drive|/c|-drive|/d|-drive|/e", "-drive /e: more than 4 IDE drives" },
    { "-drive|if=none,id=a|-drive|if=none,id=a", "two of that name" },
    { "-drive|if=weird,file=/a", "-drive if=weird" },
    { "-drive|if=ide,media=tape", "media=tape" },
    { "-drive|if=ide,foo=1", "-drive: unknown key 'foo'" },
    { "-drive|file=/a,cache=maybe", "cache=maybe" },
    { "-drive|file=/a,readonly=2", "readonly=2: say on or off" },
    { "-drive|file=/a,bus=2,unit=0", "bus=2" },
    { "-drive|file=/a,copy-on-read=on", "copy-on-read=on: not supported" },
    { "-device|ide-cd,drive=x", "there is no -drive of that id" },
    { "-device|ide-hd", "drive= is missing" },
    { "-drive|if=none,id=x|-device|ide-cd,drive=x,bus=ide.2,unit=0", "bus=ide.2: no such bus" },
    { "-drive|if=none,id=x|-device|ide-cd,drive=x,bus=ide.1,unit=2", "unit=2: not a number" },
    { "-drive|if=none,id=x|-device|ide-cd,drive=x|-device|ide-cd,drive=x", "plugged in already" },
    { "-hdc|/a|-drive|if=none,id=x|-device|ide-cd,drive=x,bus=ide.1,unit=0", "IDE unit 2 (hdc)" },
    { "-device|nosuchthing,x=y",
      "-device nosuchthing: 'nosuchthing' is not a valid device model name" },
    { "-device|", "'' is not a valid device model name" },
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
    { "-netdev|id=n,type=vde", "type=vde: not supported; use type=tap or type=user" },
    { "-netdev|type=l2tpv3,id=n,src=a", "not supported; use type=tap or type=user" },
    { "-netdev|user,id=n,frobnicate=on", "unknown key 'frobnicate'" },
    { "-netdev|user", "id= is missing" },
    { "-nic|user,frobnicate=on", "-nic: unknown key 'frobnicate'" },
    { "-device|e1000,mac=00:16:3e:00:00:01|-device|rtl8139,mac=00:16:3e:00:00:01",
      "-device rtl8139,mac=00:16:3e:00:00:01: NIC nic0 has that address already" },
    { "-object|filter-mirror,id=f,netdev=n", "-object filter-mirror: not supported; there are" },
    { "-object|filter-dump,id=f,netdev=n,file=/x", "netdev=n: there is no -netdev of that id" },
    { "-netdev|user,id=n|-object|filter-dump,id=f,netdev=n,file=/x", "no NIC uses that netdev" },
    { "-object|filter-dump,netdev=n,file=/x", "id= is missing" },
    { "-object|filter-dump,id=f,file=/x", "netdev= is missing" },
    { "-object|filter-mac,id=f,netdev=n,file=/x", "-object: unknown key 'file'" },
    { "-object|filter-mac,id=f,netdev=n|-object|filter-mac,id=f,netdev=n", "two of that name" },
    { "-netdev|id=n,ifname=t", "-netdev : not supported" },
    { "-net|nic,model=e1000", "use -device rtl8139" },
    { "-chardev|socket,id=c", "needs path=FILE or fd=N" },
    { "-chardev|socket,id=c,path=/x,fd=3", "needs path=FILE or fd=N" },
    { "-chardev|socket,path=/x", "id= is missing" },
    { "-chardev|socket,id=c,host=a,port=1,path=/x", "needs path=FILE or fd=N" },
    { "-chardev|socket,id=c,fd=x", "fd=x: not a number" },
    { "-chardev|pty,id=c|-chardev|pty,id=c", "two of that name" },
    { "-chardev|file,id=c", "path= is missing" },
    { "-chardev|wormhole,id=c", "-chardev wormhole: not supported" },
    { "-mon|chardev=no,mode=control", "there is no -chardev of that id" },
    { "-chardev|pty,id=c|-mon|c,mode=control", "-mon chardev=c: not supported" },
    { "-qmp|udp:0:1", "use unix:PATH,server,nowait" },
    { "-qmp|unix:", "needs unix:PATH,server,nowait" },
    { "-serial|", "the argument is empty" },
    { "-serial|null|-serial|null|-serial|null|-serial|null|-serial|pty", "4 serial ports" },
    { "-serial|chardev:x", "there is no -chardev" },
    { "-xen-domid|1|-chardev|null,id=x|-device|isa-debugcon,iobase=0xe9,chardev=x", "use 0x402" },
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
