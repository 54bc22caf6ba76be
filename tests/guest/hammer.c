/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Several processors at different devices at once, each checking that what it reads is what it
 * wrote. A request that is lost, answered twice or answered to the wrong processor shows here.
 */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "guest.h"

struct worker {
    const char *name;
    bool (*step)(struct worker *w, unsigned i); /* false: a wrong answer */
    volatile uint64_t done, errors;
    volatile uint32_t want, got;
};

/*
 * Through /dev/port, not iopl(): that changes the task state segment at every switch of tasks, and
 * the emulated SVM of a nested lab now and then loses it (the guest dies of a triple fault, with
 * any device model).
 */
static int ports;

static void out(uint8_t value, uint16_t port)
{
    if (pwrite(ports, &value, 1, port) != 1)
        _exit(1);
}

static uint8_t in(uint16_t port)
{
    uint8_t value;

    if (pread(ports, &value, 1, port) != 1)
        _exit(1);
    return value;
}

static bool check(struct worker *w, uint32_t want, uint32_t got)
{
    if (want == got)
        return true;
    w->want = want, w->got = got;
    return false;
}

/* CMOS bytes above those that are Xen's and below those that SeaBIOS keeps things in. */
static bool step_cmos(struct worker *w, unsigned i)
{
    uint8_t index = 0x60 + i % 16, value = i * 7;

    out(index, 0x70);
    out(value, 0x71);
    out(0x50, 0x70);
    out(index, 0x70);
    return check(w, value, in(0x71));
}

/* The palette behind its three ports; entry 255 is on no text screen. */
static bool step_vga(struct worker *w, unsigned i)
{
    uint8_t rgb[3] = { i & 63, i >> 6 & 63, i >> 3 & 63 }, back[3];

    out(0xff, 0x3c8);
    for (int c = 0; c < 3; c++)
        out(rgb[c], 0x3c9);
    out(0xff, 0x3c7);
    for (int c = 0; c < 3; c++)
        back[c] = in(0x3c9);
    return check(w, rgb[0] | rgb[1] << 8 | rgb[2] << 16, back[0] | back[1] << 8 | back[2] << 16);
}

/* Text memory beyond the visible page: writes may be buffered, a read must see them all. */
static bool step_vram(struct worker *w, unsigned i)
{
    static volatile uint8_t *text;
    uint8_t want = i, at = i % 16;

    if (!text) {
        int fd = open("/dev/mem", O_RDWR | O_SYNC);

        text = mmap(NULL, 0x8000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0xb8000);
        if (text == MAP_FAILED)
            return check(w, 1, 0);
    }
    for (int j = 0; j < 16; j++)
        text[0x7000 + 2 * j] = want + j;
    return check(w, (uint8_t)(want + at), text[0x7000 + 2 * at]);
}

/* COM1's scratch register, which the driver does not use after it has found the chip. */
static bool step_uart(struct worker *w, unsigned i)
{
    uint8_t value = i * 5;

    out(value, 0x3ff);
    return check(w, value, in(0x3ff));
}

/* Vendor and device of the host bridge and of the IDE function, by turns. */
static bool step_pci(struct worker *w, unsigned i)
{
    static int fds[2];
    uint32_t id = 0;

    if (!fds[0]) {
        fds[0] = open("/sys/bus/pci/devices/0000:00:01.1/config", O_RDONLY);
        fds[1] = open("/sys/bus/pci/devices/0000:00:00.0/config", O_RDONLY);
    }
    if (pread(fds[i & 1], &id, 4, 0) != 4)
        return check(w, 4, 0);
    return check(w, i & 1 ? 0x12378086 : 0x70108086, id);
}

/* The keyboard controller: with nobody typing, neither a parity error nor a timeout. */
static bool step_ps2(struct worker *w, unsigned i)
{
    return check(w, 0, in(0x64) & 0xc0);
}

/* The disk by DMA through the driver: each MiB must read the same every time. */
static bool step_ide(struct worker *w, unsigned i)
{
    static int fd = -1;
    static uint8_t *buf, sums[16][33];
    unsigned at = i % 16;
    struct md5 m;
    char hex[33];

    if (fd < 0) {
        fd = open_disk("hda", O_RDONLY);
        buf = aligned_alloc(4096, 1 << 20);
    }
    if (pread(fd, buf, 1 << 20, (off_t)at << 20) != 1 << 20)
        return check(w, 1 << 20, 0);
    md5_init(&m);
    md5_add(&m, buf, 1 << 20);
    md5_hex(&m, hex);
    if (!sums[at][0])
        memcpy(sums[at], hex, 33);
    return check(w, 0, memcmp(sums[at], hex, 32));
}

static void work(struct worker *w, int cpu, double end)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof(set), &set);
    for (unsigned i = 0; seconds() < end; i++) {
        if (!w->step(w, i))
            w->errors++;
        w->done++;
    }
    _exit(0);
}

static bool chosen(const char *name, int argc, char **argv)
{
    for (int i = 2; i < argc; i++)
        if (!strcmp(argv[i], name))
            return true;
    return argc < 3;
}

/* hammer [SECONDS [WORKER...]] */
static void cmd_hammer(int argc, char **argv)
{
    static const struct worker workers[] = {
        { "cmos", step_cmos }, { "vga", step_vga },   { "ide", step_ide }, { "pci", step_pci },
        { "vram", step_vram }, { "uart", step_uart }, { "ps2", step_ps2 },
    };
    enum { N = sizeof(workers) / sizeof(workers[0]) };
    struct worker *w =
        mmap(NULL, sizeof(workers), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int limit = num(argc, argv, 1, 10), cpus = sysconf(_SC_NPROCESSORS_ONLN);
    uint64_t errors = 0;

    ports = open("/dev/port", O_RDWR);
    memcpy(w, workers, sizeof(workers));
    for (int i = 0; i < N; i++)
        if (chosen(w[i].name, argc, argv) && !fork())
            work(&w[i], i % cpus, seconds() + limit);
    while (wait(NULL) > 0)
        ;
    for (int i = 0; i < N; i++) {
        if (!chosen(w[i].name, argc, argv))
            continue;
        say("hammer %s done=%llu errors=%llu", w[i].name, (unsigned long long)w[i].done,
            (unsigned long long)w[i].errors);
        if (w[i].errors)
            say("hammer %s wanted %x got %x", w[i].name, w[i].want, w[i].got);
        errors += w[i].errors + !w[i].done;
    }
    say("hammer end cpus=%d errors=%llu", cpus, (unsigned long long)errors);
    munmap(w, sizeof(workers));
    close(ports);
}

/* pio [PORT [COUNT]]: what one trapped read costs. */
static void cmd_pio(int argc, char **argv)
{
    int port = argc > 1 ? (int)strtol(argv[1], NULL, 16) : 0x92, count = num(argc, argv, 2, 2000);
    double start;

    ports = open("/dev/port", O_RDWR);
    start = seconds();
    for (int i = 0; i < count; i++)
        in(port);
    say("pio %x count=%d us=%.1f", port, count, (seconds() - start) * 1e6 / count);
    close(ports);
}

const struct command hammer_commands[] = {
    { "hammer", cmd_hammer, "[SECONDS [WORKER...]]: all processors at all devices" },
    { "pio", cmd_pio, "[PORT [COUNT]]: microseconds a port read takes" },
    { 0 }
};
