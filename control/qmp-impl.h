/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/qmp-impl.h: what the qmp-*.c files and monitor.c share; nobody else
 * includes it. qmp.c and qmp-client.c own sockets and bytes; qmp-dispatch.c turns a message
 * into a call of a verb and its outcome into a reply; the verbs are rows of
 * const tables.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "control/qmp.h"
#include "control/qmp-frame.h"
#include "control/vm.h"

#define QMP_VERSION_MAJOR 7 /* the dialect: of 2.11 and later, libxl wants all we have */
#define QMP_VERSION_MINOR 2
#define QMP_VERSION_MICRO 22

#define QMP_FDS_MAX  16
#define QMP_KEYS_MAX 512

struct qmp_fd {
    int fd;
    uint64_t end; /* of the bytes it came with, counted from the connection's first */
};

struct qmp_client {
    uv_poll_t poll; /* .data: this */
    struct qmp *q;
    struct qmp_listener *listener;
    int fd;
    bool dead;       /* hung up on; only the handle's closing is left */
    bool leaving;    /* no more reading; hang up when out is written */
    bool negotiated; /* qmp_capabilities was said */
    struct qmp_frame frame;
    uint8_t chunk[4096]; /* read, not yet looked at */
    size_t chunk_len, chunk_pos;
    uint64_t consumed; /* bytes looked at so far */
    uint64_t received;
    char *msg; /* the message so far */
    size_t msg_len, msg_cap;
    char *out; /* not yet written */
    size_t out_len, out_pos, out_cap;
    struct qmp_later *later;        /* the command that is still at work; no other is begun */
    struct qmp_fd fds[QMP_FDS_MAX]; /* passed, not yet claimed; oldest first */
    unsigned nfds;
};

struct qmp_listener { /* a chardev: listened on, or connected to one client */
    uv_poll_t poll;   /* .data: this; or NULL when it does not listen */
    uv_timer_t again; /* reconnect= */
    struct qmp *q;
    const struct chardev_arg *ch;
    char *id, *name; /* name: as query-chardev spells it, "unix:/x,server=on" */
    bool unlink;
    bool met; /* somebody was there */
    struct qmp_stdio *stdio;
    int fd;    /* listening, or -1 */
    int spare; /* of accept_next() */
    struct qmp_client *client[QMP_CLIENTS_MAX];
};

struct qmp_key { /* send-key: wait, then press or release */
    uint16_t code;
    bool down;
    uint32_t wait; /* ms */
};

struct qmp_keys {
    uv_timer_t timer; /* .data: the struct qmp */
    struct qmp_key key[QMP_KEYS_MAX];
    unsigned first, n;
    bool waiting;
    bool placed; /* the display has heard of x, y */
    int x, y;    /* of input-send-event's pointer, in surface pixels */
    unsigned buttons;
};

struct qmp {
    uv_loop_t *loop;
    struct vm *vm;
    struct qmp_listener *listener;
    unsigned nlisteners;
    unsigned handles; /* not yet closed */
    bool closing;
    bool held; /* clients are not listened to yet */
    struct qmp_keys keys;
};

struct qmp_call;

/* A command whose work is done by a thread of libuv's; first member of the verb's own struct. */
struct qmp_later {
    uv_work_t work; /* .data: this */
    struct qmp *q;
    struct qmp_client *client; /* NULL: nobody waits (any more) */
    json_t *id;
    /* On the thread: touches nothing but its struct. Returns 0 or -errno. */
    int (*run)(struct qmp_later *l);
    /* On the loop: fails c or sets its ret (c->client may be NULL), and frees what is its own. */
    void (*done)(struct qmp_later *l, struct qmp_call *c, int rc);
    int rc;
};

struct qmp_call { /* one command while it runs */
    struct qmp *q;
    struct vm *vm;
    struct qmp_client *client;
    const struct qmp_verb *verb;
    json_t *args;      /* an object that has what params says; borrowed */
    json_t *ret;       /* of a success; NULL means {} */
    const char *error; /* class; NULL: success */
    char desc[1024];
    bool nested;             /* of another verb, which does not wait */
    struct qmp_later *later; /* the answer comes when this is done */
};

struct qmp_verb { /* a table of them ends with name NULL */
    const char *name;
    void (*run)(struct qmp_call *c);
    /* "name:T" or "name:T?" (optional), blank separated; T of s i b o a (array) n (number); "*" at
     * the end: others are let through unchecked. NULL: no arguments. */
    const char *params;
    const char *text; /* for qmp_refuse */
};

/* "VERB: not supported; TEXT" */
void qmp_refuse(struct qmp_call *c);

extern const struct qmp_verb qmp_core_verbs[];   /* qmp-dispatch.c */
extern const struct qmp_verb qmp_vm_verbs[];     /* qmp-vm.c */
extern const struct qmp_verb qmp_cpu_verbs[];    /* qmp-cpu.c */
extern const struct qmp_verb qmp_device_verbs[]; /* qmp-device.c */
extern const struct qmp_verb qmp_xen_verbs[];    /* qmp-xen.c */
extern const struct qmp_verb qmp_query_verbs[];  /* qmp-query.c */
extern const struct qmp_verb qmp_pci_verbs[];    /* qmp-pci.c */
extern const struct qmp_verb qmp_qom_verbs[];    /* qmp-qom.c */
extern const struct qmp_verb qmp_fd_verbs[];     /* qmp-fd.c */
extern const struct qmp_verb qmp_block_verbs[];  /* qmp-block.c */
extern const struct qmp_verb qmp_medium_verbs[]; /* qmp-medium.c */
extern const struct qmp_verb qmp_node_verbs[];   /* qmp-nodes.c */
/* All arguments as a config: {"a": {"b": 1}} is a.b=1. False for lists and too many levels. */
bool qmp_flatten(struct qmp_call *c, struct config *cfg);
extern const struct qmp_verb qmp_display_verbs[]; /* qmp-display.c */
extern const struct qmp_verb qmp_screen_verbs[];  /* qmp-screen.c */
extern const struct qmp_verb qmp_type_verbs[];    /* qmp-type.c */
extern const struct qmp_verb qmp_input_verbs[];   /* qmp-cpu.c: device_add of a CPU */
void qmp_cpu_add(struct qmp_call *c);
extern const struct qmp_verb qmp_schema_verbs[];  /* qmp-schema.c */
extern const struct qmp_verb *const qmp_tables[]; /* all of the above; ends with NULL */

/* qmp-pci.c: "Ethernet controller" for a class and subclass */
const char *qmp_pci_class(unsigned class);

/* qmp-block.c: a BlockDeviceInfo; node is taken over. */
json_t *qmp_block_info(const struct block *b, json_t *node, bool writeback);

/* qmp-nodes.c */
/* All arguments as a config: {"a": {"b": 1}} is a.b=1. False for lists and too many levels. */
bool qmp_flatten(struct qmp_call *c, struct config *cfg);
struct vm_node *qmp_node_find(struct vm *vm, const char *name);
bool qmp_node_in_use(struct vm *vm, const struct vm_node *n); /* in a drive, or under a node */
/* What is open of it: itself or what stands on it; NULL: nothing. */
const struct block *qmp_node_image(struct vm *vm, const struct vm_node *n);
const char *qmp_node_option(struct vm *vm, const struct vm_node *n, const char *key); /* or NULL */

/* qmp-input.c */
extern const struct qmp_verb qmp_monitor_verbs[]; /* monitor.c */

/* qmp-client.c */
void qmp_client_open(struct qmp_listener *l, int fd); /* greets; fd is owned from here on */
void qmp_client_hang_up(struct qmp_client *cl);
void qmp_client_send(struct qmp_client *cl, const json_t *msg); /* one line, one write */
void qmp_client_go_on(struct qmp_client *cl);                   /* a qmp_later has been answered */
void qmp_client_hold(struct qmp_client *cl);                    /* q->held has changed */
int qmp_client_take_fd(struct qmp_client *cl);                  /* the oldest passed, or -1 */
void qmp_unref(struct qmp *q);                                  /* a handle has closed */

/* qmp-dispatch.c */
void qmp_dispatch(struct qmp_client *cl, const char *msg, size_t len);
json_t *qmp_greeting(void);
/* {"error": {"class": …, "desc": …}}, and "id" unless NULL (borrowed). */
json_t *qmp_error(const char *error, const char *desc, json_t *id);
/* Runs a verb for another one. args is taken over; sub->ret is then the caller's. */
void qmp_run(const struct qmp_call *from, const char *verb, json_t *args, struct qmp_call *sub);

/* What the verbs use. */
/* The call is answered when l->done() has been called; l is from malloc(), zeroed but for run,
 * done. */
void qmp_later(struct qmp_call *c, struct qmp_later *l);
/* The same without a thread: the verb says itself, from the loop, when it is over (l->run NULL). */
void qmp_hold(struct qmp_call *c, struct qmp_later *l);
void qmp_finish(struct qmp_later *l, int rc); /* calls done(), answers, frees l */
void qmp_fail(struct qmp_call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void qmp_fail_as(struct qmp_call *c, const char *error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* s with what is not UTF-8 replaced by '?': names and paths may hold any byte. */
json_t *qmp_str(const char *s);
const char *qmp_arg(const struct qmp_call *c, const char *name, const char *def);
bool qmp_arg_bool(const struct qmp_call *c, const char *name, bool def);
json_int_t qmp_arg_int(const struct qmp_call *c, const char *name, json_int_t def);

/* qmp-fd.c */
/*
 * A new descriptor for "/dev/fdset/K", open for reading or (write) writing;
 * *name, unless NULL, is what add-fd's opaque said ("raw:/cd.iso") or NULL.
 * -1 and a failed call when there is none; -2: filename is no /dev/fdset/…
 */
int qmp_fdset_open(struct qmp_call *c, const char *filename, bool write, const char **name);
void qmp_fdset_forget(struct vm *vm, const void *owner); /* closes what that connection added */

/* qmp-cpu.c: device_add of a CPU */
void qmp_cpu_add(struct qmp_call *c);

/* qmp-pci.c: "Ethernet controller" for a class and subclass */
const char *qmp_pci_class(unsigned class);

/* qmp-block.c: a BlockDeviceInfo; node is taken over. */
json_t *qmp_block_info(const struct block *b, json_t *node, bool writeback);

/* qmp-nodes.c */
/* All arguments as a config: {"a": {"b": 1}} is a.b=1. False for lists and too many levels. */
bool qmp_flatten(struct qmp_call *c, struct config *cfg);
struct vm_node *qmp_node_find(struct vm *vm, const char *name);
bool qmp_node_in_use(struct vm *vm, const struct vm_node *n); /* in a drive, or under a node */
/* What is open of it: itself or what stands on it; NULL: nothing. */
const struct block *qmp_node_image(struct vm *vm, const struct vm_node *n);
const char *qmp_node_option(struct vm *vm, const struct vm_node *n, const char *key); /* or NULL */

/* qmp-input.c */
uint16_t qmp_qcode(const char *name); /* "ctrl_r" → evdev; 0: unknown */

/* qmp-open.c: a listening or connected descriptor; *name (free it) is set on success. */
int qmp_socket_open(const struct chardev_arg *ch, char **name, struct err *err);

/* qmp-stdio.c: *fd is the client's end. The threads end when that is closed. NULL and a line. */
struct qmp_stdio *qmp_stdio_open(int *fd, struct err *err);
void qmp_stdio_close(struct qmp_stdio *s); /* NULL is fine */

/* qmp.c: the last of a connection was heard. */
void qmp_client_gone(struct qmp_listener *l);
