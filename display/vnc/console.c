/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portico-vnc: the buttons of the web console. The page says a word in a text
 * message of the WebSocket whose binary messages are RFB, so whoever presses a
 * button has come in by the same door as whoever looks. Of portico-dm it can
 * ask no more than enum viewer_ask; the answer goes back as
 * "WORD ok" or "WORD failed", a newline, and a text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "display/vnc/helper.h"

#define ANSWER_MAX (64u << 10)

static const char *const words[ASK_END] = {
    [ASK_RESET] = "reset",           [ASK_POWER] = "power", [ASK_EJECT] = "eject",
    [ASK_CLOSE_TRAY] = "close-tray", [ASK_TEXT] = "text",
};

void console_ask(uint32_t what)
{
    struct viewer_msg m = { .type = VM_ASK, .ask = { what } };

    channel_say(&m);
}

static bool may(const struct helper *h, uint32_t what)
{
    if (what == ASK_TEXT)
        return true;
    if (h->flags & CONFIG_VIEW_ONLY)
        return false;
    return (what != ASK_RESET && what != ASK_POWER) || (h->flags & CONFIG_POWER);
}

static void say(struct helper *h, const char *word, bool failed, const char *text, size_t len)
{
    char *s = malloc(64 + len);
    int n;

    if (!s)
        return;
    n = snprintf(s, 64, "%s %s\n", word, failed ? "failed" : "ok");
    memcpy(s + n, text, len);
    stream_frame(&h->stream, WS_TEXT, s, (size_t)n + len);
    free(s);
}

void console_hear(void *ctx, const char *text, size_t len)
{
    static const char type[] = "type ", no[] = "this console may not do that";
    struct helper *h = ctx;

    if (!h->cl || h->cl->state != RFB_NORMAL)
        return;
    for (uint32_t i = 0; i < ASK_END; i++) {
        if (strlen(words[i]) != len || memcmp(words[i], text, len) != 0)
            continue;
        if (may(h, i))
            console_ask(i);
        else
            say(h, words[i], true, no, sizeof(no) - 1);
        return;
    }
    if (len > sizeof(type) - 1 && !memcmp(text, type, sizeof(type) - 1))
        paste_type(h, text + sizeof(type) - 1, len - (sizeof(type) - 1));
}

void console_answer(struct helper *h, const struct viewer_msg *m, int fd)
{
    size_t len = m->answer.len <= ANSWER_MAX ? m->answer.len : ANSWER_MAX;
    char *text;

    if (m->answer.what >= ASK_END || !h->stream.ws) /* XVP hears nothing of its success */
        return;
    text = malloc(len + 1);
    if (text && (len == 0 || (fd >= 0 && pread(fd, text, len, 0) == (ssize_t)len)))
        say(h, words[m->answer.what], m->answer.failed, text, len);
    free(text);
}
