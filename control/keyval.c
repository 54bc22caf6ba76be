/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/keyval.c: see keyval.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include "control/keyval.h"

#define JSON_DEPTH 16 /* of nesting */

char *xstrndup(const char *s, size_t n)
{
    char *copy = strndup(s, n);

    if (!copy)
        abort();
    return copy;
}

char *xstrdup(const char *s)
{
    return xstrndup(s, strlen(s));
}

char *xasprintf(const char *fmt, ...)
{
    va_list ap;
    char *s;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&s, fmt, ap);
    va_end(ap);
    if (n < 0)
        abort();
    return s;
}

bool parse_uint(const char *s, uint64_t max, uint64_t *out)
{
    uint64_t val = 0;

    if (!*s)
        return false;
    for (; *s; s++) {
        if (*s < '0' || *s > '9')
            return false;
        if (__builtin_mul_overflow(val, 10u, &val) ||
            __builtin_add_overflow(val, (uint64_t)(*s - '0'), &val))
            return false;
    }
    if (val > max)
        return false;
    *out = val;
    return true;
}

bool parse_size(const char *s, uint64_t unit, uint64_t max, uint64_t *out)
{
    static const char suffixes[] = "BKMGT";
    size_t len = strlen(s);
    char digits[24];
    uint64_t val;

    if (len && (s[len - 1] < '0' || s[len - 1] > '9')) {
        char upper = s[len - 1] >= 'a' ? (char)(s[len - 1] - 'a' + 'A') : s[len - 1];
        const char *p = strchr(suffixes, upper);

        if (!p || !upper)
            return false;
        unit = UINT64_C(1) << (10 * (p - suffixes));
        len--;
    }
    if (len >= sizeof(digits))
        return false;
    memcpy(digits, s, len);
    digits[len] = 0;
    if (!parse_uint(digits, UINT64_MAX, &val) || !val || __builtin_mul_overflow(val, unit, &val) ||
        val > max)
        return false;
    *out = val;
    return true;
}

static bool parse_bool(const char *s, bool *out)
{
    static const char *const yes[] = { "on", "yes", "true", "y" };
    static const char *const no[] = { "off", "no", "false", "n" };

    for (unsigned i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (!strcmp(s, yes[i]) || !strcmp(s, no[i])) {
            *out = !strcmp(s, yes[i]);
            return true;
        }
    }
    return false;
}

static bool key_matches(const struct keyval_key *k, const char *s, size_t len)
{
    size_t n = strlen(k->name);

    if (n && k->name[n - 1] == '.') /* "file." is every key that begins so */
        return len > n && !memcmp(k->name, s, n);
    return n == len && !memcmp(k->name, s, len);
}

static const struct keyval_key *find_key(const struct keyval_key *keys, const char *s, size_t len)
{
    for (; keys && keys->name; keys++) {
        if (key_matches(keys, s, len))
            return keys;
    }
    return NULL;
}

/* Does s, just behind a comma, begin the next item of the table? */
static bool begins_item(const struct keyval_key *keys, const char *s)
{
    size_t len = strcspn(s, "=,");
    const struct keyval_key *k = find_key(keys, s, len);

    return k && (s[len] == '=' || (k->flags & KV_BARE));
}

/* Takes the value at *text, leaving *text at its end: a single comma or the NUL. */
static char *take_value(const char **text, const struct keyval_key *keys, bool name)
{
    const char *s = *text;
    char *val = xstrdup(s);
    size_t n = 0;

    while (*s) {
        if (s[0] == ',' && s[1] == ',') {
            s++;
        } else if (s[0] == ',' && (!name || begins_item(keys, s + 1))) {
            break;
        }
        val[n++] = *s++;
    }
    val[n] = 0;
    *text = s;
    return val;
}

/* The next free "KEY.N.str", as it is spelled in JSON. */
static char *list_key(const struct config *cfg, const char *key)
{
    char *name = NULL;

    for (unsigned i = 0; !name || config_str(cfg, name, NULL); i++) {
        free(name);
        name = xasprintf("%s.%u.str", key, i);
    }
    return name;
}

static int parse_item(struct config *cfg, const char *opt, const char **text,
                      const struct keyval_key *keys, struct err *err)
{
    size_t len = strcspn(*text, "=,");
    const struct keyval_key *k = find_key(keys, *text, len);
    bool bare = (*text)[len] != '=';
    char *key, *val;
    int rc = 0;

    key = xstrndup(*text, len);
    if (!len || (keys && !k))
        rc = err_set(err, -EINVAL, "%s: unknown key '%s'", opt, key);
    else if (keys && bare && !(k->flags & KV_BARE))
        rc = err_set(err, -EINVAL, "%s: '%s' needs a value: %s=...", opt, key, key);
    if (!rc) {
        *text += len;
        if (bare) {
            config_set(cfg, key, "on");
        } else {
            *text += 1;
            val = take_value(text, keys, k && (k->flags & KV_NAME));
            if (k && (k->flags & KV_LIST)) {
                char *name = list_key(cfg, key);

                free(key);
                key = name;
            }
            config_set(cfg, key, val);
            free(val);
        }
    }
    free(key);
    return rc;
}

/* Does text begin with the value of the implied key? A file name may hold a '='. */
static bool begins_implied(const char *text, const struct keyval_key *implied,
                           const struct keyval_key *keys)
{
    size_t len = strcspn(text, "=,");

    if (text[len] != '=')
        return true;
    return implied && (implied->flags & KV_NAME) && !find_key(keys, text, len);
}

static int set_scalar(struct config *cfg, const char *key, const json_t *v)
{
    char *text = NULL;

    if (json_is_string(v))
        text = xstrdup(json_string_value(v));
    else if (json_is_integer(v))
        text = xasprintf("%lld", (long long)json_integer_value(v));
    else if (json_is_boolean(v))
        text = xstrdup(json_is_true(v) ? "on" : "off");
    else if (json_is_null(v))
        text = xstrdup("");
    else
        return -EINVAL;
    config_set(cfg, key, text);
    free(text);
    return 0;
}

static int flatten(struct config *cfg, const char *prefix, const json_t *v, unsigned depth,
                   char **bad);

static int flatten_member(struct config *cfg, const char *prefix, const char *name, const json_t *v,
                          unsigned depth, char **bad)
{
    char *key = *prefix ? xasprintf("%s.%s", prefix, name) : xstrdup(name);
    int rc = flatten(cfg, key, v, depth + 1, bad);

    free(key);
    return rc;
}

static int flatten(struct config *cfg, const char *prefix, const json_t *v, unsigned depth,
                   char **bad)
{
    int rc = 0;

    if (depth <= JSON_DEPTH && json_is_object(v)) {
        const char *name;
        json_t *m;

        json_object_foreach((json_t *)v, name, m)
        {
            rc = flatten_member(cfg, prefix, name, m, depth, bad);
            if (rc)
                return rc;
        }
        return 0;
    }
    if (depth <= JSON_DEPTH && json_is_array(v)) {
        for (size_t i = 0; !rc && i < json_array_size(v); i++) {
            char index[24];

            snprintf(index, sizeof(index), "%zu", i);
            rc = flatten_member(cfg, prefix, index, json_array_get(v, i), depth, bad);
        }
        return rc;
    }
    rc = set_scalar(cfg, prefix, v);
    if (rc)
        *bad = xstrdup(prefix);
    return rc;
}

int keyval_from_json(struct config *cfg, const char *opt, const json_t *obj, struct err *err)
{
    char *bad = NULL;
    int rc = json_is_object(obj) ? flatten(cfg, "", obj, 0, &bad) : -EINVAL;

    if (rc)
        err_set(err, rc, "%s: %s%s", opt, bad ? bad : "the argument",
                bad ? ": neither text nor number nor true nor false, or nested too deep"
                    : " is not a JSON object");
    free(bad);
    return rc;
}

int keyval_check(const struct config *cfg, const char *opt, const struct keyval_key *keys,
                 struct err *err)
{
    for (size_t i = 0; keys && i < cfg->n; i++) {
        const char *key = cfg->items[i].key;

        if (!find_key(keys, key, strlen(key)))
            return err_set(err, -EINVAL, "%s: unknown key '%s'", opt, key);
    }
    return 0;
}

/* 'strings' as "strings", which is all a JSON parser knows; out has room for 2 * len bytes. */
static size_t requote(const char *msg, size_t len, char *out)
{
    char quote = 0;
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        char ch = msg[i];

        if (quote && ch == '\\' && i + 1 < len) {
            if (msg[++i] != '\'')
                out[n++] = ch;
            out[n++] = msg[i];
        } else if (!quote && (ch == '\'' || ch == '"')) {
            quote = ch;
            out[n++] = '"';
        } else if (quote && ch == quote) {
            quote = 0;
            out[n++] = '"';
        } else {
            if (quote && ch == '"')
                out[n++] = '\\';
            out[n++] = ch;
        }
    }
    return n;
}

json_t *json_load_quoted(const char *msg, size_t len, json_error_t *error)
{
    char *plain = memchr(msg, '\'', len) ? malloc(2 * len) : NULL;
    json_t *root;

    if (!plain)
        return json_loadb(msg, len, JSON_REJECT_DUPLICATES, error);
    root = json_loadb(plain, requote(msg, len, plain), JSON_REJECT_DUPLICATES, error);
    free(plain);
    return root;
}

static int parse_json(struct config *cfg, const char *opt, const char *text,
                      const struct keyval_key *keys, struct err *err)
{
    json_error_t je;
    json_t *v = json_load_quoted(text, strlen(text), &je);
    int rc;

    if (!v)
        return err_set(err, -EINVAL, "%s: not JSON: %s (at character %d)", opt, je.text,
                       je.position);
    rc = keyval_from_json(cfg, opt, v, err);
    json_decref(v);
    return rc ? rc : keyval_check(cfg, opt, keys, err);
}

int keyval_parse(struct config *cfg, const char *opt, const char *text, const char *implied,
                 const struct keyval_key *keys, struct err *err)
{
    const struct keyval_key *k = implied ? find_key(keys, implied, strlen(implied)) : NULL;
    int rc;

    if (*text == '{')
        return parse_json(cfg, opt, text, keys, err);
    if (implied && begins_implied(text, k, keys)) {
        char *val = take_value(&text, keys, k && (k->flags & KV_NAME));

        config_set(cfg, implied, val);
        free(val);
        if (*text)
            text++;
    }
    while (*text) {
        rc = parse_item(cfg, opt, &text, keys, err);
        if (rc)
            return rc;
        if (*text)
            text++;
    }
    return 0;
}

int keyval_uint(const struct config *cfg, const char *opt, const char *key, uint64_t def,
                uint64_t max, uint64_t *out, struct err *err)
{
    const char *val = config_str(cfg, key, NULL);

    *out = def;
    if (val && !parse_uint(val, max, out))
        return err_set(err, -EINVAL, "%s: %s=%s: not a number from 0 to %llu", opt, key, val,
                       (unsigned long long)max);
    return 0;
}

int keyval_addr(const struct config *cfg, const char *opt, const char *key, uint64_t def,
                uint64_t max, uint64_t *out, struct err *err)
{
    const char *val = config_str(cfg, key, NULL);
    char *end;

    if (!val || strncmp(val, "0x", 2))
        return keyval_uint(cfg, opt, key, def, max, out, err);
    errno = 0;
    *out = strtoull(val, &end, 16);
    if (errno || *end || !val[2] || *out > max) {
        *out = def;
        return err_set(err, -EINVAL, "%s: %s=%s: not a number from 0 to 0x%llx", opt, key, val,
                       (unsigned long long)max);
    }
    return 0;
}

int keyval_int(const struct config *cfg, const char *opt, const char *key, int64_t def, int64_t min,
               int64_t max, int64_t *out, struct err *err)
{
    const char *val = config_str(cfg, key, NULL);
    bool minus = val && *val == '-';
    uint64_t n;

    *out = def;
    if (!val)
        return 0;
    if (!parse_uint(val + minus, INT64_MAX, &n) || (minus ? -(int64_t)n : (int64_t)n) < min ||
        (minus ? -(int64_t)n : (int64_t)n) > max)
        return err_set(err, -EINVAL, "%s: %s=%s: not a number from %lld to %lld", opt, key, val,
                       (long long)min, (long long)max);
    *out = minus ? -(int64_t)n : (int64_t)n;
    return 0;
}

int keyval_word(const struct config *cfg, const char *opt, const char *key,
                const char *const *words, const char *def, struct err *err)
{
    const char *val = config_str(cfg, key, def);
    char list[160] = "";

    for (unsigned i = 0; words[i]; i++) {
        size_t len = strlen(list);

        if (!strcmp(words[i], val))
            return (int)i;
        snprintf(list + len, sizeof(list) - len, "%s%s", i ? ", " : "", words[i]);
    }
    return err_set(err, -EINVAL, "%s: %s=%s: unknown; use one of %s", opt, key, val, list);
}

int keyval_bool(const struct config *cfg, const char *opt, const char *key, bool def, bool *out,
                struct err *err)
{
    const char *val = config_str(cfg, key, NULL);

    *out = def;
    if (val && !parse_bool(val, out))
        return err_set(err, -EINVAL, "%s: %s=%s: say on or off", opt, key, val);
    return 0;
}
