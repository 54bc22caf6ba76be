/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/monitor-mem.c: the human monitor's looks at guest memory and ports.
 * Addresses are physical: CPUs, and what they make of addresses, are elsewhere.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "control/monitor-impl.h"

#define ITEMS_MAX 4096

struct format {
    unsigned long count;
    char letter; /* x d u o c */
    unsigned width;
};

/* "/4xw": a count, a letter, a width of b h w g, in any order but the count first. */
static bool parse_format(struct line *l, struct format *f, unsigned *next)
{
    const char *p = l->word[1];
    char *end;

    *next = 1;
    if (*p != '/')
        return true;
    *next = 2;
    if (isdigit((unsigned char)*++p)) {
        f->count = strtoul(p, &end, 10);
        p = end;
    }
    for (; *p; p++) {
        static const char widths[] = "bhwg";
        const char *w = strchr(widths, *p);

        if (w)
            f->width = 1u << (w - widths);
        else if (strchr("xduoc", *p))
            f->letter = *p;
        else
            break;
    }
    if (!*p && f->count && f->count <= ITEMS_MAX)
        return true;
    fprintf(l->out, "invalid format '%s': /COUNT x|d|u|o|c b|h|w|g, at most %d\n", l->word[1],
            ITEMS_MAX);
    return false;
}

static bool parse_address(struct line *l, unsigned i, uint64_t *out)
{
    char *end;

    if (i >= l->n) {
        fprintf(l->out, "%s: an address is missing\n", l->word[0]);
        return false;
    }
    *out = strtoull(l->word[i], &end, 0);
    if (end != l->word[i] && !*end)
        return true;
    fprintf(l->out, "invalid address '%s'\n", l->word[i]);
    return false;
}

static uint64_t little_endian(const uint8_t *p, unsigned width)
{
    uint64_t val = 0;

    for (unsigned i = 0; i < width; i++)
        val |= (uint64_t)p[i] << (8 * i);
    return val;
}

static void print_item(struct line *l, const struct format *f, uint64_t val)
{
    int64_t as_signed = (int64_t)(val << (64 - 8 * f->width)) >> (64 - 8 * f->width);

    switch (f->letter) {
    case 'd':
        fprintf(l->out, " %lld", (long long)as_signed);
        break;
    case 'u':
        fprintf(l->out, " %llu", (unsigned long long)val);
        break;
    case 'o':
        fprintf(l->out, " 0%llo", (unsigned long long)val);
        break;
    case 'c':
        fprintf(l->out, " '%c'", val >= ' ' && val < 127 ? (char)val : '.');
        break;
    default:
        fprintf(l->out, " 0x%0*llx", (int)f->width * 2, (unsigned long long)val);
    }
}

static void cmd_xp(struct line *l)
{
    struct platform *p = l->c->vm->plat;
    struct format f = { 1, 'x', 4 };
    uint64_t addr;
    unsigned at;

    if (!parse_format(l, &f, &at) || !parse_address(l, at, &addr))
        return;
    for (unsigned long i = 0; i < f.count; i++, addr += f.width) {
        uint8_t bytes[8];

        if (i % (16 / f.width) == 0)
            fprintf(l->out, "%s%016llx:", i ? "\n" : "", (unsigned long long)addr);
        if (!p || !p->ops->mem_read || p->ops->mem_read(p, addr, bytes, f.width)) {
            fprintf(l->out, " Cannot access memory");
            break;
        }
        print_item(l, &f, little_endian(bytes, f.width));
    }
    fputc('\n', l->out);
}

static void cmd_x(struct line *l)
{
    fprintf(l->out, "x: there is no CPU here to translate addresses; use xp\n");
}

/* "i /b 0x64", "o /b 0x80 1" */
static void port_io(struct line *l, bool write)
{
    struct format f = { 1, 'x', 1 };
    struct io_req req = { .space = IO_PORT, .write = write };
    uint64_t port, val = 0;
    unsigned at;

    if (!parse_format(l, &f, &at) || !parse_address(l, at, &port) ||
        (write && !parse_address(l, at + 1, &val)))
        return;
    if (!l->c->vm->plat || f.width > 4) {
        fprintf(l->out, "%s: ports have a width of b, h or w\n", l->word[0]);
        return;
    }
    req.width = f.width;
    req.addr = port & 0xffff;
    req.data = val & (UINT64_C(0xffffffff) >> (32 - 8 * f.width));
    platform_io(l->c->vm->plat, &req);
    if (!write)
        fprintf(l->out, "port%c[0x%04x] = 0x%0*llx\n", "bw l"[f.width - 1], (unsigned)req.addr,
                (int)f.width * 2, (unsigned long long)req.data);
}

static void cmd_in(struct line *l)
{
    port_io(l, false);
}

static void cmd_out(struct line *l)
{
    port_io(l, true);
}

const struct command monitor_mem_commands[] = {
    { "xp", "[/FMT] ADDR", "show guest memory", cmd_xp, 1 },
    { "x", "[/FMT] ADDR", "says what to use instead", cmd_x, 0 },
    { "i", "[/FMT] PORT", "read a port as the guest would", cmd_in, 1 },
    { "o", "[/FMT] PORT VALUE", "write a port as the guest would", cmd_out, 2 },
    { NULL, NULL, NULL, NULL, 0 },
};
