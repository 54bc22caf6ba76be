/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The places of keys. The words of xl.cfg(5): NAME = VALUE or NAME += VALUE,
 * where VALUE is a number, a string in either quotes or a list in brackets;
 * "#" begins a comment, a line feed or ";" ends an assignment outside brackets.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "cli/scan.h"

struct cursor {
    struct scan *s;
    const char *p;
    unsigned line, depth;
    struct scan_key *key; /* whose value is being read, or NULL */
};

const struct scan_key *scan_find(const struct scan *s, const char *name)
{
    for (unsigned i = 0; i < s->n; i++) {
        if (!strcmp(s->keys[i].name, name))
            return &s->keys[i];
    }
    return NULL;
}

unsigned scan_line(const struct scan *s, const char *name, int item)
{
    const struct scan_key *k = scan_find(s, name);

    if (!k)
        return 0;
    return item >= 0 && (unsigned)item < k->nitems ? k->items[item] : k->line;
}

static void skip_string(struct cursor *c)
{
    char quote = *c->p++;

    while (*c->p && *c->p != quote && *c->p != '\n') {
        if (*c->p == '\\' && c->p[1] && c->p[1] != '\n')
            c->p++;
        c->p++;
    }
    if (*c->p == quote)
        c->p++;
}

static struct scan_key *key_at(struct cursor *c, const char *name, size_t len)
{
    struct scan *s = c->s;
    struct scan_key *k;

    for (unsigned i = 0; i < s->n; i++) {
        if (!strncmp(s->keys[i].name, name, len) && !s->keys[i].name[len])
            return &s->keys[i];
    }
    if (s->n == SCAN_KEYS)
        return NULL;
    k = &s->keys[s->n];
    memset(k, 0, sizeof(*k));
    k->name = strndup(name, len);
    if (!k->name)
        return NULL;
    s->n++;
    return k;
}

/* A name: a key when "=" or "+=" follows on the line. */
static void take_name(struct cursor *c)
{
    const char *name = c->p;
    size_t len;
    bool adds;

    while (isalnum((unsigned char)*c->p) || *c->p == '_')
        c->p++;
    len = (size_t)(c->p - name);
    while (*c->p == ' ' || *c->p == '\t')
        c->p++;
    adds = c->p[0] == '+' && c->p[1] == '=';
    if (c->depth || c->key || (*c->p != '=' && !adds))
        return;
    c->p += adds ? 2 : 1;
    c->key = key_at(c, name, len);
    if (!c->key)
        return;
    if (!adds) {
        c->key->before = c->key->line;
        c->key->nitems = 0;
    }
    c->key->line = c->line;
}

static void take_item(struct cursor *c)
{
    struct scan_key *k = c->key;

    if (k && c->depth == 1 && k->nitems < SCAN_ITEMS)
        k->items[k->nitems++] = c->line;
}

static void take(struct cursor *c)
{
    switch (*c->p) {
    case '#':
        c->p += strcspn(c->p, "\n");
        return;
    case '"':
    case '\'':
        take_item(c);
        skip_string(c);
        return;
    case '[':
        take_item(c); /* a list in a list is an item of it */
        c->depth++;
        break;
    case ']':
        c->depth -= c->depth > 0;
        break;
    case '\n':
        c->line++;
        if (!c->depth)
            c->key = NULL;
        break;
    case ';':
        if (!c->depth)
            c->key = NULL;
        break;
    default:
        if (isalpha((unsigned char)*c->p) || *c->p == '_') {
            take_name(c);
            return;
        }
    }
    c->p++;
}

void scan_read(struct scan *s, const char *text)
{
    struct cursor c = { .s = s, .p = text, .line = 1 };

    s->n = 0;
    s->keys = calloc(SCAN_KEYS, sizeof(*s->keys));
    while (s->keys && *c.p)
        take(&c);
}

void scan_free(struct scan *s)
{
    for (unsigned i = 0; i < s->n; i++)
        free(s->keys[i].name);
    free(s->keys);
    s->keys = NULL;
    s->n = 0;
}
