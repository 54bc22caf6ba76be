/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The display protocol as portico-dm hears it: the process at the other end
 * parses what strangers send, so its messages may be anything. A display with
 * a keyboard and a pointer is behind the peer.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "display/vnc-impl.h"
#include "tests/fuzz/fuzz.h"

static void on_key(void *dev, uint16_t code, bool down)
{
}

static void on_rel(void *dev, int dx, int dy, int dz, unsigned buttons)
{
    if (abs(dx) > 1 << 25 || abs(dy) > 1 << 25)
        abort(); /* larger than the display promises its devices */
}

static void on_abs(void *dev, uint16_t x, uint16_t y, int dz, unsigned buttons)
{
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct input_ops ops = { .key = on_key, .rel = on_rel, .abs = on_abs };
    static struct vnc v;
    struct vnc_peer *p = &v.peers[0];
    struct viewer_msg m;
    bool honest = true;

    memset(&v, 0, sizeof(v));
    v.display = display_new(NULL);
    v.cursor_fd = v.nursery = -1;
    display_add_input(v.display, &ops, &v);
    p->v = &v;
    p->chan = p->pidfd = p->sock = -1; /* ended: what it is told goes nowhere */
    for (; honest && size >= sizeof(m); data += sizeof(m), size -= sizeof(m)) {
        memcpy(&m, data, sizeof(m));
        honest = vnc_peer_hear(p, &m);
    }
    display_free(v.display);
    return 0;
}
