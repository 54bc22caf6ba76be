/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/qmp-dispatch.c: a message becomes a call of a verb; its outcome a
 * reply. The wording of errors follows what clients of qemu-xen know.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "control/keyval.h"
#include "control/qmp-impl.h"
#include "hw/core/log.h"

const struct qmp_verb *const qmp_tables[] = {
    qmp_core_verbs,
    qmp_vm_verbs,
    qmp_query_verbs,
    qmp_cpu_verbs,
    qmp_device_verbs,
    qmp_pci_verbs,
    qmp_qom_verbs,
    qmp_fd_verbs,
    qmp_block_verbs,
    qmp_medium_verbs,
    qmp_node_verbs,
    qmp_display_verbs,
    qmp_screen_verbs,
    qmp_type_verbs,
    qmp_input_verbs,
    qmp_monitor_verbs,
    qmp_schema_verbs,
    qmp_xen_verbs,
    NULL,
};

static const struct qmp_verb *find_verb(const char *name)
{
    for (unsigned i = 0; qmp_tables[i]; i++) {
        for (const struct qmp_verb *v = qmp_tables[i]; v->name; v++) {
            if (!strcmp(v->name, name))
                return v;
        }
    }
    return NULL;
}

/* ---- what the verbs use ---- */

static void fail(struct qmp_call *c, const char *error, const char *fmt, va_list ap)
{
    json_decref(c->ret);
    c->ret = NULL;
    c->error = error;
    vsnprintf(c->desc, sizeof(c->desc), fmt, ap);
}

void qmp_fail(struct qmp_call *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fail(c, "GenericError", fmt, ap);
    va_end(ap);
}

void qmp_fail_as(struct qmp_call *c, const char *error, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fail(c, error, fmt, ap);
    va_end(ap);
}

void qmp_refuse(struct qmp_call *c)
{
    qmp_fail(c, "%s: not supported; %s", c->verb->name, c->verb->text);
}

json_t *qmp_str(const char *s)
{
    json_t *str = json_string(s);
    char *clean;

    if (str)
        return str;
    clean = strdup(s);
    if (!clean)
        abort();
    for (char *p = clean; *p; p++) {
        if (*p & 0x80)
            *p = '?';
    }
    str = json_string(clean);
    free(clean);
    return str;
}

const char *qmp_arg(const struct qmp_call *c, const char *name, const char *def)
{
    const json_t *val = json_object_get(c->args, name);

    return val ? json_string_value(val) : def;
}

bool qmp_arg_bool(const struct qmp_call *c, const char *name, bool def)
{
    const json_t *val = json_object_get(c->args, name);

    return val ? json_is_true(val) : def;
}

json_int_t qmp_arg_int(const struct qmp_call *c, const char *name, json_int_t def)
{
    const json_t *val = json_object_get(c->args, name);

    return val ? json_integer_value(val) : def;
}

/* ---- arguments against a verb's params ---- */

static const char *type_name(char type)
{
    switch (type) {
    case 's':
        return "string";
    case 'i':
        return "integer";
    case 'b':
        return "boolean";
    case 'a':
        return "array";
    case 'n':
        return "number";
    default:
        return "object";
    }
}

static bool has_type(const json_t *val, char type)
{
    switch (type) {
    case 's':
        return json_is_string(val);
    case 'i':
        return json_is_integer(val);
    case 'b':
        return json_is_boolean(val);
    case 'a':
        return json_is_array(val);
    case 'n':
        return json_is_number(val);
    default:
        return json_is_object(val);
    }
}

/* The "T" or "T?" of name in params; NULL: not there. */
static const char *param_type(const char *params, const char *name)
{
    size_t len = strlen(name);

    for (const char *p = params; p && *p; p += strspn(p, " ")) {
        if (!strncmp(p, name, len) && p[len] == ':')
            return p + len + 1;
        p += strcspn(p, " ");
    }
    return NULL;
}

static bool lets_through(const char *params)
{
    return params && *params && params[strlen(params) - 1] == '*';
}

static bool check_missing(struct qmp_call *c, const char *params)
{
    for (const char *p = params; p && *p; p += strspn(p, " ")) {
        size_t len = strcspn(p, ": ");
        char name[64];

        if (p[len] == ':' && p[len + 1] && p[len + 2] != '?' && len < sizeof(name)) {
            memcpy(name, p, len);
            name[len] = 0;
            if (!json_object_get(c->args, name)) {
                qmp_fail(c, "Parameter '%s' is missing", name);
                return false;
            }
        }
        p += strcspn(p, " ");
    }
    return true;
}

static bool check_args(struct qmp_call *c, const char *params)
{
    const char *name;
    json_t *val;

    json_object_foreach(c->args, name, val)
    {
        const char *type = param_type(params, name);

        if (!type && lets_through(params))
            continue;
        if (!type) {
            qmp_fail(c, "Parameter '%s' is unexpected", name);
            return false;
        }
        if (!has_type(val, *type)) {
            qmp_fail(c, "Invalid parameter type for '%s', expected: %s", name, type_name(*type));
            return false;
        }
    }
    return check_missing(c, params);
}

/* ---- messages ---- */

static bool is_capabilities(const char *name)
{
    return !strcmp(name, "qmp_capabilities");
}

/* -preconfig: there are images and cables, and nothing that would use them. */
static bool needs_machine(const char *name)
{
    static const char *const early[] = { "qmp_capabilities",
                                         "query-commands",
                                         "query-version",
                                         "query-status",
                                         "query-name",
                                         "query-uuid",
                                         "query-chardev",
                                         "query-memdev",
                                         "query-command-line-options",
                                         "query-qmp-schema",
                                         "query-hotpluggable-cpus",
                                         "query-iothreads",
                                         "query-block",
                                         "query-blockstats",
                                         "query-named-block-nodes",
                                         "query-block-jobs",
                                         "blockdev-add",
                                         "blockdev-del",
                                         "block_resize",
                                         "block_set_io_throttle",
                                         "object-add",
                                         "object-del",
                                         "netdev_add",
                                         "netdev_del",
                                         "qom-list-types",
                                         "qom-list-properties",
                                         "set-action",
                                         "quit",
                                         "x-exit-preconfig" };

    for (unsigned i = 0; i < sizeof(early) / sizeof(early[0]); i++) {
        if (!strcmp(early[i], name))
            return false;
    }
    return true;
}

static void call_verb(struct qmp_call *c, const char *name)
{
    const struct qmp_verb *v = find_verb(name);

    c->verb = v;
    if (!v)
        qmp_fail_as(c, "CommandNotFound", "The command %s has not been found", name);
    else if (c->vm->preconfig && needs_machine(name))
        qmp_fail(c, "The command '%s' is permitted only after machine initialization has completed",
                 name);
    else if (check_args(c, v->params))
        v->run(c);
}

void qmp_run(const struct qmp_call *from, const char *verb, json_t *args, struct qmp_call *sub)
{
    *sub = (struct qmp_call){
        .q = from->q, .vm = from->vm, .client = from->client, .args = args, .nested = true
    };
    if (!sub->args)
        sub->args = json_object();
    call_verb(sub, verb);
    json_decref(sub->args);
    sub->args = NULL;
}

/* The command's name, or NULL and a failed call when the message is not {"execute": "…", …}. */
static const char *check_message(struct qmp_call *c, const json_t *msg)
{
    const json_t *execute = json_object_get(msg, "execute"), *val;
    json_t *args = json_object_get(msg, "arguments");
    const char *key;

    if (!json_is_object(msg)) {
        qmp_fail(c, "QMP input must be a JSON object");
        return NULL;
    }
    json_object_foreach((json_t *)msg, key, val)
    {
        if (strcmp(key, "execute") && strcmp(key, "arguments") && strcmp(key, "id")) {
            qmp_fail(c, "QMP input member '%s' is unexpected", key);
            return NULL;
        }
    }
    if (!execute)
        qmp_fail(c, "QMP input lacks member 'execute'");
    else if (!json_is_string(execute))
        qmp_fail(c, "QMP input member 'execute' must be a string");
    else if (args && !json_is_object(args))
        qmp_fail(c, "QMP input member 'arguments' must be an object");
    else
        return json_string_value(execute);
    return NULL;
}

json_t *qmp_error(const char *error, const char *desc, json_t *id)
{
    json_t *msg = json_pack("{s:{s:s, s:o}}", "error", "class", error, "desc", qmp_str(desc));

    if (id)
        json_object_set(msg, "id", id);
    return msg;
}

static void reply(struct qmp_client *cl, struct qmp_call *c, json_t *id)
{
    json_t *msg;

    if (c->error) {
        msg = qmp_error(c->error, c->desc, id);
    } else {
        msg = json_pack("{s:o}", "return", c->ret ? c->ret : json_object());
        c->ret = NULL;
        if (id)
            json_object_set(msg, "id", id);
    }
    json_decref(c->ret);
    qmp_client_send(cl, msg);
    json_decref(msg);
}

static void on_thread(uv_work_t *w)
{
    struct qmp_later *l = w->data;

    l->rc = l->run(l);
}

void qmp_finish(struct qmp_later *l, int rc)
{
    struct qmp_client *cl = l->client;
    struct qmp_call c = { .q = l->q, .vm = l->q->vm, .client = cl };

    l->done(l, &c, rc);
    if (cl) {
        cl->later = NULL;
        reply(cl, &c, l->id);
        qmp_client_go_on(cl);
    } else if (c.error) {
        log_line("%s", c.desc); /* the monitor's command was answered before it was done */
    }
    json_decref(l->id);
    qmp_unref(l->q);
    free(l);
}

static void after_thread(uv_work_t *w, int status)
{
    struct qmp_later *l = w->data;

    qmp_finish(l, status ? status : l->rc);
}

void qmp_hold(struct qmp_call *c, struct qmp_later *l)
{
    l->q = c->q;
    l->client = c->nested ? NULL : c->client;
    c->q->handles++;
    if (!c->nested)
        c->later = l;
}

void qmp_later(struct qmp_call *c, struct qmp_later *l)
{
    qmp_hold(c, l);
    l->work.data = l;
    uv_queue_work(c->q->loop, &l->work, on_thread, after_thread); /* fails for a NULL only */
}

void qmp_dispatch(struct qmp_client *cl, const char *msg, size_t len)
{
    struct qmp_call c = { .q = cl->q, .vm = cl->q->vm, .client = cl };
    json_error_t error;
    json_t *root = json_load_quoted(msg, len, &error);
    json_t *none = json_object();
    const char *name = NULL;

    if (root)
        name = check_message(&c, root);
    else
        qmp_fail(&c, "JSON parse error, %s", error.text);
    if (name && !cl->negotiated && !is_capabilities(name)) {
        qmp_fail_as(&c, "CommandNotFound",
                    "Expecting capabilities negotiation with 'qmp_capabilities'");
    } else if (name) {
        c.args = json_object_get(root, "arguments");
        if (!c.args)
            c.args = none;
        call_verb(&c, name);
    }
    if (c.later) {
        c.later->id = json_incref(json_object_get(root, "id"));
        cl->later = c.later;
    } else {
        reply(cl, &c, json_object_get(root, "id"));
    }
    json_decref(none);
    json_decref(root);
}

/* ---- the protocol's own verbs ---- */

static json_t *version(void)
{
    return json_pack("{s:{s:i, s:i, s:i}, s:s}", "qemu", "micro", QMP_VERSION_MICRO, "minor",
                     QMP_VERSION_MINOR, "major", QMP_VERSION_MAJOR, "package",
                     "Portico " PORTICO_VERSION);
}

json_t *qmp_greeting(void)
{
    return json_pack("{s:{s:o, s:[]}}", "QMP", "version", version(), "capabilities");
}

static void capabilities(struct qmp_call *c)
{
    const json_t *enable = json_object_get(c->args, "enable"), *what;
    size_t i;

    if (c->client->negotiated) {
        qmp_fail_as(c, "CommandNotFound",
                    "Capabilities negotiation is already complete, command ignored");
        return;
    }
    json_array_foreach(enable, i, what)
    {
        if (!json_is_string(what))
            qmp_fail(c, "Invalid parameter type for 'enable[%zu]', expected: string", i);
        else if (strcmp(json_string_value(what), "oob"))
            qmp_fail(c, "Parameter 'enable' does not accept value '%.80s'",
                     json_string_value(what));
        else /* known, and not offered: commands that wait would have to be overtaken */
            qmp_fail(c, "Capability oob not available");
        return;
    }
    c->client->negotiated = true;
}

static void query_version(struct qmp_call *c)
{
    c->ret = version();
}

static void query_commands(struct qmp_call *c)
{
    c->ret = json_array();
    for (unsigned i = 0; qmp_tables[i]; i++) {
        for (const struct qmp_verb *v = qmp_tables[i]; v->name; v++)
            json_array_append_new(c->ret, json_pack("{s:s}", "name", v->name));
    }
}

const struct qmp_verb qmp_core_verbs[] = {
    { "qmp_capabilities", capabilities, "enable:a?", NULL },
    { "query-version", query_version, NULL, NULL },
    { "query-commands", query_commands, NULL, NULL },
    { NULL, NULL, NULL, NULL },
};
