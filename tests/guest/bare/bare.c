/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The fuzzer without an operating system. It starts seconds after the firmware, nothing in it can
 * be confused by an interrupt, and when it has destroyed itself little is lost. It talks through
 * port e9, which is Xen's own: no device it torments can silence it.
 */
#include <stddef.h>
#include "fuzz.h"

extern const uint32_t parameters[2];
extern char __start_bss[], __end_bss[];

void bare_main(void);
void *memset(void *p, int c, size_t n);
void *memcpy(void *to, const void *from, size_t n);

void *memset(void *p, int c, size_t n)
{
    for (char *q = p; n; n--)
        *q++ = c;
    return p;
}

void *memcpy(void *to, const void *from, size_t n)
{
    char *q = to;

    for (const char *r = from; n; n--)
        *q++ = *r++;
    return to;
}

static volatile void *fuzz_mem(struct fuzz *f, uint32_t addr)
{
    return (volatile void *)addr;
}

static void put(const char *text)
{
    for (; *text; text++)
        io_write(0xe9, *text, 1);
}

static void put_number(uint32_t n)
{
    char digits[12], *p = digits + sizeof(digits) - 1;

    *p = 0;
    do
        *--p = '0' + n % 10;
    while (n /= 10);
    put(p);
}

static void progress(const char *what, uint32_t n)
{
    put("PORTICO-BARE: ");
    put(what);
    put_number(n);
    put("\n");
}

/* Registers that remember: 0 when each of them still says what was written. */
static int remembered(uint32_t n)
{
    io_write(0x70, 0x60, 1);
    if (io_read(0x71, 1) != (n & 0xff))
        return 0x71;
    if (io_read(0x3ff, 1) != (n & 0xff))
        return 0x3ff;
    io_write(0x3c7, 0xff, 1);
    for (int c = 0; c < 3; c++)
        if (io_read(0x3c9, 1) != ((n + c) & 63))
            return 0x3c9;
    io_write(0xcf8, 0x80000900 | 0x40, 4); /* the IDE function's timing register */
    if ((io_read(0xcfc, 2) & 0x8000) == 0)
        return 0xcfc;
    return 0;
}

static void remember(uint32_t n)
{
    io_write(0x70, 0x60, 1);
    io_write(0x71, n, 1);
    io_write(0x3ff, n, 1);
    io_write(0x3c8, 0xff, 1);
    for (int c = 0; c < 3; c++)
        io_write(0x3c9, (n + c) & 63, 1);
    io_write(0xcf8, 0x80000900 | 0x40, 4);
    io_write(0xcfc, 0x8000, 2);
}

/* For save and restore: writes registers and sees that they stay, for ever. */
static void steady(void)
{
    for (uint32_t n = 1;; n++) {
        int wrong;

        remember(n);
        for (int i = 0; i < 100; i++) {
            wrong = remembered(n);
            if (wrong)
                progress("forgotten=", wrong);
        }
        progress("steady=", n);
    }
}

void bare_main(void)
{
    static struct fuzz f;
    uint32_t next = 0;

    memset(__start_bss, 0, __end_bss - __start_bss);
    f.rng = 0x9e3779b97f4a7c15ull * (parameters[0] * 2ull + 1);
    f.wild = parameters[1] == 1;
    if (parameters[1] == 2)
        steady();
    fuzz_find_bars(&f);
    progress("start bars=", f.nbars);
    for (;;) {
        fuzz_step(&f);
        if ((uint32_t)f.count >= next) {
            progress("count=", f.count);
            next = f.count + 250;
        }
    }
}
