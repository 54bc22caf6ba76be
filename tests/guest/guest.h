/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest side of the lab's tests: one static program that is the test guest's init. It takes
 * commands, one a line, on its serial port (and on its keyboard), and answers with lines that
 * start with "PORTICO-GUEST: ".
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct command {
    const char *name;
    void (*run)(int argc, char **argv);
    const char *help;
};

extern const struct command disk_commands[], verify_commands[], input_commands[], hammer_commands[],
    fuzz_commands[], net_commands[], pv_commands[];

/* A whole answer line: to the serial port and to the screen. */
__attribute__((format(printf, 1, 2))) void say(const char *fmt, ...);

double seconds(void);
int num(int argc, char **argv, int i, int otherwise);
bool slurp(const char *path, char *buf, size_t size); /* first line, without its newline */
void load_modules(const char *names, const char *libata_options);
void unload_ata(void);

int open_disk(const char *hd, int flags); /* "hda" to "hdd", O_DIRECT; -1: it has been said why */

struct md5 {
    uint32_t s[4];
    uint64_t len;
    uint8_t buf[64];
};
void md5_init(struct md5 *m);
void md5_add(struct md5 *m, const void *data, size_t len);
void md5_hex(struct md5 *m, char out[33]);
