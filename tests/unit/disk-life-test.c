/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disks of a whole portico-dm in the qtest world, with its control protocol:
 * errors that stop the guest and `cont` that tries again, and who may have an
 * image when.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "tests/unit/qt.h"
#include "tests/unit/qtest-rig.h"

#define SECTOR 7

struct world { /* a device model, its image and its control socket */
    struct rig *r;
    char dir[40], image[64], rules[64], socket[64];
    int qmp;
    char text[65536]; /* all that came from the control socket */
    size_t len, seen; /* looked at up to here */
};

static void put_file(const char *path, const char *text, off_t size)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    CHECK(!size || ftruncate(fd, size) == 0);
    close(fd);
}

static void say(struct world *w, const char *text)
{
    CHECK(write(w->qmp, text, strlen(text)) == (ssize_t)strlen(text));
}

/* The next place where `text` stands in what came; waits for it. */
static bool await(struct world *w, const char *text)
{
    struct pollfd p = { .fd = w->qmp, .events = POLLIN };
    const char *at;
    ssize_t n;

    while (!(at = strstr(w->text + w->seen, text))) {
        if (w->len == sizeof(w->text) - 1 || poll(&p, 1, 30000) != 1)
            break;
        n = read(w->qmp, w->text + w->len, sizeof(w->text) - 1 - w->len);
        if (n <= 0)
            break;
        w->len += (size_t)n;
    }
    if (at)
        w->seen = (size_t)(at - w->text) + strlen(text);
    else
        fprintf(stderr, "no \"%s\" in: %s\n", text, w->text + w->seen);
    return at != NULL;
}

static void connect_to(struct world *w)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", w->socket);
    w->qmp = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(connect(w->qmp, (struct sockaddr *)&a, sizeof(a)) == 0);
    CHECK(await(w, "\"QMP\""));
    say(w, "{\"execute\":\"qmp_capabilities\"}\n");
    CHECK(await(w, "\"return\""));
}

static void make_files(struct world *w, const char *rules)
{
    memset(w, 0, sizeof(*w));
    strcpy(w->dir, "/tmp/portico-disk-XXXXXX");
    CHECK(mkdtemp(w->dir) != NULL);
    snprintf(w->image, sizeof(w->image), "%s/d.img", w->dir);
    snprintf(w->rules, sizeof(w->rules), "%s/rules", w->dir);
    snprintf(w->socket, sizeof(w->socket), "%s/qmp", w->dir);
    put_file(w->image, "", 1 << 20);
    put_file(w->rules, rules, 0);
}

/* drive: the rest of -drive behind "file=IMAGE,if=ide,index=0,format=raw" */
static void begin(struct world *w, const char *rules, const char *drive)
{
    char options[512];

    make_files(w, rules);
    snprintf(options, sizeof(options),
             "-m 16 -qmp unix:%s,server=on,wait=off "
             "-drive file=blkdebug:%s:%s,if=ide,index=0,format=raw%s",
             w->socket, w->rules, w->image, drive);
    w->r = rig_new(options);
    CHECK(is(ask(w->r, "endianness"), "OK little"));
    connect_to(w);
}

static void end(struct world *w)
{
    close(w->qmp);
    rig_free(w->r);
    unlink(w->image);
    unlink(w->rules);
    unlink(w->socket);
    CHECK(rmdir(w->dir) == 0);
}

/* ---- a driver: PIO on the primary master ---- */

static unsigned port_in(struct world *w, unsigned port)
{
    const char *answer = ask(w->r, "inb 0x%x", port);

    return (unsigned)strtoul(answer + 3, NULL, 16);
}

static void port_out(struct world *w, unsigned port, unsigned val)
{
    CHECK(is(ask(w->r, "outb 0x%x 0x%x", port, val), "OK"));
}

/* The status once BSY is clear; 0x80 when it stays for half a minute. */
static unsigned status_at_rest(struct world *w)
{
    unsigned st = 0x80;

    for (int i = 0; i < 3000 && (st & 0x80); i++) {
        st = port_in(w, 0x3f6);
        if (st & 0x80)
            usleep(10000);
    }
    return st;
}

static void write_sector(struct world *w)
{
    port_out(w, 0x1f6, 0xe0);
    port_out(w, 0x1f2, 1);
    port_out(w, 0x1f3, SECTOR);
    port_out(w, 0x1f4, 0);
    port_out(w, 0x1f5, 0);
    port_out(w, 0x1f7, 0x30); /* WRITE SECTORS */
    CHECK_EQ(status_at_rest(w) & 0x89, 0x08);
    for (unsigned i = 0; i < 128; i++)
        CHECK(is(ask(w->r, "outl 0x1f0 0x%x", 0x01010101u * i), "OK"));
}

static bool image_has_it(const struct world *w)
{
    uint8_t got[512];
    int fd = open(w->image, O_RDONLY | O_CLOEXEC);
    bool same = pread(fd, got, sizeof(got), SECTOR * 512) == sizeof(got);

    close(fd);
    for (unsigned i = 0; same && i < sizeof(got); i++)
        same = got[i] == i / 4;
    return same;
}

static void stopped_and_resumed(struct world *w, const char *io_status)
{
    CHECK(await(w, "\"STOP\""));
    CHECK_EQ(port_in(w, 0x3f6) & 0x81, 0x80); /* the guest has not been told */
    say(w, "{\"execute\":\"query-status\"}\n");
    CHECK(await(w, "\"status\": \"io-error\""));
    say(w, "{\"execute\":\"query-block\"}\n");
    CHECK(await(w, io_status));
    say(w, "{\"execute\":\"cont\"}\n");
    CHECK(await(w, "\"RESUME\""));
    CHECK_EQ(status_at_rest(w) & 0x89, 0); /* neither busy nor an error */
    say(w, "{\"execute\":\"query-block\"}\n");
    CHECK(await(w, "\"io-status\": \"ok\""));
    say(w, "{\"execute\":\"query-status\"}\n");
    CHECK(await(w, "\"status\": \"running\""));
}

TEST(no_space_stops_and_cont_tries_again)
{
    struct world w;

    begin(&w, "[inject-error]\nevent = \"write_aio\"\nerrno = \"28\"\nonce = \"on\"\n", "");
    write_sector(&w);
    CHECK(await(&w, "\"BLOCK_IO_ERROR\""));
    CHECK(await(&w, "\"operation\": \"write\", \"action\": \"stop\", \"nospace\": true"));
    stopped_and_resumed(&w, "\"io-status\": \"nospace\"");
    CHECK(image_has_it(&w));
    end(&w);
}

TEST(an_error_that_stays_stops_again)
{
    struct world w;

    begin(&w,
          "[inject-error]\nstate = \"1\"\nevent = \"write_aio\"\nerrno = \"5\"\nonce = \"on\"\n"
          "[set-state]\nstate = \"1\"\nevent = \"write_aio\"\nnew_state = \"2\"\n"
          "[inject-error]\nstate = \"2\"\nevent = \"write_aio\"\nerrno = \"5\"\nonce = \"on\"\n",
          ",werror=stop");
    write_sector(&w);
    CHECK(await(&w, "\"action\": \"stop\", \"nospace\": false"));
    CHECK(await(&w, "\"STOP\""));
    say(&w, "{\"execute\":\"cont\"}\n");
    CHECK(await(&w, "\"action\": \"stop\", \"nospace\": false")); /* told each time */
    stopped_and_resumed(&w, "\"io-status\": \"failed\"");
    CHECK(image_has_it(&w));
    end(&w);
}

TEST(a_flush_that_fails_stops)
{
    struct world w;

    begin(&w,
          "[set-state]\nstate = \"1\"\nevent = \"write_aio\"\nnew_state = \"2\"\n"
          "[inject-error]\nstate = \"2\"\nevent = \"flush_to_disk\"\nerrno = \"5\"\n"
          "once = \"on\"\n",
          ",werror=stop");
    write_sector(&w);
    CHECK_EQ(status_at_rest(&w) & 0x89, 0);
    port_out(&w, 0x1f7, 0xe7); /* FLUSH CACHE */
    CHECK(await(&w, "\"operation\": \"write\", \"action\": \"stop\""));
    stopped_and_resumed(&w, "\"io-status\": \"failed\"");
    end(&w);
}

/* Of errors that the guest is told there is no more than one event a second. */
TEST(a_failing_disk_does_not_flood)
{
    struct timespec from, to;
    struct world w;
    unsigned events = 0;

    begin(&w, "[inject-error]\nevent = \"write_aio\"\nerrno = \"5\"\n", ",werror=report");
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (unsigned i = 0; i < 40; i++) {
        write_sector(&w);
        CHECK_EQ(status_at_rest(&w) & 0x89, 0x01);
    }
    say(&w, "{\"execute\":\"query-name\"}\n");
    CHECK(await(&w, "\"return\""));
    clock_gettime(CLOCK_MONOTONIC, &to);
    for (const char *at = w.text; (at = strstr(at, "\"action\": \"report\"")); at++)
        events++;
    CHECK(events >= 1 && events <= (unsigned)(to.tv_sec - from.tv_sec) + 2 && events < 40);
    end(&w);
}

/* ---- who has the image ---- */

static int ends_with(const char *image, const char *more)
{
    char options[256];
    struct rig *r;
    int status;

    snprintf(options, sizeof(options), "-m 16 -drive file=%s,if=ide,index=0,format=raw%s", image,
             more);
    r = rig_new(options);
    status = strncmp(ask(r, "endianness"), "OK", 2) ? rig_wait(r) : -2; /* -2: it runs */
    rig_free(r);
    return status;
}

TEST(one_image_has_one_writer)
{
    struct world w;

    begin(&w, "", "");
    CHECK_EQ(ends_with(w.image, ""), 1);
    CHECK_EQ(ends_with(w.image, ",snapshot=on"), 1);
    CHECK_EQ(ends_with(w.image, ",file.locking=off"), -2);
    end(&w);
}

/*
 * A floppy drive holds the lock of what it can write. A change to the image that
 * is in it already, or to one that somebody else writes, must not fail of that,
 * nor lose what is in the drive.
 */
TEST(a_medium_is_changed_for_itself)
{
    struct world w;
    char more[160], line[300], other[80];
    struct rig *r;
    unsigned i;

    make_files(&w, "");
    snprintf(other, sizeof(other), "%s/o.img", w.dir);
    put_file(other, "", 1474560);
    put_file(w.image, "", 1474560);
    snprintf(more, sizeof(more), "-m 16 -drive file=%s,if=floppy,format=raw,id=o", other);
    r = rig_new(more);
    CHECK(is(ask(r, "endianness"), "OK little"));
    snprintf(line, sizeof(line),
             "-m 16 -qmp unix:%s,server=on,wait=off -drive file=%s,if=floppy,format=raw,id=fl",
             w.socket, w.image);
    w.r = rig_new(line);
    CHECK(is(ask(w.r, "endianness"), "OK little"));
    connect_to(&w);
    for (i = 0; i < 3; i++) {
        snprintf(line, sizeof(line),
                 "{\"execute\":\"blockdev-change-medium\",\"arguments\":{\"device\":\"fl\","
                 "\"filename\":\"%s\",\"format\":\"raw\"}}\n",
                 i == 1 ? other : w.image);
        say(&w, line);
        CHECK(await(&w, i == 1 ? "is in use" : "\"return\": {}"));
        CHECK_EQ(ends_with(w.image, ""), 1); /* it has its lock again */
    }
    say(&w, "{\"execute\":\"query-block\"}\n");
    CHECK(await(&w, w.image));
    rig_free(r);
    unlink(other);
    end(&w);
}

/* The one that was saved lets go, the one that loads takes over, and there is no way back. */
TEST(a_saved_guest_hands_its_disk_over)
{
    char state[80], line[200], options[300];
    struct world w;
    struct rig *heir;
    int fd;

    begin(&w, "", "");
    snprintf(state, sizeof(state), "%s/state", w.dir);
    say(&w, "{\"execute\":\"stop\"}\n");
    CHECK(await(&w, "\"return\""));
    snprintf(line, sizeof(line),
             "{\"execute\":\"xen-save-devices-state\",\"arguments\":{\"filename\":\"%s\","
             "\"live\":false}}\n",
             state);
    say(&w, line);
    CHECK(await(&w, "\"return\""));
    CHECK_EQ(ends_with(w.image, ""), 1); /* a copy was saved, nobody moves */
    snprintf(line, sizeof(line),
             "{\"execute\":\"xen-save-devices-state\",\"arguments\":{\"filename\":\"%s\","
             "\"live\":true}}\n",
             state);
    say(&w, line);
    CHECK(await(&w, "\"return\""));

    fd = open(state, O_RDONLY);
    CHECK(fd >= 0);
    snprintf(options, sizeof(options),
             "-m 16 -incoming fd:%d -drive file=%s,if=ide,index=0,format=raw", fd, w.image);
    heir = rig_new(options);
    CHECK(is(ask(heir, "endianness"), "OK little"));
    say(&w, "{\"execute\":\"cont\"}\n");
    CHECK(await(&w, "is in use: another process has it open for writing"));
    say(&w, "{\"execute\":\"query-status\"}\n");
    CHECK(await(&w, "\"running\": false"));
    rig_free(heir);
    say(&w, "{\"execute\":\"cont\"}\n"); /* the heir has died: back again */
    CHECK(await(&w, "\"RESUME\""));
    CHECK_EQ(ends_with(w.image, ""), 1);
    close(fd);
    unlink(state);
    end(&w);
}
