/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading the text of block/fault.h, and files in the format of QEMU's blkdebug. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "block/fault.h"

static const struct {
    const char *name;
    int value;
} errnos[] = {
    { "EIO", EIO },     { "ENOSPC", ENOSPC }, { "EPERM", EPERM },         { "EROFS", EROFS },
    { "EBUSY", EBUSY }, { "ENOMEM", ENOMEM }, { "ETIMEDOUT", ETIMEDOUT }, { "EINVAL", EINVAL },
};

static const struct {
    const char *name;
    uint8_t bits;
} events[] = {
    { "none", FAULT_ANY },
    { "read_aio", FAULT_READ },
    { "write_aio", FAULT_WRITE },
    { "flush_to_os", FAULT_FLUSH_OS },
    { "flush_to_disk", FAULT_FLUSH_DISK },
};

/* Events of formats below us, by how their names begin. */
static const char *const format_events[] = { "l1_",     "l2_",      "read_backing", "read_comp",
                                             "cow_",    "refblock", "reftable",     "cluster_",
                                             "pwritev", "vmstate_", "empty_image" };

static int parse_errno(const char *text, int *out)
{
    char *end;
    long n = strtol(text, &end, 10);

    for (unsigned i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++) {
        if (!strcmp(errnos[i].name, text)) {
            *out = errnos[i].value;
            return 0;
        }
    }
    *out = (int)n;
    return *text && !*end && n > 0 && n < 4096 ? 0 : -EINVAL;
}

static int parse_number(const char *text, uint64_t max, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 0);
    return isdigit((unsigned char)*text) && !*end && !errno && *out <= max ? 0 : -EINVAL;
}

static int parse_bool(const char *text, bool *out)
{
    *out = !strcmp(text, "on") || !strcmp(text, "yes") || !strcmp(text, "true");
    return *out || !strcmp(text, "off") || !strcmp(text, "no") || !strcmp(text, "false") ? 0
                                                                                         : -EINVAL;
}

static int parse_event(const char *text, uint8_t *bits)
{
    *bits = 0;
    for (unsigned i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (!strcmp(events[i].name, text)) {
            *bits = events[i].bits;
            return 0;
        }
    }
    for (unsigned i = 0; i < sizeof(format_events) / sizeof(format_events[0]); i++) {
        if (!strncmp(text, format_events[i], strlen(format_events[i])))
            return 0;
    }
    return -EINVAL;
}

/* "read+write": bits 1 << enum block_op. A blkdebug file calls BLOCK_ZERO by its own name. */
static int parse_ops(const char *text, unsigned *ops)
{
    static const char *const names[] = {
        "read", "write", "flush", "discard", "zero", "write-zeroes"
    };
    size_t len;

    *ops = 0;
    for (;; text += len + 1) {
        unsigned i = 0;

        len = strcspn(text, "+");
        while (i < 6 && (strlen(names[i]) != len || strncmp(names[i], text, len)))
            i++;
        if (i == 6)
            return -EINVAL;
        *ops |= 1u << (i < BLOCK_OPS ? i : BLOCK_ZERO);
        if (!text[len])
            return 0;
    }
}

static int rule_set(struct fault_rule *r, const char *key, const char *val)
{
    unsigned ops = 0;
    uint64_t n = 0;
    bool ignored;
    int rc;

    if (!strcmp(key, "event"))
        return parse_event(val, &r->events);
    if (!strcmp(key, "state") || !strcmp(key, "new_state")) {
        rc = parse_number(val, 1000000, &n);
        *(key[0] == 's' ? &r->state : &r->new_state) = n;
        return rc;
    }
    if (r->set_state)
        return -ENOENT;
    if (!strcmp(key, "iotype")) {
        rc = parse_ops(val, &ops);
        r->ops = (uint8_t)ops;
        return rc;
    }
    if (!strcmp(key, "errno"))
        return parse_errno(val, &r->err);
    if (!strcmp(key, "sector")) {
        rc = parse_number(val, INT64_MAX / 512, &n);
        r->sector = n;
        return rc;
    }
    if (!strcmp(key, "once"))
        return parse_bool(val, &r->once);
    if (!strcmp(key, "immediately")) /* done() comes from the loop, always */
        return parse_bool(val, &ignored);
    return -ENOENT;
}

static char *trim(char *s)
{
    size_t n;

    while (isspace((unsigned char)*s))
        s++;
    n = strlen(s);
    while (n && isspace((unsigned char)s[n - 1]))
        s[--n] = 0;
    if (n >= 2 && s[0] == '"' && s[n - 1] == '"') {
        s[n - 1] = 0;
        s++;
    }
    return s;
}

/* A new rule of the kind that is named. */
static int add_rule(struct fault_plan *p, const char *kind)
{
    bool set = !strcmp(kind, "set-state");

    if (!set && strcmp(kind, "inject-error"))
        return -EINVAL;
    if (p->nrules == FAULT_RULES)
        return -E2BIG;
    p->rules[p->nrules++] = (struct fault_rule){ .set_state = set,
                                                 .ops = (1u << BLOCK_OPS) - 1,
                                                 .events = FAULT_ANY,
                                                 .err = EIO,
                                                 .sector = -1 };
    return 0;
}

/* "key = value", of the last rule. */
static int set_last(struct fault_plan *p, char *text)
{
    char *eq = strchr(text, '=');

    if (!eq || !p->nrules)
        return -EINVAL;
    *eq = 0;
    return rule_set(&p->rules[p->nrules - 1], trim(text), trim(eq + 1));
}

/* One line of the file: a section, key = value, or nothing. */
static int config_line(struct fault_plan *p, char *line)
{
    char *text = trim(line);
    size_t len = strlen(text);

    if (!*text || *text == '#')
        return 0;
    if (*text != '[')
        return set_last(p, text);
    if (text[len - 1] != ']')
        return -EINVAL;
    text[len - 1] = 0;
    return add_rule(p, text + 1);
}

/* The same on one line: "inject-error:event=read_aio:sector=5". */
static int parse_rule(struct fault_plan *p, char *text, struct err *err)
{
    char *save = NULL, *w = strtok_r(text, ":", &save);
    int rc = w ? add_rule(p, w) : -EINVAL;

    while (!rc && (w = strtok_r(NULL, ":", &save)))
        rc = set_last(p, w);
    if (rc == -E2BIG)
        return err_set(err, rc, "fault: more than %u rules", FAULT_RULES);
    return rc ? err_set(err, -EINVAL,
                        "fault rule: %s: not understood; events are none, read_aio, write_aio, "
                        "flush_to_os, flush_to_disk",
                        w ? w : "")
              : 0;
}

static int read_config(struct fault_plan *p, const char *path, struct err *err)
{
    FILE *in = fopen(path, "re");
    char line[512];
    unsigned n = 0;
    int rc = 0;

    if (!in)
        return err_set(err, -errno, "fault config %s: %s", path, strerror(errno));
    while (!rc && fgets(line, sizeof(line), in)) {
        n++;
        rc = config_line(p, line);
    }
    fclose(in);
    if (rc == -E2BIG)
        return err_set(err, rc, "fault config %s:%u: more than %u rules", path, n, FAULT_RULES);
    if (rc)
        return err_set(err, -EINVAL,
                       "fault config %s:%u: not understood; sections are [inject-error] and "
                       "[set-state], events none, read_aio, write_aio, flush_to_os, flush_to_disk",
                       path, n);
    return 0;
}

static int parse_share(const char *text, double *out)
{
    char *end;

    *out = strtod(text, &end);
    return *text && !*end && *out >= 0 && *out <= 1 ? 0 : -EINVAL;
}

static int parse_delay(char *text, struct fault_plan *p)
{
    char *dash = strchr(text, '-');
    uint64_t a = 0, b = 0;
    int rc;

    if (dash)
        *dash = 0;
    rc = parse_number(text, 3600000, &a);
    b = a;
    if (!rc && dash)
        rc = parse_number(dash + 1, 3600000, &b);
    p->delay_min = a;
    p->delay_max = b;
    return rc ? rc : b < a ? -EINVAL : 0;
}

static int plan_set(struct fault_plan *p, const char *key, char *val, struct err *err)
{
    int rc = -EINVAL;

    if (!strcmp(key, "config"))
        return read_config(p, val, err);
    if (!strcmp(key, "rule"))
        return parse_rule(p, val, err);
    if (!strcmp(key, "rate"))
        rc = parse_share(val, &p->rate);
    else if (!strcmp(key, "torn"))
        rc = parse_share(val, &p->torn);
    else if (!strcmp(key, "errno"))
        rc = parse_errno(val, &p->err);
    else if (!strcmp(key, "ops"))
        rc = parse_ops(val, &p->ops);
    else if (!strcmp(key, "delay"))
        rc = parse_delay(val, p);
    else if (!strcmp(key, "seed"))
        rc = parse_number(val, UINT64_MAX, &p->dice);
    return rc ? err_set(err, rc,
                        "fault %s=: unknown or out of range; keys are rate, errno, ops, delay, "
                        "torn, seed, config and rule",
                        key)
              : 0;
}

int fault_parse(struct fault_plan *p, const char *spec, struct err *err)
{
    char *copy = strdup(spec), *save = NULL;
    int rc = copy ? 0 : err_set(err, -ENOMEM, "fault: out of memory");

    *p = (struct fault_plan){ .err = EIO, .ops = (1u << BLOCK_OPS) - 1, .dice = 1, .state = 1 };
    for (char *w = copy ? strtok_r(copy, ",", &save) : NULL; w && !rc;
         w = strtok_r(NULL, ",", &save)) {
        char *eq = strchr(w, '=');

        if (!eq) {
            rc = err_set(err, -EINVAL, "fault %s: '=' is missing", w);
            break;
        }
        *eq = 0;
        rc = plan_set(p, w, eq + 1, err);
    }
    free(copy);
    p->dice = p->dice * 0x9e3779b97f4a7c15ull | 1;
    return rc;
}
