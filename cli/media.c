/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs of disks, cards and the screen. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/verbs.h"

/* "hdc", or "xvdc" as xl's users write it. NULL with a line. */
static const char *drive_id(const char *vdev)
{
    const char *name = strncmp(vdev, "xvd", 3) ? vdev : vdev + 1;

    if ((strncmp(name, "hd", 2) && strncmp(name, "vd", 2)) || name[2] < 'a' || name[2] > 'd' ||
        name[3]) {
        complain("%s is no drive; use hda to hdd, as `portico block-list` shows them", vdev);
        return NULL;
    }
    return name[2] == 'a' ? "hda" : name[2] == 'b' ? "hdb" : name[2] == 'c' ? "hdc" : "hdd";
}

int verb_cd_insert(int argc, char **argv)
{
    int at = words(argc, argv, "", NULL, 3, 3), rc;
    const char *drive, *file;
    char path[PATH_MAX];
    struct target t;

    if (at < 0)
        return 2;
    drive = drive_id(argv[at + 1]);
    file = argv[at + 2];
    if (!drive)
        return 2;
    if (!strstr(file, "://") && !realpath(file, path))
        return complain("%s: %s", file, strerror(errno));
    rc = target_open(&t, argv[at], true);
    if (!rc)
        rc = target_do(&t, "blockdev-change-medium",
                       json_pack("{s:s, s:s, s:s}", "id", drive, "filename",
                                 strstr(file, "://") ? file : path, "format", "raw"));
    target_close(&t);
    return rc;
}

int verb_cd_eject(int argc, char **argv)
{
    bool force = false;
    int at = words(argc, argv, "F", &force, 2, 2), rc;
    const char *drive;
    struct target t;

    if (at < 0)
        return 2;
    drive = drive_id(argv[at + 1]);
    if (!drive)
        return 2;
    rc = target_open(&t, argv[at], true);
    if (!rc)
        rc = target_do(&t, "eject", json_pack("{s:s, s:b}", "id", drive, "force", force));
    target_close(&t);
    return rc;
}

static void print_drive(const json_t *d)
{
    const json_t *in = json_object_get(d, "inserted");
    bool removable = json_is_true(json_object_get(d, "removable"));

    printf("%-8s %-6s %-4s %-8s %s\n", fact(d, "device"), removable ? "CD" : "disk",
           !in                                       ? "-"
           : json_is_true(json_object_get(in, "ro")) ? "r"
                                                     : "w",
           in ? fact(in, "drv") : "-", in ? fact(in, "file") : "(empty)");
}

int verb_block_list(int argc, char **argv)
{
    bool json = false;
    int at = words(argc, argv, "j", &json, 1, 1), rc;
    json_t *list = NULL;
    struct target t;
    size_t i;

    if (at < 0)
        return 2;
    rc = target_open(&t, argv[at], true);
    if (!rc)
        list = target_call(&t, "query-block", NULL);
    target_close(&t);
    if (list && json) {
        json_dumpf(list, stdout, JSON_INDENT(4));
        putchar('\n');
    } else if (list) {
        printf("%-8s %-6s %-4s %-8s %s\n", "Vdev", "Type", "Mode", "Format", "Image");
        for (i = 0; i < json_array_size(list); i++)
            print_drive(json_array_get(list, i));
    }
    json_decref(list);
    return list ? 0 : 1;
}

int verb_network_list(int argc, char **argv)
{
    bool json = false;
    int at = words(argc, argv, "j", &json, 1, 1), rc;
    json_t *list, *n;
    struct target t;
    size_t i;

    if (at < 0)
        return 2;
    rc = target_open(&t, argv[at], false);
    list = json_object_get(t.facts, "nics");
    if (!rc && json) {
        json_dumpf(list, stdout, JSON_INDENT(4));
        putchar('\n');
    } else if (!rc) {
        printf("%-4s %-18s %-9s %-16s %s\n", "Idx", "MAC", "Model", "Bridge", "Interface");
        for (i = 0; i < json_array_size(list); i++) {
            n = json_array_get(list, i);
            printf("%-4lld %-18s %-9s %-16s %s\n", fact_number(n, "index"), fact(n, "mac"),
                   fact(n, "model"), *fact(n, "bridge") ? fact(n, "bridge") : "(user mode)",
                   *fact(n, "interface") ? fact(n, "interface") : "-");
        }
    }
    target_close(&t);
    return rc;
}

static bool ends_in(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n >= m && !strcmp(s + n - m, end);
}

int verb_screenshot(int argc, char **argv)
{
    int at = words(argc, argv, "", NULL, 2, 2), rc;
    char path[PATH_MAX], here[PATH_MAX];
    struct target t;
    const char *file;

    if (at < 0)
        return 2;
    file = argv[at + 1];
    if (!getcwd(here, sizeof(here)) ||
        snprintf(path, sizeof(path), "%s%s%s", *file == '/' ? "" : here, *file == '/' ? "" : "/",
                 file) >= (int)sizeof(path))
        return complain("%s: the name is too long", file);
    rc = target_open(&t, argv[at], true);
    if (!rc)
        rc = target_do(&t, "screendump",
                       json_pack("{s:s, s:s}", "filename", path, "format",
                                 ends_in(file, ".ppm") ? "ppm" : "png"));
    target_close(&t);
    return rc;
}

/* HOST::PORT, as viewers take it. */
static int find_vnc(struct target *t, char *where, size_t size)
{
    json_t *ret = target_call(t, "query-vnc", NULL);
    const char *host = fact(ret, "host"), *port = fact(ret, "service");
    int rc = 1;

    if (ret && (!json_is_true(json_object_get(ret, "enabled")) || !*port)) {
        complain("%s has no VNC; write vnc=1", fact(t->facts, "name"));
    } else if (ret) {
        if (!strcmp(host, "0.0.0.0") || !*host)
            host = "127.0.0.1";
        else if (!strcmp(host, "::"))
            host = "::1";
        snprintf(where, size, strchr(host, ':') ? "[%s]::%s" : "%s::%s", host, port);
        rc = 0;
    }
    json_decref(ret);
    return rc;
}

static int view(const struct place *p, const char *name, bool behind)
{
    const char *viewer = getenv("PORTICO_VNCVIEWER");
    char where[200];
    struct target t;
    int rc = target_open(&t, name, true);

    if (!viewer || !*viewer)
        viewer = "vncviewer";
    if (!rc)
        rc = find_vnc(&t, where, sizeof(where));
    target_close(&t);
    if (rc)
        return rc;
    if (behind && fork() != 0)
        return 0;
    if (behind)
        setsid();
    execlp(viewer, viewer, where, (char *)NULL);
    complain("%s: %s; install a VNC viewer, and point it at %s (or set PORTICO_VNCVIEWER)", viewer,
             strerror(errno), where);
    if (behind)
        _exit(1);
    return 1;
}

void view_start(const struct place *p, const char *name)
{
    view(p, name, true);
}

int verb_vncviewer(int argc, char **argv)
{
    bool flags[2] = { false }; /* --autopass: the viewer asks anyway */
    int at = words(argc, argv, "al", flags, 1, 1);

    return at < 0 ? 2 : view(NULL, argv[at], false);
}

int verb_monitor(int argc, char **argv)
{
    int at = words(argc, argv, "", NULL, 2, 2), rc;
    json_t *ret = NULL;
    struct target t;

    if (at < 0)
        return 2;
    rc = target_open(&t, argv[at], true);
    if (!rc)
        ret = target_call(&t, "human-monitor-command",
                          json_pack("{s:s}", "command-line", argv[at + 1]));
    if (ret)
        printf("%s", json_string_value(ret) ? json_string_value(ret) : "");
    json_decref(ret);
    target_close(&t);
    return ret ? 0 : 1;
}
