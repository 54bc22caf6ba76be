/* SPDX-License-Identifier: GPL-2.0-or-later */
/* block/req-list.h: requests in the order they came, by their own next. The back end locks it. */
#pragma once
#include <stddef.h>
#include "block/block.h"

struct req_list {
    struct block_req *first, *last; /* last counts only while first is set */
};

static inline void list_push(struct req_list *l, struct block_req *req)
{
    req->next = NULL;
    if (l->first)
        l->last->next = req;
    else
        l->first = req;
    l->last = req;
}

/* NULL: there is none. */
static inline struct block_req *list_pop(struct req_list *l)
{
    struct block_req *req = l->first;

    if (req)
        l->first = req->next;
    return req;
}

/* False: it is not in there. */
static inline bool list_remove(struct req_list *l, struct block_req *req)
{
    struct block_req *prev = NULL, *r = l->first;

    for (; r && r != req; r = r->next)
        prev = r;
    if (!r)
        return false;
    if (prev)
        prev->next = req->next;
    else
        l->first = req->next;
    if (l->last == req)
        l->last = prev;
    return true;
}
