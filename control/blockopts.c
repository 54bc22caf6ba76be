/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/blockopts.c: QEMU's graph of block nodes, flattened: the block layer
 * has one image with options and filters on top, in a fixed order. What that
 * cannot say (two images under one filter, a filter below a format's cluster
 * mapping that would see other offsets) is refused by name.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "control/blockopts-impl.h"

/* A -drive's file= */

static int walk_json(struct walk *k, const char *text)
{
    struct config cfg = { 0 };
    struct node n = { &cfg, "" };
    int rc = keyval_parse(&cfg, k->what, text, NULL, NULL, k->err);

    if (!rc)
        rc = walk_node(k, &n);
    config_free(&cfg);
    return rc;
}

/* QEMU's old spelling: nbd:HOST:PORT[:exportname=X] or nbd:unix:PATH[:exportname=X]. */
static int walk_old_nbd(struct walk *k, const char *text)
{
    char *copy = xstrdup(text), *name = strstr(copy, ":exportname="), *colon, *url = NULL;

    if (name)
        *name = 0;
    name = name ? name + strlen(":exportname=") : copy + strlen(copy);
    colon = strrchr(copy, ':');
    if (!strncmp(copy, "unix:", 5))
        url = xasprintf("nbd+unix:///%s?socket=%s", name, copy + 5);
    else if (colon)
        url = xasprintf("nbd://%s/%s", copy, name);
    if (url)
        k->w->o.file = opts_keep(k, url);
    free(url);
    free(copy);
    return k->w->o.file
               ? 0
               : err_set(k->err, -EINVAL, "%s: nbd:%s: use nbd://HOST:PORT/EXPORT", k->what, text);
}

static int walk_file(struct walk *k, const char *file)
{
    if (!strncmp(file, "json:", 5))
        return walk_json(k, file + 5);
    if (!strncmp(file, "nbd:", 4) && strncmp(file, "nbd://", 6))
        return walk_old_nbd(k, file + 4);
    if (!strncmp(file, "null-co://", 10) || !strncmp(file, "null-aio://", 11)) {
        struct config none = { 0 };
        struct node n = { &none, "" };

        return drv_null(k, &n, file[5] == 'c' ? "null-co" : "null-aio");
    }
    if (!strncmp(file, "blkdebug:", 9)) {
        const char *image = strchr(file + 9, ':');
        char *config = image ? xstrndup(file + 9, (size_t)(image - file - 9)) : NULL;
        int rc = !config   ? err_set(k->err, -EINVAL,
                                     "%s: blkdebug requires both config and image path", k->what)
                 : *config ? walk_fault(k, config)
                           : 0;

        free(config);
        return rc || !image ? rc : walk_file(k, image + 1);
    }
    if (!strncmp(file, "file:", 5))
        file += 5;
    k->w->o.file = opts_keep(k, file);
    return 0;
}

static int walk_drive(struct walk *k, const struct drive_arg *d)
{
    const struct config *opts = &d->opts;
    struct node top = { opts, "" }, file = { opts, "file." };
    const struct block_driver *drv = d->format ? opts_driver(d->format) : NULL;
    int rc = walk_common(k, &top);

    if (!rc)
        rc = walk_throttle(k, &top, "throttling");
    if (!rc && opts_limited(&k->w->o.throttle)) {
        k->w->group =
            opts_keep(k, opts_get(&top, "throttling.group") ? opts_get(&top, "throttling.group")
                         : d->id                            ? d->id
                                                            : "?");
        k->w->set_group = true;
    }
    if (!rc)
        rc = walk_locking(k, &file);
    if (rc)
        return rc;
    if (d->file) {
        k->w->o.format = d->format;
        return walk_file(k, d->file);
    }
    if (config_str(opts, "file.driver", config_str(opts, "file.filename", NULL))) {
        k->w->o.format = d->format;
        return walk_node(k, &file);
    }
    if (drv && (drv->walk == drv_null || drv->walk == drv_nbd))
        return drv->walk(k, &top, d->format);
    k->w->empty = true;
    return 0;
}

static void begin(struct block_want *w, const struct vm_args *a)
{
    memset(w, 0, sizeof(*w));
    w->o = BLOCK_OPTIONS(.discard = a->domid >= 0);
}

int block_want_node(struct block_want *w, const struct vm_args *a, const char *node,
                    struct err *err)
{
    char what[96];
    struct walk k = { w, a, err, what, 0 };

    begin(w, a);
    snprintf(what, sizeof(what), "-blockdev %s", node);
    return walk_named(&k, node);
}

int block_want_config(struct block_want *w, const struct vm_args *a, const struct config *cfg,
                      struct err *err)
{
    char what[96];
    struct walk k = { w, a, err, what, 0 };
    struct node n = { cfg, "" };

    begin(w, a);
    snprintf(what, sizeof(what), "-blockdev %s", config_str(cfg, "node-name", "?"));
    return walk_node(&k, &n);
}

int block_want_drive(struct block_want *w, const struct vm_args *a, const struct drive_arg *d,
                     struct err *err)
{
    char what[96];
    struct walk k = { w, a, err, what, 0 };
    struct node top = { &d->opts, "" };
    int rc;

    if (d->node) {
        rc = block_want_node(w, a, d->node, err);
    } else {
        begin(w, a);
        snprintf(what, sizeof(what), "-drive %s", d->id ? d->id : "?");
        rc = walk_drive(&k, d);
        if (!rc)
            rc = opts_bool(&k, &top, "snapshot", &w->o.snapshot);
    }
    w->o.readonly |= d->readonly;
    return rc;
}

void block_want_free(struct block_want *w)
{
    config_free(&w->keep);
}
