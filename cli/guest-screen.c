/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The screen: vga=, videoram=, vnc=, sdl= and their kin, as keys of the file
 * or, where the file has none of them, as words of vfb=[ '...' ] in which old
 * files have them.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli/guest.h"

#define DEFAULT_LISTEN "127.0.0.1"
#define PASSWORD_MAX   8 /* all that VNC's own authentication looks at */

static void set(char **to, const char *val)
{
    free(*to);
    *to = guest_copy(val);
}

static void read_card(struct guest_screen *s, struct conf *c)
{
    const char *vga = conf_string(c, "vga");
    bool std = false;
    long ram = 0;

    conf_flag(c, "stdvga", &std);
    if (!vga)
        vga = std ? "stdvga" : "cirrus";
    if (!strcmp(vga, "stdvga"))
        s->vga = guest_copy("VGA");
    else if (!strcmp(vga, "cirrus"))
        s->vga = guest_copy("cirrus-vga");
    else if (strcmp(vga, "none"))
        conf_error(c, "vga", -1, "\"%.20s\" is not there; use \"stdvga\", \"cirrus\" or \"none\"",
                   vga);
    s->videoram = s->vga && !strcmp(s->vga, "VGA") ? 16 : 8;
    if (!conf_number(c, "videoram", 1, 256, &ram))
        return;
    /* libxl raises what is too little, too. The sizes of a BAR are powers of two. */
    while (s->videoram < (unsigned long)ram && s->videoram < 256)
        s->videoram *= 2;
    if (s->vga && !strcmp(s->vga, "cirrus-vga") && s->videoram > 16)
        s->videoram = 16;
}

/* "ADDRESS", "ADDRESS:DISPLAY", "[::1]:DISPLAY" */
static void set_listen(struct guest_screen *s, struct conf *c, const char *key, int item,
                       const char *val)
{
    const char *colon = strrchr(val, ':');
    bool display = colon && (strchr(val, ':') == colon || val[0] == '[') && colon[1] != ']' &&
                   (val[0] != '[' || colon[-1] == ']');
    char *end = NULL, *host = guest_copy(val);

    if (display && isdigit((unsigned char)colon[1])) {
        unsigned long n = strtoul(colon + 1, &end, 10);

        if (*end || n > 99)
            conf_error(c, key, item, "%.60s: the display is to be 0 to 99", val);
        s->vnc_display = (unsigned)n;
        host[colon - val] = 0;
    } else if (display) {
        conf_error(c, key, item, "%.60s: write ADDRESS or ADDRESS:DISPLAY", val);
    }
    if (strpbrk(host, ", /"))
        conf_error(c, key, item, "%.60s is no address; write 127.0.0.1 or 0.0.0.0", val);
    set(&s->vnc_listen, host);
    free(host);
}

static void set_password(struct guest_screen *s, struct conf *c, const char *key, int item,
                         const char *val)
{
    if (strlen(val) > PASSWORD_MAX)
        conf_warn(c, key, item, "VNC looks at the first %d characters of a password only",
                  PASSWORD_MAX);
    set(&s->vnc_password, *val ? val : NULL);
}

static bool truth(struct conf *c, int item, const char *word, const char *val, bool otherwise)
{
    if (!strcmp(val, "1") || !strcmp(val, "0"))
        return *val == '1';
    conf_error(c, "vfb", item, "%.20s=%.20s: write 0 or 1", word, val);
    return otherwise;
}

static void take_vfb(struct guest_screen *s, struct conf *c, int item, char *word)
{
    char *val = strchr(word, '='), *end = NULL;

    while (isspace((unsigned char)*word))
        word++;
    if (!val && *word)
        conf_error(c, "vfb", item, "%.40s: write KEY=VALUE", word);
    if (!val)
        return;
    *val++ = 0;
    if (!strcmp(word, "vnc"))
        s->vnc = truth(c, item, word, val, s->vnc);
    else if (!strcmp(word, "sdl"))
        s->sdl = truth(c, item, word, val, s->sdl);
    else if (!strcmp(word, "vncunused"))
        s->vnc_unused = truth(c, item, word, val, s->vnc_unused);
    else if (!strcmp(word, "vnclisten"))
        set_listen(s, c, "vfb", item, val);
    else if (!strcmp(word, "vncpasswd"))
        set_password(s, c, "vfb", item, val);
    else if (!strcmp(word, "keymap"))
        set(&s->keymap, val);
    else if (!strcmp(word, "vncdisplay")) {
        unsigned long n = strtoul(val, &end, 10);

        if (!isdigit((unsigned char)*val) || *end || n > 99)
            conf_error(c, "vfb", item, "vncdisplay=%.20s: give 0 to 99", val);
        else
            s->vnc_display = (unsigned)n;
    } else if (!strcmp(word, "type")) {
        s->vnc = !strcmp(val, "vnc");
        s->sdl = !strcmp(val, "sdl");
        if (!s->vnc && !s->sdl)
            conf_error(c, "vfb", item, "type=%.20s is not known; use vnc or sdl", val);
    } else if (strcmp(word, "opengl") && strcmp(word, "xauthority") && strcmp(word, "display")) {
        conf_error(c, "vfb", item,
                   "%.40s is not known; use vnc, vnclisten, vncdisplay, vncunused, "
                   "vncpasswd, sdl, keymap",
                   word);
    }
}

static void read_vfb(struct guest_screen *s, struct conf *c)
{
    unsigned n = conf_list(c, "vfb");
    const char *spec = n ? conf_item(c, "vfb", 0) : NULL;
    char *text, *save = NULL;

    if (n > 1)
        conf_warn(c, "vfb", 1, "the guest has one screen; left out");
    if (!spec)
        return;
    text = guest_copy(spec);
    for (char *w = strtok_r(text, ",", &save); w; w = strtok_r(NULL, ",", &save))
        take_vfb(s, c, 0, w);
    free(text);
}

void guest_read_screen(struct guest *g, struct conf *c)
{
    struct guest_screen *s = &g->screen;
    const char *v;
    long n;

    s->vnc = s->vnc_unused = true;
    set(&s->vnc_listen, DEFAULT_LISTEN);
    read_card(s, c);
    read_vfb(s, c);
    conf_flag(c, "vnc", &s->vnc);
    conf_flag(c, "sdl", &s->sdl);
    conf_flag(c, "nographic", &s->nographic);
    conf_flag(c, "vncunused", &s->vnc_unused);
    v = conf_string(c, "vnclisten");
    if (v && *v)
        set_listen(s, c, "vnclisten", -1, v);
    if (conf_number(c, "vncdisplay", 0, 99, &n))
        s->vnc_display = (unsigned)n;
    v = conf_string(c, "vncpasswd");
    if (v)
        set_password(s, c, "vncpasswd", -1, v);
    v = conf_string(c, "keymap");
    if (v && *v)
        set(&s->keymap, v);
    if (s->keymap && strpbrk(s->keymap, "/, ")) {
        conf_error(c, "keymap", -1, "\"%.20s\" is no layout; use \"en-us\", \"de\" and the like",
                   s->keymap);
        set(&s->keymap, NULL);
    }
}
