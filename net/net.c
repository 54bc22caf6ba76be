/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every kind of cable has in common: its link, and who may speak when. */
#include "net/filter.h"

bool net_link(const struct net *n)
{
    return n && !n->link_down && !n->is_shut;
}

/* On from the filter before place `at`, towards the back end. */
bool net_filter_send(struct net *n, unsigned at, const uint8_t *frame, size_t len)
{
    while (at > 0) {
        struct net_filter *f = n->filter[--at];
        enum net_verdict v = f->from_guest ? f->ops->frame(f, false, frame, len) : NET_PASS;

        if (v != NET_PASS)
            return v == NET_KEPT;
    }
    return !n->is_shut && n->ops->send(n, frame, len);
}

bool net_send(struct net *n, const uint8_t *frame, size_t len)
{
    bool taken;

    if (!net_link(n) || !len || len > NET_FRAME_MAX)
        return false;
    taken = net_filter_send(n, n->nfilters, frame, len);
    if (n->tap)
        n->tap->sent(n, frame, len, taken);
    return taken;
}

unsigned net_takes(const struct net *n)
{
    /* Whoever looks at frames sees them as they are on a wire. */
    return net_link(n) && !n->tap && !n->nfilters ? n->takes : 0;
}

bool net_send_offload(struct net *n, const struct net_offload *o, const uint8_t *frame, size_t len)
{
    return net_takes(n) && len && len <= NET_FRAME_MAX && n->ops->send_offload(n, o, frame, len);
}

void net_batch(struct net *n, bool on)
{
    if (n && !n->is_shut && n->ops->batch)
        n->ops->batch(n, on);
}

void net_filter_kick(struct net *n, unsigned at)
{
    if (n->is_shut)
        return;
    while (at > 0) {
        struct net_filter *f = n->filter[--at];

        if (f->ops->kick)
            f->ops->kick(f);
    }
    if (n->ops->kick)
        n->ops->kick(n);
}

void net_kick(struct net *n)
{
    if (n)
        net_filter_kick(n, n->nfilters);
}

bool net_filter_wants(struct net *n, unsigned at)
{
    if (n->held)
        return false;
    for (; at < n->nfilters; at++) {
        struct net_filter *f = n->filter[at];

        if (f->to_guest && f->ops->wants)
            return f->ops->wants(f);
    }
    if (!n->nic || !net_link(n) || !n->can_receive)
        return true;
    return n->tap ? n->tap->can_receive(n) : n->can_receive(n->nic);
}

bool net_has_room(struct net *n)
{
    return net_filter_wants(n, 0);
}

bool net_wants(struct net *n)
{
    return net_has_room(n) && net_rest_run(n) && net_has_room(n);
}

void net_filter_deliver(struct net *n, unsigned at, const uint8_t *frame, size_t len)
{
    for (; at < n->nfilters; at++) {
        struct net_filter *f = n->filter[at];

        if (f->to_guest && f->ops->frame(f, true, frame, len) != NET_PASS)
            return;
    }
    if (!n->nic || !net_link(n))
        return;
    if (n->tap)
        n->tap->receive(n, frame, len);
    else
        n->receive(n->nic, frame, len);
}

void net_deliver(struct net *n, const uint8_t *frame, size_t len)
{
    n->delivered++;
    if (n->nic && net_link(n) && len && len <= NET_FRAME_MAX)
        net_filter_deliver(n, 0, frame, len);
}

static void link_changed(struct net *n)
{
    if (!n->nic || !n->link_changed)
        return;
    if (n->tap)
        n->tap->link_changed(n);
    else
        n->link_changed(n->nic);
}

void net_set_link(struct net *n, bool up)
{
    if (n->link_down == !up)
        return;
    n->link_down = !up;
    link_changed(n);
    net_kick(n); /* what waits is for a card that no longer hears it, or again does */
}

void net_hold(struct net *n, bool held)
{
    if (!n)
        return;
    n->held = held;
    if (!held)
        net_kick(n);
}

void net_shut(struct net *n)
{
    if (!n || n->is_shut)
        return;
    n->ops->shut(n);
    net_rest_drop(n);
    n->is_shut = true;
    link_changed(n);
}

void net_close(struct net *n)
{
    if (!n)
        return;
    n->nic = NULL;
    net_shut(n);
    while (n->nfilters)
        net_filter_remove(n->filter[n->nfilters - 1]);
    n->ops->free(n);
}
