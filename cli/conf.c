/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libxlutil's reader of configuration files, with lines for its findings. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libxlutil.h>
#include "cli/conf.h"

static char *read_file(const char *path, struct report *r)
{
    FILE *f = fopen(path, "re");
    char *text = f ? malloc(CONF_MAX + 1) : NULL;
    size_t n = 0;

    if (!f) {
        report_error(r, 0, NULL, "%s", strerror(errno));
        return NULL;
    }
    if (text)
        n = fread(text, 1, CONF_MAX + 1, f);
    if (!text || ferror(f)) {
        report_error(r, 0, NULL, "%s", text ? strerror(errno) : "out of memory");
    } else if (n > CONF_MAX) {
        report_error(r, 0, NULL, "more than 1 MiB: this is not a configuration file");
    } else if (memchr(text, 0, n)) {
        report_error(r, 0, NULL, "has zero bytes: this is not a configuration file");
    } else {
        fclose(f);
        text[n] = 0;
        return text;
    }
    fclose(f);
    free(text);
    return NULL;
}

const char *conf_said(struct conf *c)
{
    while (c->said_len && c->said[c->said_len - 1] == '\n')
        c->said[--c->said_len] = 0;
    return c->said;
}

void conf_hush(struct conf *c)
{
    c->said_len = 0;
    c->said[0] = 0;
}

static ssize_t on_write(void *arg, const char *text, size_t n)
{
    struct conf *c = arg;
    size_t room = sizeof(c->said) - 1 - c->said_len, take = n < room ? n : room;

    memcpy(c->said + c->said_len, text, take);
    c->said_len += take;
    c->said[c->said_len] = 0;
    return (ssize_t)n;
}

/* xm took Python. The first line that begins as only Python does; 0: none. */
static unsigned python_line(const char *text)
{
    static const char *const words[] = { "import ", "from ", "def ", "if ", "for " };

    for (unsigned line = 1; *text; line++) {
        for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
            if (!strncmp(text, words[i], strlen(words[i])))
                return line;
        }
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    return 0;
}

/* "cfg:12: config parsing error near `x': syntax error…": what it is near, and where, as ours. */
static void report_syntax(struct conf *c, const char *text)
{
    char *what = strstr(c->said, "config parsing error"), *near, *end;
    unsigned python = python_line(text), line = 0;

    while (what && what > c->said && what[-1] != '\n')
        what--;
    near = what ? strstr(what, "near `") : NULL;
    end = near ? strstr(near, "': ") : NULL;
    if (what && sscanf(what, "cfg:%u", &line) != 1)
        line = 0;
    if (end)
        end[1] = 0;
    if (python)
        report_error(c->report, python, NULL,
                     "looks like Python, as old xm took it; write plain KEY=VALUE lines");
    else if (end == near + strlen("near `"))
        report_error(c->report, 0, NULL, "ends in the middle of a value; close the list with ]");
    else
        report_error(c->report, line, NULL, "cannot be read%s%s; write KEY=VALUE, text in quotes",
                     end ? " " : "", end ? near : "");
}

int conf_open_text(struct conf *c, const char *text, struct report *report)
{
    int rc;

    memset(c, 0, sizeof(*c));
    c->report = report;
    c->own_lines = ~0u;
    c->stream = fopencookie(c, "w", (cookie_io_functions_t){ .write = on_write });
    if (c->stream && !setvbuf(c->stream, NULL, _IONBF, 0))
        c->xlu = xlu_cfg_init(c->stream, "cfg");
    if (!c->xlu) {
        report_error(report, 0, NULL, "out of memory");
        return -1;
    }
    scan_read(&c->scan, text);
    rc = xlu_cfg_readdata(c->xlu, text, (int)strlen(text));
    if (rc)
        report_syntax(c, text);
    conf_hush(c);
    return rc ? -1 : 0;
}

static unsigned count_lines(const char *text)
{
    unsigned n = 1;

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

int conf_open(struct conf *c, const char *path, const char *extra, struct report *report)
{
    char *text, *whole = NULL;
    int rc = -1;

    memset(c, 0, sizeof(*c));
    text = read_file(path, report);
    if (text && asprintf(&whole, "%s\n%s\n", text, extra ? extra : "") >= 0) {
        rc = conf_open_text(c, whole, report);
        c->own_lines = count_lines(text);
    }
    free(whole);
    free(text);
    return rc;
}

void conf_close(struct conf *c)
{
    if (c->xlu)
        xlu_cfg_destroy(c->xlu);
    if (c->stream)
        fclose(c->stream);
    scan_free(&c->scan);
    memset(c, 0, sizeof(*c));
}

static const char *item_name(const char *key, int item, char *buf, size_t size)
{
    if (item < 0)
        return key;
    snprintf(buf, size, "%s[%d]", key, item);
    return buf;
}

void conf_error(struct conf *c, const char *key, int item, const char *fmt, ...)
{
    char text[512], name[64];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    report_error(c->report, scan_line(&c->scan, key, item),
                 item_name(key, item, name, sizeof(name)), "%s", text);
}

void conf_warn(struct conf *c, const char *key, int item, const char *fmt, ...)
{
    char text[512], name[64];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    report_warn(c->report, scan_line(&c->scan, key, item), item_name(key, item, name, sizeof(name)),
                "%s", text);
}

bool conf_has(const struct conf *c, const char *key)
{
    return scan_find(&c->scan, key) != NULL;
}

const char *conf_string(struct conf *c, const char *key)
{
    const char *v = NULL;
    int rc = xlu_cfg_get_string(c->xlu, key, &v, 1);

    if (rc == EINVAL)
        conf_error(c, key, -1, "is a list; give one value: %s=\"...\"", key);
    return rc ? NULL : v;
}

bool conf_number(struct conf *c, const char *key, long min, long max, long *v)
{
    const char *text = conf_string(c, key);
    char *end;
    long n;

    if (!text)
        return false;
    errno = 0;
    n = strtol(text, &end, 0);
    while (*end == ' ')
        end++;
    if (*end || end == text)
        conf_error(c, key, -1, "\"%.40s\" is not a number; give %ld to %ld", text, min, max);
    else if (errno || n < min || n > max)
        conf_error(c, key, -1, "%.40s is out of range; give %ld to %ld", text, min, max);
    else {
        *v = n;
        return true;
    }
    return false;
}

void conf_flag(struct conf *c, const char *key, bool *v)
{
    const char *text = conf_string(c, key);
    char *end;
    long n = text ? strtol(text, &end, 0) : 0;

    if (text && (*end || end == text))
        conf_error(c, key, -1, "\"%.40s\" is not a number; write %s=1 or %s=0", text, key, key);
    else if (text)
        *v = n != 0;
}

unsigned conf_list(struct conf *c, const char *key)
{
    int n = 0, rc = xlu_cfg_get_list(c->xlu, key, NULL, &n, 1);

    if (rc == EINVAL)
        conf_error(c, key, -1, "is to be a list; write %s=[ '...', '...' ]", key);
    return rc || n < 0 ? 0 : (unsigned)n;
}

unsigned conf_count(struct conf *c, const char *key)
{
    int n = 0, rc = xlu_cfg_get_list(c->xlu, key, NULL, &n, 1);

    if (rc == EINVAL)
        return 1;
    return rc || n < 0 ? 0 : (unsigned)n;
}

const char *conf_item(struct conf *c, const char *key, unsigned i)
{
    XLU_ConfigList *list = NULL;
    const char *v = NULL;
    int n = 0, rc = xlu_cfg_get_list(c->xlu, key, &list, &n, 1);

    if (rc == EINVAL) /* a string */
        return i == 0 && !xlu_cfg_get_string(c->xlu, key, &v, 1) ? v : NULL;
    if (rc || i >= (unsigned)n)
        return NULL;
    v = xlu_cfg_get_listitem(list, (int)i);
    if (!v)
        conf_error(c, key, (int)i, "is to be a string in quotes");
    return v;
}
