/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connecting to NBD servers. TLS is not offered: tunnel it, or use a Unix socket. */
#include "block/nbd-conn.h"
#include <errno.h>
#include <string.h>
#include <uv.h>

bool block_is_nbd(const char *file)
{
    return file && (!strncmp(file, "nbd://", 6) || !strncmp(file, "nbd+unix://", 11));
}

struct nbd_handle *nbd_begin(const char *uri, struct err *err)
{
    struct nbd_handle *h = nbd_lib_load(err) ? NULL : nbd_create();

    if (!nbd_lib.create)
        return NULL;
    if (h && !nbd_set_uri_allow_tls(h, LIBNBD_TLS_DISABLE) && !nbd_aio_connect_uri(h, uri))
        return h;
    err_set(err, -EIO, "disk %s: %s", uri, nbd_why());
    nbd_close(h);
    return NULL;
}

/* "nbd_aio_connect_uri: connect: Connection refused" */
const char *nbd_why(void)
{
    const char *text = nbd_get_error(), *colon;

    if (!text)
        return "the NBD server failed";
    colon = strstr(text, ": ");
    return colon && !strncmp(text, "nbd_", 4) ? colon + 2 : text;
}

bool nbd_lost(struct nbd_handle *h)
{
    return nbd_aio_is_dead(h) || nbd_aio_is_closed(h);
}

static int ask_export(struct nbd_handle *h, const char *uri, struct nbd_export *e, struct err *err)
{
    int64_t size = nbd_get_size(h), min = nbd_get_block_size(h, LIBNBD_SIZE_MINIMUM);

    if (size < 0)
        return err_set(err, -EIO, "disk %s: %s", uri, nbd_why());
    *e = (struct nbd_export){ .size = size,
                              .align = min > 0 ? min : 1,
                              .readonly = nbd_is_read_only(h) > 0,
                              .can_flush = nbd_can_flush(h) > 0,
                              .can_trim = nbd_can_trim(h) > 0,
                              .can_zero = nbd_can_zero(h) > 0 };
    return 1;
}

int nbd_progress(struct nbd_handle *h, const char *uri, struct nbd_export *e, struct err *err)
{
    if (!nbd_lost(h) && !nbd_aio_is_ready(h) && nbd_poll(h, 0) < 0)
        return err_set(err, -ECONNREFUSED, "disk %s: %s; is the server running?", uri, nbd_why());
    if (nbd_lost(h))
        return err_set(err, -ECONNREFUSED, "disk %s: the server closed the connection", uri);
    return nbd_aio_is_ready(h) ? ask_export(h, uri, e, err) : 0;
}

struct nbd_handle *nbd_dial(const char *uri, unsigned ms, struct nbd_export *e, struct err *err)
{
    struct nbd_handle *h = nbd_begin(uri, err);
    uint64_t until = uv_hrtime() + ms * 1000000ull;
    int rc = h ? 0 : -EIO;

    while (!rc) {
        rc = nbd_progress(h, uri, e, err);
        if (!rc && uv_hrtime() > until)
            rc = err_set(err, -ETIMEDOUT, "disk %s: the NBD server does not answer", uri);
        else if (!rc)
            nbd_poll(h, 50);
    }
    if (rc > 0)
        return h;
    nbd_close(h);
    return NULL;
}

bool nbd_same(const struct nbd_export *was, const struct nbd_export *is)
{
    return was->size == is->size && was->align >= is->align && (was->readonly || !is->readonly) &&
           is->can_flush >= was->can_flush && is->can_trim >= was->can_trim &&
           is->can_zero >= was->can_zero;
}
