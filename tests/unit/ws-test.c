/* SPDX-License-Identifier: GPL-2.0-or-later */
/* WebSocket frames and HTTP heads: the examples of RFC 6455, and what nobody should send. */
#include "display/vnc/ws.h"
#include <string.h>
#include "tests/unit/qt.h"
#include "tests/unit/random.h"

struct heard {
    char text[64], ping[128];
    unsigned texts, pings;
    size_t ping_len;
};

static void on_text(void *ctx, const char *text, size_t len)
{
    struct heard *h = ctx;

    h->texts++;
    snprintf(h->text, sizeof(h->text), "%.*s", (int)len, text);
}

static void on_ping(void *ctx, const uint8_t *data, size_t len)
{
    struct heard *h = ctx;

    h->pings++;
    memcpy(h->ping, data, len);
    h->ping_len = len;
}

static const struct ws_events events = { on_text, on_ping };

/* One client frame with the mask of RFC 6455 5.7's example. */
static size_t frame(uint8_t *to, unsigned first, const char *data, size_t len)
{
    static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
    size_t at = 0;

    to[at++] = (uint8_t)first;
    if (len < 126) {
        to[at++] = (uint8_t)(0x80 | len);
    } else {
        to[at++] = 0x80 | 126;
        to[at++] = (uint8_t)(len >> 8);
        to[at++] = (uint8_t)len;
    }
    memcpy(to + at, mask, 4);
    at += 4;
    for (size_t i = 0; i < len; i++)
        to[at + i] = (uint8_t)data[i] ^ mask[i & 3];
    return at + len;
}

TEST(frames_in_pieces_of_every_size)
{
    uint8_t in[1024], out[1024];
    size_t n = 0;
    char big[300];

    memset(big, 'b', sizeof(big));
    n += frame(in + n, 0x82, "Hello", 5);
    n += frame(in + n, 0x01, "te", 2); /* a text in two frames, a ping between them */
    n += frame(in + n, 0x89, "pp", 2);
    n += frame(in + n, 0x80, "xt", 2);
    n += frame(in + n, 0x82, "", 0);
    n += frame(in + n, 0x82, big, sizeof(big));
    n += frame(in + n, 0x8a, "", 0);
    for (size_t step = 1; step <= n; step++) {
        struct ws_decoder d = { 0 };
        struct heard h = { 0 };
        size_t got = 0;
        for (size_t at = 0; at < n; at += step) {
            size_t part = n - at < step ? n - at : step;
            ssize_t r = ws_decode(&d, in + at, part, out + got, &events, &h);
            CHECK(r >= 0 && (size_t)r <= part);
            got += (size_t)r;
        }
        CHECK(got == 5 + sizeof(big) && !memcmp(out, "Hellobbb", 8));
        CHECK(h.texts == 1 && !strcmp(h.text, "text"));
        CHECK(h.pings == 1 && h.ping_len == 2 && !memcmp(h.ping, "pp", 2));
    }
}

static bool refused(const uint8_t *in, size_t n)
{
    struct ws_decoder d = { 0 };
    uint8_t out[64 << 10];

    return ws_decode(&d, in, n, out, &events, &(struct heard){ 0 }) < 0;
}

TEST(what_breaks_the_protocol)
{
    static uint8_t in[64 << 10];
    static char big[20 << 10];
    static const uint8_t unmasked[] = { 0x82, 1, 'x', 0, 0, 0 };
    static const uint8_t huge[] = { 0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
    static const uint8_t long_ping[] = { 0x89, 0xfe, 0, 126, 0, 0, 0, 0 };

    CHECK(refused(unmasked, sizeof(unmasked)));
    CHECK(refused(huge, sizeof(huge)));
    CHECK(refused(long_ping, sizeof(long_ping)));
    CHECK(refused(in, frame(in, 0xc2, "x", 1))); /* a reserved bit */
    CHECK(refused(in, frame(in, 0x83, "x", 1))); /* no such opcode */
    CHECK(refused(in, frame(in, 0x09, "x", 1))); /* a ping in pieces */
    CHECK(refused(in, frame(in, 0x80, "x", 1))); /* the rest of nothing */
    CHECK(refused(in, frame(in, 0x88, "", 0)));  /* goodbye */
    memset(big, 't', sizeof(big));
    CHECK(refused(in, frame(in, 0x81, big, sizeof(big))));
    CHECK(!refused(in, frame(in, 0x82, big, sizeof(big))));
}

TEST(noise_never_grows)
{
    uint64_t seed = 7;
    static uint8_t in[4096], out[4096];

    for (unsigned i = 0; i < 3000; i++) {
        struct ws_decoder d = { 0 };
        for (size_t k = 0; k < sizeof(in); k++)
            in[k] = (uint8_t)rnd(&seed);
        in[0] = (uint8_t)(i % 2 ? 0x82 : 0x81);
        in[1] |= 0x80;
        CHECK(ws_decode(&d, in, sizeof(in), out, &events, &(struct heard){ 0 }) <=
              (ssize_t)sizeof(in));
    }
}

TEST(heads_of_frames)
{
    uint8_t h[10];

    CHECK(ws_head(h, WS_BINARY, 125) == 2 && h[0] == 0x82 && h[1] == 125);
    CHECK(ws_head(h, WS_TEXT, 126) == 4 && h[0] == 0x81 && h[1] == 126 && h[2] == 0 && h[3] == 126);
    CHECK(ws_head(h, WS_BINARY, 65536) == 10 && h[1] == 127 && h[7] == 1 && h[8] == 0);
}

static const char upgrade[] = "GET /websockify?x=1&token=a%20b%2Fc HTTP/1.1\r\n"
                              "Host: server.example.com:5700\r\nUpgrade: WebSocket\r\n"
                              "Connection: keep-alive, Upgrade\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                              "Origin: http://server.example.com:5700\r\n"
                              "Sec-WebSocket-Protocol: chat, binary\r\n"
                              "Sec-WebSocket-Version: 13\r\n\r\nrest";

TEST(a_request)
{
    struct http_request r;
    size_t head = sizeof(upgrade) - 1 - 4;

    for (size_t n = 0; n < head; n++)
        CHECK_EQ(http_parse(upgrade, n, &r), 0);
    CHECK_EQ(http_parse(upgrade, sizeof(upgrade) - 1, &r), head);
    CHECK(!strcmp(r.method, "GET") && !strcmp(r.path, "/websockify"));
    CHECK(!strcmp(r.token, "a b/c") && !strcmp(r.host, "server.example.com:5700"));
    CHECK(!strcmp(r.origin, "http://server.example.com:5700"));
    CHECK(r.upgrade && r.binary && !r.close && !r.has_body);
    CHECK(!strcmp(r.key, "dGhlIHNhbXBsZSBub25jZQ=="));
}

static ssize_t parse_text(const char *text, struct http_request *r)
{
    return http_parse(text, strlen(text), r);
}

TEST(requests_that_are_none)
{
    struct http_request r;
    static char big[HTTP_HEAD_MAX + 1];

    CHECK(parse_text("RFB 003.008\n", &r) == -1);
    CHECK(parse_text("\026\003\001\n", &r) == -1);
    CHECK(parse_text("GET http://x/ HTTP/1.1\r\n\r\n", &r) == -1);
    CHECK(parse_text("GET / HTTP/2.0\r\n\r\n", &r) == -1);
    CHECK(parse_text("GET /\r\n\r\n", &r) == -1);
    CHECK(parse_text("LONGMETHOD / HTTP/1.1\r\n\r\n", &r) == -1);
    CHECK(http_parse("GET /\0 HTTP/1.1\r\n\r\n", 19, &r) == -1);
    memset(big, 'a', sizeof(big));
    CHECK(http_parse(big, HTTP_HEAD_MAX, &r) == -1);
    memcpy(big, "GET /", 5);
    memcpy(big + 1000, " HTTP/1.1\r\n\r\n", 13);
    CHECK(http_parse(big, 1013, &r) == -1); /* a path of 995 characters */
    CHECK(parse_text("GET / HTTP/1.0\r\n\r\n", &r) > 0 && r.close && !r.upgrade);
    CHECK(parse_text("POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", &r) > 0 && r.has_body);
}
