/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command `portico`: what it makes of configuration files, and whether portico-dm takes that.
 */
#include <stdlib.h>
#include <string.h>
#include <glob.h>
#include "cli/dm-line.h"
#include "cli/host.h"
#include "cli/keeper.h"
#include "control/args.h"
#include "tests/unit/qt.h"
#include "tests/unit/random.h"

/* libxlutil keeps a word or two of a file that it cannot read. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libxlutil";
}

#define MIN "name='g'\ntype='hvm'\nmemory=64\n"

struct file {
    struct report r;
    struct conf c;
    struct guest g;
    int rc;
};

static struct file *read_text(const char *text)
{
    struct file *f = calloc(1, sizeof(*f));

    f->r.file = "f";
    f->rc = conf_open_text(&f->c, text, &f->r);
    if (!f->rc)
        f->rc = guest_read(&f->g, &f->c);
    return f;
}

static void done(struct file *f)
{
    guest_free(&f->g);
    conf_close(&f->c);
    report_free(&f->r);
    free(f);
}

static char **line_of(struct file *f)
{
    struct dm_place p = { .dm = "portico-dm", .dir = "/run/a,b", .id = 7, .now = 1000000000 };

    return dm_line(&f->g, &p);
}

/* The argument behind the n-th option of that name; "": there is none. */
static const char *option(char **line, const char *name, unsigned n)
{
    for (; *line; line++) {
        if (!strcmp(*line, name) && n-- == 0)
            return line[1] ? line[1] : "";
    }
    return "";
}

TEST(keys_have_lines)
{
    struct scan s;

    scan_read(&s, "a=1 # b=2\n\nlist = [ 'x',\n  \"b = 3\", # 'no'\n\t[ 'y', 'z' ],\n 'w' ]\n"
                  "c='it''s';d=4\na = 5\nlist += [ 'v' ]\n");
    CHECK_EQ(s.n, 4);
    CHECK_EQ(scan_line(&s, "a", -1), 8);
    CHECK_EQ(scan_find(&s, "a")->before, 1);
    CHECK(!scan_find(&s, "b"));
    CHECK_EQ(scan_find(&s, "list")->nitems, 5);
    CHECK_EQ(scan_line(&s, "list", 0), 3);
    CHECK_EQ(scan_line(&s, "list", 1), 4);
    CHECK_EQ(scan_line(&s, "list", 2), 5);
    CHECK_EQ(scan_line(&s, "list", 3), 6);
    CHECK_EQ(scan_line(&s, "list", 4), 9);
    CHECK_EQ(scan_line(&s, "list", 60), 9);
    CHECK_EQ(scan_line(&s, "d", -1), 7);
    CHECK_EQ(scan_line(&s, "nothing", -1), 0);
    scan_free(&s);
}

TEST(mistakes_come_in_the_order_of_lines)
{
    struct file *f = read_text(MIN "vcpus=0\nboot='x'\npae=0\nusbversion=2\n");

    CHECK_EQ(f->rc, -1);
    CHECK_EQ(f->r.errors, 3);
    CHECK_EQ(f->r.warnings, 1);
    CHECK(strstr(f->r.lines[0], "f:4: vcpus: ") == f->r.lines[0]);
    CHECK(strstr(f->r.lines[1], "f:5: boot: ") == f->r.lines[1]);
    CHECK(strstr(f->r.lines[2], "f:6: warning: pae: ") == f->r.lines[2]);
    CHECK(strstr(f->r.lines[3], "f:7: usbversion: ") == f->r.lines[3]);
    done(f);
}

TEST(disks_of_all_spellings)
{
    struct file *f =
        read_text(MIN "disk=[ 'file: /a b/disk0,hda,w', ' phy:/dev/cdrom , hdc:cdrom , r',\n"
                      "'vdev=xvdb , format=qcow2, access=ro,no-discard,target=/x, y=,z ',\n"
                      "',,hdd,cdrom']\n");
    const struct guest_disk *d = f->g.disks;
    char **line;

    CHECK_EQ(f->rc, 0);
    CHECK_EQ(f->g.ndisks, 4);
    CHECK(!strcmp(d[0].path, "/a b/disk0") && d[0].unit == 0 && !d[0].readonly && !d[0].cdrom);
    CHECK(!strcmp(d[1].path, "/dev/cdrom") && d[1].unit == 2 && d[1].readonly && d[1].cdrom);
    CHECK(!strncmp(d[2].path, "/x, y=,z", 8) && d[2].unit == 1 && d[2].readonly && !d[2].cdrom);
    CHECK(!strcmp(d[2].format, "qcow2") && d[2].no_discard && !strcmp(d[2].vdev, "hdb"));
    CHECK(!d[3].path && d[3].unit == 3 && d[3].cdrom);
    line = line_of(f);
    CHECK(!strcmp(option(line, "-drive", 0), "file=/a b/disk0,if=ide,index=0,id=hda,media=disk,"
                                             "format=raw,cache=writeback,discard=unmap"));
    CHECK(strstr(option(line, "-drive", 2), "file=/x,, y=,,z") == option(line, "-drive", 2));
    CHECK(!strcmp(option(line, "-drive", 3), "if=ide,index=3,id=hdd,media=cdrom,readonly=on"));
    CHECK(!strcmp(option(line, "-qmp", 0), "unix:/run/a,,b/qmp,server=on,wait=off"));
    dm_line_free(line);
    done(f);
}

TEST(cards_of_all_kinds)
{
    struct file *f = read_text(MIN "vif=[ 'type=ioemu, mac=00:16:3E:0A:0b:0c, model=e1000', '', "
                                   "'type=user,rate=1MB/s@20ms', 'vifname=lan', 'type=vif' ]\n");
    struct file *again = read_text(MIN "vif=['','']\n");
    char **line = line_of(f);

    CHECK_EQ(f->rc, 0);
    CHECK_EQ(f->g.nnics, 4);
    CHECK(!strcmp(option(line, "-netdev", 0),
                  "tap,id=net0,ifname=vif7.0-emu,script=no,downscript=no"));
    CHECK(!strcmp(option(line, "-netdev", 2), "user,id=net2"));
    CHECK(
        !strcmp(option(line, "-netdev", 3), "tap,id=net3,ifname=lan-emu,script=no,downscript=no"));
    CHECK(!strcmp(option(line, "-object", 0),
                  "filter-shape,id=rate2,netdev=net2,queue=rx,bps=1000000"));
    CHECK(strstr(option(line, "-device", 1), "e1000,id=nic0,netdev=net0,mac=00:16:3e:0a:0b:0c"));
    /* What is made up is the same each time, differs from card to card, and is of Xen's range. */
    CHECK(!memcmp(f->g.nics[1].mac, again->g.nics[1].mac, 6));
    CHECK(memcmp(again->g.nics[0].mac, again->g.nics[1].mac, 6) != 0);
    CHECK(!memcmp(f->g.nics[1].mac, "\x00\x16\x3e", 3));
    CHECK(!strcmp(f->g.uuid, again->g.uuid));
    CHECK_EQ(strlen(f->g.uuid), 36);
    dm_line_free(line);
    done(f);
    done(again);
}

TEST(a_guest_that_says_little)
{
    struct file *f = read_text(MIN);
    char **line = line_of(f);

    CHECK_EQ(f->rc, 0);
    CHECK(!strcmp(option(line, "-serial", 0), "pty"));
    CHECK(!strcmp(option(line, "-vnc", 0), "127.0.0.1:0,to=99"));
    CHECK(!strcmp(option(line, "-device", 0), "cirrus-vga,vgamem_mb=8"));
    CHECK(!strcmp(option(line, "-boot", 0), "order=cda"));
    CHECK(!strcmp(option(line, "-rtc", 0), "base=utc,driftfix=slew"));
    CHECK(!strcmp(option(line, "-usb", 0), ""));
    dm_line_free(line);
    done(f);
}

TEST(the_clock_is_offset)
{
    struct file *f = read_text(MIN "rtc_timeoffset='-3600'\n");
    char **line = line_of(f);

    CHECK(!strcmp(option(line, "-rtc", 0), "base=2001-09-09T00:46:40,driftfix=slew"));
    dm_line_free(line);
    done(f);
}

/* Every file of tests/cli/good, and portico-dm's own parser on what comes out. */
TEST(portico_dm_takes_what_is_said)
{
    glob_t files;

    CHECK_EQ(glob(CLI_GOOD "/*.cfg", 0, NULL, &files), 0);
    CHECK(files.gl_pathc >= 5);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct file f = { .r = { .file = files.gl_pathv[i] } };
        struct vm_args *a = calloc(1, sizeof(*a));
        struct err err = { "" };
        char **line;
        int n = 0;

        CHECK_EQ(conf_open(&f.c, files.gl_pathv[i], NULL, &f.r), 0);
        CHECK_EQ(guest_read(&f.g, &f.c), 0);
        line = line_of(&f);
        while (line[n])
            n++;
        if (args_parse(a, n, line, &err))
            fprintf(stderr, "%s: %s\n", files.gl_pathv[i], err.msg);
        CHECK_EQ(err.msg[0], 0);
        CHECK_EQ(a->ram, (uint64_t)f.g.memory << 20);
        CHECK_EQ(a->ndrives, f.g.ndisks);
        CHECK_EQ(a->nnics, f.g.nnics);
        args_free(a);
        free(a);
        dm_line_free(line);
        guest_free(&f.g);
        conf_close(&f.c);
        report_free(&f.r);
    }
    globfree(&files);
}

static const struct {
    const char *reason;
    int status;
    bool reboot, destroy;
    enum keeper_end end;
} ends[] = {
    { "guest-shutdown", 0, false, false, END_POWEROFF },
    { "guest-shutdown", 0, true, false, END_REBOOT },
    { "guest-shutdown", 0, true, true, END_ASKED },
    { "guest-reset", 0, false, false, END_REBOOT },
    { "host-qmp-quit", 0, false, false, END_ASKED },
    { "host-ui", 0, false, false, END_ASKED },
    { NULL, 0, false, false, END_ASKED }, /* by a signal, in order */
    { NULL, 9, false, false, END_CRASH },
    { NULL, 9, false, true, END_ASKED },
    { NULL, 256, false, false, END_CRASH },
};

TEST(the_end_has_a_meaning)
{
    for (unsigned i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        CHECK_EQ(keeper_end(ends[i].reason, ends[i].status, ends[i].reboot, ends[i].destroy),
                 ends[i].end);
}

TEST(cpus_with_and_without_virtualization)
{
    CHECK(host_flags_have_virt("processor\t: 0\nflags\t\t: fpu vmx sse\n"));
    CHECK(host_flags_have_virt("flags\t\t: fpu svm\nbugs: x\n"));
    CHECK(!host_flags_have_virt("flags\t\t: fpu svm_lock vmxx\n"));
    CHECK(!host_flags_have_virt("model name: vmx\nvmx flags\t: vnmi svm\nflags : fpu\n"));
    CHECK(!host_flags_have_virt(""));
}

/* Damaged files give messages, or a guest; never anything else. */
TEST(damage_is_survived)
{
    uint64_t seed = 7;
    glob_t files;

    CHECK_EQ(glob(CLI_GOOD "/*.cfg", 0, NULL, &files), 0);
    for (unsigned round = 0; round < 300; round++) {
        char text[8192];
        FILE *in = fopen(files.gl_pathv[round % files.gl_pathc], "r");
        size_t n = fread(text, 1, sizeof(text) - 1, in);
        struct file *f;

        fclose(in);
        for (unsigned k = 0; k < 1 + round % 6; k++) {
            static const char bytes[] = "'\"[],=\n#;:\\ 0xA+-\x80";

            text[rnd_below(&seed, (unsigned)n)] = bytes[rnd_below(&seed, sizeof(bytes) - 1)];
        }
        text[round % 3 ? n : rnd_below(&seed, (unsigned)n)] = 0;
        f = read_text(text);
        CHECK_EQ(f->rc != 0, f->r.errors != 0);
        if (!f->rc)
            dm_line_free(line_of(f));
        done(f);
    }
    globfree(&files);
}
