/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/qmp-rig.h: a server of the control protocol with two sockets and
 * a fake guest behind it, and clients that turn its loop while they wait.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "control/qmp.h"
#include "tests/unit/fake-vm.h"

#define VERSION                                                                                    \
    "{\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7}, \"package\": "                        \
    "\"Portico " PORTICO_VERSION "\"}"
#define GREETING "{\"QMP\": {\"version\": " VERSION ", \"capabilities\": []}}\r\n"
#define OK(id)   "{\"return\": {}, \"id\": " id "}\r\n"

struct rig {
    struct fake *f;
    struct qmp *q;
    char dir[32], cmd[64], stat[64]; /* the two sockets */
};

struct client {
    struct rig *r;
    int fd;
    char *in;
    size_t len, cap;
    bool eof;
};

/* more: '|' separated arguments behind those of a guest with a disk, a CD and two CPUs of four. */
struct rig *rig_new(const char *more);
void rig_free(struct rig *r);
void rig_free_with(struct rig *r, const char *file); /* and a file that is in its directory */
void rig_dir(struct rig *r); /* only the directory, of a rig the test makes itself */
void turn(struct rig *r);    /* the loop, once */

struct client *dial(struct rig *r, const char *path);
struct client *libxl(struct rig *r); /* connected and negotiated, as libxl does it */
void hang_up(struct client *c);
void slurp(struct client *c); /* takes what there is to read */
/* Turns the loop until `text` is in what came, or the peer hung up, or 5 s. */
bool await(struct client *c, const char *text);
bool got(struct client *c, const char *text); /* it is exactly this; forget it */
bool had(struct client *c, const char *text); /* this is in it; forget it */
void say(struct client *c, const char *text);
void say_with_fds(struct client *c, const char *text, const int *fds, unsigned n);

double seconds(void);
bool is_open(int fd);
unsigned open_fds(void);
int temp_file(struct rig *r, const char *name, const char *text, char path[64]);
