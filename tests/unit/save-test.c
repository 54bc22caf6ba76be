/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saving a machine whose cards came and went at run time, and starting another
 * one from that with a command line that has the cards as they were then.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/unit/qt.h"
#include "tests/unit/qtest-rig.h"

struct world {
    struct rig *r;
    char dir[40], socket[64], state[64];
    int qmp;
};

/* Sends a verb and waits for its answer; events go by. */
static bool verb(struct world *w, const char *text, const char *answer)
{
    char line[8192];
    size_t n = 0;

    CHECK(write(w->qmp, text, strlen(text)) == (ssize_t)strlen(text));
    for (;;) {
        struct pollfd p = { .fd = w->qmp, .events = POLLIN };

        if (n == sizeof(line) - 1 || poll(&p, 1, 30000) != 1 || read(w->qmp, line + n, 1) != 1)
            return false;
        if (line[n++] != '\n')
            continue;
        line[n] = 0;
        n = 0;
        if (strstr(line, "\"event\""))
            continue;
        if (!strstr(line, answer))
            fprintf(stderr, "%s\n  gave %s", text, line);
        return strstr(line, answer);
    }
}

static void meet(struct world *w)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    char byte;

    CHECK(is(ask(w->r, "endianness"), "OK little"));
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", w->socket);
    w->qmp = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(w->qmp, (struct sockaddr *)&a, sizeof(a)) == 0);
    while (read(w->qmp, &byte, 1) == 1 && byte != '\n') /* the greeting */
        ;
    CHECK(verb(w, "{\"execute\":\"qmp_capabilities\"}", "\"return\""));
}

static void begin(struct world *w, const char *cards)
{
    char line[512];

    memset(w, 0, sizeof(*w));
    strcpy(w->dir, "/tmp/portico-save-XXXXXX");
    CHECK(mkdtemp(w->dir) != NULL);
    snprintf(w->socket, sizeof(w->socket), "%s/qmp", w->dir);
    snprintf(w->state, sizeof(w->state), "%s/state", w->dir);
    snprintf(line, sizeof(line), "-m 16 -qmp unix:%s,server=on,wait=off %s", w->socket, cards);
    w->r = rig_new(line);
    meet(w);
}

static void stop(struct world *w)
{
    close(w->qmp);
    rig_free(w->r);
}

static void end(struct world *w)
{
    stop(w);
    unlink(w->socket);
    unlink(w->state);
    rmdir(w->dir);
}

static void save(struct world *w)
{
    char line[200];

    snprintf(line, sizeof(line),
             "{\"execute\":\"xen-save-devices-state\",\"arguments\":{\"filename\":\"%s\"}}",
             w->state);
    CHECK(verb(w, "{\"execute\":\"stop\"}", "\"return\""));
    CHECK(verb(w, line, "\"return\""));
}

/* Another process, with these cards, goes on from the state. */
static void heir(struct world *w, const char *cards)
{
    char line[512];
    int fd = open(w->state, O_RDONLY);

    CHECK(fd >= 0);
    stop(w);
    snprintf(line, sizeof(line), "-m 16 -incoming fd:%d -qmp unix:%s,server=on,wait=off %s", fd,
             w->socket, cards);
    w->r = rig_new(line);
    close(fd);
    meet(w);
}

/* With these cards it does not start, and says why in one line. */
static bool refused(struct world *w, const char *cards, const char *why)
{
    char line[600], said[1024];
    size_t n;
    FILE *f;
    int rc;

    snprintf(line, sizeof(line),
             "timeout 20 %s -accel qtest -nodefaults -vga none -display none -m 16 "
             "-incoming fd:5 %s 5<%s 2>&1",
             PORTICO_DM, cards, w->state);
    f = popen(line, "r");
    CHECK(f != NULL);
    n = fread(said, 1, sizeof(said) - 1, f);
    said[n] = 0;
    rc = pclose(f);
    if (!strstr(said, why))
        fprintf(stderr, "%s\n  said: %s", cards, said);
    return WIFEXITED(rc) && WEXITSTATUS(rc) == 1 && strstr(said, why) &&
           strchr(said, '\n') == said + n - 1;
}

static void cfg(struct world *w, unsigned slot, unsigned off)
{
    CHECK(is(ask(w->r, "outl 0xcf8 %#x", 0x80000000u | slot << 11 | off), "OK"));
}

static void add(struct world *w, const char *driver, const char *more)
{
    char line[200];

    snprintf(line, sizeof(line),
             "{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"%s\",\"romfile\":\"\"%s}}",
             driver, more);
    CHECK(verb(w, line, "\"return\""));
}

/* BAR0 of an e1000, or its rtl8139's I/O BAR, tells which card it is. */
static void mark(struct world *w, unsigned slot, unsigned bar)
{
    cfg(w, slot, 0x10);
    CHECK(is(ask(w->r, "outl 0xcfc %#x", bar), "OK"));
}

static bool marked(struct world *w, unsigned slot, unsigned bar)
{
    char want[24];

    cfg(w, slot, 0x10);
    snprintf(want, sizeof(want), "OK 0x%04x", bar);
    return is(ask(w->r, "inl 0xcfc"), want);
}

TEST(cards_that_came)
{
    struct world w;

    begin(&w, "-device e1000,id=n0,romfile=");
    add(&w, "e1000", ",\"id\":\"n1\",\"addr\":\"7\"");
    add(&w, "rtl8139", ""); /* without an id, in the next free slot: 3 */
    mark(&w, 2, 0xfe000000);
    mark(&w, 7, 0xfe100000);
    mark(&w, 3, 0xc101);
    save(&w);
    CHECK(refused(&w, "-device e1000,id=n0",
                  "saved with a device n1 that is not configured; add -device e1000,id=n1,addr=7"));
    CHECK(refused(&w, "-device e1000,id=n0 -device e1000,id=n1 -device rtl8139",
                  "had n1 (e1000) at addr=7, and here it is at addr=3; say -device "
                  "e1000,id=n1,addr=7"));
    CHECK(refused(&w, "-device e1000,id=n0 -device rtl8139,id=n1,addr=7 -device rtl8139,addr=3",
                  "at addr=7 the guest had a e1000 (id=n1), and here is a rtl8139 (id=n1)"));
    CHECK(refused(&w,
                  "-device e1000,id=n0 -device e1000,id=n1,addr=7 -device rtl8139,addr=3 "
                  "-device pcnet,id=more",
                  "more (pcnet) is configured and was not there when the guest was saved; leave "
                  "it out"));
    /* In another order, and the nameless one with a name. */
    heir(&w, "-device rtl8139,id=n2,addr=3,romfile= -device e1000,id=n1,addr=7,romfile= "
             "-device e1000,id=n0,addr=2,romfile=");
    CHECK(marked(&w, 2, 0xfe000000));
    CHECK(marked(&w, 7, 0xfe100000));
    CHECK(marked(&w, 3, 0xc101));
    CHECK(verb(&w, "{\"execute\":\"device_del\",\"arguments\":{\"id\":\"n1\"}}", "\"return\": {}"));
    CHECK(is(ask(w.r, "outl 0xae08 %#x", 1u << 7), "OK")); /* the guest lets go of it */
    cfg(&w, 7, 0);
    CHECK(is(ask(w.r, "inl 0xcfc"), "OK 0xffffffff"));
    end(&w);
}

TEST(cards_that_went)
{
    struct world w;

    begin(&w, "-device e1000,id=a,romfile= -device e1000,romfile= -device e1000,romfile=");
    mark(&w, 3, 0xfe100000);
    mark(&w, 4, 0xfe200000);
    CHECK(verb(&w, "{\"execute\":\"device_del\",\"arguments\":{\"id\":\"a\"}}", "\"return\": {}"));
    CHECK(is(ask(w.r, "outl 0xae08 %#x", 1u << 2), "OK"));
    save(&w);
    /* The ids that were made up are others now, and so would the slots be. */
    CHECK(refused(&w, "-device e1000 -device e1000", "add -device e1000,id=nic2,addr=4"));
    heir(&w, "-device e1000,addr=3,romfile= -device e1000,addr=4,romfile=");
    CHECK(marked(&w, 3, 0xfe100000));
    CHECK(marked(&w, 4, 0xfe200000));
    end(&w);
}

TEST(things_on_the_usb)
{
    struct world w;

    begin(&w, "-usb -device usb-tablet,id=t");
    CHECK(verb(&w,
               "{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"usb-mouse\","
               "\"id\":\"m\"}}",
               "\"return\": {}"));
    CHECK(verb(&w, "{\"execute\":\"device_del\",\"arguments\":{\"id\":\"t\"}}", "\"return\": {}"));
    save(&w);
    CHECK(refused(&w, "-usb -device usb-mouse,id=m",
                  "say -device usb-mouse,id=m,bus=usb-bus.0,port=2"));
    heir(&w, "-usb -device usb-mouse,id=m,port=2");
    CHECK(verb(&w, "{\"execute\":\"device_del\",\"arguments\":{\"id\":\"m\"}}", "\"return\": {}"));
    end(&w);
}

/* Where a record of format 2 begins at p, of something on the board: how long its three strings
 * are. */
static size_t record(const uint8_t *p, const uint8_t *end)
{
    static const char *const ids[] = { "host", "isa", "ide",   "pm",     "pci-host", "port92",
                                       "cmos", "dma", "i8042", "fw_cfg", "hpet",     "fdc" };

    for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        size_t n = strlen(ids[i]);

        if (p + 1 + n < end && p[0] == n && !memcmp(p + 1, ids[i], n)) {
            size_t type = p[1 + n];

            if (type > 2 && type < 32 && p + 3 + n + type <= end && p[2 + n + type] == 0)
                return 3 + n + type;
        }
    }
    return 0;
}

/* A state of the format before, which had neither types nor places. */
TEST(the_old_format_is_read)
{
    struct world w;
    uint8_t *new, *old;
    size_t to = 16, at = 16;
    unsigned n = 0;
    off_t size;
    int fd;

    begin(&w, "");
    cfg(&w, 1, 0x60);
    CHECK(is(ask(w.r, "outl 0xcfc 0x0b0a0905"), "OK"));
    save(&w);
    fd = open(w.state, O_RDWR);
    size = lseek(fd, 0, SEEK_END);
    new = malloc((size_t)size);
    old = malloc((size_t)size);
    CHECK(new &&old &&pread(fd, new, (size_t)size, 0) == size &&new[8] == 2);
    memcpy(old, new, 16);
    old[8] = 1;
    while (at < (size_t)size) {
        size_t strings = record(new + at, new + size);

        if (!strings) {
            old[to++] = new[at++];
            continue;
        }
        memcpy(old + to, new + at, 1 + new[at]);
        to += 1 + new[at];
        at += strings;
        n++;
    }
    CHECK_EQ(n, new[12]);
    CHECK(pwrite(fd, old, to, 0) == (ssize_t)to && ftruncate(fd, (off_t)to) == 0);
    close(fd);
    CHECK(refused(&w, "-device e1000",
                  "devices, configured are")); /* it can only say how many there are */
    heir(&w, "");
    cfg(&w, 1, 0x60);
    CHECK(is(ask(w.r, "inl 0xcfc"), "OK 0xb0a0905"));
    free(old);
    free(new);
    end(&w);
}
