/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/keyval.h: the comma-separated key=value lists of the command line.
 * ",," is a literal comma. libxl does not escape the commas of file names, so
 * the value of a KV_NAME key runs on to the next ",KNOWN-KEY=".
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "hw/core/config.h"

struct json_t;
struct json_error_t;

#define KV_NAME 0x01 /* a file name: commas in it are its own */
#define KV_BARE 0x02 /* may stand alone: "server" is "server=on", "nowait" is "nowait=on" */
#define KV_LIST                                                                                    \
    0x04 /* may come again: "hostfwd=A,hostfwd=B" is hostfwd.0.str and hostfwd.1.str               \
          */

struct keyval_key {   /* a table of them ends with name NULL */
    const char *name; /* "file." is every key that begins so */
    unsigned flags;
};

/*
 * Fills cfg (zeroed by the caller, who frees it also on failure). A first word
 * without "=" is the value of `implied` (NULL: it is a key). keys NULL: any
 * key, any may stand alone. -EINVAL and a line that begins with `opt`.
 * A text that begins with "{" is a JSON object: nested members become dotted
 * keys ("file.driver", "server.0.host"), true and false "on" and "off".
 */
int keyval_parse(struct config *cfg, const char *opt, const char *text, const char *implied,
                 const struct keyval_key *keys, struct err *err);

/* The same from an object that is parsed already (QMP's arguments); any key. */
int keyval_from_json(struct config *cfg, const char *opt, const struct json_t *obj,
                     struct err *err);
/* -EINVAL and "OPT: unknown key 'K'" when cfg has a key that is not in the table. */
int keyval_check(const struct config *cfg, const char *opt, const struct keyval_key *keys,
                 struct err *err);

/* The value of a text, JSON with strings also in single quotes, as QEMU takes them; or NULL. */
struct json_t *json_load_quoted(const char *text, size_t len, struct json_error_t *error);

/* A whole decimal number, at most max. */
bool parse_uint(const char *s, uint64_t max, uint64_t *out);
/* "240" in units of `unit` bytes, or with a suffix B K M G T; never 0; at most max. */
bool parse_size(const char *s, uint64_t unit, uint64_t max, uint64_t *out);

/* The same for a key of cfg: *out = def when absent. -EINVAL and a line naming opt and key. */
int keyval_uint(const struct config *cfg, const char *opt, const char *key, uint64_t def,
                uint64_t max, uint64_t *out, struct err *err);
/* As keyval_uint(), but "0x…" is hexadecimal. */
int keyval_addr(const struct config *cfg, const char *opt, const char *key, uint64_t def,
                uint64_t max, uint64_t *out, struct err *err);
int keyval_int(const struct config *cfg, const char *opt, const char *key, int64_t def, int64_t min,
               int64_t max, int64_t *out, struct err *err);
/* One of words (NULL ends them; def when absent): its index, or -EINVAL and the line. */
int keyval_word(const struct config *cfg, const char *opt, const char *key,
                const char *const *words, const char *def, struct err *err);
int keyval_bool(const struct config *cfg, const char *opt, const char *key, bool def, bool *out,
                struct err *err);

/* Copies that abort only when the host is out of memory, at set-up. */
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
