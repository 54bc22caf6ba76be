/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli/verbs.h: the verbs of portico. argv[0] is the verb; each returns the
 * exit status: 0, 1 when it failed, 2 when it was asked wrongly.
 */
#pragma once
#include <stdbool.h>
#include "cli/place.h"
#include "cli/qmp.h"

int verb_create(int argc, char **argv);
int verb_check(int argc, char **argv);
int verb_list(int argc, char **argv);
int verb_info(int argc, char **argv);
int verb_uptime(int argc, char **argv);
int verb_top(int argc, char **argv);
int verb_dmesg(int argc, char **argv);
int verb_domid(int argc, char **argv);
int verb_domname(int argc, char **argv);
int verb_rename(int argc, char **argv);
int verb_pause(int argc, char **argv);
int verb_unpause(int argc, char **argv);
int verb_shutdown(int argc, char **argv);
int verb_reboot(int argc, char **argv);
int verb_destroy(int argc, char **argv);
int verb_trigger(int argc, char **argv);
int verb_console(int argc, char **argv);
int verb_vncviewer(int argc, char **argv);
int verb_cd_insert(int argc, char **argv);
int verb_cd_eject(int argc, char **argv);
int verb_block_list(int argc, char **argv);
int verb_network_list(int argc, char **argv);
int verb_screenshot(int argc, char **argv);
int verb_monitor(int argc, char **argv);

#define ANSWER_MS 30000 /* how long a verb waits for portico-dm */

/* A running guest with a connection to its control socket. */
struct target {
    struct place place;
    struct spot spot;
    json_t *facts;
    struct qmp qmp;
};
/* By name or number. 0, or 1 with a line; target_close() in both cases. connect false: no socket.
 */
int target_open(struct target *t, const char *name, bool connect);
void target_close(struct target *t);
/* qmp_do() with a line when it fails: "NAME: why". args is taken. 0 or 1. */
int target_do(struct target *t, const char *verb, json_t *args);
/* The value of "return", or NULL and a line. */
json_t *target_call(struct target *t, const char *verb, json_t *args);

/*
 * The options of a verb: letters as for getopt(), flags[i] for the i-th of them ("--json" is j).
 * The names of long options are those of the verb's table. Returns the index of the first word
 * behind them, or -1 with a line when there are fewer than `least` or more than `most`.
 */
int words(int argc, char **argv, const char *letters, bool *flags, int least, int most);

/* "r-----", "--p---", … of query-status' answer, as xl shows it. */
const char *state_letters(const char *status);
/* CPU seconds and resident KiB of a process; 0 where it is not there. */
double process_seconds(long long pid);
long process_rss(long long pid);

/*
 * Connects this terminal to a serial port of the guest, until Ctrl-] or the guest's end; go: lets
 * the guest run when connected.
 */
int console_attach(const struct place *p, const char *name, unsigned port, bool go);
/* Starts a VNC viewer in the background; only a line when there is none. */
void view_start(const struct place *p, const char *name);
