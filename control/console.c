/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/console.c: the doors of the screen as the command line wants them
 * (-vnc, -web-console, -object tls-creds-*, secret), and what the buttons of
 * a viewer do. They do what the verbs of the control protocol do, and no more
 * of those than stand here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "control/keyval.h"
#include "control/parts.h"
#include "control/qmp-impl.h"
#include "display/protocol.h"
#include "display/vnc.h"

/* ---- the buttons ---- */

static const struct {
    const char *verb;
    bool cd; /* of the first CD drive */
} buttons[ASK_END] = {
    [ASK_RESET] = { "system_reset", false },
    [ASK_POWER] = { "system_powerdown", false },
    [ASK_EJECT] = { "blockdev-open-tray", true },
    [ASK_CLOSE_TRAY] = { "blockdev-close-tray", true },
    [ASK_TEXT] = { "portico-screen-text", false },
};

static const struct vm_drive *first_cd(const struct vm *vm)
{
    for (unsigned i = 0; i < vm->args.ndrives; i++) {
        const struct vm_drive *d = &vm->drives[i];
        if (d->arg && d->arg->cdrom && d->arg->id)
            return d;
    }
    return NULL;
}

static const char *done(const struct vm *vm, unsigned what)
{
    const struct vm_drive *d;

    if (what == ASK_RESET)
        return "the guest starts anew";
    if (what == ASK_POWER)
        return "the guest has been told";
    d = first_cd(vm);
    if (what == ASK_EJECT)
        return d && d->tray_open ? "the tray is open" : "the guest was asked to open the tray";
    return d && d->block ? "the tray is closed, with a CD in it" : "the tray is closed, and empty";
}

static int ask(void *ctx, unsigned what, char *text, size_t size)
{
    struct vm *vm = ctx;
    struct qmp_call from = { .q = vm->qmp, .vm = vm }, sub;
    const struct vm_drive *cd = first_cd(vm);
    json_t *args = NULL;
    int rc;

    if (what >= ASK_END || !vm->qmp)
        return -EINVAL;
    if (buttons[what].cd && !cd) {
        snprintf(text, size, "the guest has no CD drive");
        return -ENODEV;
    }
    if (buttons[what].cd)
        args = json_pack("{s:s}", "device", cd->arg->id);
    qmp_run(&from, buttons[what].verb, args, &sub);
    rc = sub.error ? -EIO : 0;
    if (sub.error)
        snprintf(text, size, "%s", sub.desc);
    else if (what == ASK_TEXT)
        snprintf(text, size, "%s", json_string_value(json_object_get(sub.ret, "text")));
    else
        snprintf(text, size, "%s", done(vm, what));
    json_decref(sub.ret);
    return rc;
}

static const struct vnc_actions actions = { .ask = ask, .client = vm_vnc_client };

/* ---- the doors ---- */

static int open_creds(const struct vm_args *a, const char *id, int *fd, struct err *err)
{
    const struct config *cfg = args_find_secret(a, id);
    bool anon = cfg && !strcmp(config_str(cfg, "qom-type", ""), "tls-creds-anon"), verify = true;
    int rc;

    if (!cfg || (!anon && strcmp(config_str(cfg, "qom-type", ""), "tls-creds-x509")))
        return err_set(err, -EINVAL,
                       "tls-creds=%s: there is no -object tls-creds-x509 or "
                       "tls-creds-anon of that id",
                       id);
    rc = keyval_bool(cfg, "-object tls-creds", "verify-peer", true, &verify, err);
    if (rc)
        return rc;
    *fd = vnc_creds(anon ? NULL : config_str(cfg, "dir", ""), verify, err);
    return *fd < 0 ? *fd : 0;
}

static int options(struct vm *vm, struct vnc_options *o, char token[SECRET_MAX], struct err *err)
{
    const struct vnc_arg *v = &vm->args.vnc;
    const struct web_arg *w = &vm->args.web;
    const char *id = v->tls_creds ? v->tls_creds : w->tls_creds;

    o->no_vnc = !v->enabled;
    o->share = v->share;
    o->view_only = v->view_only;
    o->paste_key = v->paste_key;
    o->power_control = v->power_control;
    o->key_ms = v->key_ms;
    o->web_port = w->port;
    o->web_host = w->host;
    o->console = w->console;
    o->web_power_control = w->power_control;
    o->novnc = w->novnc;
    o->actions = &actions;
    o->actions_ctx = vm;
    o->tls_vnc = v->tls_creds != NULL;
    if (v->tls_creds && w->tls_creds && strcmp(v->tls_creds, w->tls_creds))
        return err_set(err, -EINVAL,
                       "-web-console tls-creds=%s: -vnc has others (%s); one set "
                       "serves both",
                       w->tls_creds, v->tls_creds);
    if (w->token_secret) {
        int rc = args_read_secret(&vm->args, w->token_secret, token, SECRET_MAX, err);
        if (rc)
            return rc;
        o->token = token;
    }
    return id ? open_creds(&vm->args, id, &o->creds, err) : 0;
}

static int first_password(struct vm *vm, struct err *err)
{
    char password[SECRET_MAX];
    const char *id = vm->args.vnc.password_secret;
    int rc = id ? args_read_secret(&vm->args, id, password, sizeof(password), err) : 0;

    if (!rc && id)
        rc = vnc_set_password(vm->vnc, password, err);
    explicit_bzero(password, sizeof(password));
    return rc;
}

int console_open(struct vm *vm, struct vnc_options *o, struct err *err)
{
    char token[SECRET_MAX] = "";
    int rc = options(vm, o, token, err);

    if (!rc)
        rc = vnc_open(&vm->vnc, vm->loop, vm->display, o, err);
    if (!rc)
        rc = first_password(vm, err);
    if (o->creds > 0)
        close(o->creds);
    explicit_bzero(token, sizeof(token));
    return rc;
}
