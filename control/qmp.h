/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/qmp.h: the control protocol, in the dialect libxl, xentop and
 * scripts speak to qemu-xen: a JSON object a command, a JSON line a reply
 * (docs/qmp.md). It listens on every chardev that a -mon names; any number of
 * clients may be connected. The verbs (qmp-*.c) see the guest only through
 * control/vm.h, the display and the block layer.
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <uv.h>
#include "hw/core/err.h"

#define QMP_MESSAGE_MAX (1u << 20) /* bytes of one command; more closes the connection */
#define QMP_DEPTH_MAX   64         /* of objects and arrays in each other */
#define QMP_CLIENTS_MAX 8          /* at a time on one socket; more are hung up on */
#define QMP_OUT_MAX     (4u << 20) /* bytes a client may leave unread before it is dropped */

struct chardev_arg;
struct qmp;
struct vm;
struct vm_drive;
struct vm_node;
struct block;

/*
 * Listens on the chardevs with `monitor` set (a path, where a stale socket is
 * removed first, or an inherited descriptor, owned from here on) and answers
 * for vm, which must outlive it; vm->qmp is set. NULL and a line in err on
 * failure.
 */
struct qmp *qmp_new(uv_loop_t *loop, struct vm *vm, const struct chardev_arg *chardevs, unsigned n,
                    struct err *err);

/*
 * Hangs up, stops listening and removes the socket files. NULL is fine. The
 * memory goes when the loop next turns: run it once more before closing it.
 */
void qmp_free(struct qmp *q);

/*
 * Tells every client that has negotiated: {"timestamp": …, "event": name,
 * "data": data}. data is taken over and may be NULL; q may be NULL. The verbs
 * themselves send STOP, RESUME and DEVICE_TRAY_MOVED for what they change;
 * what the guest does (SHUTDOWN, RESET, SUSPEND, its own tray) is for the caller.
 */
void qmp_event(struct qmp *q, const char *name, json_t *data);

/* The chardev with wait=on that no client has come to yet, as query-chardev calls it; or NULL. */
const char *qmp_awaited(const struct qmp *q);
/* Held clients are greeted and wait for everything else. q may be NULL. */
void qmp_hold_clients(struct qmp *q, bool held);
/* Answers vm->preconfig_exit, if there is one. rc: 0, or there is no machine. */
void qmp_preconfig_done(struct vm *vm, int rc);

/* {"device": …, "id": …, "tray-open": open}: the data of DEVICE_TRAY_MOVED. */
json_t *qmp_tray_data(struct vm *vm, const struct vm_drive *d, bool open);
/* The node of blockdev-add that b is; NULL: it is a drive's own. */
struct vm_node *qmp_node_of(struct vm *vm, const struct block *b);
