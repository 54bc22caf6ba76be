/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control protocol: the input is what a client sends after (or, by its
 * first byte, before) the negotiation. The guest behind it is a fake one.
 */
#include <sys/socket.h>
#include "tests/fuzz/fuzz.h"
#include "tests/unit/qmp-rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rig *r;
    struct client *c;

    if (size < 1 || size > 65536)
        return 0;
    r = rig_new("");
    c = data[0] & 1 ? libxl(r) : dial(r, r->cmd);
    for (size_t at = 1; at < size;) {
        ssize_t n = send(c->fd, data + at, size - at, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n > 0)
            at += n;
        turn(r);
        slurp(c);
        if (c->eof)
            break;
    }
    for (int i = 0; i < 4; i++)
        turn(r);
    hang_up(c);
    turn(r);
    rig_free(r);
    return 0;
}
