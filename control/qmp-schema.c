/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/qmp-schema.c: query-qmp-schema, made of the verbs' tables: how clients
 * find out which verbs there are, what they take, and which events may come.
 * What a verb answers is said to be of any type, since no table knows it; so is
 * an argument that is an object, and the elements of an array. Verbs that are
 * there to be refused with a reason are not listed.
 */
#include <stdlib.h>
#include <string.h>
#include "control/keyval.h"
#include "control/qmp-impl.h"

/* Written as the verbs' params are. */
static const struct {
    const char *name, *data;
} events[] = {
    { "BLOCK_IO_ERROR", "device:s node-name:s? operation:s action:s nospace:b? reason:s" },
    { "DEVICE_DELETED", "device:s? path:s" },
    { "DEVICE_TRAY_MOVED", "device:s id:s tray-open:b" },
    { "POWERDOWN", NULL },
    { "RESET", "guest:b reason:s" },
    { "RESUME", NULL },
    { "SHUTDOWN", "guest:b reason:s" },
    { "STOP", NULL },
    { "SUSPEND", NULL },
    { "WAKEUP", NULL },
};

static void add(json_t *list, const char *name, const char *meta, const char *key, json_t *val)
{
    json_array_append_new(list,
                          json_pack("{s:s, s:s, s:o}", "name", name, "meta-type", meta, key, val));
}

static void add_builtins(json_t *list)
{
    static const struct {
        const char *name, *json;
    } types[] = {
        { "str", "string" },   { "int", "int" },   { "number", "number" },
        { "bool", "boolean" }, { "any", "value" },
    };

    for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        add(list, types[i].name, "builtin", "json-type", json_string(types[i].json));
    add(list, "[any]", "array", "element-type", json_string("any"));
    add(list, "q_empty", "object", "members", json_array());
}

static const char *type_of(char kind)
{
    switch (kind) {
    case 's':
        return "str";
    case 'i':
        return "int";
    case 'b':
        return "bool";
    case 'a':
        return "[any]";
    case 'n':
        return "number";
    default:
        return "any";
    }
}

/* "name:T other:T? *" as members of an object; one that may be left out has a default, null. */
static json_t *members(const char *params)
{
    json_t *list = json_array();

    for (const char *p = params; p && *p; p += strspn(p, " ")) {
        size_t len = strcspn(p, " "), name = strcspn(p, ": ");

        if (name < len) {
            json_t *m = json_pack("{s:o, s:s}", "name", json_stringn(p, name), "type",
                                  type_of(p[name + 1]));

            if (p[len - 1] == '?')
                json_object_set_new(m, "default", json_null());
            json_array_append_new(list, m);
        }
        p += len;
    }
    return list;
}

/* A command or an event, and the object type of what comes with it. */
static json_t *add_with(json_t *list, const char *name, const char *meta, const char *params)
{
    char *type = params ? xasprintf("q_obj_%s-arg", name) : xstrdup("q_empty");

    if (params)
        add(list, type, "object", "members", members(params));
    add(list, name, meta, "arg-type", json_string(type));
    free(type);
    return json_array_get(list, json_array_size(list) - 1);
}

/* Others answer {}. */
static bool answers(const char *name)
{
    static const char *const prefix[] = { "query-",       "x-query-", "qom-get", "qom-list",
                                          "device-list-", "add-fd",   "human-",  "portico-" };

    for (unsigned i = 0; i < sizeof(prefix) / sizeof(prefix[0]); i++) {
        if (!strncmp(name, prefix[i], strlen(prefix[i])))
            return true;
    }
    return false;
}

static void query_schema(struct qmp_call *c)
{
    c->ret = json_array();
    add_builtins(c->ret);
    for (unsigned i = 0; qmp_tables[i]; i++) {
        for (const struct qmp_verb *v = qmp_tables[i]; v->name; v++) {
            const char *ret = answers(v->name) ? "any" : "q_empty";

            if (v->run != qmp_refuse)
                json_object_set_new(add_with(c->ret, v->name, "command", v->params), "ret-type",
                                    json_string(ret));
        }
    }
    for (unsigned i = 0; i < sizeof(events) / sizeof(events[0]); i++)
        add_with(c->ret, events[i].name, "event", events[i].data);
}

const struct qmp_verb qmp_schema_verbs[] = {
    { "query-qmp-schema", query_schema, NULL, NULL },
    { NULL, NULL, NULL, NULL },
};
