/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter-mac: the guest speaks under its own address and no other's. A frame
 * it sends is dropped when its source address (IEEE 802.3 §3.2.3) is another
 * one than the card's, and so is an ARP or RARP packet that gives another one
 * as its sender's (RFC 826, ar$sha; RFC 903), also behind a VLAN tag.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "hw/core/config.h"
#include "hw/core/log.h"
#include "net/filter.h"

#define SOURCE    6
#define TYPE      12
#define TYPE_ARP  0x0806
#define TYPE_RARP 0x8035
#define TYPE_TAG  0x8100
#define TYPE_STAG 0x88a8
#define TAGS      2
#define ARP_SHA   8 /* from the start of the packet: of hardware addresses of 6 bytes */

struct lock {
    bool given; /* mac= was; otherwise it is the card's */
    uint8_t mac[6];
};

static unsigned be16(const uint8_t *p)
{
    return (unsigned)(p[0] << 8 | p[1]);
}

static bool is_own(const uint8_t mac[6], const uint8_t *f, size_t len)
{
    size_t at = TYPE;

    if (len < TYPE + 2 || memcmp(f + SOURCE, mac, 6) != 0)
        return false;
    for (unsigned i = 0; i < TAGS && len >= at + 6; i++) {
        if (be16(f + at) != TYPE_TAG && be16(f + at) != TYPE_STAG)
            break;
        at += 4;
    }
    if (be16(f + at) != TYPE_ARP && be16(f + at) != TYPE_RARP)
        return true;
    return len >= at + 2 + ARP_SHA + 6 && !memcmp(f + at + 2 + ARP_SHA, mac, 6);
}

static enum net_verdict lock_frame(struct net_filter *f, bool to_guest, const uint8_t *frame,
                                   size_t len)
{
    const struct lock *l = f->priv;

    if (to_guest || is_own(l->given ? l->mac : f->net->mac, frame, len))
        return NET_PASS;
    log_provoked("%s: the guest sent a frame under an address that is not its card's; dropped",
                 f->id);
    return NET_DROP;
}

static void lock_fini(struct net_filter *f)
{
    free(f->priv);
}

static int lock_init(struct net_filter *f, const struct config *cfg, struct err *err)
{
    const char *text = config_str(cfg, "mac", NULL);
    struct lock *l = calloc(1, sizeof(*l));

    f->priv = l;
    if (!l)
        return err_set(err, -ENOMEM, "out of memory");
    l->given = text != NULL;
    if (!text || net_parse_mac(text, l->mac))
        return 0;
    free(l);
    return err_set(err, -EINVAL, "mac=%s: not the address of a card (00:16:3e:xx:xx:xx)", text);
}

static const char *const lock_keys[] = { "mac", NULL };
const struct net_filter_ops net_filter_mac = {
    .type = "filter-mac",
    .init = lock_init,
    .fini = lock_fini,
    .frame = lock_frame,
    .keys = lock_keys,
};
