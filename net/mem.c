/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A cable in memory, for tests: two queues of frames. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "net/net.h"

struct frame {
    uint8_t *data;
    size_t len;
    struct net_offload undone;
};

struct queue {
    struct frame frame[NET_MEM_FRAMES];
    unsigned head, n;
};

struct net_mem {
    struct net net;
    struct queue sent, waiting;
    uint8_t *last; /* what net_mem_get() gave out */
    struct net_offload last_undone;
    unsigned kicks, sends;
};

static bool queue_put(struct queue *q, const struct net_offload *o, const void *data, size_t len)
{
    struct frame *f = &q->frame[(q->head + q->n) % NET_MEM_FRAMES];

    if (q->n == NET_MEM_FRAMES)
        return false;
    f->data = malloc(len ? len : 1);
    if (!f->data)
        return false;
    memcpy(f->data, data, len);
    f->len = len;
    f->undone = o ? *o : (struct net_offload){ 0 };
    q->n++;
    return true;
}

static struct frame queue_get(struct queue *q)
{
    struct frame f = q->frame[q->head];

    q->head = (q->head + 1) % NET_MEM_FRAMES;
    q->n--;
    return f;
}

static void queue_clear(struct queue *q)
{
    while (q->n)
        free(queue_get(q).data);
}

static bool mem_send(struct net *n, const uint8_t *frame, size_t len)
{
    struct net_mem *m = n->priv;

    m->sends++;
    return queue_put(&m->sent, NULL, frame, len);
}

static bool mem_send_offload(struct net *n, const struct net_offload *o, const uint8_t *frame,
                             size_t len)
{
    struct net_mem *m = n->priv;

    m->sends++;
    return queue_put(&m->sent, o, frame, len);
}

static void mem_kick(struct net *n)
{
    ((struct net_mem *)n->priv)->kicks++;
}

static void mem_shut(struct net *n)
{
    struct net_mem *m = n->priv;

    queue_clear(&m->waiting);
}

static void mem_free(struct net *n)
{
    struct net_mem *m = n->priv;

    queue_clear(&m->sent);
    free(m->last);
    free(m);
}

static const struct net_ops mem_ops = {
    .name = "mem",
    .shut = mem_shut,
    .free = mem_free,
    .send = mem_send,
    .kick = mem_kick,
    .send_offload = mem_send_offload,
};

struct net *net_open_mem(struct err *err)
{
    struct net_mem *m = calloc(1, sizeof(*m));

    if (!m) {
        err_set(err, -ENOMEM, "out of memory");
        return NULL;
    }
    m->net.ops = &mem_ops;
    m->net.priv = m;
    return &m->net;
}

bool net_mem_put(struct net *n, const void *frame, size_t len)
{
    return net_mem_put_offload(n, NULL, frame, len);
}

bool net_mem_put_offload(struct net *n, const struct net_offload *o, const void *frame, size_t len)
{
    struct net_mem *m = n->priv;

    return !n->is_shut && queue_put(&m->waiting, o, frame, len);
}

unsigned net_mem_run(struct net *n)
{
    struct net_mem *m = n->priv;

    while (net_wants(n) && m->waiting.n) {
        struct frame f = queue_get(&m->waiting);

        net_deliver_offload(n, &f.undone, f.data, f.len);
        free(f.data);
    }
    return m->waiting.n;
}

const uint8_t *net_mem_get(struct net *n, size_t *len)
{
    struct net_mem *m = n->priv;
    struct frame f;

    if (!m->sent.n)
        return NULL;
    f = queue_get(&m->sent);
    free(m->last);
    m->last = f.data;
    m->last_undone = f.undone;
    *len = f.len;
    return f.data;
}

const struct net_offload *net_mem_offload(const struct net *n)
{
    return &((const struct net_mem *)n->priv)->last_undone;
}

unsigned net_mem_kicks(const struct net *n)
{
    return ((const struct net_mem *)n->priv)->kicks;
}

unsigned net_mem_sends(const struct net *n)
{
    return ((const struct net_mem *)n->priv)->sends;
}
