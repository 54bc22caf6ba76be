/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/qmp-frame.c: brackets and strings of JSON (RFC 8259), one byte at a
 * time. What else is wrong inside the brackets is for the parser to say.
 */
#include "control/qmp-frame.h"
#include <assert.h>
#include "control/qmp.h"

static_assert(QMP_DEPTH_MAX <= 64, "one bit of qmp_frame.kinds a level");

static enum qmp_frame_is give_up(struct qmp_frame *f, uint8_t byte)
{
    *f = (struct qmp_frame){ .garbage = byte != '\n' };
    return FRAME_BAD;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static enum qmp_frame_is open_level(struct qmp_frame *f, bool array)
{
    if (f->depth == QMP_DEPTH_MAX)
        return FRAME_DEEP;
    f->kinds &= ~(UINT64_C(1) << f->depth);
    f->kinds |= (uint64_t)array << f->depth;
    f->depth++;
    f->garbage = false;
    return FRAME_KEEP;
}

static enum qmp_frame_is close_level(struct qmp_frame *f, uint8_t byte)
{
    bool array = f->kinds >> (f->depth - 1) & 1;

    if (array != (byte == ']'))
        return give_up(f, byte);
    f->depth--;
    return f->depth ? FRAME_KEEP : FRAME_END;
}

static enum qmp_frame_is between(struct qmp_frame *f, uint8_t byte)
{
    if (byte == '{' || (byte == '[' && !f->garbage))
        return open_level(f, byte == '[');
    if (byte == '\n')
        f->garbage = false;
    /* 0xff is in no JSON text: clients send it to make sure that a message begins. */
    if (is_blank(byte) || f->garbage || byte == 0xff)
        return FRAME_SKIP;
    return give_up(f, byte);
}

static enum qmp_frame_is in_string(struct qmp_frame *f, uint8_t byte)
{
    if (byte < 0x20 || byte == 0xff)
        return give_up(f, byte);
    if (f->escape)
        f->escape = false;
    else if (byte == '\\')
        f->escape = true;
    else if (byte == f->quote)
        f->string = false;
    return FRAME_KEEP;
}

enum qmp_frame_is qmp_frame_byte(struct qmp_frame *f, uint8_t byte)
{
    if (!f->depth)
        return between(f, byte);
    if (f->string)
        return in_string(f, byte);
    switch (byte) {
    case '{':
    case '[':
        return open_level(f, byte == '[');
    case '}':
    case ']':
        return close_level(f, byte);
    case '"':
    case '\'': /* as QEMU's parser takes them too */
        f->string = true;
        f->quote = byte;
        return FRAME_KEEP;
    default:
        return (byte < 0x20 && !is_blank(byte)) || byte == 0xff ? give_up(f, byte) : FRAME_KEEP;
    }
}
