/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The VNC display, portico-dm's half (RFB protocol 3.8 is spoken by
 * portico-vnc, display/vnc/). It owns the listening sockets, the password and
 * the list of clients, hands every connection to a process of its own, and is
 * one viewer to the display. It reads not one byte a client sends.
 */
#include "display/vnc-impl.h"
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "display/keymap.h"
#include "hw/core/log.h"

/* A flood of connections starts this many processes at once, then one each so many ms. */
#define SPAWN_BURST 40
#define SPAWN_MS    50
/* Who holds the last place longer than this without the password makes room for the next. */
#define LINGER_MS 2000

static void accept_more(uv_poll_t *h, int status, int events);

/* ---- the display's viewer ---- */

/* The viewer processes must be able neither to paint nor to cut the file under our mapping. */
static int seal(int fd)
{
    const int need = F_SEAL_FUTURE_WRITE | F_SEAL_SHRINK;
    int have = fcntl(fd, F_GET_SEALS);

    if (have >= 0 && (have & need) != need && !(have & F_SEAL_SEAL) &&
        fcntl(fd, F_ADD_SEALS, need) == 0)
        have = fcntl(fd, F_GET_SEALS);
    return have >= 0 && (have & F_SEAL_SHRINK) && (have & (F_SEAL_FUTURE_WRITE | F_SEAL_WRITE))
               ? fd
               : -1;
}

static void take_surface(struct vnc *v, const struct surface *s)
{
    v->surface.fd = -1;
    if (!s)
        return;
    v->surface = *s;
    v->surface.fd = seal(s->fd);
    if (v->surface.fd < 0)
        log_line("vnc: the screen's memory cannot be sealed; clients see no picture");
}

static void for_admitted(struct vnc *v, enum vnc_news what)
{
    for (unsigned i = 0; i < VNC_CLIENTS; i++) {
        if (v->peers[i].admitted)
            vnc_peer_tell(&v->peers[i], what);
    }
}

static void viewer_resized(void *viewer, const struct surface *s)
{
    struct vnc *v = viewer;

    take_surface(v, s);
    /* Without one the screen only sleeps; clients that do not look keep the old picture. */
    if (s)
        for_admitted(v, NEWS_SURFACE);
}

void vnc_add_damage(struct vnc_peer *p, struct rect r)
{
    struct rect *d = &p->damage;
    int32_t right, bottom;

    if (d->w == 0) {
        *d = r;
        return;
    }
    right = d->x + d->w > r.x + r.w ? d->x + d->w : r.x + r.w;
    bottom = d->y + d->h > r.y + r.h ? d->y + d->h : r.y + r.h;
    d->x = d->x < r.x ? d->x : r.x;
    d->y = d->y < r.y ? d->y : r.y;
    d->w = right - d->x;
    d->h = bottom - d->y;
}

static void viewer_damaged(void *viewer, const struct surface *s, struct rect r)
{
    struct vnc *v = viewer;

    if (r.w <= 0 || r.h <= 0)
        return;
    for (unsigned i = 0; i < VNC_CLIENTS; i++) {
        if (!v->peers[i].admitted)
            continue;
        vnc_add_damage(&v->peers[i], r);
        vnc_peer_tell(&v->peers[i], NEWS_DAMAGE);
    }
    vnc_check_mode(v);
}

/* A client that is behind with its pictures must not move old pixels: for it, it is damage. */
static void viewer_copied(void *viewer, const struct surface *s, struct rect to, int from_x,
                          int from_y)
{
    struct vnc *v = viewer;

    for (unsigned i = 0; i < VNC_CLIENTS; i++) {
        struct vnc_peer *p = &v->peers[i];
        if (!p->admitted)
            continue;
        if (p->dirty & (1u << NEWS_SURFACE | 1u << NEWS_COPY | 1u << NEWS_DAMAGE)) {
            vnc_add_damage(p, to);
            vnc_peer_tell(p, NEWS_DAMAGE);
            continue;
        }
        p->copy = to;
        p->copy_x = from_x;
        p->copy_y = from_y;
        vnc_peer_tell(p, NEWS_COPY);
    }
}

static void viewer_leds(void *viewer, unsigned leds)
{
    for_admitted(viewer, NEWS_LEDS);
}

/* A private copy of the shape; the card may change its own at any time. */
static int cursor_file(const struct surface *img)
{
    int fd = memfd_create("portico-cursor", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    for (uint32_t y = 0; fd >= 0 && y < img->height; y++) {
        const char *row = (const char *)img->pixels + (size_t)y * img->stride;
        if (write(fd, row, (size_t)img->width * 4) != (ssize_t)img->width * 4) {
            close(fd);
            fd = -1;
        }
    }
    if (fd >= 0)
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    return fd;
}

static void viewer_cursor(void *viewer, const struct surface *img, int hx, int hy)
{
    struct vnc *v = viewer;

    if (v->cursor_fd >= 0)
        close(v->cursor_fd);
    v->cursor_fd = -1;
    if (img && img->width > 0 && img->width <= 64 && img->height > 0 && img->height <= 64) {
        v->cursor_fd = cursor_file(img);
        v->cursor_w = (int32_t)img->width;
        v->cursor_h = (int32_t)img->height;
        v->cursor_x = hx >= 0 && hx < v->cursor_w ? hx : 0;
        v->cursor_y = hy >= 0 && hy < v->cursor_h ? hy : 0;
    }
    for_admitted(v, NEWS_CURSOR);
}

static bool viewer_looking(void *viewer)
{
    const struct vnc *v = viewer;

    for (unsigned i = 0; i < VNC_CLIENTS; i++) {
        if (v->peers[i].looking)
            return true;
    }
    return false;
}

static const struct viewer_ops vnc_viewer = {
    .resized = viewer_resized,
    .damaged = viewer_damaged,
    .cursor = viewer_cursor,
    .looking = viewer_looking,
    .leds = viewer_leds,
    .copied = viewer_copied,
};

void vnc_check_mode(struct vnc *v)
{
    bool absolute = display_pointer_is_absolute(v->display);

    if (absolute == v->absolute)
        return;
    v->absolute = absolute;
    for_admitted(v, NEWS_MODE);
}

void vnc_admitted(struct vnc *v, struct vnc_peer *p)
{
    take_surface(v, display_refresh(v->display, false));
    vnc_check_mode(v);
    p->admitted = p->looking = true;
    p->dirty |= 1u << NEWS_MODE | 1u << NEWS_CURSOR | 1u << NEWS_LEDS;
    vnc_peer_tell(p, NEWS_SURFACE);
    display_wake(v->display);
}

/* ---- connections ---- */

static void resume(uv_timer_t *t)
{
    struct vnc *v = t->data;

    for (unsigned i = 0; i < v->nfds; i++)
        uv_poll_start(&v->polls[i], UV_READABLE, accept_more);
}

/* Leaves newcomers in the kernel's queue for a while. */
static void pause_for(struct vnc *v, uint64_t ms)
{
    for (unsigned i = 0; i < v->nfds; i++)
        uv_poll_stop(&v->polls[i]);
    uv_timer_start(&v->pause, resume, ms, 0);
}

static bool take_token(struct vnc *v)
{
    uint64_t n = (uv_now(v->loop) - v->tokens_at) / SPAWN_MS;

    if (n > 0) {
        v->tokens = n > SPAWN_BURST - v->tokens ? SPAWN_BURST : v->tokens + (unsigned)n;
        v->tokens_at = uv_now(v->loop);
    }
    if (v->tokens == 0)
        return false;
    v->tokens--;
    return true;
}

static struct vnc_peer *free_slot(struct vnc *v)
{
    for (unsigned i = 0; i < VNC_CLIENTS; i++) {
        if (v->peers[i].handles == 0)
            return &v->peers[i];
    }
    return NULL;
}

/* Ends the one that has dithered longest before the password; false: everyone has a right. */
static bool make_room(struct vnc *v)
{
    struct vnc_peer *oldest = NULL;

    for (unsigned i = 0; i < VNC_CLIENTS; i++) {
        struct vnc_peer *p = &v->peers[i];
        if (p->chan < 0)
            return true; /* a place is about to be free */
        if (!p->admitted && (!oldest || p->since < oldest->since))
            oldest = p;
    }
    if (!oldest || uv_now(v->loop) - oldest->since < LINGER_MS)
        return false;
    vnc_peer_end(oldest);
    return true;
}

static void name_client(const struct vnc *v, const struct sockaddr_storage *sa, socklen_t len,
                        struct vnc_client *who)
{
    snprintf(who->family, sizeof(who->family), "%s",
             sa->ss_family == AF_UNIX    ? "unix"
             : sa->ss_family == AF_INET6 ? "ipv6"
                                         : "ipv4");
    if (sa->ss_family == AF_UNIX ||
        getnameinfo((const struct sockaddr *)sa, len, who->host, sizeof(who->host), who->service,
                    sizeof(who->service), NI_NUMERICHOST | NI_NUMERICSERV))
        snprintf(who->host, sizeof(who->host), "%.40s", v->unix_path ? v->unix_path : "?");
}

static void accept_one(struct vnc *v, int listener, bool web)
{
    struct sockaddr_storage sa = { 0 };
    socklen_t len = sizeof(sa);
    struct vnc_peer *p = free_slot(v);
    struct vnc_client who = { .websocket = web };
    int fd, rc;

    if (!p && make_room(v)) {
        pause_for(v, 10);
        return;
    }
    if (p && !take_token(v)) {
        pause_for(v, SPAWN_MS);
        return;
    }
    fd = accept4(listener, (struct sockaddr *)&sa, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            pause_for(v, 1000);
        return;
    }
    name_client(v, &sa, len, &who);
    if (!p) {
        if (!v->full)
            log_provoked("vnc: %s turned away: %d clients are there already", who.host,
                         VNC_CLIENTS);
        v->full = true;
        close(fd);
        return;
    }
    v->full = false;
    rc = vnc_peer_start(v, p, fd, &who);
    if (rc)
        log_line("vnc: cannot run %s for %s: %s", v->helper, who.host, strerror(-rc));
}

static void accept_more(uv_poll_t *h, int status, int events)
{
    struct vnc *v = h->data;

    for (unsigned i = 0; i < v->nfds; i++) {
        if (h == &v->polls[i])
            accept_one(v, v->fds[i], v->web[i]);
    }
}

/* ---- life ---- */

static void vnc_free(struct vnc *v)
{
    if (v->cursor_fd >= 0)
        close(v->cursor_fd);
    if (v->creds >= 0)
        close(v->creds);
    if (v->pages >= 0)
        close(v->pages);
    for (unsigned i = 0; i < VNC_CLIENTS; i++)
        free(v->peers[i].answer);
    free(v->unix_path);
    free(v->helper);
    explicit_bzero(v->password, sizeof(v->password));
    explicit_bzero(v->token, sizeof(v->token));
    free(v);
}

void vnc_handle_closed(struct vnc *v)
{
    v->handles--;
    if (v->closing && v->handles == 0)
        vnc_free(v);
}

static void handle_closed(uv_handle_t *h)
{
    vnc_handle_closed(h->data);
}

/* As QEMU names what a client must go through. */
static void name_auth(struct vnc *v, const struct vnc_options *o)
{
    struct creds_file head = { 0 };
    bool tls = o->tls_vnc && pread(v->creds, &head, sizeof(head), 0) == sizeof(head);

    snprintf(v->info.auth, sizeof(v->info.auth), "%s%s",
             !tls             ? ""
             : head.anonymous ? "vencrypt+tls+"
                              : "vencrypt+x509+",
             o->password ? "vnc" : "none");
}

static bool is_loopback(const char *host)
{
    return host && (!strncmp(host, "127.", 4) || !strcmp(host, "localhost") ||
                    !strcmp(host, "::1") || !strcmp(host, "[::1]"));
}

static int keep_web(struct vnc *v, const struct vnc_options *o, struct err *err)
{
    const char *host = o->web_host ? o->web_host : o->host;
    bool secret = o->password || (o->token && *o->token);

    v->web_flags |= CONFIG_WEB | (secret ? 0 : CONFIG_LOCAL_ONLY) |
                    (o->console && o->web_power_control ? CONFIG_POWER : 0);
    if (o->token && strlen(o->token) >= sizeof(v->token))
        return err_set(err, -EINVAL, "VNC: the token is longer than %zu characters",
                       sizeof(v->token) - 1);
    if (o->token && *o->token) {
        snprintf(v->token, sizeof(v->token), "%s", o->token);
        v->web_flags |= CONFIG_TOKEN;
    }
    if (!o->console)
        return 0;
    if (!secret && !is_loopback(host))
        return err_set(err, -EINVAL,
                       "the web console on %s is open to the network: give it a token "
                       "(token-secret=), a password (password=on), or listen on 127.0.0.1",
                       host && *host ? host : "every address");
    v->web_flags |= CONFIG_CONSOLE;
    v->pages = vnc_pages(o->novnc ? o->novnc : "/usr/share/novnc", err);
    return v->pages < 0 ? v->pages : 0;
}

static int keep_extras(struct vnc *v, const struct vnc_options *o, struct err *err)
{
    v->share = o->share;
    v->key_ms = o->key_ms ? o->key_ms : 10;
    v->actions = o->actions;
    v->actions_ctx = o->actions_ctx;
    v->flags = (o->view_only ? CONFIG_VIEW_ONLY : 0) | (o->paste_key ? CONFIG_PASTE_KEY : 0) |
               (o->power_control ? CONFIG_POWER : 0);
    if (o->creds > 0) {
        v->creds = fcntl(o->creds, F_DUPFD_CLOEXEC, 3);
        if (v->creds < 0)
            return err_set(err, -errno, "VNC: %s", strerror(errno));
        v->web_flags = CONFIG_TLS;
        v->flags |= o->tls_vnc ? CONFIG_TLS : 0;
    }
    v->info.console = o->console;
    return o->web_port ? keep_web(v, o, err) : 0;
}

static int keep_options(struct vnc *v, const struct vnc_options *o, struct err *err)
{
    const char *keymap = o->keymap ? o->keymap : "en-us";

    if (!keymap_find(keymap)) {
        char names[256];
        keymap_names(names, sizeof(names));
        return err_set(err, -EINVAL, "VNC: there is no keymap %s; known are %s", keymap, names);
    }
    if (access(o->helper, X_OK))
        return err_set(err, -errno, "VNC: cannot run %s: %s; is Portico installed completely?",
                       o->helper, strerror(errno));
    snprintf(v->keymap, sizeof(v->keymap), "%s", keymap);
    snprintf(v->name, sizeof(v->name), "%s", o->name ? o->name : "portico");
    v->auth = o->password;
    v->helper = strdup(o->helper);
    if (!v->helper)
        return err_set(err, -ENOMEM, "VNC: out of memory");
    return keep_extras(v, o, err);
}

static void watch(struct vnc *v)
{
    for (unsigned i = 0; i < v->nfds; i++) {
        uv_poll_init(v->loop, &v->polls[i], v->fds[i]);
        v->polls[i].data = v;
    }
    uv_timer_init(v->loop, &v->pause);
    v->pause.data = v;
    v->handles = v->nfds + 1;
    resume(&v->pause);
}

int vnc_open(struct vnc **out, struct uv_loop_s *loop, struct display *d,
             const struct vnc_options *o, struct err *err)
{
    struct vnc *v = calloc(1, sizeof(*v));
    int rc;

    if (!v)
        return err_set(err, -ENOMEM, "VNC: out of memory");
    v->loop = loop;
    v->display = d;
    v->surface.fd = v->cursor_fd = v->nursery = v->creds = v->pages = -1;
    v->tokens = SPAWN_BURST;
    v->tokens_at = uv_now(loop);
    v->info.enabled = true;
    for (unsigned i = 0; i < VNC_CLIENTS; i++)
        v->peers[i].chan = -1;
    rc = keep_options(v, o, err);
    if (!rc)
        name_auth(v, o);
    if (!rc && v->creds >= 0)
        rc = vnc_check_creds(v, err);
    if (!rc)
        rc = vnc_listen(v, o, err);
    if (!rc && o->early && (rc = vnc_nursery_start(v)))
        err_set(err, rc, "VNC: cannot run %s: %s", v->helper, strerror(-rc));
    if (rc) {
        vnc_unlisten(v);
        vnc_free(v);
        return rc;
    }
    watch(v);
    display_add_viewer(d, &vnc_viewer, v);
    *out = v;
    return 0;
}

void vnc_close(struct vnc *v)
{
    if (!v)
        return;
    display_remove_viewer(v->display, v);
    v->closing = true;
    for (unsigned i = 0; i < v->nfds; i++)
        uv_close((uv_handle_t *)&v->polls[i], handle_closed);
    uv_close((uv_handle_t *)&v->pause, handle_closed);
    vnc_unlisten(v);
    for (unsigned i = 0; i < VNC_CLIENTS; i++)
        vnc_peer_stop(&v->peers[i]);
    vnc_nursery_stop(v);
}

/* ---- what the control protocol asks ---- */

void vnc_query(const struct vnc *v, struct vnc_info *out)
{
    *out = (struct vnc_info){ 0 };
    if (!v)
        return;
    *out = v->info;
    for (unsigned i = 0; i < VNC_CLIENTS; i++) {
        if (v->peers[i].admitted)
            out->clients[out->nclients++] = v->peers[i].who;
    }
}

static int tell_password(struct vnc *v, struct err *err)
{
    if (!v->auth)
        return err_set(err, -EINVAL,
                       "VNC: this display was opened without password=on; "
                       "everyone gets in, and that cannot be changed now");
    for (unsigned i = 0; i < VNC_CLIENTS; i++) {
        if (v->peers[i].chan >= 0 && !v->peers[i].admitted)
            vnc_peer_tell(&v->peers[i], NEWS_PASSWORD);
    }
    return 0;
}

int vnc_set_password(struct vnc *v, const char *password, struct err *err)
{
    explicit_bzero(v->password, sizeof(v->password));
    if (password)
        memcpy(v->password, password, strnlen(password, sizeof(v->password) - 1));
    return tell_password(v, err);
}

int vnc_expire_password(struct vnc *v, int64_t when, struct err *err)
{
    v->expires = when < 0 ? time(NULL) : when;
    return tell_password(v, err);
}
