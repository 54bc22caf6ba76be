/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A very small VNC viewer for tests. Static, so that it runs in dom0 as well as on the host.
 *   vnc HOST:PORT ACTION...      actions are done in turn on one connection:
 *     key KEYSYM     press and release, hexadecimal X keysym
 *     type TEXT      each character as a key
 *     move X Y       pointer to there        click N   button N down and up
 *     wait MS        let time pass
 *     shot FILE      the whole screen as a PNG picture
 *     bars           succeed when the six bars of the test guest are to be seen
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct vnc {
    int fd;
    uint16_t w, h, x, y;
    uint32_t *pixels;
};

static void die(const char *why)
{
    fprintf(stderr, "vnc: %s\n", why);
    exit(1);
}

static void get(struct vnc *v, void *buf, size_t len)
{
    for (uint8_t *p = buf; len;) {
        ssize_t n = read(v->fd, p, len);

        if (n <= 0)
            die("the server hung up or went silent");
        p += n, len -= n;
    }
}

static void put(struct vnc *v, const void *buf, size_t len)
{
    if (write(v->fd, buf, len) != (ssize_t)len)
        die("cannot write to the server");
}

static uint32_t be(const uint8_t *p, int n)
{
    uint32_t v = 0;

    while (n--)
        v = v << 8 | *p++;
    return v;
}

static void skip(struct vnc *v, uint32_t len)
{
    uint8_t c;

    while (len--)
        get(v, &c, 1);
}

static void dial(struct vnc *v, char *where)
{
    struct timeval patience = { .tv_sec = 20 };
    struct sockaddr_in a = { .sin_family = AF_INET };
    char *port = strrchr(where, ':');

    if (!port)
        die("HOST:PORT expected");
    *port++ = 0;
    a.sin_port = htons(atoi(port));
    if (inet_pton(AF_INET, where, &a.sin_addr) != 1)
        die("bad address");
    v->fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(v->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(v->fd, (struct sockaddr *)&a, sizeof(a)))
        die("cannot connect");
}

/* RFB 3.8 without a password; asks for 32-bit pixels, raw encoding and desktop-size notes. */
static void handshake(struct vnc *v)
{
    static const uint8_t format[20] = { 0, 0,   0, 0,   32, 24, 0, 1, 0, 255,
                                        0, 255, 0, 255, 16, 8,  0, 0, 0, 0 };
    static const uint8_t encodings[12] = { 2, 0, 0, 2, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x21 };
    uint8_t b[256];

    get(v, b, 12);
    put(v, "RFB 003.008\n", 12);
    get(v, b, 1);
    if (!b[0])
        die("the server refuses");
    get(v, b + 1, b[0]);
    if (!memchr(b + 1, 1, b[0]))
        die("the server wants a password");
    put(v, "\1", 1);
    get(v, b, 4);
    if (be(b, 4))
        die("not let in");
    put(v, "\1", 1);
    get(v, b, 24);
    v->w = be(b, 2);
    v->h = be(b + 2, 2);
    skip(v, be(b + 20, 4));
    put(v, format, sizeof(format));
    put(v, encodings, sizeof(encodings));
    v->pixels = calloc((size_t)v->w * v->h + 1, 4);
}

static void rectangle(struct vnc *v, int *raw)
{
    uint8_t b[12];
    unsigned x, y, w, h;

    get(v, b, 12);
    x = be(b, 2), y = be(b + 2, 2), w = be(b + 4, 2), h = be(b + 6, 2);
    if (be(b + 8, 4) == 0xffffff21) {
        v->w = w, v->h = h;
        free(v->pixels);
        v->pixels = calloc((size_t)w * h + 1, 4);
        return;
    }
    if (be(b + 8, 4) != 0 || x + w > v->w || y + h > v->h)
        die("an encoding or a place nobody asked for");
    for (unsigned i = 0; i < h; i++)
        get(v, v->pixels + (size_t)(y + i) * v->w + x, (size_t)w * 4);
    *raw = 1;
}

/* Asks for the whole screen and reads until pixels have come. */
static void refresh(struct vnc *v)
{
    int raw = 0;

    while (!raw) {
        uint8_t ask[10] = { 3, 0, 0, 0, 0, 0, v->w >> 8, v->w, v->h >> 8, v->h }, b[8];

        put(v, ask, sizeof(ask));
        get(v, b, 1);
        switch (b[0]) {
        case 0:
            get(v, b, 3);
            for (unsigned n = be(b + 1, 2); n; n--)
                rectangle(v, &raw);
            break;
        case 1:
            get(v, b, 5);
            skip(v, be(b + 3, 2) * 6);
            break;
        case 2:
            break;
        case 3:
            get(v, b, 7);
            skip(v, be(b + 3, 4));
            break;
        default:
            die("a message nobody knows");
        }
    }
}

static void key(struct vnc *v, uint32_t sym)
{
    for (int down = 1; down >= 0; down--) {
        uint8_t m[8] = { 4, down, 0, 0, sym >> 24, sym >> 16, sym >> 8, sym };

        put(v, m, sizeof(m));
        usleep(30000);
    }
}

static void pointer(struct vnc *v, uint8_t buttons)
{
    uint8_t m[6] = { 5, buttons, v->x >> 8, v->x, v->y >> 8, v->y };

    put(v, m, sizeof(m));
    usleep(30000);
}

static uint32_t crc_of(const uint8_t *p, size_t len)
{
    uint32_t c = ~0u;

    while (len--) {
        c ^= *p++;
        for (int k = 0; k < 8; k++)
            c = c >> 1 ^ (c & 1 ? 0xedb88320 : 0);
    }
    return ~c;
}

static uint8_t *be32(uint8_t *p, uint32_t v)
{
    for (int s = 24; s >= 0; s -= 8)
        *p++ = v >> s;
    return p;
}

/* data starts with the chunk's four-letter name. */
static void png_chunk(FILE *f, const uint8_t *data, size_t len)
{
    uint8_t b[4];

    be32(b, len - 4);
    fwrite(b, 4, 1, f);
    fwrite(data, len, 1, f);
    be32(b, crc_of(data, len));
    fwrite(b, 4, 1, f);
}

/* A PNG of stored blocks, one for each line: big, but it needs no library. */
static void shot(struct vnc *v, const char *path)
{
    FILE *f = fopen(path, "wb");
    size_t line;
    uint8_t head[17] = "IHDR", *data, *p;
    uint32_t a = 1, b = 0;

    refresh(v);
    line = 1 + (size_t)v->w * 3;
    data = malloc(4 + 2 + (5 + line) * v->h + 4);
    if (!f || !data || line > 0xffff)
        die("cannot write the picture");
    memcpy(be32(be32(head + 4, v->w), v->h), "\10\2\0\0\0", 5);
    p = (uint8_t *)memcpy(data, "IDAT\x78\1", 6) + 6;
    for (unsigned y = 0; y < v->h; y++) {
        uint8_t *start;

        *p++ = y == v->h - 1u;
        *p++ = line, *p++ = line >> 8, *p++ = ~line, *p++ = ~line >> 8;
        start = p;
        *p++ = 0;
        for (unsigned x = 0; x < v->w; x++) {
            uint32_t c = v->pixels[(size_t)y * v->w + x];

            *p++ = c >> 16, *p++ = c >> 8, *p++ = c;
        }
        for (; start < p; start++)
            a = (a + *start) % 65521, b = (b + a) % 65521;
    }
    p = be32(p, b << 16 | a);
    fwrite("\x89PNG\r\n\x1a\n", 8, 1, f);
    png_chunk(f, head, sizeof(head));
    png_chunk(f, data, p - data);
    png_chunk(f, (const uint8_t *)"IEND", 4);
    fclose(f);
    free(data);
}

/* Red, green, blue, magenta, cyan, white side by side, each at least sixteen pixels wide. */
static int bars(struct vnc *v)
{
    static const uint8_t want[] = { 4, 2, 1, 5, 3, 7 };

    refresh(v);
    for (unsigned y = 0; y < v->h; y++) {
        unsigned at = 0, run = 0;

        for (unsigned x = 0; x < v->w; x++) {
            uint32_t p = v->pixels[(size_t)y * v->w + x];
            uint8_t c = (p >> 23 & 1) << 2 | (p >> 15 & 1) << 1 | (p >> 7 & 1);

            if (c == want[at])
                run++;
            else if (run >= 16 && at < 5 && c == want[at + 1])
                at++, run = 1;
            else
                at = run = 0;
            if (at == 5 && run >= 16)
                return 0;
        }
    }
    return 1;
}

static int act(struct vnc *v, char **a)
{
    const char *arg = a[1] ? a[1] : "";

    if (!strcmp(a[0], "key")) {
        key(v, strtoul(arg, NULL, 16));
    } else if (!strcmp(a[0], "type")) {
        for (; *arg; arg++)
            key(v, *arg == '\n' ? 0xff0d : (uint8_t)*arg);
    } else if (!strcmp(a[0], "move") && a[1] && a[2]) {
        v->x = atoi(a[1]), v->y = atoi(a[2]);
        pointer(v, 0);
        return 3;
    } else if (!strcmp(a[0], "click")) {
        pointer(v, 1 << (atoi(arg) - 1));
        pointer(v, 0);
    } else if (!strcmp(a[0], "wait")) {
        usleep(atoi(arg) * 1000);
    } else if (!strcmp(a[0], "shot")) {
        shot(v, arg);
    } else if (!strcmp(a[0], "bars")) {
        if (bars(v))
            die("the six bars are not on the screen");
        return 1;
    } else {
        die("unknown action");
    }
    return 2;
}

int main(int argc, char **argv)
{
    struct vnc v = { 0 };
    int n;

    if (argc < 2)
        die("usage: vnc HOST:PORT ACTION...");
    dial(&v, argv[1]);
    handshake(&v);
    for (int i = 2; i < argc; i += n)
        n = act(&v, argv + i);
    return 0;
}
