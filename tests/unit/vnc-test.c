/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VNC display end to end: a real portico-vnc and RFB clients: pictures, passwords, addresses.
 */
#include "tests/unit/vnc-world.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "display/protocol.h"

VNC_TEST(a_client_sees_the_screen)
{
    unsigned before;
    struct world *w = world_usual();
    struct rfb c;
    struct vnc_info i;

    world_free(w); /* the first opens what the libraries keep */
    before = open_files();
    w = world_usual();

    CHECK(w->info.enabled && !strcmp(w->info.host, "127.0.0.1"));
    CHECK(!strcmp(w->info.family, "ipv4") && !strcmp(w->info.auth, "none"));
    CHECK_EQ(w->info.nclients, 0);
    CHECK_EQ(child(), 0); /* nobody is there: no process, nothing drawn */
    rfb_pump(&w->loop, 100);
    CHECK_EQ(w->draws, 0);
    CHECK(visit(&c, w));
    CHECK(!strcmp(c.name, "test guest"));
    CHECK(shows(&c, w, 0));
    vnc_query(w->vnc, &i);
    CHECK_EQ(i.nclients, 1);
    CHECK(!strcmp(i.clients[0].host, "127.0.0.1") &&
          strtoul(i.clients[0].service, NULL, 10) > 1023);
    rfb_close(&c);
    rfb_pump(&w->loop, 200);
    CHECK_EQ(clients(w), 0);
    CHECK_EQ(child(), 0);
    world_free(w);
    CHECK_EQ(open_files(), before);
}

VNC_TEST(only_what_changed_is_sent)
{
    struct world *w = world_usual();
    struct rfb c;

    CHECK(visit(&c, w));
    w->seed = 1;
    w->change = (struct rect){ 100, 50, 40, 30 };
    rfb_request(&c, true);
    CHECK(rfb_update(&c));
    CHECK_EQ(c.rects, 1);
    CHECK(c.x == 100 && c.y == 50 && c.w == 40 && c.h == 30);
    CHECK((c.pixels[60 * c.width + 110] & 0xffffff) == pattern(1, 110, 60));
    CHECK((c.pixels[10 * c.width + 110] & 0xffffff) == pattern(0, 110, 10));
    rfb_close(&c);
    world_free(w);
}

VNC_TEST(the_screen_changes_size_under_a_client)
{
    static const uint32_t sizes[][2] = { { 1024, 768 }, { 641, 479 }, { 1, 1 }, { 1600, 1200 } };
    struct world *w = world_usual();
    struct rfb c;

    CHECK(visit(&c, w));
    for (int i = 0; i < 4; i++) {
        w->width = sizes[i][0];
        w->height = sizes[i][1];
        w->seed++;
        rfb_request(&c, true);
        /* The part that was asked for before comes first, in the old size. */
        for (int n = 0; n < 3 && c.w != (int)w->width; n++)
            CHECK(rfb_update(&c));
        CHECK(shows(&c, w, w->seed));
    }
    rfb_close(&c);
    world_free(w);
}

VNC_TEST(passwords)
{
    struct world *w = world_new();
    struct vnc_options o = usual();
    struct rfb first, second;
    o.password = true;
    CHECK(world_open(w, &o) == 0);
    CHECK(!strcmp(w->info.auth, "vnc"));
    CHECK(!lets_in(w, ""));
    CHECK(!lets_in(w, NULL));
    CHECK(vnc_set_password(w->vnc, "secret", &w->err) == 0);
    CHECK(lets_in(w, "secret"));
    CHECK(!lets_in(w, "Secret"));
    CHECK_EQ(clients(w), 0);
    CHECK(vnc_set_password(w->vnc, "longer than eight", &w->err) == 0);
    CHECK(lets_in(w, "longer than nine"));

    /* One who is asked for the password already hears of the new one; who is in stays. */
    CHECK(rfb_connect(&first, &w->loop, w->info.service) && rfb_login(&first, "longer t"));
    CHECK(rfb_connect(&second, &w->loop, w->info.service));
    rfb_pump(&w->loop, 300);
    CHECK(vnc_set_password(w->vnc, "other", &w->err) == 0);
    CHECK(rfb_login(&second, "other"));
    CHECK(memcmp(first.challenge, second.challenge, 16) != 0);
    rfb_request(&first, false);
    CHECK(rfb_update(&first));
    rfb_close(&first);
    rfb_close(&second);

    CHECK(vnc_expire_password(w->vnc, time(NULL) + 100, &w->err) == 0);
    CHECK(lets_in(w, "other"));
    CHECK(vnc_expire_password(w->vnc, -1, &w->err) == 0);
    CHECK(!lets_in(w, "other"));
    CHECK(vnc_expire_password(w->vnc, 0, &w->err) == 0);
    CHECK(lets_in(w, "other"));
    CHECK(vnc_set_password(w->vnc, NULL, &w->err) == 0);
    CHECK(!lets_in(w, ""));
    world_free(w);
}

VNC_TEST(no_password_where_none_was_asked_for)
{
    struct world *w = world_usual();

    CHECK(vnc_set_password(w->vnc, "x", &w->err) == -EINVAL);
    CHECK(strstr(w->err.msg, "password=on"));
    CHECK(vnc_expire_password(w->vnc, -1, &w->err) == -EINVAL);
    world_free(w);
}

VNC_TEST(nothing_is_drawn_for_a_viewer_that_does_not_look)
{
    struct world *w = world_usual();
    struct rfb c;
    unsigned draws;
    CHECK(visit(&c, w));
    rfb_pump(&w->loop, 2200); /* no request: a minimised window */
    draws = w->draws;
    rfb_pump(&w->loop, 400);
    CHECK_EQ(w->draws, draws);
    w->seed = 7;
    rfb_request(&c, true);
    CHECK(rfb_update(&c));
    CHECK(shows(&c, w, 7));
    rfb_close(&c);
    world_free(w);
}

VNC_TEST(every_encoding_and_depth)
{
    /* Raw, RRE, CoRRE, hextile, zlib, tight, ultra, TRLE, ZRLE, ZYWRLE */
    static const int32_t encodings[] = { 0, 2, 4, 5, 6, 7, 9, 15, 16, 17 };
    static const unsigned depths[] = { 8, 16, 32 };
    struct world *w = world_usual();
    struct rfb c;
    CHECK(rfb_connect(&c, &w->loop, w->info.service) && rfb_login(&c, NULL));
    for (unsigned i = 0; i < 30; i++) {
        int32_t enc[] = { encodings[i / 3], RFB_CURSOR, RFB_SIZE, -32, -247 };
        uint8_t head[4];
        rfb_encodings(&c, enc, 5);
        rfb_pixel_format(&c, depths[i % 3]);
        rfb_request(&c, false);
        CHECK(rfb_read(&c, head, sizeof(head)) && head[0] == 0);
        CHECK(rfb_drain(&c, 100)); /* and reads the rest */
    }
    CHECK_EQ(clients(w), 1); /* it read the pixels in place and did not write there */
    rfb_close(&c);
    world_free(w);
}

/* The shape the guest gave is told; a viewer that was never told one keeps its own. */
VNC_TEST(cursor)
{
    static const int32_t enc[] = { 0, RFB_CURSOR };
    uint32_t shape[16 * 8];
    struct surface img = { 16, 8, 16 * 4, shape, -1 };
    struct world *w = world_usual();
    struct rfb c;

    for (unsigned i = 0; i < 16 * 8; i++)
        shape[i] = 0xff00ff00u + i;
    CHECK(rfb_connect(&c, &w->loop, w->info.service) && rfb_login(&c, NULL));
    rfb_encodings(&c, enc, 2);
    rfb_request(&c, false);
    CHECK(rfb_update(&c));
    CHECK_EQ(c.cursor_w, -1);
    display_cursor(w->display, &img, 3, 4);
    rfb_request(&c, true);
    CHECK(rfb_message(&c));
    CHECK_EQ(c.cursor_w, 16);
    display_cursor(w->display, NULL, 0, 0);
    rfb_request(&c, true);
    CHECK(rfb_message(&c));
    CHECK_EQ(c.cursor_w, 0);
    rfb_close(&c);
    world_free(w);
}

VNC_TEST(ports)
{
    struct world *a = world_usual(), *b = world_new();
    struct vnc_options o = usual();
    char want[16];

    o.display = (int)strtoul(a->info.service, NULL, 10) - 5900;
    o.to = 0;
    CHECK(world_open(b, &o) == -EADDRINUSE);
    CHECK(strstr(b->err.msg, "127.0.0.1") && strstr(b->err.msg, a->info.service));
    o.to = o.display + 99;
    CHECK(world_open(b, &o) == 0);
    snprintf(want, sizeof(want), "%d", 5900 + o.display);
    CHECK(strcmp(b->info.service, want) != 0);
    CHECK(lets_in(b, NULL) && lets_in(a, NULL));
    rfb_pump(&b->loop, 100);
    world_free(a);
    world_free(b);
}

VNC_TEST(hosts)
{
    static const struct {
        const char *host, *shown, *family;
    } hosts[] = { { "", "0.0.0.0", "ipv4" }, { "0.0.0.0", "0.0.0.0", "ipv4" },
                  { "::1", "::1", "ipv6" },  { "[::1]", "::1", "ipv6" },
                  { "::", "::", "ipv6" },    { "localhost", NULL, NULL } };

    for (unsigned i = 0; i < 6; i++) {
        struct world *w = world_new();
        struct vnc_options o = usual();
        int rc;
        o.host = hosts[i].host;
        rc = world_open(w, &o);
        /* A machine without IPv6 may say so; it must say it in one line. */
        CHECK(rc == 0 || (strchr(o.host, ':') && w->err.msg[0]));
        if (!rc && hosts[i].shown)
            CHECK(!strcmp(w->info.host, hosts[i].shown) &&
                  !strcmp(w->info.family, hosts[i].family));
        if (!rc && i != 2 && i != 3) /* :: takes IPv4 too */
            CHECK(lets_in(w, NULL));
        world_free(w);
    }
}

VNC_TEST(mistakes)
{
    struct world *w = world_new();
    struct vnc_options o = usual();
    char path[200];

    o.keymap = "klingon";
    CHECK(world_open(w, &o) == -EINVAL && strstr(w->err.msg, "klingon") &&
          strstr(w->err.msg, "en-us"));
    o = usual();
    o.host = "no such host.invalid";
    CHECK(world_open(w, &o) == -EINVAL && strstr(w->err.msg, o.host));
    o = usual();
    o.host = "192.0.2.1";
    CHECK(world_open(w, &o) == -EADDRNOTAVAIL);
    o = usual();
    o.display = 60000;
    CHECK(world_open(w, &o) == -EINVAL);
    o = usual();
    o.helper = "/nonexistent/portico-vnc";
    CHECK(world_open(w, &o) == -ENOENT && strstr(w->err.msg, o.helper));
    o = usual();
    memset(path, 'x', sizeof(path));
    path[0] = '/';
    path[sizeof(path) - 1] = 0;
    o.unix_path = path;
    CHECK(world_open(w, &o) == -EINVAL);
    CHECK(!w->vnc);
    vnc_query(NULL, &w->info);
    CHECK(!w->info.enabled);
    world_free(w);
}

VNC_TEST(unix_socket)
{
    char path[64];
    struct world *w = world_new(), *second = world_new();
    struct vnc_options o = usual();
    struct rfb c;
    struct stat st;

    snprintf(path, sizeof(path), "/tmp/portico-vnc-test.%d", (int)getpid());
    o.unix_path = path;
    CHECK(world_open(w, &o) == 0);
    CHECK(!strcmp(w->info.host, path) && !strcmp(w->info.family, "unix"));
    CHECK(world_open(second, &o) == -EADDRINUSE);
    CHECK(rfb_connect_unix(&c, &w->loop, path) && rfb_login(&c, NULL));
    rfb_request(&c, false);
    CHECK(rfb_update(&c) && shows(&c, w, 0));
    rfb_close(&c);
    world_free(w);
    CHECK(stat(path, &st) != 0);
    world_free(second);
}
