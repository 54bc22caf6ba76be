/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/monitor.c: human-monitor-command, what `xl qemu-monitor-command`
 * sends: a line of words, answered by text. Each command is one of the verbs,
 * or prints what the verbs know. Text is made with '\n' and leaves with CR LF.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "control/keyval.h"
#include "control/monitor-impl.h"

#define TEXT_MAX (256u << 10) /* the reply as JSON must stay below libxl's 1 MiB */

json_t *monitor_verb(struct line *l, const char *name, json_t *args)
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

static void list(FILE *out, const char *prefix, const struct command *t, const char *one)
{
    for (; t->name; t++) {
        if (one && strcmp(t->name, one))
            continue;
        fprintf(out, "%s%s %s -- %s\n", prefix, t->name, t->args, t->help);
    }
}

static void cmd_info(struct line *l)
{
    for (const struct command *t = monitor_infos; l->n > 1 && t->name; t++) {
        if (!strcmp(t->name, l->word[1])) {
            t->run(l);
            return;
        }
    }
    if (l->n > 1)
        fprintf(l->out, "unknown command: 'info %s'\n", l->word[1]);
    else
        list(l->out, "info ", monitor_infos, NULL);
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
        { "nmi", "inject-nmi" },
        { "paste", "portico-paste" },
    };

    for (unsigned i = 0; i < sizeof(simple) / sizeof(simple[0]); i++) {
        if (!strcmp(simple[i].name, l->word[0])) {
            json_decref(monitor_verb(l, simple[i].verb, NULL));
            return;
        }
    }
}

static void cmd_screendump(struct line *l)
{
    const char *format = "ppm";

    if (l->n > 2) /* FILE png, FILE -f png */
        format = l->word[l->n - 1];
    json_decref(monitor_verb(
        l, "screendump",
        json_pack("{s:o, s:o}", "filename", qmp_str(l->word[1]), "format", qmp_str(format))));
}

static void cmd_screentext(struct line *l)
{
    json_t *v = monitor_verb(l, "portico-screen-text", NULL);

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
        json_decref(monitor_verb(
            l, "eject",
            json_pack("{s:o, s:b}", "id", qmp_str(l->word[1 + force]), "force", force)));
}

static void cmd_change(struct line *l)
{
    json_decref(monitor_verb(
        l, "blockdev-change-medium",
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
    json_decref(monitor_verb(l, "send-key", args));
}

/* "e1000,id=n1,netdev=x": the arguments of a verb whose first is `implied`. */
static void verb_by_keys(struct line *l, const char *verb, const char *keys, const char *implied)
{
    struct config cfg = { 0 };
    struct err err = { "" };
    json_t *args = json_object();

    if (keyval_parse(&cfg, verb, keys, implied, NULL, &err))
        fprintf(l->out, "Error: %s\n", err.msg);
    for (size_t i = 0; i < cfg.n; i++)
        json_object_set_new(args, cfg.items[i].key, qmp_str(cfg.items[i].val));
    config_free(&cfg);
    if (err.msg[0])
        json_decref(args);
    else
        json_decref(monitor_verb(l, verb, args));
}

static void by_keys(struct line *l, const char *implied)
{
    verb_by_keys(l, l->word[0], l->word[1], implied);
}

static void cmd_device_add(struct line *l)
{
    by_keys(l, "driver");
}

static void cmd_netdev_add(struct line *l)
{
    by_keys(l, "type");
}

static void print_err(struct line *l, const struct err *err)
{
    fprintf(l->out, "%s\n", err->msg);
}

/* QEMU's numbers of what a drive may be plugged into. */
static int if_number(const char *name)
{
    static const char *const names[] = { "none", "ide", "scsi",   "floppy", "pflash",
                                         "mtd",  "sd",  "virtio", "xen" };

    for (int i = 0; i < (int)(sizeof(names) / sizeof(names[0])); i++) {
        if (!strcmp(names[i], name))
            return i;
    }
    return -1;
}

/* [-n] ADDRESS KEYS: the address was that of a SCSI controller, and is of no use. */
static void cmd_drive_add(struct line *l)
{
    bool node = !strcmp(l->word[1], "-n");
    char *keys = l->word[2 + node];
    struct config cfg = { 0 };
    struct err err = { "" };

    if (l->n < 3u + node) {
        fprintf(l->out, "drive_add: string expected\n");
    } else if (node) {
        verb_by_keys(l, "blockdev-add", keys, NULL);
    } else if (keyval_parse(&cfg, "drive_add", keys, "file", NULL, &err)) {
        print_err(l, &err);
    } else if (strcmp(config_str(&cfg, "if", "ide"), "none")) {
        fprintf(l->out, "Can't hot-add drive to type %d\n",
                if_number(config_str(&cfg, "if", "ide")));
    } else if (vm_drive_add(l->c->vm, &cfg, &err)) {
        print_err(l, &err);
    } else {
        fprintf(l->out, "OK\n");
    }
    config_free(&cfg);
}

/* A drive, or a node. */
static void cmd_drive_del(struct line *l)
{
    struct vm_drive *d = vm_find_drive(l->c->vm, l->word[1]);
    struct err err = { "" };

    if (!d && qmp_node_find(l->c->vm, l->word[1]))
        json_decref(
            monitor_verb(l, "blockdev-del", json_pack("{s:o}", "node-name", qmp_str(l->word[1]))));
    else if (!d)
        fprintf(l->out, "Device '%s' not found\n", l->word[1]);
    else if (vm_drive_del(l->c->vm, d, &err))
        print_err(l, &err);
}

static void cmd_by_id(struct line *l)
{
    json_decref(monitor_verb(l, l->word[0], json_pack("{s:o}", "id", qmp_str(l->word[1]))));
}

static void cmd_set_link(struct line *l)
{
    json_decref(monitor_verb(
        l, "set_link",
        json_pack("{s:o, s:b}", "name", qmp_str(l->word[1]), "up", !strcmp(l->word[2], "on"))));
}

static json_t *rel(const char *axis, const char *value)
{
    return json_pack("{s:s, s:{s:s, s:i}}", "type", "rel", "data", "axis", axis, "value",
                     (int)strtol(value, NULL, 0));
}

static json_t *button(const char *name, bool down)
{
    return json_pack("{s:s, s:{s:s, s:b}}", "type", "btn", "data", "button", name, "down", down);
}

static void cmd_mouse_move(struct line *l)
{
    json_t *events = json_array();
    long dz = l->n > 3 ? strtol(l->word[3], NULL, 0) : 0;

    json_array_append_new(events, rel("x", l->word[1]));
    json_array_append_new(events, rel("y", l->word[2]));
    if (dz)
        json_array_append_new(events, button(dz > 0 ? "wheel-up" : "wheel-down", true));
    json_decref(monitor_verb(l, "input-send-event", json_pack("{s:o}", "events", events)));
}

/* 1 left, 2 middle, 4 right, as QEMU numbers them here. */
static void cmd_mouse_button(struct line *l)
{
    static const char *const names[] = { "left", "middle", "right" };
    long state = strtol(l->word[1], NULL, 0);
    json_t *events = json_array();

    for (unsigned i = 0; i < 3; i++)
        json_array_append_new(events, button(names[i], state & 1L << i));
    json_decref(monitor_verb(l, "input-send-event", json_pack("{s:o}", "events", events)));
}

static void cmd_help(struct line *l);

static const struct command commands[] = {
    { "help", "[COMMAND]", "this list", cmd_help, 0 },
    { "?", "[COMMAND]", "the same", cmd_help, 0 },
    { "info", "[WHAT]", "show something", cmd_info, 0 },
    { "cont", "", "let the guest run", cmd_simple, 0 },
    { "c", "", "the same", cmd_simple, 0 },
    { "stop", "", "let it stand", cmd_simple, 0 },
    { "s", "", "the same", cmd_simple, 0 },
    { "quit", "", "end the device model", cmd_simple, 0 },
    { "q", "", "the same", cmd_simple, 0 },
    { "system_reset", "", "reboot without asking the guest", cmd_simple, 0 },
    { "system_wakeup", "", "end ACPI S3", cmd_simple, 0 },
    { "system_powerdown", "", "press the power button", cmd_simple, 0 },
    { "nmi", "", "press the NMI button", cmd_simple, 0 },
    { "device_add", "DRIVER[,PROP=VALUE,...]", "plug a card in", cmd_device_add, 1 },
    { "device_del", "ID", "ask the guest to let go of a card", cmd_by_id, 1 },
    { "netdev_add", "TYPE,id=ID[,PROP=VALUE,...]", "make a network back end", cmd_netdev_add, 1 },
    { "netdev_del", "ID", "end it", cmd_by_id, 1 },
    { "drive_add", "[-n] ADDR [file=F][,if=none][,id=ID]...", "add a drive (-n: a node)",
      cmd_drive_add, 1 },
    { "drive_del", "ID", "remove a drive or node, for its guest, too", cmd_drive_del, 1 },
    { "set_link", "NAME on|off", "plug or pull a network cable", cmd_set_link, 2 },
    { "mouse_move", "DX DY [DZ]", "move the pointer", cmd_mouse_move, 2 },
    { "mouse_button", "STATE", "hold buttons: 1 left, 2 middle, 4 right", cmd_mouse_button, 1 },
    { "screendump", "FILE [-f png|ppm]", "save the picture", cmd_screendump, 1 },
    { "screentext", "", "show the screen of a text mode", cmd_screentext, 0 },
    { "eject", "[-f] ID", "take a CD out (-f: also when the guest locked it)", cmd_eject, 1 },
    { "change", "ID FILE", "put a CD in", cmd_change, 2 },
    { "sendkey", "KEY-KEY-... [MS]", "press keys together", cmd_sendkey, 1 },
    { NULL, NULL, NULL, NULL, 0 },
};

/* All, or one of them; "info" is all that it knows. */
static void cmd_help(struct line *l)
{
    const char *one = l->n > 1 ? l->word[1] : NULL;

    if (one && !strcmp(one, "info")) {
        list(l->out, "info ", monitor_infos, NULL);
        return;
    }
    list(l->out, "", commands, one);
    list(l->out, "", monitor_mem_commands, one);
}

static bool run_from(struct line *l, const struct command *t)
{
    /* "xp/4xw" is "xp /4xw" */
    size_t len = strcspn(l->word[0], "/");

    for (; t->name; t++) {
        if (strncmp(t->name, l->word[0], len) || t->name[len])
            continue;
        if (l->word[0][len] && l->n < WORDS_MAX) {
            memmove(&l->word[2], &l->word[1], (l->n - 1) * sizeof(l->word[0]));
            l->word[1] = l->word[0] + len;
            l->n++;
        }
        if (l->n - 1 < t->min)
            fprintf(l->out, "%s: too few arguments: %s %s\nTry \"help\" for more information\n",
                    t->name, t->name, t->args);
        else
            t->run(l);
        return true;
    }
    return false;
}

static void run_line(struct line *l)
{
    if (!run_from(l, commands) && !run_from(l, monitor_mem_commands))
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
