/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fuzzer as a Linux program; see fuzz.h. Needs iomem=relaxed on the kernel's command line. */
#include <fcntl.h>
#include <sys/io.h>
#include <sys/mman.h>
#include "fuzz.h"
#include "guest.h"

static volatile void *fuzz_mem(struct fuzz *f, uint32_t addr)
{
    static volatile uint8_t *legacy, *bar[64];
    static int fd = -1;

    if (fd < 0) {
        fd = open("/dev/mem", O_RDWR | O_SYNC);
        legacy = mmap(NULL, 0x20000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0xa0000);
        for (unsigned i = 0; i < f->nbars; i++)
            bar[i] = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, f->bars[i]);
    }
    if (addr >= 0xa0000 && addr < 0xc0000)
        return legacy == MAP_FAILED ? NULL : legacy + (addr - 0xa0000);
    for (unsigned i = 0; i < f->nbars; i++)
        if (addr >= f->bars[i] && addr - f->bars[i] < 0x1000 && bar[i] != MAP_FAILED)
            return bar[i] + (addr - f->bars[i]);
    return NULL;
}

/* fuzz [SECONDS [SEED [WILD]]] */
static void cmd_fuzz(int argc, char **argv)
{
    struct fuzz f = { .rng = 0x9e3779b97f4a7c15ull * (num(argc, argv, 2, 1) * 2 + 1),
                      .wild = num(argc, argv, 3, 0) };
    double end = seconds() + num(argc, argv, 1, 10);

    iopl(3);
    fuzz_find_bars(&f);
    say("fuzz start bars=%u", f.nbars);
    while (seconds() < end)
        for (int i = 0; i < 100; i++)
            fuzz_step(&f);
    say("fuzz end count=%llu", (unsigned long long)f.count);
}

const struct command fuzz_commands[] = {
    { "fuzz", cmd_fuzz, "[SECONDS [SEED [WILD]]]: random accesses to all devices" }, { 0 }
};
