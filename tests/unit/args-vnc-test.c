/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -vnc, -web-console and the secrets they name. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "display/vnc.h"
#include "tests/unit/args-line.h"
#include "tests/unit/qt.h"

TEST(keys_of_vnc)
{
    struct line *l = parse("dm|-vnc|127.0.0.1:7,share=force-shared,view-only=on,paste-key,"
                           "power-control=on,key-delay-ms=25,tls-creds=t,password-secret=p,"
                           "websocket=on,lossy=on,non-adaptive=on");
    const struct vnc_arg *v = &l->a.vnc;

    CHECK_EQ(l->rc, 0);
    CHECK(v->share == VNC_FORCE_SHARED && v->view_only && v->paste_key && v->power_control);
    CHECK(v->key_ms == 25 && v->password);
    CHECK(!strcmp(v->tls_creds, "t") && !strcmp(v->password_secret, "p"));
    CHECK(l->a.web.port == WEB_FOLLOWS && !l->a.web.console && !l->a.web.host);
    done(l);
    l = parse("dm|-vnc|:0,to=99");
    CHECK(l->rc == 0 && l->a.vnc.share == VNC_ALLOW_EXCLUSIVE && l->a.vnc.key_ms == 10);
    CHECK(!l->a.vnc.view_only && !l->a.vnc.power_control && l->a.web.port == 0);
    done(l);
}

/* libxl's -vnc stands before or behind what device_model_args add: neither may undo the other. */
TEST(the_web_console_is_an_option_of_its_own)
{
    static const char *const lines[] = {
        "dm|-vnc|127.0.0.1:0,to=99|-web-console|[::1]:8443,token-secret=t,tls-creds=c,novnc=/a,b",
        "dm|-web-console|[::1]:8443,token-secret=t,tls-creds=c,novnc=/a,b|-vnc|127.0.0.1:0,to=99",
    };

    for (unsigned i = 0; i < 2; i++) {
        struct line *l = parse(lines[i]);
        const struct web_arg *w = &l->a.web;
        CHECK(l->rc == 0 && l->a.vnc.enabled && l->a.vnc.to == 99);
        CHECK(w->console && w->port == 8443 && w->power_control && !strcmp(w->host, "[::1]"));
        CHECK(!strcmp(w->token_secret, "t") && !strcmp(w->tls_creds, "c"));
        CHECK(!strcmp(w->novnc, "/a,b"));
        done(l);
    }
    {
        struct line *l = parse("dm|-vnc|none|-web-console|8000,power-control=off");
        CHECK(l->rc == 0 && !l->a.vnc.enabled && l->a.web.console && l->a.web.port == 8000);
        CHECK(!strcmp(l->a.web.host, "127.0.0.1") && !l->a.web.power_control);
        done(l);
    }
}

static bool secret_is(const char *object, const char *want)
{
    char full_line[200];
    struct line *l;
    struct err err = { "" };
    char text[16];
    bool good;

    snprintf(full_line, sizeof(full_line), "dm|-object|secret,id=s,%s", object);
    l = parse(full_line);
    good = l->rc == 0 && args_read_secret(&l->a, "s", text, sizeof(text), &err) == 0 && want &&
           !strcmp(text, want);

    if (!want)
        good =
            l->rc == 0 && args_read_secret(&l->a, "s", text, sizeof(text), &err) < 0 && err.msg[0];
    done(l);
    return good;
}

TEST(secrets)
{
    char path[] = "/tmp/portico-secret.XXXXXX", object[64];
    int fd = mkstemp(path);
    struct line *l;
    struct err err = { "" };
    char text[16];

    CHECK(secret_is("data=hello", "hello"));
    CHECK(secret_is("data=a,,b", "a,b"));
    CHECK(secret_is("data=aGVsbG8=,format=base64", "hello"));
    CHECK(secret_is("data=a*b,format=base64", NULL));
    CHECK(secret_is("data=x,format=hex", NULL));
    CHECK(secret_is("data=sixteen letters!", NULL)); /* too long for who asks */
    CHECK(write(fd, "from a file\n", 12) == 12);
    snprintf(object, sizeof(object), "file=%s", path);
    CHECK(secret_is(object, "from a file"));
    unlink(path);
    close(fd);
    CHECK(secret_is(object, NULL));
    l = parse("dm|-object|tls-creds-anon,id=a");
    CHECK(l->rc == 0 && args_find_secret(&l->a, "a") && !args_find_secret(&l->a, "b"));
    CHECK(args_read_secret(&l->a, "a", text, sizeof(text), &err) < 0);
    done(l);
}
