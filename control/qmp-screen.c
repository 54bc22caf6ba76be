/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/qmp-screen.c: the screen as data. A look at it is taken on the loop
 * (the characters of a text mode, or a copy of the picture) and read by a
 * thread: recognising characters, matching a pattern and hashing take as long
 * as the screen is large. Waiting for a pattern is looking again and again.
 */
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include "control/qmp-impl.h"
#include "display/screen-text.h"

#define LOOK_MS     200 /* between two looks while waiting */
#define TIMEOUT     60
#define TIMEOUT_MAX 86400
#define PATTERN_MAX 512

/* ---- a look at the screen ---- */

struct look {
    struct screen_cells *cells; /* of a text mode at once, else by look_read() */
    char *text;                 /* what a card without cells says */
    struct surface copy;        /* pixels NULL: not needed */
    uint8_t *rom;
    size_t rom_len;
    uint64_t hash; /* of the picture */
};

static void look_free(struct look *k)
{
    free(k->cells);
    free(k->text);
    free(k->copy.pixels);
    free(k->rom);
    *k = (struct look){ 0 };
}

static void *copy_of(const void *from, size_t len)
{
    void *p = from && len ? malloc(len) : NULL;

    return p ? memcpy(p, from, len) : NULL;
}

/* picture: a copy of it also where characters are known. False: there is nothing to see. */
static bool look_take(struct vm *vm, struct look *k, bool picture)
{
    const struct surface *s;
    const uint8_t *rom;

    *k = (struct look){ 0 };
    if (!vm->display)
        return false;
    k->cells = display_cells(vm->display);
    k->text = k->cells ? NULL : display_text(vm->display);
    if (!picture && (k->cells || k->text))
        return true;
    s = display_refresh(vm->display, false);
    if (!s)
        return false;
    k->copy = *s;
    k->copy.fd = -1;
    k->copy.pixels = copy_of(s->pixels, (size_t)s->stride * s->height);
    rom = display_rom(vm->display, &k->rom_len);
    k->rom = copy_of(rom, k->rom_len);
    if (!k->rom)
        k->rom_len = 0;
    return k->copy.pixels;
}

/* FNV-1a by pixels, not bytes: of what is seen, which the top byte of a pixel is not. */
static uint64_t hash_picture(const struct surface *s)
{
    uint64_t h = 0xcbf29ce484222325ull ^ s->width ^ (uint64_t)s->height << 32;

    for (uint32_t y = 0; y < s->height; y++) {
        const uint32_t *row = s->pixels + (size_t)y * (s->stride / 4);

        for (uint32_t x = 0; x < s->width; x++)
            h = (h ^ (row[x] & 0xffffff)) * 0x100000001b3ull;
    }
    return h;
}

/* On a thread. */
static void look_read(struct look *k)
{
    if (!k->cells && !k->text && k->copy.pixels)
        k->cells = screen_read(&k->copy, k->rom, k->rom_len);
    if (k->cells && !k->text)
        k->text = screen_cells_text(k->cells);
}

/* ---- portico-screen-text ---- */

struct text_job {
    struct qmp_later later; /* first */
    struct look look;
    bool cells;
};

static json_t *cells_json(const struct screen_cells *c)
{
    json_t *rows = json_array();

    for (unsigned y = 0; y < c->rows; y++) {
        json_t *row = json_array();

        for (unsigned x = 0; x < c->cols; x++) {
            const struct screen_cell *cell = &c->cell[y * c->cols + x];
            json_t *one = json_pack("[i, i, i]", (int)cell->ch, (int)(cell->fg & 0xffffff),
                                    (int)(cell->bg & 0xffffff));

            if (!c->graphics)
                json_array_append_new(one, json_integer(cell->attr));
            json_array_append_new(row, one);
        }
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *text_json(const struct look *k, bool cells)
{
    const struct screen_cells *c = k->cells;
    json_t *ret = json_pack("{s:o}", "text", qmp_str(k->text));

    if (!c)
        return ret;
    json_object_set_new(ret, "mode", json_string(c->graphics ? "graphics" : "text"));
    json_object_set_new(ret, "columns", json_integer(c->cols));
    json_object_set_new(ret, "rows", json_integer(c->rows));
    if (c->cursor_x >= 0)
        json_object_set_new(ret, "cursor",
                            json_pack("{s:i, s:i}", "column", c->cursor_x, "row", c->cursor_y));
    if (c->graphics)
        json_object_set_new(ret, "grid",
                            json_pack("{s:i, s:i, s:i, s:i}", "x", c->x, "y", c->y, "width",
                                      (int)c->cell_w, "height", (int)c->cell_h));
    if (cells)
        json_object_set_new(ret, "cells", cells_json(c));
    return ret;
}

static void answer_text(struct qmp_call *c, const struct look *k, bool cells)
{
    if (k->text)
        c->ret = text_json(k, cells);
    else
        qmp_fail(c, "portico-screen-text: the screen shows no text; take a screendump");
}

static int read_text(struct qmp_later *l)
{
    look_read(&((struct text_job *)l)->look);
    return 0;
}

static void text_read(struct qmp_later *l, struct qmp_call *c, int rc)
{
    struct text_job *job = (struct text_job *)l;

    answer_text(c, &job->look, job->cells);
    look_free(&job->look);
}

static void screen_text_verb(struct qmp_call *c)
{
    bool cells = qmp_arg_bool(c, "cells", false);
    struct text_job *job;
    struct look k;

    if (!look_take(c->vm, &k, false) || k.cells || k.text || c->nested) {
        if (k.cells && !k.text)
            k.text = screen_cells_text(k.cells);
        answer_text(c, &k, cells); /* at once; a caller that cannot wait gets text modes only */
        look_free(&k);
        return;
    }
    job = calloc(1, sizeof(*job));
    if (!job) {
        look_free(&k);
        qmp_fail(c, "portico-screen-text: out of memory");
        return;
    }
    job->look = k;
    job->cells = cells;
    job->later.run = read_text;
    job->later.done = text_read;
    qmp_later(c, &job->later);
}

/* ---- portico-screen-hash ---- */

static int hash_it(struct qmp_later *l)
{
    struct text_job *job = (struct text_job *)l;

    job->look.hash = hash_picture(&job->look.copy);
    return 0;
}

static void hashed(struct qmp_later *l, struct qmp_call *c, int rc)
{
    struct text_job *job = (struct text_job *)l;
    char hex[20];

    snprintf(hex, sizeof(hex), "%016llx", (unsigned long long)job->look.hash);
    c->ret = json_pack("{s:s, s:i, s:i}", "hash", hex, "width", (int)job->look.copy.width, "height",
                       (int)job->look.copy.height);
    look_free(&job->look);
}

static void screen_hash(struct qmp_call *c)
{
    struct text_job *job = calloc(1, sizeof(*job));

    if (!job || !look_take(c->vm, &job->look, true)) {
        if (job)
            look_free(&job->look);
        free(job);
        qmp_fail(c, "portico-screen-hash: there is no picture; the guest has no display (vga=)");
        return;
    }
    job->later.run = hash_it;
    job->later.done = hashed;
    qmp_later(c, &job->later);
}

/* ---- portico-wait-text ---- */

struct wait {
    struct qmp_later later; /* first: what the client waits for */
    uv_timer_t timer;       /* .data: this */
    uv_work_t work;         /* the same; a look being read */
    uint64_t end;           /* uv_now() */
    uint64_t seen;          /* hash of the picture that had no match */
    regex_t pattern;
    char source[PATTERN_MAX + 1];
    struct look look;
    bool found, working;
    regmatch_t at;
};

static void wait_look(uv_timer_t *timer);

static void wait_freed(struct qmp_later *l, struct qmp_call *c, int rc)
{
    struct wait *w = (struct wait *)l;
    unsigned row = 0, n = (unsigned)(w->at.rm_eo - w->at.rm_so);

    for (regoff_t i = 0; w->found && i < w->at.rm_so; i++)
        row += w->look.text[i] == '\n';
    if (rc && c->client)
        qmp_fail(c, "portico-wait-text: \"%.256s\" did not appear in time", w->source);
    else if (!rc)
        c->ret = json_pack("{s:o, s:i, s:o}", "match",
                           json_stringn_nocheck(w->look.text + w->at.rm_so, n), "row", (int)row,
                           "text", qmp_str(w->look.text));
    regfree(&w->pattern);
    look_free(&w->look);
}

static void wait_closed(uv_handle_t *timer)
{
    struct wait *w = timer->data;

    qmp_finish(&w->later, w->found ? 0 : -1);
}

static void wait_end(struct wait *w)
{
    uv_close((uv_handle_t *)&w->timer, wait_closed);
}

/* On a thread. */
static void wait_read(uv_work_t *work)
{
    struct wait *w = work->data;

    if (w->look.copy.pixels) {
        w->look.hash = hash_picture(&w->look.copy);
        if (w->look.hash == w->seen)
            return;
    }
    look_read(&w->look);
    w->found = w->look.text && !regexec(&w->pattern, w->look.text, 1, &w->at, 0);
}

static void wait_was_read(uv_work_t *work, int status)
{
    struct wait *w = work->data;
    uv_loop_t *loop = w->timer.loop;

    w->working = false;
    w->seen = w->look.hash;
    if (w->found || !w->later.client || uv_now(loop) >= w->end) {
        wait_end(w);
        return;
    }
    look_free(&w->look);
    uv_timer_start(&w->timer, wait_look, LOOK_MS, 0);
}

static void wait_look(uv_timer_t *timer)
{
    struct wait *w = timer->data;

    if (!w->later.client) { /* nobody waits any more; the guest may be gone as well */
        wait_end(w);
        return;
    }
    look_take(w->later.q->vm, &w->look, false);
    w->working = true;
    uv_queue_work(timer->loop, &w->work, wait_read, wait_was_read);
}

static bool wait_compile(struct qmp_call *c, struct wait *w)
{
    const char *pattern = qmp_arg(c, "pattern", "");
    char why[128];
    int rc;

    if (!*pattern || strlen(pattern) > PATTERN_MAX) {
        qmp_fail(c, "portico-wait-text: pattern has 1 to %d characters", PATTERN_MAX);
        return false;
    }
    snprintf(w->source, sizeof(w->source), "%s", pattern);
    rc = regcomp(&w->pattern, pattern, REG_EXTENDED | REG_NEWLINE);
    if (!rc)
        return true;
    regerror(rc, &w->pattern, why, sizeof(why));
    qmp_fail(c, "portico-wait-text: pattern '%.256s': %s", pattern, why);
    return false;
}

static void wait_text(struct qmp_call *c)
{
    json_int_t timeout = qmp_arg_int(c, "timeout", TIMEOUT);
    struct wait *w = calloc(1, sizeof(*w));

    if (!w || c->nested || timeout < 0 || timeout > TIMEOUT_MAX) {
        qmp_fail(c, "portico-wait-text: timeout is 0 to %d seconds", TIMEOUT_MAX);
        free(w);
        return;
    }
    if (!wait_compile(c, w)) {
        free(w);
        return;
    }
    w->later.done = wait_freed;
    w->timer.data = w->work.data = w;
    w->end = uv_now(c->q->loop) + (uint64_t)timeout * 1000;
    uv_timer_init(c->q->loop, &w->timer);
    qmp_hold(c, &w->later);
    uv_timer_start(&w->timer, wait_look, 0, 0);
}

const struct qmp_verb qmp_screen_verbs[] = {
    { "portico-screen-text", screen_text_verb, "cells:b?", NULL },
    { "portico-screen-hash", screen_hash, NULL, NULL },
    { "portico-wait-text", wait_text, "pattern:s timeout:i?", NULL },
    { NULL, NULL, NULL, NULL },
};
