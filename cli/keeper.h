/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli/keeper.h: who starts portico-dm, waits for its end and does then what
 * on_poweroff=, on_reboot= and on_crash= say.
 */
#pragma once
#include <stdbool.h>
#include <sys/types.h>
#include "cli/guest.h"
#include "cli/place.h"
#include "cli/qmp.h"

/* Files in the guest's folder, by which other processes tell the keeper what they are about. */
#define KEEPER_REBOOT  "reboot"
#define KEEPER_DESTROY "destroy"

struct keeper {
    const struct guest *g;
    const struct place *place;
    struct spot spot;
    char **line; /* of portico-dm */
    unsigned user_nics;
    int log; /* portico-dm's standard error, and what the keeper has to tell */
    pid_t pid;
    struct qmp qmp;
    long long started; /* seconds, CLOCK_MONOTONIC */
    char err[600];     /* why it did not start */
};

/* What the guest's end means. */
enum keeper_end {
    END_ASKED,    /* by the user, on the host */
    END_POWEROFF, /* by the guest */
    END_REBOOT,   /* by the guest, or `portico reboot` and then the guest's power-off */
    END_CRASH
};
/* reason: of the last SHUTDOWN event, or NULL; status: of waitpid(), 0 when it still runs. */
enum keeper_end keeper_end(const char *reason, int status, bool reboot_asked, bool destroy_asked);

/*
 * Starts portico-dm, paused, with its cards in their bridges and its VNC password set. 0, or -1
 * and a line in k->err; nothing is left running then.
 */
int keeper_start(struct keeper *k);
/* Lets the guest run. */
int keeper_go(struct keeper *k);
/* Stays with the guest until its end; returns the exit status. */
int keeper_stay(struct keeper *k);
/* A line in the guest's log. */
void keeper_say(struct keeper *k, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Opens the log of a guest of that name; that of the last start becomes NAME.log.1. */
int keeper_log(const struct place *p, const char *name, char *path, size_t size);
