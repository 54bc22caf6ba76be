/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * display/protocol.h: what portico-dm and a viewer process (one portico-vnc
 * for each client) say to each other over a SOCK_SEQPACKET pair. Fixed-size
 * structs, host byte order (one machine), one a packet; a descriptor rides
 * with the packet. The viewer gets the pixels as a memfd sealed so that it can
 * neither write nor resize it. portico-dm never waits: a
 * viewer is only told the newest state, never a queue of old ones (damage is
 * merged). A viewer may wait: its only work is for its one client.
 *
 * Order: VM_CONFIG first. A viewer has no pixels until it has said VM_ADMITTED;
 * the answer to that is a VM_SURFACE, and from then on surface and damage come.
 */
#pragma once
#include <assert.h>
#include <stdint.h>

#define VIEWER_FD 3 /* the viewer's end of the pair, in the viewer */

enum viewer_msg_type {
    /* portico-dm -> viewer */
    VM_CONFIG = 1, /* a network viewer: carries the socket of its client */
    VM_SURFACE,    /* carries the memfd; width 0: there is no picture, and no descriptor */
    VM_DAMAGE,
    VM_CURSOR,       /* carries a memfd with w*h ARGB pixels; w = 0: none */
    VM_PASSWORD,     /* the one that counts from now on */
    VM_POINTER_MODE, /* does the guest's pointer take positions? */
    VM_FORK,         /* to a nursery: carries the viewer's end of the pair for a new process */
    /* viewer -> portico-dm */
    VM_KEY = 64,
    VM_POINTER,
    VM_LOOKING,  /* n > 0: someone waits for pictures, draw; 0: nobody does */
    VM_ADMITTED, /* the client has passed authentication */
    VM_REFUSED,  /* it did not know the password */
};

struct viewer_msg {
    uint32_t type; /* enum viewer_msg_type */
    uint32_t pad;
    union {
        /* auth: 0 none, 2 VNC (RFB 7.1.2); strings end with a 0 byte */
        struct {
            char name[64], keymap[16];
            uint32_t auth;
        } config;
        struct {
            uint32_t width, height, stride;
        } surface;
        struct {
            int32_t x, y, w, h;
        } damage;
        struct {
            int32_t w, h, hot_x, hot_y;
        } cursor;
        struct {
            int64_t expires;
            char password[16];
        } password; /* unix s, 0 never; "": nobody */
        struct {
            uint32_t absolute;
        } pointer_mode;
        struct {
            uint32_t code, down;
        } key; /* evdev */
        /* relative: x and y are a movement, not a place; dz > 0: wheel towards the user */
        struct {
            int32_t x, y, dz;
            uint32_t buttons, relative;
        } pointer;
        struct {
            uint32_t n;
        } looking;
    };
};
static_assert(sizeof(struct viewer_msg) == 96, "layout shared by two processes");
