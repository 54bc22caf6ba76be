/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/args-config.c: -readconfig FILE: options out of a file in QEMU's
 * form. A section is an option, its lines are the keys:
 *
 *     # a comment
 *     [drive "disk0"]
 *       file = "/images/a.qcow2"
 *       if = "none"
 *
 * is -drive id=disk0,file=/images/a.qcow2,if=none. They count as if they stood
 * where -readconfig does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "control/args-impl.h"

#define LINE_MAX_BYTES 4096
#define TEXT_MAX_BYTES 65536 /* of one section */
#define LINES_MAX      65536 /* of a file that may have no end */

struct section {
    const struct option *option; /* NULL: before the first one */
    char group[64];
    char text[TEXT_MAX_BYTES]; /* "id=disk0,file=…" */
    size_t len;
    char *driver, *property, *value; /* of [global] */
};

struct reader {
    struct args_ctx *c;
    const char *file;
    unsigned line;
    struct section s;
};

/* What is called otherwise on the command line. */
static const struct {
    const char *group, *option;
} groups[] = {
    { "memory", "m" },        { "smp-opts", "smp" },
    { "boot-opts", "boot" },  { "drive", "drive" },
    { "chardev", "chardev" }, { "device", "device" },
    { "netdev", "netdev" },   { "net", "net" },
    { "nic", "nic" },         { "rtc", "rtc" },
    { "machine", "machine" }, { "accel", "accel" },
    { "name", "name" },       { "mon", "mon" },
    { "object", "object" },   { "global", "global" },
    { "action", "action" },   { "vnc", "vnc" },
    { "trace", "trace" },     { "msg", "msg" },
    { "sandbox", "sandbox" }, { "overcommit", "overcommit" },
    { "icount", "icount" },   { "numa", "numa" },
    { "smbios", "smbios" },   { "acpi", "acpitable" },
    { "fw_cfg", "fw_cfg" },   { "tpmdev", "tpmdev" },
    { "fsdev", "fsdev" },     { "virtfs", "virtfs" },
    { "spice", "spice" },     { "audiodev", "audiodev" },
};

static int complain(const struct reader *r, const char *what)
{
    return err_set(r->c->err, -EINVAL, "-readconfig %s:%u: %s", r->file, r->line, what);
}

/* The type of an -object is its first word. */
static int put_first(struct reader *r, const char *word)
{
    struct section *s = &r->s;
    size_t len = strlen(word);

    if (s->len + len + 2 > sizeof(s->text))
        return complain(r, "the section is too long");
    memmove(s->text + len + 1, s->text, s->len + 1);
    memcpy(s->text, word, len);
    s->text[len] = s->len ? ',' : 0;
    s->len += len + (s->len ? 1 : 0);
    return 0;
}

/* ",key=value", with commas in the value doubled. */
static int append(struct reader *r, const char *key, const char *value)
{
    struct section *s = &r->s;

    if (s->len + strlen(key) + 2 * strlen(value) + 3 > sizeof(s->text))
        return complain(r, "the section is too long");
    s->len += (size_t)snprintf(s->text + s->len, sizeof(s->text) - s->len,
                               "%s%s=", s->len ? "," : "", key);
    for (; *value; value++) {
        if (*value == ',')
            s->text[s->len++] = ',';
        s->text[s->len++] = *value;
    }
    s->text[s->len] = 0;
    return 0;
}

static void forget(struct section *s)
{
    free(s->driver);
    free(s->property);
    free(s->value);
    s->driver = s->property = s->value = NULL;
    s->option = NULL;
    s->len = 0;
    s->text[0] = 0;
}

/* The section is whole: the option's own handler reads it. */
static int finish_section(struct reader *r)
{
    struct section *s = &r->s;
    struct err why = { "" };
    char *global = NULL;
    int rc;

    if (!s->option)
        return 0;
    if (!strcmp(s->group, "global")) {
        if (!s->driver || !s->property || !s->value)
            return complain(r, "[global] has driver, property and value");
        global = xasprintf("%s.%s=%s", s->driver, s->property, s->value);
    }
    rc = s->option->handle(r->c, s->option, global ? global : s->text);
    free(global);
    forget(s);
    if (rc) { /* said in the option's words; where it stands is worth knowing, too */
        why = *r->c->err;
        err_set(r->c->err, rc, "%s:%u: %s", r->file, r->line, why.msg);
    }
    return rc;
}

static int begin_section(struct reader *r, const char *group, const char *id)
{
    struct section *s = &r->s;

    snprintf(s->group, sizeof(s->group), "%s", group);
    for (unsigned i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        if (!strcmp(groups[i].group, group))
            s->option = args_find_option(groups[i].option);
    }
    if (!s->option)
        return err_set(r->c->err, -EINVAL, "-readconfig %s:%u: There is no option group '%s'",
                       r->file, r->line, group);
    return id ? append(r, "id", id) : 0;
}

static int take_key(struct reader *r, const char *key, const char *value)
{
    struct section *s = &r->s;

    if (!s->option)
        return complain(r, "no group defined");
    if (!strcmp(s->group, "object") && !strcmp(key, "qom-type"))
        return put_first(r, value);
    if (strcmp(s->group, "global"))
        return append(r, key, value);
    if (!strcmp(key, "driver"))
        args_replace(&s->driver, value);
    else if (!strcmp(key, "property"))
        args_replace(&s->property, value);
    else if (!strcmp(key, "value"))
        args_replace(&s->value, value);
    else
        return complain(r, "[global] has driver, property and value");
    return 0;
}

static char *skip_blanks(char *p)
{
    return p + strspn(p, " \t\r\n");
}

/* Cuts a word off at p: up to one of `ends`; NULL: it is empty or has no end. */
static char *cut(char **p, const char *ends)
{
    char *word = *p;
    size_t len = strcspn(word, ends);

    if (!len || !word[len])
        return NULL;
    *p = word + len + 1;
    word[len] = 0;
    return word;
}

/* [group] or [group "id"] */
static int read_header(struct reader *r, char *p)
{
    char *group = p + 1, *id = NULL, *end = strchr(p, ']');
    int rc = finish_section(r);

    if (rc)
        return rc;
    if (!end || *skip_blanks(end + 1))
        return complain(r, "parse error");
    *end = 0;
    p = strchr(group, ' ');
    if (p) {
        *p++ = 0;
        p = skip_blanks(p);
        if (*p++ != '"' || !(id = cut(&p, "\"")) || *skip_blanks(p))
            return complain(r, "parse error");
    }
    return begin_section(r, group, id);
}

/* key = "value" */
static int read_key(struct reader *r, char *p)
{
    char *key = p, *value;

    p += strcspn(p, " \t=");
    value = skip_blanks(p);
    if (p == key || *value != '=')
        return complain(r, "parse error");
    *p = 0;
    p = skip_blanks(value + 1);
    if (*p != '"')
        return complain(r, "parse error");
    value = ++p;
    p = strchr(value, '"');
    if (!p || *skip_blanks(p + 1))
        return complain(r, "parse error");
    *p = 0;
    return take_key(r, key, value);
}

static int read_line(struct reader *r, char *line)
{
    char *p = skip_blanks(line);

    if (++r->line > LINES_MAX)
        return complain(r, "the file is too long");
    if (!*p || *p == '#')
        return 0;
    return *p == '[' ? read_header(r, p) : read_key(r, p);
}

int args_readconfig(struct args_ctx *c, const struct option *o, const char *arg)
{
    FILE *f = fopen(arg, "re");
    struct reader *r = calloc(1, sizeof(*r));
    char line[LINE_MAX_BYTES];
    int rc = 0;

    if (!f || !r) {
        rc = err_set(c->err, -EINVAL, "-readconfig %s: %s", arg, strerror(errno));
    } else {
        r->c = c;
        r->file = arg;
        while (!rc && fgets(line, sizeof(line), f))
            rc = strlen(line) + 1 == sizeof(line) ? complain(r, "the line is too long")
                                                  : read_line(r, line);
        rc = rc ? rc : finish_section(r);
        forget(&r->s);
    }
    free(r);
    if (f)
        fclose(f);
    return rc;
}
