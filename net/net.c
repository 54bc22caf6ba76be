/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every kind of cable has in common: its link, and who may speak when. */
#include "net/net.h"

bool net_link(const struct net *n)
{
    return n && !n->link_down && !n->is_shut;
}

bool net_send(struct net *n, const uint8_t *frame, size_t len)
{
    bool taken;

    if (!net_link(n) || !len || len > NET_FRAME_MAX)
        return false;
    taken = n->ops->send(n, frame, len);
    if (n->tap)
        n->tap->sent(n, frame, len, taken);
    return taken;
}

unsigned net_takes(const struct net *n)
{
    return net_link(n) && !n->tap ? n->takes : 0;
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

void net_kick(struct net *n)
{
    if (n && !n->is_shut && n->ops->kick)
        n->ops->kick(n);
}

bool net_wants(struct net *n)
{
    return net_has_room(n) && net_rest_run(n) && net_has_room(n);
}

bool net_has_room(struct net *n)
{
    if (n->held)
        return false;
    if (!n->nic || !net_link(n) || !n->can_receive)
        return true;
    return n->tap ? n->tap->can_receive(n) : n->can_receive(n->nic);
}

void net_deliver(struct net *n, const uint8_t *frame, size_t len)
{
    if (!n->nic || !net_link(n) || !len || len > NET_FRAME_MAX)
        return;
    if (n->tap)
        n->tap->receive(n, frame, len);
    else
        n->receive(n->nic, frame, len);
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
    n->ops->free(n);
}
