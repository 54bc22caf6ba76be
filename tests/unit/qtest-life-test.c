/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a machine in the qtest world: how clients come and go, reset, power off, the end. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "tests/unit/qt.h"
#include "tests/unit/qtest-rig.h"

TEST(signals_end_it_well)
{
    static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

    for (unsigned i = 0; i < 3; i++) {
        struct rig *r = rig_new("-m 16");

        CHECK(is(ask(r, "endianness"), "OK little"));
        kill(r->pid, signals[i]);
        CHECK_EQ(rig_wait(r), 0);
        rig_free(r);
    }
}

/* The ones behind the first met a process without handlers, and it did not end with status 0. */
TEST(many_signals_end_it_well)
{
    for (unsigned i = 0; i < 10; i++) {
        struct rig *r = rig_new("-m 16");

        CHECK(is(ask(r, "endianness"), "OK little"));
        while (rig_lives(r))
            kill(r->pid, SIGTERM);
        CHECK_EQ(rig_wait(r), 0);
        rig_free(r);
    }
}

TEST(it_outlives_its_client)
{
    struct rig *r = rig_new("-m 16");

    CHECK(is(ask(r, "endianness"), "OK little"));
    shutdown(r->fd, SHUT_RDWR);
    usleep(200000);
    CHECK(rig_lives(r));
    kill(r->pid, SIGTERM);
    CHECK_EQ(rig_wait(r), 0);
    rig_free(r);
}

TEST(standard_input_and_output_do)
{
    struct rig *r = rig_start("-qtest stdio -qtest-log none -m 16");

    CHECK(is(ask(r, "endianness"), "OK little"));
    CHECK(is(ask(r, "inb 0x64"), "OK 0x0018"));
    rig_send(r, "clock_step 7\ninb 0x64\n", 22);
    close(r->fd);
    r->fd = dup(r->out);
    CHECK(is(rig_line(r), "OK 7")); /* what was asked before the end is answered */
    CHECK(is(rig_line(r), "OK 0x0018"));
    CHECK(rig_lives(r));
    kill(r->pid, SIGTERM);
    CHECK_EQ(rig_wait(r), 0);
    rig_free(r);
}

TEST(a_file_of_requests_does)
{
    char in[] = "/tmp/portico-qtest-XXXXXX", out[] = "/tmp/portico-qtest-XXXXXX";
    char line[512], got[64] = "";
    int fd = mkstemp(in), ofd = mkstemp(out);
    ssize_t n = 0;

    CHECK(write(fd, "endianness\ninb 0x64\nclock_step 3\n", 33) == 33);
    snprintf(line, sizeof(line),
             "timeout -s TERM 60 " PORTICO_DM " -accel qtest -qtest stdio "
             "-qtest-log none -nodefaults -vga none -m 16 <%s >%s & "
             "pid=$!; for i in $(seq 300); do [ \"$(wc -l <%s)\" = 3 ] && break; sleep 0.1; done; "
             "kill $pid",
             in, out, out);
    CHECK(system(line) == 0);
    n = pread(ofd, got, sizeof(got) - 1, 0);
    CHECK(n > 0 && is(got, "OK little\nOK 0x0018\nOK 3\n"));
    close(fd);
    close(ofd);
    unlink(in);
    unlink(out);
}

static int unix_socket(struct sockaddr_un *a, char *dir)
{
    memset(a, 0, sizeof(*a));
    a->sun_family = AF_UNIX;
    strcpy(dir, "/tmp/portico-qtest-XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
    snprintf(a->sun_path, sizeof(a->sun_path), "%s/s", dir);
    return socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

TEST(it_connects_to_the_client)
{
    struct sockaddr_un a;
    char dir[32], options[256];
    int fd = unix_socket(&a, dir);
    struct rig *r;

    CHECK(bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(fd, 1) == 0);
    snprintf(options, sizeof(options), "-qtest unix:%s -qtest-log none -m 16", a.sun_path);
    r = rig_start(options);
    rig_take_socket(r, accept(fd, NULL, NULL));
    CHECK(is(ask(r, "endianness"), "OK little"));
    rig_free(r);
    close(fd);
    unlink(a.sun_path);
    rmdir(dir);
}

static int reach(const struct sockaddr_un *a)
{
    for (unsigned i = 0; i < 3000; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (!connect(fd, (const struct sockaddr *)a, sizeof(*a)))
            return fd;
        close(fd);
        usleep(10000);
    }
    return -1;
}

TEST(clients_come_one_after_the_other)
{
    struct sockaddr_un a;
    char dir[32], options[256];
    struct rig *r;

    close(unix_socket(&a, dir));
    snprintf(options, sizeof(options), "-qtest unix:%s,server=on,wait=off -qtest-log none -m 16",
             a.sun_path);
    r = rig_start(options);
    for (unsigned i = 0; i < 3; i++) {
        rig_take_socket(r, reach(&a));
        CHECK(is(ask(r, "readb 0x1000"), i ? "OK 0x0000000000000077" : "OK 0x0000000000000000"));
        CHECK(is(ask(r, "writeb 0x1000 0x77"), "OK"));
        rig_send(r, "inb 0x", 6); /* half a request is forgotten */
    }
    kill(r->pid, SIGTERM);
    CHECK_EQ(rig_wait(r), 0);
    CHECK(access(a.sun_path, F_OK) != 0);
    rig_free(r);
    rmdir(dir);
}

TEST(what_cannot_be_opened_is_said)
{
    static const char *const wrong[] = { "unix:", "unix:/nowhere/at/all",  "fd:", "fd:900", "fd:x",
                                         "foo",   "unix:/tmp/x,colour=red" };

    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char options[128];
        struct rig *r;

        snprintf(options, sizeof(options), "-qtest %s -qtest-log none -m 16", wrong[i]);
        r = rig_start(options);
        CHECK_EQ(rig_wait(r), 1);
        rig_free(r);
    }
}

TEST(the_log_says_what_was_said)
{
    char name[] = "/tmp/portico-qtest-XXXXXX", options[128], text[1024] = "";
    const char *at = text;
    int fd = mkstemp(name);
    struct rig *r;

    snprintf(options, sizeof(options), "-qtest fd:%%d -qtest-log %s -m 16", name);
    r = rig_start(options);
    CHECK(is(ask(r, "endianness"), "OK little"));
    CHECK(is(ask(r, "bad"), "FAIL Unknown command 'bad'"));
    kill(r->pid, SIGTERM);
    CHECK_EQ(rig_wait(r), 0);
    CHECK(pread(fd, text, sizeof(text) - 1, 0) > 0);
    for (unsigned i = 0; i < 6; i++) {
        static const char *const lines[] = {
            "OPENED\n", "endianness\n", "OK little\n", "bad\n", "FAIL Unknown command 'bad'\n",
            "CLOSED\n"
        };

        CHECK(at[0] == '[' && at[1] == "IRSRSI"[i]);
        at = strchr(at, ']');
        CHECK(at && !strncmp(at + 2, lines[i], strlen(lines[i])));
        at += 2 + strlen(lines[i]);
    }
    close(fd);
    unlink(name);
    rig_free(r);
}

/* Memory stays, chips do not; what comes behind the reset in one packet finds the chips reset. */
TEST(a_reset_happens_in_place)
{
    struct rig *r = rig_new("-m 16 -serial null");

    CHECK(is(ask(r, "writel 0x1000 0x12345678"), "OK"));
    CHECK(is(ask(r, "outl 0xcf8 0x80000860"), "OK"));
    CHECK(is(ask(r, "outl 0xcfc 0x0a0b0c05"), "OK"));
    CHECK(is(ask(r, "clock_step 5"), "OK 5"));
    rig_send(r, "outb 0xcf9 0x06\noutl 0xcf8 0x80000860\ninl 0xcfc\n", 48);
    CHECK(is(rig_line(r), "OK"));
    CHECK(is(rig_line(r), "OK"));
    CHECK(is(rig_line(r), "OK 0x80808080"));
    CHECK(is(ask(r, "readl 0x1000"), "OK 0x0000000012345678"));
    CHECK(is(ask(r, "clock_step 0"), "OK 5"));
    rig_free(r);
}

TEST(a_stopped_machine_answers)
{
    struct rig *r = rig_new("-m 16 -S");

    CHECK(is(ask(r, "inb 0x64"), "OK 0x0018"));
    CHECK(is(ask(r, "clock_step 5"), "OK 5"));
    rig_free(r);
}

/* PIIX4 power management: S5 is sleep type 0 here. */
TEST(power_off_ends_it)
{
    struct rig *r = rig_new("-m 16");

    CHECK(is(ask(r, "outl 0xcf8 0x80000b40"), "OK"));
    CHECK(is(ask(r, "outl 0xcfc 0xb001"), "OK"));
    CHECK(is(ask(r, "outl 0xcf8 0x80000b80"), "OK"));
    CHECK(is(ask(r, "outb 0xcfc 1"), "OK"));
    CHECK(is(ask(r, "outw 0xb004 0x2000"), "OK"));
    CHECK_EQ(rig_wait(r), 0);
    rig_free(r);
}

static void pm_at_b000(struct rig *r)
{
    CHECK(is(ask(r, "outl 0xcf8 0x80000b40"), "OK"));
    CHECK(is(ask(r, "outl 0xcfc 0xb001"), "OK"));
    CHECK(is(ask(r, "outl 0xcf8 0x80000b80"), "OK"));
    CHECK(is(ask(r, "outb 0xcfc 1"), "OK"));
}

/* S3: memory stays, chips lose all, and who wakes up can see why; an alarm is due each second. */
TEST(an_alarm_ends_sleep)
{
    struct rig *r = rig_new("-m 16");

    pm_at_b000(r);
    CHECK(is(ask(r, "writel 0x1000 0x12345678"), "OK"));
    CHECK(is(ask(r, "outl 0xcf8 0x80000860"), "OK"));
    CHECK(is(ask(r, "outl 0xcfc 0x0a0b0c05"), "OK"));
    for (unsigned i = 1; i <= 5; i += 2) {
        char line[32];

        snprintf(line, sizeof(line), "outw 0x70 0xff%02x", i);
        CHECK(is(ask(r, "%s", line), "OK"));
    }
    CHECK(is(ask(r, "outw 0xb000 0xffff"), "OK"));
    CHECK(is(ask(r, "outw 0xb002 0x0400"), "OK"));
    CHECK(is(ask(r, "outw 0xb004 0x2400"), "OK"));
    CHECK(is(ask(r, "inl 0xcfc"), "OK 0xa0b0c05"));
    CHECK(is(ask(r, "clock_step 1100000000"), "OK 1100000000"));
    CHECK(is(ask(r, "inb 0x64"), "OK 0x0018"));
    CHECK(is(ask(r, "outl 0xcf8 0x80000860"), "OK"));
    CHECK(is(ask(r, "inl 0xcfc"), "OK 0x80808080"));
    pm_at_b000(r);
    CHECK(is(ask(r, "inw 0xb000"), "OK 0x8400"));
    CHECK(is(ask(r, "outb 0x70 0x0f"), "OK"));
    CHECK(is(ask(r, "inb 0x71"), "OK 0x00fe"));
    CHECK(is(ask(r, "readl 0x1000"), "OK 0x0000000012345678"));
    rig_free(r);
}

/* A read by PIO: the disk works in real time while guest time stands. */
TEST(disks_work_while_time_stands)
{
    char name[] = "/tmp/portico-qtest-XXXXXX", options[256];
    int fd = mkstemp(name);
    struct rig *r;

    CHECK(ftruncate(fd, 1 << 20) == 0);
    CHECK(pwrite(fd, "\x34\x12\x78\x56", 4, 512 * 5) == 4);
    snprintf(options, sizeof(options), "-m 16 -drive file=%s,format=raw,if=ide", name);
    r = rig_new(options);
    CHECK(is(ask(r, "irq_intercept_in ioapic"), "OK"));
    rig_send(r, "outb 0x1f6 0xe0\noutb 0x1f2 1\noutb 0x1f3 5\noutb 0x1f4 0\noutb 0x1f5 0\n", 68);
    for (unsigned i = 0; i < 5; i++)
        CHECK(is(rig_line(r), "OK"));
    rig_send(r, "outb 0x1f7 0x20\n", 16);
    for (unsigned oks = 0, irqs = 0; oks + irqs < 2;) { /* in either order */
        const char *line = rig_line(r);

        CHECK(line != NULL);
        if (!line)
            break;
        oks += !strcmp(line, "OK");
        irqs += !strcmp(line, "IRQ raise 14");
    }
    CHECK(is(ask(r, "inb 0x1f7"), "IRQ lower 14|OK 0x0058"));
    CHECK(is(ask(r, "inw 0x1f0"), "OK 0x1234"));
    CHECK(is(ask(r, "inw 0x1f0"), "OK 0x5678"));
    CHECK(is(ask(r, "clock_step 0"), "OK 0"));
    rig_free(r);
    close(fd);
    unlink(name);
}
