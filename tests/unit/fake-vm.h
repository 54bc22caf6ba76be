/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/fake-vm.h: a guest that is not there, for the verbs of the
 * control protocol: every call is written down, answers are set by the test.
 * Stands in for control/vm.c, the display and the VNC server.
 */
#pragma once
#include <stdbool.h>
#include <uv.h>
#include "control/vm.h"

struct fake {
    struct vm vm; /* first */
    uv_loop_t loop;
    char log[8192]; /* "cont; key 30 1; …" since the last fake_log() */
    size_t log_len;
    bool cpu[128];
    bool foreign;     /* power is the hypervisor's */
    bool locked;      /* the guest locked its tray */
    const char *fail; /* the next vm_* or vnc_* call fails with this line */
    const char *serial0;
    const char *text;       /* of the screen; NULL: graphics */
    struct surface surface; /* width 0: there is no picture */
    bool vnc_enabled;
    char saved[16]; /* what vm_save() writes */
};

/* args: '|' separated, as for args_parse(). The drives are not opened. */
struct fake *fake_new(const char *args);
void fake_free(struct fake *f); /* runs the loop until all handles are closed */
bool fake_log(struct fake *f, const char *expected); /* compares and empties */
