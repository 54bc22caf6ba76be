/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The UHCI itself: registers, ports, what it does with a schedule, and how seldom it looks. */
#include "tests/unit/uhci-util.h"

static struct qt *start(void)
{
    struct qt *t = qt_new();

    qt_add(t, &piix3_uhci_type.dev, UHCI_DEVFN);
    qt_add(t, &usb_tablet_type, -1);
    uhci_setup(t);
    return t;
}

/* Lets `n` ms go by as a world does it: only timers wake the device. Returns how often they did. */
static unsigned wakeups(struct qt *t, unsigned n)
{
    int64_t end = t->now + n * NS_PER_MS, next;
    unsigned woken = 0;

    while ((next = timers_next(&t->plat)) <= end) {
        t->now = next > t->now ? next : t->now;
        timers_run(&t->plat, t->now);
        qt_touched(t);
        woken++;
    }
    t->now = end;
    return woken;
}

TEST(registers_after_power_on_and_as_they_are_written)
{
    struct qt *t = start();

    CHECK_EQ(cfg_read(t, UHCI_DEVFN, 0, 4), 0x70208086);
    CHECK_EQ(cfg_read(t, UHCI_DEVFN, 8, 4), 0x0c030001);
    CHECK_EQ(cfg_read(t, UHCI_DEVFN, 0x3d, 1), 4);
    CHECK_EQ(cfg_read(t, UHCI_DEVFN, 0x60, 1), 0x10);
    CHECK_EQ(cfg_read(t, UHCI_DEVFN, 0xc0, 2), 0x2000);
    CHECK_EQ(inw(t, UHCI), 0);
    CHECK_EQ(inw(t, UHCI + 2), 0x20);
    CHECK_EQ(inb(t, UHCI + 0x0c), 0x40);
    CHECK_EQ(inw(t, UHCI + 0x14) & 0x80, 0); /* there is no third port */
    outl(t, UHCI + 8, 0x12345fff);
    CHECK_EQ(inl(t, UHCI + 8), 0x12345000);
    outw(t, UHCI + 6, 0xffff);
    CHECK_EQ(inw(t, UHCI + 6), 0x7ff);
    outb(t, UHCI + 0x0c, 0x3f);
    outb(t, UHCI + 5, 0xff); /* the upper half of USBINTR holds nothing */
    CHECK_EQ(inw(t, UHCI + 4), 0x0f);
    outb(t, UHCI + 4, 0x05);
    CHECK_EQ(inl(t, UHCI + 4), 0x07ff0005);
    outw(t, UHCI, 0x0002);
    CHECK_EQ(inw(t, UHCI), 0);
    CHECK_EQ(inl(t, UHCI + 4), 0);
    CHECK_EQ(inb(t, UHCI + 0x0c), 0x40);
}

TEST(frnum_counts_milliseconds_though_nobody_looks)
{
    struct qt *t = start();
    uint16_t from;

    outw(t, UHCI + 6, 0x3fe);
    uhci_go(t);
    CHECK_EQ(inw(t, UHCI + 2), 0);
    CHECK_EQ(inw(t, UHCI + 6), 0x3fe);
    clock_step(t, NS_PER_MS);
    CHECK_EQ(inw(t, UHCI + 6), 0x3ff);
    clock_step(t, 2 * NS_PER_MS);
    CHECK_EQ(inw(t, UHCI + 6), 0x401);
    wakeups(t, 3000); /* it sleeps by now */
    from = inw(t, UHCI + 6);
    CHECK_EQ(from, (0x401 + 3000) & 0x7ff);
    for (unsigned i = 1; i < 300; i++) {
        t->now += NS_PER_MS;
        if (timers_next(&t->plat) <= t->now)
            timers_run(&t->plat, t->now);
        CHECK_EQ(inw(t, UHCI + 6), (from + i) & 0x7ff);
    }
    outw(t, UHCI, 0);
    CHECK_EQ(inw(t, UHCI + 2), 0x20);
    CHECK_EQ(inw(t, UHCI + 6), (from + 299) & 0x7ff);
    clock_step(t, 9 * NS_PER_MS);
    CHECK_EQ(inw(t, UHCI + 6), (from + 299) & 0x7ff);
}

TEST(a_guest_that_waits_for_input_costs_four_wake_ups_a_second)
{
    struct qt *t = start();

    uhci_go(t);
    enumerate(t, 0, 1);
    poll_start(t, 1, 8); /* NAKed, in every eighth frame */
    wakeups(t, 1000);
    CHECK(wakeups(t, 60000) <= 60 * 4);
    CHECK(!poll_done(t));
    CHECK_EQ(ram32(t, POLL_TD + 4) & (TD_ACTIVE | TD_NAKED | TD_CERR3),
             TD_ACTIVE | TD_NAKED | TD_CERR3);
    CHECK_EQ(inw(t, UHCI + 2), 1); /* of the enumeration; nothing since */
}

TEST(input_is_fetched_in_the_frame_that_polls_for_it)
{
    struct qt *t = start();
    struct display *d = display_new(NULL);

    qt_no_reload(t, "the tablet is made without this display");
    device_free(t->devs[1]);
    config_set_obj(&t->cfgs[1], "display", d);
    t->devs[1] = device_new(&t->plat, &usb_tablet_type, "tablet", -1, &t->cfgs[1], NULL);
    uhci_go(t);
    enumerate(t, 0, 1);
    poll_start(t, 1, 8);
    wakeups(t, 5000);
    for (unsigned i = 0; i < 20; i++) {
        unsigned n;

        wakeups(t, 500 + 77 * i);
        display_pointer(d, 1, 1, 0, i & 1 ? 0 : 1);
        n = wakeups(t, 8); /* the longest that a poll is away */
        CHECK(poll_done(t));
        CHECK_EQ(t->ram[POLL_AT], i & 1 ? 0 : 1);
        CHECK(n <= 4);
        CHECK(intx(t, 1, 3));
        CHECK_EQ(inw(t, UHCI + 2) & 3, 1);
        outw(t, UHCI + 2, 3);
        CHECK(!intx(t, 1, 3));
        poll_start(t, 1, 8);
    }
    device_free(t->devs[1]);
    config_free(&t->cfgs[1]);
    t->ndevs = 1;
    display_free(d);
}

TEST(a_transfer_queued_while_it_sleeps_is_found)
{
    struct qt *t = start();

    uhci_go(t);
    port_enable(t, 0);
    wakeups(t, 5000);
    CHECK_EQ(request(t, 0, 0x80, 6, 0x0100, 0, 18), 18);
    wakeups(t, 5000);
    CHECK_EQ(request(t, 0, 0, 5, 9, 0, 0), 0);
    CHECK_EQ(request(t, 9, 0x80, 6, 0x0100, 0, 18), 18);
}

TEST(an_interrupt_asked_for_in_one_frame_comes_in_that_frame)
{
    struct qt *t = start();
    uint16_t frame;

    /* inactive, with IOC, in frame 700 only: drivers mark times so */
    put_td(t, TDS, TERMINATE, TD_IOC, td_token(USB_PID_IN, 0x7f, 0, 0), 0);
    put32(t, FRAMES_AT + 4 * 700, TDS);
    uhci_go(t);
    for (unsigned round = 0; round < 3; round++) {
        while (!intx(t, 1, 3) && t->now < 9 * NS_PER_S)
            wakeups(t, 1);
        frame = inw(t, UHCI + 6);
        CHECK_EQ(frame & 0x3ff, 700);
        outw(t, UHCI + 2, 1);
        wakeups(t, 1);
        CHECK(!intx(t, 1, 3));
    }
}

TEST(nobody_answers_three_times_and_the_transfer_ends)
{
    struct qt *t = start();

    uhci_go(t);
    port_enable(t, 0);
    CHECK_EQ(request(t, 55, 0x80, 6, 0x0100, 0, 18), -2);
    CHECK_EQ(ram32(t, TDS + 4) & (TD_CERR3 | TD_ACTIVE | TD_STALLED), TD_STALLED);
    CHECK_EQ(inw(t, UHCI + 2), 2);
    CHECK(intx(t, 1, 3));
    outw(t, UHCI + 4, 0x0e); /* error interrupts off */
    CHECK(!intx(t, 1, 3));
    /* with two tries left, one frame takes one */
    put_td(t, TDS, TERMINATE, TD_ACTIVE | TD_CERR2, td_token(USB_PID_IN, 55, 0, 8), DATA_AT);
    put32(t, CTRL_QH + 4, TDS);
    ms(t, 1);
    CHECK_EQ(ram32(t, TDS + 4) & (TD_CERR3 | TD_ACTIVE | TD_TIMEOUT),
             1u << 27 | TD_ACTIVE | TD_TIMEOUT);
}

TEST(short_packets_stop_their_queue_and_interrupt)
{
    struct qt *t = start();

    uhci_go(t);
    enumerate(t, 0, 1);
    outw(t, UHCI + 2, 0x3f);
    outw(t, UHCI + 4, 0x08); /* short packets only */
    memcpy(t->ram + SETUP_AT, "\x80\x06\x00\x01\x00\x00\x40\x00", 8);
    put_td(t, TDS, (TDS + 32) | 4, TD_ACTIVE | TD_CERR3, td_token(USB_PID_SETUP, 1, 0, 8),
           SETUP_AT);
    put_td(t, TDS + 32, (TDS + 64) | 4, TD_ACTIVE | TD_CERR3 | TD_SPD,
           td_token(USB_PID_IN, 1, 0, 64), DATA_AT);
    put_td(t, TDS + 64, TERMINATE, TD_ACTIVE | TD_CERR3, td_token(USB_PID_IN, 1, 0, 64), DATA_AT);
    put32(t, CTRL_QH + 4, TDS);
    ms(t, 20);
    CHECK_EQ(ram32(t, CTRL_QH + 4), (TDS + 32) | 4);
    CHECK_EQ(ram32(t, TDS + 36), TD_CERR3 | TD_SPD | 7);
    CHECK(ram32(t, TDS + 68) & TD_ACTIVE);
    CHECK(intx(t, 1, 3));
    CHECK_EQ(inw(t, UHCI + 2), 1);
    /* one byte less than was asked for is short; just as many are not */
    outw(t, UHCI + 2, 0x3f);
    for (unsigned len = 9; len >= 8; len--) {
        put_td(t, TDS, (TDS + 32) | 4, TD_ACTIVE | TD_CERR3, td_token(USB_PID_SETUP, 1, 0, 8),
               SETUP_AT);
        put_td(t, TDS + 32, TERMINATE, TD_ACTIVE | TD_CERR3 | TD_SPD,
               td_token(USB_PID_IN, 1, 0, len), DATA_AT);
        put32(t, CTRL_QH + 4, TDS);
        ms(t, 20);
        CHECK_EQ(ram32(t, TDS + 36), TD_CERR3 | TD_SPD | 7);
        CHECK_EQ(ram32(t, CTRL_QH + 4), len == 9 ? (TDS + 32) | 4 : TERMINATE);
        CHECK_EQ(inw(t, UHCI + 2), len == 9);
        outw(t, UHCI + 2, 0x3f);
    }
    /* a device that sends more than it is asked for babbles */
    put_td(t, TDS, TERMINATE, TD_ACTIVE | TD_CERR3, td_token(USB_PID_IN, 1, 0, 4), DATA_AT);
    put32(t, CTRL_QH + 4, TDS);
    ms(t, 20);
    CHECK_EQ(ram32(t, TDS + 4) & 0xff0000, 0x500000);
}

TEST(schedules_that_go_round_end)
{
    struct qt *t = start();

    qh_link(t, CTRL_QH, POLL_QH | IS_QH, TERMINATE); /* and POLL_QH points at CTRL_QH */
    qh_link(t, 0x20020, 0x20020 | IS_QH, 0x20020 | IS_QH);
    put_td(t, 0x26000, 0x26000, TD_ACTIVE | TD_CERR3, td_token(USB_PID_IN, 1, 1, 8), DATA_AT);
    put_td(t, 0x26040, 0x26040, 0, 0, 0);
    put32(t, FRAMES_AT + 4, 0x20020 | IS_QH);
    put32(t, FRAMES_AT + 8, 0x26000);
    put32(t, FRAMES_AT + 12, 0x26040);
    uhci_go(t);
    enumerate(t, 0, 1);
    for (unsigned i = 0; i < 4; i++)
        wakeups(t, 1000);
    CHECK_EQ(inw(t, UHCI + 2) & 0x38, 0); /* it runs */
    CHECK_EQ(request(t, 1, 0x80, 6, 0x0100, 0, 18), 18);
}

/* A device in reset forgets its address (USB 1.1 §9.1.1.3); USBCMD's GRESET resets them all. */
TEST(resets_take_the_address_away)
{
    struct qt *t = start();

    uhci_go(t);
    enumerate(t, 0, 1);
    CHECK_EQ(request(t, 1, 0x80, 6, 0x0100, 0, 18), 18);
    port_enable(t, 0); /* by way of its reset */
    CHECK_EQ(request(t, 1, 0x80, 6, 0x0100, 0, 18), -2);
    CHECK_EQ(request(t, 0, 0x80, 6, 0x0100, 0, 18), 18);
    enumerate(t, 0, 1);
    outb(t, UHCI + 0x0c, 0x3f);
    outw(t, UHCI, 0x00c4);
    CHECK_EQ(inw(t, UHCI), 0x00c4);
    CHECK_EQ(inl(t, UHCI + 4), 0);
    CHECK_EQ(inl(t, UHCI + 8), 0);
    CHECK_EQ(inb(t, UHCI + 0x0c), 0x40);
    CHECK_EQ(inw(t, UHCI + 0x10), 0x0093);
    outw(t, UHCI, 0x00c0);
    outl(t, UHCI + 8, FRAMES_AT);
    uhci_go(t);
    port_enable(t, 0);
    CHECK_EQ(request(t, 1, 0x80, 6, 0x0100, 0, 18), -2);
    CHECK_EQ(request(t, 0, 0x80, 6, 0x0100, 0, 18), 18);
}

TEST(another_frame_list_is_looked_at_at_once)
{
    struct qt *t = start();

    uhci_go(t);
    put_td(t, TDS, TERMINATE, TD_IOC, td_token(USB_PID_IN, 0x7f, 0, 0), 0);
    for (unsigned i = 0; i < 1024; i++)
        put32(t, FRAMES_AT + 0x1000 + 4 * i, TDS);
    wakeups(t, 5000); /* it looks four times a second by now */
    CHECK(!intx(t, 1, 3));
    outl(t, UHCI + 8, FRAMES_AT + 0x1000);
    wakeups(t, 2);
    CHECK(intx(t, 1, 3));
}

/* §3.2.2: an isochronous packet has one try; that nobody took it is an error, and no stall. */
TEST(isochronous_packets_have_one_try)
{
    struct qt *t = start();

    put_td(t, TDS, TERMINATE, TD_ACTIVE | 1u << 25, td_token(USB_PID_OUT, 99, 1, 8), DATA_AT);
    put32(t, FRAMES_AT, TDS);
    uhci_go(t);
    CHECK_EQ(ram32(t, TDS + 4) & (TD_ACTIVE | TD_STALLED | TD_TIMEOUT), TD_TIMEOUT);
    CHECK_EQ(inw(t, UHCI + 2), 2);
    CHECK(intx(t, 1, 3));
}

TEST(nonsense_in_the_schedule_halts_the_controller)
{
    struct qt *t = start();

    uhci_go(t);
    port_enable(t, 0);
    put_td(t, TDS, TERMINATE, TD_ACTIVE, 0x00e00012, DATA_AT); /* there is no PID 12 */
    put32(t, CTRL_QH + 4, TDS);
    ms(t, 300);
    CHECK_EQ(inw(t, UHCI + 2), 0x30);
    CHECK_EQ(inw(t, UHCI), 0xc0);
    CHECK(intx(t, 1, 3));
    outw(t, UHCI + 2, 0x3f);
    CHECK(!intx(t, 1, 3));
    put_td(t, TDS, TERMINATE, TD_ACTIVE, td_token(USB_PID_OUT, 0, 0, 1281), DATA_AT);
    uhci_go(t);
    ms(t, 5);
    CHECK_EQ(inw(t, UHCI + 2), 0x30);
    outw(t, UHCI + 2, 0x3f);
    put_td(t, TDS, TERMINATE, TD_ACTIVE, td_token(USB_PID_OUT, 0, 0, 8), 0xf0000000);
    uhci_go(t);
    ms(t, 5);
    CHECK_EQ(inw(t, UHCI + 2), 0x28); /* memory that is none */
    outw(t, UHCI + 2, 0x3f);
    outl(t, UHCI + 8, 0xfffff000);
    uhci_go(t);
    ms(t, 5);
    CHECK_EQ(inw(t, UHCI + 2), 0x28);
}

TEST(a_frame_has_time_for_so_much_only)
{
    struct qt *t = start();
    unsigned done = 0;

    for (unsigned i = 0; i < 100; i++) /* 100 reports of nobody, all in one frame, breadth first */
        put_td(t, TDS + 32 * i, i == 99 ? TERMINATE : TDS + 32 * (i + 1), TD_ACTIVE | 1u << 27,
               td_token(USB_PID_IN, 99, 0, 8), DATA_AT);
    put32(t, FRAMES_AT, TDS);
    uhci_go(t);
    for (unsigned i = 0; i < 100; i++)
        done += !(ram32(t, TDS + 32 * i + 4) & TD_ACTIVE);
    CHECK(done > 50 && done < 100);
}

TEST(ports_and_the_way_devices_come_and_go)
{
    struct qt *t = start();

    CHECK_EQ(inw(t, UHCI + 0x10), 0x0093);
    outw(t, UHCI + 0x10, 0x0002);
    CHECK_EQ(inw(t, UHCI + 0x10), 0x0091);
    outw(t, UHCI + 0x10, 0x0204); /* in reset it cannot be enabled */
    CHECK_EQ(inw(t, UHCI + 0x10), 0x0281);
    outw(t, UHCI + 0x12, 0x0004); /* nothing is there */
    CHECK_EQ(inw(t, UHCI + 0x12), 0x0080);
    outw(t, UHCI + 0x10, 0);
    outw(t, UHCI + 0x10, 0x0004);
    CHECK_EQ(inw(t, UHCI + 0x10), 0x0095);
    qt_no_reload(t, "a device is taken out by hand");
    device_free(t->devs[1]);
    config_free(&t->cfgs[1]);
    t->ndevs = 1;
    CHECK_EQ(inw(t, UHCI + 0x10), 0x008a);
    outw(t, UHCI + 0x10, 0x000a);
    CHECK_EQ(inw(t, UHCI + 0x10), 0x0080);
    qt_add(t, &usb_mouse_type, -1);
    CHECK_EQ(inw(t, UHCI + 0x10), 0x0093);
    qt_add(t, &usb_kbd_type, -1);
    CHECK_EQ(inw(t, UHCI + 0x12), 0x0093);
    CHECK(!device_new(&t->plat, &usb_tablet_type, "t", -1, NULL, NULL)); /* both are taken */
}

TEST(a_sleeping_device_wakes_the_host_if_it_may)
{
    struct qt *t = start();
    struct display *d = display_new(NULL);

    qt_no_reload(t, "the tablet is made without this display");
    device_free(t->devs[1]);
    config_set_obj(&t->cfgs[1], "display", d);
    t->devs[1] = device_new(&t->plat, &usb_tablet_type, "tablet", -1, &t->cfgs[1], NULL);
    uhci_go(t);
    enumerate(t, 0, 1);
    outw(t, UHCI + 2, 0x3f);
    outw(t, UHCI + 0x10, 0x1004); /* suspended */
    CHECK_EQ(inw(t, UHCI + 0x10), 0x1095);
    display_pointer(d, 5, 5, 0, 1);
    CHECK_EQ(inw(t, UHCI + 2), 0); /* it may not */
    outw(t, UHCI + 0x10, 0x0004);
    CHECK_EQ(request(t, 1, 0, 3, 1, 0, 0), 0);
    outw(t, UHCI + 2, 0x3f);
    outw(t, UHCI + 0x10, 0x1004);
    display_pointer(d, 5, 5, 0, 0);
    CHECK_EQ(inw(t, UHCI + 2), 4);
    CHECK_EQ(inw(t, UHCI + 0x10), 0x10c5);
    CHECK(intx(t, 1, 3));
    outw(t, UHCI + 2, 4);
    outw(t, UHCI + 0x10, 0x1004); /* the host ends the resuming */
    CHECK_EQ(inw(t, UHCI + 0x10), 0x0095);
    CHECK(report_is(t, 1, 8, "01 00 00 00 00 00")); /* what happened meanwhile is not lost */
    /* the whole bus asleep and the controller stopped */
    outw(t, UHCI, 0);
    outw(t, UHCI + 2, 0x3f);
    outw(t, UHCI, 0x0008);
    display_pointer(d, 6, 6, 0, 1);
    CHECK_EQ(inw(t, UHCI + 2), 0x24);
    CHECK(intx(t, 1, 3));
    device_free(t->devs[1]);
    config_free(&t->cfgs[1]);
    t->ndevs = 1;
    display_free(d);
}
