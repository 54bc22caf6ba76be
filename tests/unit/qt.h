/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/qt.h: drive a device without a CPU, with time in the test's hand.
 *
 * TEST(name) { ... } defines a test; tests of one file make one program. Each
 * test runs twice: plainly, and with save -> destroy -> create -> load ->
 * compare after every access (turned off for a test by qt_no_reload(t), with
 * a reason). After every access state_valid() must hold. cmocka runs them.
 * plat.loop is a real loop for back ends; the configs "sink" and "file" name a
 * memory file that sunk() looks at.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "hw/core/config.h"
#include "hw/core/pci.h"
#include "hw/core/platform.h"
#include "hw/core/state.h"

#define QT_RAM (16u << 20) /* guest RAM bytes at 0; the rest is a hole */

struct qt {
    struct platform plat;
    struct device *dev; /* the (first) device under test */
    struct config cfg;  /* for the next qt_add() */
    uint8_t *ram;
    struct { /* of guest memory, since a test set them to 0 */
        uint64_t calls, bytes;
    } dma;
    bool no_pin;   /* this world lends no memory */
    unsigned pins; /* lent now; zero when a test ends */
    int64_t now;
    bool isa[16];
    bool intx[32][4];
    unsigned msis;
    unsigned link[4];
    int power; /* last enum power asked for, -1 none */
    uint8_t *vram;
    uint64_t vram_size, vram_gpa;
    uint64_t rom_at, rom_size; /* of the last chip that was shown or hidden */
    uint8_t *rom;
    bool rom_shown;
    uint64_t vram_dirty[1024]; /* set bits here to play the guest's CPU */
    bool reload;               /* this is the second run */
    struct device *devs[8];
    struct config cfgs[8]; /* of each device, for its re-creation */
    int devfns[8];
    unsigned ndevs;
    bool hurry; /* nothing of the loop needs real time: loop_step() does not wait */
    int sink_fd;
};

/* Starts a world with one device. qt_config() first if it needs telling. Freed by the runner. */
struct qt *qt_new(void);
void qt_config(struct qt *t, const char *key, const char *val);
void qt_config_obj(struct qt *t, const char *key, void *obj);
void qt_add(struct qt *t, const struct device_type *type, int devfn); /* -1: not PCI */
struct qt *qt_start(const struct device_type *type); /* qt_new + qt_add(type, pci ? 0x08 : -1) */
void qt_no_reload(struct qt *t, const char *why);

uint8_t inb(struct qt *t, uint16_t port);
uint16_t inw(struct qt *t, uint16_t port);
uint32_t inl(struct qt *t, uint16_t port);
void outb(struct qt *t, uint16_t port, uint8_t val);
void outw(struct qt *t, uint16_t port, uint16_t val);
void outl(struct qt *t, uint16_t port, uint32_t val);
uint64_t mmio_read(struct qt *t, uint64_t addr, unsigned width);
void mmio_write(struct qt *t, uint64_t addr, uint64_t val, unsigned width);
uint32_t cfg_read(struct qt *t, unsigned devfn, unsigned off, unsigned width);
void cfg_write(struct qt *t, unsigned devfn, unsigned off, uint32_t val, unsigned width);

/* Guest memory; an address past QT_RAM fails the test. */
void put32(struct qt *t, uint32_t addr, uint32_t val);
void put64(struct qt *t, uint32_t addr, uint64_t val);
uint32_t ram32(struct qt *t, uint32_t addr);
uint64_t ram64(struct qt *t, uint32_t addr);

void clock_step(struct qt *t, int64_t ns); /* runs due timers in order */
void qt_touched(struct qt *t);             /* after a direct call into a device: checks, reloads */
void loop_step(struct qt *t);              /* runs the uv loop until nothing is pending */
/*
 * Turns it until cond holds, for some 20 s at most (a machine may be busy with
 * other things); the CHECK that follows says whether it does.
 */
#define loop_until(t, cond)                                                                        \
    for (int turns_ = 0; turns_ < 6000 && !(cond); turns_++)                                       \
    loop_step(t)
bool irq(const struct qt *t, unsigned pin);
bool intx(const struct qt *t, unsigned slot, unsigned pin);
bool sunk(struct qt *t, const char *expected); /* compares and empties the mem: sink */
unsigned guest_errors(const struct qt *t);

/* Are these the bytes "e0 f0 7c"? "" for none. Says what came if not. */
bool hex_is(const char *hex, const uint8_t *bytes, unsigned n);

#define CHECK(x)       qt_check((x), #x, __FILE__, __LINE__)
#define CHECK_EQ(a, b) qt_check_eq((uint64_t)(a), (uint64_t)(b), #a " == " #b, __FILE__, __LINE__)
void qt_check(bool ok, const char *what, const char *file, int line);
void qt_check_eq(uint64_t a, uint64_t b, const char *what, const char *file, int line);

void qt_register(const char *name, void (*fn)(void));
/* Runs the tests; argv[1]: only those whose name holds it. Frees each one's worlds. */
int qt_main(int argc, char **argv);
/* For who makes worlds without a runner: frees them all. */
void qt_end(void);
#define TEST(name)                                                                                 \
    static void name(void);                                                                        \
    __attribute__((constructor)) static void reg_##name(void)                                      \
    {                                                                                              \
        qt_register(#name, name);                                                                  \
    }                                                                                              \
    static void name(void)
