/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs of the screen, the keys and the pointer, with a guest that is not there. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/unit/qmp-rig.h"
#include "tests/unit/qt.h"

TEST(screen)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r);
    struct fake *f = r->f;
    char path[64], text[256], magic[8] = "";
    int fd;

    r->f->text = "Booting\nfrom CD";
    say(c, "{\"execute\":\"portico-screen-text\"}");
    CHECK(got(c, "{\"return\": {\"text\": \"Booting\\nfrom CD\"}}\r\n"));
    f->surface = (struct surface){ .width = 4, .height = 2, .stride = 16, .fd = -1 };
    f->surface.pixels = calloc(2, 16);
    snprintf(path, sizeof(path), "%s/shot", r->dir);
    snprintf(text, sizeof(text),
             "{\"execute\":\"screendump\",\"arguments\":{\"filename\":\"%s\","
             "\"format\":\"png\"}}",
             path);
    say(c, text);
    CHECK(got(c, "{\"return\": {}}\r\n"));
    fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(read(fd, magic, 4) == 4 && !memcmp(magic, "\x89PNG", 4));
    close(fd);
    snprintf(text, sizeof(text), "{\"execute\":\"screendump\",\"arguments\":{\"filename\":\"%s\"}}",
             path);
    say(c, text);
    CHECK(got(c, "{\"return\": {}}\r\n"));
    fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(read(fd, magic, 2) == 2 && !memcmp(magic, "P6", 2));
    close(fd);
    unlink(path);
    say(c, "{\"execute\":\"screendump\",\"arguments\":{\"filename\":\"/no/dir/x\"}}");
    CHECK(had(c, "screendump: /no/dir/x: No such file or directory"));
    say(c, "{\"execute\":\"screendump\",\"arguments\":{\"filename\":\"/x\",\"format\":\"gif\"}}");
    CHECK(had(c, "format 'gif' is not supported; use png or ppm"));
    hang_up(c);
    rig_free(r);
}

static bool settles(struct rig *r, const char *log)
{
    for (double end = seconds() + 5; seconds() < end && strcmp(r->f->log, log);)
        turn(r);
    return fake_log(r->f, log);
}

/* The picture is compressed by a thread: answers stay in order, and nobody need wait for it. */
TEST(screendumps_in_a_hurry)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r), *other = libxl(r);
    struct fake *f = r->f;
    char path[64], text[512];

    f->surface = (struct surface){ .width = 640, .height = 480, .stride = 2560, .fd = -1 };
    f->surface.pixels = calloc(480, 2560);
    snprintf(path, sizeof(path), "%s/shot", r->dir);
    snprintf(text, sizeof(text),
             "{\"execute\":\"screendump\",\"id\":1,\"arguments\":{\"filename\":\"%s\",\"format\":"
             "\"png\"}}{\"execute\":\"cont\",\"id\":2}{\"execute\":\"screendump\",\"id\":3,"
             "\"arguments\":{\"filename\":\"%s\"}}",
             path, path);
    say(c, text);
    CHECK(got(c, OK("1") OK("2") OK("3")));
    say(c, "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"screendump ");
    say(c, path);
    say(c, "\"}}");
    CHECK(got(c, "{\"return\": \"\"}\r\n"));
    say(other, text);
    hang_up(other); /* it does not wait for its picture */
    say(c, text);
    CHECK(had(c, OK("3")));
    hang_up(c);
    f->vm.running = true;
    rig_free_with(r, path);
}

TEST(keys)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r);

    say(c, "{\"execute\":\"send-key\",\"arguments\":{\"hold-time\":20,\"keys\":[{\"type\":"
           "\"qcode\",\"data\":\"ctrl\"},{\"type\":\"qcode\",\"data\":\"delete\"}]}}");
    CHECK(got(c, "{\"return\": {}}\r\n"));
    CHECK(fake_log(r->f, "key 29 1;key 111 1;"));
    CHECK(settles(r, "key 111 0;key 29 0;"));
    say(c, "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":"
           "\"sendkey shift-a 5\"}}{\"execute\":\"human-monitor-command\",\"arguments\":{"
           "\"command-line\":\"sendkey b 5\"}}");
    CHECK(got(c, "{\"return\": \"\"}\r\n{\"return\": \"\"}\r\n"));
    CHECK(settles(r, "key 42 1;key 30 1;key 30 0;key 42 0;key 48 1;key 48 0;"));
    say(c, "{\"execute\":\"send-key\",\"arguments\":{\"hold-time\":1,\"keys\":[{\"type\":"
           "\"number\",\"data\":28}]}}");
    CHECK(got(c, "{\"return\": {}}\r\n"));
    CHECK(settles(r, "key 28 1;key 28 0;"));
    say(c, "{\"execute\":\"send-key\",\"arguments\":{\"keys\":[{\"type\":\"qcode\",\"data\":\"a\"},"
           "{\"type\":\"qcode\",\"data\":\"nokey\"}]}}");
    CHECK(had(c, "Invalid key name 'nokey'"));
    say(c, "{\"execute\":\"send-key\",\"arguments\":{\"keys\":[]}}");
    CHECK(had(c, "from 1 to 16 keys"));
    say(c, "{\"execute\":\"send-key\",\"arguments\":{\"keys\":[3]}}");
    CHECK(had(c, "a key is"));
    CHECK(fake_log(r->f, ""));
    for (unsigned i = 0; i < 600; i++) /* the queue is bounded; it is dropped with the server */
        say(c, "{\"execute\":\"send-key\",\"arguments\":{\"keys\":[{\"type\":\"qcode\",\"data\":"
               "\"a\"}]}}");
    CHECK(had(c, "too many keys are waiting"));
    hang_up(c);
    rig_free(r);
}

TEST(pointer_and_keys_by_event)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r);

    r->f->surface = (struct surface){ .width = 641, .height = 481, .stride = 2564, .fd = -1 };
    say(c, "{\"execute\":\"input-send-event\",\"arguments\":{\"events\":["
           "{\"type\":\"abs\",\"data\":{\"axis\":\"x\",\"value\":32767}},"
           "{\"type\":\"abs\",\"data\":{\"axis\":\"y\",\"value\":0}},"
           "{\"type\":\"btn\",\"data\":{\"down\":true,\"button\":\"left\"}}]}}");
    CHECK(got(c, "{\"return\": {}}\r\n"));
    CHECK(fake_log(r->f, "pointer 0 0 0 0;pointer 640 0 0 1;"));
    say(c, "{\"execute\":\"input-send-event\",\"arguments\":{\"events\":["
           "{\"type\":\"rel\",\"data\":{\"axis\":\"x\",\"value\":-10}},"
           "{\"type\":\"rel\",\"data\":{\"axis\":\"y\",\"value\":5}},"
           "{\"type\":\"btn\",\"data\":{\"down\":true,\"button\":\"wheel-up\"}},"
           "{\"type\":\"btn\",\"data\":{\"down\":false,\"button\":\"left\"}}]}}");
    CHECK(got(c, "{\"return\": {}}\r\n"));
    CHECK(fake_log(r->f, "pointer 630 5 -1 0;"));
    say(c,
        "{\"execute\":\"input-send-event\",\"arguments\":{\"events\":["
        "{\"type\":\"key\",\"data\":{\"down\":true,\"key\":{\"type\":\"qcode\",\"data\":\"f1\"}}}]"
        "}}");
    CHECK(got(c, "{\"return\": {}}\r\n"));
    CHECK(fake_log(r->f, "key 59 1;"));
    say(c,
        "{\"execute\":\"input-send-event\",\"arguments\":{\"events\":["
        "{\"type\":\"key\",\"data\":{\"down\":true,\"key\":{\"type\":\"qcode\",\"data\":\"f1\"}}},"
        "{\"type\":\"abs\",\"data\":{\"axis\":\"z\",\"value\":1}}]}}");
    CHECK(had(c, "a movement is"));
    CHECK(fake_log(r->f, "")); /* all of a message or nothing */
    hang_up(c);
    rig_free(r);
}
