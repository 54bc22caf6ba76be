/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/unit/nic-frames.h: frames for the tests of network cards, with sums
 * and CRCs computed the slow way, independently of hw/nic.c.
 */
#pragma once
#include <stdlib.h>
#include <string.h>
#include "net/net.h"
#include "tests/unit/qt.h"
#include "tests/unit/random.h"

#define MAC_TEXT "00:16:3e:11:22:33"
static const uint8_t mac_card[6] = { 0x00, 0x16, 0x3e, 0x11, 0x22, 0x33 };
static const uint8_t mac_other[6] = { 0x02, 0xaa, 0xbb, 0xcc, 0xdd, 0xee };
static const uint8_t mac_all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

enum { FRAME_IP = 14, FRAME_L4 = 34, FRAME_TCP_DATA = 54, FRAME_UDP_DATA = 42 };

static inline unsigned get16(const uint8_t *p)
{
    return p[0] * 256 + p[1];
}

static inline void set16(uint8_t *p, unsigned v)
{
    p[0] = v / 256;
    p[1] = v;
}

static inline uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* One's complement sum of big-endian words, one at a time. */
static inline unsigned slow_sum(const uint8_t *p, size_t len, unsigned sum)
{
    for (size_t i = 0; i < len; i++) {
        sum += i % 2 ? p[i] : p[i] * 256u;
        if (sum > 0xffff)
            sum -= 0xffff;
    }
    return sum;
}

static inline uint32_t slow_crc(const uint8_t *p, size_t len)
{
    uint32_t crc = ~0u;

    for (size_t i = 0; i < len * 8; i++) {
        bool bit = (p[i / 8] >> i % 8 & 1) ^ (crc & 1);

        crc = crc >> 1 ^ (bit ? 0xedb88320 : 0);
    }
    return ~crc;
}

/* IPv4 header at ip; the sum of TCP or UDP behind it, which is right when it is 0xffff. */
static inline unsigned l4_total(const uint8_t *ip)
{
    unsigned head = (ip[0] & 15) * 4, len = get16(ip + 2) - head;

    return slow_sum(ip + head, len, slow_sum(ip + 12, 8, ip[9] + len));
}

static inline bool ip_sums_ok(const uint8_t *ip)
{
    return slow_sum(ip, (ip[0] & 15) * 4, 0) == 0xffff && l4_total(ip) == 0xffff;
}

static inline void frame_ether(uint8_t *f, const uint8_t *dst, unsigned type)
{
    memcpy(f, dst, 6);
    memcpy(f + 6, mac_other, 6);
    set16(f + 12, type);
}

/* IPv4 with n bytes of data in TCP or UDP at f + 14; no sums yet. Returns the frame's length. */
static inline size_t frame_ip4(uint8_t *f, unsigned proto, size_t n)
{
    static const uint8_t addrs[8] = { 10, 1, 2, 3, 192, 168, 77, 254 };
    size_t head = proto == 6 ? 20 : 8;
    uint8_t *ip = f + FRAME_IP, *l4 = f + FRAME_L4;

    frame_ether(f, mac_card, 0x0800);
    memset(ip, 0, 20 + head);
    ip[0] = 0x45;
    set16(ip + 2, 20 + head + n);
    set16(ip + 4, 0x4321);
    ip[8] = 64;
    ip[9] = proto;
    memcpy(ip + 12, addrs, 8);
    set16(l4, 1234);
    set16(l4 + 2, 80);
    if (proto == 6) {
        memcpy(l4 + 4, (const uint8_t[]){ 0xff, 0xff, 0xfe, 0x00 }, 4); /* seq: will wrap */
        l4[12] = 0x50;
        l4[13] = 0x19; /* ACK PSH FIN */
    } else {
        set16(l4 + 4, 8 + n);
    }
    for (size_t i = 0; i < n; i++)
        l4[head + i] = i * 7 + i / 256;
    return FRAME_L4 + head + n;
}

static inline void frame_sums(uint8_t *f)
{
    uint8_t *ip = f + FRAME_IP, *sum = f + FRAME_L4 + (ip[9] == 6 ? 16 : 6);

    set16(ip + 10, 0);
    set16(ip + 10, 0xffff - slow_sum(ip, 20, 0));
    set16(sum, 0);
    set16(sum, 0xffff - l4_total(ip));
}

/* A cable for the card of the next qt_add(). The test ends with cable_end(). */
static inline struct net *cable(struct qt *t)
{
    struct err err = { "" };
    struct net *n = net_open_mem(&err);

    CHECK(n != NULL);
    qt_config(t, "mac", MAC_TEXT);
    qt_config_obj(t, "net", n);
    return n;
}

static inline void cable_end(struct qt *t, struct net *n)
{
    while (t->ndevs) { /* the card goes before its cable */
        device_free(t->devs[--t->ndevs]);
        config_free(&t->cfgs[t->ndevs]);
    }
    net_close(n);
}

/* The other end sends a frame; a cable full of waiting ones drops it. */
static inline void hear_if_room(struct qt *t, struct net *n, const void *frame, size_t len)
{
    net_mem_put(n, frame, len);
    net_mem_run(n);
    qt_touched(t);
}

/* The other end sends a frame. Returns how many wait because the card has no room for them. */
static inline unsigned hear(struct qt *t, struct net *n, const void *frame, size_t len)
{
    unsigned left;

    CHECK(net_mem_put(n, frame, len));
    left = net_mem_run(n);
    qt_touched(t);
    return left;
}

/* The segments of one large send must be the original, cut. Returns how many there were. */
static inline unsigned check_segments(struct net *n, const uint8_t *orig, size_t len, size_t mss,
                                      unsigned vlan)
{
    size_t at = FRAME_TCP_DATA, got;
    unsigned count = 0;
    const uint8_t *f;

    while ((f = net_mem_get(n, &got))) {
        size_t skip = vlan ? 4 : 0, part = got - skip - FRAME_TCP_DATA;
        bool last = at + part == len;
        const uint8_t *ip = f + FRAME_IP + skip;

        CHECK(part == mss || last);
        CHECK(!memcmp(f, orig, 12));
        if (vlan)
            CHECK_EQ(get32(f + 12), 0x81000000 | vlan);
        CHECK_EQ(get16(ip + 2), got - FRAME_IP - skip);
        CHECK_EQ(get16(ip + 4), 0x4321 + count);
        CHECK(ip_sums_ok(ip));
        CHECK_EQ(get32(ip + 24), get32(orig + FRAME_L4 + 4) + (uint32_t)(at - FRAME_TCP_DATA));
        CHECK_EQ(ip[33], last ? 0x19 : 0x10);
        CHECK(!memcmp(ip + 40, orig + at, part));
        at += part;
        count++;
    }
    CHECK_EQ(at, len);
    return count;
}

static inline unsigned accesses(const struct qt *t)
{
    return t->reload ? 4000 : 200000; /* the reloading run is some fifty times slower */
}
