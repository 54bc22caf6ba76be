/* SPDX-License-Identifier: GPL-2.0-or-later */
/* WebSocket frames (RFC 6455 section 5) and the heads of HTTP requests, see the header. */
#include "display/vnc/ws.h"
#include <string.h>
#include <strings.h>

/* ---- HTTP ---- */

/* The next line without its CR LF; false: there is none left. */
static bool next_line(const char **at, const char *end, const char **line, size_t *len)
{
    const char *nl = memchr(*at, '\n', (size_t)(end - *at));

    if (!nl)
        return false;
    *line = *at;
    *len = (size_t)(nl - *at);
    if (*len && nl[-1] == '\r')
        (*len)--;
    *at = nl + 1;
    return true;
}

static void keep(char *dst, size_t size, const char *src, size_t len)
{
    size_t n = len < size ? len : size - 1;

    memcpy(dst, src, n);
    dst[n] = 0;
}

/* Is word one of the comma-separated list? */
static bool has_word(const char *list, size_t len, const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i + n <= len; i++) {
        bool begins = i == 0 || list[i - 1] == ',' || list[i - 1] == ' ';
        bool ends = i + n == len || list[i + n] == ',' || list[i + n] == ' ';
        if (begins && ends && !strncasecmp(list + i, word, n))
            return true;
    }
    return false;
}

struct head_state {
    bool connection, websocket, version;
};

static void header(struct http_request *r, struct head_state *st, const char *line, size_t len)
{
    const char *colon = memchr(line, ':', len), *val;
    size_t name = colon ? (size_t)(colon - line) : 0, n;

    if (!colon)
        return;
    for (val = colon + 1; val < line + len && (*val == ' ' || *val == '\t'); val++)
        ;
    n = (size_t)(line + len - val);
#define IS(word) (name == sizeof(word) - 1 && !strncasecmp(line, word, name))
    if (IS("host")) {
        keep(r->host, sizeof(r->host), val, n);
    } else if (IS("origin")) {
        keep(r->origin, sizeof(r->origin), val, n);
    } else if (IS("sec-websocket-key")) {
        keep(r->key, sizeof(r->key), val, n);
    } else if (IS("sec-websocket-version")) {
        st->version = has_word(val, n, "13");
    } else if (IS("sec-websocket-protocol")) {
        r->binary = has_word(val, n, "binary");
    } else if (IS("upgrade")) {
        st->websocket = has_word(val, n, "websocket");
    } else if (IS("connection")) {
        st->connection = has_word(val, n, "upgrade");
        r->close = has_word(val, n, "close");
    } else if (IS("content-length")) {
        r->has_body = !(n == 1 && *val == '0');
    } else if (IS("transfer-encoding")) {
        r->has_body = true;
    }
#undef IS
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static void take_token(struct http_request *r, const char *query, size_t len)
{
    const char *end = query + len, *p = query;
    size_t n = 0;

    while (p < end && strncmp(p, "token=", 6) != 0) {
        const char *amp = memchr(p, '&', (size_t)(end - p));
        p = amp ? amp + 1 : end;
    }
    if (end - p < 6)
        return;
    for (p += 6; p < end && *p != '&' && n < sizeof(r->token) - 1; p++) {
        if (*p == '%' && end - p > 2 && hex(p[1]) >= 0 && hex(p[2]) >= 0) {
            r->token[n++] = (char)(hex(p[1]) << 4 | hex(p[2]));
            p += 2;
        } else {
            r->token[n++] = *p;
        }
    }
    r->token[n] = 0;
}

/* "GET /path?query HTTP/1.1" */
static bool request_line(struct http_request *r, const char *line, size_t len)
{
    const char *sp = memchr(line, ' ', len), *sp2, *question;
    size_t target;

    if (!sp || (size_t)(sp - line) >= sizeof(r->method))
        return false;
    keep(r->method, sizeof(r->method), line, (size_t)(sp - line));
    sp2 = memchr(sp + 1, ' ', len - (size_t)(sp + 1 - line));
    if (!sp2 || sp[1] != '/' || line + len - sp2 != 9 || strncmp(sp2 + 1, "HTTP/1.", 7) != 0)
        return false;
    r->close = sp2[8] == '0';
    target = (size_t)(sp2 - sp - 1);
    question = memchr(sp + 1, '?', target);
    if (question)
        take_token(r, question + 1, (size_t)(sp2 - question - 1));
    target = question ? (size_t)(question - sp - 1) : target;
    if (target >= sizeof(r->path))
        return false;
    keep(r->path, sizeof(r->path), sp + 1, target);
    return true;
}

ssize_t http_parse(const char *text, size_t len, struct http_request *r)
{
    const char *at = text, *end = text + len, *line;
    struct head_state st = { 0 };
    size_t n;

    *r = (struct http_request){ 0 };
    if (len && memchr(text, 0, len))
        return -1;
    if (!next_line(&at, end, &line, &n))
        return len < HTTP_HEAD_MAX ? 0 : -1;
    if (!request_line(r, line, n))
        return -1;
    while (next_line(&at, end, &line, &n)) {
        if (n == 0) {
            r->upgrade = st.connection && st.websocket && st.version && r->key[0];
            return at - text;
        }
        header(r, &st, line, n);
    }
    return len < HTTP_HEAD_MAX ? 0 : -1;
}

/* ---- frames ---- */

/* How long the head is, as far as it can be seen from its first two bytes. */
static unsigned head_size(const struct ws_decoder *d)
{
    unsigned n = d->head[1] & 0x7f;

    return 2 + 4 + (n == 126 ? 2 : n == 127 ? 8 : 0);
}

static bool begin_frame(struct ws_decoder *d)
{
    unsigned at = 2, n = d->head[1] & 0x7f, more = n == 126 ? 2 : n == 127 ? 8 : 0;
    bool control;

    d->fin = d->head[0] & 0x80;
    d->op = d->head[0] & 0x0f;
    control = d->op & 8;
    if ((d->head[0] & 0x70) || !(d->head[1] & 0x80) || d->op > WS_PONG || (d->op > 2 && d->op < 8))
        return false;
    if (control && (!d->fin || n > WS_CONTROL))
        return false;
    if (!control && (d->op == WS_MORE) != (d->message != 0))
        return false;
    d->left = more ? 0 : n;
    for (unsigned i = 0; i < more; i++)
        d->left = d->left << 8 | d->head[at++];
    memcpy(d->mask, d->head + at, 4);
    d->at = 0;
    d->ncontrol = 0;
    if (!control && d->op != WS_MORE) {
        d->message = d->op;
        d->ntext = 0;
    }
    d->in_frame = true;
    return !(d->left >> 63);
}

/* So many bytes of the frame's payload; false: too much of it. */
static bool payload(struct ws_decoder *d, const uint8_t *in, size_t n, uint8_t **out)
{
    uint8_t *to;

    if (d->op & 8) {
        to = d->control + d->ncontrol;
        d->ncontrol += n;
    } else if (d->message == WS_TEXT) {
        if (n > WS_TEXT_MAX - d->ntext)
            return false;
        to = (uint8_t *)d->text + d->ntext;
        d->ntext += n;
    } else {
        to = *out;
        *out += n;
    }
    for (size_t i = 0; i < n; i++)
        to[i] = in[i] ^ d->mask[d->at++ & 3];
    d->left -= n;
    return true;
}

static bool end_frame(struct ws_decoder *d, const struct ws_events *ev, void *ctx)
{
    d->in_frame = false;
    d->have = 0;
    if (d->op == WS_CLOSE)
        return false;
    if (d->op == WS_PING && ev->ping)
        ev->ping(ctx, d->control, d->ncontrol);
    if ((d->op & 8) || !d->fin)
        return true;
    if (d->message == WS_TEXT) {
        d->text[d->ntext] = 0;
        if (ev->text)
            ev->text(ctx, d->text, d->ntext);
    }
    d->message = 0;
    return true;
}

ssize_t ws_decode(struct ws_decoder *d, const uint8_t *in, size_t n, uint8_t *out,
                  const struct ws_events *ev, void *ctx)
{
    uint8_t *first = out;

    while (n > 0 || (d->in_frame && d->left == 0)) {
        size_t part;

        if (!d->in_frame) {
            d->head[d->have++] = *in++;
            n--;
            if (d->have >= 2 && d->have == head_size(d) && !begin_frame(d))
                return -1;
            continue;
        }
        part = d->left < n ? (size_t)d->left : n;
        if (part && !payload(d, in, part, &out))
            return -1;
        in += part;
        n -= part;
        if (d->left == 0 && !end_frame(d, ev, ctx))
            return -1;
    }
    return out - first;
}

size_t ws_head(uint8_t head[10], enum ws_op op, size_t len)
{
    unsigned more = len < 126 ? 0 : len < 65536 ? 2 : 8;

    head[0] = (uint8_t)(0x80 | op);
    head[1] = (uint8_t)(more == 0 ? len : more == 2 ? 126 : 127);
    for (unsigned i = 0; i < more; i++)
        head[2 + i] = (uint8_t)((uint64_t)len >> 8 * (more - 1 - i));
    return 2 + more;
}
