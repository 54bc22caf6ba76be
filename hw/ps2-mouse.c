/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PS/2 mouse: IBM PS/2 Hardware Interface Technical Reference, "Mouse"; the
 * wheel and the five-button form by Microsoft's IntelliMouse protocols, which
 * a driver asks for by setting the sample rates 200, 100, 80 or 200, 200, 80.
 *
 * Movement that the guest has no time for gathers and goes out with the next
 * packet, so none is lost. Packets leave as fast as they are fetched: the
 * sample rate is only remembered, and so is the resolution.
 */
#include "hw/ps2.h"

#define ERROR          0xfc
#define DEFAULT_RATE   100
#define DEFAULT_RES    2
#define RAW_MAX        0x7fff /* of movement that has gathered */
#define PACKET_ALWAYS1 0x08

enum { ID_PLAIN = 0, ID_WHEEL = 3, ID_EXPLORER = 4 };

static int16_t gathered(uint16_t raw)
{
    return (int16_t)raw;
}

static int clamp(int val, int lo, int hi)
{
    return val < lo ? lo : val > hi ? hi : val;
}

static void gather(uint16_t *raw, int delta)
{
    delta = clamp(delta, -RAW_MAX, RAW_MAX);
    *raw = (uint16_t)clamp(gathered(*raw) + delta, -RAW_MAX, RAW_MAX);
}

/* Takes up to lo..hi of what has gathered. */
static int take(uint16_t *raw, int lo, int hi)
{
    int val = clamp(gathered(*raw), lo, hi);

    *raw = (uint16_t)(gathered(*raw) - val);
    return val;
}

/* Scaling 2:1: small movements by a table, others doubled; only in stream mode. */
static int scale(int val)
{
    static const uint8_t small[] = { 0, 1, 1, 3, 6, 9 };
    int abs = val < 0 ? -val : val;

    abs = abs < (int)sizeof(small) ? small[abs] : 2 * abs;
    return val < 0 ? -abs : abs;
}

static unsigned packet_size(const struct ps2_mouse *m)
{
    return m->id == ID_PLAIN ? 3 : 4;
}

/* One packet of what has gathered, by ps2_put or ps2_reply. */
static void packet(struct ps2_mouse *m, void (*put)(struct ps2_port *p, uint8_t byte), bool scaled)
{
    int limit = scaled ? 127 : 255; /* nine bits, also when doubled */
    int dx = take(&m->dx, -limit, limit), dy = -take(&m->dy, -limit, limit);
    int wide = m->id == ID_EXPLORER ? 7 : 127, dz;
    uint8_t head = PACKET_ALWAYS1 | (m->buttons & 7);

    if (scaled) {
        dx = scale(dx);
        dy = scale(dy);
    }
    put(&m->out, head | (dx < 0 ? 0x10 : 0) | (dy < 0 ? 0x20 : 0));
    put(&m->out, dx & 0xff);
    put(&m->out, dy & 0xff);
    dz = take(&m->dz, -wide, wide);
    if (m->id == ID_WHEEL)
        put(&m->out, dz & 0xff);
    else if (m->id == ID_EXPLORER)
        put(&m->out, (dz & 0x0f) | (m->buttons & 0x18) << 1);
    m->sent = m->buttons;
}

static bool something_to_tell(const struct ps2_mouse *m)
{
    uint8_t known = m->id == ID_EXPLORER ? 0x1f : 0x07;

    return m->dx || m->dy || m->dz || ((m->buttons ^ m->sent) & known);
}

static bool may_tell(const struct ps2_mouse *m)
{
    return m->reporting && m->mode == PS2_STREAM && !m->wrap && !m->param;
}

void ps2_mouse_fill(struct ps2_mouse *m)
{
    if (may_tell(m) && !ps2_pending(&m->out) && something_to_tell(m))
        packet(m, ps2_put, m->scaling);
}

void ps2_mouse_move(struct ps2_mouse *m, int dx, int dy, int dz, unsigned buttons)
{
    if (may_tell(m) && (buttons & 0x1f) != m->buttons) {
        /* What was before the click must not be told after it. */
        if (something_to_tell(m) && ps2_room(&m->out) >= packet_size(m))
            packet(m, ps2_put, m->scaling);
    }
    gather(&m->dx, dx);
    gather(&m->dy, dy);
    if (m->id != ID_PLAIN)
        gather(&m->dz, dz);
    m->buttons = buttons & 0x1f;
    if (may_tell(m) && m->buttons != m->sent && something_to_tell(m) &&
        ps2_room(&m->out) >= packet_size(m))
        packet(m, ps2_put, m->scaling);
}

static void forget_movement(struct ps2_mouse *m)
{
    m->dx = m->dy = m->dz = 0;
    m->sent = m->buttons;
    ps2_flush(&m->out);
}

static void defaults(struct ps2_mouse *m)
{
    m->rate = DEFAULT_RATE;
    m->resolution = DEFAULT_RES;
    m->scaling = m->reporting = m->wrap = false;
    m->mode = PS2_STREAM;
    forget_movement(m);
}

/* Commands */

static void cmd_scaling(struct ps2_mouse *m, uint8_t cmd)
{
    m->scaling = cmd == 0xe7;
}

static void cmd_param(struct ps2_mouse *m, uint8_t cmd)
{
    m->param = cmd;
}

static void cmd_status(struct ps2_mouse *m, uint8_t cmd)
{
    uint8_t b = m->buttons;

    ps2_reply(&m->out, (m->mode == PS2_REMOTE ? 0x40 : 0) | (m->reporting ? 0x20 : 0) |
                           (m->scaling ? 0x10 : 0) | (b & 1) << 2 | (b & 4) >> 1 | (b & 2) >> 1);
    ps2_reply(&m->out, m->resolution);
    ps2_reply(&m->out, m->rate);
}

static void cmd_stream(struct ps2_mouse *m, uint8_t cmd)
{
    m->mode = PS2_STREAM;
    forget_movement(m);
}

static void cmd_read(struct ps2_mouse *m, uint8_t cmd)
{
    packet(m, ps2_reply, false);
}

static void cmd_unwrap(struct ps2_mouse *m, uint8_t cmd)
{
    m->wrap = false;
    forget_movement(m);
}

static void cmd_wrap(struct ps2_mouse *m, uint8_t cmd)
{
    m->wrap = true;
    forget_movement(m);
}

static void cmd_remote(struct ps2_mouse *m, uint8_t cmd)
{
    m->mode = PS2_REMOTE;
    forget_movement(m);
}

static void cmd_id(struct ps2_mouse *m, uint8_t cmd)
{
    ps2_reply(&m->out, m->id);
}

static void cmd_enable(struct ps2_mouse *m, uint8_t cmd)
{
    m->reporting = true;
    forget_movement(m);
}

static void cmd_disable(struct ps2_mouse *m, uint8_t cmd)
{
    m->reporting = false;
    forget_movement(m);
}

static void cmd_defaults(struct ps2_mouse *m, uint8_t cmd)
{
    defaults(m);
}

static void cmd_reset(struct ps2_mouse *m, uint8_t cmd)
{
    defaults(m);
    m->id = ID_PLAIN;
    m->knock[0] = m->knock[1] = m->knock[2] = 0;
    ps2_reply(&m->out, PS2_BAT_OK);
    ps2_reply(&m->out, ID_PLAIN);
}

static const struct {
    uint8_t cmd;
    void (*run)(struct ps2_mouse *m, uint8_t cmd);
} commands[] = {
    { 0xe6, cmd_scaling }, { 0xe7, cmd_scaling },  { 0xe8, cmd_param },  { 0xe9, cmd_status },
    { 0xea, cmd_stream },  { 0xeb, cmd_read },     { 0xec, cmd_unwrap }, { 0xee, cmd_wrap },
    { 0xf0, cmd_remote },  { 0xf2, cmd_id },       { 0xf3, cmd_param },  { 0xf4, cmd_enable },
    { 0xf5, cmd_disable }, { 0xf6, cmd_defaults }, { 0xff, cmd_reset },
};

static void set_rate(struct ps2_mouse *m, uint8_t rate)
{
    uint8_t id = m->id;

    m->rate = rate;
    m->knock[0] = m->knock[1];
    m->knock[1] = m->knock[2];
    m->knock[2] = rate;
    if (m->knock[0] == 200 && m->knock[1] == 100 && rate == 80)
        m->id = ID_WHEEL;
    else if (m->knock[0] == 200 && m->knock[1] == 200 && rate == 80)
        m->id = ID_EXPLORER;
    if (m->id != id)
        forget_movement(m); /* it was gathered for another kind of packet */
}

static bool rate_exists(uint8_t rate)
{
    static const uint8_t rates[] = { 10, 20, 40, 60, 80, 100, 200 };

    for (unsigned i = 0; i < sizeof(rates); i++)
        if (rates[i] == rate)
            return true;
    return false;
}

static void take_param(struct ps2_mouse *m, uint8_t val)
{
    uint8_t cmd = m->param;

    m->param = 0;
    if (cmd == 0xe8 && val > 3) {
        ps2_reply(&m->out, ERROR);
        return;
    }
    if (cmd == 0xf3 && !rate_exists(val)) {
        ps2_reply(&m->out, ERROR);
        return;
    }
    if (cmd == 0xe8)
        m->resolution = val;
    else
        set_rate(m, val);
    ps2_reply(&m->out, PS2_ACK);
}

static void run_command(struct ps2_mouse *m, uint8_t val)
{
    for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (commands[i].cmd == val) {
            ps2_reply(&m->out, PS2_ACK);
            commands[i].run(m, val);
            return;
        }
    ps2_reply(&m->out, PS2_RESEND);
}

void ps2_mouse_write(struct ps2_mouse *m, uint8_t val)
{
    if (val == 0xfe && !m->wrap) {
        ps2_reply(&m->out, m->out.last);
        return;
    }
    ps2_begin_reply(&m->out);
    ps2_flush(&m->out); /* a half-sent packet is given up */
    if (m->wrap && val != 0xec && val != 0xff)
        ps2_reply(&m->out, val);
    else if (m->param)
        take_param(m, val);
    else
        run_command(m, val);
}

void ps2_mouse_reset(struct ps2_mouse *m)
{
    defaults(m);
}
