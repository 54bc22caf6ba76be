/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/args-secret.c: -object secret and tls-creds-*: what the screen's doors are locked with.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "control/args-impl.h"

static const struct keyval_key secret_keys[] = {
    { "qom-type", 0 }, { "id", 0 },    { "data", KV_NAME }, { "file", KV_NAME },
    { "format", 0 },   { "keyid", 0 }, { "iv", 0 },         { NULL, 0 },
};
static const struct keyval_key x509_keys[] = {
    { "qom-type", 0 },     { "id", 0 },          { "dir", KV_NAME },
    { "endpoint", 0 },     { "verify-peer", 0 }, { "priority", 0 },
    { "sanity-check", 0 }, { "passwordid", 0 },  { NULL, 0 },
};
static const struct keyval_key anon_keys[] = {
    { "qom-type", 0 },    { "id", 0 },       { "dir", KV_NAME }, { "endpoint", 0 },
    { "verify-peer", 0 }, { "priority", 0 }, { NULL, 0 },
};

static const struct kind {
    const char *type;
    const struct keyval_key *keys;
    const char *refused[3];
} kinds[] = {
    { "secret", secret_keys, { "keyid", "iv" } },
    { "tls-creds-x509", x509_keys, { "priority", "passwordid" } },
    { "tls-creds-anon", anon_keys, { "priority" } },
};

static const struct kind *kind_of(const char *type)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        size_t n = strlen(kinds[i].type);
        if (!strncmp(type, kinds[i].type, n) && (type[n] == 0 || type[n] == ','))
            return &kinds[i];
    }
    return NULL;
}

bool args_is_secret(const char *type)
{
    return kind_of(type) != NULL;
}

static int check(const struct kind *k, const struct config *cfg, struct err *err)
{
    bool data = config_str(cfg, "data", NULL), file = config_str(cfg, "file", NULL);

    if (!*config_str(cfg, "id", ""))
        return err_set(err, -EINVAL, "-object %s: id= is missing", k->type);
    for (unsigned i = 0; i < 3 && k->refused[i]; i++) {
        if (config_str(cfg, k->refused[i], NULL))
            return err_set(err, -ENOTSUP, "-object %s: %s: not supported; leave it out", k->type,
                           k->refused[i]);
    }
    if (!strcmp(k->type, "secret") && data == file)
        return err_set(err, -EINVAL, "-object secret: give either data= or file=");
    if (strcmp(config_str(cfg, "endpoint", "server"), "server") && strcmp(k->type, "secret"))
        return err_set(err, -ENOTSUP, "-object %s: endpoint=%s: only server is of use here",
                       k->type, config_str(cfg, "endpoint", ""));
    if (!strcmp(k->type, "tls-creds-x509") && !config_str(cfg, "dir", NULL))
        return err_set(err, -EINVAL,
                       "-object tls-creds-x509: dir= is missing: the folder of "
                       "server-cert.pem and server-key.pem");
    return 0;
}

int args_secret(struct args_ctx *c, const char *arg)
{
    const struct kind *k = kind_of(arg);
    struct vm_args *a = c->a;
    struct config cfg = { 0 };
    int rc;

    if (!k)
        return err_set(c->err, -EINVAL, "-object %s: write the type first, with key=value pairs",
                       arg);
    rc = keyval_parse(&cfg, "-object", arg, "qom-type", k->keys, c->err);
    if (!rc)
        rc = check(k, &cfg, c->err);
    if (!rc && (a->nsecrets == ARGS_SECRETS || args_find_secret(a, config_str(&cfg, "id", ""))))
        rc = err_set(c->err, -EINVAL, "-object id=%s: %s", config_str(&cfg, "id", ""),
                     a->nsecrets == ARGS_SECRETS ? "too many" : "there are two of that name");
    if (rc)
        config_free(&cfg);
    else
        a->secrets[a->nsecrets++] = cfg;
    return rc;
}

const struct config *args_find_secret(const struct vm_args *a, const char *id)
{
    for (unsigned i = 0; i < a->nsecrets; i++) {
        if (!strcmp(config_str(&a->secrets[i], "id", ""), id))
            return &a->secrets[i];
    }
    return NULL;
}

void args_free_vnc(struct vm_args *a)
{
    free(a->vnc.tls_creds);
    free(a->vnc.password_secret);
    free(a->web.host);
    free(a->web.novnc);
    free(a->web.tls_creds);
    free(a->web.token_secret);
    for (unsigned i = 0; i < a->nsecrets; i++)
        config_free(&a->secrets[i]);
}

static int from_base64(const char *in, char *out, size_t size, size_t *len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0;
    unsigned n = 0;

    *len = 0;
    for (; *in && *in != '='; in++) {
        const char *d = strchr(digits, *in);
        if (*in == '\n')
            continue;
        if (!d || *len == size)
            return -EINVAL;
        bits = bits << 6 | (uint32_t)(d - digits);
        n += 6;
        if (n >= 8) {
            n -= 8;
            out[(*len)++] = (char)(bits >> n);
        }
    }
    return 0;
}

int args_read_secret(const struct vm_args *a, const char *id, char *dst, size_t size,
                     struct err *err)
{
    const struct config *cfg = args_find_secret(a, id);
    const char *file, *format;
    char text[4096] = "";
    size_t len;
    int rc = 0;

    if (!cfg || strcmp(config_str(cfg, "qom-type", ""), "secret"))
        return err_set(err, -EINVAL, "there is no -object secret,id=%s", id);
    file = config_str(cfg, "file", NULL);
    format = config_str(cfg, "format", "raw");
    if (file) {
        int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
        if (n < 0)
            rc = err_set(err, -errno, "-object secret,id=%s: %s: %s", id, file, strerror(errno));
        else if (n > 0 && text[n - 1] == '\n') /* what an editor puts there */
            text[n - 1] = 0;
        if (fd >= 0)
            close(fd);
    } else {
        snprintf(text, sizeof(text), "%s", config_str(cfg, "data", ""));
    }
    len = strlen(text);
    memset(dst, 0, size);
    if (!rc && strcmp(format, "base64") && strcmp(format, "raw"))
        rc = err_set(err, -EINVAL, "-object secret,id=%s: format is raw or base64", id);
    if (!rc && !strcmp(format, "base64") && from_base64(text, text, sizeof(text), &len))
        rc = err_set(err, -EINVAL, "-object secret,id=%s: that is not base64", id);
    if (!rc && (len == 0 || len >= size))
        rc = err_set(err, -EINVAL, "-object secret,id=%s: a secret has 1 to %zu characters", id,
                     size - 1);
    if (!rc)
        memcpy(dst, text, len);
    explicit_bzero(text, sizeof(text));
    return rc;
}
