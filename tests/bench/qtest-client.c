/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client of tests/bench/run: starts one device model in the qtest world,
 * gives it one kind of work, and prints what that took as "name value" lines.
 *
 *   qtest-client MODE CPU PROGRAM ARGUMENT…
 *
 *   start    ns from fork to the first answer
 *   memory   PSS, RSS, private and private written KiB after the first answer
 *   fleet    PSS KiB of 50 of them at once, shared pages counted once
 *   ping1    one port read at a time;  ping64: 64 in flight
 *   pio      1 MiB by READ SECTORS
 *   dma-OP-SECTORS-MIB[-random]   so much of the disk by READ or WRITE DMA EXT (OP: read, write),
 *            so many sectors a command, in order or all over it
 *   net-CARD-WAY  frames: net-bench.c
 *   reads=N  N port reads and nothing else, for an instruction counter around PROGRAM
 *
 * Client and device model run on one CPU: a wake-up of another CPU costs more
 * than the work to be measured.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
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
#include "qtest-peer.h"

#define FLEET     50
#define PINGS     100000
#define PIO_MIB   1
#define PRD_AT    0x100000
#define PRD_BYTES 0x10000
#define BUFFER_AT 0x200000

int64_t now(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

int64_t cpu_of(pid_t pid)
{
    clockid_t clock;

    return clock_getcpuclockid(pid, &clock) ? 0 : now(clock);
}

void fail(const char *what)
{
    fprintf(stderr, "qtest-client: %s: %s\n", what, strerror(errno));
    exit(1);
}

static const char *next_line(struct peer *p)
{
    for (;;) {
        char *start = p->in + p->at, *end = memchr(start, '\n', p->len - p->at);
        ssize_t n;

        if (end) {
            *end = 0;
            p->at = end + 1 - p->in;
            return start;
        }
        memmove(p->in, start, p->len - p->at);
        p->len -= p->at;
        p->at = 0;
        n = read(p->fd, p->in + p->len, sizeof(p->in) - p->len);
        if (n <= 0)
            fail("the device model has ended");
        p->len += n;
    }
}

void say(struct peer *p, const char *text, size_t len)
{
    while (len) {
        ssize_t n = write(p->fd, text, len);

        if (n <= 0)
            fail("write");
        text += n;
        len -= n;
    }
}

/* Interrupt messages are counted in *raised, when the line is `irq`. */
const char *answer(struct peer *p, const char *irq, unsigned *raised)
{
    const char *line;

    while (!strncmp(line = next_line(p), "IRQ ", 4)) {
        if (irq && !strncmp(line + 4, "raise ", 6) && !strcmp(line + 10, irq))
            ++*raised;
    }
    if (strncmp(line, "OK", 2)) {
        fprintf(stderr, "qtest-client: answered \"%s\"\n", line);
        exit(1);
    }
    return line;
}

void ask(struct peer *p, const char *request)
{
    say(p, request, strlen(request));
    say(p, "\n", 1);
    answer(p, NULL, NULL);
}

/* ---- starting one ---- */

static void run(const char *path, char **cmd)
{
    char *argv[256], where[128];
    int n = 0;

    prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive a client that failed */
    snprintf(where, sizeof(where), "unix:%s", path);
    while (*cmd && n < 248)
        argv[n++] = *cmd++;
    argv[n++] = "-accel";
    argv[n++] = "qtest";
    argv[n++] = "-qtest";
    argv[n++] = where;
    argv[n++] = "-qtest-log";
    argv[n++] = "/dev/null";
    argv[n] = NULL;
    execv(argv[0], argv);
    fail(argv[0]);
}

void start(struct peer *p, char **cmd)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct pollfd waits = { .fd = listener, .events = POLLIN };

    memset(p, 0, sizeof(*p));
    snprintf(addr.sun_path, sizeof(addr.sun_path), "/tmp/qtest-client-%d", getpid());
    unlink(addr.sun_path);
    if (bind(listener, (struct sockaddr *)&addr, sizeof(addr)) || listen(listener, 1))
        fail(addr.sun_path);
    p->started = now(CLOCK_MONOTONIC);
    p->pid = fork();
    if (p->pid == 0)
        run(addr.sun_path, cmd);
    while (poll(&waits, 1, 100) == 0) {
        if (waitpid(p->pid, NULL, WNOHANG) > 0) {
            fprintf(stderr, "qtest-client: %s did not start\n", cmd[0]);
            exit(1);
        }
    }
    p->fd = accept(listener, NULL, NULL);
    if (p->fd < 0)
        fail("accept");
    ask(p, "endianness");
    p->answered = now(CLOCK_MONOTONIC);
    close(listener);
    unlink(addr.sun_path);
}

void end(struct peer *p)
{
    kill(p->pid, SIGTERM);
    waitpid(p->pid, NULL, 0);
    close(p->fd);
}

/* ---- memory ---- */

static long rollup(pid_t pid, const char *key)
{
    char path[64], line[128];
    long sum = 0, kib;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
    f = fopen(path, "r");
    if (!f)
        fail(path);
    while (fgets(line, sizeof(line), f)) {
        if (!strncmp(line, key, strlen(key)) && sscanf(strchr(line, ':') + 1, "%ld", &kib) == 1)
            sum += kib;
    }
    fclose(f);
    return sum;
}

static void memory(char **cmd)
{
    struct peer p;

    start(&p, cmd);
    printf("pss_kib %ld\nrss_kib %ld\nprivate_kib %ld\ndirty_kib %ld\n", rollup(p.pid, "Pss:"),
           rollup(p.pid, "Rss:"), rollup(p.pid, "Private_"), rollup(p.pid, "Private_Dirty:"));
    end(&p);
}

static void fleet(char **cmd)
{
    static struct peer p[FLEET];
    int64_t began = now(CLOCK_MONOTONIC);
    long pss = 0;

    for (unsigned i = 0; i < FLEET; i++)
        start(&p[i], cmd);
    printf("fleet_ms %lld\n", (long long)(now(CLOCK_MONOTONIC) - began) / 1000000);
    for (unsigned i = 0; i < FLEET; i++)
        pss += rollup(p[i].pid, "Pss:");
    printf("fleet_pss_kib %ld\n", pss);
    for (unsigned i = 0; i < FLEET; i++)
        end(&p[i]);
}

/* ---- port reads ---- */

static void ping(char **cmd, unsigned depth)
{
    static char batch[64 * 16];
    struct peer p;
    int64_t began, cpu;
    size_t len = 0;

    for (unsigned i = 0; i < depth; i++)
        len += snprintf(batch + len, sizeof(batch) - len, "inb 0x3f6\n");
    start(&p, cmd);
    began = now(CLOCK_MONOTONIC);
    cpu = cpu_of(p.pid);
    for (unsigned i = 0; i < PINGS; i += depth) {
        say(&p, batch, len);
        for (unsigned k = 0; k < depth; k++)
            answer(&p, NULL, NULL);
    }
    printf("ping%u_ns %.1f\nping%u_cpu_ns %.1f\n", depth,
           (double)(now(CLOCK_MONOTONIC) - began) / PINGS, depth,
           (double)(cpu_of(p.pid) - cpu) / PINGS);
    end(&p);
}

static void reads(char **cmd, unsigned n)
{
    struct peer p;

    start(&p, cmd);
    for (unsigned i = 0; i < n; i++)
        ask(&p, "inb 0x3f6");
    end(&p);
}

/* ---- the disk ---- */

static size_t command(char *to, size_t size, uint64_t lba, unsigned count, uint8_t cmd)
{
    return snprintf(to, size,
                    "outb 0x1f6 0xe0\n"
                    "outb 0x1f2 %u\noutb 0x1f2 %u\noutb 0x1f3 %u\noutb 0x1f3 %u\n"
                    "outb 0x1f4 %u\noutb 0x1f4 %u\noutb 0x1f5 %u\noutb 0x1f5 %u\noutb 0x1f7 %u\n",
                    count >> 8 & 255, count & 255, (unsigned)(lba >> 24) & 255, (unsigned)lba & 255,
                    (unsigned)(lba >> 32) & 255, (unsigned)(lba >> 8) & 255,
                    (unsigned)(lba >> 40) & 255, (unsigned)(lba >> 16) & 255, cmd);
}

void config(struct peer *p, unsigned devfn, unsigned off, const char *op, uint32_t val)
{
    char text[96];

    snprintf(text, sizeof(text), "outl 0xcf8 0x%x", 0x80000000u | devfn << 8 | (off & 0xfc));
    ask(p, text);
    snprintf(text, sizeof(text), "%s 0xcfc 0x%x", op, val);
    ask(p, text);
}

/* A PRD table for so many bytes, 64 KiB an entry. */
static void set_up_dma(struct peer *p, unsigned bytes)
{
    char text[64];

    config(p, 9, 0x20, "outl", 0xc001);
    config(p, 9, 0x04, "outw", 5);
    for (unsigned at = 0; at < bytes; at += PRD_BYTES) {
        unsigned entry = PRD_AT + at / PRD_BYTES * 8, left = bytes - at;

        snprintf(text, sizeof(text), "writel 0x%x 0x%x", entry, BUFFER_AT + at);
        ask(p, text);
        snprintf(text, sizeof(text), "writel 0x%x 0x%x", entry + 4,
                 (left > PRD_BYTES ? 0 : 0x80000000u) | (left >= PRD_BYTES ? 0 : left));
        ask(p, text);
    }
    snprintf(text, sizeof(text), "outl 0xc004 0x%x", PRD_AT);
    ask(p, text);
    ask(p, "irq_intercept_in ioapic");
}

static unsigned count_lines(const char *text)
{
    unsigned n = 0;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

/* One command: all its register writes in one go, then its interrupt, then the end of it. */
static void dma_command(struct peer *p, uint64_t lba, unsigned sectors, bool writes)
{
    static const char finish[] = "inb 0x1f7\ninb 0xc002\noutb 0xc000 0x0\noutb 0xc002 0x4\n";
    char text[512];
    size_t len = snprintf(text, sizeof(text), "outb 0xc000 0x%x\n", writes ? 0 : 8);
    unsigned raised = 0, lines;

    len += command(text + len, sizeof(text) - len, lba, sectors, writes ? 0x35 : 0x25);
    len += snprintf(text + len, sizeof(text) - len, "outb 0xc000 0x%x\n", writes ? 1 : 9);
    lines = count_lines(text);
    say(p, text, len);
    while (lines--)
        answer(p, "14", &raised);
    while (!raised) {
        const char *line = next_line(p);

        raised += !strcmp(line, "IRQ raise 14");
    }
    say(p, finish, sizeof(finish) - 1);
    if (strtoul(answer(p, NULL, NULL) + 2, NULL, 16) & 0x81) {
        fprintf(stderr, "qtest-client: the command failed\n");
        exit(1);
    }
    for (unsigned i = 0; i < 3; i++)
        answer(p, NULL, NULL);
}

/* mode: "dma-read-128-64", "dma-write-8-4-random". The name stands before each figure. */
static void dma(char **cmd, const char *mode)
{
    char op[8] = "", order[8] = "";
    unsigned sectors = 0, mib = 0, n;
    struct peer p;
    int64_t began, cpu;
    double s;

    if (sscanf(mode, "dma-%7[a-z]-%u-%u-%7s", op, &sectors, &mib, order) < 3 || !sectors ||
        sectors > 2048)
        exit(2);
    n = mib * 2048 / sectors;
    start(&p, cmd);
    set_up_dma(&p, sectors * 512);
    began = now(CLOCK_MONOTONIC);
    cpu = cpu_of(p.pid);
    for (unsigned i = 0; i < n; i++) { /* a prime step meets every place once */
        uint64_t at = *order ? i * 7919ull % n : i;

        dma_command(&p, at * sectors, sectors, *op == 'w');
    }
    s = (now(CLOCK_MONOTONIC) - began) / 1e9;
    printf("%s_mib_s %.1f\n%s_iops %.0f\n", mode, mib / s, mode, n / s);
    printf("%s_cpu_ms_gib %.1f\n", mode, (cpu_of(p.pid) - cpu) / 1e6 * 1024 / mib);
    end(&p);
}

static void pio(char **cmd)
{
    static char block[128 * 16];
    struct peer p;
    int64_t began, cpu;
    size_t len = 0;

    for (unsigned i = 0; i < 128; i++)
        len += snprintf(block + len, sizeof(block) - len, "inl 0x1f0\n");
    start(&p, cmd);
    began = now(CLOCK_MONOTONIC);
    cpu = cpu_of(p.pid);
    for (unsigned i = 0; i < PIO_MIB * 2048; i++) {
        char text[512];

        size_t n = command(text, sizeof(text), i, 1, 0x24);

        say(&p, text, n);
        for (unsigned k = count_lines(text); k; k--)
            answer(&p, NULL, NULL);
        do
            say(&p, "inb 0x3f6\n", 10);
        while (strtoul(answer(&p, NULL, NULL) + 2, NULL, 16) & 0x80);
        say(&p, block, len);
        for (unsigned k = 0; k < 128; k++)
            answer(&p, NULL, NULL);
        ask(&p, "inb 0x1f7");
    }
    printf("pio_mib_s %.2f\n", PIO_MIB * 1e9 / (now(CLOCK_MONOTONIC) - began));
    printf("pio_cpu_ms_mib %.1f\n", (cpu_of(p.pid) - cpu) / 1e6 / PIO_MIB);
    end(&p);
}

static void only_start(char **cmd)
{
    struct peer p;

    start(&p, cmd);
    printf("start_us %.1f\n", (p.answered - p.started) / 1e3);
    end(&p);
}

int main(int argc, char **argv)
{
    cpu_set_t one;

    if (argc < 4) {
        fprintf(stderr, "usage: qtest-client MODE CPU PROGRAM ARGUMENT...\n");
        return 2;
    }
    CPU_ZERO(&one);
    CPU_SET(atoi(argv[2]), &one);
    sched_setaffinity(0, sizeof(one), &one);
    signal(SIGPIPE, SIG_IGN);
    if (!strcmp(argv[1], "start"))
        only_start(argv + 3);
    else if (!strcmp(argv[1], "memory"))
        memory(argv + 3);
    else if (!strcmp(argv[1], "fleet"))
        fleet(argv + 3);
    else if (!strncmp(argv[1], "ping", 4))
        ping(argv + 3, atoi(argv[1] + 4));
    else if (!strncmp(argv[1], "reads=", 6))
        reads(argv + 3, atoi(argv[1] + 6));
    else if (!strncmp(argv[1], "dma-", 4))
        dma(argv + 3, argv[1]);
    else if (!strncmp(argv[1], "net-", 4))
        net_bench(argv[1] + 4, argv + 3);
    else if (!strcmp(argv[1], "pio"))
        pio(argv + 3);
    else
        return 2;
    return 0;
}
