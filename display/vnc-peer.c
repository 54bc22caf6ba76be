/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One client: starting its portico-vnc, telling it what changed, and taking
 * its keys and pointer. The process at the other end parses what a stranger
 * sends, so nothing it says is believed unchecked.
 *
 * Nothing is queued for a peer. What it has yet to be told is a set of bits,
 * and each message is made from the state of the moment when the pair takes
 * it; a peer that is stuck costs a few bytes here.
 */
#include "display/vnc-impl.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "hw/core/helper.h"
#include "hw/core/log.h"

#define PACKETS_PER_TURN 64
#define LAST_TURNS       32
#define CHECK_MS         10000
#define WHEEL_MAX        16
#define PLACE_MAX        (1 << 24) /* as the display's */

static void peer_flush(struct vnc_peer *p);

/* ---- to the peer ---- */

static void say_config(struct vnc_peer *p, struct viewer_msg *m, int *fd)
{
    m->type = VM_CONFIG;
    snprintf(m->config.name, sizeof(m->config.name), "%s", p->v->name);
    snprintf(m->config.keymap, sizeof(m->config.keymap), "%s", p->v->keymap);
    m->config.auth = p->v->auth ? 2 : 0;
    m->config.flags = p->v->flags | (p->web ? p->v->web_flags : 0);
    m->config.key_ms = p->v->key_ms;
    *fd = p->sock;
}

static void say_password(struct vnc_peer *p, struct viewer_msg *m, int *fd)
{
    m->type = VM_PASSWORD;
    m->password.expires = p->v->expires;
    memcpy(m->password.password, p->v->password, sizeof(p->v->password));
}

static void say_token(struct vnc_peer *p, struct viewer_msg *m, int *fd)
{
    m->type = VM_TOKEN;
    memcpy(m->token.token, p->v->token, sizeof(p->v->token));
}

static void say_creds(struct vnc_peer *p, struct viewer_msg *m, int *fd)
{
    m->type = VM_CREDS;
    *fd = p->v->creds;
}

static void say_pages(struct vnc_peer *p, struct viewer_msg *m, int *fd)
{
    m->type = VM_PAGES;
    *fd = p->v->pages;
}

static void say_leds(struct vnc_peer *p, struct viewer_msg *m, int *fd)
{
    m->type = VM_LEDS;
    m->leds.leds = display_leds(p->v->display);
}

static void say_mode(struct vnc_peer *p, struct viewer_msg *m, int *fd)
{
    m->type = VM_POINTER_MODE;
    m->pointer_mode.absolute = p->v->absolute;
}

static void say_surface(struct vnc_peer *p, struct viewer_msg *m, int *fd)
{
    const struct surface *s = &p->v->surface;

    m->type = VM_SURFACE;
    if (s->fd < 0)
        return;
    m->surface.width = s->width;
    m->surface.height = s->height;
    m->surface.stride = s->stride;
    m->surface.resizable = display_takes_size(p->v->display);
    *fd = s->fd;
}

static void say_cursor(struct vnc_peer *p, struct viewer_msg *m, int *fd)
{
    const struct vnc *v = p->v;

    m->type = VM_CURSOR;
    if (v->cursor_fd < 0)
        return;
    m->cursor.w = v->cursor_w;
    m->cursor.h = v->cursor_h;
    m->cursor.hot_x = v->cursor_x;
    m->cursor.hot_y = v->cursor_y;
    *fd = v->cursor_fd;
}

static void say_damage(struct vnc_peer *p, struct viewer_msg *m, int *fd)
{
    m->type = VM_DAMAGE;
    m->damage.x = p->damage.x;
    m->damage.y = p->damage.y;
    m->damage.w = p->damage.w;
    m->damage.h = p->damage.h;
}

static void say_copy(struct vnc_peer *p, struct viewer_msg *m, int *fd)
{
    m->type = VM_COPY;
    m->copy.x = p->copy.x;
    m->copy.y = p->copy.y;
    m->copy.w = p->copy.w;
    m->copy.h = p->copy.h;
    m->copy.from_x = p->copy_x;
    m->copy.from_y = p->copy_y;
}

static void say_paste(struct vnc_peer *p, struct viewer_msg *m, int *fd)
{
    m->type = VM_PASTE;
}

/* fd: made for this message. */
static void say_answer(struct vnc_peer *p, struct viewer_msg *m, int *fd)
{
    size_t len = p->answer ? strlen(p->answer) : 0;

    m->type = VM_ANSWER;
    m->answer.what = p->answer_what;
    m->answer.failed = p->answer_failed;
    if (len)
        *fd = vnc_file(p->answer, len);
    m->answer.len = *fd >= 0 ? (uint32_t)len : 0;
}

static const struct {
    void (*say)(struct vnc_peer *p, struct viewer_msg *m, int *fd);
    bool picture; /* not before the client is admitted */
    bool made;    /* the descriptor is this message's own */
} news[NEWS_END] = {
    [NEWS_CONFIG] = { say_config },
    [NEWS_PASSWORD] = { say_password },
    [NEWS_TOKEN] = { say_token },
    [NEWS_CREDS] = { say_creds },
    [NEWS_PAGES] = { say_pages },
    [NEWS_MODE] = { say_mode },
    [NEWS_LEDS] = { say_leds, true },
    [NEWS_SURFACE] = { say_surface, true },
    [NEWS_CURSOR] = { say_cursor, true },
    [NEWS_COPY] = { say_copy, true },
    [NEWS_DAMAGE] = { say_damage, true },
    [NEWS_PASTE] = { say_paste, true },
    [NEWS_ANSWER] = { say_answer, true, true },
};

int vnc_file(const void *bytes, size_t len)
{
    int fd = memfd_create("portico-vnc", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    size_t done = 0;

    while (fd >= 0 && done < len) {
        ssize_t n = write(fd, (const char *)bytes + done, len - done);
        if (n <= 0) {
            close(fd);
            return -EIO;
        }
        done += (size_t)n;
    }
    if (fd < 0)
        return -errno;
    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    return fd;
}

static void peer_told(struct vnc_peer *p, enum vnc_news what)
{
    p->dirty &= ~(1u << what);
    if (what == NEWS_DAMAGE)
        p->damage = (struct rect){ 0 };
    if (what == NEWS_ANSWER) {
        free(p->answer);
        p->answer = NULL;
    }
}

void vnc_peer_tell(struct vnc_peer *p, enum vnc_news what)
{
    p->dirty |= 1u << what;
    peer_flush(p);
}

/* ---- from the peer ---- */

static bool heard_key(struct vnc_peer *p, const struct viewer_msg *m)
{
    uint32_t code = m->key.code;
    uint8_t bit = (uint8_t)(1u << code % 8);

    if (!p->admitted || code == 0 || code >= VNC_KEYS || m->key.down > 1 ||
        (p->v->flags & CONFIG_VIEW_ONLY))
        return false;
    if (m->key.down)
        p->keys[code / 8] |= bit;
    else if (p->keys[code / 8] & bit)
        p->keys[code / 8] &= (uint8_t)~bit;
    else
        return true; /* released twice */
    display_key(p->v->display, (uint16_t)code, m->key.down);
    return true;
}

static bool in_range(int32_t x)
{
    return x >= -65536 && x <= 65536;
}

/* A mouse without places: it goes on where the screen ends, but not for ever. */
static int32_t moved(int32_t from, int32_t by)
{
    int32_t to = from + by;

    return to > -PLACE_MAX && to < PLACE_MAX ? to : from;
}

static bool heard_pointer(struct vnc_peer *p, const struct viewer_msg *m)
{
    struct vnc *v = p->v;
    int32_t x = m->pointer.x, y = m->pointer.y, dz = m->pointer.dz;

    if (!p->admitted || !in_range(x) || !in_range(y) || dz < -WHEEL_MAX || dz > WHEEL_MAX ||
        m->pointer.buttons > (BUTTON_LEFT | BUTTON_RIGHT | BUTTON_MIDDLE) ||
        (v->flags & CONFIG_VIEW_ONLY))
        return false;
    p->buttons = m->pointer.buttons;
    v->x = m->pointer.relative ? moved(v->x, x) : x;
    v->y = m->pointer.relative ? moved(v->y, y) : y;
    display_pointer(v->display, v->x, v->y, dz, p->buttons);
    vnc_check_mode(v);
    return true;
}

static bool heard_looking(struct vnc_peer *p, const struct viewer_msg *m)
{
    if (!p->admitted)
        return false;
    p->looking = m->looking.n > 0;
    if (p->looking)
        display_wake(p->v->display);
    return true;
}

static void tell(const struct vnc_peer *p, enum vnc_client_is what)
{
    const struct vnc *v = p->v;

    if (v->actions && v->actions->client)
        v->actions->client(v->actions_ctx, what, &p->who);
}

static bool heard_admitted(struct vnc_peer *p, const struct viewer_msg *m)
{
    if (p->admitted || m->admitted.shared > 1)
        return false;
    if (vnc_may_share(p->v, p, m->admitted.shared)) {
        vnc_admitted(p->v, p);
        tell(p, VNC_CLIENT_ADMITTED);
    } else {
        vnc_peer_end(p);
    }
    return true;
}

static bool heard_refused(struct vnc_peer *p, const struct viewer_msg *m)
{
    if (p->admitted || p->refused)
        return false;
    p->refused = true;
    log_provoked("vnc: %s did not know the password", p->who.host);
    return true;
}

/* Each returns false for what an honest viewer never says; then it is put out. */
static const struct {
    uint32_t type;
    bool (*heard)(struct vnc_peer *p, const struct viewer_msg *m);
} ears[] = {
    { VM_KEY, heard_key },           { VM_POINTER, heard_pointer }, { VM_LOOKING, heard_looking },
    { VM_ADMITTED, heard_admitted }, { VM_REFUSED, heard_refused }, { VM_SIZE, vnc_wants_size },
    { VM_CLIP, vnc_has_clip },       { VM_ASK, vnc_asked },
};

bool vnc_peer_hear(struct vnc_peer *p, const struct viewer_msg *m)
{
    for (size_t i = 0; i < sizeof(ears) / sizeof(ears[0]); i++) {
        if (ears[i].type == m->type)
            return ears[i].heard(p, m);
    }
    return false;
}

static void peer_read(struct vnc_peer *p)
{
    for (int i = 0; i < PACKETS_PER_TURN && p->chan >= 0; i++) {
        struct viewer_msg m;
        ssize_t n = recv(p->chan, &m, sizeof(m), MSG_DONTWAIT | MSG_TRUNC);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0) {
            vnc_peer_end(p);
        } else if (n != sizeof(m) || !vnc_peer_hear(p, &m)) {
            log_provoked("vnc: the viewer process of %s talks nonsense; ended", p->who.host);
            vnc_peer_end(p);
        }
    }
}

/* ---- life ---- */

static void peer_event(uv_poll_t *h, int status, int events)
{
    struct vnc_peer *p = h->data;

    if (status < 0)
        vnc_peer_end(p);
    else if (events & UV_READABLE)
        peer_read(p);
    if (p->chan >= 0 && (events & UV_WRITABLE))
        peer_flush(p);
}

static void peer_flush(struct vnc_peer *p)
{
    int rc = 0;

    for (unsigned i = 0; i < NEWS_END && rc == 0 && p->chan >= 0; i++) {
        struct viewer_msg m = { 0 };
        int fd = -1;
        if (!(p->dirty & 1u << i) || (news[i].picture && !p->admitted))
            continue;
        news[i].say(p, &m, &fd);
        rc = viewer_send(p->chan, &m, fd);
        if (news[i].made && fd >= 0)
            close(fd);
        if (!rc)
            peer_told(p, i);
        explicit_bzero(&m, sizeof(m));
    }
    if (p->chan < 0)
        return;
    /* An error is a peer that died: reading finds that out too, and ends it in one place. */
    uv_poll_start(&p->chan_poll, rc == -EAGAIN ? UV_READABLE | UV_WRITABLE : UV_READABLE,
                  peer_event);
}

static void peer_handle_closed(uv_handle_t *h)
{
    struct vnc_peer *p = h->data;

    p->handles--;
    vnc_handle_closed(p->v);
}

static void peer_release(struct vnc_peer *p)
{
    for (uint16_t code = 1; code < VNC_KEYS; code++) {
        if (p->keys[code / 8] & 1u << code % 8)
            display_key(p->v->display, code, false);
    }
    memset(p->keys, 0, sizeof(p->keys));
    if (p->buttons)
        display_pointer(p->v->display, p->v->x, p->v->y, 0, 0);
    p->buttons = 0;
}

void vnc_peer_end(struct vnc_peer *p)
{
    if (p->chan < 0)
        return;
    uv_close((uv_handle_t *)&p->chan_poll, peer_handle_closed);
    close(p->chan);
    p->chan = -1;
    /* A nursery's child cannot be killed; cut off from the client it ends by itself. */
    shutdown(p->sock, SHUT_RDWR);
    close(p->sock);
    p->admitted = p->looking = false;
    if (p->pidfd >= 0)
        pidfd_send_signal(p->pidfd, SIGKILL, NULL, 0);
    peer_release(p);
    tell(p, VNC_CLIENT_GONE);
}

/* Its last words count: a client may click and leave at once. The socket holds a bounded number. */
static void peer_last_words(struct vnc_peer *p)
{
    for (int i = 0; i < LAST_TURNS && p->chan >= 0; i++)
        peer_read(p);
}

static void peer_reap(struct vnc_peer *p)
{
    peer_last_words(p);
    vnc_peer_end(p);
    uv_close((uv_handle_t *)&p->exit_poll, peer_handle_closed);
    close(p->pidfd);
    p->pidfd = -1;
}

void vnc_peer_stop(struct vnc_peer *p)
{
    struct pollfd died = { .fd = p->pidfd, .events = POLLIN };
    siginfo_t si;

    if (p->handles == 0)
        return;
    vnc_peer_end(p);
    if (p->pidfd < 0)
        return;
    while (poll(&died, 1, -1) < 0) /* the loop made the descriptor one that does not wait */
        ;
    waitid(P_PIDFD, (id_t)p->pidfd, &si, WEXITED | WNOHANG);
    peer_reap(p);
}

static void peer_exited(uv_poll_t *h, int status, int events)
{
    struct vnc_peer *p = h->data;
    siginfo_t si = { 0 };

    if (waitid(P_PIDFD, (id_t)p->pidfd, &si, WEXITED | WNOHANG) == 0 && si.si_pid == 0)
        return;
    if (si.si_code != CLD_EXITED && si.si_status != SIGKILL && si.si_status != SIGALRM)
        log_provoked("vnc: the viewer process of %s died of signal %d", p->who.host, si.si_status);
    else if (si.si_code == CLD_EXITED && si.si_status != 0)
        log_provoked("vnc: the viewer process of %s failed (%d)", p->who.host, si.si_status);
    peer_reap(p);
}

/* word: for ps, or "nursery" or "check"; in: its standard input, or -1 */
static int spawn_helper(struct vnc *v, int chan, int in, char *word, pid_t *pid)
{
    char name[] = "portico-vnc";
    char *argv[] = { name, word, NULL };
    const struct helper_fd fds[] = { { chan, VIEWER_FD }, { in, 0 } };

    return helper_spawn(v->helper, argv, fds, 2, pid);
}

static int make_pair(int pair[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) ? -errno : 0;
}

int vnc_nursery_start(struct vnc *v)
{
    char word[] = "nursery";
    int pair[2], rc = make_pair(pair);

    if (rc)
        return rc;
    rc = spawn_helper(v, pair[1], -1, word, &v->nursery_pid);
    close(pair[1]);
    if (rc)
        close(pair[0]);
    else
        v->nursery = pair[0];
    return rc;
}

/* Its library reads them, here nothing does: it says whether they are good. */
int vnc_check_creds(struct vnc *v, struct err *err)
{
    char word[] = "check", text[256] = "no answer";
    struct pollfd said = { .events = POLLIN };
    int pair[2], rc = make_pair(pair);
    pid_t pid = 0;

    if (rc)
        return err_set(err, rc, "VNC: %s", strerror(-rc));
    rc = spawn_helper(v, pair[1], v->creds, word, &pid);
    close(pair[1]);
    said.fd = pair[0];
    if (rc) {
        err_set(err, rc, "VNC: cannot run %s: %s", v->helper, strerror(-rc));
    } else {
        ssize_t n = poll(&said, 1, CHECK_MS) > 0 ? recv(pair[0], text, sizeof(text) - 1, 0) : -1;
        text[n > 0 ? n : 9] = 0;
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        if (text[0])
            rc = err_set(err, -EINVAL, "the TLS credentials cannot be used: %s", text);
    }
    close(pair[0]);
    return rc;
}

void vnc_nursery_stop(struct vnc *v)
{
    if (v->nursery < 0)
        return;
    close(v->nursery);
    v->nursery = -1;
    kill(v->nursery_pid, SIGKILL);
    waitpid(v->nursery_pid, NULL, 0);
}

/* Our own child, which can be waited for. */
static int spawn_child(struct vnc_peer *p, int chan)
{
    char client[sizeof(p->who.host) + sizeof(p->who.service) + 2];
    pid_t pid = 0;
    int rc;

    snprintf(client, sizeof(client), "%s:%s", p->who.host, p->who.service);
    rc = spawn_helper(p->v, chan, -1, client, &pid);
    if (rc)
        return rc;
    p->pidfd = pidfd_open(pid, 0);
    if (p->pidfd >= 0)
        return 0;
    rc = -errno;
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return rc;
}

static int start_process(struct vnc_peer *p)
{
    struct viewer_msg m = { .type = VM_FORK };
    int pair[2], rc = make_pair(pair);

    if (rc)
        return rc;
    if (p->v->nursery >= 0)
        rc = viewer_send(p->v->nursery, &m, pair[1]);
    else
        rc = spawn_child(p, pair[1]);
    close(pair[1]);
    if (rc)
        close(pair[0]);
    else
        p->chan = pair[0];
    return rc;
}

int vnc_peer_start(struct vnc *v, struct vnc_peer *p, int sock, const struct vnc_client *who)
{
    int rc;

    free(p->answer);
    *p = (struct vnc_peer){
        .v = v, .chan = -1, .pidfd = -1, .sock = sock, .who = *who, .web = who->websocket
    };
    rc = start_process(p);
    if (rc) {
        close(sock);
        return rc;
    }
    p->since = uv_now(v->loop);
    uv_poll_init(v->loop, &p->chan_poll, p->chan);
    p->chan_poll.data = p->exit_poll.data = p;
    p->handles = 1;
    if (p->pidfd >= 0) {
        uv_poll_init(v->loop, &p->exit_poll, p->pidfd);
        uv_poll_start(&p->exit_poll, UV_READABLE, peer_exited);
        p->handles++;
    }
    v->handles += p->handles;
    p->dirty = 1u << NEWS_CONFIG | 1u << NEWS_PASSWORD | 1u << NEWS_MODE;
    if ((p->web ? v->web_flags : v->flags) & CONFIG_TLS)
        p->dirty |= 1u << NEWS_CREDS;
    if (p->web && (v->web_flags & CONFIG_TOKEN))
        p->dirty |= 1u << NEWS_TOKEN;
    if (p->web && v->pages >= 0)
        p->dirty |= 1u << NEWS_PAGES;
    tell(p, VNC_CLIENT_CONNECTED);
    peer_flush(p);
    return 0;
}
