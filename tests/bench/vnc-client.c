/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client of tests/bench/run-vnc: starts a device model in the qtest world,
 * is its CPU and its viewer, and measures. The same bytes go to both programs:
 *
 *   vnc-client ENCODING WIDTH HEIGHT PROGRAM ARGS...
 *
 * ENCODING is raw or tight. Printed, a figure a line: latency_us (median of the
 * time from a guest's write of one pixel until the client has it),
 * latency_p99_us, updates_s (whole new screens that the client got in a
 * second, each drawn when the last has arrived), cpu_ms and bytes (of each of
 * those; CPU of the program with its helpers). The screens are made of a
 * gradient, flat areas and lines of something like text.
 *
 * The guest's screens lie in video memory one behind the other, and a new one
 * is shown by moving the start of the picture (VBE_DISPI_INDEX_Y_OFFSET): the
 * protocol's bytes are no part of what is measured. Latencies: the pixel is
 * written at odd moments, 20 to 120 ms after the last, as a guest would.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#define FB        0xe0000000u
#define LATENCIES 150
#define SECONDS   4
#define CFG(reg)  (0x80000000u | 2u << 11 | (reg))

static int qtest = -1, rfb = -1;
static uint8_t *screen;
static unsigned width, height;
static uint64_t received;
static bool tight;

static void die(const char *what)
{
    fprintf(stderr, "vnc-client: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* ---- the guest ---- */

static void put_all(int fd, const void *data, size_t len)
{
    const char *p = data;

    while (len > 0) {
        ssize_t n = write(fd, p, len);
        if (n <= 0)
            die("write");
        p += n;
        len -= (size_t)n;
    }
}

static void ok(void)
{
    char c, first = 0;

    do {
        if (read(qtest, &c, 1) != 1)
            die("the device model ended");
        first = first ? first : c;
    } while (c != '\n');
    if (first != 'O') {
        fprintf(stderr, "vnc-client: qtest refused\n");
        exit(1);
    }
}

static void ask(const char *fmt, ...)
{
    char line[256];
    va_list ap;

    va_start(ap, fmt);
    put_all(qtest, line, (size_t)vsnprintf(line, sizeof(line), fmt, ap));
    va_end(ap);
    ok();
}

static void config(unsigned reg, uint32_t val)
{
    ask("outl 0xcf8 0x%x\n", CFG(reg));
    ask("outl 0xcfc 0x%x\n", val);
}

static void vbe(unsigned index, unsigned val)
{
    ask("outw 0x1ce 0x%x\n", index);
    ask("outw 0x1cf 0x%x\n", val);
}

static void set_mode(void)
{
    config(0x10, FB);
    config(0x04, 3);
    ask("outb 0x3c0 0x20\n"); /* the picture is on */
    vbe(4, 0);
    vbe(1, width);
    vbe(2, height);
    vbe(3, 32);
    vbe(4, 0x41);
}

/* A desktop of sorts: a gradient, a window with lines of text, flat borders. */
static uint32_t pixel(unsigned frame, unsigned x, unsigned y)
{
    unsigned wx = x * 100 / width, wy = y * 100 / height;

    if (wx > 15 && wx < 85 && wy > 15 && wy < 85) {
        uint32_t cell = (x / 9 * 7919u + y / 16 * 104729u + frame * 31337u) * 2654435761u;
        bool ink = (cell >> (x % 9 + y % 16)) & 1;
        return ink && y % 16 > 2 && y % 16 < 14 && cell % 5 ? 0x101010 : 0xf0f0f0;
    }
    if (wy < 8)
        return 0x204060 + frame;
    return (x * 255 / width) << 16 | (y * 255 / height) << 8 | (frame * 40 & 255);
}

static void draw(unsigned frame)
{
    static const char digits[] = "0123456789abcdef";
    size_t row = (size_t)width * 4;
    char *line = malloc(row * 2 + 64);

    for (unsigned y = 0; y < height; y++) {
        int n = sprintf(line, "write 0x%x 0x%zx 0x",
                        (unsigned)(FB + ((size_t)frame * height + y) * row), row);
        for (unsigned x = 0; x < width; x++) {
            uint32_t p = pixel(frame, x, y);
            for (unsigned b = 0; b < 4; b++, p >>= 8) {
                line[n++] = digits[p >> 4 & 15];
                line[n++] = digits[p & 15];
            }
        }
        line[n++] = '\n';
        put_all(qtest, line, (size_t)n);
        ok();
    }
    free(line);
}

/* ---- the viewer ---- */

static void get(void *dst, size_t len)
{
    char *p = dst;

    received += len;
    while (len > 0) {
        ssize_t n = read(rfb, p, len);
        if (n <= 0)
            die("the viewer's connection ended");
        p += n;
        len -= (size_t)n;
    }
}

static unsigned get16(void)
{
    uint8_t b[2];

    get(b, 2);
    return (unsigned)b[0] << 8 | b[1];
}

static uint32_t get32(void)
{
    uint32_t hi = get16();

    return hi << 16 | get16();
}

static void request(bool incremental)
{
    uint8_t m[10] = { 3, incremental };

    m[6] = (uint8_t)(width >> 8);
    m[7] = (uint8_t)width;
    m[8] = (uint8_t)(height >> 8);
    m[9] = (uint8_t)height;
    put_all(rfb, m, sizeof(m));
}

static z_stream streams[4];
static bool inflating[4];

static size_t compact(void)
{
    uint8_t b;
    size_t len;

    get(&b, 1);
    len = b & 0x7f;
    if (b & 0x80) {
        get(&b, 1);
        len |= (size_t)(b & 0x7f) << 7;
        if (b & 0x80) {
            get(&b, 1);
            len |= (size_t)b << 14;
        }
    }
    return len;
}

/* Tight's filters turn into pixels here only as far as this measures: the bytes are inflated. */
static void inflate_basic(unsigned stream, size_t len)
{
    static uint8_t in[4 << 20], out[16 << 20];
    z_stream *z = &streams[stream];

    if (len < 12) {
        get(in, len);
        memcpy(screen, in, len);
        return;
    }
    len = compact();
    get(in, len);
    if (!inflating[stream])
        inflateInit(z);
    inflating[stream] = true;
    z->next_in = in;
    z->avail_in = (unsigned)len;
    z->next_out = out;
    z->avail_out = sizeof(out);
    inflate(z, Z_SYNC_FLUSH);
    memcpy(screen, out, 4);
}

static void tight_rect(unsigned w, unsigned h)
{
    static uint8_t waste[4 << 20];
    uint8_t control, filter = 0, n;
    size_t len = (size_t)w * h * 3;

    get(&control, 1);
    for (unsigned i = 0; i < 4; i++) {
        if ((control & 1u << i) && inflating[i]) {
            inflateEnd(&streams[i]);
            inflating[i] = false;
            memset(&streams[i], 0, sizeof(streams[i]));
        }
    }
    control >>= 4;
    if (control == 8) { /* one colour */
        get(screen, 3);
        return;
    }
    if (control == 9) { /* JPEG */
        get(waste, compact());
        return;
    }
    if (control & 4)
        get(&filter, 1);
    if (filter == 1) { /* palette */
        get(&n, 1);
        get(waste, (n + 1u) * 3);
        len = n == 1 ? (size_t)((w + 7) / 8) * h : (size_t)w * h;
    }
    inflate_basic(control & 3, len);
}

static void raw_rect(unsigned x, unsigned y, unsigned w, unsigned h)
{
    if (x == 0 && w == width) {
        get(screen + (size_t)y * width * 4, (size_t)w * h * 4);
        return;
    }
    for (unsigned i = 0; i < h; i++)
        get(screen + ((size_t)(y + i) * width + x) * 4, (size_t)w * 4);
}

/* One update; how many pixels it had. */
static size_t update(void)
{
    uint8_t type, pad;
    size_t area = 0;
    unsigned rects;

    get(&type, 1);
    get(&pad, 1);
    if (type != 0)
        die("not an update");
    rects = get16();
    for (unsigned i = 0; i < rects; i++) {
        unsigned x = get16(), y = get16(), w = get16(), h = get16();
        int32_t enc = (int32_t)get32();
        if (enc == -224) /* the last rectangle */
            break;
        if (enc == -223) {
            request(false);
            continue;
        }
        if (enc == 0)
            raw_rect(x, y, w, h);
        else if (enc == 7)
            tight_rect(w, h);
        else
            die("an encoding nobody asked for");
        area += (size_t)w * h;
    }
    return area;
}

static bool readable(int ms)
{
    struct pollfd p = { rfb, POLLIN, 0 };

    return poll(&p, 1, ms) > 0;
}

static int dial(const char *path)
{
    struct sockaddr_un sa = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
    for (unsigned i = 0; i < 2000; i++) {
        if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
            return fd;
        usleep(5000);
    }
    die(path);
    return -1;
}

static void login(const char *path)
{
    static const uint32_t encodings[] = { 0,
                                          7,
                                          0xffffffe7 /* quality 7 */,
                                          0xffffff02 /* level 2 */,
                                          0xffffff21 /* size */,
                                          0xffffff20 /* last rect */ };
    uint8_t b[64], n, format[20] = { 0, 0, 0, 0, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0 };
    uint8_t set[4] = { 2, 0, 0, 0 };
    unsigned count = tight ? 5 : 3;

    rfb = dial(path);
    get(b, 12);
    put_all(rfb, "RFB 003.008\n", 12);
    get(&n, 1);
    get(b, n);
    put_all(rfb, "\001", 1);
    if (get32() != 0)
        die("not let in");
    put_all(rfb, "\001", 1);
    get(b, 20);
    get(b, get32() % sizeof(b));
    put_all(rfb, format, sizeof(format));
    set[3] = (uint8_t)count;
    put_all(rfb, set, sizeof(set));
    for (unsigned i = 0; i < count; i++) {
        uint32_t e = htonl(tight ? encodings[i + 1] : encodings[i ? i + 3 : 0]);
        put_all(rfb, &e, 4);
    }
}

/* ---- what is measured ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static void settle(void)
{
    request(true);
    while (readable(700)) {
        update();
        request(true);
    }
}

static void latency(void)
{
    double t[LATENCIES];

    settle(); /* and a request is waiting */
    for (unsigned i = 0; i < LATENCIES; i++) {
        unsigned at = (i * 37 % height) * width + i * 101 % width;
        double begin;

        usleep(20000 + i * 7919u % 100000);
        begin = now();
        ask("writel 0x%x 0x%x\n", FB + at * 4, 0x800000 + i);
        while (update() == 0)
            request(true);
        t[i] = now() - begin;
        request(true);
    }
    qsort(t, LATENCIES, sizeof(t[0]), by_value);
    printf("latency_us %.0f\nlatency_p99_us %.0f\n", t[LATENCIES / 2] * 1e6,
           t[LATENCIES * 99 / 100] * 1e6);
}

/* User and system time of a process, all of its threads; ms. */
static double cpu_of(pid_t pid)
{
    char path[64], text[1024];
    unsigned long user = 0, sys = 0;
    const char *p;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    f = fopen(path, "r");
    if (!f)
        return 0;
    text[fread(text, 1, sizeof(text) - 1, f)] = 0;
    fclose(f);
    p = strrchr(text, ')');
    if (p)
        sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &sys);
    return (user + sys) * 1000.0 / sysconf(_SC_CLK_TCK);
}

static double cpu(pid_t pid)
{
    char path[64], list[1024] = "";
    double sum = cpu_of(pid);
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
    f = fopen(path, "r");
    if (f) {
        list[fread(list, 1, sizeof(list) - 1, f)] = 0;
        fclose(f);
    }
    for (char *p = list, *end; *p; p = end) {
        long child = strtol(p, &end, 10);
        if (end == p)
            break;
        sum += cpu_of((pid_t)child);
    }
    return sum;
}

static void throughput(pid_t pid, unsigned frames)
{
    double begin, took, before;
    uint64_t bytes;
    unsigned n = 0;

    settle();
    before = cpu(pid);
    bytes = received;
    begin = now();
    while ((took = now() - begin) < SECONDS) {
        size_t area = 0;

        vbe(9, ++n % frames * height);
        while (area < (size_t)width * height * 9 / 10) {
            area += update();
            request(true);
        }
    }
    printf("updates_s %.1f\ncpu_ms %.2f\nbytes %.0f\n", n / took, (cpu(pid) - before) / n,
           (double)(received - bytes) / n);
}

static pid_t start(char **argv)
{
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execvp(argv[0], argv);
        _exit(127);
    }
    return pid;
}

int main(int argc, char **argv)
{
    const char *dir = getenv("BENCH_DIR");
    char path[256];
    unsigned frames;
    pid_t pid;

    if (argc < 5 || !dir) {
        fprintf(stderr, "usage: BENCH_DIR=… vnc-client raw|tight WIDTH HEIGHT PROGRAM ARGS...\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    tight = !strcmp(argv[1], "tight");
    width = (unsigned)strtoul(argv[2], NULL, 10);
    height = (unsigned)strtoul(argv[3], NULL, 10);
    screen = calloc((size_t)width * height + 16, 4);
    frames = (unsigned)((32u << 20) / (width * height * 4));
    frames = frames > 4 ? 4 : frames;
    pid = start(argv + 4);
    snprintf(path, sizeof(path), "%s/qtest", dir);
    qtest = dial(path);
    set_mode();
    for (unsigned i = 0; i < frames; i++)
        draw(i);
    snprintf(path, sizeof(path), "%s/vnc", dir);
    login(path);
    request(false);
    while (update() == 0)
        ;
    latency();
    throughput(pid, frames);
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    return 0;
}
