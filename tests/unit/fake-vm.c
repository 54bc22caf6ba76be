/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest that is not there: see fake-vm.h. */
#include "tests/unit/fake-vm.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "control/qmp.h"
#include "display/vnc.h"
#include "hw/core/device.h"

struct display {
    struct fake *f;
};
struct vnc {
    struct fake *f;
};

static struct fake *fake_of(const struct vm *vm)
{
    return (struct fake *)(uintptr_t)vm;
}

__attribute__((format(printf, 2, 3))) static void note(struct fake *f, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(f->log + f->log_len, sizeof(f->log) - f->log_len, fmt, ap);
    va_end(ap);
    if (n > 0 && (size_t)n < sizeof(f->log) - f->log_len)
        f->log_len += (size_t)n;
}

static int outcome(struct fake *f, struct err *err)
{
    const char *line = f->fail;

    f->fail = NULL;
    return line ? err_set(err, -EIO, "%s", line) : 0;
}

struct fake *fake_new(const char *args)
{
    struct fake *f = calloc(1, sizeof(*f));
    char *text = strdup(args), *argv[128], *save = NULL;
    int argc = 0;
    struct err err = { "" };

    for (char *a = strtok_r(text, "|", &save); a && argc < 128; a = strtok_r(NULL, "|", &save))
        argv[argc++] = a;
    if (args_parse(&f->vm.args, argc, argv, &err)) {
        fprintf(stderr, "fake_new: %s\n", err.msg);
        abort();
    }
    free(text);
    uv_loop_init(&f->loop);
    f->vm.loop = &f->loop;
    f->vm.display = calloc(1, sizeof(*f->vm.display));
    f->vm.display->f = f;
    f->vm.vnc = calloc(1, sizeof(*f->vm.vnc));
    f->vm.vnc->f = f;
    f->vnc_enabled = true;
    f->vm.running = true;
    for (unsigned i = 0; i < f->vm.args.cpus; i++)
        f->cpu[i] = true;
    for (unsigned i = 0; i < f->vm.args.ndrives; i++)
        f->vm.drives[i].arg = &f->vm.args.drives[i];
    memcpy(f->saved, "STATE", 6);
    return f;
}

void fake_free(struct fake *f)
{
    for (unsigned i = 0; i < f->vm.args.ndrives; i++) {
        struct vm_drive *d = &f->vm.drives[i];

        if (!qmp_node_of(&f->vm, d->block))
            block_close(d->block);
        if (!qmp_node_of(&f->vm, d->waiting))
            block_close(d->waiting);
        block_group_unref(d->group);
    }
    vm_nodes_free(&f->vm);
    vm_groups_free(&f->vm);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    if (uv_loop_close(&f->loop))
        abort(); /* somebody left a handle */
    args_free(&f->vm.args);
    free(f->surface.pixels);
    free(f->vm.display);
    free(f->vm.vnc);
    free(f);
}

bool fake_log(struct fake *f, const char *expected)
{
    bool same = !strcmp(f->log, expected);

    if (!same)
        fprintf(stderr, "log: %s\n", f->log);
    f->log_len = 0;
    f->log[0] = 0;
    return same;
}

/* ---- control/vm.h ---- */

int vm_cont(struct vm *vm, struct err *err)
{
    note(fake_of(vm), "cont;");
    vm->running = true;
    vm->prelaunch = false;
    return outcome(fake_of(vm), err);
}

int vm_stop(struct vm *vm, struct err *err)
{
    note(fake_of(vm), "stop;");
    vm->running = false;
    return outcome(fake_of(vm), err);
}

int vm_save(struct vm *vm, int fd, struct err *err)
{
    struct fake *f = fake_of(vm);

    note(f, "save%s;", vm->running ? " of a running guest" : "");
    if (write(fd, f->saved, strlen(f->saved)) < 0)
        return err_set(err, -errno, "write: %s", strerror(errno));
    return outcome(f, err);
}

void vm_let_go(struct vm *vm)
{
    note(fake_of(vm), "let go;");
}

int vm_set_dirty_log(struct vm *vm, bool on, struct err *err)
{
    note(fake_of(vm), "dirty %d;", on);
    vm->dirty_log = on;
    return outcome(fake_of(vm), err);
}

void vm_quit(struct vm *vm)
{
    note(fake_of(vm), "quit;");
    vm->quit = true;
}

bool vm_cpu_present(const struct vm *vm, unsigned index)
{
    return index < 128 && fake_of(vm)->cpu[index];
}

int vm_cpu_plug(struct vm *vm, unsigned index, struct err *err)
{
    struct fake *f = fake_of(vm);
    int rc = outcome(f, err);

    note(f, "plug %u;", index);
    if (!rc && index < 128)
        f->cpu[index] = true;
    return rc;
}

const char *vm_serial_name(struct vm *vm, unsigned n)
{
    return n == 0 ? fake_of(vm)->serial0 : NULL;
}

int vm_power(struct vm *vm, enum power what, struct err *err)
{
    note(fake_of(vm), "power %d;", what);
    return outcome(fake_of(vm), err);
}

bool vm_power_is_foreign(const struct vm *vm)
{
    return fake_of(vm)->foreign;
}

int vm_next_boot(struct vm *vm, bool unplug, struct err *err)
{
    note(fake_of(vm), "next boot %d;", unplug);
    return outcome(fake_of(vm), err);
}

int vm_nmi(struct vm *vm, struct err *err)
{
    note(fake_of(vm), "nmi;");
    return outcome(fake_of(vm), err);
}

int vm_power_button(struct vm *vm, struct err *err)
{
    note(fake_of(vm), "button;");
    return outcome(fake_of(vm), err);
}

struct vm_drive *vm_find_drive(struct vm *vm, const char *id)
{
    for (unsigned i = 0; i < vm->args.ndrives; i++) {
        if (!strcmp(vm->drives[i].arg->id, id))
            return &vm->drives[i];
    }
    return NULL;
}

int vm_drive_add(struct vm *vm, const struct config *cfg, struct err *err)
{
    note(fake_of(vm), "drive_add %s;", config_str(cfg, "id", "-"));
    return outcome(fake_of(vm), err);
}

int vm_drive_del(struct vm *vm, struct vm_drive *d, struct err *err)
{
    note(fake_of(vm), "drive_del %s;", d->arg->id);
    return outcome(fake_of(vm), err);
}

int vm_eject(struct vm *vm, struct vm_drive *d, bool force, struct err *err)
{
    struct fake *f = fake_of(vm);
    int rc = outcome(f, err);

    note(f, "eject %s%s;", d->arg->id, force ? " force" : "");
    if (f->locked && !force)
        rc = err_set(err, -EBUSY, "locked");
    if (rc)
        return rc;
    block_close(d->block);
    d->block = NULL;
    d->tray_open = true;
    return 0;
}

int vm_insert(struct vm *vm, struct vm_drive *d, struct block *medium, struct err *err)
{
    struct fake *f = fake_of(vm);
    int rc = outcome(f, err);

    note(f, "insert %s %s;", d->arg->id, medium->name);
    if (rc) {
        block_close(medium);
        return rc;
    }
    d->block = medium;
    d->tray_open = false;
    return 0;
}

int vm_close_tray(struct vm *vm, struct vm_drive *d, struct err *err)
{
    note(fake_of(vm), "close %s;", d->arg->id);
    d->tray_open = false;
    return outcome(fake_of(vm), err);
}

bool vm_tray_locked(struct vm *vm, struct vm_drive *d)
{
    return fake_of(vm)->locked;
}

/* ---- display/display.h ---- */

const struct surface *display_refresh(struct display *d, bool all)
{
    return d->f->surface.width ? &d->f->surface : NULL;
}

char *display_text(struct display *d)
{
    return d->f->text ? strdup(d->f->text) : NULL;
}

struct screen_cells *display_cells(struct display *d)
{
    return NULL;
}

const uint8_t *display_rom(struct display *d, size_t *len)
{
    *len = 0;
    return NULL;
}

/* For the real devices that the linker brings in with hw/machine.c: no picture, no input. */
struct display *display_new(struct uv_loop_s *loop)
{
    return NULL;
}

void display_free(struct display *d)
{
}

void display_set_card(struct display *d, const struct card_ops *ops, void *card)
{
}

struct surface *display_resize(struct display *d, uint32_t w, uint32_t h)
{
    return NULL;
}

void display_damage(struct display *d, struct rect r)
{
}

void display_cursor(struct display *d, const struct surface *img, int hx, int hy)
{
}

void display_add_viewer(struct display *d, const struct viewer_ops *ops, void *viewer)
{
}

void display_remove_viewer(struct display *d, void *viewer)
{
}

void display_wake(struct display *d)
{
}

void display_add_input(struct display *d, const struct input_ops *ops, void *dev)
{
}

void display_remove_input(struct display *d, void *dev)
{
}

void display_release_all(struct display *d)
{
}

bool display_pointer_is_absolute(const struct display *d)
{
    return false;
}

void display_key(struct display *d, uint16_t code, bool down)
{
    note(d->f, "key %u %d;", code, down);
}

void display_pointer(struct display *d, int x, int y, int dz, unsigned buttons)
{
    note(d->f, "pointer %d %d %d %u;", x, y, dz, buttons);
}

void display_set_leds(struct display *d, unsigned leds)
{
}

unsigned display_leds(const struct display *d)
{
    return 0;
}

bool display_want_size(struct display *d, uint32_t w, uint32_t h)
{
    return false;
}

bool display_takes_size(const struct display *d)
{
    return false;
}

void display_copied(struct display *d, struct rect to, int from_x, int from_y)
{
}

/* ---- display/vnc.h ---- */

void vnc_query(const struct vnc *v, struct vnc_info *out)
{
    memset(out, 0, sizeof(*out));
    if (!v || !v->f->vnc_enabled)
        return;
    out->enabled = true;
    memcpy(out->host, "127.0.0.1", 10);
    memcpy(out->service, "5901", 5);
    memcpy(out->family, "ipv4", 5);
    memcpy(out->auth, "vnc", 4);
    out->nclients = 1;
    memcpy(out->clients[0].host, "10.0.0.9", 9);
    memcpy(out->clients[0].service, "40000", 6);
    memcpy(out->clients[0].family, "ipv4", 5);
}

int vnc_set_password(struct vnc *v, const char *password, struct err *err)
{
    note(v->f, "password %s;", password);
    return outcome(v->f, err);
}

int vnc_paste(struct vnc *v, struct err *err)
{
    note(v->f, "paste;");
    return outcome(v->f, err);
}

int vnc_expire_password(struct vnc *v, int64_t when, struct err *err)
{
    note(v->f, "expire %s;", when < 0 ? "now" : when == 0 ? "never" : "later");
    return outcome(v->f, err);
}
