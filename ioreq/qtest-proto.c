/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One request in, one answer out. A client that says nonsense gets FAIL and a
 * line that says what was expected; nothing it says can do more than that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ioreq/qtest-impl.h"

enum { INTERCEPT_NONE, INTERCEPT_IOAPIC, INTERCEPT_HOST };

/* ---- answers ---- */

static void say(struct qtest *q, const char *text, size_t len)
{
    char *to = qtest_conn_room(q, len + 1);

    if (!to)
        return;
    memcpy(to, text, len);
    to[len] = '\n';
    qtest_conn_put(q, len + 1);
}

static bool ok(struct qtest *q)
{
    say(q, "OK", 2);
    return true;
}

/* "OK 0x0018": at least `digits` of them. */
static bool ok_hex(struct qtest *q, uint64_t val, unsigned digits)
{
    static const char hex[] = "0123456789abcdef";
    char text[24] = "OK 0x";

    while (digits < 16 && val >> 4 * digits)
        digits++;
    for (unsigned i = 0; i < digits; i++)
        text[5 + i] = hex[val >> 4 * (digits - 1 - i) & 15];
    say(q, text, 5 + digits);
    return true;
}

static bool ok_time(struct qtest *q)
{
    char text[32];

    say(q, text, (size_t)snprintf(text, sizeof(text), "OK %lld", (long long)q->now));
    return true;
}

static bool answer(struct qtest *q, const char *text)
{
    say(q, text, strlen(text));
    return true;
}

/* ---- ports ---- */

static unsigned width_of(char letter)
{
    return letter == 'b' ? 1 : letter == 'w' ? 2 : letter == 'l' ? 4 : 8;
}

static bool do_out(struct qtest *q, const struct qtest_words *w)
{
    struct io_req req = { .space = IO_PORT, .write = true, .width = width_of(w->w[0].p[3]) };

    if (!qtest_number(w, 1, &req.addr) || req.addr > 0xffff || !qtest_number(w, 2, &req.data))
        return false;
    platform_io(&q->plat, &req);
    return ok(q);
}

static bool do_in(struct qtest *q, const struct qtest_words *w)
{
    struct io_req req = { .space = IO_PORT, .width = width_of(w->w[0].p[2]) };

    if (!qtest_number(w, 1, &req.addr) || req.addr > 0xffff)
        return false;
    platform_io(&q->plat, &req);
    return ok_hex(q, req.data, 4);
}

/* ---- memory ---- */

/* An access to the bus where there is no memory: a device's window, or nothing, which reads as 0.
 */
static unsigned bus_access(struct qtest *q, uint64_t addr, uint8_t *bytes, uint64_t left,
                           bool write)
{
    struct io_req req = { .space = IO_MEM, .write = write, .addr = addr };

    for (req.width = 8; req.width > left || (addr & (req.width - 1)); req.width >>= 1)
        ;
    if (!platform_covers(&q->plat, IO_MEM, addr)) {
        if (!write)
            memset(bytes, 0, req.width);
        return req.width;
    }
    if (write)
        memcpy(&req.data, bytes, req.width);
    platform_io(&q->plat, &req);
    if (!write)
        memcpy(bytes, &req.data, req.width);
    return req.width;
}

static void access_memory(struct qtest *q, uint64_t addr, uint8_t *bytes, uint64_t len, bool write)
{
    while (len) {
        uint64_t n = len;
        uint8_t *at = host_mem_at(&q->mem, addr, &n, write);

        if (!at) {
            n = bus_access(q, addr, bytes, n, write);
        } else if (write) {
            memcpy(at, bytes, n);
        } else {
            memcpy(bytes, at, n);
        }
        bytes += n;
        addr += n;
        len -= n;
    }
}

static bool do_write_one(struct qtest *q, const struct qtest_words *w)
{
    uint64_t addr, val;
    unsigned width = width_of(w->w[0].p[5]);

    if (!qtest_number(w, 1, &addr) || !qtest_number(w, 2, &val))
        return false;
    access_memory(q, addr, (uint8_t *)&val, width, true);
    return ok(q);
}

static bool do_read_one(struct qtest *q, const struct qtest_words *w)
{
    uint64_t addr, val = 0;

    if (!qtest_number(w, 1, &addr))
        return false;
    access_memory(q, addr, (uint8_t *)&val, width_of(w->w[0].p[4]), false);
    return ok_hex(q, val, 16);
}

/* The address and length of a request that moves bytes. */
static bool span(const struct qtest_words *w, uint64_t *addr, uint64_t *len)
{
    return qtest_number(w, 1, addr) && qtest_number(w, 2, len) && *len <= QTEST_BYTES_MAX;
}

static bool do_read(struct qtest *q, const struct qtest_words *w)
{
    uint64_t addr, len;
    uint8_t *bytes;
    char *to;

    if (!span(w, &addr, &len) || !len)
        return false;
    bytes = malloc(len);
    if (!bytes)
        return answer(q, "FAIL out of memory");
    access_memory(q, addr, bytes, len, false); /* may cause lines that go before the answer */
    to = qtest_conn_room(q, 2 * len + 6);
    if (to) {
        memcpy(to, "OK 0x", 5);
        qtest_hex_put(to + 5, bytes, len);
        to[5 + 2 * len] = '\n';
        qtest_conn_put(q, 2 * len + 6);
    }
    free(bytes);
    return true;
}

static bool do_b64read(struct qtest *q, const struct qtest_words *w)
{
    uint64_t addr, len, n;
    uint8_t *bytes;
    char *to;

    if (!span(w, &addr, &len))
        return false;
    bytes = malloc(len + 1);
    if (!bytes)
        return answer(q, "FAIL out of memory");
    access_memory(q, addr, bytes, len, false);
    to = qtest_conn_room(q, 4 * ((len + 2) / 3) + 4);
    if (to) {
        memcpy(to, "OK ", 3);
        n = 3 + qtest_b64_put(to + 3, bytes, len);
        to[n] = '\n';
        qtest_conn_put(q, n + 1);
    }
    free(bytes);
    return true;
}

static bool write_bytes(struct qtest *q, const struct qtest_words *w, bool b64)
{
    const struct qtest_word *data = &w->w[3];
    uint64_t addr, len;
    uint8_t *bytes;

    if (!span(w, &addr, &len) || w->n < 4)
        return false;
    if (data->len < 3)
        return answer(q, "ERR invalid argument size");
    bytes = malloc(len + 1);
    if (!bytes)
        return answer(q, "FAIL out of memory");
    if (b64)
        len = qtest_b64_get(bytes, len, data->p, data->len);
    else
        qtest_hex_get(bytes, len, data->p + 2, data->len - 2); /* whatever stands for 0x */
    access_memory(q, addr, bytes, len, true);
    free(bytes);
    return ok(q);
}

static bool do_write(struct qtest *q, const struct qtest_words *w)
{
    return write_bytes(q, w, false);
}

static bool do_b64write(struct qtest *q, const struct qtest_words *w)
{
    return write_bytes(q, w, true);
}

static bool do_memset(struct qtest *q, const struct qtest_words *w)
{
    uint64_t addr, len, val;
    uint8_t pattern[8];

    if (!qtest_number(w, 1, &addr) || !qtest_number(w, 2, &len) || !qtest_number(w, 3, &val))
        return false;
    if (len > QTEST_FILL_MAX)
        return false;
    memset(pattern, (int)(val & 0xff), sizeof(pattern));
    while (len) {
        uint64_t n = len;
        uint8_t *at = host_mem_at(&q->mem, addr, &n, true);

        if (at)
            memset(at, pattern[0], n);
        else
            n = bus_access(q, addr, pattern, n < 8 ? n : 8, true);
        addr += n;
        len -= n;
    }
    return ok(q);
}

/* ---- time ---- */

bool qtest_step_on(struct qtest *q)
{
    q->serving = true;
    q->stepping = !qtest_advance(q, q->step_to);
    if (!q->stepping)
        ok_time(q);
    q->serving = false;
    return !q->stepping;
}

static bool step_to(struct qtest *q, int64_t to)
{
    q->step_to = to;
    q->stepping = to > q->now && !qtest_advance(q, to);
    return q->stepping ? true : ok_time(q);
}

#define TIME_END (1LL << 60) /* 36 years: devices add to the time, and it must not run over */

/* Without a number: to the next timer's deadline. Time does not go back, nor past its end. */
static bool do_clock_step(struct qtest *q, const struct qtest_words *w)
{
    uint64_t ns;
    int64_t to;

    if (w->n < 2) {
        to = timers_next(&q->plat);
        return step_to(q, to == TIMER_OFF ? q->now : to);
    }
    if (!qtest_number(w, 1, &ns))
        return false;
    if (__builtin_add_overflow(q->now, (int64_t)ns, &to) || to > TIME_END)
        to = q->now;
    return step_to(q, to);
}

static bool do_clock_set(struct qtest *q, const struct qtest_words *w)
{
    uint64_t ns;

    if (!qtest_number(w, 1, &ns) || ns > TIME_END)
        return false;
    return step_to(q, (int64_t)ns);
}

/* ---- interrupt lines ---- */

static int find_device(const struct qtest_words *w)
{
    if (qtest_is(w, 1, "ioapic") || qtest_is(w, 1, "/machine/i440fx/ioapic"))
        return INTERCEPT_IOAPIC;
    if (qtest_is(w, 1, "i440fx") || qtest_is(w, 1, "/machine/i440fx"))
        return INTERCEPT_HOST; /* has no line that could be seen */
    return INTERCEPT_NONE;
}

static bool intercept(struct qtest *q, const struct qtest_words *w, bool in)
{
    int dev = find_device(w);

    if (w->n < 2)
        return false;
    if (!dev)
        return answer(q, "FAIL Unknown device");
    if (q->intercept && q->intercept != dev)
        return answer(q, "FAIL IRQ intercept already enabled");
    if (!q->intercept)
        q->watched = in && dev == INTERCEPT_IOAPIC;
    q->intercept = dev;
    return ok(q);
}

static bool do_intercept_in(struct qtest *q, const struct qtest_words *w)
{
    return intercept(q, w, true);
}

static bool do_intercept_out(struct qtest *q, const struct qtest_words *w)
{
    return intercept(q, w, false);
}

static bool do_set_irq_in(struct qtest *q, const struct qtest_words *w)
{
    uint64_t n, level;

    if (w->n < 5)
        return false;
    if (!find_device(w))
        return answer(q, "FAIL Unknown device");
    if (find_device(w) != INTERCEPT_IOAPIC || !qtest_is(w, 2, "unnamed-gpio-in"))
        return answer(q, "FAIL Unknown line");
    if (!qtest_number(w, 3, &n) || n >= QTEST_LINES || !qtest_number(w, 4, &level))
        return false;
    qtest_line(q, (unsigned)n, level != 0);
    return ok(q);
}

/* ---- the rest ---- */

static bool do_endianness(struct qtest *q, const struct qtest_words *w)
{
    return answer(q, "OK little");
}

/* Everything is built in. */
static bool do_module_load(struct qtest *q, const struct qtest_words *w)
{
    return w->n < 3 ? false : ok(q);
}

void qtest_client_new(struct qtest *q)
{
    memset(q->told, 0, sizeof(q->told));
}

#define PORT_READ  "PORT: a port from 0 to 0xffff"
#define PORT_WRITE "PORT VALUE: a port from 0 to 0xffff"
#define BYTES      "at most 16 MiB"

/* Those that come most often come first. */
static const struct {
    const char *name;
    uint8_t len;
    bool (*serve)(struct qtest *q, const struct qtest_words *w);
    const char *usage;
} requests[] = {
    { "inb", 3, do_in, PORT_READ },
    { "outb", 4, do_out, PORT_WRITE },
    { "inw", 3, do_in, PORT_READ },
    { "inl", 3, do_in, PORT_READ },
    { "outw", 4, do_out, PORT_WRITE },
    { "outl", 4, do_out, PORT_WRITE },
    { "readb", 5, do_read_one, "ADDRESS" },
    { "readw", 5, do_read_one, "ADDRESS" },
    { "readl", 5, do_read_one, "ADDRESS" },
    { "readq", 5, do_read_one, "ADDRESS" },
    { "writeb", 6, do_write_one, "ADDRESS VALUE" },
    { "writew", 6, do_write_one, "ADDRESS VALUE" },
    { "writel", 6, do_write_one, "ADDRESS VALUE" },
    { "writeq", 6, do_write_one, "ADDRESS VALUE" },
    { "read", 4, do_read, "ADDRESS LENGTH: at least 1 byte, " BYTES },
    { "write", 5, do_write, "ADDRESS LENGTH 0xBYTES: " BYTES },
    { "b64read", 7, do_b64read, "ADDRESS LENGTH: " BYTES },
    { "b64write", 8, do_b64write, "ADDRESS LENGTH BASE64: " BYTES },
    { "memset", 6, do_memset, "ADDRESS LENGTH VALUE: at most 64 MiB" },
    { "clock_step", 10, do_clock_step, "[NANOSECONDS]" },
    { "clock_set", 9, do_clock_set, "NANOSECONDS" },
    { "irq_intercept_in", 16, do_intercept_in, "DEVICE: ioapic" },
    { "irq_intercept_out", 17, do_intercept_out, "DEVICE: ioapic" },
    { "set_irq_in", 10, do_set_irq_in, "ioapic unnamed-gpio-in N LEVEL: N from 0 to 23" },
    { "endianness", 10, do_endianness, "" },
    { "module_load", 11, do_module_load, "PREFIX NAME" },
};

static void fail_usage(struct qtest *q, const char *name, const char *usage)
{
    char text[128];

    say(q, text, (size_t)snprintf(text, sizeof(text), "FAIL usage: %s %s", name, usage));
}

static void fail_unknown(struct qtest *q, const struct qtest_word *name)
{
    char text[128];
    int len = name->len < 64 ? (int)name->len : 64;

    say(q, text, (size_t)snprintf(text, sizeof(text), "FAIL Unknown command '%.*s'", len, name->p));
}

void qtest_request(struct qtest *q, const char *line, size_t len)
{
    struct qtest_words w;
    const struct qtest_word *name = &w.w[0];

    if (len && line[len - 1] == '\r')
        len--;
    qtest_split(&w, line, len);
    q->serving = true;
    for (unsigned i = 0;; i++) {
        if (i == sizeof(requests) / sizeof(requests[0])) {
            fail_unknown(q, name);
            break;
        }
        if (name->len != requests[i].len || memcmp(name->p, requests[i].name, name->len))
            continue;
        if (!requests[i].serve(q, &w))
            fail_usage(q, requests[i].name, requests[i].usage);
        break;
    }
    q->serving = false;
}
