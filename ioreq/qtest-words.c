/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of a request. They are looked at where they lie in the input, and
 * nothing is copied: a client may have hundreds of requests in one packet.
 */
#include <string.h>
#include "ioreq/qtest-impl.h"

/* Words are separated by one blank each; the last one takes what is left over. */
void qtest_split(struct qtest_words *w, const char *line, size_t len)
{
    const char *end = line + len;

    w->n = 0;
    for (;;) {
        const char *blank = memchr(line, ' ', (size_t)(end - line));

        if (!blank)
            blank = end;
        w->w[w->n++] = (struct qtest_word){ line, (size_t)(blank - line) };
        if (blank == end || w->n == QTEST_WORDS)
            return;
        line = blank + 1;
    }
}

bool qtest_is(const struct qtest_words *w, unsigned i, const char *text)
{
    return i < w->n && w->w[i].len == strlen(text) && !memcmp(w->w[i].p, text, w->w[i].len);
}

static unsigned digit(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 16;
}

/* As strtoull() takes it with base 0: a sign, 0x for hexadecimal, 0 for octal. All of the word. */
bool qtest_number(const struct qtest_words *w, unsigned i, uint64_t *val)
{
    const char *p, *end;
    unsigned base = 10;
    bool minus = false;
    uint64_t v = 0;

    if (i >= w->n)
        return false;
    p = w->w[i].p;
    end = p + w->w[i].len;
    if (p < end && (*p == '-' || *p == '+'))
        minus = *p++ == '-';
    if (end - p > 2 && p[0] == '0' && (p[1] | 0x20) == 'x') {
        base = 16;
        p += 2;
    } else if (end - p > 1 && *p == '0') {
        base = 8;
        p++;
    }
    if (p == end)
        return false;
    for (; p < end; p++) {
        unsigned d = digit(*p);

        if (d >= base || __builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, d, &v))
            return false;
    }
    *val = minus ? 0 - v : v;
    return true;
}

void qtest_hex_put(char *to, const uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < n; i++) {
        *to++ = digits[bytes[i] >> 4];
        *to++ = digits[bytes[i] & 15];
    }
}

/* What is missing is zero; a character that is no digit sets its bits, and those before it. */
void qtest_hex_get(uint8_t *bytes, size_t n, const char *hex, size_t len)
{
    for (size_t i = 0; i < n; i++) {
        unsigned hi = 2 * i < len ? digit(hex[2 * i]) : 0;
        unsigned lo = 2 * i + 1 < len ? digit(hex[2 * i + 1]) : 0;

        bytes[i] = lo > 15 ? 0xff : (uint8_t)((hi > 15 ? 15 : hi) << 4 | lo);
    }
}

static const char b64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* RFC 4648 section 4 */
size_t qtest_b64_put(char *to, const uint8_t *bytes, size_t n)
{
    char *p = to;

    for (size_t i = 0; i < n; i += 3) {
        unsigned left = n - i < 3 ? (unsigned)(n - i) : 3;
        uint32_t v = (uint32_t)bytes[i] << 16;

        v |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        v |= left > 2 ? bytes[i + 2] : 0;
        *p++ = b64[v >> 18];
        *p++ = b64[v >> 12 & 63];
        *p++ = left > 1 ? b64[v >> 6 & 63] : '=';
        *p++ = left > 2 ? b64[v & 63] : '=';
    }
    return (size_t)(p - to);
}

static int b64_value(char c)
{
    const char *at = c ? memchr(b64, c, 64) : NULL;

    return at ? (int)(at - b64) : -1;
}

/* Characters of no meaning are skipped. At most max bytes; how many there were. */
size_t qtest_b64_get(uint8_t *bytes, size_t max, const char *text, size_t len)
{
    uint32_t v = 0;
    unsigned bits = 0;
    size_t n = 0;

    for (size_t i = 0; i < len && n < max && text[i] != '='; i++) {
        int d = b64_value(text[i]);

        if (d < 0)
            continue;
        v = v << 6 | (uint32_t)d;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes[n++] = (uint8_t)(v >> bits);
        }
    }
    return n;
}
