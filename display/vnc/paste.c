/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portico-vnc: text that is typed into the guest as keys, which is the one way
 * that every guest understands. The client's clipboard is only remembered
 * when it comes, because viewers send it whenever something is copied
 * anywhere; it is typed when somebody says so. Characters that the layout of
 * the guest (-k) has no key for are left out.
 */
#include <linux/input-event-codes.h>
#include <stdlib.h>
#include <string.h>
#include "display/vnc/helper.h"

#define XK_RETURN  0xff0d
#define XK_TAB     0xff09
#define XK_UNICODE 0x1000000

/* The next character; 0 and *len 1 for what is no UTF-8 (RFC 3629). */
static uint32_t next_char(const char *s, size_t n, size_t *len)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const uint8_t *b = (const uint8_t *)s;
    size_t size = b[0] < 0x80 ? 1 : b[0] < 0xc2 ? 0 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4;
    uint32_t c = size == 1 ? b[0] : b[0] & (0x7fu >> size);

    *len = 1;
    if (size == 0 || size > n || b[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < size; i++) {
        if ((b[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (b[i] & 0x3fu);
    }
    if (c < least[size] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 0;
    *len = size;
    return c;
}

static uint32_t keysym_of(uint32_t c)
{
    if (c == '\n')
        return XK_RETURN;
    if (c == '\t')
        return XK_TAB;
    if (c < 0x20 || (c >= 0x7f && c < 0xa0))
        return 0;
    return c < 0x100 ? c : XK_UNICODE | c;
}

/* Latin-1 (RFC 6143 7.5.6) as UTF-8. */
static char *from_latin1(const char *text, size_t len, size_t *out)
{
    char *s = malloc(len * 2 + 1);

    *out = 0;
    for (size_t i = 0; s && i < len; i++) {
        uint8_t c = (uint8_t)text[i];
        if (c >= 0x80)
            s[(*out)++] = (char)(0xc0 | c >> 6);
        s[(*out)++] = (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c);
    }
    if (s)
        s[*out] = 0;
    return s;
}

void paste_clip(struct helper *h, const char *text, size_t len, bool latin1)
{
    struct viewer_msg m = { .type = VM_CLIP };
    size_t n = len < CLIP_MAX ? len : CLIP_MAX;

    if (h->flags & CONFIG_VIEW_ONLY)
        return;
    free(h->paste.clip);
    if (latin1)
        h->paste.clip = from_latin1(text, n, &n);
    else
        h->paste.clip = strndup(text, n);
    m.clip.n = h->paste.clip ? (uint32_t)strlen(h->paste.clip) : 0;
    if (h->admitted)
        channel_say(&m);
}

void paste_type(struct helper *h, const char *text, size_t len)
{
    if ((h->flags & CONFIG_VIEW_ONLY) || h->paste.typing || len == 0)
        return; /* one text after the other */
    h->paste.typing = strndup(text, len < CLIP_MAX ? len : CLIP_MAX);
    h->paste.at = 0;
    h->paste.due = server_now();
    if (h->paste.typing)
        input_lift_modifiers(h, true);
}

void paste_start(struct helper *h)
{
    if (h->paste.clip)
        paste_type(h, h->paste.clip, strlen(h->paste.clip));
}

static void say_mods(unsigned mods, bool down)
{
    if (mods & KEYMAP_SHIFT)
        input_say(KEY_LEFTSHIFT, down);
    if (mods & KEYMAP_ALTGR)
        input_say(KEY_RIGHTALT, down);
}

static void press_next(struct helper *h)
{
    size_t n = strlen(h->paste.typing);

    while (h->paste.at < n) {
        struct keymap_key k;
        size_t len;
        uint32_t sym = keysym_of(next_char(h->paste.typing + h->paste.at, n - h->paste.at, &len));

        h->paste.at += len;
        if (!sym || !keymap_lookup(h->keymap, sym, 0, &k) || k.code >= HELPER_KEYS)
            continue;
        if (h->in.caps && keymap_is_letter(sym))
            k.mods ^= KEYMAP_SHIFT;
        h->paste.held = k.code;
        h->paste.mods = k.mods;
        say_mods(k.mods, true);
        input_say(k.code, true);
        return;
    }
    free(h->paste.typing);
    h->paste.typing = NULL;
    input_lift_modifiers(h, false);
}

int paste_step(struct helper *h)
{
    int64_t left;

    if (!h->paste.typing)
        return -1;
    left = h->paste.due - server_now();
    if (left > 0)
        return (int)left;
    if (h->paste.held) {
        input_say(h->paste.held, false);
        say_mods(h->paste.mods, false);
        h->paste.held = 0;
    } else {
        press_next(h);
    }
    h->paste.due = server_now() + h->key_ms;
    return h->paste.typing ? (int)h->key_ms : -1;
}
