/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Linux tap interface (Documentation/networking/tuntap.rst). libxl's hotplug
 * script brings it up and bridges it; it only has to exist, under its name. No
 * offloads are asked for (IFF_VNET_HDR), so every frame is whole and checksummed.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <uv.h>
#include "hw/core/log.h"
#include "net/net.h"

#define FRAMES_A_ROUND 64 /* then other events have their turn; the loop comes back at once */

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

    for (unsigned i = 0; i < FRAMES_A_ROUND; i++) {
        ssize_t len;

        if (!net_wants(&t->net)) {
            t->waiting = true;
            uv_poll_stop(t->poll);
            return;
        }
        len = read(t->fd, t->frame, sizeof(t->frame));
        if (len < 0 && errno != EAGAIN && errno != EINTR)
            tap_dead(t, errno); /* somebody deleted the interface */
        if (len <= 0)
            return;
        net_deliver(&t->net, t->frame, len);
    }
}

static bool tap_send(struct net *n, const uint8_t *frame, size_t len)
{
    struct tap *t = n->priv;

    return write(t->fd, frame, len) == (ssize_t)len;
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
    .name = "tap", .shut = tap_shut, .free = tap_free, .send = tap_send, .kick = tap_kick
};

static int tap_create(const char *ifname, struct err *err)
{
    struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
    int fd;

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
                       e == EBUSY ? "; another process has it" : "");
    }
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
    return &t->net;
}
