/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The folders of running guests. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/place.h"

int complain(const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    fprintf(stderr, "portico: %s\n", text);
    return 1;
}

/* mkdir -p; the folders above it are made as anybody may look into them. */
static int make_dir(const char *path, mode_t mode)
{
    char part[512];
    struct stat st;

    if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
        return complain("%.60s...: the name is too long", path), -1;
    for (char *p = part + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = 0;
        mkdir(part, 0755);
        *p = '/';
    }
    if ((mkdir(path, mode) && errno != EEXIST) || stat(path, &st))
        return complain("%s: %s; make the folder, or be root", path, strerror(errno)), -1;
    if (st.st_uid != geteuid())
        return complain("%s belongs to somebody else; set PORTICO_RUN_DIR", path), -1;
    if (access(path, W_OK | X_OK))
        return complain("%s: %s; correct its rights", path, strerror(errno)), -1;
    return 0;
}

static bool fits(char *dst, size_t size, const char *dir, const char *rest)
{
    return snprintf(dst, size, "%s%s", dir, rest) < (int)size;
}

static bool find_run(struct place *p)
{
    const char *dir = getenv("PORTICO_RUN_DIR"), *xdg = getenv("XDG_RUNTIME_DIR");
    char own[40];

    if (dir && *dir)
        return fits(p->run, sizeof(p->run), dir, "");
    if (geteuid() == 0)
        return fits(p->run, sizeof(p->run), "/run/portico", "");
    if (xdg && *xdg == '/')
        return fits(p->run, sizeof(p->run), xdg, "/portico");
    snprintf(own, sizeof(own), "/tmp/portico-%u", (unsigned)geteuid());
    return fits(p->run, sizeof(p->run), own, "");
}

static bool find_log(struct place *p)
{
    const char *dir = getenv("PORTICO_LOG_DIR"), *xdg = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");

    if (dir && *dir)
        return fits(p->log, sizeof(p->log), dir, "");
    if (geteuid() == 0)
        return fits(p->log, sizeof(p->log), "/var/log/portico", "");
    if (xdg && *xdg == '/')
        return fits(p->log, sizeof(p->log), xdg, "/portico");
    if (home && *home == '/')
        return fits(p->log, sizeof(p->log), home, "/.local/state/portico");
    return fits(p->log, sizeof(p->log), p->run, "/log");
}

int place_find(struct place *p)
{
    if (!find_run(p) || !find_log(p))
        return complain("the name of the folder for running guests or for logs is too long; set "
                        "PORTICO_RUN_DIR and PORTICO_LOG_DIR to shorter ones"),
               -1;
    return make_dir(p->run, 0700) || make_dir(p->log, 0750) ? -1 : 0;
}

int place_lock(const struct place *p)
{
    char path[PLACE_DIR_MAX + 16];
    int fd;

    snprintf(path, sizeof(path), "%s/lock", p->run);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0 && !flock(fd, LOCK_EX))
        return fd;
    complain("%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

void place_spot(const struct place *p, unsigned id, struct spot *s)
{
    s->id = id;
    s->lock = -1;
    snprintf(s->dir, sizeof(s->dir), "%s/%u", p->run, id);
}

/* A descriptor that holds the guest's lock, or -1: somebody else does, or there is none. */
static int try_lock(const struct spot *s)
{
    char path[sizeof(s->dir) + 8];
    int fd;

    snprintf(path, sizeof(path), "%s/lock", s->dir);
    fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && !flock(fd, LOCK_EX | LOCK_NB))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

int place_gone(const struct spot *s)
{
    int fd = try_lock(s);
    char path[sizeof(s->dir) + 8];

    if (fd >= 0) {
        close(fd);
        return 1;
    }
    snprintf(path, sizeof(path), "%s/lock", s->dir);
    return access(path, F_OK) != 0;
}

void place_remove(const struct spot *s)
{
    DIR *d = opendir(s->dir);

    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
        unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
    rmdir(s->dir);
}

/* The number that was used last stands in a file, so that no two guests in a row have the same. */
static unsigned next_id(const struct place *p)
{
    char path[PLACE_DIR_MAX + 16];
    unsigned id = 0;
    FILE *f;

    snprintf(path, sizeof(path), "%s/last", p->run);
    f = fopen(path, "r+e");
    if (!f)
        f = fopen(path, "w+e");
    if (!f)
        return 0;
    if (fscanf(f, "%u", &id) != 1 || id >= 99999)
        id = 0;
    rewind(f);
    fprintf(f, "%-8u\n", id + 1);
    fclose(f);
    return id + 1;
}

int place_new(const struct place *p, struct spot *s)
{
    char path[sizeof(s->dir) + 8];
    unsigned id;

    for (unsigned tries = 0; tries < 1000; tries++) {
        id = next_id(p);
        place_spot(p, id, s);
        if (id && !mkdir(s->dir, 0700))
            break;
        if (!id || errno != EEXIST)
            return complain("%s: %s", s->dir, strerror(errno)), -1;
    }
    snprintf(path, sizeof(path), "%s/lock", s->dir);
    s->lock = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (s->lock >= 0 && !flock(s->lock, LOCK_EX | LOCK_NB))
        return 0;
    complain("%s: %s", path, strerror(errno));
    place_remove(s);
    return -1;
}

json_t *facts_read(const struct spot *s)
{
    char path[sizeof(s->dir) + 8];

    snprintf(path, sizeof(path), "%s/facts", s->dir);
    return json_load_file(path, 0, NULL);
}

int facts_write(const struct spot *s, const json_t *facts)
{
    char path[sizeof(s->dir) + 8], old[sizeof(s->dir) + 8];

    snprintf(path, sizeof(path), "%s/facts+", s->dir);
    snprintf(old, sizeof(old), "%s/facts", s->dir);
    if (json_dump_file(facts, path, JSON_INDENT(2)) || rename(path, old))
        return complain("%s: %s", path, strerror(errno)), -1;
    return 0;
}

int facts_set(const struct place *p, const struct spot *s, const char *key, json_t *value)
{
    int fd = place_lock(p), rc = -1;
    json_t *facts = fd >= 0 ? facts_read(s) : NULL;

    if (facts && !json_object_set(facts, key, value))
        rc = facts_write(s, facts);
    json_decref(facts);
    json_decref(value);
    if (fd >= 0)
        close(fd);
    return rc;
}

const char *fact(const json_t *facts, const char *key)
{
    const char *s = json_string_value(json_object_get(facts, key));

    return s ? s : "";
}

long long fact_number(const json_t *facts, const char *key)
{
    return json_integer_value(json_object_get(facts, key));
}

static void visit(const struct place *p, unsigned id, json_t *list)
{
    struct spot s;
    json_t *facts;
    int fd;

    place_spot(p, id, &s);
    fd = try_lock(&s);
    if (fd >= 0) {
        place_remove(&s);
        close(fd);
        return;
    }
    facts = facts_read(&s); /* none yet: it is being made */
    if (facts)
        json_array_append_new(list, facts);
}

static int by_number(const void *a, const void *b)
{
    const unsigned *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static json_t *list_locked(const struct place *p)
{
    DIR *d = opendir(p->run);
    unsigned ids[1024], n = 0;
    json_t *list = json_array();

    for (struct dirent *e = d ? readdir(d) : NULL; e && n < 1024; e = readdir(d)) {
        if (isdigit((unsigned char)e->d_name[0]))
            ids[n++] = (unsigned)strtoul(e->d_name, NULL, 10);
    }
    if (d)
        closedir(d);
    qsort(ids, n, sizeof(ids[0]), by_number);
    for (unsigned i = 0; i < n; i++)
        visit(p, ids[i], list);
    return list;
}

json_t *place_list(const struct place *p)
{
    int fd = place_lock(p);
    json_t *list = fd >= 0 ? list_locked(p) : json_array();

    if (fd >= 0)
        close(fd);
    return list;
}

int place_by_name(const struct place *p, const char *name)
{
    json_t *list = list_locked(p), *f;
    int id = -1;
    size_t i;

    for (i = 0; i < json_array_size(list); i++) {
        f = json_array_get(list, i);
        if (!strcmp(fact(f, "name"), name))
            id = (int)fact_number(f, "id");
    }
    json_decref(list);
    return id;
}

json_t *place_get(const struct place *p, const char *name)
{
    json_t *list = place_list(p), *f, *found = NULL;
    char *end;
    long id = strtol(name, &end, 10);
    size_t i;

    for (i = 0; i < json_array_size(list); i++) {
        f = json_array_get(list, i);
        if (!strcmp(fact(f, "name"), name) || (*name && !*end && fact_number(f, "id") == id))
            found = f;
    }
    if (found)
        json_incref(found);
    else
        complain("%s: no such guest; `portico list` shows those that run", name);
    json_decref(list);
    return found;
}
