/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may look, and what a client may want: sharing, sizes, lights, the clipboard, buttons, HTTP.
 */
#include <arpa/inet.h>
#include <linux/input-event-codes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "display/protocol.h"
#include "tests/unit/vnc-world.h"

#define RFB_COPY     1
#define RFB_LEDS     (-261)
#define RFB_EXT_SIZE (-308)
#define RFB_XVP      (-309)

static bool come(struct rfb *c, struct world *w, bool shared)
{
    return rfb_connect(c, &w->loop, w->info.service) && rfb_login_as(c, NULL, shared);
}

static bool still_in(struct rfb *c)
{
    rfb_request(c, false);
    return rfb_update(c);
}

static unsigned wait_clients(struct world *w, unsigned n)
{
    for (unsigned i = 0; i < 1000 && clients(w) != n; i++)
        rfb_pump(&w->loop, 10);
    return clients(w);
}

VNC_TEST(who_asks_to_be_alone_is)
{
    struct world *w = world_usual();
    struct rfb a, b, c;

    CHECK(come(&a, w, true) && come(&b, w, true));
    CHECK_EQ(wait_clients(w, 2), 2);
    CHECK(come(&c, w, false)); /* the others go */
    CHECK(rfb_ended(&a, 20000) && rfb_ended(&b, 20000));
    CHECK(still_in(&c));
    CHECK_EQ(wait_clients(w, 1), 1);
    rfb_close(&a);
    CHECK(!come(&a, w, true)); /* and nobody comes who would share */
    rfb_close(&b);
    CHECK(come(&b, w, false)); /* but who will not, takes over */
    CHECK(rfb_ended(&c, 20000) && still_in(&b));
    rfb_close(&a);
    rfb_close(&b);
    rfb_close(&c);
    world_free(w);
}

VNC_TEST(share_policies)
{
    for (unsigned i = 0; i < 2; i++) {
        struct world *w = world_new();
        struct vnc_options o = usual();
        struct rfb a, b;

        o.share = i ? VNC_IGNORE : VNC_FORCE_SHARED;
        CHECK(world_open(w, &o) == 0);
        CHECK(come(&a, w, true) && still_in(&a));
        CHECK(come(&b, w, false) == (i == 1));
        CHECK(still_in(&a));
        rfb_close(&a);
        rfb_close(&b);
        world_free(w);
    }
}

VNC_TEST(view_only)
{
    static const uint8_t cut[] = { 6, 0, 0, 0, 0, 0, 0, 2, 'h', 'i' };
    struct world *w = world_new();
    struct vnc_options o = usual();
    struct rfb c;

    o.view_only = true;
    CHECK(world_open(w, &o) == 0);
    CHECK(visit(&c, w) && shows(&c, w, 0));
    rfb_key(&c, 'a', true);
    rfb_scancode(&c, 'q', 0x1e, true);
    rfb_pointer(&c, 1, 10, 10);
    rfb_write(&c, cut, sizeof(cut));
    CHECK(still_in(&c));
    n_events(w, 0);
    CHECK_EQ(w->nevents, 0);
    CHECK(vnc_paste(w->vnc, &w->err) < 0);
    rfb_close(&c);
    world_free(w);
}

/* ---- the clipboard ---- */

VNC_TEST(a_clipboard_is_typed_when_somebody_says_so)
{
    static const uint8_t cut[] = { 6, 0, 0, 0, 0, 0, 0, 3, 'a', 'B', '\n' };
    static const struct {
        uint16_t code;
        bool down;
    } want[] = { { KEY_A, 1 }, { KEY_A, 0 },         { KEY_LEFTSHIFT, 1 }, { KEY_B, 1 },
                 { KEY_B, 0 }, { KEY_LEFTSHIFT, 0 }, { KEY_ENTER, 1 },     { KEY_ENTER, 0 } };
    struct world *w = world_usual();
    struct rfb c;

    CHECK(vnc_paste(w->vnc, &w->err) < 0 && w->err.msg[0]);
    CHECK(visit(&c, w));
    CHECK(vnc_paste(w->vnc, &w->err) < 0);
    rfb_write(&c, cut, sizeof(cut));
    for (unsigned i = 0; i < 1000 && vnc_paste(w->vnc, &w->err) < 0; i++) {
        CHECK_EQ(w->nevents, 0); /* it came, and nothing was typed */
        rfb_pump(&w->loop, 10);
    }
    n_events(w, 8);
    CHECK_EQ(w->nevents, 8);
    for (unsigned i = 0; i < 8; i++)
        CHECK(event_is(w, i, 'k', want[i].code, want[i].down, 0, 0));
    rfb_close(&c);
    world_free(w);
}

VNC_TEST(the_paste_key)
{
    static const uint8_t cut[] = { 6, 0, 0, 0, 0, 0, 0, 1, 0xe4 }; /* a umlaut, Latin-1 */
    struct world *w = world_new();
    struct vnc_options o = usual();
    struct rfb c;

    o.paste_key = true;
    o.keymap = "de";
    CHECK(world_open(w, &o) == 0 && visit(&c, w));
    rfb_write(&c, cut, sizeof(cut));
    rfb_key(&c, 0xffe3, true);
    rfb_key(&c, 0xffe9, true);
    rfb_key(&c, 'v', true);
    rfb_key(&c, 'v', false);
    n_events(w, 8);
    CHECK_EQ(w->nevents, 8);
    CHECK(event_is(w, 0, 'k', KEY_LEFTCTRL, 1, 0, 0) && event_is(w, 1, 'k', KEY_LEFTALT, 1, 0, 0));
    CHECK(event_is(w, 2, 'k', KEY_LEFTCTRL, 0, 0, 0) && event_is(w, 3, 'k', KEY_LEFTALT, 0, 0, 0));
    CHECK(event_is(w, 4, 'k', KEY_APOSTROPHE, 1, 0, 0));
    CHECK(event_is(w, 5, 'k', KEY_APOSTROPHE, 0, 0, 0));
    CHECK(event_is(w, 6, 'k', KEY_LEFTCTRL, 1, 0, 0) && event_is(w, 7, 'k', KEY_LEFTALT, 1, 0, 0));
    rfb_close(&c);
    world_free(w);
}

/* ---- what the guest tells and is told ---- */

VNC_TEST(lights)
{
    static const int32_t enc[] = { 0, RFB_LEDS };
    struct world *w = world_usual();
    struct rfb c;

    CHECK(come(&c, w, true));
    rfb_encodings(&c, enc, 2);
    rfb_request(&c, false);
    CHECK(rfb_update(&c));
    CHECK_EQ(c.leds, 0);
    display_set_leds(w->display, LED_CAPS | LED_SCROLL);
    CHECK(rfb_message(&c));
    CHECK_EQ(c.leds, LED_CAPS | LED_SCROLL);
    rfb_key(&c, 0xffb1, true); /* a digit of the keypad: the guest's NumLock is off */
    rfb_key(&c, 0xffb1, false);
    n_events(w, 4);
    CHECK(event_is(w, 0, 'k', KEY_NUMLOCK, 1, 0, 0) && event_is(w, 1, 'k', KEY_NUMLOCK, 0, 0, 0));
    CHECK(event_is(w, 2, 'k', KEY_KP1, 1, 0, 0));
    rfb_close(&c);
    world_free(w);
}

VNC_TEST(pixels_that_moved_are_copied)
{
    static const int32_t enc[] = { 0, RFB_COPY, RFB_CURSOR };
    struct world *w = world_usual();

    for (unsigned plain = 0; plain < 2; plain++) { /* without a cursor of its own: as pixels */
        struct rfb c;
        w->seed = plain;
        CHECK(come(&c, w, true));
        rfb_encodings(&c, enc, plain ? 2 : 3);
        rfb_request(&c, false);
        CHECK(rfb_update(&c));
        rfb_request(&c, true);
        rfb_pump(&w->loop, 300);
        w->copy = (struct rect){ 0, 16, 720, 384 }; /* the screen scrolls up by 16 lines */
        CHECK(rfb_message(&c));
        CHECK_EQ(c.copies, !plain);
        for (uint32_t x = 0; x < 720; x += 13)
            CHECK((c.pixels[100 * 720 + x] & 0xffffff) == pattern(plain, x, 116));
        rfb_close(&c);
        CHECK_EQ(wait_clients(w, 0), 0);
    }
    world_free(w);
}

VNC_TEST(a_size_is_passed_on)
{
    static const int32_t enc[] = { 0, RFB_EXT_SIZE };
    static const uint8_t set[] = { 251, 0, 4, 0, 3, 0, 1, 0, 0, 0, 0, 1,
                                   0,   0, 0, 0, 4, 0, 3, 0, 0, 0, 0, 0 };
    struct world *w = world_usual();
    struct rfb c;

    CHECK(come(&c, w, true));
    rfb_encodings(&c, enc, 2);
    rfb_request(&c, false);
    CHECK(rfb_update(&c));
    rfb_write(&c, set, sizeof(set));
    for (unsigned i = 0; i < 1000 && w->want_w == 0; i++)
        rfb_pump(&w->loop, 10);
    CHECK(w->want_w == 1024 && w->want_h == 768);
    rfb_close(&c);
    world_free(w);
}

static unsigned asked;

static int note_ask(void *ctx, unsigned what, char *text, size_t size)
{
    asked |= 1u << what;
    snprintf(text, size, "line one\nline two");
    return 0;
}

VNC_TEST(xvp_presses_buttons_where_that_is_allowed)
{
    static const int32_t enc[] = { 0, RFB_XVP };
    static const uint8_t reset[] = { 250, 0, 1, 4 };
    static const struct vnc_actions actions = { note_ask };

    for (unsigned i = 0; i < 2; i++) {
        struct world *w = world_new();
        struct vnc_options o = usual();
        struct rfb c;
        asked = 0;
        o.power_control = i == 1;
        o.actions = &actions;
        CHECK(world_open(w, &o) == 0 && come(&c, w, true));
        rfb_encodings(&c, enc, 2);
        rfb_write(&c, reset, sizeof(reset));
        for (unsigned n = 0; n < (i ? 1000 : 30) && !asked; n++)
            rfb_pump(&w->loop, 10);
        CHECK_EQ(asked, i ? 1u << ASK_RESET : 0);
        rfb_close(&c);
        world_free(w);
    }
}

static struct {
    unsigned n;
    enum vnc_client_is what[8];
    struct vnc_client who[8];
} guests;

static void note_client(void *ctx, enum vnc_client_is what, const struct vnc_client *who)
{
    if (guests.n == 8)
        return;
    guests.what[guests.n] = what;
    guests.who[guests.n++] = *who;
}

VNC_TEST(clients_are_told_of)
{
    static const enum vnc_client_is want[] = { VNC_CLIENT_CONNECTED, VNC_CLIENT_ADMITTED,
                                               VNC_CLIENT_GONE, VNC_CLIENT_CONNECTED,
                                               VNC_CLIENT_GONE };
    static const struct vnc_actions actions = { .client = note_client };
    struct world *w = world_new();
    struct vnc_options o = usual();
    struct rfb c;

    guests.n = 0;
    o.actions = &actions;
    CHECK(world_open(w, &o) == 0 && come(&c, w, true));
    for (unsigned i = 0; i < 1000 && guests.n < 2; i++)
        rfb_pump(&w->loop, 10);
    rfb_close(&c);
    for (unsigned i = 0; i < 1000 && guests.n < 3; i++)
        rfb_pump(&w->loop, 10);
    CHECK(rfb_connect(&c, &w->loop, w->info.service)); /* and goes without a word */
    for (unsigned i = 0; i < 1000 && guests.n < 4; i++)
        rfb_pump(&w->loop, 10);
    rfb_close(&c);
    for (unsigned i = 0; i < 1000 && guests.n < 5; i++)
        rfb_pump(&w->loop, 10);
    CHECK_EQ(guests.n, 5);
    for (unsigned i = 0; i < 5; i++) {
        CHECK_EQ(guests.what[i], want[i]);
        CHECK(!strcmp(guests.who[i].host, "127.0.0.1") && !guests.who[i].websocket);
        CHECK(!strcmp(guests.who[i].service, guests.who[i < 3 ? 0 : 3].service));
    }
    world_free(w);
}

/* ---- the web ---- */

static struct world *web_world(const char *token, bool console)
{
    static const struct vnc_actions actions = { note_ask };
    struct world *w = world_new();
    struct vnc_options o = usual();

    o.no_vnc = true;
    o.web_host = "127.0.0.1";
    o.token = token;
    o.actions = &actions;
    o.console = console;
    o.novnc = NOVNC_FAKE;
    for (o.web_port = 20000 + (int)getpid() % 20000; world_open(w, &o) != 0; o.web_port++)
        CHECK(w->err.msg[0] && o.web_port < 60000);
    return w;
}

static void http(struct rfb *c, struct world *w, const char *request, char *answer, size_t size)
{
    size_t n = 0;

    CHECK(rfb_connect(c, &w->loop, w->info.web_service));
    rfb_write(c, request, strlen(request));
    while (n + 1 < size && rfb_read(c, answer + n, 1)) {
        answer[++n] = 0;
        if (n > 4 && !strcmp(answer + n - 4, "\r\n\r\n"))
            return;
    }
}

#define UPGRADE(query, host, origin)                                                               \
    "GET /websockify" query " HTTP/1.1\r\nHost: " host "\r\nOrigin: " origin                       \
    "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"               \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: binary\r\n\r\n"

VNC_TEST(what_the_web_port_answers)
{
    static const struct {
        const char *request, *answer;
    } table[] = {
        { "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Type: text/html" },
        { "GET /console.js HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Type: text/javascript" },
        { "GET /novnc/core/rfb.js HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK" },
        { "GET /novnc/../../etc/passwd HTTP/1.1\r\n\r\n", "HTTP/1.1 404" },
        { "GET /none HTTP/1.1\r\n\r\n", "HTTP/1.1 404" },
        { "POST / HTTP/1.1\r\n\r\n", "HTTP/1.1 405" },
        { "nonsense\r\n\r\n", "HTTP/1.1 400" },
        { UPGRADE("?token=right", "h:1", "http://evil:1"), "HTTP/1.1 403" },
        { UPGRADE("?token=wrong", "h:1", "http://h:1"), "HTTP/1.1 403" },
        { UPGRADE("", "h:1", "http://h:1"), "HTTP/1.1 403" },
        { UPGRADE("?token=right", "h:1", "http://h:1"), "HTTP/1.1 101" },
    };
    struct world *w = web_world("right", true);

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char answer[2048] = "";
        struct rfb c;
        http(&c, w, table[i].request, answer, sizeof(answer));
        if (strncmp(answer, table[i].answer, strlen(table[i].answer)) != 0)
            printf("%s\ngave %s\n", table[i].request, answer);
        CHECK(!strncmp(answer, table[i].answer, strlen(table[i].answer)));
        if (!strncmp(answer, "HTTP/1.1 101", 12)) /* RFC 6455 1.3's example */
            CHECK(strstr(answer, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
        rfb_close(&c);
    }
    world_free(w);
}

/* Without a secret a stranger's name for 127.0.0.1 is not heard. */
VNC_TEST(a_page_without_a_secret_is_for_this_machine)
{
    struct world *w = web_world(NULL, true), *open = world_new();
    struct vnc_options o = usual();
    char answer[2048] = "";
    struct rfb c;

    http(&c, w, UPGRADE("", "evil.example:80", "http://evil.example:80"), answer, sizeof(answer));
    CHECK(!strncmp(answer, "HTTP/1.1 403", 12));
    rfb_close(&c);
    http(&c, w, UPGRADE("", "localhost:80", "http://localhost:80"), answer, sizeof(answer));
    CHECK(!strncmp(answer, "HTTP/1.1 101", 12));
    rfb_close(&c);
    world_free(w);
    o.console = true;
    o.web_host = "0.0.0.0";
    o.web_port = 20000;
    o.novnc = NOVNC_FAKE;
    CHECK(world_open(open, &o) < 0 && strstr(open->err.msg, "token"));
    o.web_host = "127.0.0.1";
    o.novnc = "/nowhere";
    CHECK(world_open(open, &o) < 0 && strstr(open->err.msg, "/nowhere"));
    world_free(open);
}

static void ws_send(struct rfb *c, unsigned op, const void *data, size_t len)
{
    uint8_t f[256] = { (uint8_t)(0x80 | op), (uint8_t)(0x80 | len) }; /* a mask of zeros */

    memcpy(f + 6, data, len);
    rfb_write(c, f, 6 + len);
}

/* The next frame's payload; its opcode. */
static unsigned ws_recv(struct rfb *c, char *dst, size_t size)
{
    uint8_t head[2], more[8];
    size_t len;

    memset(dst, 0, size);
    if (!rfb_read(c, head, 2))
        return 0;
    len = head[1];
    if (len == 126) {
        rfb_read(c, more, 2);
        len = (size_t)more[0] << 8 | more[1];
    }
    CHECK(len < size && rfb_read(c, dst, len));
    dst[len] = 0;
    return head[0] & 15;
}

VNC_TEST(buttons_of_the_page)
{
    struct world *w = web_world("t", true);
    char text[2048];
    struct rfb c;

    asked = 0;
    http(&c, w, UPGRADE("?token=t", "h", "http://h"), text, sizeof(text));
    CHECK(ws_recv(&c, text, sizeof(text)) == 2 && !memcmp(text, "RFB 003", 7));
    ws_send(&c, 1, "text", 4); /* before the login: not heard */
    ws_send(&c, 2, "RFB 003.008\n", 12);
    CHECK(ws_recv(&c, text, sizeof(text)) == 2);
    ws_send(&c, 2, "\1", 1);
    CHECK(ws_recv(&c, text, sizeof(text)) == 2);
    ws_send(&c, 2, "\1", 1);
    for (unsigned i = 0; i < 4 && !memmem(text, sizeof(text), "test guest", 10); i++)
        CHECK(ws_recv(&c, text, sizeof(text)) == 2);
    CHECK_EQ(asked, 0);
    ws_send(&c, 1, "text", 4);
    CHECK_EQ(ws_recv(&c, text, sizeof(text)), 1);
    CHECK(!strcmp(text, "text ok\nline one\nline two"));
    CHECK_EQ(asked, 1u << ASK_TEXT);
    ws_send(&c, 1, "reset", 5); /* power control is off here */
    CHECK_EQ(ws_recv(&c, text, sizeof(text)), 1);
    CHECK(!strncmp(text, "reset failed\n", 13));
    CHECK_EQ(asked, 1u << ASK_TEXT);
    ws_send(&c, 9, "ping", 4);
    CHECK(ws_recv(&c, text, sizeof(text)) == 10 && !strcmp(text, "ping"));
    ws_send(&c, 1, "type xy", 7);
    n_events(w, 4);
    CHECK(event_is(w, 0, 'k', KEY_X, 1, 0, 0) && event_is(w, 2, 'k', KEY_Y, 1, 0, 0));
    ws_send(&c, 8, "", 0);
    CHECK(rfb_ended(&c, 20000));
    rfb_close(&c);
    world_free(w);
}
