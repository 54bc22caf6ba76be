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

/* ---- the screen as data ---- */

static const struct {
    uint32_t ch;
    char rows[17];
} font[] = {
#include "display/font-tables.inc"
};

/* A picture with that line of text at its top. */
static void draw(struct fake *f, const char *text)
{
    free(f->surface.pixels);
    f->surface = (struct surface){ .width = 640, .height = 64, .stride = 2560, .fd = -1 };
    f->surface.pixels = calloc(64, 2560);
    for (unsigned x = 0; text[x]; x++) {
        size_t i = 0;

        while (font[i].ch != (uint8_t)text[x])
            i++;
        for (unsigned k = 0; k < 128; k++) {
            if ((uint8_t)font[i].rows[k / 8] & 0x80 >> k % 8)
                f->surface.pixels[k / 8 * 640 + x * 8 + k % 8] = 0xaaaaaa;
        }
    }
}

TEST(text_is_read_from_a_picture)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r);

    draw(r->f, "localhost2login:");
    say(c, "{\"execute\":\"portico-screen-text\"}");
    CHECK(had(c, "{\"return\": {\"text\": \"localhost2login:\\n\\n\\n\", \"mode\": \"graphics\", "
                 "\"columns\": 80, \"rows\": 4, \"grid\": {\"x\": 0, \"y\": 0, \"width\": 8, "
                 "\"height\": 16}}}"));
    say(c, "{\"execute\":\"portico-screen-text\",\"arguments\":{\"cells\":true}}");
    CHECK(had(c, "\"cells\": [[[108, 11184810, 0], [111, 11184810, 0]"));
    draw(r->f, "");
    say(c, "{\"execute\":\"portico-screen-text\"}");
    CHECK(had(c, "the screen shows no text"));
    hang_up(c);
    rig_free(r);
}

TEST(the_hash_is_of_what_is_seen)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r);

    r->f->surface = (struct surface){ .width = 2, .height = 1, .stride = 8, .fd = -1 };
    r->f->surface.pixels = calloc(1, 8);
    say(c, "{\"execute\":\"portico-screen-hash\"}");
    CHECK(
        got(c, "{\"return\": {\"hash\": \"083c3730b4f1363f\", \"width\": 2, \"height\": 1}}\r\n"));
    r->f->surface.pixels[1] = 0xff000000; /* not a colour */
    say(c, "{\"execute\":\"portico-screen-hash\"}");
    CHECK(had(c, "083c3730b4f1363f"));
    r->f->surface.pixels[1] = 0x000001;
    say(c, "{\"execute\":\"portico-screen-hash\"}");
    CHECK(had(c, "083c3630b4f1348c"));
    hang_up(c);
    rig_free(r);
}

TEST(waiting_for_text_ends_when_it_comes)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r), *other = libxl(r);

    r->f->text = "Booting";
    say(c,
        "{\"execute\":\"portico-wait-text\",\"id\":1,\"arguments\":{\"pattern\":\"log(in|out)\"}}"
        "{\"execute\":\"cont\",\"id\":2}");
    say(other, "{\"execute\":\"cont\",\"id\":3}"); /* others do not wait for it */
    CHECK(got(other, OK("3")));
    for (unsigned i = 0; i < 20; i++)
        turn(r);
    CHECK(got(c, ""));
    r->f->text = "Debian 12\nhost login:";
    CHECK(had(c, "{\"return\": {\"match\": \"login\", \"row\": 1, \"text\": "
                 "\"Debian 12\\nhost login:\"}, \"id\": 1}"));
    r->f->text = NULL;
    draw(r->f, "GNU2GRUB");
    say(c, "{\"execute\":\"portico-wait-text\",\"arguments\":{\"pattern\":\"^GNU\"}}");
    CHECK(had(c, "\"match\": \"GNU\", \"row\": 0"));
    say(c, "{\"execute\":\"portico-wait-text\",\"arguments\":{\"pattern\":\"x\",\"timeout\":0}}");
    CHECK(had(c, "\\\"x\\\" did not appear in time"));
    say(c, "{\"execute\":\"portico-wait-text\",\"arguments\":{\"pattern\":\"(\"}}");
    CHECK(had(c, "pattern '(': "));
    say(c, "{\"execute\":\"portico-wait-text\",\"arguments\":{\"pattern\":\"never\"}}");
    hang_up(c); /* it goes while it waits; and another while everything ends */
    say(other, "{\"execute\":\"portico-wait-text\",\"arguments\":{\"pattern\":\"never\"}}");
    for (unsigned i = 0; i < 20; i++)
        turn(r);
    hang_up(other);
    rig_free(r);
}

TEST(text_is_typed_by_the_layout)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r);

    say(c, "{\"execute\":\"portico-type\",\"arguments\":{\"text\":\"aZ\\n\",\"pace\":1}}");
    CHECK(settles(r, "key 30 1;key 30 0;key 42 1;key 44 1;key 44 0;key 42 0;key 28 1;key 28 0;"));
    say(c, "{\"execute\":\"portico-type\",\"arguments\":{\"text\":\"z@\\u00fc\",\"layout\":\"de\","
           "\"pace\":1}}");
    CHECK(settles(r, "key 21 1;key 21 0;key 100 1;key 16 1;key 16 0;key 100 0;key 26 1;key 26 0;"));
    say(c, "{\"execute\":\"portico-type\",\"arguments\":{\"text\":\"a\\u4e2d\"}}");
    CHECK(had(c, "layout en-us has no key for the character at 1 (U+4E2D)"));
    say(c, "{\"execute\":\"portico-type\",\"arguments\":{\"text\":\"a\",\"layout\":\"xx\"}}");
    CHECK(had(c, "no layout 'xx'; there are "));
    CHECK(fake_log(r->f, ""));
    hang_up(c);
    rig_free(r);
}
