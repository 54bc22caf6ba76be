/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sending half of a PS/2 device (IBM PS/2 Hardware Interface Technical
 * Reference, keyboard and mouse). An answer to a command goes before events,
 * and a new command takes the place of an answer that was not fetched. The
 * serial line itself, with its clock and parity, is not modelled.
 */
#include "hw/ps2.h"

void ps2_put(struct ps2_port *p, uint8_t byte)
{
    if (p->len >= PS2_QUEUE)
        return;
    p->data[(p->head + p->len) % PS2_QUEUE] = byte;
    p->len++;
}

void ps2_reply(struct ps2_port *p, uint8_t byte)
{
    if (p->reply_len >= PS2_REPLY)
        return;
    p->reply[(p->reply_head + p->reply_len) % PS2_REPLY] = byte;
    p->reply_len++;
}

int ps2_take_event(struct ps2_port *p)
{
    if (!p->len)
        return -1;
    p->last = p->data[p->head % PS2_QUEUE];
    p->head = (p->head + 1) % PS2_QUEUE;
    p->len--;
    return p->last;
}

int ps2_take(struct ps2_port *p)
{
    if (!p->reply_len)
        return ps2_take_event(p);
    p->last = p->reply[p->reply_head % PS2_REPLY];
    p->reply_head = (p->reply_head + 1) % PS2_REPLY;
    p->reply_len--;
    return p->last;
}

bool ps2_pending(const struct ps2_port *p)
{
    return p->reply_len || p->len;
}

unsigned ps2_room(const struct ps2_port *p)
{
    return PS2_QUEUE - p->len;
}

void ps2_flush(struct ps2_port *p)
{
    p->len = 0;
    p->last = 0;
}

void ps2_begin_reply(struct ps2_port *p)
{
    p->reply_len = 0;
}
