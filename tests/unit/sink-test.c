/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sinks against real host files, terminals and sockets. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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

static size_t get_all(struct sink *s, char *buf, size_t size)
{
    size_t n = 0;
    int c;

    while (n + 1 < size && (c = sink_get(s)) >= 0)
        buf[n++] = c;
    buf[n] = 0;
    return n;
}

/* A directory that goes with the test. */
static void temp_path(char *dir, size_t size)
{
    snprintf(dir, size, "/tmp/sink-test-XXXXXX");
    CHECK(mkdtemp(dir) != NULL);
}

TEST(null_takes_everything)
{
    struct sink s = { 0 };
    struct err err;

    CHECK(sink_open(&s, NULL, NULL, "port", &err) == 0);
    sink_put(&s, 'x');
    CHECK(sink_get(&s) == -1);
    CHECK(!strcmp(sink_name(&s), "null"));
    sink_close(&s);
    sink_close(&s); /* twice is harmless */
}

TEST(mem_keeps_and_feeds_and_is_shared)
{
    struct sink a = { 0 }, b = { 0 };
    struct config cfg = { 0 };
    struct err err;
    size_t len;

    config_set(&cfg, "port", "mem:");
    CHECK(sink_open(&a, NULL, &cfg, "port", &err) == 0);
    config_set_obj(&cfg, "port", &a);
    CHECK(sink_open(&b, NULL, &cfg, "port", &err) == 0);
    put_str(&b, "hi");
    CHECK(!memcmp(sink_mem(&a, &len), "hi", 2) && len == 2);
    sink_feed(&a, "in", 2);
    sink_close(&b);
    CHECK(sink_get(&a) == 'i' && sink_get(&a) == 'n' && sink_get(&a) == -1);
    sink_close(&a);
    config_free(&cfg);
}

TEST(file_is_appended_to)
{
    char dir[64], path[128], spec[160], got[32] = "";
    struct sink s = { 0 };
    struct err err;
    int fd;

    temp_path(dir, sizeof(dir));
    snprintf(path, sizeof(path), "%s/log", dir);
    snprintf(spec, sizeof(spec), "file:%s", path);
    for (int i = 0; i < 2; i++) {
        struct config cfg = { 0 };

        config_set(&cfg, "port", spec);
        CHECK(sink_open(&s, NULL, &cfg, "port", &err) == 0);
        put_str(&s, "boot\n");
        CHECK(!strcmp(sink_name(&s), spec));
        sink_close(&s);
        config_free(&cfg);
    }
    fd = open(path, O_RDONLY);
    CHECK(read(fd, got, sizeof(got)) == 10 && !memcmp(got, "boot\nboot\n", 10));
    close(fd);
    unlink(path);
    rmdir(dir);
}

/* A terminal's bytes pass through a worker of the kernel: up to some seconds for `want` of them. */
static void wait_for(struct qt *t, struct sink *s, const char *want)
{
    char got[64] = "";
    size_t n = 0;

    for (int i = 0; i < 1000 && n < strlen(want); i++) {
        int c;

        loop_step(t);
        while (n < sizeof(got) - 1 && (c = sink_get(s)) >= 0)
            got[n++] = c;
    }
    CHECK(!strcmp(got, want));
}

TEST(pty_keeps_output_for_who_comes_later)
{
    struct qt *t = qt_new();
    struct sink s = { 0 };
    struct err err;
    char got[64];
    int fd;

    CHECK(open_spec(t, &s, "pty", &err) == 0);
    CHECK(!strncmp(sink_name(&s), "pty:/dev/pts/", 13));
    put_str(&s, "login: \n");
    loop_step(t);
    CHECK(sink_get(&s) == -1); /* no echo of our own output */
    fd = open(sink_name(&s) + 4, O_RDWR | O_NOCTTY);
    CHECK(read(fd, got, sizeof(got)) == 8 && !memcmp(got, "login: \n", 8));
    CHECK(write(fd, "root\r", 5) == 5);
    wait_for(t, &s, "root\r");
    close(fd); /* leaving is no hang-up */
    loop_step(t);
    fd = open(sink_name(&s) + 4, O_RDWR | O_NOCTTY);
    CHECK(write(fd, "x", 1) == 1);
    wait_for(t, &s, "x");
    close(fd);
    sink_close(&s);
}

TEST(a_full_ring_drops_the_oldest)
{
    struct qt *t = qt_new();
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    struct sink s = { 0 };
    struct err err;
    char dir[64], spec[160], got[20000];
    size_t n = 0;
    ssize_t r;
    int fd;

    temp_path(dir, sizeof(dir));
    snprintf(spec, sizeof(spec), "unix:%s/s,server,nowait", dir);
    CHECK(open_spec(t, &s, spec, &err) == 0);
    for (int i = 0; i < 16384 + 5; i++)
        sink_put(&s, i < 5 ? 'o' : i < 10 ? 'A' + i - 5 : '.');
    loop_step(t);
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/s", dir);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
    loop_step(t);
    while (n < sizeof(got) && (r = recv(fd, got + n, sizeof(got) - n, MSG_DONTWAIT)) > 0)
        n += r;
    CHECK_EQ(n, 16384);
    CHECK(!memcmp(got, "ABCDE.", 6));
    close(fd);
    sink_close(&s);
    CHECK(access(sa.sun_path, F_OK) < 0); /* the socket is cleaned up */
    rmdir(dir);
}

TEST(unix_server_serves_one_after_the_other)
{
    struct qt *t = qt_new();
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    struct sink s = { 0 };
    struct err err;
    char dir[64], spec[160], got[16];

    temp_path(dir, sizeof(dir));
    snprintf(spec, sizeof(spec), "unix:%s/s,server=on,wait=off", dir);
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/s", dir);
    CHECK(open_spec(t, &s, spec, &err) == 0);
    for (int i = 0; i < 3; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);

        CHECK(connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
        CHECK(send(fd, "in", 2, 0) == 2);
        loop_step(t); /* the one before has left without our writing anything */
        CHECK(get_all(&s, got, sizeof(got)) == 2);
        put_str(&s, "out");
        loop_step(t);
        CHECK(recv(fd, got, sizeof(got), MSG_DONTWAIT) == 3);
        close(fd);
        loop_step(t);
    }
    sink_close(&s);
    rmdir(dir);
}

static int tcp_listen(unsigned *port)
{
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(sa);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    CHECK(bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 && listen(fd, 1) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&sa, &len) == 0);
    *port = ntohs(sa.sin_port);
    return fd;
}

TEST(tcp_client_and_back_pressure)
{
    struct qt *t = qt_new();
    struct sink s = { 0 };
    struct err err;
    char spec[64], big[4000], got[4096];
    unsigned port;
    size_t n = 0;
    int lis = tcp_listen(&port), fd;

    snprintf(spec, sizeof(spec), "tcp:127.0.0.1:%u", port);
    CHECK(open_spec(t, &s, spec, &err) == 0);
    fd = accept(lis, NULL, NULL);
    put_str(&s, "hello");
    loop_step(t);
    CHECK(recv(fd, got, sizeof(got), MSG_DONTWAIT) == 5);
    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = i % 251;
    CHECK(send(fd, big, sizeof(big), 0) == sizeof(big));
    for (int round = 0; round < 100 && n < sizeof(big); round++) {
        loop_step(t);
        n += get_all(&s, got + n, 300); /* a slow guest: none is lost */
    }
    CHECK_EQ(n, sizeof(big));
    CHECK(!memcmp(got, big, sizeof(big)));
    close(fd);
    loop_step(t);
    put_str(&s, "into the void");
    loop_step(t);
    sink_close(&s);
    close(lis);
}

TEST(telnet_negotiates_and_escapes)
{
    static const uint8_t sent[] = { 'a', 255, 253, 1,   'b', 255, 255,
                                    255, 250, 24,  'x', 255, 240, 'c' };
    struct qt *t = qt_new();
    struct sink s = { 0 };
    struct err err;
    char spec[64];
    uint8_t got[64];
    unsigned port;
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = tcp_listen(&port);

    close(fd); /* a port that is free now */
    snprintf(spec, sizeof(spec), "telnet:127.0.0.1:%u,server,nowait", port);
    CHECK(open_spec(t, &s, spec, &err) == 0);
    fd = socket(AF_INET, SOCK_STREAM, 0);
    sa.sin_port = htons(port);
    CHECK(connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
    loop_step(t);
    CHECK(recv(fd, got, sizeof(got), MSG_DONTWAIT) == 12 && got[0] == 255);
    sink_put(&s, 0xff);
    loop_step(t);
    CHECK(recv(fd, got, sizeof(got), MSG_DONTWAIT) == 2 && got[1] == 255);
    CHECK(send(fd, sent, sizeof(sent), 0) == sizeof(sent));
    loop_step(t);
    CHECK(sink_get(&s) == 'a' && sink_get(&s) == 'b' && sink_get(&s) == 255);
    CHECK(sink_get(&s) == 'c' && sink_get(&s) == -1);
    close(fd);
    sink_close(&s);
}

TEST(udp_and_pipe)
{
    struct qt *t = qt_new();
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(sa);
    struct sink s = { 0 };
    struct err err;
    char dir[64], path[128], spec[160], got[16];
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    CHECK(bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&sa, &len) == 0);
    snprintf(spec, sizeof(spec), "udp:127.0.0.1:%u@127.0.0.1:0", ntohs(sa.sin_port));
    CHECK(open_spec(t, &s, spec, &err) == 0);
    put_str(&s, "dgram");
    loop_step(t);
    CHECK(recv(fd, got, sizeof(got), MSG_DONTWAIT) == 5);
    close(fd);
    put_str(&s, "nobody");
    loop_step(t);
    sink_close(&s);

    temp_path(dir, sizeof(dir));
    snprintf(path, sizeof(path), "%s/p", dir);
    CHECK(mkfifo(path, 0600) == 0);
    snprintf(spec, sizeof(spec), "pipe:%s", path);
    CHECK(open_spec(t, &s, spec, &err) == 0);
    put_str(&s, "p");
    loop_step(t);
    CHECK(sink_get(&s) == 'p'); /* a single FIFO loops back */
    sink_close(&s);
    unlink(path);
    rmdir(dir);
}

static void reading(void *arg)
{
    ++*(unsigned *)arg;
}

TEST(the_device_hears_of_input)
{
    struct qt *t = qt_new();
    unsigned heard = 0;
    struct sink s = { .readable = reading, .arg = &heard };
    struct err err;

    CHECK(open_spec(t, &s, "mem:", &err) == 0);
    sink_feed(&s, "abc", 3);
    CHECK_EQ(heard, 1);
    CHECK(sink_get(&s) == 'a');
    sink_close(&s);
}

TEST(mistakes_are_explained)
{
    static const struct {
        const char *spec, *says;
    } bad[] = {
        { "ptty", "no place" },
        { "file:/no/such/dir/x", "No such file" },
        { "tcp:nowhere", "HOST:PORT" },
        { "unix:/tmp/x,sever", "sever" },
        { "unix:/no/such/s", "listening" },
        { "/no/such/tty", "No such file" },
        { "pipe:/no/such/pipe", "mkfifo" },
    };
    struct qt *t = qt_new();
    struct sink s = { 0 };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct err err = { "" };

        CHECK(open_spec(t, &s, bad[i].spec, &err) < 0);
        if (!strstr(err.msg, bad[i].says))
            fprintf(stderr, "%s\n", err.msg);
        CHECK(strstr(err.msg, bad[i].says) != NULL);
        CHECK(s.impl == NULL);
    }
}

TEST(without_a_loop_only_what_cannot_wait)
{
    struct config cfg = { 0 };
    struct sink s = { 0 };
    struct err err;

    config_set(&cfg, "port", "pty");
    CHECK(sink_open(&s, NULL, &cfg, "port", &err) == -EINVAL);
    config_free(&cfg);
}

TEST(a_slow_reader_gets_the_newest)
{
    struct qt *t = qt_new();
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    struct sink s = { 0 };
    struct err err;
    char dir[64], spec[160], got[8192];
    ssize_t n;
    unsigned total = 0;
    char last = 0;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    temp_path(dir, sizeof(dir));
    snprintf(spec, sizeof(spec), "unix:%s/s,server", dir);
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/s", dir);
    CHECK(open_spec(t, &s, spec, &err) == 0);
    CHECK(connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0);
    for (unsigned i = 0; i < 100; i++) { /* far more than socket and ring hold */
        for (unsigned k = 0; k < 8192; k++)
            sink_put(&s, 'a' + i % 26);
        loop_step(t);
    }
    sink_put(&s, '!');
    while ((n = recv(fd, got, sizeof(got), MSG_DONTWAIT)) > 0) {
        total += n;
        last = got[n - 1];
        loop_step(t);
    }
    CHECK(total < 100 * 8192);
    CHECK_EQ(last, '!');
    close(fd);
    sink_close(&s);
    rmdir(dir);
}
