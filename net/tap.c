/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Linux tap interface (Documentation/networking/tuntap.rst). libxl's hotplug
 * script brings it up and bridges it; it only has to exist, under its name.
 * Frames have virtio's header before them (IFF_VNET_HDR), so that the host may
 * leave sums and the cutting of large TCP packets to us, and a card to it: one
 * system call then moves up to 64 KiB.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>
#include <uv.h>
#include "hw/core/log.h"
#include "net/net.h"

/* The header as it is before a frame, in the host's byte order: Virtio 1.2, 5.1.6, legacy. */
struct vnet_head {
    uint8_t flags, gso_type;
    uint16_t hdr_len, gso_size, csum_start, csum_offset;
};
_Static_assert(sizeof(struct vnet_head) == 10, "the kernel's");

struct tap {
    struct net net;
    int fd;
    uv_poll_t *poll; /* its own allocation: libuv lets go of it after we are gone */
    bool waiting;    /* the card had no room: frames wait in the kernel's queue */
    char name[IFNAMSIZ];
    uint8_t frame[NET_FRAME_MAX]; /* the MTU is the administrator's to set */
};

static void tap_dead(struct tap *t, int e)
{
    log_line("tap %s: %s; the guest's network is cut", t->name, strerror(e));
    uv_poll_stop(t->poll);
    net_set_link(&t->net, false);
}

static void tap_readable(uv_poll_t *h, int status, int events)
{
    struct tap *t = h->data;
    const uint16_t began = t->net.delivered; /* of a large packet each segment counts */
    size_t bytes = 0;

    for (unsigned i = 0; i < NET_TURN_FRAMES && bytes < NET_TURN_BYTES &&
                         (uint16_t)(t->net.delivered - began) < NET_TURN_FRAMES;
         i++) {
        struct vnet_head v;
        struct iovec iov[2] = { { &v, sizeof(v) }, { t->frame, sizeof(t->frame) } };
        struct net_offload o;
        ssize_t len;

        if (!net_wants(&t->net)) {
            t->waiting = true;
            uv_poll_stop(t->poll);
            return;
        }
        len = readv(t->fd, iov, 2);
        if (len < 0 && errno != EAGAIN && errno != EINTR)
            tap_dead(t, errno); /* somebody deleted the interface */
        if (len <= (ssize_t)sizeof(v))
            return;
        len -= (ssize_t)sizeof(v);
        bytes += (size_t)len;
        o = (struct net_offload){ .flags = v.flags & NET_F_NEEDS_CSUM,
                                  .gso_type = v.gso_type,
                                  .hdr_len = v.hdr_len,
                                  .gso_size = v.gso_size,
                                  .csum_start = v.csum_start,
                                  .csum_offset = v.csum_offset };
        net_deliver_offload(&t->net, &o, t->frame, (size_t)len);
    }
}

static bool tap_write(struct tap *t, struct vnet_head v, const uint8_t *frame, size_t len)
{
    struct iovec iov[2] = { { &v, sizeof(v) }, { (void *)(uintptr_t)frame, len } };

    return writev(t->fd, iov, 2) == (ssize_t)(sizeof(v) + len);
}

static bool tap_send(struct net *n, const uint8_t *frame, size_t len)
{
    return tap_write(n->priv, (struct vnet_head){ 0 }, frame, len);
}

static bool tap_send_offload(struct net *n, const struct net_offload *o, const uint8_t *frame,
                             size_t len)
{
    const struct vnet_head v = { .flags = o->flags,
                                 .gso_type = o->gso_type,
                                 .hdr_len = o->hdr_len,
                                 .gso_size = o->gso_size,
                                 .csum_start = o->csum_start,
                                 .csum_offset = o->csum_offset };

    return tap_write(n->priv, v, frame, len);
}

static void tap_kick(struct net *n)
{
    struct tap *t = n->priv;

    if (!t->waiting)
        return;
    t->waiting = false;
    uv_poll_start(t->poll, UV_READABLE, tap_readable);
}

static void tap_poll_closed(uv_handle_t *h)
{
    free(h);
}

static void tap_shut(struct net *n)
{
    struct tap *t = n->priv;

    uv_close((uv_handle_t *)t->poll, tap_poll_closed);
    close(t->fd); /* a tap that is not persistent goes with its descriptor */
}

static void tap_free(struct net *n)
{
    free(n->priv);
}

static const struct net_ops tap_ops = {
    .name = "tap",
    .shut = tap_shut,
    .free = tap_free,
    .send = tap_send,
    .kick = tap_kick,
    .send_offload = tap_send_offload,
};

static int tap_create(const char *ifname, struct err *err)
{
    struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    int fd, size = sizeof(struct vnet_head);

    if (!ifname[0] || strlen(ifname) >= sizeof(ifr.ifr_name))
        return err_set(err, -EINVAL, "tap %s: the name must have 1 to %d characters", ifname,
                       IFNAMSIZ - 1);
    memcpy(ifr.ifr_name, ifname, strlen(ifname));
    fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return err_set(err, -errno, "tap %s: /dev/net/tun: %s; %s", ifname, strerror(errno),
                       errno == EACCES || errno == EPERM ? "a tap needs root"
                                                         : "is the module tun loaded?");
    if (ioctl(fd, TUNSETIFF, &ifr)) {
        int e = errno;

        close(fd);
        return err_set(err, -e, "tap %s: %s%s", ifname, strerror(e),
                       e == EBUSY    ? "; another process has it"
                       : e == EINVAL ? "; there is an interface of that name that is no tap"
                                     : "");
    }
    if (ioctl(fd, TUNSETVNETHDRSZ, &size)) {
        int e = errno;

        close(fd);
        return err_set(err, -e, "tap %s: TUNSETVNETHDRSZ: %s", ifname, strerror(e));
    }
    /* A kernel that will not leave them to us makes whole frames; that is all. */
    ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6);
    return fd;
}

static int tap_watch(struct tap *t, struct uv_loop_s *loop)
{
    t->poll = calloc(1, sizeof(*t->poll));
    if (!t->poll)
        return -ENOMEM;
    if (uv_poll_init(loop, t->poll, t->fd)) {
        free(t->poll);
        return -EIO;
    }
    t->poll->data = t;
    return uv_poll_start(t->poll, UV_READABLE, tap_readable);
}

struct net *net_open_tap(struct uv_loop_s *loop, const char *ifname, struct err *err)
{
    int fd = tap_create(ifname, err);
    struct tap *t;

    if (fd < 0)
        return NULL;
    t = calloc(1, sizeof(*t));
    if (t)
        t->fd = fd;
    if (!t || tap_watch(t, loop)) {
        close(fd);
        free(t);
        err_set(err, -ENOMEM, "tap %s: out of memory", ifname);
        return NULL;
    }
    snprintf(t->name, sizeof(t->name), "%s", ifname);
    t->net.ops = &tap_ops;
    t->net.priv = t;
    t->net.takes = NET_TAKES_SUM | NET_TAKES_TSO4 | NET_TAKES_TSO6;
    return &t->net;
}
