/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portico-vnc: the web port. It answers GET for the console's page and
 * scripts (without a secret: there is none in them) and takes the connection
 * that asks for a WebSocket, if it knows the token. Nothing else of HTTP.
 *
 * A page of anybody's may open a WebSocket to this port in a visitor's
 * browser; such a request names its own page as the Origin, and is refused.
 * Where no secret protects the guest, a Host that is not the loopback's is
 * refused as well: a stranger's name that was pointed at 127.0.0.1.
 */
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include "display/vnc/helper.h"
#include "display/vnc/page.h"

#define IDLE_MS      5000 /* an open connection without a request */
#define REQUESTS_MAX 500

static const char ws_guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455 1.3 */

static bool answer(struct helper *h, const char *status, const char *type, const void *body,
                   size_t len, bool keep)
{
    char head[512];
    int n = snprintf(head, sizeof(head),
                     "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                     "Cache-Control: no-cache\r\nX-Content-Type-Options: nosniff\r\n"
                     "X-Frame-Options: DENY\r\nReferrer-Policy: no-referrer\r\n"
                     "Content-Security-Policy: default-src 'self'; img-src 'self' data: blob:; "
                     "connect-src 'self' ws: wss:; style-src 'self' 'unsafe-inline'\r\n"
                     "Connection: %s\r\n\r\n",
                     status, type, len, keep ? "keep-alive" : "close");

    return stream_write(&h->stream, head, (size_t)n) == 1 &&
           (len == 0 || stream_write(&h->stream, body, len) == 1) && keep;
}

static bool refuse(struct helper *h, const char *status, const char *why)
{
    return answer(h, status, "text/plain; charset=utf-8", why, strlen(why), false);
}

/* ---- files ---- */

static bool send_page(struct helper *h, const struct http_request *r)
{
    const char *path = strcmp(r->path, "/") ? r->path + 1 : "index.html";
    const struct pages_file *f = (const struct pages_file *)h->pages;

    for (const struct page *p = pages; p->path; p++) {
        if (!strcmp(p->path, path))
            return answer(h, "200 OK", p->type, p->data, p->len, !r->close);
    }
    for (uint32_t i = 0; f && i < f->n; i++) {
        const struct pages_entry *e = &f->entry[i];
        if (!strncmp(path, "novnc/", 6) && !strcmp(e->path, path + 6))
            return answer(h, "200 OK", "text/javascript; charset=utf-8", h->pages + e->off, e->len,
                          !r->close);
    }
    return answer(h, "404 Not Found", "text/plain", "not found\n", 10, !r->close);
}

/* ---- the WebSocket ---- */

/* "http://host:port" of the page against "host:port" of the request. */
static bool same_origin(const struct http_request *r)
{
    const char *host = strstr(r->origin, "://");

    return !r->origin[0] || (host && !strcasecmp(host + 3, r->host));
}

static bool is_loopback(const char *host)
{
    static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t n = strlen(names[i]);
        if (!strncasecmp(host, names[i], n) && (host[n] == 0 || host[n] == ':'))
            return true;
    }
    return false;
}

static bool accept_key(const char *key, char out[64])
{
    char text[128];
    uint8_t digest[20];
    gnutls_datum_t sum = { digest, sizeof(digest) }, b64 = { NULL, 0 };
    int n = snprintf(text, sizeof(text), "%s%s", key, ws_guid);
    bool good;

    if (gnutls_hash_fast(GNUTLS_DIG_SHA1, text, (size_t)n, digest) ||
        gnutls_base64_encode2(&sum, &b64))
        return false;
    good = b64.size < 64;
    if (good) {
        memcpy(out, b64.data, b64.size);
        out[b64.size] = 0;
    }
    gnutls_free(b64.data);
    return good;
}

static bool upgrade(struct helper *h, const struct http_request *r)
{
    char head[256], key[64];
    int n;

    if (!same_origin(r))
        return refuse(h, "403 Forbidden", "this is not the console's own page\n");
    if ((h->flags & CONFIG_LOCAL_ONLY) && (h->flags & CONFIG_CONSOLE) && !is_loopback(r->host))
        return refuse(h, "403 Forbidden",
                      "without a token only localhost and 127.0.0.1 are heard\n");
    if ((h->flags & CONFIG_TOKEN) &&
        !auth_same(r->token, strlen(r->token), h->token, sizeof(h->token))) {
        auth_refused(h, r->token[0] != 0);
        return refuse(h, "403 Forbidden", "the token is wrong or missing\n");
    }
    if (!accept_key(r->key, key))
        return refuse(h, "500 Internal Server Error", "no SHA-1\n");
    n = snprintf(head, sizeof(head),
                 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                 "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n",
                 key, r->binary ? "Sec-WebSocket-Protocol: binary\r\n" : "");
    if (stream_write(&h->stream, head, (size_t)n) != 1)
        return false;
    explicit_bzero(h->token, sizeof(h->token));
    return true;
}

/* The next request; false: none came, or it was no request. */
static bool hear_request(struct helper *h, struct http_request *r)
{
    for (;;) {
        const uint8_t *text;
        size_t len = stream_buffered(&h->stream, &text);
        ssize_t n = http_parse((const char *)text, len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX, r);

        if (n < 0) {
            refuse(h, "400 Bad Request", "not a request\n");
            return false;
        }
        if (n > 0) {
            stream_skip(&h->stream, (size_t)n);
            return true;
        }
        if (stream_more(&h->stream, IDLE_MS) != 1)
            return false;
    }
}

bool web_greet(struct helper *h)
{
    struct http_request r;

    for (unsigned i = 0; i < REQUESTS_MAX && hear_request(h, &r); i++) {
        alarm(GREETING_SECONDS);
        if (strcmp(r.method, "GET") != 0 || r.has_body) {
            refuse(h, "405 Method Not Allowed", "only GET\n");
            return false;
        }
        if (r.upgrade && upgrade(h, &r)) {
            h->stream.ws = true;
            h->stream.on_text = h->flags & CONFIG_CONSOLE ? console_hear : NULL;
            h->stream.ctx = h;
            return true;
        }
        if (r.upgrade || !(h->flags & CONFIG_CONSOLE) || !send_page(h, &r)) {
            if (!r.upgrade && !(h->flags & CONFIG_CONSOLE))
                refuse(h, "426 Upgrade Required",
                       "this port is for WebSocket; the page is not on\n");
            return false;
        }
    }
    return false;
}
