/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/types.h: the names that clients know devices by: QEMU's types with
 * their parents and the properties that mean something here, and the objects
 * of the running guest in QEMU's tree (docs/qmp.md, "Types and objects").
 */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include "control/vm.h"

struct qom_type { /* a table of them ends with name NULL */
    const char *name, *parent;
    bool abstract;
    /* hw/machine.c's type that it stands for; NULL: the same name; "": it is always there. */
    const char *needs;
    /* "name:type" or "name:type=default", blank separated, of its own, without the parents'. */
    const char *props;
};

extern const struct qom_type qom_types[];

/* NULL: there is no such type, or no device here that it could be. */
const struct qom_type *qom_type_find(const char *name);
bool qom_type_is(const struct qom_type *t, const char *ancestor);
/*
 * Calls fn for each property of t and its parents, with its default (a new
 * reference, NULL: none), until fn returns false. Returns what fn did last.
 */
bool qom_type_props(const struct qom_type *t,
                    bool (*fn)(void *arg, const char *name, const char *type, json_t *def),
                    void *arg);

#define QOM_OBJECTS 128

struct qom_object {
    char path[96];          /* "/machine/peripheral/nic0" */
    char type[32];          /* "rtl8139" */
    bool user;              /* its last part is an id that the user gave */
    const char *id;         /* of the device or drive; "" when the user gave none */
    struct device *dev;     /* or */
    struct vm_drive *drive; /* or neither: a container, the machine */
};

/* All objects there are, containers included. Returns how many. */
unsigned qom_objects(struct vm *vm, struct qom_object out[QOM_OBJECTS]);
/* By path, or by its last part alone. False: there is none, or more than one. */
bool qom_find(struct vm *vm, const char *path, struct qom_object *out);
/* How events and query-block name what holds a drive: the user's id, or the path. */
void qom_drive_name(struct vm *vm, const struct vm_drive *d, char *out, size_t size);
/* The same for a device: id (or "") and path. */
bool qom_of_device(struct vm *vm, const struct device *dev, struct qom_object *out);
/* "pc-i440fx-7.2-machine": the type of /machine. */
const char *qom_machine_type(const struct vm *vm);
