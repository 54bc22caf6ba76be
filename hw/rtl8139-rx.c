/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RTL8139C+: receiving. C mode writes packets into one ring buffer (RTL8139C
 * datasheet 1.4 §5.5, §6: RBSTART, CAPR, CBR, "Rx buffer"), C+ mode into
 * descriptors (RTL8139C+ 1.6 §7.2). Not modelled: early receive interrupts,
 * wake-up frames, errors of the medium.
 */
#include <string.h>
#include "hw/rtl8139-int.h"

#define RX_FRAME_MAX 8184 /* with FCS it fits the 13 bits of a length */
#define RX_ROOM      1528 /* header, largest tagged frame, FCS; in whole dwords */
#define RX_CHAIN     16   /* descriptors of one frame, at most: a miss must cost little */
#define CAPR_LAG     16   /* the driver's pointer is this much behind (§5.5) */
#define CAPR_INIT    0xfff0
#define STARVED_NS   (2 * NS_PER_MS)

/* Status word of a packet in C mode; MAR, PAM and BAR are elsewhere in C+ mode (as 8139cp has them)
 */
#define RX_ROK     0x0001
#define RX_LONG    0x0008
#define RX_BAR     0x2000
#define RX_PAM     0x4000
#define RX_MAR     0x8000
#define CP_RX_SIZE 0x00001fff
#define CP_RX_MAR  0x04000000
#define CP_RX_PAM  0x02000000
#define CP_RX_BAR  0x01000000
#define CP_RX_TCP  0x00010000 /* PID1, PID0: what it carries */
#define CP_RX_UDP  0x00020000
#define CP_RX_IP   0x00030000
#define CP_RX_IPF  0x00008000 /* sum is wrong */
#define CP_RX_UDPF 0x00004000
#define CP_RX_TCPF 0x00002000
#define CP_RX_TAVA 0x00010000 /* second dword: a tag was taken out */
#define TYPE_TAG   0x8100
#define ETHER_TYPE 12

struct packet {
    uint16_t head[2]; /* C mode: status and length go before the frame */
    uint8_t data[RX_FRAME_MAX + NIC_FCS + 4];
};
_Static_assert(offsetof(struct packet, data) == 4, "one piece for DMA");

/* ---- which frames ---- */

/* MAR, PAM or BAR; RX_ROK alone for somebody else's; 0: not wanted. */
static uint16_t filter(const struct rtl8139 *r, const uint8_t *dst)
{
    uint32_t rcr = r->s.rcr;
    unsigned hash;

    if (nic_is_broadcast(dst))
        return rcr & RCR_AB ? RX_ROK | RX_BAR : 0;
    if (dst[0] & 1) {
        hash = nic_hash_be(dst); /* §5.4 MAR */
        return (rcr & RCR_AM) && (r->s.mar[hash / 8] >> hash % 8 & 1) ? RX_ROK | RX_MAR : 0;
    }
    if (!memcmp(dst, r->s.idr, sizeof(r->s.idr)) && (rcr & (RCR_APM | RCR_AAP)))
        return RX_ROK | RX_PAM;
    return rcr & RCR_AAP ? RX_ROK : 0;
}

static void count_good(struct rtl8139 *r, uint16_t status)
{
    r->s.tally.rx_ok++;
    if (status & RX_PAM)
        r->s.tally.rx_ok_phys++;
    if (status & RX_BAR)
        r->s.tally.rx_ok_bcast++;
    if (status & RX_MAR)
        r->s.tally.rx_ok_mcast++;
    r->s.isr |= ISR_ROK;
}

static void count_missed(struct rtl8139 *r)
{
    if (r->s.mpc < 0xffffff)
        r->s.mpc++;
    r->s.tally.missed++;
    r->s.isr |= ISR_RXOVW;
}

/* ---- C mode ---- */

static uint32_t ring_free(const struct rtl8139 *r)
{
    uint32_t size = RCR_RBLEN(r->s.rcr), read = (r->s.capr + CAPR_LAG) & (size - 1);

    return size - ((r->s.rx_at - read) & (size - 1));
}

bool rtl_rx_empty(const struct rtl8139 *r)
{
    return ring_free(r) == RCR_RBLEN(r->s.rcr);
}

void rtl_rx_start(struct rtl8139 *r)
{
    r->s.rx_at = 0;
    r->s.capr = CAPR_INIT;
    r->s.rx_desc = 0;
}

/* With WRAP a packet that reaches the end goes on behind it (RCR bit 7); 64K has no behind. */
static int ring_write(struct rtl8139 *r, const uint8_t *p, uint32_t len)
{
    uint32_t size = RCR_RBLEN(r->s.rcr), at = r->s.rx_at & (size - 1), part = size - at;
    int rc;

    if (part >= len || ((r->s.rcr & RCR_WRAP) && size != 65536))
        return pci_dma_write(&r->pci, (uint64_t)r->s.rbstart + at, p, len);
    rc = pci_dma_write(&r->pci, (uint64_t)r->s.rbstart + at, p, part);
    return rc ? rc : pci_dma_write(&r->pci, r->s.rbstart, p + part, len - part);
}

static void ring_put(struct rtl8139 *r, struct packet *p, uint32_t len, uint16_t status)
{
    uint32_t need = (sizeof(p->head) + len + 3) & ~3u;

    if (need >= ring_free(r)) {
        count_missed(r);
        return;
    }
    p->head[0] = status;
    p->head[1] = len;
    if (ring_write(r, (const uint8_t *)p, sizeof(p->head) + len)) {
        r->s.isr |= ISR_SERR;
        return;
    }
    r->s.rx_at = (r->s.rx_at + need) & (RCR_RBLEN(r->s.rcr) - 1);
    count_good(r, status);
}

/* ---- C+ mode ---- */

static uint64_t desc_gpa(const struct rtl8139 *r, unsigned i)
{
    return (rtl_addr(r->s.rdsar) & ~0xffULL) + i * sizeof(struct cp_desc);
}

static bool desc_get(struct rtl8139 *r, unsigned i, struct cp_desc *d)
{
    return !pci_dma_read(&r->pci, desc_gpa(r, i), d, sizeof(*d)) && (d->opts & CP_OWN);
}

static unsigned desc_next(const struct cp_desc *d, unsigned i)
{
    return (d->opts & CP_EOR) || i + 1 >= CP_RING ? 0 : i + 1;
}

/* The descriptors that hold len bytes, into d[]; 0: the driver has not given enough. */
static unsigned desc_gather(struct rtl8139 *r, uint32_t len, struct cp_desc *d)
{
    unsigned at = r->s.rx_desc;

    for (unsigned n = 0; n < RX_CHAIN; n++) {
        uint32_t size;

        if ((n && at == r->s.rx_desc) || !desc_get(r, at, &d[n]))
            return 0;
        size = d[n].opts & CP_RX_SIZE;
        if (size >= len)
            return n + 1;
        len -= size;
        at = desc_next(&d[n], at);
    }
    return 0;
}

static uint32_t cp_sums(const struct rtl8139 *r, const uint8_t *frame, uint32_t len)
{
    struct nic_ip4 ip;
    uint32_t st;

    if (!(r->s.cpcr & CPCR_RXCHK) || !nic_ip4(&ip, frame, len))
        return 0;
    st = ip.tcp ? CP_RX_TCP : ip.udp ? CP_RX_UDP : CP_RX_IP;
    if (!nic_ip4_sum_ok(&ip, frame))
        st |= CP_RX_IPF;
    if ((ip.tcp || ip.udp) && !nic_knows_sums(&r->nic) && !nic_l4_sum_ok(&ip, frame))
        st |= ip.tcp ? CP_RX_TCPF : CP_RX_UDPF;
    return st;
}

/* Takes the tag out of the frame; what the second dword says of it. */
static uint32_t cp_untag(const struct rtl8139 *r, struct packet *p, uint32_t *len)
{
    uint32_t tag;

    if (!(r->s.cpcr & CPCR_RXVLAN) || net_be16(p->data + ETHER_TYPE) != TYPE_TAG)
        return 0;
    tag = p->data[ETHER_TYPE + 2] | p->data[ETHER_TYPE + 3] << 8; /* in the order of the wire */
    *len -= NIC_TAG;
    memmove(p->data + ETHER_TYPE, p->data + ETHER_TYPE + NIC_TAG, *len - ETHER_TYPE);
    return CP_RX_TAVA | tag;
}

/* Fills one descriptor and gives it back: the buffer first, the owner bit last. */
static int cp_fill(struct rtl8139 *r, unsigned i, const struct cp_desc *d, const uint8_t *data,
                   uint32_t len, uint32_t opts, uint32_t vlan)
{
    uint32_t done[2] = { opts | (d->opts & CP_EOR), vlan };

    if (pci_dma_write(&r->pci, rtl_desc_addr(d), data, len) ||
        pci_dma_write(&r->pci, desc_gpa(r, i) + 4, &done[1], 4))
        return -1;
    return pci_dma_write(&r->pci, desc_gpa(r, i), done, 4);
}

static void cp_put(struct rtl8139 *r, struct packet *p, uint32_t len, uint16_t status)
{
    uint32_t opts = cp_sums(r, p->data, len - NIC_FCS), vlan = cp_untag(r, p, &len), at = 0;
    struct cp_desc d[RX_CHAIN];
    unsigned n = desc_gather(r, len, d);

    if (!n) {
        count_missed(r);
        return;
    }
    opts |= (status & RX_MAR ? CP_RX_MAR : 0) | (status & RX_PAM ? CP_RX_PAM : 0) |
            (status & RX_BAR ? CP_RX_BAR : 0);
    for (unsigned i = 0; i < n; i++) {
        uint32_t size = d[i].opts & CP_RX_SIZE, part = len - at < size ? len - at : size;
        uint32_t ends = (i == 0 ? CP_FS : 0) | (i == n - 1 ? CP_LS | opts | len : size);

        if (cp_fill(r, r->s.rx_desc, &d[i], p->data + at, part, ends, vlan)) {
            r->s.isr |= ISR_SERR;
            return;
        }
        at += part;
        r->s.rx_desc = desc_next(&d[i], r->s.rx_desc);
    }
    count_good(r, status);
}

/* ---- the cable ---- */

static bool has_room(struct rtl8139 *r)
{
    struct cp_desc d;

    if (!(r->s.cr & CR_RE))
        return true; /* nobody listens: the frame passes by */
    return rtl_cplus_rx(r) ? desc_get(r, r->s.rx_desc, &d) : ring_free(r) > RX_ROOM;
}

bool rtl_can_receive(void *dev)
{
    struct rtl8139 *r = RTL(dev);

    if (has_room(r))
        return true;
    r->s.waiting = true;
    rtl_rx_room(r);
    return false;
}

void rtl_rx_room(struct rtl8139 *r)
{
    struct platform *plat = r->pci.dev.plat;

    if (!r->s.waiting)
        return;
    if (has_room(r)) {
        r->s.waiting = false;
        timer_stop(plat, &r->s.starved);
        net_kick(r->nic.net);
    } else if (rtl_cplus_rx(r) && r->s.starved.at == TIMER_OFF) {
        timer_set(plat, &r->s.starved, platform_now(plat) + STARVED_NS);
    }
}

void rtl_receive(void *dev, const uint8_t *frame, size_t len)
{
    struct rtl8139 *r = RTL(dev);
    struct packet p;
    uint32_t fcs;
    uint16_t status = len >= 6 && (r->s.cr & CR_RE) ? filter(r, frame) : 0;

    if (!status)
        return;
    if (len > RX_FRAME_MAX) {
        r->s.tally.rx_err++;
        r->s.isr |= ISR_RER;
        rtl_sync(&r->pci.dev);
        return;
    }
    memcpy(p.data, frame, len);
    if (len < NIC_MIN_FRAME) { /* as its sender's card does */
        memset(p.data + len, 0, NIC_MIN_FRAME - len);
        len = NIC_MIN_FRAME;
    }
    fcs = nic_fcs(p.data, len);
    memcpy(p.data + len, &fcs, NIC_FCS);
    if (rtl_cplus_rx(r))
        cp_put(r, &p, len + NIC_FCS, status);
    else
        ring_put(r, &p, len + NIC_FCS, status);
    rtl_sync(&r->pci.dev);
}
