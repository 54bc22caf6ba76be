/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The UHCI schedule: UHCI Design Guide 1.1, §3 (frame list, transfer
 * descriptors, queue heads) and §1.3-1.4 (how they are executed).
 *
 * A real controller fetches the schedule a thousand times a second, whether or
 * not there is anything in it. Here it is looked at in each frame only while
 * transfers go on. When all that is left is polling of endpoints that have
 * nothing to say, the gaps between looks double up to IDLE_GAP frames, and a
 * device that has something to say calls uhci_input(): the next look is then at
 * the very frame in which it is polled. Drivers ring no bell when they queue a
 * transfer, so a look now and then remains; before each gap the whole
 * frame list is walked, so that no work in a frame to come is passed over.
 * FRNUM is computed from the time when it is read.
 */
#include <assert.h>
#include <string.h>
#include "hw/uhci-int.h"

#define LINK_END   1u
#define LINK_QH    2u
#define LINK_DEPTH 4u
#define LINK_ADDR  0xfffffff0u

/* Control and status, §3.2.2 */
#define TD_ACTLEN  0x000007ffu
#define TD_TIMEOUT (1u << 18)
#define TD_NAK     (1u << 19)
#define TD_BABBLE  (1u << 20)
#define TD_STALLED (1u << 22)
#define TD_ACTIVE  (1u << 23)
#define TD_IOC     (1u << 24)
#define TD_ISO     (1u << 25)
#define TD_CERR    (3u << 27)
#define TD_CERR_1  (1u << 27)
#define TD_SPD     (1u << 29)
#define TD_RESULT  (0x3fu << 17) /* status bits that a transaction sets */

#define MAX_DATA     1280 /* bytes in a packet, §3.2.3; a longer one halts the controller */
#define NO_DATA      0x7ff
#define FRAME_BYTES  1280 /* that a frame has time for */
#define PACKET_BYTES 14   /* of which a transaction's tokens and gaps take some */
#define FETCHES      128  /* descriptors looked at in a frame */
#define CATCH_UP     8    /* frames made up for when the host was late */
#define BUSY_FRAMES  40   /* after a transfer, before gaps grow */
#define IDLE_GAP_LOG 8    /* at most 256 ms between looks */
#define INPUT_LOG    3    /* after input: a driver that is slow to ask again is met in 8 ms */
#define SEEN         256  /* descriptors that a walk through all frames remembers */
#define WALK_FETCHES 1024

struct td {
    uint32_t link, ctrl, token, buffer;
};
struct qh {
    uint32_t head, element;
};
static_assert(sizeof(struct td) == 16 && sizeof(struct qh) == 8, "UHCI 1.1 §3.2, §3.3");

/* Descriptors visited: open addressing; 0 is free, so addresses go in with a bit set. */
struct seen {
    uint32_t at[SEEN];
    unsigned n;
};

static bool seen_before(struct seen *s, uint32_t link)
{
    uint32_t key = link | LINK_END;
    unsigned i = (link >> 4) * 2654435761u >> 24;

    for (unsigned k = 0; k < SEEN; k++, i = (i + 1) % SEEN) {
        if (s->at[i] == key)
            return true;
        if (s->at[i])
            continue;
        s->at[i] = key;
        s->n++;
        return false;
    }
    return false; /* full: the caller looks at n */
}

struct frame {
    unsigned fetches, bytes;
    uint8_t cause; /* for the interrupt at its end */
    bool error;
    bool progress; /* a transaction was made, or a descriptor asked for an interrupt */
    bool bulk;     /* and it was more than a report fetched from endpoint 1 */
    struct seen heads;
};

/* ---- time ---- */

static bool running(const struct uhci *u)
{
    return u->s.cmd & CMD_RS;
}

uint16_t uhci_frnum(const struct uhci *u)
{
    int64_t now, frames;

    if (!running(u))
        return u->s.frnum;
    now = platform_now(u->pci.dev.plat);
    if (now >= u->due)
        frames = (now - u->due) / FRAME_NS;
    else
        frames = -((u->due - now + FRAME_NS - 1) / FRAME_NS);
    return (uint16_t)(u->s.frnum + frames) & FRNUM_MAX;
}

/* The next look is when the counter will have gone `frames` beyond `from`, which it is now. */
static void look_in(struct uhci *u, uint16_t from, unsigned frames)
{
    uint16_t next = (uint16_t)(from + frames) & FRNUM_MAX;
    int diff = (int)next - (int)u->s.frnum;

    if (diff > FRNUM_MAX / 2)
        diff -= FRNUM_MAX + 1;
    else if (diff < -FRNUM_MAX / 2)
        diff += FRNUM_MAX + 1;
    u->due += diff * FRAME_NS;
    u->s.frnum = next;
    timer_set(u->pci.dev.plat, &u->s.frame, u->due);
}

/* ---- one transaction ---- */

static struct usb_dev *find_device(const struct uhci *u, unsigned addr)
{
    for (unsigned i = 0; i < USB_PORTS; i++) {
        struct usb_dev *d = u->bus.port[i];
        uint16_t bits = u->s.port[i] & (PORT_ENABLED | PORT_SUSPEND | PORT_RESET);

        if (d && bits == PORT_ENABLED && d->s->addr == addr)
            return d;
    }
    return NULL;
}

static unsigned td_max(const struct td *td)
{
    unsigned n = td->token >> 21;

    return n == NO_DATA ? 0 : n + 1;
}

static uint8_t td_pid(const struct td *td)
{
    return td->token & 0xff;
}

/* Sends or fetches the packet. False: memory that is none; the controller has been halted. */
static bool transact(struct uhci *u, const struct td *td, int *result)
{
    struct usb_dev *d = find_device(u, td->token >> 8 & 0x7f);
    unsigned ep = td->token >> 15 & 15, len = td_max(td);
    uint8_t data[MAX_DATA];
    bool in = td_pid(td) == USB_PID_IN;

    *result = USB_NO_ANSWER;
    if (!in && len && pci_dma_read(&u->pci, td->buffer, data, len)) {
        uhci_halt(u, STS_HSE);
        return false;
    }
    if (d)
        *result = usb_packet(d, td_pid(td), ep, data, len);
    if (in && *result > 0 && pci_dma_write(&u->pci, td->buffer, data, (size_t)*result)) {
        uhci_halt(u, STS_HSE);
        return false;
    }
    return true;
}

/* §3.2.2: no answer counts the error counter down; at 0 (a counter of 0 never gets there) it ends.
 */
static uint32_t no_answer(struct frame *f, uint32_t ctrl)
{
    uint32_t left = ctrl & TD_CERR;

    ctrl |= TD_TIMEOUT;
    if (left)
        ctrl -= TD_CERR_1;
    if (left != TD_CERR_1)
        return ctrl;
    f->error = true;
    return (ctrl & ~TD_ACTIVE) | TD_STALLED;
}

static uint32_t new_status(struct frame *f, const struct td *td, int result)
{
    uint32_t ctrl = td->ctrl & ~TD_RESULT;

    if (result >= 0)
        return (ctrl & ~(TD_ACTIVE | TD_ACTLEN)) | (((unsigned)result - 1u) & TD_ACTLEN);
    if (td->ctrl & TD_ISO) { /* there is no second try */
        f->error = true;
        return (ctrl & ~TD_ACTIVE) | TD_TIMEOUT;
    }
    if (result == USB_NAK)
        return ctrl | TD_NAK;
    if (result == USB_NO_ANSWER)
        return no_answer(f, ctrl);
    f->error = true;
    ctrl = (ctrl & ~TD_ACTIVE) | TD_STALLED;
    return result == USB_BABBLE ? ctrl | TD_BABBLE : ctrl;
}

static bool is_valid(struct uhci *u, const struct td *td)
{
    uint8_t pid = td_pid(td);

    if ((pid == USB_PID_IN || pid == USB_PID_OUT || pid == USB_PID_SETUP) && td_max(td) <= MAX_DATA)
        return true;
    guest_err(&u->pci.dev, "a transfer descriptor with token %08x", td->token);
    uhci_halt(u, STS_HCPE);
    return false;
}

/*
 * Executes a TD. True: it is done, and a queue goes on to the one behind it.
 * The controller may be halted after this.
 */
static bool run_td(struct uhci *u, struct frame *f, uint32_t at, const struct td *td)
{
    bool retired, short_one = false;
    uint32_t ctrl;
    int result;

    if (!(td->ctrl & TD_ACTIVE)) {
        if (td->ctrl & TD_IOC) { /* §3.2.2: this interrupt comes even so */
            f->cause |= CAUSE_IOC;
            f->progress = f->bulk = true;
        }
        return false;
    }
    if (!is_valid(u, td) || !transact(u, td, &result))
        return false;
    f->bytes += PACKET_BYTES + (result > 0 ? (unsigned)result : 0);
    ctrl = new_status(f, td, result);
    if (ctrl != td->ctrl && dma_put(&u->pci.dev, at + 4, &ctrl)) {
        uhci_halt(u, STS_HSE);
        return false;
    }
    retired = !(ctrl & TD_ACTIVE);
    f->progress |= retired || result == USB_NO_ANSWER;
    f->bulk |= retired ? !(td->token >> 15 & 15) || result < 0 : result == USB_NO_ANSWER;
    if (!retired)
        return false;
    if (td->ctrl & TD_IOC)
        f->cause |= CAUSE_IOC;
    if (result < 0)
        return (td->ctrl & TD_ISO) != 0;
    if ((td->ctrl & TD_SPD) && td_pid(td) == USB_PID_IN)
        short_one = (unsigned)result < td_max(td);
    if (short_one)
        f->cause |= CAUSE_SHORT;
    return !short_one;
}

/* ---- one frame ---- */

static bool fetch(struct uhci *u, uint32_t at, void *to, size_t len)
{
    if (!pci_dma_read(&u->pci, at, to, len))
        return true;
    uhci_halt(u, STS_HSE);
    return false;
}

/* The TDs at the front of a queue. Returns where to go on. */
static uint32_t run_queue(struct uhci *u, struct frame *f, uint32_t at)
{
    struct td td;
    struct qh qh;

    if (!fetch(u, at, &qh, sizeof(qh)))
        return LINK_END;
    if (qh.element & LINK_END)
        return qh.head;
    if (qh.element & LINK_QH)
        return qh.element;
    while (f->fetches < FETCHES && f->bytes < FRAME_BYTES) {
        f->fetches++;
        if (!fetch(u, qh.element & LINK_ADDR, &td, sizeof(td)) ||
            !run_td(u, f, qh.element & LINK_ADDR, &td))
            break;
        qh.element = td.link;
        if (dma_put(&u->pci.dev, at + 4, &qh.element)) {
            uhci_halt(u, STS_HSE);
            break;
        }
        if (!(td.link & LINK_DEPTH) || (td.link & (LINK_END | LINK_QH)))
            break; /* breadth first: the other queues have their turn */
    }
    return qh.head;
}

static uint32_t run_lone_td(struct uhci *u, struct frame *f, uint32_t at)
{
    struct td td;

    if (!fetch(u, at, &td, sizeof(td)))
        return LINK_END;
    run_td(u, f, at, &td);
    return td.link;
}

/* Ends with the chain, the frame's time, or a second round in which nothing moves any more. */
static void run_frame(struct uhci *u, struct frame *f, uint32_t link)
{
    bool moved = false;

    while (!(link & LINK_END) && running(u) && f->fetches++ < FETCHES && f->bytes < FRAME_BYTES) {
        bool before = f->progress;

        if ((link & LINK_QH) && seen_before(&f->heads, link & LINK_ADDR)) {
            if (!moved)
                return;
            memset(&f->heads, 0, sizeof(f->heads));
            moved = false;
        }
        f->progress = false;
        link = link & LINK_QH ? run_queue(u, f, link & LINK_ADDR)
                              : run_lone_td(u, f, link & LINK_ADDR);
        moved |= f->progress;
        f->progress |= before;
    }
}

static void one_frame(struct uhci *u, uint16_t number)
{
    struct frame f = { 0 };
    uint32_t link;

    if (!fetch(u, u->s.base + 4 * (number % FRAMES), &link, sizeof(link)))
        return;
    run_frame(u, &f, link);
    if (f.bulk)
        u->s.busy = BUSY_FRAMES;
    else if (f.progress && u->s.backoff > 1)
        u->s.backoff = 1;
    if (f.cause) {
        u->s.sts |= STS_USBINT;
        u->s.cause |= f.cause;
    }
    if (f.error)
        u->s.sts |= STS_ERR;
}

/* ---- when to look again ---- */

/* Would this TD do anything if it were executed now? */
static bool is_work(const struct uhci *u, const struct td *td)
{
    const struct usb_dev *d;

    if (!(td->ctrl & TD_ACTIVE))
        return td->ctrl & TD_IOC;
    d = find_device(u, td->token >> 8 & 0x7f);
    return !d || !usb_would_nak(d, td_pid(td), td->token >> 15 & 15);
}

/* Is there work in this chain? What has been seen before had none. left: fetches. */
static bool chain_has_work(struct uhci *u, uint32_t link, struct seen *seen, unsigned *left)
{
    while (!(link & LINK_END)) {
        struct td td;
        struct qh qh;

        if (seen_before(seen, link & (LINK_ADDR | LINK_QH)))
            return false;
        if (!*left || seen->n >= SEEN - 1)
            return true; /* too long to know */
        --*left;
        if (!(link & LINK_QH)) {
            if (pci_dma_read(&u->pci, link & LINK_ADDR, &td, sizeof(td)) || is_work(u, &td))
                return true;
            link = td.link;
            continue;
        }
        if (pci_dma_read(&u->pci, link & LINK_ADDR, &qh, sizeof(qh)))
            return true;
        link = qh.head;
        if (qh.element & LINK_END)
            continue;
        if (qh.element & LINK_QH) {
            link = qh.element;
            continue;
        }
        if (pci_dma_read(&u->pci, qh.element & LINK_ADDR, &td, sizeof(td)) || is_work(u, &td))
            return true;
    }
    return false;
}

/* How many frames after `now` is the first, up to max, that has work? max: none before it. */
static unsigned frames_to_work(struct uhci *u, uint16_t now, unsigned max)
{
    struct seen seen = { { 0 }, 0 };
    unsigned left = WALK_FETCHES;
    uint32_t list[FRAMES];

    if (pci_dma_read(&u->pci, u->s.base, list, sizeof(list)))
        return 1; /* that frame will say so */
    for (unsigned n = 1; n < max; n++) {
        if (chain_has_work(u, list[(now + n) % FRAMES], &seen, &left))
            return n;
    }
    return max;
}

static void plan(struct uhci *u, uint16_t now)
{
    unsigned gap = 1;

    if (u->s.busy) {
        u->s.busy--;
    } else {
        gap = frames_to_work(u, now, 1u << u->s.backoff);
        if (u->s.backoff < IDLE_GAP_LOG)
            u->s.backoff++;
    }
    look_in(u, now, gap);
}

void uhci_due(void *uhci)
{
    struct uhci *u = uhci;
    uint16_t now = uhci_frnum(u);
    unsigned late = (now - u->s.frnum) & FRNUM_MAX;

    if (late >= CATCH_UP)
        late = CATCH_UP - 1;
    if (pci_cfg16(&u->pci, PCI_COMMAND) & PCI_COMMAND_MASTER) {
        for (unsigned i = 0; i <= late && running(u); i++)
            one_frame(u, (uint16_t)(now - late + i) & FRNUM_MAX);
    }
    if (running(u))
        plan(u, now);
    uhci_update_irq(u);
}

void uhci_run(struct uhci *u)
{
    u->s.busy = BUSY_FRAMES;
    u->s.backoff = 0;
    u->due = platform_now(u->pci.dev.plat);
    timer_set(u->pci.dev.plat, &u->s.frame, u->due);
}

void uhci_stop(struct uhci *u)
{
    timer_set(u->pci.dev.plat, &u->s.frame, TIMER_OFF);
    u->s.busy = u->s.backoff = 0;
}

void uhci_stir(struct uhci *u)
{
    if (!running(u) || u->s.frame.at == TIMER_OFF)
        return;
    u->s.busy = BUSY_FRAMES;
    u->s.backoff = 0;
    if (u->due - platform_now(u->pci.dev.plat) > FRAME_NS)
        look_in(u, uhci_frnum(u), 1);
}

void uhci_input(struct uhci *u)
{
    uint16_t now = uhci_frnum(u);
    unsigned gap;

    if (!running(u) || u->s.frame.at == TIMER_OFF)
        return;
    if (u->s.backoff > INPUT_LOG)
        u->s.backoff = INPUT_LOG;
    if (u->s.busy || u->due - platform_now(u->pci.dev.plat) <= FRAME_NS)
        return;
    gap = frames_to_work(u, now, 1u << INPUT_LOG);
    if (gap < ((u->s.frnum - now) & FRNUM_MAX))
        look_in(u, now, gap);
}
