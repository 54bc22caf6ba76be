/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a VNC client may want beside pictures and keys: to be alone, another
 * screen size, its clipboard typed, and the buttons of the web console. The
 * helper process has no way to the guest but these few questions.
 */
#include "display/vnc-impl.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "hw/core/log.h"

#define ASK_EVERY_MS 50 /* reading a screen takes its time: nobody may keep the loop busy */

bool vnc_may_share(struct vnc *v, struct vnc_peer *p, bool shared)
{
    if (v->share == VNC_IGNORE)
        return true;
    if (v->share == VNC_FORCE_SHARED)
        return shared;
    for (unsigned i = 0; i < VNC_CLIENTS; i++) {
        struct vnc_peer *other = &v->peers[i];

        if (other == p || !other->admitted)
            continue;
        if (shared && other->exclusive)
            return false;
        if (!shared)
            vnc_peer_end(other);
    }
    p->exclusive = !shared;
    return true;
}

bool vnc_wants_size(struct vnc_peer *p, const struct viewer_msg *m)
{
    if (!p->admitted || (p->v->flags & CONFIG_VIEW_ONLY))
        return false;
    display_want_size(p->v->display, m->size.width, m->size.height);
    return true;
}

bool vnc_has_clip(struct vnc_peer *p, const struct viewer_msg *m)
{
    if (!p->admitted)
        return false;
    p->clip = m->clip.n ? ++p->v->clips : 0;
    return true;
}

int vnc_paste(struct vnc *v, struct err *err)
{
    struct vnc_peer *last = NULL;

    for (unsigned i = 0; i < VNC_CLIENTS; i++) {
        struct vnc_peer *p = &v->peers[i];
        if (p->admitted && p->clip && (!last || p->clip > last->clip))
            last = p;
    }
    if (!last)
        return err_set(err, -ENOENT, "no VNC client has text in its clipboard");
    vnc_peer_tell(last, NEWS_PASTE);
    return 0;
}

static bool may_ask(const struct vnc_peer *p, uint32_t what)
{
    uint32_t flags = p->v->flags | (p->web ? p->v->web_flags : 0);

    if (what == ASK_TEXT)
        return flags & CONFIG_CONSOLE;
    if (flags & CONFIG_VIEW_ONLY)
        return false;
    return what == ASK_RESET || what == ASK_POWER ? flags & CONFIG_POWER : flags & CONFIG_CONSOLE;
}

bool vnc_asked(struct vnc_peer *p, const struct viewer_msg *m)
{
    struct vnc *v = p->v;
    uint32_t what = m->ask.what;
    bool soon = p->asked && uv_now(v->loop) - p->asked < ASK_EVERY_MS;
    char *text;
    int rc = -EBUSY;

    if (!p->admitted || what >= ASK_END || !may_ask(p, what))
        return false;
    text = calloc(1, VNC_ANSWER_MAX);
    if (!text)
        return true;
    p->asked = uv_now(v->loop);
    if (soon)
        memcpy(text, "too fast", sizeof("too fast"));
    else if (v->actions)
        rc = v->actions->ask(v->actions_ctx, what, text, VNC_ANSWER_MAX);
    if (!soon && what != ASK_TEXT)
        log_provoked("vnc: %s pressed %s%s", p->who.host,
                     what == ASK_RESET   ? "reset"
                     : what == ASK_POWER ? "the power button"
                     : what == ASK_EJECT ? "eject"
                                         : "the CD tray",
                     rc ? ", in vain" : "");
    free(p->answer);
    p->answer = text;
    p->answer_what = what;
    p->answer_failed = rc != 0;
    vnc_peer_tell(p, NEWS_ANSWER);
    return true;
}
