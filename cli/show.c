/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs that tell: list, info, uptime, dmesg, domid, domname. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include "cli/host.h"
#include "cli/verbs.h"

#define LIST_MS 2000 /* a guest that does not answer must not hold up the list */

const char *state_letters(const char *status)
{
    static const struct {
        const char *status, *letters;
    } states[] = {
        { "running", "r-----" },        { "paused", "--p---" },    { "prelaunch", "--p---" },
        { "io-error", "--p---" },       { "suspended", "-b----" }, { "shutdown", "---s--" },
        { "internal-error", "----c-" },
    };

    for (unsigned i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (!strcmp(status, states[i].status))
            return states[i].letters;
    }
    return "------";
}

static void read_proc(long long pid, const char *file, char *text, size_t size)
{
    char path[64];
    FILE *f;

    text[0] = 0;
    snprintf(path, sizeof(path), "/proc/%lld/%s", pid, file);
    f = pid > 0 ? fopen(path, "re") : NULL;
    if (!f)
        return;
    text[fread(text, 1, size - 1, f)] = 0;
    fclose(f);
}

/* proc(5): utime and stime are the 12th and 13th word behind the name in parentheses. */
double process_seconds(long long pid)
{
    unsigned long user = 0, sys = 0;
    char text[1024];
    const char *p;

    read_proc(pid, "stat", text, sizeof(text));
    p = strrchr(text, ')');
    if (!p ||
        sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &sys) != 2)
        return 0;
    return (double)(user + sys) / (double)sysconf(_SC_CLK_TCK);
}

long process_rss(long long pid)
{
    char text[256];
    long pages = 0;

    read_proc(pid, "statm", text, sizeof(text));
    if (sscanf(text, "%*d %ld", &pages) != 1)
        return 0;
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* What only the device model knows is added to the facts. */
static void ask_status(const struct place *p, json_t *f)
{
    struct spot s;
    struct qmp q;
    json_t *ret = NULL;
    const char *status;

    place_spot(p, (unsigned)fact_number(f, "id"), &s);
    if (!qmp_open(&q, s.dir, "qmp", LIST_MS))
        ret = qmp_call(&q, "query-status", NULL, LIST_MS);
    status = ret ? fact(ret, "status") : "no answer";
    json_object_set_new(f, "state", json_string(status));
    json_object_set_new(f, "cpu_seconds", json_real(process_seconds(fact_number(f, "dm"))));
    json_decref(ret);
    qmp_close(&q);
}

static json_t *chosen(const struct place *p, const char *name)
{
    json_t *list = json_array(), *f;

    if (!name) {
        json_decref(list);
        return place_list(p);
    }
    f = place_get(p, name);
    if (f)
        json_array_append_new(list, f);
    return list;
}

int verb_list(int argc, char **argv)
{
    bool flags[2] = { false };
    int at = words(argc, argv, "lj", flags, 0, 1);
    struct place place;
    json_t *list, *f;
    size_t i;

    if (at < 0)
        return 2;
    if (place_find(&place))
        return 1;
    list = chosen(&place, at < argc ? argv[at] : NULL);
    if (at < argc && !json_array_size(list)) {
        json_decref(list);
        return 1;
    }
    if (!flags[0] && !flags[1])
        printf("%-40s %5s %5s %5s %8s %8s\n", "Name", "ID", "Mem", "VCPUs", "State", "Time(s)");
    for (i = 0; i < json_array_size(list); i++) {
        f = json_array_get(list, i);
        ask_status(&place, f);
        if (!flags[0] && !flags[1])
            printf("%-40s %5lld %5lld %5lld %8s %8.1f\n", fact(f, "name"), fact_number(f, "id"),
                   fact_number(f, "memory"), fact_number(f, "vcpus"),
                   state_letters(fact(f, "state")),
                   json_real_value(json_object_get(f, "cpu_seconds")));
    }
    if (flags[0] || flags[1]) {
        json_dumpf(list, stdout, JSON_INDENT(4));
        putchar('\n');
    }
    json_decref(list);
    return 0;
}

static void print_value(const char *name, const char *value)
{
    printf("%-22s : %s\n", name, value);
}

static int info_host(void)
{
    char dm[1024];
    struct utsname u;
    struct place place;

    if (uname(&u) == 0) {
        print_value("host", u.nodename);
        print_value("release", u.release);
        print_value("machine", u.machine);
    }
    printf("%-22s : %ld\n", "nr_cpus", sysconf(_SC_NPROCESSORS_ONLN));
    printf("%-22s : %ld\n", "total_memory",
           sysconf(_SC_PHYS_PAGES) / 1024 * (sysconf(_SC_PAGESIZE) / 1024));
    print_value("virt_caps", host_has_virt() ? "hvm" : "none (vmx or svm in /proc/cpuinfo)");
    print_value("kvm", access("/dev/kvm", R_OK | W_OK) ? strerror(errno) : "/dev/kvm");
    print_value("portico_version", PORTICO_VERSION);
    print_value("device_model", host_find_dm(NULL, dm, sizeof(dm)));
    if (place_find(&place))
        return 1;
    print_value("running_guests", place.run);
    print_value("logs", place.log);
    return 0;
}

static int info_guest(const char *name, bool as_json)
{
    struct target t;
    int rc = target_open(&t, name, false);
    const char *key;
    json_t *v;

    if (!rc)
        ask_status(&t.place, t.facts);
    if (!rc && as_json) {
        json_dumpf(t.facts, stdout, JSON_INDENT(4));
        putchar('\n');
    } else if (!rc) {
        json_object_foreach(t.facts, key, v)
        {
            if (json_is_string(v))
                print_value(key, json_string_value(v));
            else if (json_is_integer(v))
                printf("%-22s : %lld\n", key, (long long)json_integer_value(v));
        }
        printf("%-22s : %s/qmp\n", "control_socket", t.spot.dir);
        printf("%-22s : %ld KiB\n", "resident", process_rss(fact_number(t.facts, "dm")));
    }
    target_close(&t);
    return rc;
}

int verb_info(int argc, char **argv)
{
    bool json = false;
    int at = words(argc, argv, "j", &json, 0, 1);

    if (at < 0)
        return 2;
    return at < argc ? info_guest(argv[at], json) : info_host();
}

static void print_uptime(const json_t *f)
{
    long long s = (long long)time(NULL) - fact_number(f, "started");

    if (s < 0)
        s = 0;
    printf("%-33s %4lld ", fact(f, "name"), fact_number(f, "id"));
    if (s >= 86400)
        printf("%lld day%s, ", s / 86400, s >= 2 * 86400 ? "s" : "");
    printf("%2lld:%02lld:%02lld\n", s / 3600 % 24, s / 60 % 60, s % 60);
}

int verb_uptime(int argc, char **argv)
{
    int at = words(argc, argv, "", NULL, 0, 1), rc;
    struct place place;
    json_t *list;
    size_t i;

    if (at < 0)
        return 2;
    if (place_find(&place))
        return 1;
    list = chosen(&place, at < argc ? argv[at] : NULL);
    rc = at < argc && !json_array_size(list);
    if (!rc)
        printf("%-33s %4s %s\n", "Name", "ID", "Uptime");
    for (i = 0; i < json_array_size(list); i++)
        print_uptime(json_array_get(list, i));
    json_decref(list);
    return rc;
}

/* The log of a guest: also of one that is gone, which is when it is wanted most. */
int verb_dmesg(int argc, char **argv)
{
    int at = words(argc, argv, "", NULL, 1, 1), c, fd;
    char path[700];
    struct place place;
    json_t *list, *g;
    size_t i;
    FILE *f;

    if (at < 0)
        return 2;
    if (strchr(argv[at], '/') || place_find(&place))
        return complain("%s: no such guest", argv[at]);
    snprintf(path, sizeof(path), "%s/%s.log", place.log, argv[at]);
    list = place_list(&place);
    json_array_foreach(list, i, g)
    { /* a number, or a guest that was renamed */
        char id[24];

        snprintf(id, sizeof(id), "%lld", fact_number(g, "id"));
        if (!strcmp(fact(g, "name"), argv[at]) || !strcmp(id, argv[at]))
            snprintf(path, sizeof(path), "%s", fact(g, "log"));
    }
    json_decref(list);
    f = fopen(path, "re");
    if (!f)
        return complain("%s: %s", path, strerror(errno));
    while ((c = getc(f)) != EOF)
        putchar(c);
    fd = ferror(f);
    fclose(f);
    return fd ? complain("%s: cannot be read", path) : 0;
}

static int show_one(int argc, char **argv, bool id)
{
    int at = words(argc, argv, "", NULL, 1, 1), rc;
    struct target t;

    if (at < 0)
        return 2;
    rc = target_open(&t, argv[at], false);
    if (!rc && id)
        printf("%lld\n", fact_number(t.facts, "id"));
    else if (!rc)
        printf("%s\n", fact(t.facts, "name"));
    target_close(&t);
    return rc;
}

int verb_domid(int argc, char **argv)
{
    return show_one(argc, argv, true);
}

int verb_domname(int argc, char **argv)
{
    return show_one(argc, argv, false);
}
