/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Serial ports, USB devices and the sound card. */
#include <stdlib.h>
#include <string.h>
#include "cli/guest.h"

/*
 * What -serial of portico-dm takes ends in a name or an address, which it checks itself. Here is
 * known only how it begins.
 */
static bool is_sink(const char *s)
{
    static const char *const words[] = { "pty", "null", "none", "vc", "stdio" };
    static const char *const heads[] = { "/dev/",   "file:", "pipe:", "unix:", "tcp:",
                                         "telnet:", "udp:",  "mon:",  "vc:",   "chardev:" };

    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!strcmp(s, words[i]))
            return true;
    }
    for (unsigned i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        if (!strncmp(s, heads[i], strlen(heads[i])))
            return true;
    }
    return false;
}

/* A guest whose file says nothing has a serial port: `portico console` finds it there. */
static void read_serials(struct guest *g, struct conf *c)
{
    unsigned n = conf_count(c, "serial");

    for (unsigned i = 0; i < n; i++) {
        const char *s = conf_item(c, "serial", i);

        if (!s)
            continue;
        if (g->nserials == GUEST_SERIALS) {
            conf_error(c, "serial", (int)i, "is one too many; a PC has %d serial ports",
                       GUEST_SERIALS);
            return;
        }
        if (!is_sink(s))
            conf_error(c, "serial", conf_count(c, "serial") > 1 ? (int)i : -1,
                       "\"%.40s\" is not known; use \"pty\", \"file:PATH\", \"tcp:HOST:PORT\", "
                       "\"/dev/ttyS0\" or \"none\"",
                       s);
        else if (!strcmp(s, "stdio") || !strcmp(s, "mon:stdio")) {
            conf_warn(c, "serial", -1, "\"%s\": the guest is in the background; as \"pty\"", s);
            g->serials[g->nserials++] = guest_copy("pty");
        } else
            g->serials[g->nserials++] = guest_copy(s);
    }
    if (!n)
        g->serials[g->nserials++] = guest_copy("pty");
}

static void read_usb(struct guest *g, struct conf *c)
{
    static const char *const known[] = { "tablet", "mouse", "keyboard" };
    unsigned n = conf_count(c, "usbdevice");
    long version = 0;

    conf_flag(c, "usb", &g->usb);
    if (conf_number(c, "usbversion", 1, 3, &version) && version > 1)
        conf_error(c, "usbversion", -1, "USB %ld is not there yet; use usbversion=1", version);
    g->usb |= version == 1;
    for (unsigned i = 0; i < n; i++) {
        const char *s = conf_item(c, "usbdevice", i);
        unsigned k = 0;

        while (s && k < 3 && strcmp(s, known[k]))
            k++;
        if (!s || !*s)
            continue;
        if (k == 3)
            conf_error(c, "usbdevice", n > 1 ? (int)i : -1,
                       "\"%.40s\" is not there; use \"tablet\", \"mouse\" or \"keyboard\"", s);
        else if (g->nusb == GUEST_USB)
            conf_error(c, "usbdevice", (int)i, "is one too many; the controller has %d ports",
                       GUEST_USB);
        else
            g->usb_devices[g->nusb++] = guest_copy(s);
    }
}

static void read_sound(struct guest *g, struct conf *c)
{
    static const char *const cards[][2] = {
        { "ac97", "AC97" }, { "all", "AC97" }, { "es1370", "ES1370" }, { "sb16", "sb16" }
    };
    const char *s = conf_string(c, "soundhw");

    if (!s || !*s)
        return;
    for (unsigned i = 0; i < sizeof(cards) / sizeof(cards[0]); i++) {
        if (!g->sound && !strcmp(s, cards[i][0]))
            g->sound = guest_copy(cards[i][1]);
    }
    if (!g->sound)
        conf_warn(c, "soundhw", -1, "\"%.20s\" is not there; the guest has no sound", s);
}

void guest_read_ports(struct guest *g, struct conf *c)
{
    read_serials(g, c);
    read_usb(g, c);
    read_sound(g, c);
}
