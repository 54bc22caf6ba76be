/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line as QEMU's users and qtest clients write it. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include "control/bootorder.h"
#include "control/blockopts.h"
#include "control/keyval.h"
#include "hw/machine.h"
#include "tests/unit/args-line.h"

#define QT "dm|-accel|qtest|-nodefaults"

static const char *prop(const struct drive_arg *d, const char *key)
{
    return config_str(&d->props, key, "");
}

TEST(boot_options)
{
    struct line *l = parse(QT "|-boot|order=nc,once=d,menu=on,splash=/s,p.bmp,splash-time=65535,"
                              "reboot-timeout=-1,strict=on");

    CHECK(l->rc == 0 && is(l->a.boot, "nc") && is(l->a.bootopt.once, "d"));
    CHECK(l->a.bootopt.menu == 1 && l->a.bootopt.strict && is(l->a.bootopt.splash, "/s,p.bmp"));
    CHECK(l->a.bootopt.splash_time == 65535 && l->a.bootopt.reboot_timeout == -1);
    CHECK(is(l->a.bootorder, "HALT"));
    done(l);
    l = parse("dm|-boot|menu=off|-boot|reboot-timeout=0");
    CHECK(l->rc == 0 && l->a.bootopt.menu == 0 && l->a.bootopt.reboot_timeout == 0);
    CHECK(l->a.bootopt.splash_time == BOOT_NOT_SAID && !l->a.bootorder && is(l->a.boot, "cda"));
    done(l);
}

TEST(clock)
{
    static const struct {
        const char *arg;
        int64_t date;
    } dates[] = { { "base=1970-01-02", 86400 },
                  { "base=2022-11-02T01:02:03", 1667350923 },
                  { "2000-02-29T23:59:59", 951868799 } };
    struct line *l = parse("dm|-rtc|base=localtime,clock=vm,driftfix=slew");

    CHECK(l->rc == 0 && l->a.rtc.base == RTC_LOCALTIME && l->a.rtc.vm_clock && l->a.rtc.slew);
    done(l);
    for (unsigned i = 0; i < 3; i++) {
        char text[80];

        snprintf(text, sizeof(text), "dm|-rtc|%s", dates[i].arg);
        l = parse(text);
        CHECK(l->rc == 0 && l->a.rtc.base == RTC_DATE && !l->a.rtc.vm_clock);
        CHECK_EQ(l->a.rtc.date, dates[i].date);
        done(l);
    }
}

TEST(topology)
{
    static const struct {
        const char *arg;
        unsigned cpus, max, sockets, dies, cores, threads;
    } table[] = {
        { "4", 4, 4, 1, 1, 4, 1 },
        { "2,maxcpus=4", 2, 4, 1, 1, 4, 1 },
        { "8,sockets=2", 8, 8, 2, 1, 4, 1 },
        { "8,cores=2", 8, 8, 4, 1, 2, 1 },
        { "8,sockets=2,cores=2", 8, 8, 2, 1, 2, 2 },
        { "sockets=2,dies=2,cores=3,threads=2", 24, 24, 2, 2, 3, 2 },
        { "1,sockets=2,cores=2,threads=1,maxcpus=4", 1, 4, 2, 1, 2, 1 },
    };

    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char text[80];
        struct line *l;

        snprintf(text, sizeof(text), "dm|-smp|%s", table[i].arg);
        l = parse(text);
        CHECK(l->rc == 0 && l->a.cpus == table[i].cpus && l->a.max_cpus == table[i].max);
        CHECK(l->a.sockets == table[i].sockets && l->a.dies == table[i].dies);
        CHECK(l->a.cores == table[i].cores && l->a.threads == table[i].threads);
        done(l);
    }
}

TEST(what_ends_the_guest)
{
    struct line *l = parse("dm|-no-reboot|-no-shutdown|-no-fd-bootchk|-no-hpet|-bios|/b.bin");

    CHECK(l->rc == 0 && l->a.on_reboot == REBOOT_END && l->a.on_shutdown == SHUTDOWN_PAUSE);
    CHECK(!l->a.fd_bootchk && !l->a.hpet && is(l->a.bios, "/b.bin"));
    done(l);
    l = parse("dm|-no-reboot|-action|reboot=reset,shutdown=pause,panic=none");
    CHECK(l->rc == 0 && l->a.on_reboot == REBOOT_RESET && l->a.on_shutdown == SHUTDOWN_PAUSE);
    done(l);
    l = parse(QT "|-name|guest=g 1,debug-threads=on");
    CHECK(l->rc == 0 && is(l->a.name, "g 1") && l->a.own_clocks);
    done(l);
    l = parse(QT "|-name|plain,process=x");
    CHECK(l->rc == 0 && is(l->a.name, "plain"));
    done(l);
}

TEST(worlds_are_passed_over)
{
    struct line *l = parse("dm|-machine|pc,accel=tcg:qtest");

    CHECK(l->rc == 0 && is(l->a.accel, "qtest") && l->a.own_clocks);
    done(l);
    l = parse("dm|-accel|tcg|-accel|qtest|-machine|none");
    CHECK(l->rc == 0 && is(l->a.accel, "qtest") && is(l->a.machine, "none") && !l->a.ndevices);
    done(l);
    l = parse("dm|-accel|hvf:tcg");
    CHECK(l->rc == -ENOTSUP && strstr(l->err.msg, "accel=hvf:tcg: not supported"));
    done(l);
}

TEST(default_devices)
{
    bool fdc = machine_has_type("isa-fdc");
    struct line *l = parse("dm|-accel|qtest|-device|rtl8139,id=r");

    CHECK(l->rc == 0 && l->a.ndevices == 1 && is(l->a.devices[0].driver, "VGA"));
    CHECK(l->a.nnics == 1 && l->a.nics[0].after == 1); /* a NIC was named: no other is added */
    CHECK(l->a.nserials == 1 && is(l->a.serials[0], "null") && is(l->a.parallel, "null"));
    CHECK(l->a.ndrives == (fdc ? 2u : 1u) && l->a.drives[0].unit == 2 && l->a.drives[0].cdrom);
    CHECK(is(l->a.drives[0].id, "ide1-cd0") && !l->a.drives[0].file);
    done(l);
    l = parse("dm|-accel|qtest");
    CHECK(l->a.nnics == 1 && is(l->a.nics[0].model, "e1000") && l->a.nics[0].after == 1);
    done(l);
    l = parse("dm|-accel|qtest|-vga|none|-net|none|-serial|none|-parallel|none|-hdc|/c");
    CHECK(l->rc == 0 && !l->a.ndevices && !l->a.nnics && !l->a.parallel);
    CHECK(l->a.nserials == 1 && is(l->a.serials[0], "none"));
    CHECK(l->a.ndrives == (fdc ? 2u : 1u) && is(l->a.drives[0].file, "/c"));
    done(l);
    l = parse(QT);
    CHECK(l->rc == 0 && !l->a.ndevices && !l->a.nnics && !l->a.ndrives && !l->a.nserials);
    CHECK(is(l->a.boot, "cad"));
    done(l);
    l = parse("dm|-xen-domid|3"); /* nobody adds to what the toolstack says */
    CHECK(l->rc == 0 && !l->a.ndevices && !l->a.nnics && !l->a.ndrives && !l->a.parallel);
    done(l);
}

TEST(drives_with_all_their_keys)
{
    struct line *l =
        parse(QT "|-drive|if=none,id=d,file=/x,format=raw,cyls=20,heads=16,secs=63,trans=none,"
                 "werror=stop,rerror=ignore"
                 "|-device|ide-hd,id=p,drive=d,bus=ide.1,serial=S,ver=1.0,model=M x,wwn=0x5000,"
                 "bootindex=3,rerror=report,write-cache=off,discard_granularity=512");
    const struct drive_arg *d = l->a.drives;

    CHECK(l->rc == 0 && d->unit == 2 && d->iface == DRIVE_IDE && is(d->device, "p"));
    CHECK(is(d->serial, "S") && is(prop(d, "ver"), "1.0") && is(prop(d, "model"), "M x"));
    CHECK(is(prop(d, "cyls"), "20") && is(prop(d, "heads"), "16") && is(prop(d, "secs"), "63"));
    CHECK(is(prop(d, "werror"), "stop") && is(prop(d, "rerror"), "report"));
    CHECK(is(prop(d, "wwn"), "0x5000") && !d->writeback);
    CHECK(is(l->a.bootorder, "/pci@i0cf8/ide@1,1/drive@1/disk@0"));
    done(l);
}

/* Both kinds of quotes. */
TEST(devices_as_json)
{
    struct line *l =
        parse(QT "|-netdev|{\"type\":\"socket\",\"id\":\"n\",\"connect\":\"127.0.0.1:1\"}"
                 "|-device|{'driver':'rtl8139','id':'c','netdev':'n'}"
                 "|-device|{\"driver\":\"ahci\",\"id\":\"a\"}");

    CHECK(l->rc == 0 && l->a.nnics == 1 && is(l->a.nics[0].id, "c"));
    CHECK(is(l->a.nics[0].netdev, "n") && l->a.ndevices == 1);
    done(l);
    l = parse(QT "|-device|{'driver':'rtl8139',}");
    CHECK(l->rc == -EINVAL && strstr(l->err.msg, "-device: not JSON"));
    done(l);
}

/* Geometries that firmware is to use, where the disk's own would not do. */
TEST(lcyls_go_to_the_firmware)
{
    struct line *l =
        parse(QT "|-drive|file=/d0,format=raw,if=none,id=x"
                 "|-device|ide-hd,drive=x,bus=ide.0,unit=1,lcyls=9000,lheads=120,lsecs=30"
                 "|-drive|file=/d1,format=raw,if=none,id=y"
                 "|-device|ide-hd,drive=y,bus=ide.1,unit=0,lcyls=0,lheads=0,lsecs=0"
                 "|-drive|file=/d2,format=raw,if=none,id=z|-device|ahci,id=a,addr=5"
                 "|-device|ide-hd,drive=z,bus=a.3,lcyls=0,lheads=1,lsecs=4294967295");
    char *text;

    CHECK_EQ(l->rc, 0);
    text = args_geometry(&l->a);
    CHECK(is(text, "/pci@i0cf8/ide@1,1/drive@0/disk@1 9000 120 30\n"
                   "/pci@i0cf8/pci8086,2922@5/drive@3/disk@0 0 1 4294967295"));
    free(text);
    done(l);
    l = parse(QT "|-drive|file=/d,if=none,id=x|-device|ide-hd,drive=x,lcyls=4294967296");
    CHECK(l->rc == -EINVAL && strstr(l->err.msg, "lcyls"));
    done(l);
    l = parse(QT "|-drive|file=/d,if=none,id=x|-device|ide-hd,drive=x");
    CHECK(l->rc == 0 && args_geometry(&l->a) == NULL);
    done(l);
}

/* What the block layer is asked for a -drive. */
static void want(const char *drive, struct block_want *w, int *rc, struct err *err)
{
    char text[1024];
    struct line *l;

    snprintf(text, sizeof(text), QT "|-drive|if=none,id=d,%s", drive);
    l = parse(text);
    CHECK(l->rc == 0);
    *rc = block_want_drive(w, &l->a, &l->a.drives[0], err);
    if (*rc == 0 && w->o.format) /* outlives the line */
        config_set(&w->keep, "format", w->o.format);
    if (*rc == 0 && w->o.format)
        w->o.format = config_str(&w->keep, "format", NULL);
    done(l);
}

TEST(images)
{
    static const struct {
        const char *drive, *file, *format;
    } table[] = {
        { "file=/a,b.img", "/a,b.img", NULL },
        { "file=/a,format=qcow2", "/a", "qcow2" },
        { "file=file:/a", "/a", NULL },
        { "file=nbd://h:1/x,format=raw", "nbd://h:1/x", "raw" },
        { "file=nbd:h:1:exportname=e", "nbd://h:1/e", NULL },
        { "file=nbd:unix:/s", "nbd+unix:///?socket=/s", NULL },
        { "file.driver=nbd,file.host=h", "nbd://h:10809/", NULL },
        { "file.driver=nbd,file.server.type=unix,file.server.path=/s,file.export=e",
          "nbd+unix:///e?socket=/s", NULL },
        { "file.filename=/f,file.locking=off,format=raw", "/f", "raw" },
        { "driver=raw,file.driver=host_device,file.filename=/dev/x", "/dev/x", "raw" },
        { "file=json:{\"driver\":\"qcow2\"@@\"file\":{\"driver\":\"file\"@@\"filename\":\"/j\"}}",
          "/j", "qcow2" },
        { "file=null-co://", "null-co://1073741824", "null-co" },
        { "driver=null-co,size=64M", "null-co://67108864", "null-co" },
    };

    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char drive[256];
        struct block_want w;
        struct err err;
        int rc;

        snprintf(drive, sizeof(drive), "%s", table[i].drive);
        for (char *p = drive; (p = strstr(p, "@@")); p++)
            memcpy(p, ",,", 2);
        want(drive, &w, &rc, &err);
        if (rc)
            fprintf(stderr, "%s: %s\n", drive, err.msg);
        CHECK(rc == 0 && !w.empty && is(w.o.file, table[i].file));
        CHECK(table[i].format ? is(w.o.format, table[i].format)
                              : !w.o.format || is(w.o.format, "raw"));
        block_want_free(&w);
    }
}

TEST(how_images_are_opened)
{
    struct block_want w;
    struct err err;
    int rc;

    want("file=/x,cache=none,discard=unmap,detect-zeroes=unmap,snapshot=on,file.locking=on,"
         "read-only=on",
         &w, &rc, &err);
    CHECK(rc == 0 && w.o.direct && !w.o.no_flush && w.o.discard && w.o.detect_zeroes);
    CHECK(w.o.snapshot && w.o.readonly && w.o.locking == BLOCK_LOCK_ON);
    block_want_free(&w);
    want("file=/x,cache=unsafe", &w, &rc, &err);
    CHECK(rc == 0 && w.o.no_flush && !w.o.direct && !w.o.discard && !w.o.readonly);
    CHECK(w.o.locking == BLOCK_LOCK_AUTO);
    block_want_free(&w);
    want("file=/x,cache=none,cache.direct=off,iops=100,bps_rd=5000,bps_rd_max=9000,"
         "throttling.bps-read-max-length=3,iops_size=4096",
         &w, &rc, &err);
    CHECK(rc == 0 && !w.o.direct && w.o.throttle.iops[BLOCK_LIMIT_TOTAL].avg == 100);
    CHECK(w.o.throttle.bps[BLOCK_LIMIT_READ].avg == 5000);
    CHECK(w.o.throttle.bps[BLOCK_LIMIT_READ].max == 9000);
    CHECK(w.o.throttle.bps[BLOCK_LIMIT_READ].length == 3 && w.o.throttle.iops_size == 4096);
    block_want_free(&w);
    want("media=cdrom", &w, &rc, &err);
    CHECK(rc == 0 && w.empty);
    block_want_free(&w);
}

TEST(faults)
{
    struct block_want w;
    struct err err;
    int rc;

    want("file=blkdebug:/c.conf:/x,format=raw", &w, &rc, &err);
    CHECK(rc == 0 && is(w.o.file, "/x") && is(w.o.fault, "config=/c.conf"));
    block_want_free(&w);
    want("file=blkdebug::/x", &w, &rc, &err);
    CHECK(rc == 0 && is(w.o.file, "/x") && !w.o.fault);
    block_want_free(&w);
    want("file.driver=blkdebug,file.config=/c,file.image.driver=file,file.image.filename=/y", &w,
         &rc, &err);
    CHECK(rc == 0 && is(w.o.file, "/y") && is(w.o.fault, "config=/c"));
    block_want_free(&w);
    want("file.driver=blkdebug,file.image.filename=/y,file.inject-error.0.event=read_aio,"
         "file.inject-error.0.errno=28,file.inject-error.1.iotype.0=write,"
         "file.inject-error.1.iotype.1=flush,file.set-state.0.event=write_aio,"
         "file.set-state.0.new_state=2",
         &w, &rc, &err);
    CHECK(rc == 0 && is(w.o.fault, "rule=inject-error:event=read_aio:errno=28,"
                                   "rule=inject-error:iotype=write+flush,"
                                   "rule=set-state:event=write_aio:new_state=2"));
    block_want_free(&w);
}

TEST(throttle_groups)
{
    struct block_want w;
    struct block_throttle t;
    struct line *l = parse(
        QT "|-object|throttle-group,id=g,x-iops-total=5,limits.bps-read=7|"
           "-object|{\"qom-type\":\"throttle-group\",\"id\":\"h\",\"limits\":{\"iops-read\":3}}|"
           "-blockdev|throttle,node-name=t,throttle-group=h,file.driver=file,file.filename=/x|"
           "-drive|file=/a,if=ide,index=0,id=a,group=g,iops=9|"
           "-drive|file=/b,if=ide,index=1,id=b,bps=9|-drive|file=/c,if=ide,index=3,id=c,"
           "throttling.group=g");

    CHECK(l->rc == 0 && l->a.ngroups == 2);
    CHECK_EQ(block_want_limits(&t, &l->a.groups[0].cfg, "g", &l->err), 0);
    CHECK(t.iops[BLOCK_LIMIT_TOTAL].avg == 5 && t.bps[BLOCK_LIMIT_READ].avg == 7);
    CHECK_EQ(block_want_limits(&t, &l->a.groups[1].cfg, "h", &l->err), 0);
    CHECK(t.iops[BLOCK_LIMIT_READ].avg == 3);
    CHECK_EQ(block_want_drive(&w, &l->a, &l->a.drives[0], &l->err), 0);
    CHECK(is(w.group, "g") && w.set_group);
    block_want_free(&w);
    CHECK_EQ(block_want_drive(&w, &l->a, &l->a.drives[1], &l->err), 0);
    CHECK(is(w.group, "b") && w.set_group); /* of its own name */
    block_want_free(&w);
    CHECK_EQ(block_want_drive(&w, &l->a, &l->a.drives[2], &l->err), 0);
    CHECK(!w.group); /* as QEMU has it: who states no limits is in no group */
    block_want_free(&w);
    CHECK_EQ(block_want_node(&w, &l->a, "t", &l->err), 0);
    CHECK(is(w.group, "h") && !w.set_group);
    block_want_free(&w);
    done(l);
}

TEST(objects_that_cannot_be)
{
    static const char *const table[][2] = {
        { "throttle-group", "'id' is missing" },
        { "throttle-group,id=g,limits.iops-total=x", "limits.iops-total=x: not a number" },
        { "throttle-group,id=g,limits.bps-total-max=1", "require corresponding" },
        { "throttle-group,id=g,colour=red", "unknown key 'colour'" },
        { "throttle-group,id=g|-object|throttle-group,id=g", "duplicate" },
        { "iothread,id=i", "-object iothread: not supported" },
        { "throttle-group,id=g|-blockdev|throttle,node-name=t,throttle-group=no,file.filename=/x",
          "Throttle group 'no' does not exist" },
    };

    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char text[300];
        struct line *l;

        snprintf(text, sizeof(text), QT "|-object|%s", table[i][0]);
        l = parse(text);
        if (!l->rc || !strstr(l->err.msg, table[i][1]))
            fprintf(stderr, "%s: %d %s\n", table[i][0], l->rc, l->err.msg);
        CHECK(l->rc && strstr(l->err.msg, table[i][1]));
        done(l);
    }
}

TEST(bad_images)
{
    static const struct {
        const char *drive, *words;
    } table[] = {
        { "file=/x,discard=maybe", "Invalid discard option" },
        { "file=/x,detect-zeroes=unmap", "not allowed without setting discard" },
        { "file=/x,iops=1,iops_rd=1", "cannot be used at the same time" },
        { "file=/x,bps_max=9", "require corresponding" },
        { "file=/x,bps=many", "throttling.bps-total=many: not a number" },
        { "file=/x,file.locking=x", "locking=x" },
        { "file=json:{\"driver\":\"file\"}", "Parameter 'filename' is missing" },
        { "file=json:{\"driver\":\"nosuch\"}", "Unknown driver 'nosuch'" },
        { "file=json:{", "not JSON" },
        { "file.driver=file,file.filename=/x,file.colour=red", "unknown key 'colour'" },
        { "file=blkdebug:/c", "requires both config and image" },
        { "file.driver=blkdebug,file.image.filename=/y,file.inject-error.0.event=no",
          "fault rule: event" },
        { "file.driver=blkdebug,file.image.filename=/y,file.set-state.0.event=a:b",
          "set-state.0.event=a:b: not understood" },
        { "file=blkdebug:a:blkdebug:b:/x", "blkdebug twice" },
        { "file.driver=nbd", "give server.path, or server.host" },
        { "file.driver=nbd,file.host=h,file.tls-creds=t", "tls-creds: not supported" },
    };

    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct block_want w;
        struct err err = { "" };
        int rc;

        want(table[i].drive, &w, &rc, &err);
        if (!rc || !strstr(err.msg, table[i].words))
            fprintf(stderr, "%s: %d %s\n", table[i].drive, rc, err.msg);
        CHECK(rc == -EINVAL || rc == -ENOTSUP);
        CHECK(strstr(err.msg, table[i].words) && strstr(err.msg, "-drive d"));
        block_want_free(&w);
    }
}

TEST(block_nodes)
{
    struct block_want w;
    struct line *l =
        parse(QT "|-blockdev|driver=file,node-name=f,filename=/x.q"
                 "|-blockdev|{\"driver\":\"qcow2\",\"node-name\":\"q\",\"file\":\"f\","
                 "\"read-only\":true,\"discard\":\"unmap\",\"backing\":null}"
                 "|-blockdev|throttle,node-name=t,file=q,limits.iops-total=7"
                 "|-blockdev|raw,node-name=n,file.driver=file,file.filename=/n"
                 "|-device|ide-hd,drive=t,id=disk,unit=1|-device|ide-cd,drive=n|-device|ide-cd");
    const struct drive_arg *d = l->a.drives;

    CHECK(l->rc == 0 && l->a.nnodes == 4 && l->a.ndrives == 3);
    CHECK(is(d[0].id, "disk") && is(d[0].node, "t") && d[0].unit == 3 && !d[0].cdrom);
    CHECK(d[1].unit == 2 && d[1].cdrom && d[1].readonly && is(d[1].id, "n"));
    CHECK(d[2].unit == 0 && !d[2].node && d[2].cdrom);
    CHECK(block_want_drive(&w, &l->a, &d[0], &l->err) == 0);
    CHECK(is(w.o.file, "/x.q") && is(w.o.format, "qcow2") && w.o.readonly && w.o.discard);
    CHECK(is(w.o.backing, "") && w.o.throttle.iops[BLOCK_LIMIT_TOTAL].avg == 7);
    block_want_free(&w);
    CHECK(block_want_drive(&w, &l->a, &d[1], &l->err) == 0);
    CHECK(is(w.o.file, "/n") && is(w.o.format, "raw") && w.o.readonly && !w.o.backing);
    block_want_free(&w);
    done(l);
}

TEST(cards_and_ports)
{
    struct line *l = parse(
        QT "|-device|VGA,addr=5|-device|e1000,addr=0x3,bootindex=1,id=n,romfile=|"
           "-device|rtl8139,bootindex=0|-drive|if=none,id=d|-device|ide-cd,drive=d,bootindex=2|"
           "-chardev|ringbuf,id=r,size=4k|-device|isa-serial,chardev=r,index=1|"
           "-chardev|null,id=s|-device|isa-debugcon,chardev=s,iobase=0x402|"
           "-chardev|file,id=p,path=/p|-device|isa-parallel,chardev=p,iobase=0x378,irq=7|"
           "-global|e1000.x=1|-set|device.n.rombar=0");

    CHECK(l->rc == 0 && l->a.nnics == 2 && l->a.ndevices == 1);
    CHECK(is(config_str(&l->a.nics[0].cfg, "addr", ""), "0x3"));
    CHECK(is(config_str(&l->a.nics[0].cfg, "rombar", ""), "0"));
    CHECK(is(config_str(&l->a.nics[0].cfg, "romfile", "-"), ""));
    CHECK(is(l->a.bootorder, "/pci@i0cf8/ethernet@2/ethernet-phy@0\n"
                             "/pci@i0cf8/ethernet@3/ethernet-phy@0\n"
                             "/pci@i0cf8/ide@1,1/drive@1/disk@0"));
    CHECK(l->a.nserials == 2 && is(l->a.serials[0], "none") && is(l->a.serials[1], "mem:"));
    CHECK(is(l->a.debugcon, "null") && l->a.debugcon_port == 0x402);
    CHECK(is(l->a.parallel, "file:/p") && l->a.chardevs[0].size == 4096);
    done(l);
    l = parse(QT "|-chardev|null,id=s|-device|isa-serial,chardev=s,iobase=0x3e8,irq=4|"
                 "-chardev|null,id=t|-device|isa-debugcon,chardev=t");
    CHECK(l->rc == 0 && l->a.nserials == 3 && is(l->a.serials[2], "null"));
    CHECK(l->a.debugcon_port == 0xe9);
    done(l);
}

TEST(control_sockets)
{
    struct line *l = parse(QT "|-chardev|socket,path=/q,id=char0|-mon|chardev=char0,mode=control|"
                              "-qmp|tcp:127.0.0.1:44,server=on,wait=off|-qmp-pretty|unix:/p,server|"
                              "-chardev|socket,id=z,host=::1,port=5,reconnect=3|-serial|chardev:z");
    const struct chardev_arg *c = l->a.chardevs;

    CHECK(l->rc == 0 && l->a.nchardevs == 4);
    CHECK(c[0].monitor && !c[0].server && !c[0].wait && is(c[0].path, "/q"));
    CHECK(c[1].monitor && c[1].server && !c[1].wait && is(c[1].host, "127.0.0.1"));
    CHECK(c[1].port == 44 && !c[1].pretty && !c[1].path);
    CHECK(c[2].monitor && c[2].pretty && c[2].server && c[2].wait && is(c[2].path, "/p"));
    CHECK(c[3].reconnect == 3 && !c[3].monitor && is(l->a.serials[0], "tcp:::1:5"));
    done(l);
}

TEST(cables)
{
    struct line *l =
        parse(QT "|-netdev|socket,id=s,fd=7|-device|e1000,netdev=s|"
                 "-netdev|dgram,id=d,local.type=inet,local.host=127.0.0.1,local.port=1|"
                 "-device|rtl8139,netdev=d|-nic|tap,ifname=t0,model=rtl8139,script=no|"
                 "-netdev|{\"type\":\"stream\",\"id\":\"j\",\"server\":true,"
                 "\"addr\":{\"type\":\"unix\",\"path\":\"/s\"}}|-device|e1000,netdev=j");

    CHECK(l->rc == 0 && l->a.nnetdevs == 4 && l->a.nnics == 4);
    CHECK(is(l->a.netdevs[0].type, "socket") && l->a.netdevs[0].used);
    CHECK(is(config_str(&l->a.netdevs[1].cfg, "local.port", ""), "1"));
    CHECK(is(l->a.nics[2].ifname, "t0") && is(l->a.nics[2].model, "rtl8139"));
    CHECK(is(config_str(&l->a.netdevs[3].cfg, "addr.path", ""), "/s"));
    CHECK(is(config_str(&l->a.netdevs[3].cfg, "server", ""), "on"));
    done(l);
}

TEST(flash_is_firmware)
{
    struct line *l = parse(QT "|-drive|if=pflash,file=/b,readonly=on,format=raw|-drive|"
                              "if=pflash,file=/v,unit=1");

    CHECK(l->rc == 0 && !l->a.bios && is(l->a.drives[0].id, "pflash0"));
    CHECK(l->a.drives[0].unit == -1 && l->a.drives[0].readonly && l->a.drives[0].index == 0);
    CHECK(is(l->a.drives[1].id, "pflash1") && !l->a.drives[1].readonly);
    CHECK(l->a.drives[1].iface == DRIVE_PFLASH && l->a.drives[1].index == 1);
    done(l);
}

/* A file of that text, whose name goes into the line. */
static struct line *with_config(const char *text, char *path)
{
    char all[256];
    int fd;

    snprintf(path, 64, "/tmp/portico-config-XXXXXX");
    fd = mkstemp(path);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    snprintf(all, sizeof(all), "%s|-readconfig|%s|-name|after", QT, path);
    return parse(all);
}

TEST(options_from_a_file)
{
    char path[64];
    struct line *l = with_config("# what QEMU's -writeconfig wrote\n"
                                 "[memory]\n  size = \"200\"\n\n"
                                 "[drive \"d0\"]\n\tfile = \"/a,b\"\n  if=\"none\"\n"
                                 "[device]\n  driver = \"ide-hd\"\n  drive = \"d0\"\n"
                                 "[device \"n1\"]\r\n  driver = \"e1000\"\r\n"
                                 "[global]\n  driver = \"e1000\"\n  property = \"romfile\"\n"
                                 "  value = \"/r\"\n"
                                 "[object \"g\"]\n  x-iops-total = \"7\"\n"
                                 "  qom-type = \"throttle-group\"\n"
                                 "[machine]\n  type = \"pc\"\n  hpet = \"off\"\n"
                                 "[name]\n  guest = \"before\"",
                                 path);

    if (l->rc)
        fprintf(stderr, "said: %s\n", l->err.msg);
    CHECK(l->rc == 0 && l->a.ram == 200u << 20 && l->a.ram_said && !l->a.hpet);
    CHECK(l->a.ndrives == 1 && is(l->a.drives[0].file, "/a,b") && l->a.drives[0].unit == 2);
    CHECK(l->a.nnics == 1 && is(l->a.nics[0].id, "n1"));
    CHECK(is(config_str(&l->a.nics[0].cfg, "romfile", ""), "/r"));
    CHECK(l->a.ngroups == 1 && is(l->a.groups[0].name, "g"));
    CHECK(is(l->a.name, "after")); /* it counts where it stands */
    done(l);
    unlink(path);
}

TEST(a_file_of_options_without_end)
{
    struct line *l = parse(QT "|-readconfig|/dev/zero");

    CHECK(l->rc == -EINVAL && strstr(l->err.msg, "/dev/zero:65537: the file is too long"));
    done(l);
    l = parse(QT "|-readconfig|/no/such/file");
    CHECK(l->rc == -EINVAL && strstr(l->err.msg, "-readconfig /no/such/file: No such file"));
    done(l);
}

TEST(bad_files_of_options)
{
    static const struct {
        const char *text, *says;
    } bad[] = {
        { "size = \"1\"\n", ":1: no group defined" },
        { "[memory]\n\nsize = 200\n", ":3: parse error" },
        { "[memory]\nsize \"200\"\n", ":2: parse error" },
        { "[memory]\nsize = \"200\n", ":2: parse error" },
        { "[memory\n", ":1: parse error" },
        { "[drive \"x]\n", ":1: parse error" },
        { "[drive \"x\"] y\n", ":1: parse error" },
        { "\n[nonsense]\n", ":2: There is no option group 'nonsense'" },
        { "[memory]\nsize=\"200\"\ncolour=\"red\"\n", "-m: unknown key 'colour'" },
        { "[global]\ndriver=\"e1000\"\n", "[global] has driver, property and value" },
        { "[drive \"d\"]\nif=\"scsi\"\n[memory]\n", ":3: -drive if=scsi: not supported" },
    };
    char path[64];

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct line *l = with_config(bad[i].text, path);

        if (!strstr(l->err.msg, bad[i].says))
            fprintf(stderr, "%u said: %s\n", i, l->err.msg);
        CHECK(l->rc == -EINVAL || l->rc == -ENOTSUP);
        CHECK(strstr(l->err.msg, bad[i].says) != NULL);
        done(l);
        unlink(path);
    }
}

TEST(the_machine_names_its_flashes)
{
    struct line *l = parse(QT "|-machine|pc,pflash0=code,pflash1=vars|-blockdev|"
                              "driver=file,node-name=code,filename=/c,read-only=on|-drive|"
                              "if=none,id=vars,file=/v");

    CHECK(l->rc == 0 && l->a.ndrives == 2);
    for (unsigned i = 0; i < 2; i++) {
        const struct drive_arg *d = &l->a.drives[i];

        CHECK(d->iface == DRIVE_PFLASH);
        CHECK(d->index == 0 ? is(d->node, "code") : is(d->id, "vars") && !d->node);
    }
    done(l);
}

/* One line each, that holds these words. */
static const struct {
    const char *text, *words;
} malformed[] = {
    { "-boot|reboot-timeout=65536",
      "reboot-timeout is invalid,it should be a value between -1 and 65535" },
    { "-boot|reboot-timeout=-2", "reboot-timeout is invalid" },
    { "-boot|splash-time=-1", "splash-time is invalid,it should be a value between 0 and 65535" },
    { "-boot|splash-time=x", "splash-time is invalid" },
    { "-boot|menu=maybe", "menu=maybe: say on or off" },
    { "-rtc|base=2022-02-30", "base=2022-02-30: invalid datetime" },
    { "-rtc|base=yesterday", "invalid datetime" },
    { "-rtc|clock=sun", "clock=sun: unknown; use one of host, rt, vm" },
    { "-rtc|colour=red", "unknown key 'colour'" },
    { "-smp|4,sockets=3", "Invalid CPU topology" },
    { "-action|reboot=never", "reboot=never: unknown" },
    { "-bios|", "the file name is empty" },
    { "-name|x,colour=red", "-name: unknown key 'colour'" },
    { "-drive|if=pflash", "file= is missing" },
    { "-drive|if=pflash,unit=1,file=/f", "pflash1 requires pflash0" },
    { "-drive|if=pflash,file=/f|-drive|if=pflash,file=/g|-drive|if=pflash,file=/h",
      "a PC has 2 flash chips" },
    { "-drive|if=pflash,file=/f,media=cdrom", "a flash is no CD" },
    { "-drive|if=pflash,file=/f|-drive|if=none,id=x,file=/g|-machine|pflash0=x",
      "there is a -drive if=pflash there" },
    { "-machine|pflash0=nobody", "Can't find value 'nobody'" },
    { "-drive|if=ide,id=x,file=/g|-machine|pflash0=x", "in use already" },
    { "-drive|file=/x,werror=maybe", "werror=maybe: unknown" },
    { "-drive|file=/x,rerror=enospc", "rerror=enospc: unknown" },
    { "-drive|file=/x,cyls=4", "give all three" },
    { "-drive|file=/x,cyls=4,heads=17,secs=63", "heads=17: not a number" },
    { "-drive|file=/x,trans=french", "trans=french: unknown" },
    { "-blockdev|driver=file,filename=/x", "'node-name' must be specified" },
    { "-blockdev|driver=file,node-name=f", "Parameter 'filename' is missing" },
    { "-blockdev|driver=raw,node-name=r,file=g", "node-name='g'" },
    { "-blockdev|driver=raw,node-name=r", "A block device must be specified for \"file\"" },
    { "-blockdev|node-name=r", "Parameter 'driver' is missing" },
    { "-blockdev|driver=copy-on-read,node-name=r,file=x", "driver=copy-on-read: not supported" },
    { "-blockdev|driver=warp,node-name=r", "Unknown driver 'warp'" },
    { "-blockdev|driver=file,node-name=1r,filename=/x", "Invalid node-name: '1r'" },
    { "-blockdev|driver=file,node-name=r,filename=/x,colour=red", "unknown key 'colour'" },
    { "-blockdev|null-co,node-name=r|-blockdev|null-co,node-name=r", "Duplicate nodes" },
    { "-blockdev|{\"driver\":[", "not JSON" },
    { "-blockdev|null-co,node-name=r|-device|ide-hd,drive=r|-device|ide-hd,drive=r",
      "plugged in already" },
    { "-device|ide-hd,drive=nope", "there is no -drive of that id" },
    { "-drive|if=none,id=x|-device|ide-hd,drive=x,colour=red", "unknown key 'colour'" },
    { "-drive|if=none,id=x|-device|ide-hd,drive=x,logical_block_size=4096", "must be 512" },
    { "-drive|if=none,id=x|-device|ide-hd,drive=x,bootindex=-2", "bootindex=-2: not a number" },
    { "-device|ide-cd,bootindex=1|-device|ide-cd,bootindex=1",
      "bootindex 1 has already been used" },
    { "-device|VGA,id=a|-device|e1000,id=a", "Duplicate device ID 'a'" },
    { "-device|VGA,colour=red", "unknown key 'colour'" },
    { "-device|VGA,bus=pci.7", "Bus 'pci.7' not found" },
    { "-device|e1000,colour=red", "unknown key 'colour'" },
    { "-device|isa-serial", "chardev= is missing" },
    { "-device|isa-serial,chardev=x,iobase=0x1", "only the four COM ports" },
    { "-serial|null|-chardev|null,id=x|-device|isa-serial,chardev=x,index=0", "COM1 is taken" },
    { "-device|isa-debugcon,chardev=x,readback=1", "firmware looks for 0xe9" },
    { "-device|isa-debugcon,chardev=x", "there is no -chardev" },
    { "-device|pvpanic", "pvpanic: not supported" },
    { "-device|floop,x=1", "'floop' is not a valid device model name" },
    { "-device|floop,help", "'floop' is not a valid device model name" },
    { "-object|memory-backend-file,id=m,size=1M", "-object memory-backend-file: not supported" },
    { "-netdev|socket,id=s,colour=red", "unknown key 'colour'" },
    { "-netdev|hubport,id=h,hubid=0", "hubport,id=h,hubid=0: not supported" },
    { "-nic|vde", "-nic vde: not supported" },
    { "-nic|tap,ifname=t,model=ne2k_isa", "model=ne2k_isa: not supported" },
    { "-chardev|ringbuf,id=r,size=5", "must be a power of two" },
    { "-chardev|socket,id=r,path=/x,server=on,reconnect=1", "incompatible" },
    { "-chardev|null,id=c|-mon|chardev=c,mode=control", "-mon chardev=c: not supported" },
    { "-machine|microvm", "-machine microvm: not supported" },
};

TEST(a_list_may_be_given_in_pieces)
{
    struct line *l = parse(QT "|-nic|user,model=rtl8139,hostfwd=tcp::1-:2,tftp=/a,b,"
                              "hostfwd=udp:127.0.0.1:3-10.0.2.9:4,mac=00:16:3e:00:00:09");
    const struct config *cfg = &l->a.netdevs[0].cfg;

    CHECK(!l->rc && l->a.nnics == 1 && l->a.nnetdevs == 1);
    CHECK(is(config_str(cfg, "hostfwd.0.str", ""), "tcp::1-:2"));
    CHECK(is(config_str(cfg, "hostfwd.1.str", ""), "udp:127.0.0.1:3-10.0.2.9:4"));
    CHECK(is(config_str(cfg, "tftp", ""), "/a,b") && is(config_str(cfg, "type", ""), "user"));
    CHECK(l->a.nics[0].mac[5] == 9 && is(l->a.nics[0].model, "rtl8139"));
    done(l);
    l = parse(QT "|-netdev|{\"type\":\"user\",\"id\":\"n\",\"hostfwd\":[{\"str\":\"tcp::1-:2\"}]}|"
                 "-device|e1000,netdev=n");
    CHECK(!l->rc && is(config_str(&l->a.netdevs[0].cfg, "hostfwd.0.str", ""), "tcp::1-:2"));
    done(l);
}

TEST(filters_are_noted_in_order)
{
    struct line *l =
        parse(QT "|-object|filter-dump,id=d,netdev=n,file=/tmp/a,b.pcap,maxlen=96|"
                 "-netdev|null,id=n|-device|e1000,netdev=n|"
                 "-object|{\"qom-type\":\"filter-mac\",\"id\":\"m\",\"netdev\":\"n\"}");

    CHECK(!l->rc && l->a.nobjects == 2);
    CHECK(is(config_str(&l->a.objects[0], "qom-type", ""), "filter-dump"));
    CHECK(is(config_str(&l->a.objects[0], "file", ""), "/tmp/a,b.pcap"));
    CHECK(is(config_str(&l->a.objects[1], "id", ""), "m"));
    done(l);
}

TEST(broken_lines)
{
    for (unsigned i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        char text[512];
        struct line *l;

        snprintf(text, sizeof(text), QT "|%s", malformed[i].text);
        l = parse(text);
        if (!l->rc || !strstr(l->err.msg, malformed[i].words))
            fprintf(stderr, "%s: %d %s\n", text, l->rc, l->err.msg);
        CHECK(l->rc == -EINVAL || l->rc == -ENOTSUP);
        CHECK(strstr(l->err.msg, malformed[i].words) && !strchr(l->err.msg, '\n'));
        done(l);
    }
}

TEST(lists_are_printed)
{
    static const struct {
        const char *text, *words;
    } table[] = {
        { "-machine|help", "\npc " },           { "-M|?", "xenfv" },
        { "-device|help", "name \"e1000\"" },   { "-device|ide-hd,help", "  bootindex=" },
        { "-device|VGA,help", "  vgamem_mb=" }, { "-accel|help", "qtest" },
        { "-chardev|help", "socket" },
    };

    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char text[128];
        struct line *l;

        snprintf(text, sizeof(text), "dm|%s|-nonsense", table[i].text);
        l = parse(text);
        CHECK(l->rc == 0 && l->a.print && strstr(l->a.print, table[i].words));
        done(l);
    }
}

static int add_json(struct vm_args *a,
                    int (*add)(struct vm_args *, const struct config *, struct err *),
                    const char *json, struct err *err)
{
    struct config cfg = { 0 };
    int rc = keyval_parse(&cfg, "blockdev-add", json, NULL, NULL, err);

    if (!rc)
        rc = add(a, &cfg, err);
    config_free(&cfg);
    return rc;
}

static int add_device(struct vm_args *a, const char *text, struct args_added *what, struct err *err)
{
    struct config cfg = { 0 };
    int rc = keyval_parse(&cfg, "device_add", text, "driver", NULL, err);

    if (!rc)
        rc = args_add_device(a, &cfg, what, err);
    config_free(&cfg);
    return rc;
}

TEST(while_the_guest_runs)
{
    struct line *l = parse(QT "|-device|VGA");
    struct args_added what;
    struct err err = { "" };

    CHECK(add_json(&l->a, args_add_node, "{\"driver\":\"null-co\",\"node-name\":\"n\"}", &err) ==
          0);
    CHECK(add_json(&l->a, args_add_netdev, "{\"type\":\"socket\",\"id\":\"s\",\"fd\":\"3\"}",
                   &err) == 0);
    CHECK(add_device(&l->a, "e1000,netdev=s,id=x,addr=7", &what, &err) == 0);
    CHECK(what.kind == ARGS_NIC && what.index == 0 && is(l->a.nics[0].id, "x"));
    CHECK(add_device(&l->a, "ide-hd,drive=n,id=y,bus=ide.1", &what, &err) == 0);
    CHECK(what.kind == ARGS_DRIVE && what.index == 0 && l->a.drives[0].unit == 2);
    CHECK(add_device(&l->a, "VGA,id=v", &what, &err) == 0);
    CHECK(what.kind == ARGS_CARD && what.index == 1);
    /* What fails leaves nothing behind. */
    CHECK(add_device(&l->a, "e1000,netdev=none", &what, &err) == -EINVAL && l->a.nnics == 1);
    CHECK(add_device(&l->a, "ide-hd,drive=n,bus=ide.1", &what, &err) == -EINVAL);
    CHECK(add_device(&l->a, "ide-cd,bus=ide.1,unit=0", &what, &err) == -EINVAL);
    CHECK(l->a.ndrives == 1 && l->a.ndevices == 2);
    done(l);
}

TEST(sound)
{
    struct line *l =
        parse("dm|-audiodev|wav,id=w,path=/tmp/a,b.wav,out.frequency=48000,"
              "in.voices=0,timer-period=5000|-device|ac97,audiodev=w,id=s|"
              "-audiodev|{\"driver\":\"none\",\"id\":\"n\",\"out\":{\"frequency\":"
              "8000}}|-audio|none,model=es1370|-soundhw|ac97,sb16|-global|AC97.addr=9");

    if (l->rc)
        fprintf(stderr, "%s\n", l->err.msg);
    CHECK(l->rc == 0 && l->a.naudiodevs == 3 && l->a.ndevices == 4);
    CHECK(is(l->a.audiodevs[0].id, "w"));
    CHECK(is(config_str(&l->a.audiodevs[0].cfg, "path", ""), "/tmp/a,b.wav"));
    CHECK(is(config_str(&l->a.audiodevs[0].cfg, "out.frequency", ""), "48000"));
    CHECK(is(config_str(&l->a.audiodevs[1].cfg, "out.frequency", ""), "8000"));
    CHECK(is(l->a.devices[0].driver, "AC97") && is(l->a.devices[1].driver, "ES1370"));
    CHECK(is(config_str(&l->a.devices[0].cfg, "audiodev", ""), "w"));
    CHECK(is(config_str(&l->a.devices[1].cfg, "audiodev", ""), l->a.audiodevs[2].id));
    CHECK(!config_str(&l->a.devices[2].cfg, "audiodev", NULL));
    CHECK(is(config_str(&l->a.devices[2].cfg, "addr", ""), "9"));
    CHECK(is(l->a.devices[3].driver, "sb16"));
    done(l);
    l = parse("dm|-audio|model=help");
    CHECK(l->rc == 0 && strstr(l->a.print, "ac97"));
    done(l);
    l = parse("dm|-soundhw|?");
    CHECK(l->rc == 0 && strstr(l->a.print, "ac97        Intel 82801AA AC97 Audio"));
    done(l);
    l = parse("dm|-audiodev|help");
    CHECK(l->rc == 0 && strstr(l->a.print, "wav\nsdl"));
    done(l);
}
