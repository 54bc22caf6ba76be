/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of records of a tape: their numbers, and how a person reads them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "ioreq/record-impl.h"

struct kind {
    const char *words;              /* the numbers as %PRI…64, in order */
    uint8_t numbers, given, folded; /* folded: bit n: number n is signed */
    bool bytes;
};

#define N "%" PRIu64
#define S "%" PRId64
#define X "0x%" PRIx64

static const struct kind kinds[T_KINDS] = {
    [T_IN] = { "read of port " X ", width " N, 2, 2 },
    [T_OUT] = { "write to port " X ", width " N ": " X, 3, 3 },
    [T_MEM_IN] = { "read of memory " X ", width " N, 2, 2 },
    [T_MEM_OUT] = { "write to memory " X ", width " N ": " X, 3, 3 },
    [T_CFG_IN] = { "read of PCI function " X ", register " X ", width " N, 3, 3 },
    [T_CFG_OUT] = { "write to PCI function " X ", register " X ", width " N ": " X, 4, 4 },
    [T_TIMERS] = { "timers", 0, 0 },
    [T_DISK] = { "drive " N " ends request " N " with error " N, 3, 3 },
    [T_WANTS] = { "card " N " is asked for room", 1, 1 },
    [T_FRAME] = { "card " N " gets a frame", 1, 1, 0, true },
    [T_LINK] = { "card " N ": link " N, 2, 2 },
    [T_KEY] = { "key " N ", down " N, 2, 2 },
    [T_REL] = { "pointer by " S ", " S ", wheel " S ", buttons " X, 4, 4, 7 },
    [T_ABS] = { "pointer at " N ", " N ", wheel " S ", buttons " X, 4, 4, 4 },
    [T_SERIAL] = { "input of serial port " N, 1, 1, 0, true },
    [T_RESET] = { "reset", 0, 0 },
    [T_RETRY] = { "failed disk requests are tried again", 0, 0 },
    [T_VRAM] = { "video memory, page " N, 1, 1, 0, true },
    [T_END] = { "end", 1, 1, 0, true },
    [T_ANSWER] = { "answer " X, 1, 1 },
    [T_NOW] = { "time", 1, 0, 1 },
    [T_WALL] = { "time of day", 1, 0, 1 },
    [T_READ] = { "DMA reads " X ", " N " bytes", 3, 2, 4, true },
    [T_WRITE] = { "DMA writes " X ", " N " bytes", 3, 2, 4, true },
    [T_READONLY] = { "memory " X ", " N " bytes, read-only " N, 4, 3, 8 },
    [T_RANGE] = { "window: claimed " N ", memory " N ", at " X ", " N " bytes", 5, 4, 16 },
    [T_PCI] = { "PCI: claimed " N ", function " X, 3, 2, 4 },
    [T_VRAM_ALLOC] = { "video memory of " N " bytes", 2, 1, 2 },
    [T_VRAM_PLACE] = { "video memory at " X, 2, 1, 2 },
    [T_ISA] = { "ISA interrupt " N " is " N, 2, 2 },
    [T_INTX] = { "PCI function " X ", pin " N " is " N, 3, 3 },
    [T_ROUTE] = { "PCI link " N " goes to " N, 2, 2 },
    [T_MSI] = { "MSI to " X ": " X, 2, 2 },
    [T_POWER] = { "power: " N " (off, reset, sleep, wake)", 1, 1 },
    [T_SUBMIT] = { "drive " N ": op " N " at " N ", " N " bytes", 4, 4 },
    [T_SEND] = { "card " N " sends " N " bytes", 3, 2, 0, true },
};

bool tape_kind_known(unsigned kind)
{
    return kind < T_KINDS && kinds[kind].words;
}

bool tape_from_outside(unsigned kind)
{
    return kind < T_ANSWER;
}

unsigned tape_numbers(unsigned kind)
{
    return kinds[kind].numbers;
}

unsigned tape_given(unsigned kind)
{
    return kinds[kind].given;
}

bool tape_signed(unsigned kind, unsigned number)
{
    return kinds[kind].folded >> number & 1;
}

bool tape_has_bytes(unsigned kind)
{
    return kinds[kind].bytes;
}

uint64_t tape_fold(int64_t val)
{
    return (uint64_t)val << 1 ^ (val < 0 ? ~0ULL : 0);
}

int64_t tape_unfold(uint64_t val)
{
    return (int64_t)(val >> 1 ^ (val & 1 ? ~0ULL : 0));
}

void tape_digest(struct tape_rec *r, const void *bytes, size_t len, uint8_t hash[8])
{
    const uint8_t *p = bytes;
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    r->data = p;
    r->len = (uint32_t)len;
    if (len <= TAPE_WHOLE)
        return;
    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001b3);
    for (unsigned i = 0; i < 8; i++)
        hash[i] = (uint8_t)(h >> 8 * i);
    r->data = hash;
    r->len = 8;
}

#define BYTES_SHOWN 8

void tape_words(const struct tape_rec *r, char *text, size_t size)
{
    const struct kind *k = &kinds[tape_kind_known(r->kind) ? r->kind : T_END];
    int n = snprintf(text, size, k->words, r->v[0], r->v[1], r->v[2], r->v[3]);
    size_t at = n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;

    for (uint32_t i = 0; k->bytes && i < r->len && i < BYTES_SHOWN && size - at > 8; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%02x", i ? " " : ": ", r->data[i]);
    if (k->bytes && r->len > BYTES_SHOWN && size - at > 4)
        snprintf(text + at, size - at, "...");
}
