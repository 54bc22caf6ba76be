/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter-dump: every frame into a capture file, as libpcap's savefiles have it
 * (pcap-savefile(5): a header of 24 bytes, then records with a header of 16;
 * the numbers in this host's byte order). Wireshark and tcpdump open it. Frames
 * are gathered in memory and written when enough are there, or soon after.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>
#include "hw/core/config.h"
#include "hw/core/log.h"
#include "net/filter.h"

#define PCAP_MAGIC    0xa1b2c3d4 /* times in microseconds */
#define PCAP_ETHERNET 1          /* LINKTYPE_ETHERNET */
#define MAXLEN        65536
#define GATHER        (256 * 1024)
#define WRITE_MS      200

struct pcap_head {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t zone, sigfigs, snaplen, linktype;
};
struct pcap_record {
    uint32_t sec, usec, have, len;
};
_Static_assert(sizeof(struct pcap_head) == 24 && sizeof(struct pcap_record) == 16, "the file's");

struct dump {
    int fd;           /* -1: the disk is full */
    uint32_t maxlen;  /* of a frame, as it is kept */
    uv_timer_t *soon; /* its own allocation: libuv lets go of it after we are gone */
    char *file;
    size_t have;
    uint8_t buf[GATHER];
};

static void dump_write(struct dump *d)
{
    for (size_t at = 0; d->fd >= 0 && at < d->have;) {
        ssize_t n = write(d->fd, d->buf + at, d->have - at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            log_line("capture file %s: %s; nothing more is captured", d->file, strerror(errno));
            close(d->fd);
            d->fd = -1;
            break;
        }
        at += (size_t)n;
    }
    d->have = 0;
}

static void dump_soon(uv_timer_t *t)
{
    dump_write(t->data);
}

static void put(struct dump *d, const void *data, size_t len)
{
    memcpy(d->buf + d->have, data, len);
    d->have += len;
}

static enum net_verdict dump_frame(struct net_filter *f, bool to_guest, const uint8_t *frame,
                                   size_t len)
{
    struct dump *d = f->priv;
    struct timespec now;
    struct pcap_record r = { .have = len < d->maxlen ? (uint32_t)len : d->maxlen,
                             .len = (uint32_t)len };

    if (d->fd < 0)
        return NET_PASS;
    clock_gettime(CLOCK_REALTIME, &now);
    r.sec = (uint32_t)now.tv_sec;
    r.usec = (uint32_t)(now.tv_nsec / 1000);
    if (d->have + sizeof(r) + r.have > sizeof(d->buf))
        dump_write(d);
    if (!d->have)
        uv_timer_start(d->soon, dump_soon, WRITE_MS, 0);
    put(d, &r, sizeof(r));
    put(d, frame, r.have);
    return NET_PASS;
}

static void timer_closed(uv_handle_t *h)
{
    free(h);
}

static void dump_free(struct dump *d)
{
    if (d && d->fd >= 0)
        close(d->fd);
    if (d)
        free(d->file);
    free(d);
}

static void dump_fini(struct net_filter *f)
{
    struct dump *d = f->priv;

    dump_write(d);
    uv_close((uv_handle_t *)d->soon, timer_closed);
    dump_free(d);
}

static int dump_init(struct net_filter *f, const struct config *cfg, struct err *err)
{
    const char *file = config_str(cfg, "file", "");
    struct pcap_head head = {
        .magic = PCAP_MAGIC, .major = 2, .minor = 4, .linktype = PCAP_ETHERNET
    };
    struct dump *d;
    uint64_t max;
    int rc = config_uint(cfg, "maxlen", MAXLEN, NET_FRAME_MAX > MAXLEN ? NET_FRAME_MAX : MAXLEN,
                         &max, err);

    if (rc)
        return rc;
    if (!*file)
        return err_set(err, -EINVAL, "file= is missing: where frames go");
    d = calloc(1, sizeof(*d));
    if (!d || !(d->file = strdup(file)) || !(d->soon = malloc(sizeof(*d->soon)))) {
        if (d)
            d->fd = -1;
        dump_free(d);
        return err_set(err, -ENOMEM, "out of memory");
    }
    d->fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (d->fd < 0) {
        rc = err_set(err, -errno, "file=%s: %s", file, strerror(errno));
        free(d->soon);
        dump_free(d);
        return rc;
    }
    d->maxlen = head.snaplen = (uint32_t)max;
    uv_timer_init(f->loop, d->soon);
    d->soon->data = d;
    f->priv = d;
    put(d, &head, sizeof(head));
    dump_write(d);
    return 0;
}

static const char *const dump_keys[] = { "file", "maxlen", NULL };
const struct net_filter_ops net_filter_dump = {
    .type = "filter-dump",
    .init = dump_init,
    .fini = dump_fini,
    .frame = dump_frame,
    .keys = dump_keys,
};
