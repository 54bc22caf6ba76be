/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The world in which a tape is the guest: it plays what came from outside,
 * answers what the machine asks as it was answered then, and compares what the
 * machine says, up to the first difference. There is no guest memory. The file
 * may say anything: what it plays is no more than a guest may do, and what
 * devices count on, worlds give them (time that goes on, sizes) is checked.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "ioreq/record-impl.h"

#define SLICE    256 /* records played before the loop looks elsewhere */
#define PAGE     4096
#define WORDS    176
#define WALL_MAX (INT64_C(1) << 40)

struct replay {
    struct tape tape;
    struct platform plat;
    struct world_options o;
    struct tape_reader *reader;
    struct tape_rec cause; /* what came from outside last; its bytes are in `held` */
    uint8_t *held;
    size_t held_cap;
    int64_t time;
    uint8_t *vram;
    uint64_t vram_size;
    uv_idle_t idle;
    bool idle_made, started, over;
    bool differs;
    char line[3 * WORDS + 128];
};

#define replay_of(p) container_of((p), struct replay, plat)
#define player_of(t) container_of((t), struct replay, tape)

/* ---- differences ---- */

static void finish(struct replay *y, int status)
{
    y->over = true;
    if (y->idle_made)
        uv_idle_stop(&y->idle);
    if (y->started && y->o.replayed)
        y->o.replayed(y->o.arg, status, y->line);
}

/* The first is the only one that is told: what follows is its consequence. */
__attribute__((format(printf, 2, 3))) static void differ(struct replay *y, const char *fmt, ...)
{
    char cause[WORDS];
    va_list ap;
    int n = 0;

    if (y->differs)
        return;
    y->differs = true;
    tape_words(&y->cause, cause, sizeof(cause));
    n = snprintf(y->line, sizeof(y->line), "replay: record %llu, at %lld.%09lld s, %s: ",
                 (unsigned long long)tape_count(y->reader) + 1, (long long)(y->time / NS_PER_S),
                 (long long)(y->time % NS_PER_S),
                 y->cause.kind ? cause : "while the machine is built");
    va_start(ap, fmt);
    vsnprintf(y->line + n, sizeof(y->line) - (size_t)n, fmt, ap);
    va_end(ap);
}

/* What stands in the first place where two runs of bytes are not the same; len: they are. */
static size_t first_difference(const struct tape_rec *a, const struct tape_rec *b)
{
    size_t i = 0;

    while (i < a->len && i < b->len && a->data[i] == b->data[i])
        i++;
    return i;
}

static void differ_said(struct replay *y, const struct tape_rec *then, const struct tape_rec *now)
{
    char was[WORDS], is[WORDS];
    size_t at = 0;
    bool bytes = then->kind == now->kind && tape_has_bytes(now->kind) &&
                 !memcmp(then->v, now->v, tape_given(now->kind) * sizeof(now->v[0]));

    tape_words(then, was, sizeof(was));
    tape_words(now, is, sizeof(is));
    if (bytes)
        at = first_difference(then, now);
    if (bytes && now->v[1] <= TAPE_WHOLE && at < then->len && at < now->len)
        differ(y, "%.*s: byte %zu was %02x, is %02x", (int)strcspn(is, ":"), is, at, then->data[at],
               now->data[at]);
    else if (bytes)
        differ(y, "%.*s: other bytes", (int)strcspn(is, ":"), is);
    else
        differ(y, "recorded \"%s\", now \"%s\"", was, is);
}

static bool same(const struct tape_rec *then, const struct tape_rec *now)
{
    if (then->kind != now->kind ||
        memcmp(then->v, now->v, tape_given(now->kind) * sizeof(now->v[0])))
        return false;
    if (now->kind == T_WRITE || now->kind == T_SEND)
        return then->len == now->len && !memcmp(then->data, now->data, now->len);
    return true;
}

static void replay_say(struct tape *t, struct tape_rec *r)
{
    struct replay *y = player_of(t);
    const struct tape_rec *then;
    const char *why;

    if (!t->depth || y->differs)
        return;
    then = tape_peek(y->reader, &why);
    if (!then) {
        differ(y, "the file has no more: %s", why);
        return;
    }
    if (!same(then, r)) {
        differ_said(y, then, r);
        return;
    }
    *r = *then;
    tape_next(y->reader);
}

/* ---- what the machine asks ---- */

#define ASK(y, name, ...)                                                                          \
    struct tape_rec name = { __VA_ARGS__ };                                                        \
    (y)->tape.say(&(y)->tape, &name)

/* 0 or a negative errno, whatever the file says. */
static int status_of(const struct replay *y, uint64_t val, int otherwise)
{
    int64_t rc = (int64_t)val;

    if (y->differs || !y->tape.depth)
        return otherwise;
    return !rc ? 0 : rc < 0 && rc > -4096 ? (int)rc : -EIO;
}

static int replay_range(struct platform *p, bool add, enum io_space space, uint64_t base,
                        uint64_t size)
{
    struct replay *y = replay_of(p);

    ASK(y, r, .kind = T_RANGE, .v = { add, space, base, size });
    return status_of(y, r.v[4], 0);
}

static int replay_pci(struct platform *p, bool add, unsigned devfn)
{
    struct replay *y = replay_of(p);

    ASK(y, r, .kind = T_PCI, .v = { add, devfn });
    return status_of(y, r.v[2], 0);
}

static int replay_mem_read(struct platform *p, uint64_t gpa, void *dst, size_t len)
{
    struct replay *y = replay_of(p);
    int rc;

    ASK(y, r, .kind = T_READ, .v = { gpa, len });
    rc = status_of(y, r.v[2], -ENXIO);
    if (rc)
        return rc;
    if (r.len != len) {
        differ(y, "the file is damaged: a DMA of %zu bytes has %u", len, r.len);
        return -ENXIO;
    }
    memcpy(dst, r.data, len);
    return 0;
}

static int replay_mem_write(struct platform *p, uint64_t gpa, const void *src, size_t len)
{
    struct replay *y = replay_of(p);
    struct tape_rec r = { .kind = T_WRITE, .v = { gpa, len } };
    uint8_t hash[8];

    tape_digest(&r, src, len, hash);
    y->tape.say(&y->tape, &r);
    return status_of(y, r.v[2], -ENXIO);
}

static int replay_mem_readonly(struct platform *p, uint64_t gpa, uint64_t len, bool readonly)
{
    struct replay *y = replay_of(p);

    ASK(y, r, .kind = T_READONLY, .v = { gpa, len, readonly });
    return status_of(y, r.v[3], 0);
}

static int replay_vram_alloc(struct platform *p, uint64_t size, void **host, struct err *err)
{
    struct replay *y = replay_of(p);
    int rc;

    ASK(y, r, .kind = T_VRAM_ALLOC, .v = { size });
    rc = status_of(y, r.v[1], 0);
    if (rc || y->vram)
        return err_set(err, rc ? rc : -EBUSY, "video memory: refused, as it was then");
    *host = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                 -1, 0);
    if (*host == MAP_FAILED)
        return err_set(err, -errno, "video memory: %s", strerror(errno));
    y->vram = *host;
    y->vram_size = size;
    return 0;
}

static int replay_vram_place(struct platform *p, uint64_t gpa)
{
    struct replay *y = replay_of(p);

    ASK(y, r, .kind = T_VRAM_PLACE, .v = { gpa });
    return status_of(y, r.v[1], 0);
}

static void replay_isa_irq(struct platform *p, unsigned pin, bool level)
{
    ASK(replay_of(p), r, .kind = T_ISA, .v = { pin, level });
}

static void replay_pci_intx(struct platform *p, unsigned devfn, unsigned pin, bool level)
{
    ASK(replay_of(p), r, .kind = T_INTX, .v = { devfn, pin, level });
}

static void replay_pci_link(struct platform *p, unsigned link, unsigned irq)
{
    ASK(replay_of(p), r, .kind = T_ROUTE, .v = { link, irq });
}

static void replay_msi(struct platform *p, uint64_t addr, uint32_t data)
{
    ASK(replay_of(p), r, .kind = T_MSI, .v = { addr, data });
}

static void replay_power(struct platform *p, enum power what)
{
    ASK(replay_of(p), r, .kind = T_POWER, .v = { what });
}

static int64_t replay_now(struct platform *p)
{
    struct replay *y = replay_of(p);

    ASK(y, r, .kind = T_NOW);
    if (y->tape.depth && !y->differs)
        y->time = (int64_t)r.v[0];
    return y->time;
}

static int64_t replay_wall(struct platform *p)
{
    struct replay *y = replay_of(p);
    int64_t wall;

    ASK(y, r, .kind = T_WALL);
    wall = (int64_t)r.v[0];
    return y->differs || wall < 0 || wall > WALL_MAX ? 0 : wall;
}

static const struct platform_ops replay_ops = {
    .name = "replay",
    .range = replay_range,
    .pci = replay_pci,
    .mem_read = replay_mem_read,
    .mem_write = replay_mem_write,
    .mem_readonly = replay_mem_readonly,
    .vram_alloc = replay_vram_alloc,
    .vram_place = replay_vram_place,
    .isa_irq = replay_isa_irq,
    .pci_intx = replay_pci_intx,
    .pci_link = replay_pci_link,
    .msi = replay_msi,
    .power = replay_power,
    .now = replay_now,
    .wall = replay_wall,
};

/* ---- what comes from outside ---- */

static bool width_ok(uint64_t width, unsigned max)
{
    return width && width <= max && !(width & (width - 1));
}

/* False: no world sends such a request. */
static bool play_request(struct replay *y, const struct tape_rec *r)
{
    bool config = r->kind == T_CFG_IN || r->kind == T_CFG_OUT;
    const uint64_t *v = config ? r->v + 1 : r->v;
    struct io_req req = { .space = r->kind == T_MEM_IN || r->kind == T_MEM_OUT ? IO_MEM : IO_PORT,
                          .write = r->kind == T_OUT || r->kind == T_MEM_OUT || r->kind == T_CFG_OUT,
                          .width = (unsigned)v[1],
                          .addr = v[0],
                          .data = v[2] };
    struct tape_rec answer = { .kind = T_ANSWER };

    if (!width_ok(v[1], config ? 4 : 8) || (req.space == IO_PORT && v[0] > 0xffff))
        return false;
    if (config && (r->v[0] > 255 || v[0] > 4095))
        return false;
    if (config)
        platform_pci_cfg(&y->plat, (unsigned)r->v[0], (unsigned)v[0], &req);
    else
        platform_io(&y->plat, &req);
    answer.v[0] = req.data;
    if (!req.write)
        y->tape.say(&y->tape, &answer);
    return true;
}

static bool play_vram(struct replay *y, const struct tape_rec *r)
{
    if (!y->vram || r->len != PAGE || r->v[0] >= y->vram_size / PAGE)
        return false;
    memcpy(y->vram + r->v[0] * PAGE, r->data, PAGE);
    return true;
}

static bool play(struct replay *y, const struct tape_rec *r)
{
    switch (r->kind) {
    case T_TIMERS:
        timers_run(&y->plat, r->time);
        return true;
    case T_VRAM:
        return play_vram(y, r);
    case T_IN:
    case T_OUT:
    case T_MEM_IN:
    case T_MEM_OUT:
    case T_CFG_IN:
    case T_CFG_OUT:
        return play_request(y, r);
    default:
        return tape_deliver(&y->tape, r);
    }
}

/* The record, with its bytes where reading on does not change them. */
static bool take(struct replay *y, const struct tape_rec *r)
{
    if (r->len > y->held_cap) {
        uint8_t *more = realloc(y->held, r->len);

        if (!more)
            return false;
        y->held = more;
        y->held_cap = r->len;
    }
    y->cause = *r;
    y->cause.data = y->held;
    if (r->len)
        memcpy(y->held, r->data, r->len);
    y->time = r->time;
    tape_next(y->reader);
    return true;
}

static void play_end(struct replay *y, const struct tape_rec *r)
{
    snprintf(y->line, sizeof(y->line),
             "replay: %llu records, up to %lld.%09lld s: no difference%s%.*s",
             (unsigned long long)tape_count(y->reader), (long long)(r->time / NS_PER_S),
             (long long)(r->time % NS_PER_S), r->v[0] ? "; the recording ended there: " : "",
             r->len < 100 ? (int)r->len : 100, r->len ? (const char *)r->data : "");
    for (char *c = y->line; *c; c++)
        *c = *c < ' ' || *c > '~' ? '?' : *c;
    finish(y, 0);
}

/* False: nothing more for now. */
static bool play_next(struct replay *y)
{
    const char *why;
    const struct tape_rec *r = tape_peek(y->reader, &why);

    if (!r) {
        differ(y, "%s", why);
    } else if (r->kind == T_END) {
        play_end(y, r);
        return false;
    } else if (!tape_from_outside(r->kind)) {
        char was[WORDS];

        tape_words(r, was, sizeof(was));
        differ(y, "recorded \"%s\", now nothing", was);
    } else if (r->kind == T_DISK && !tape_disk_ready(&y->tape, r)) {
        uv_idle_stop(&y->idle); /* until replay_kick() */
        return false;
    } else if (!take(y, r)) {
        differ(y, "out of memory");
    } else {
        y->tape.depth = 1;
        if (!play(y, &y->cause))
            differ(y, "there is no such thing in this machine, or the file is damaged");
        y->tape.depth = 0;
    }
    if (y->differs)
        finish(y, 1);
    return !y->differs;
}

static void on_idle(uv_idle_t *idle)
{
    struct replay *y = idle->data;

    for (unsigned n = 0; n < SLICE && play_next(y); n++)
        ;
}

void replay_kick(struct tape *t)
{
    struct replay *y = player_of(t);

    if (y->started && !y->over)
        uv_idle_start(&y->idle, on_idle);
}

bool replay_release(struct tape *t, struct block *b)
{
    struct replay *y = player_of(t);
    const struct tape_disk *d = b->priv;
    struct tape_rec cause = y->cause;
    const struct tape_rec *r;
    const char *why;
    bool found;

    if (y->differs || y->over || !t->depth)
        return false;
    r = tape_peek(y->reader, &why);
    if (!r || r->kind != T_DISK || r->v[0] != d->drive) {
        differ(y, "a disk is waited for, which did not happen when it was recorded");
        return false;
    }
    y->cause = *r;
    y->time = r->time;
    tape_next(y->reader);
    found = tape_deliver(t, &y->cause);
    if (!found)
        differ(y, "there was no such request now");
    y->cause = cause;
    return found;
}

/* ---- the world ---- */

static void replay_enter(struct tape *t, struct tape_rec *r)
{
    t->depth++;
}

static void idle_closed(uv_handle_t *h)
{
    struct replay *y = h->data;

    y->idle_made = false;
}

static void replay_close(struct platform *p)
{
    struct replay *y;

    if (!p)
        return;
    y = replay_of(p);
    if (y->idle_made)
        uv_close((uv_handle_t *)&y->idle, idle_closed);
    while (y->idle_made)
        uv_run(y->plat.loop, UV_RUN_NOWAIT);
    if (y->vram)
        munmap(y->vram, y->vram_size);
    tape_reader_free(y->reader);
    free(y->held);
    free(y);
}

static struct platform *replay_open(struct uv_loop_s *loop, const struct world_options *o,
                                    struct err *err)
{
    struct replay *y = calloc(1, sizeof(*y));
    struct tape_header head;

    if (!y) {
        err_set(err, -ENOMEM, "out of memory");
        return NULL;
    }
    platform_init(&y->plat, &replay_ops, loop);
    y->o = *o;
    y->tape = (struct tape){ .player = true, .depth = 1, .enter = replay_enter, .say = replay_say };
    y->reader = tape_reader_new(o->replay, &head, err);
    if (!y->reader || uv_idle_init(loop, &y->idle)) {
        tape_reader_free(y->reader);
        free(y);
        return NULL;
    }
    y->idle.data = y;
    y->idle_made = true;
    return &y->plat;
}

static int replay_start(struct platform *p, struct err *err)
{
    struct replay *y = replay_of(p);

    y->started = true;
    if (y->differs)
        return err_set(err, -EINVAL, "%s", y->line);
    uv_idle_start(&y->idle, on_idle);
    return 0;
}

struct tape *replay_tape(struct platform *p)
{
    return &replay_of(p)->tape;
}

const struct world world_replay = {
    .name = "replay",
    .open = replay_open,
    .close = replay_close,
    .start = replay_start,
};
