/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The places a port's bytes can go to: each spelling, what can go wrong with it, and at its end. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>
#include "hw/core/sink.h"
#include "tests/unit/qt.h"

static int open_spec(struct qt *t, struct sink *s, const char *spec, struct err *err)
{
    struct config cfg = { 0 };
    int rc;

    config_set(&cfg, "port", spec);
    rc = sink_open(s, t->plat.loop, &cfg, "port", err);
    config_free(&cfg);
    return rc;
}

static void put_str(struct sink *s, const char *str)
{
    while (*str)
        sink_put(s, *str++);
}

#define TURNS 6000 /* of the loop, a few ms each: patience for a busy machine */

static bool got_from(struct qt *t, struct sink *s, const char *want)
{
    char got[64] = "";
    size_t n = 0;

    for (int i = 0; i < TURNS && n < strlen(want); i++) {
        int c;

        loop_step(t);
        while (n + 1 < sizeof(got) && (c = sink_get(s)) >= 0)
            got[n++] = (char)c;
    }
    return !strcmp(got, want);
}

/* Is that what comes out of the descriptor? */
static bool got_at(struct qt *t, int fd, const char *want)
{
    char got[64] = "";
    size_t n = 0;

    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    for (int i = 0; i < TURNS && n < strlen(want); i++) {
        ssize_t r;

        loop_step(t);
        while ((r = read(fd, got + n, sizeof(got) - 1 - n)) > 0)
            n += (size_t)r;
    }
    return !strcmp(got, want);
}

/* A directory that goes with the test. */
static void temp_path(char *dir, size_t size)
{
    snprintf(dir, size, "/tmp/sink-open-test-XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
}

static bool refused(struct qt *t, const char *spec, const char *says)
{
    struct sink s = { 0 };
    struct err err = { "" };
    int rc = open_spec(t, &s, spec, &err);

    if (rc < 0 && !strstr(err.msg, says))
        fprintf(stderr, "%s\n", err.msg);
    sink_close(&s);
    return rc < 0 && strstr(err.msg, says) && !strchr(err.msg, '\n');
}

TEST(a_pair_of_pipes)
{
    struct qt *t = qt_new();
    struct sink s = { 0 };
    struct err err;
    char dir[64], in[96], out[96], spec[96];
    int win, rout;

    temp_path(dir, sizeof(dir));
    snprintf(in, sizeof(in), "%s/p.in", dir);
    snprintf(out, sizeof(out), "%s/p.out", dir);
    snprintf(spec, sizeof(spec), "pipe:%s/p", dir);
    CHECK(mkfifo(out, 0600) == 0);
    CHECK(refused(t, spec, "mkfifo")); /* half a pair is none */
    CHECK(mkfifo(in, 0600) == 0);
    CHECK(open_spec(t, &s, spec, &err) == 0);
    win = open(in, O_WRONLY | O_NONBLOCK);
    rout = open(out, O_RDONLY | O_NONBLOCK);
    CHECK(win >= 0 && rout >= 0);
    put_str(&s, "out");
    CHECK(got_at(t, rout, "out"));
    CHECK(sink_get(&s) == -1); /* not the same pipe */
    CHECK(write(win, "in", 2) == 2);
    CHECK(got_from(t, &s, "in"));
    close(win); /* who wrote leaves; another may come */
    loop_step(t);
    win = open(in, O_WRONLY | O_NONBLOCK);
    CHECK(win >= 0 && write(win, "more", 4) == 4);
    CHECK(got_from(t, &s, "more"));
    close(win);
    close(rout);
    sink_close(&s);
    unlink(in);
    CHECK(refused(t, spec, "mkfifo"));
    unlink(out);
    rmdir(dir);
}

static int open_terminal(char *name, size_t size)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY);

    CHECK(fd >= 0 && !grantpt(fd) && !unlockpt(fd) && !ptsname_r(fd, name, size));
    return fd;
}

TEST(a_terminal_of_the_host_is_made_raw)
{
    struct qt *t = qt_new();
    struct sink s = { 0 };
    struct err err;
    struct termios tio;
    char name[64];
    int fd = open_terminal(name, sizeof(name));

    CHECK(open_spec(t, &s, name, &err) == 0);
    CHECK(!strcmp(sink_name(&s), name));
    CHECK(tcgetattr(fd, &tio) == 0);
    CHECK(!(tio.c_lflag & (ICANON | ECHO | ISIG)) && !(tio.c_oflag & OPOST));
    put_str(&s, "a\nb");
    CHECK(got_at(t, fd, "a\nb")); /* no carriage return put in */
    CHECK(write(fd, "\003x", 2) == 2);
    CHECK(got_from(t, &s, "\003x")); /* no signal made of it */
    sink_close(&s);
    close(fd);
}

/* Standard input and output of this program, kept while a test has others there. */
struct stdio {
    int in, out;
};

static struct stdio swap_stdio(int in, int out)
{
    struct stdio kept;

    fflush(stdout);
    kept.in = fcntl(0, F_DUPFD_CLOEXEC, 10);
    kept.out = fcntl(1, F_DUPFD_CLOEXEC, 10);
    if (in < 0)
        close(0);
    else
        dup2(in, 0);
    if (out < 0)
        close(1);
    else
        dup2(out, 1);
    return kept;
}

static void swap_back(struct stdio kept)
{
    if (kept.in < 0)
        close(0);
    else
        dup2(kept.in, 0);
    dup2(kept.out, 1);
    if (kept.in >= 0)
        close(kept.in);
    close(kept.out);
}

TEST(standard_input_and_output)
{
    struct qt *t = qt_new();
    struct sink s = { 0 };
    struct err err = { "" };
    int in[2], out[2], rc, flags_in, flags_out, c = 0;
    struct stdio kept;

    CHECK(pipe(in) == 0 && pipe(out) == 0);
    kept = swap_stdio(in[0], out[1]);
    rc = open_spec(t, &s, "stdio", &err);
    flags_in = fcntl(0, F_GETFL);
    flags_out = fcntl(1, F_GETFL);
    swap_back(kept);
    CHECK(rc == 0);
    /* Who started us has the same ones, and expects to block there. */
    CHECK(!(flags_in & O_NONBLOCK) && !(flags_out & O_NONBLOCK));
    put_str(&s, "login: ");
    CHECK(got_at(t, out[0], "login: "));
    CHECK(write(in[1], "root", 4) == 4);
    CHECK(got_from(t, &s, "root"));
    close(in[1]); /* the end of input is not the end of output */
    close(in[0]);
    for (int i = 0; i < 20; i++)
        loop_step(t);
    c = sink_get(&s);
    CHECK_EQ(c, -1);
    put_str(&s, "still here");
    CHECK(got_at(t, out[0], "still here"));
    sink_close(&s);
    close(out[0]);
    close(out[1]);
}

TEST(a_terminal_gets_its_mode_back)
{
    struct qt *t = qt_new();
    struct sink s = { 0 };
    struct err err = { "" };
    struct termios before, during, after;
    char name[64];
    int fd = open_terminal(name, sizeof(name)), tty = open(name, O_RDWR | O_NOCTTY), rc;
    struct stdio kept;

    CHECK(tty >= 0 && tcgetattr(tty, &before) == 0);
    CHECK(before.c_lflag & ICANON);
    kept = swap_stdio(tty, tty);
    rc = open_spec(t, &s, "stdio", &err);
    tcgetattr(tty, &during);
    sink_close(&s);
    tcgetattr(tty, &after);
    swap_back(kept);
    CHECK(rc == 0);
    CHECK(!(during.c_lflag & (ICANON | ECHO)) && (during.c_lflag & ISIG)); /* ^C still ends us */
    CHECK(!(during.c_iflag & ICRNL));
    CHECK(after.c_lflag == before.c_lflag && after.c_iflag == before.c_iflag);
    close(tty);
    close(fd);
}

TEST(without_standard_output_there_is_no_stdio)
{
    struct qt *t = qt_new();
    struct sink s = { 0 };
    struct err err = { "" };
    struct stdio kept = swap_stdio(-1, -1);
    int rc = open_spec(t, &s, "stdio", &err);

    swap_back(kept);
    CHECK(rc < 0 && !s.impl);
    CHECK(strstr(err.msg, "stdio: ") && strstr(err.msg, "standard output is closed"));
}

TEST(spellings_that_cannot_be)
{
    static char lots[PATH_MAX + 64], spec[PATH_MAX + 128];
    struct qt *t = qt_new();

    memset(lots, 'x', sizeof(lots) - 1);
    snprintf(spec, sizeof(spec), "pipe:%.*s", PATH_MAX - 2, lots);
    CHECK(refused(t, spec, "too long"));
    snprintf(spec, sizeof(spec), "udp:%s", lots);
    CHECK(refused(t, spec, "too long"));
    snprintf(spec, sizeof(spec), "tcp:%s", lots);
    CHECK(refused(t, spec, "too long"));
    snprintf(spec, sizeof(spec), "unix:%.108s", lots);
    CHECK(refused(t, spec, "at most 107 characters"));
    CHECK(refused(t, "unix:/no/such/dir/s,server", "cannot bind there"));
    CHECK(refused(t, "tcp:127.0.0.1:no-such-service", "127.0.0.1 port no-such-service"));
    CHECK(refused(t, "tcp:127.0.0.1:", "not HOST:PORT"));
    CHECK(refused(t, "tcp:127.0.0.1:1,wait=maybe", "unknown option 'wait=maybe'"));
    CHECK(refused(t, "udp:127.0.0.1", "not HOST:PORT"));
    CHECK(refused(t, "udp:127.0.0.1:9@nowhere", "not HOST:PORT"));
    CHECK(refused(t, "udp:127.0.0.1:9@192.0.2.1:9", "cannot send from there to there"));
    CHECK(refused(t, "stdio:", "no place"));
    CHECK(refused(t, "/tmp", "character device"));
}

static int listener(const struct sockaddr *sa, socklen_t len)
{
    int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && (bind(fd, sa, len) || listen(fd, 1))) {
        close(fd);
        return -1;
    }
    return fd;
}

TEST(tcp_servers_and_clients_by_name_and_number)
{
    struct qt *t = qt_new();
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_in6 sa6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    socklen_t len = sizeof(sa), len6 = sizeof(sa6);
    struct sink s = { 0 };
    struct err err;
    char spec[96];
    int fd = listener((struct sockaddr *)&sa, sizeof(sa)), fd6;

    CHECK(fd >= 0 && getsockname(fd, (struct sockaddr *)&sa, &len) == 0);
    snprintf(spec, sizeof(spec), "tcp:127.0.0.1:%u,server=on", ntohs(sa.sin_port));
    CHECK(refused(t, spec, "is the port taken?"));
    close(fd);
    snprintf(spec, sizeof(spec), "tcp:127.0.0.1:%u,nodelay", ntohs(sa.sin_port));
    CHECK(refused(t, spec, "is anyone listening?"));
    CHECK(open_spec(t, &s, "tcp:127.0.0.1:0,server=on,wait=off,nodelay=on", &err) == 0);
    sink_close(&s);
    CHECK(open_spec(t, &s, "tcp::0,server,nowait", &err) == 0); /* any address */
    sink_close(&s);
    fd6 = listener((struct sockaddr *)&sa6, sizeof(sa6));
    if (fd6 < 0)
        return; /* a host without IPv6 */
    CHECK(getsockname(fd6, (struct sockaddr *)&sa6, &len6) == 0);
    snprintf(spec, sizeof(spec), "tcp:[::1]:%u", ntohs(sa6.sin6_port));
    CHECK(open_spec(t, &s, spec, &err) == 0);
    fd = accept(fd6, NULL, NULL);
    put_str(&s, "six");
    CHECK(got_at(t, fd, "six"));
    sink_close(&s);
    close(fd);
    close(fd6);
}

/* A client that has stopped listening is a client that has gone; the next is served. */
TEST(a_client_that_reads_no_more_is_hung_up_on)
{
    struct qt *t = qt_new();
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    struct sink s = { 0 };
    struct err err;
    char dir[64], spec[96], byte;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    temp_path(dir, sizeof(dir));
    snprintf(spec, sizeof(spec), "unix:%s/s,server", dir);
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/s", dir);
    CHECK(open_spec(t, &s, spec, &err) == 0);
    CHECK(connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
    CHECK(write(fd, "x", 1) == 1);
    CHECK(got_from(t, &s, "x")); /* it has been accepted */
    CHECK(shutdown(fd, SHUT_RD) == 0);
    put_str(&s, "gone");
    fcntl(fd, F_SETFL, O_NONBLOCK);
    loop_until(t, send(fd, "y", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno == EPIPE);
    CHECK(send(fd, "y", 1, MSG_NOSIGNAL | MSG_DONTWAIT) < 0);
    CHECK(read(fd, &byte, 1) <= 0);
    close(fd);
    while (sink_get(&s) >= 0)
        ;
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
    CHECK(got_at(t, fd, "gone")); /* what was written while nobody read */
    close(fd);
    sink_close(&s);
    CHECK(access(sa.sun_path, F_OK) < 0);
    rmdir(dir);
}

/* The guest goes on; the log says it once, not once a byte. */
TEST(a_full_disk)
{
    struct qt *t = qt_new();
    struct sink s = { 0 };
    struct err err;
    char text[512] = "";
    const char *first;
    int log = memfd_create("log", MFD_CLOEXEC), kept = fcntl(2, F_DUPFD_CLOEXEC, 10);

    CHECK(open_spec(t, &s, "file:/dev/full", &err) == 0);
    dup2(log, 2);
    for (unsigned i = 0; i < 40000; i++) { /* more than can wait */
        sink_put(&s, 'x');
        if (i % 4000 == 0)
            loop_step(t);
    }
    loop_step(t);
    dup2(kept, 2);
    close(kept);
    CHECK(pread(log, text, sizeof(text) - 1, 0) > 0);
    first = strstr(text, "/dev/full: cannot write: No space left on device\n");
    CHECK(first && !strstr(first + 1, "/dev/full"));
    close(log);
    sink_close(&s);
}

/* A datagram is no longer than what goes over a cable in one piece. */
TEST(a_flood_into_datagrams)
{
    struct qt *t = qt_new();
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(sa);
    struct sink s = { 0 };
    struct err err;
    char spec[96], got[2048];
    unsigned total = 0;
    ssize_t n = 0;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    CHECK(bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&sa, &len) == 0);
    snprintf(spec, sizeof(spec), "udp:127.0.0.1:%u@127.0.0.1:0", ntohs(sa.sin_port));
    CHECK(open_spec(t, &s, spec, &err) == 0);
    for (unsigned i = 0; i < 8192; i++)
        sink_put(&s, (uint8_t)i);
    for (int i = 0; i < TURNS && total < 8192; i++) {
        loop_step(t);
        while (total < 8192 && (n = recv(fd, got, sizeof(got), MSG_DONTWAIT)) > 0) {
            CHECK(n <= 1400);
            total += (unsigned)n;
        }
    }
    CHECK_EQ(total, 8192);
    CHECK_EQ((uint8_t)got[n - 1], 0xff);
    sink_feed(&s, "x", 1); /* only a mem: sink is fed */
    CHECK(sink_get(&s) == -1);
    close(fd);
    for (unsigned i = 0; i < 3; i++) { /* nobody listens any more: the bytes go nowhere */
        put_str(&s, "gone");
        loop_step(t);
    }
    sink_close(&s);
}
