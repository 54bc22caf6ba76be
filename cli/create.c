/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `portico create` and `portico check`. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "cli/bridge.h"
#include "cli/dm-line.h"
#include "cli/host.h"
#include "cli/keeper.h"
#include "cli/verbs.h"

struct order { /* what the command line asks for */
    const char *file;
    char *extra; /* KEY=VALUE words behind the file, as lines */
    bool console, viewer, foreground, paused, force, quiet, show_line;
};

static void add_extra(struct order *o, const char *line)
{
    char *all = NULL;

    if (asprintf(&all, "%s%s\n", o->extra ? o->extra : "", line) < 0)
        all = NULL;
    free(o->extra);
    o->extra = all;
}

static int parse(struct order *o, int argc, char **argv, const char *letters)
{
    static const struct option names[] = {
        { "force", no_argument, NULL, 'f' },   { "foreground", no_argument, NULL, 'F' },
        { "paused", no_argument, NULL, 'p' },  { "quiet", no_argument, NULL, 'q' },
        { "console", no_argument, NULL, 'c' }, { "vncviewer", no_argument, NULL, 'V' },
        { "line", no_argument, NULL, 'l' },    { NULL, 0, NULL, 0 },
    };
    bool *const flags[] = { &o->console, &o->viewer, &o->foreground, &o->paused,
                            &o->force,   &o->quiet,  &o->show_line };
    static const char order_of_flags[] = "cVFpfql";
    int opt;

    while ((opt = getopt_long(argc, argv, letters, names, NULL)) != -1) {
        const char *at = opt == '?' ? NULL : strchr(order_of_flags, opt);

        if (!at || !strchr(letters, opt)) {
            complain("%s: unknown option; `portico help` lists them", argv[0]);
            return 2;
        }
        *flags[at - order_of_flags] = true;
    }
    if (optind == argc) {
        complain("%s: which configuration file? portico %s FILE", argv[0], argv[0]);
        return 2;
    }
    o->file = argv[optind++];
    for (; optind < argc; optind++) {
        if (!strchr(argv[optind], '=')) {
            complain("%s: \"%s\" is neither an option nor KEY=VALUE", argv[0], argv[optind]);
            return 2;
        }
        add_extra(o, argv[optind]);
    }
    return 0;
}

/* What is left is for the report. 0 or 2. */
static int read_guest(struct guest *g, struct conf *c, const struct order *o, struct report *r)
{
    int rc = conf_open(c, o->file, o->extra, r);

    if (!rc)
        rc = guest_read(g, c);
    if (!rc)
        rc = guest_look(g, c);
    return rc ? 2 : 0;
}

/* A card whose bridge is not here: the same file is to run on a laptop. */
static unsigned choose_user_nics(const struct guest *g, struct conf *c)
{
    unsigned user = 0;

    for (unsigned i = 0; i < g->nnics; i++) {
        if (g->nics[i].user || bridge_usable(g->nics[i].bridge))
            continue;
        user |= 1u << i;
        conf_warn(c, "vif", g->nics[i].item,
                  geteuid() ? "only root puts a card into bridge %s; the guest gets user-mode "
                              "networking (type=user says so)"
                            : "there is no bridge %s; the guest gets user-mode networking "
                              "(type=user says so)",
                  g->nics[i].bridge);
    }
    return user;
}

static void print_disk(const struct guest_disk *d)
{
    printf("  %s: %s%s%s%s\n", d->vdev, d->cdrom ? "CD " : "disk ", d->path ? d->path : "(empty)",
           d->path && strcmp(d->format, "raw") ? ", " : "",
           d->path && strcmp(d->format, "raw") ? d->format : "");
}

static void print_guest(const struct guest *g, unsigned user_nics)
{
    static const char *const then[] = { "destroy", "restart", "preserve" };

    printf("%s: HVM guest, %u MiB, %u CPU%s, %s, boots from \"%s\"\n", g->name, g->memory, g->vcpus,
           g->vcpus == 1 ? "" : "s", g->nvram ? "UEFI" : "BIOS", g->kernel ? g->kernel : g->boot);
    for (unsigned i = 0; i < g->ndisks; i++)
        print_disk(&g->disks[i]);
    for (unsigned i = 0; i < g->nnics; i++) {
        const struct guest_nic *n = &g->nics[i];
        bool user = n->user || user_nics & 1u << i;

        printf("  network: %s, %02x:%02x:%02x:%02x:%02x:%02x, %s%s\n", n->model, n->mac[0],
               n->mac[1], n->mac[2], n->mac[3], n->mac[4], n->mac[5],
               user ? "user mode" : "bridge ", user ? "" : n->bridge);
    }
    printf("  screen: %s%s%s\n", g->screen.vga ? g->screen.vga : "none",
           g->screen.vnc && !g->screen.nographic ? ", VNC at " : "",
           g->screen.vnc && !g->screen.nographic ? g->screen.vnc_listen : "");
    for (unsigned i = 0; i < g->nserials; i++)
        printf("  serial %u: %s\n", i, g->serials[i]);
    printf("  power-off: %s, reboot: %s, crash: %s\n", then[g->on_poweroff], then[g->on_reboot],
           then[g->on_crash == THEN_PRESERVE ? THEN_DESTROY : g->on_crash]);
}

static void print_line(char **line)
{
    for (char **w = line; *w; w++) {
        bool plain = **w && !strpbrk(*w, " \t\n\"'\\$`&|;<>()*?#~!{}[]");

        printf(plain ? "%s%s" : "%s'%s'", w == line ? "" : " ", *w);
    }
    printf("\n");
}

int verb_check(int argc, char **argv)
{
    struct order o = { 0 };
    struct guest g = { 0 };
    struct conf c = { 0 };
    struct report r = { 0 };
    char dm[PATH_MAX];
    unsigned user;
    int rc = parse(&o, argc, argv, "l");

    if (rc)
        return rc;
    r.file = o.file;
    rc = read_guest(&g, &c, &o, &r);
    user = rc ? 0 : choose_user_nics(&g, &c);
    report_print(&r);
    if (!rc && o.show_line) {
        struct dm_place p = { .dm = host_find_dm(g.dm, dm, sizeof(dm)),
                              .dir = "/run/portico/ID",
                              .id = 1,
                              .user_nics = user,
                              .now = time(NULL) };
        char **line = dm_line(&g, &p);

        print_line(line);
        dm_line_free(line);
    } else if (!rc) {
        print_guest(&g, user);
    }
    guest_free(&g);
    conf_close(&c);
    free(o.extra);
    return rc;
}

static json_t *nic_facts(const struct guest *g, unsigned user_nics, unsigned id)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < g->nnics; i++) {
        const struct guest_nic *n = &g->nics[i];
        bool user = n->user || user_nics & 1u << i;
        char mac[24], name[IFNAME_SIZE];

        snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", n->mac[0], n->mac[1], n->mac[2],
                 n->mac[3], n->mac[4], n->mac[5]);
        dm_ifname(g, i, id, name);
        json_array_append_new(list,
                              json_pack("{s:i, s:s, s:s, s:s, s:s}", "index", (int)i, "mac", mac,
                                        "model", n->model, "bridge", user ? "" : n->bridge,
                                        "interface", user ? "" : name));
    }
    return list;
}

static json_t *make_facts(const struct keeper *k, const char *file, const char *log)
{
    const struct guest *g = k->g;
    char path[PATH_MAX], *real = realpath(file, path);

    return json_pack("{s:s, s:i, s:s, s:i, s:i, s:s, s:s, s:i, s:i, s:I, s:o}", "name", g->name,
                     "id", (int)k->spot.id, "uuid", g->uuid, "memory", (int)g->memory, "vcpus",
                     (int)g->vcpus, "config", real ? real : file, "log", log, "keeper", 0, "dm", 0,
                     "started", (json_int_t)time(NULL), "nics",
                     nic_facts(g, k->user_nics, k->spot.id));
}

/* A folder, a number and a log for a guest whose name is free. 0, or 1 with a line. */
static int settle(struct keeper *k, const char *file)
{
    char log[700];
    int fd = place_lock(k->place), id = -1, rc = 1;
    json_t *facts;

    if (fd < 0)
        return 1;
    id = place_by_name(k->place, k->g->name);
    if (id >= 0) {
        complain("%s runs already, as number %d; `portico destroy %s` ends it", k->g->name, id,
                 k->g->name);
    } else if (!place_new(k->place, &k->spot)) {
        k->log = keeper_log(k->place, k->g->name, log, sizeof(log));
        if (k->log < 0)
            complain("%s: %s", log, strerror(errno));
        facts = k->log < 0 ? NULL : make_facts(k, file, log);
        rc = facts && !facts_write(&k->spot, facts) ? 0 : 1;
        json_decref(facts);
        if (rc)
            place_remove(&k->spot);
    }
    close(fd);
    return rc;
}

/* The guest has ended: its folder goes, and then its lock with the process. */
static void leave(struct keeper *k)
{
    int fd = place_lock(k->place);

    place_remove(&k->spot);
    if (fd >= 0)
        close(fd);
}

/* In the background: says "" or what went wrong through the pipe, and stays. */
static void keep(struct keeper *k, int tell)
{
    int null = open("/dev/null", O_RDWR), rc;

    setsid();
    dup2(null, 0);
    dup2(k->log, 1);
    dup2(k->log, 2);
    facts_set(k->place, &k->spot, "keeper", json_integer(getpid()));
    rc = keeper_start(k);
    if (rc)
        leave(k);
    if (write(tell, k->err, strlen(k->err) + 1) < 0)
        rc = -1;
    close(tell);
    if (!rc) {
        keeper_stay(k);
        leave(k);
    }
    exit(0);
}

static int start_behind(struct keeper *k)
{
    char text[sizeof(k->err)] = "";
    size_t n = 0;
    ssize_t got;
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC))
        return complain("pipe: %s", strerror(errno));
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        close(ends[0]);
        keep(k, ends[1]);
    }
    if (pid < 0)
        leave(k);
    close(ends[1]);
    close(k->spot.lock); /* the keeper has it */
    k->spot.lock = -1;
    while (pid > 0 && n < sizeof(text) - 1 &&
           (got = read(ends[0], text + n, sizeof(text) - 1 - n)) > 0)
        n += (size_t)got;
    close(ends[0]);
    if (n && !text[0])
        return 0;
    return complain("%s does not start: %s", k->g->name, n ? text : "its keeper died");
}

static int start_here(struct keeper *k, const struct order *o)
{
    int rc;

    signal(SIGINT, SIG_IGN); /* Ctrl-C is portico-dm's, whose end is waited for */
    facts_set(k->place, &k->spot, "keeper", json_integer(getpid()));
    rc = keeper_start(k);
    if (!rc && !o->paused)
        rc = keeper_go(k);
    if (rc)
        rc = complain("%s does not start: %s", k->g->name, k->err);
    else
        rc = keeper_stay(k);
    leave(k);
    return rc;
}

/* Console or viewer first, then let it run: nothing of the start is missed. */
static int finish(struct keeper *k, const struct order *o)
{
    char id[16];
    struct qmp q;
    int rc = 0;

    snprintf(id, sizeof(id), "%u", k->spot.id);
    if (o->viewer)
        view_start(k->place, id);
    if (o->console)
        return console_attach(k->place, id, 0, !o->paused);
    if (!o->paused && (qmp_open(&q, k->spot.dir, "qmp", 30000) || qmp_do(&q, "cont", NULL, 30000)))
        rc = complain("%s does not run: %s", k->g->name, q.err);
    if (!o->paused)
        qmp_close(&q);
    if (!rc && !o->quiet)
        printf("%s runs as number %u\n", k->g->name, k->spot.id);
    return rc;
}

static int start(struct guest *g, const struct order *o, const struct place *place,
                 unsigned user_nics)
{
    struct keeper k = { .g = g, .place = place, .user_nics = user_nics, .log = -1 };
    char dm[PATH_MAX];
    struct dm_place p = { .dm = host_find_dm(g->dm, dm, sizeof(dm)),
                          .user_nics = user_nics,
                          .now = time(NULL) };
    int rc;

    if (access(p.dm, X_OK))
        return complain("%s: %s; install it, or set PORTICO_DM", p.dm, strerror(errno));
    if (guest_make_nvram(g) || settle(&k, o->file))
        return 1;
    p.dir = k.spot.dir;
    p.id = k.spot.id;
    k.line = dm_line(g, &p);
    rc = o->foreground ? start_here(&k, o) : start_behind(&k);
    dm_line_free(k.line);
    if (!rc && !o->foreground)
        rc = finish(&k, o);
    close(k.log);
    return rc;
}

int verb_create(int argc, char **argv)
{
    struct order o = { 0 };
    struct guest g = { 0 };
    struct conf c = { 0 };
    struct report r = { 0 };
    struct place place;
    unsigned user = 0;
    int rc = parse(&o, argc, argv, "cVFpfq");

    if (rc)
        return rc;
    r.file = o.file;
    rc = read_guest(&g, &c, &o, &r);
    if (!rc)
        user = choose_user_nics(&g, &c);
    report_print(&r);
    conf_close(&c);
    if (!rc)
        rc = host_check(o.force);
    if (!rc)
        rc = place_find(&place) ? 1 : start(&g, &o, &place, user);
    guest_free(&g);
    free(o.extra);
    return rc;
}
