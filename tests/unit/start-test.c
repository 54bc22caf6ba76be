/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What portico-dm waits for before its guest begins, and QMP on its standard input and output. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "tests/unit/qt.h"
#include "tests/unit/qtest-rig.h"

static void say(struct rig *r, const char *text)
{
    rig_send(r, text, strlen(text));
}

/* The next line has this in it. */
static bool hears(struct rig *r, const char *what)
{
    const char *line = rig_line(r);

    if (line && strstr(line, what))
        return true;
    fprintf(stderr, "wanted %s, came: %s\n", what, line ? line : "(nothing)");
    return false;
}

static struct rig *with_qmp(const char *options)
{
    char line[512];
    struct rig *r;

    snprintf(line, sizeof(line), "%s -qmp stdio", options);
    r = rig_start(line);
    CHECK(hears(r, "{\"QMP\": "));
    say(r, "{\"execute\":\"qmp_capabilities\"}");
    CHECK(hears(r, "{\"return\": {}}"));
    return r;
}

TEST(qmp_on_standard_input_and_output)
{
    struct rig *r = with_qmp("-machine none");

    say(r, "{\"execute\":\"query-chardev\"}{\"execute\":\"query-status\"}");
    CHECK(hears(r, "\"filename\": \"stdio\""));
    CHECK(hears(r, "\"status\": \"running\""));
    close(r->fd); /* the end of its input is not its own */
    r->fd = -1;
    CHECK(rig_lives(r));
    rig_free(r);
}

/* The last answer is written although the process ends. */
TEST(quit_is_answered)
{
    struct rig *r = with_qmp("-machine none");

    say(r, "{\"execute\":\"quit\"}");
    CHECK(hears(r, "\"event\": \"SHUTDOWN\""));
    CHECK(hears(r, "{\"return\": {}}"));
    CHECK_EQ(rig_wait(r), 0);
    rig_free(r);
}

TEST(preconfig_comes_before_the_machine)
{
    struct rig *r = with_qmp("-machine pc -preconfig");

    say(r, "{\"execute\":\"query-status\"}");
    CHECK(hears(r, "\"status\": \"prelaunch\", \"singlestep\": false, \"running\": false"));
    say(r, "{\"execute\":\"query-pci\"}{\"execute\":\"cont\"}");
    CHECK(hears(r, "The command 'query-pci' is permitted only after machine initialization"));
    CHECK(hears(r, "The command 'cont' is permitted only after"));
    say(r, "{\"execute\":\"blockdev-add\",\"arguments\":{\"driver\":\"null-co\","
           "\"node-name\":\"early\",\"read-zeroes\":true}}");
    CHECK(hears(r, "{\"return\": {}}"));
    say(r, "{\"execute\":\"x-exit-preconfig\",\"id\":7}");
    CHECK(hears(r, "\"event\": \"RESUME\""));
    CHECK(hears(r, "{\"return\": {}, \"id\": 7}"));
    say(r, "{\"execute\":\"x-exit-preconfig\"}");
    CHECK(hears(r, "The command is permitted only before machine initialization"));
    say(r, "{\"execute\":\"query-status\"}{\"execute\":\"query-pci\"}");
    CHECK(hears(r, "\"status\": \"running\""));
    CHECK(hears(r, "\"id\": {\"device\": 4663"));
    say(r, "{\"execute\":\"query-named-block-nodes\"}");
    CHECK(hears(r, "\"node-name\": \"early\""));
    rig_free(r);
}

TEST(preconfig_and_stopped)
{
    struct rig *r = with_qmp("-machine pc -preconfig -S");

    say(r, "{\"execute\":\"x-exit-preconfig\"}");
    CHECK(hears(r, "{\"return\": {}}"));
    say(r, "{\"execute\":\"query-status\"}{\"execute\":\"cont\"}");
    CHECK(hears(r, "\"status\": \"prelaunch\""));
    CHECK(hears(r, "\"event\": \"RESUME\""));
    rig_free(r);
}

TEST(preconfig_can_be_the_end)
{
    struct rig *r = with_qmp("-machine pc -preconfig");

    say(r, "{\"execute\":\"quit\"}");
    CHECK(hears(r, "\"event\": \"SHUTDOWN\""));
    CHECK(hears(r, "{\"return\": {}}"));
    CHECK_EQ(rig_wait(r), 0);
    rig_free(r);
}

/* Its machine cannot be made: who said that it is to be made hears that it is not. */
TEST(preconfig_of_a_machine_that_cannot_be)
{
    struct rig *r = with_qmp("-machine pc -preconfig -device e1000,addr=1");

    say(r, "{\"execute\":\"x-exit-preconfig\"}");
    CHECK(hears(r, "The machine was not made"));
    CHECK_EQ(rig_wait(r), 1);
    rig_free(r);
}

/* options: with the socket's path for "%s". The guest is not there before somebody is. */
static void waits(const char *options, const char *greeting)
{
    char dir[] = "/tmp/portico-start-XXXXXX", line[256], hello[512] = "", path[64];
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc = -1;
    const char *at = strstr(options, "%s");
    struct pollfd pfd;
    struct rig *r;

    CHECK(fd >= 0 && mkdtemp(dir) && at);
    snprintf(path, sizeof(path), "%s/s", dir);
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
    snprintf(line, sizeof(line), "%.*s%s%s", (int)(at - options), options, path, at + 2);
    r = rig_new(line);
    say(r, "endianness\n");
    for (unsigned i = 0; i < 1000 && (rc = connect(fd, (struct sockaddr *)&sa, sizeof(sa))); i++) {
        pfd = (struct pollfd){ .fd = r->out, .events = POLLIN };
        CHECK_EQ(poll(&pfd, 1, 20), 0); /* nothing is answered before */
    }
    CHECK_EQ(rc, 0);
    CHECK(is(rig_line(r), "OK little"));
    if (*greeting)
        CHECK(recv(fd, hello, sizeof(hello) - 1, 0) > 0 && strstr(hello, greeting));
    close(fd);
    rig_free(r);
    unlink(path);
    rmdir(dir);
}

TEST(a_guest_waits_for_its_clients)
{
    waits("-machine none -qmp unix:%s,server=on", "{\"QMP\": ");
    waits("-chardev socket,id=c,path=%s,server=on -serial chardev:c", "");
    waits("-serial unix:%s,server,wait", "");
}
