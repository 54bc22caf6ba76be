/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/monitor.c: human-monitor-command, what `xl qemu-monitor-command`
 * sends: a line of words, answered by text. Each command is one of the verbs,
 * or prints what the verbs know. Text is made with '\n' and leaves with CR LF.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "control/qmp-impl.h"
#include "hw/core/state.h"

#define WORDS_MAX 8
#define TEXT_MAX  (256u << 10) /* the reply as JSON must stay below libxl's 1 MiB */

struct line { /* one command while it runs */
    struct qmp_call *c;
    FILE *out;
    char *word[WORDS_MAX];
    unsigned n;
};

struct command {
    const char *name, *args, *help;
    void (*run)(struct line *l);
    unsigned min; /* words behind the name */
};

/* Runs a verb and says why when it fails; its result, or NULL (borrowed by nobody: decref). */
static json_t *verb(struct line *l, const char *name, json_t *args)
{
    struct qmp_call sub;

    qmp_run(l->c, name, args, &sub);
    if (sub.error)
        fprintf(l->out, "Error: %s\n", sub.desc);
    else if (!sub.ret)
        sub.ret = json_object();
    return sub.ret;
}

static const char *str(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

static bool flag(const json_t *o, const char *key)
{
    return json_is_true(json_object_get(o, key));
}

/* ---- info ---- */

static void info_version(struct line *l)
{
    json_t *v = verb(l, "query-version", NULL);
    int major = 0, minor = 0, micro = 0;

    if (v && !json_unpack(v, "{s:{s:i, s:i, s:i}}", "qemu", "major", &major, "minor", &minor,
                          "micro", &micro))
        fprintf(l->out, "%d.%d.%d (%s)\n", major, minor, micro, str(v, "package"));
    json_decref(v);
}

static void info_status(struct line *l)
{
    json_t *v = verb(l, "query-status", NULL);

    if (v && flag(v, "running"))
        fprintf(l->out, "VM status: running\n");
    else if (v)
        fprintf(l->out, "VM status: paused (%s)\n", str(v, "status"));
    json_decref(v);
}

static void info_name(struct line *l)
{
    json_t *v = verb(l, "query-name", NULL);

    if (v)
        fprintf(l->out, "%s\n", str(v, "name"));
    json_decref(v);
}

static void info_uuid(struct line *l)
{
    json_t *v = verb(l, "query-uuid", NULL);

    if (v)
        fprintf(l->out, "%s\n", str(v, "UUID"));
    json_decref(v);
}

static void info_block(struct line *l)
{
    json_t *v = verb(l, "query-block", NULL), *d;
    size_t i;

    json_array_foreach(v, i, d)
    {
        const json_t *in = json_object_get(d, "inserted");

        if (in)
            fprintf(l->out, "%s: %s (%s%s)\n", str(d, "device"), str(in, "file"), str(in, "drv"),
                    flag(in, "ro") ? ", read-only" : "");
        else
            fprintf(l->out, "%s: [not inserted]\n", str(d, "device"));
        if (flag(d, "removable"))
            fprintf(l->out, "    Removable device: %slocked, tray %s\n",
                    flag(d, "locked") ? "" : "not ", flag(d, "tray_open") ? "open" : "closed");
    }
    json_decref(v);
}

static void info_blockstats(struct line *l)
{
    static const char *const keys[] = { "rd_bytes", "wr_bytes", "rd_operations", "wr_operations",
                                        "flush_operations" };
    json_t *v = verb(l, "query-blockstats", NULL), *d;
    size_t i;

    json_array_foreach(v, i, d)
    {
        const json_t *stats = json_object_get(d, "stats");

        fprintf(l->out, "%s:", str(d, "device"));
        for (unsigned k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
            fprintf(l->out, " %s=%lld", keys[k],
                    (long long)json_integer_value(json_object_get(stats, keys[k])));
        fputc('\n', l->out);
    }
    json_decref(v);
}

static void info_vnc(struct line *l)
{
    json_t *v = verb(l, "query-vnc", NULL), *cl;
    size_t i;

    if (v && !flag(v, "enabled"))
        fprintf(l->out, "VNC: disabled\n");
    else if (v)
        fprintf(l->out, "Server: %s:%s (%s)\n  Auth: %s\n", str(v, "host"), str(v, "service"),
                str(v, "family"), str(v, "auth"));
    json_array_foreach(json_object_get(v, "clients"), i, cl)
    {
        fprintf(l->out, "Client: %s:%s (%s)\n", str(cl, "host"), str(cl, "service"),
                str(cl, "family"));
    }
    json_decref(v);
}

static void info_chardev(struct line *l)
{
    json_t *v = verb(l, "query-chardev", NULL), *ch;
    size_t i;

    json_array_foreach(v, i, ch)
    {
        fprintf(l->out, "%s: filename=%s\n", str(ch, "label"), str(ch, "filename"));
    }
    json_decref(v);
}

static void info_cpus(struct line *l)
{
    json_t *v = verb(l, "query-cpus-fast", NULL), *cpu;
    size_t i;

    json_array_foreach(v, i, cpu)
    {
        fprintf(l->out, "CPU #%lld\n",
                (long long)json_integer_value(json_object_get(cpu, "cpu-index")));
    }
    json_decref(v);
}

static void info_devices(struct line *l)
{
    const struct machine *m = &l->c->vm->machine;

    for (unsigned i = 0; i < m->n; i++)
        fprintf(l->out, "%s: %s\n", m->dev[i]->id, m->dev[i]->type->name);
}

static void print_registers(struct line *l, const struct device *dev)
{
    fprintf(l->out, "%s (%s), %u guest errors\n", dev->id, dev->type->name, dev->guest_errors);
    if (dev->type->state)
        state_print(dev, l->out);
}

/* Which windows the guest keeps busy: the first thing to look at when a guest is slow. */
static void info_accesses(struct line *l)
{
    const struct platform *p = l->c->vm->plat;

    fprintf(l->out, "%llu accesses, %llu of them to PCI configuration space\n",
            (unsigned long long)p->accesses, (unsigned long long)p->config_cycles);
    for (unsigned space = IO_PORT; space <= IO_MEM; space++) {
        for (unsigned i = 0; i < p->nwindows[space]; i++) {
            const struct window *w = &p->windows[space][i];

            if (w->hits)
                fprintf(l->out, "%12llu  %s %llx-%llx  %s\n", (unsigned long long)w->hits,
                        space == IO_PORT ? "ports " : "memory", (unsigned long long)w->base,
                        (unsigned long long)(w->base + w->size - 1), w->dev->id);
        }
    }
}

/* Of the devices: the CPUs' are the hypervisor's. */
static void info_registers(struct line *l)
{
    const struct machine *m = &l->c->vm->machine;
    bool found = l->n < 3;

    for (unsigned i = 0; i < m->n; i++) {
        if (l->n >= 3 && strcmp(m->dev[i]->id, l->word[2]))
            continue;
        print_registers(l, m->dev[i]);
        found = true;
    }
    if (!found)
        fprintf(l->out, "Error: Device '%s' not found; `info qtree` lists them\n", l->word[2]);
}

static const struct command infos[] = {
    { "version", "", "of the program and of the dialect", info_version, 0 },
    { "status", "", "running or paused", info_status, 0 },
    { "name", "", "of the guest", info_name, 0 },
    { "uuid", "", "of the guest", info_uuid, 0 },
    { "block", "", "drives and what is in them", info_block, 0 },
    { "blockstats", "", "bytes and requests of each drive", info_blockstats, 0 },
    { "vnc", "", "where it listens, who looks", info_vnc, 0 },
    { "chardev", "", "serial ports and control sockets", info_chardev, 0 },
    { "cpus", "", "that are plugged in", info_cpus, 0 },
    { "qtree", "", "the devices", info_devices, 0 },
    { "accesses", "", "how often the guest used each window of registers", info_accesses, 0 },
    { "registers", "[ID]", "state of one device, or of all", info_registers, 0 },
};

static void list(FILE *out, const char *prefix, const struct command *t, size_t n)
{
    for (size_t i = 0; i < n; i++)
        fprintf(out, "%s%s %s -- %s\n", prefix, t[i].name, t[i].args, t[i].help);
}

static void cmd_info(struct line *l)
{
    const size_t n = sizeof(infos) / sizeof(infos[0]);

    for (size_t i = 0; l->n > 1 && i < n; i++) {
        if (!strcmp(infos[i].name, l->word[1])) {
            infos[i].run(l);
            return;
        }
    }
    if (l->n > 1)
        fprintf(l->out, "unknown command: 'info %s'\n", l->word[1]);
    else
        list(l->out, "info ", infos, n);
}

/* ---- the rest ---- */

static void cmd_simple(struct line *l)
{
    static const struct {
        const char *name, *verb;
    } simple[] = {
        { "cont", "cont" },
        { "c", "cont" },
        { "stop", "stop" },
        { "s", "stop" },
        { "quit", "quit" },
        { "q", "quit" },
        { "system_reset", "system_reset" },
        { "system_wakeup", "system_wakeup" },
        { "system_powerdown", "system_powerdown" },
    };

    for (unsigned i = 0; i < sizeof(simple) / sizeof(simple[0]); i++) {
        if (!strcmp(simple[i].name, l->word[0])) {
            json_decref(verb(l, simple[i].verb, NULL));
            return;
        }
    }
}

static void cmd_screendump(struct line *l)
{
    const char *format = "ppm";

    if (l->n > 2) /* FILE png, FILE -f png */
        format = l->word[l->n - 1];
    json_decref(
        verb(l, "screendump",
             json_pack("{s:o, s:o}", "filename", qmp_str(l->word[1]), "format", qmp_str(format))));
}

static void cmd_screentext(struct line *l)
{
    json_t *v = verb(l, "portico-screen-text", NULL);

    if (v)
        fprintf(l->out, "%s\n", str(v, "text"));
    json_decref(v);
}

static void cmd_eject(struct line *l)
{
    bool force = !strcmp(l->word[1], "-f");

    if (force && l->n < 3)
        fprintf(l->out, "Error: eject [-f] ID\n");
    else
        json_decref(
            verb(l, "eject",
                 json_pack("{s:o, s:b}", "id", qmp_str(l->word[1 + force]), "force", force)));
}

static void cmd_change(struct line *l)
{
    json_decref(
        verb(l, "blockdev-change-medium",
             json_pack("{s:o, s:o}", "id", qmp_str(l->word[1]), "filename", qmp_str(l->word[2]))));
}

/* ctrl-alt-delete [MS] */
static void cmd_sendkey(struct line *l)
{
    json_t *args = json_object(), *keys = json_array();
    char *save = NULL, *end = NULL;

    for (char *k = strtok_r(l->word[1], "-", &save); k; k = strtok_r(NULL, "-", &save))
        json_array_append_new(keys, json_pack("{s:s, s:o}", "type", "qcode", "data", qmp_str(k)));
    json_object_set_new(args, "keys", keys);
    if (l->n > 2)
        json_object_set_new(args, "hold-time", json_integer(strtol(l->word[2], &end, 10)));
    json_decref(verb(l, "send-key", args));
}

static void cmd_help(struct line *l);

static const struct command commands[] = {
    { "help", "", "this list", cmd_help, 0 },
    { "?", "", "this list", cmd_help, 0 },
    { "info", "[WHAT]", "show something", cmd_info, 0 },
    { "cont", "", "let the guest run", cmd_simple, 0 },
    { "c", "", "the same", cmd_simple, 0 },
    { "stop", "", "let it stand", cmd_simple, 0 },
    { "s", "", "the same", cmd_simple, 0 },
    { "quit", "", "end the device model", cmd_simple, 0 },
    { "q", "", "the same", cmd_simple, 0 },
    { "system_reset", "", "reboot without asking the guest", cmd_simple, 0 },
    { "system_wakeup", "", "end ACPI S3", cmd_simple, 0 },
    { "system_powerdown", "", "says what to use instead", cmd_simple, 0 },
    { "screendump", "FILE [-f png|ppm]", "save the picture", cmd_screendump, 1 },
    { "screentext", "", "show the screen of a text mode", cmd_screentext, 0 },
    { "eject", "[-f] ID", "take a CD out (-f: also when the guest locked it)", cmd_eject, 1 },
    { "change", "ID FILE", "put a CD in", cmd_change, 2 },
    { "sendkey", "KEY-KEY-... [MS]", "press keys together", cmd_sendkey, 1 },
};

static void cmd_help(struct line *l)
{
    list(l->out, "", commands, sizeof(commands) / sizeof(commands[0]));
}

static void run_line(struct line *l)
{
    for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].name, l->word[0]))
            continue;
        if (l->n - 1 < commands[i].min)
            fprintf(l->out, "Error: %s %s\n", commands[i].name, commands[i].args);
        else
            commands[i].run(l);
        return;
    }
    fprintf(l->out, "unknown command: '%s'\n", l->word[0]);
}

/* '\n' → CR LF, and no more than TEXT_MAX of it. */
static char *terminal_text(const char *text, size_t len)
{
    char *out;
    size_t n = 0;

    if (len > TEXT_MAX)
        len = TEXT_MAX;
    out = malloc(2 * len + 1);
    if (!out)
        abort();
    for (size_t i = 0; i < len && text[i]; i++) {
        if (text[i] == '\n')
            out[n++] = '\r';
        out[n++] = text[i];
    }
    out[n] = 0;
    return out;
}

static void human_monitor_command(struct qmp_call *c)
{
    struct line l = { .c = c };
    char *words = strdup(qmp_arg(c, "command-line", "")), *save = NULL, *text = NULL, *out;
    size_t len = 0;

    l.out = words ? open_memstream(&text, &len) : NULL;
    if (!l.out)
        abort();
    for (char *w = strtok_r(words, " \t\r\n", &save); w && l.n < WORDS_MAX;
         w = strtok_r(NULL, " \t\r\n", &save))
        l.word[l.n++] = w;
    if (l.n)
        run_line(&l);
    fclose(l.out);
    out = terminal_text(text, len);
    c->ret = qmp_str(out);
    free(out);
    free(text);
    free(words);
}

const struct qmp_verb qmp_monitor_verbs[] = {
    { "human-monitor-command", human_monitor_command, "command-line:s cpu-index:i?", NULL },
    { NULL, NULL, NULL, NULL },
};
