/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a machine is connected to, with a tape in between. A recorder notes
 * what comes and lets it through. A player holds back what the image has done
 * until the tape says that it ended then; frames, keys and the input of serial
 * ports come from the tape alone.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "ioreq/record-impl.h"

/* ---- disks ---- */

struct taped_req {
    struct block_req own;
    struct block_req *req;
    struct block *b;
    uint64_t number;
    bool ours; /* not the machine's: somebody flushes the disk from outside; not on the tape */
    bool done; /* by the image, with err */
    int err;
    struct taped_req *next;
};

static void unlink_req(struct tape_disk *d, const struct taped_req *x)
{
    struct taped_req **p = &d->first;

    while (*p && *p != x)
        p = &(*p)->next;
    if (*p)
        *p = x->next;
}

static void req_end(struct taped_req *x, int err)
{
    struct tape_disk *d = x->b->priv;
    struct block_req *req = x->req;
    struct tape_rec r = { .kind = T_DISK, .v = { d->drive, x->number, (uint64_t)err } };
    bool ours = x->ours;

    unlink_req(d, x);
    free(x);
    if (ours) {
        block_finish(req, err);
        return;
    }
    d->tape->enter(d->tape, &r);
    block_finish(req, err);
    tape_leave(d->tape);
}

static void taped_done(struct block_req *own, int err)
{
    struct taped_req *x = own->arg;
    struct tape_disk *d = x->b->priv;

    x->done = true;
    x->err = err;
    if (!d->tape->player || x->ours)
        req_end(x, err);
    else
        replay_kick(d->tape);
}

static void taped_submit(struct block *b, struct block_req *req)
{
    struct tape_disk *d = b->priv;
    struct taped_req *x = malloc(sizeof(*x));
    struct tape_rec r = { .kind = T_SUBMIT, .v = { d->drive, req->op, req->offset, req->len } };

    if (!x) {
        tape_stop(d->tape, "out of memory");
        block_finish_later(req, ENOMEM);
        return;
    }
    *x = (struct taped_req){ .req = req, .b = b, .ours = !d->tape->depth, .next = d->first };
    x->number = x->ours ? UINT64_MAX : d->submitted++;
    x->own = (struct block_req){ .op = req->op,
                                 .offset = req->offset,
                                 .len = req->len,
                                 .iov = req->iov,
                                 .niov = req->niov,
                                 .may_unmap = req->may_unmap,
                                 .done = taped_done,
                                 .arg = x };
    req->back[0] = x;
    d->first = x;
    d->tape->say(d->tape, &r);
    block_submit(b->below, &x->own);
}

/* What came of it is in the tape: a player lets the image go on. */
static void taped_cancel(struct block *b, struct block_req *req)
{
    struct tape_disk *d = b->priv;
    struct taped_req *x = req->back[0];

    if (x && !d->tape->player)
        block_cancel(&x->own);
}

static void wait_for(struct block *b, const struct taped_req *x)
{
    while (!x->done && b->below->inflight)
        filter_wait(b);
}

/* Somebody blocks until a request of b has ended: the one that the tape has next, or any. */
static void taped_wait(struct block *b)
{
    struct tape_disk *d = b->priv;

    if (!d->tape->player) {
        filter_wait(b);
    } else if (d->first && (d->first->ours || !replay_release(d->tape, b))) {
        struct taped_req *x = d->first;

        if (x->ours)
            filter_wait(b);
        else
            wait_for(b, x);
        if (d->first == x && x->done)
            req_end(x, x->err);
    }
}

static const struct block_ops taped_ops = {
    .name = "tape",
    .close = filter_close,
    .submit = taped_submit,
    .cancel = taped_cancel,
    .wait = taped_wait,
    .resize = filter_resize,
};

/* Its size, or a host drive's medium: not the guest's doing, nor the tape's. */
static void taped_changed(void *arg, enum block_event event)
{
    struct block *b = arg;
    struct tape_disk *d = b->priv;

    tape_stop(d->tape, "a disk was resized, or the host has another medium");
    b->size = b->below->size;
    block_changed(b, event);
}

struct block *tape_disk(struct tape *t, unsigned drive, struct block *b)
{
    struct block *top;

    if (!t || !b || drive >= TAPE_DISKS)
        return b;
    top = filter_new(&taped_ops, sizeof(struct tape_disk), b);
    if (!top)
        return NULL;
    *(struct tape_disk *)top->priv = (struct tape_disk){ .tape = t, .drive = drive };
    block_listen(b, taped_changed, top);
    top->discard = b->discard; /* it shows: whether the drive can TRIM */
    t->disks[drive] = top;
    return top;
}

static struct taped_req *find_req(struct tape *t, const struct tape_rec *r)
{
    struct block *b = r->v[0] < TAPE_DISKS ? t->disks[r->v[0]] : NULL;
    struct tape_disk *d = b ? b->priv : NULL;
    struct taped_req *x = d ? d->first : NULL;

    while (x && (x->ours || x->number != r->v[1]))
        x = x->next;
    return x;
}

int tape_disk_ready(struct tape *t, const struct tape_rec *r)
{
    const struct taped_req *x = find_req(t, r);

    return x ? x->done : -1;
}

static bool deliver_disk(struct tape *t, const struct tape_rec *r)
{
    struct taped_req *x = find_req(t, r);

    if (!x || r->v[2] > 4095)
        return false;
    wait_for(x->b, x);
    if (x->err && !r->v[2]) {
        struct tape_rec now = { .kind = T_DISK, .v = { r->v[0], r->v[1], (uint64_t)x->err } };

        t->say(t, &now); /* is nowhere in the tape: that is the difference */
    }
    req_end(x, (int)r->v[2]);
    return true;
}

/* ---- cables ---- */

static bool end_can_receive(struct net *n)
{
    struct tape_end *e = n->tap_arg;
    struct tape *t = e->tape;
    struct tape_rec r = { .kind = T_WANTS, .v = { e->n } }, answer = { .kind = T_ANSWER };

    if (t->depth)
        return n->can_receive(n->nic);
    t->enter(t, &r);
    answer.v[0] = n->can_receive(n->nic);
    t->say(t, &answer);
    tape_leave(t);
    return answer.v[0];
}

static void end_receive(struct net *n, const uint8_t *frame, size_t len)
{
    struct tape_end *e = n->tap_arg;
    struct tape_rec r = { .kind = T_FRAME, .v = { e->n }, .data = frame, .len = (uint32_t)len };

    e->tape->enter(e->tape, &r);
    n->receive(n->nic, frame, len);
    tape_leave(e->tape);
}

static void end_link_changed(struct net *n)
{
    struct tape_end *e = n->tap_arg;
    struct tape_rec r = { .kind = T_LINK, .v = { e->n, net_link(n) } };

    e->tape->enter(e->tape, &r);
    n->link_changed(n->nic);
    tape_leave(e->tape);
}

static void end_sent(struct net *n, const uint8_t *frame, size_t len, bool taken)
{
    struct tape_end *e = n->tap_arg;
    struct tape_rec r = { .kind = T_SEND, .v = { e->n, len, taken } };
    uint8_t hash[8];

    tape_digest(&r, frame, len, hash);
    e->tape->say(e->tape, &r);
}

void tape_net(struct tape *t, unsigned n, struct net *net)
{
    static const struct net_tap tap = { .can_receive = end_can_receive,
                                        .receive = end_receive,
                                        .link_changed = end_link_changed,
                                        .sent = end_sent };

    if (!t || n >= TAPE_NETS || !net || t->player)
        return;
    t->nets[n] = (struct tape_end){ .tape = t, .n = n, .net = net };
    net->tap_arg = &t->nets[n];
    net->tap = &tap;
}

static bool played_send(struct net *n, const uint8_t *frame, size_t len)
{
    struct tape_end *e = n->priv;

    struct tape_rec r = { .kind = T_SEND, .v = { e->n, len, true } };
    uint8_t hash[8];

    tape_digest(&r, frame, len, hash);
    e->tape->say(e->tape, &r);
    return r.v[2];
}

static void played_shut(struct net *n)
{
}

static void played_free(struct net *n)
{
    struct tape_end *e = n->priv;

    e->net = NULL;
    free(n);
}

struct net *tape_net_open(struct tape *t, unsigned n)
{
    static const struct net_ops ops = {
        .name = "replay", .shut = played_shut, .free = played_free, .send = played_send
    };
    struct net *net = n < TAPE_NETS ? calloc(1, sizeof(*net)) : NULL;

    if (!net)
        return NULL;
    t->nets[n] = (struct tape_end){ .tape = t, .n = n, .net = net };
    net->ops = &ops;
    net->priv = &t->nets[n];
    return net;
}

static bool deliver_net(struct tape *t, const struct tape_rec *r)
{
    struct net *net = r->v[0] < TAPE_NETS ? t->nets[r->v[0]].net : NULL;
    struct tape_rec answer = { .kind = T_ANSWER };

    if (!net || !net->nic)
        return false;
    if (r->kind == T_FRAME) {
        net_deliver(net, r->data, r->len);
    } else if (r->kind == T_LINK) {
        net_set_link(net, r->v[1]);
    } else {
        answer.v[0] = !net->can_receive || net->can_receive(net->nic);
        t->say(t, &answer);
    }
    return true;
}

/* ---- serial ports ---- */

static void port_input(void *arg, const uint8_t *data, size_t len)
{
    struct tape_port *port = arg;
    struct tape_rec r = { .kind = T_SERIAL, .v = { port->n }, .data = data, .len = (uint32_t)len };

    if (len)
        port->tape->enter(port->tape, &r);
    else
        tape_leave(port->tape);
}

void tape_sink(struct tape *t, unsigned n, struct sink *s)
{
    if (!t || n >= TAPE_SINKS)
        return;
    t->ports[n] = (struct tape_port){ .tape = t, .n = n, .sink = s };
    if (!t->player)
        sink_tap(s, port_input, &t->ports[n]);
}

/* ---- keys and pointer ---- */

static void input_heard(void *arg, const struct input_event *e)
{
    static const uint8_t kinds[] = {
        [INPUT_KEY] = T_KEY, [INPUT_REL] = T_REL, [INPUT_ABS] = T_ABS
    };
    struct tape *t = arg;
    struct tape_rec r = { .kind = T_NONE };

    if (!e) {
        tape_leave(t);
        return;
    }
    r.kind = kinds[e->kind];
    for (unsigned i = 0; i < 4; i++)
        r.v[i] = (uint64_t)(int64_t)e->v[i];
    t->enter(t, &r);
}

void tape_display(struct tape *t, struct display *d)
{
    if (!t)
        return;
    t->display = d;
    if (!t->player)
        display_tap(d, input_heard, t);
}

static bool deliver_input(struct tape *t, const struct tape_rec *r)
{
    struct input_event e = { r->kind == T_KEY   ? INPUT_KEY
                             : r->kind == T_REL ? INPUT_REL
                                                : INPUT_ABS,
                             { 0 } };

    for (unsigned i = 0; i < 4; i++) {
        int64_t val = (int64_t)r->v[i];

        if (val < -(1 << 26) || val > 1 << 26)
            return false;
        e.v[i] = (int)val;
    }
    if (r->kind == T_KEY && (e.v[0] < 0 || e.v[0] > 0x2ff))
        return false;
    if (!t->display)
        return false;
    display_inject(t->display, &e);
    return true;
}

bool tape_deliver(struct tape *t, const struct tape_rec *r)
{
    switch (r->kind) {
    case T_DISK:
        return deliver_disk(t, r);
    case T_WANTS:
    case T_FRAME:
    case T_LINK:
        return deliver_net(t, r);
    case T_KEY:
    case T_REL:
    case T_ABS:
        return deliver_input(t, r);
    case T_SERIAL:
        if (r->v[0] >= TAPE_SINKS || !t->ports[r->v[0]].sink)
            return false;
        sink_feed(t->ports[r->v[0]].sink, r->data, r->len);
        return true;
    case T_RESET:
        t->hooks.reset(t->hooks.arg);
        return true;
    case T_RETRY:
        t->hooks.retry(t->hooks.arg);
        return true;
    default:
        return false;
    }
}
