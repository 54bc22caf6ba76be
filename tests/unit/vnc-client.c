/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A VNC client for tests, see the header. While it waits it runs the server's loop. */
#include "tests/unit/vnc-client.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>
#include <rfb/rfb.h>

#define PATIENCE_MS 20000

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* One turn of the loop, then a nap until the socket or the loop has something. */
static void turn(uv_loop_t *loop, int fd, short events, int ms)
{
    struct pollfd p[2] = { { uv_backend_fd(loop), POLLIN, 0 }, { fd, events, 0 } };
    int t;

    uv_run(loop, UV_RUN_NOWAIT);
    t = uv_backend_timeout(loop);
    if (t < 0 || t > ms)
        t = ms;
    poll(p, 2, t);
}

void rfb_pump(struct uv_loop_s *loop, int ms)
{
    int64_t end = now_ms() + ms;

    while (now_ms() < end)
        turn(loop, -1, 0, (int)(end - now_ms()));
    uv_run(loop, UV_RUN_NOWAIT);
}

static bool start(struct rfb *c, struct uv_loop_s *loop, int family, const void *sa, socklen_t len)
{
    *c = (struct rfb){ .loop = loop, .absolute = -1, .cursor_w = -1, .leds = -1 };
    c->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return c->fd >= 0 && connect(c->fd, sa, len) == 0;
}

bool rfb_connect(struct rfb *c, struct uv_loop_s *loop, const char *service)
{
    struct sockaddr_in sa = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)strtoul(service, NULL, 10)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    return start(c, loop, AF_INET, &sa, sizeof(sa));
}

bool rfb_connect_unix(struct rfb *c, struct uv_loop_s *loop, const char *path)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };

    memcpy(sa.sun_path, path, strlen(path));
    return start(c, loop, AF_UNIX, &sa, sizeof(sa));
}

void rfb_close(struct rfb *c)
{
    if (c->fd >= 0)
        close(c->fd);
    free(c->pixels);
    *c = (struct rfb){ .fd = -1 };
}

bool rfb_read(struct rfb *c, void *dst, size_t n)
{
    int64_t end = now_ms() + PATIENCE_MS;
    char *p = dst;

    while (n > 0 && now_ms() < end) {
        ssize_t got = recv(c->fd, p, n, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            return false;
        if (got < 0) {
            turn(c->loop, c->fd, POLLIN, 50);
            continue;
        }
        p += got;
        n -= (size_t)got;
    }
    return n == 0;
}

bool rfb_write(struct rfb *c, const void *src, size_t n)
{
    int64_t end = now_ms() + PATIENCE_MS;
    const char *p = src;

    while (n > 0 && now_ms() < end) {
        ssize_t put = send(c->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (put < 0 && errno != EAGAIN)
            return false;
        if (put < 0) {
            turn(c->loop, c->fd, POLLOUT, 50);
            continue;
        }
        p += put;
        n -= (size_t)put;
    }
    return n == 0;
}

bool rfb_ended(struct rfb *c, int ms)
{
    int64_t end = now_ms() + ms;
    char waste[65536];

    while (now_ms() < end) {
        ssize_t got = recv(c->fd, waste, sizeof(waste), MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            return true;
        if (got < 0)
            turn(c->loop, c->fd, POLLIN, 20);
    }
    return false;
}

bool rfb_drain(struct rfb *c, int quiet_ms)
{
    int64_t end = now_ms() + PATIENCE_MS, quiet = now_ms() + quiet_ms;
    char waste[65536];

    while (now_ms() < end && now_ms() < quiet) {
        ssize_t got = recv(c->fd, waste, sizeof(waste), MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN))
            return false;
        if (got > 0)
            quiet = now_ms() + quiet_ms;
        else
            turn(c->loop, c->fd, POLLIN, 10);
    }
    return true;
}

static uint32_t be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static unsigned be16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static bool security(struct rfb *c, const char *password)
{
    uint8_t n, types[255], choice = password ? 2 : 1, result[4];
    char pw[9] = { 0 };
    bool offered = false;

    if (!rfb_read(c, &n, 1) || n == 0 || !rfb_read(c, types, n))
        return false;
    for (unsigned i = 0; i < n; i++)
        offered |= types[i] == choice;
    if (!offered || !rfb_write(c, &choice, 1))
        return false;
    if (password) {
        uint8_t answer[16];
        if (!rfb_read(c, c->challenge, sizeof(c->challenge)))
            return false;
        memcpy(answer, c->challenge, sizeof(answer));
        memcpy(pw, password, strnlen(password, 8));
        rfbEncryptBytes(answer, pw);
        rfb_write(c, answer, sizeof(answer));
    }
    return rfb_read(c, result, sizeof(result)) && be32(result) == 0;
}

static void resized(struct rfb *c, unsigned w, unsigned h)
{
    c->width = w;
    c->height = h;
    free(c->pixels);
    c->pixels = calloc((size_t)w * h, 4);
}

bool rfb_login(struct rfb *c, const char *password)
{
    return rfb_login_as(c, password, true);
}

bool rfb_login_as(struct rfb *c, const char *password, bool share)
{
    uint8_t shared = share, init[24];
    char version[12];
    size_t len;

    if (!rfb_read(c, version, 12) || memcmp(version, "RFB 003.008\n", 12) != 0 ||
        !rfb_write(c, version, 12) || !security(c, password) || !rfb_write(c, &shared, 1) ||
        !rfb_read(c, init, sizeof(init)))
        return false;
    resized(c, be16(init), be16(init + 2));
    len = be32(init + 20);
    return len < sizeof(c->name) && rfb_read(c, c->name, len);
}

void rfb_encodings(struct rfb *c, const int32_t *list, unsigned n)
{
    uint8_t msg[4] = { 2, 0, 0, (uint8_t)n };

    rfb_write(c, msg, sizeof(msg));
    for (unsigned i = 0; i < n; i++) {
        uint32_t be = htonl((uint32_t)list[i]);
        rfb_write(c, &be, sizeof(be));
    }
}

void rfb_pixel_format(struct rfb *c, unsigned bits)
{
    bool deep = bits == 32;
    uint8_t msg[20] = { 0, 0, 0, 0, (uint8_t)bits, bits == 32 ? 24 : (uint8_t)bits, 0, 1 };

    msg[9] = deep ? 255 : bits == 16 ? 31 : 7;
    msg[11] = deep ? 255 : bits == 16 ? 63 : 7;
    msg[13] = deep ? 255 : bits == 16 ? 31 : 3;
    msg[14] = deep ? 16 : bits == 16 ? 11 : 0;
    msg[15] = deep ? 8 : bits == 16 ? 5 : 3;
    msg[16] = deep ? 0 : bits == 16 ? 0 : 6;
    rfb_write(c, msg, sizeof(msg));
}

void rfb_request(struct rfb *c, bool incremental)
{
    uint8_t msg[10] = { 3,
                        incremental,
                        0,
                        0,
                        0,
                        0,
                        (uint8_t)(c->width >> 8),
                        (uint8_t)c->width,
                        (uint8_t)(c->height >> 8),
                        (uint8_t)c->height };

    rfb_write(c, msg, sizeof(msg));
}

static bool read_pixels(struct rfb *c, unsigned x, unsigned y, unsigned w, unsigned h)
{
    if (x + w > c->width || y + h > c->height)
        return false;
    for (unsigned row = 0; row < h; row++) {
        if (!rfb_read(c, c->pixels + (size_t)(y + row) * c->width + x, (size_t)w * 4))
            return false;
    }
    c->rects++;
    c->x = (int)x;
    c->y = (int)y;
    c->w = (int)w;
    c->h = (int)h;
    return true;
}

static bool read_cursor(struct rfb *c, unsigned w, unsigned h)
{
    uint8_t waste[64 * 64 * 4 + 64 * 8];
    size_t len = (size_t)w * h * 4 + (size_t)((w + 7) / 8) * h;

    c->cursor_w = (int)w;
    return w <= 64 && h <= 64 && rfb_read(c, waste, len);
}

static bool read_copy(struct rfb *c, unsigned x, unsigned y, unsigned w, unsigned h)
{
    uint32_t *was;
    uint8_t from[4];
    unsigned fx, fy;

    if (!rfb_read(c, from, 4) || x + w > c->width || y + h > c->height)
        return false;
    fx = be16(from);
    fy = be16(from + 2);
    if (fx + w > c->width || fy + h > c->height)
        return false;
    was = malloc((size_t)c->width * c->height * 4);
    memcpy(was, c->pixels, (size_t)c->width * c->height * 4);
    for (unsigned i = 0; i < h; i++)
        memcpy(c->pixels + (size_t)(y + i) * c->width + x, was + (size_t)(fy + i) * c->width + fx,
               (size_t)w * 4);
    free(was);
    c->copies++;
    return true;
}

static bool read_screens(struct rfb *c)
{
    uint8_t n[4], waste[16];

    if (!rfb_read(c, n, 4))
        return false;
    for (unsigned i = 0; i < n[0]; i++) {
        if (!rfb_read(c, waste, 16))
            return false;
    }
    rfb_request(c, true); /* it stood for the pixels that were asked for */
    return true;
}

static bool read_leds(struct rfb *c)
{
    uint8_t leds;

    if (!rfb_read(c, &leds, 1))
        return false;
    c->leds = leds;
    return true;
}

static bool read_rect(struct rfb *c)
{
    uint8_t r[12];
    unsigned x, y, w, h;

    if (!rfb_read(c, r, sizeof(r)))
        return false;
    x = be16(r);
    y = be16(r + 2);
    w = be16(r + 4);
    h = be16(r + 6);
    switch ((int32_t)be32(r + 8)) {
    case 0:
        return read_pixels(c, x, y, w, h);
    case 1:
        return read_copy(c, x, y, w, h);
    case -261:
        return read_leds(c);
    case -308:
        return read_screens(c);
    case RFB_SIZE:
        resized(c, w, h);
        rfb_request(c, false);
        return true;
    case RFB_SCANCODES:
        c->scancodes = true;
        return true;
    case RFB_MOTION:
        c->absolute = (int)x;
        return true;
    case RFB_CURSOR:
        return read_cursor(c, w, h);
    default:
        return false;
    }
}

bool rfb_message(struct rfb *c)
{
    uint8_t msg[4];

    if (!rfb_read(c, msg, sizeof(msg)) || msg[0] != 0)
        return false;
    for (unsigned n = be16(msg + 2); n > 0; n--) {
        if (!read_rect(c))
            return false;
    }
    return true;
}

bool rfb_update(struct rfb *c)
{
    c->rects = 0;
    while (c->rects == 0) {
        if (!rfb_message(c))
            return false;
    }
    return true;
}

void rfb_key(struct rfb *c, uint32_t keysym, bool down)
{
    uint8_t msg[8] = { 4,
                       down,
                       0,
                       0,
                       (uint8_t)(keysym >> 24),
                       (uint8_t)(keysym >> 16),
                       (uint8_t)(keysym >> 8),
                       (uint8_t)keysym };

    rfb_write(c, msg, sizeof(msg));
}

void rfb_scancode(struct rfb *c, uint32_t keysym, uint32_t xt, bool down)
{
    uint8_t msg[12] = { 255, 0, 0, down };

    for (int i = 0; i < 4; i++) {
        msg[4 + i] = (uint8_t)(keysym >> (24 - 8 * i));
        msg[8 + i] = (uint8_t)(xt >> (24 - 8 * i));
    }
    rfb_write(c, msg, sizeof(msg));
}

void rfb_pointer(struct rfb *c, unsigned buttons, unsigned x, unsigned y)
{
    uint8_t msg[6] = { 5,          (uint8_t)buttons,  (uint8_t)(x >> 8),
                       (uint8_t)x, (uint8_t)(y >> 8), (uint8_t)y };

    rfb_write(c, msg, sizeof(msg));
}
