/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sound/protocol.h: between portico-dm and portico-sound, a SOCK_SEQPACKET
 * pair whose end has the number SPEAKER_FD there. The first packet is a struct
 * speaker_config; it is answered by one byte when the device is open. All that
 * follow are frames: two 16-bit samples each, left and right, little endian.
 * The end of the pair is the end of portico-sound.
 */
#pragma once
#include <stdint.h>

#define SPEAKER_FD     3
#define SPEAKER_MAGIC  0x31534e50u /* "PNS1" */
#define SPEAKER_FRAMES 1024        /* of a packet, at most */

struct speaker_config {
    uint32_t magic, rate; /* frames a second, 1000 to 192000 */
};
_Static_assert(sizeof(struct speaker_config) == 8, "a packet");
