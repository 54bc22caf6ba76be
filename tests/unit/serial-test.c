/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 16550A. The host's end is a mem: sink that the test feeds and looks into. */
#include <string.h>
#include "hw/core/sink.h"
#include "hw/devices.h"
#include "tests/unit/qt.h"

enum { DATA = 0x3f8, IER, IIR, LCR, MCR, LSR, MSR, SCR };

#define COM1_IRQ 4
#define BYTE_NS  86806 /* ten bits at 115200 */

struct port {
    struct qt *t;
    struct sink host;
};

static struct qt *start(struct port *p)
{
    struct config cfg = { 0 };
    struct err err;

    memset(p, 0, sizeof(*p));
    config_set(&cfg, "sink", "mem:");
    CHECK(sink_open(&p->host, NULL, &cfg, "sink", &err) == 0);
    config_free(&cfg);
    p->t = qt_new();
    qt_config_obj(p->t, "sink", &p->host);
    qt_add(p->t, &serial_type, -1);
    return p->t;
}

/* As Linux sets a port up: 115200 8N1, FIFO with trigger 8, interrupts through. */
static struct qt *start_set_up(struct port *p, uint8_t ier)
{
    struct qt *t = start(p);

    outb(t, LCR, 0x83);
    outb(t, DATA, 1);
    outb(t, IER, 0);
    outb(t, LCR, 0x03);
    outb(t, IIR, 0x87);
    outb(t, MCR, 0x0b);
    outb(t, IER, ier);
    return t;
}

static void feed(struct port *p, const char *s)
{
    sink_feed(&p->host, s, strlen(s));
    qt_touched(p->t);
}

static bool written(struct port *p, const char *s)
{
    size_t len;
    const uint8_t *mem = sink_mem(&p->host, &len);

    return len == strlen(s) && !memcmp(mem, s, len);
}

TEST(detection)
{
    struct port p;
    struct qt *t = start(&p);

    outb(t, IER, 0); /* hvmloader */
    CHECK_EQ(inb(t, IER), 0);
    outb(t, IER, 0x0f);
    CHECK_EQ(inb(t, IER), 0x0f);
    outb(t, IER, 0xff);
    CHECK_EQ(inb(t, IER), 0x0f);
    outb(t, IER, 0);
    outb(t, MCR, 0x1a); /* Linux */
    CHECK_EQ(inb(t, MSR) & 0xf0, 0x90);
    outb(t, MCR, 0x00);
    outb(t, SCR, 0xa5);
    CHECK_EQ(inb(t, SCR), 0xa5);
    CHECK_EQ(inb(t, IIR), 0x01);
    outb(t, IIR, 0x01);
    CHECK_EQ(inb(t, IIR), 0xc1);
    outb(t, MCR, 0xff);
    CHECK_EQ(inb(t, MCR), 0x1f);
    sink_close(&p.host);
}

TEST(divisor_behind_dlab)
{
    struct port p;
    struct qt *t = start(&p);

    outb(t, LCR, 0x80);
    outw(t, DATA, 0x1234);
    CHECK_EQ(inb(t, DATA), 0x34);
    CHECK_EQ(inb(t, IER), 0x12);
    outb(t, LCR, 0x03);
    CHECK_EQ(inb(t, IER), 0);
    CHECK_EQ(inb(t, LCR), 0x03);
    CHECK(written(&p, ""));
    sink_close(&p.host);
}

TEST(sending_and_its_interrupt)
{
    struct port p;
    struct qt *t = start_set_up(&p, 0x02);

    CHECK(irq(t, COM1_IRQ)); /* empty when enabled */
    CHECK_EQ(inb(t, IIR), 0xc2);
    CHECK(!irq(t, COM1_IRQ)); /* reading it was the acknowledgement */
    CHECK_EQ(inb(t, IIR), 0xc1);
    outb(t, DATA, 'h');
    outb(t, DATA, 'i');
    CHECK(irq(t, COM1_IRQ));
    CHECK(written(&p, "hi"));
    CHECK_EQ(inb(t, LSR), 0x60);
    CHECK(irq(t, COM1_IRQ));
    outb(t, IER, 0x00);
    CHECK(!irq(t, COM1_IRQ));
    outb(t, IER, 0x02);
    CHECK(irq(t, COM1_IRQ));
    outb(t, MCR, 0x03); /* OUT2 low: nothing gets through */
    CHECK(!irq(t, COM1_IRQ));
    sink_close(&p.host);
}

TEST(one_byte_waits_for_the_time_out)
{
    struct port p;
    struct qt *t = start_set_up(&p, 0x01);

    feed(&p, "x");
    CHECK(!irq(t, COM1_IRQ)); /* below the trigger */
    CHECK_EQ(inb(t, LSR), 0x61);
    clock_step(t, 4 * BYTE_NS - 1000);
    CHECK(!irq(t, COM1_IRQ));
    clock_step(t, 2000);
    CHECK(irq(t, COM1_IRQ));
    CHECK_EQ(inb(t, IIR), 0xcc);
    CHECK_EQ(inb(t, DATA), 'x');
    CHECK(!irq(t, COM1_IRQ));
    CHECK_EQ(inb(t, LSR), 0x60);
    CHECK_EQ(inb(t, DATA), 'x'); /* the register keeps it */
    sink_close(&p.host);
}

TEST(trigger_levels)
{
    static const uint8_t levels[] = { 1, 4, 8, 14 };

    for (unsigned i = 0; i < 4; i++) {
        struct port p;
        struct qt *t = start_set_up(&p, 0x01);

        outb(t, IIR, 0x07 | i << 6);
        for (unsigned n = 1; n <= levels[i]; n++) {
            CHECK(!irq(t, COM1_IRQ));
            feed(&p, "a");
        }
        CHECK(irq(t, COM1_IRQ));
        CHECK_EQ(inb(t, IIR), 0xc4);
        inb(t, DATA);
        CHECK(!irq(t, COM1_IRQ));
        outb(t, IIR, 0x07 | i << 6); /* clear the receiver */
        CHECK_EQ(inb(t, LSR), 0x60);
        sink_close(&p.host);
    }
}

TEST(an_unread_fifo_holds_the_host_back)
{
    struct port p;
    struct qt *t = start_set_up(&p, 0x01);
    char text[201], got[201] = "";

    for (unsigned i = 0; i < 200; i++)
        text[i] = 'a' + i % 26;
    text[200] = 0;
    feed(&p, text);
    for (unsigned i = 0; i < 200; i++) {
        CHECK_EQ(inb(t, LSR), 0x61); /* and never an overrun */
        got[i] = inb(t, DATA);
    }
    CHECK(!strcmp(got, text));
    CHECK_EQ(inb(t, LSR), 0x60);
    sink_close(&p.host);
}

TEST(without_a_fifo)
{
    struct port p;
    struct qt *t = start(&p);

    outb(t, MCR, 0x0b);
    outb(t, IER, 0x01);
    feed(&p, "ab");
    CHECK(irq(t, COM1_IRQ));
    CHECK_EQ(inb(t, IIR), 0x04);
    CHECK_EQ(inb(t, DATA), 'a');
    CHECK(irq(t, COM1_IRQ)); /* the next one has moved up */
    CHECK_EQ(inb(t, DATA), 'b');
    CHECK(!irq(t, COM1_IRQ));
    sink_close(&p.host);
}

TEST(loopback)
{
    struct port p;
    struct qt *t = start_set_up(&p, 0x00);

    outb(t, MCR, 0x1b);
    feed(&p, "z");
    CHECK_EQ(inb(t, LSR), 0x60); /* cut off from the host */
    outb(t, DATA, 0x55);
    CHECK(written(&p, ""));
    CHECK_EQ(inb(t, LSR), 0x61);
    CHECK_EQ(inb(t, DATA), 0x55);
    outb(t, LCR, 0x43); /* a break comes back */
    CHECK_EQ(inb(t, LSR), 0xf1);
    CHECK_EQ(inb(t, LSR), 0x61); /* told once */
    CHECK_EQ(inb(t, DATA), 0x00);
    outb(t, MCR, 0x0b);
    CHECK_EQ(inb(t, DATA), 'z'); /* and what waited arrives */
    sink_close(&p.host);
}

TEST(overrun_and_line_status_interrupt)
{
    struct port p;
    struct qt *t = start_set_up(&p, 0x04);

    outb(t, MCR, 0x1b);
    for (unsigned i = 0; i < 16; i++)
        outb(t, DATA, i);
    CHECK(!irq(t, COM1_IRQ));
    outb(t, DATA, 99);
    CHECK(irq(t, COM1_IRQ));
    CHECK_EQ(inb(t, IIR), 0xc6);
    CHECK_EQ(inb(t, LSR), 0x63);
    CHECK(!irq(t, COM1_IRQ));
    for (unsigned i = 0; i < 16; i++)
        CHECK_EQ(inb(t, DATA), i);
    CHECK_EQ(inb(t, LSR), 0x60);
    outb(t, IIR, 0x00); /* without a FIFO the older byte is lost */
    outb(t, DATA, 1);
    outb(t, DATA, 2);
    CHECK_EQ(inb(t, LSR), 0x63);
    CHECK_EQ(inb(t, DATA), 2);
    sink_close(&p.host);
}

TEST(modem_status)
{
    struct port p;
    struct qt *t = start_set_up(&p, 0x08);

    CHECK_EQ(inb(t, MSR), 0xb0);
    outb(t, MCR, 0x18); /* loopback with only OUT2 */
    CHECK(irq(t, COM1_IRQ));
    CHECK_EQ(inb(t, IIR), 0xc0);
    CHECK_EQ(inb(t, MSR), 0x83); /* CTS and DSR have dropped */
    CHECK(!irq(t, COM1_IRQ));
    outb(t, MCR, 0x1c); /* ringing starts: not told */
    CHECK_EQ(inb(t, MSR), 0xc0);
    outb(t, MCR, 0x18); /* and ends: told */
    CHECK_EQ(inb(t, MSR), 0x84);
    sink_close(&p.host);
}

TEST(priority_of_causes)
{
    struct port p;
    struct qt *t = start_set_up(&p, 0x0f);

    outb(t, MCR, 0x18);
    for (unsigned i = 0; i < 17; i++)
        outb(t, DATA, i);
    CHECK_EQ(inb(t, IIR), 0xc6);
    inb(t, LSR);
    CHECK_EQ(inb(t, IIR), 0xc4);
    outb(t, IIR, 0x87);
    CHECK_EQ(inb(t, IIR), 0xc2);
    CHECK_EQ(inb(t, IIR), 0xc0);
    inb(t, MSR);
    CHECK_EQ(inb(t, IIR), 0xc1);
    CHECK(!irq(t, COM1_IRQ));
    sink_close(&p.host);
}

TEST(four_ports)
{
    static const uint16_t base[] = { 0x3f8, 0x2f8, 0x3e8, 0x2e8 };
    static const uint8_t line[] = { 4, 3, 4, 3 };
    struct qt *t = qt_new();

    for (unsigned i = 0; i < 4; i++) {
        char index[2] = { '0' + i, 0 };

        qt_config(t, "index", index);
        qt_add(t, &serial_type, -1);
    }
    for (unsigned i = 0; i < 4; i++) {
        outb(t, base[i] + 4, 0x08);
        outb(t, base[i] + 1, 0x02);
        CHECK(irq(t, line[i]));
        outb(t, base[i] + 7, i);
    }
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(inb(t, base[i] + 7), i);
    outb(t, 0x3f8 + 1, 0);
    CHECK(irq(t, 4)); /* COM3 still holds it */
    outb(t, 0x3e8 + 1, 0);
    CHECK(!irq(t, 4));
}

TEST(bad_config_is_refused)
{
    struct qt *t = qt_start(&serial_type);
    struct config cfg = { 0 };
    struct err err = { "" };

    CHECK(!device_new(&t->plat, &serial_type, "serial1", -1, &cfg, &err)); /* COM1 again */
    CHECK(strstr(err.msg, "3f8") != NULL);
    config_set(&cfg, "index", "4");
    CHECK(!device_new(&t->plat, &serial_type, "serial1", -1, &cfg, &err));
    config_set(&cfg, "index", "1");
    config_set(&cfg, "sink", "file:/no/such/dir/x");
    CHECK(!device_new(&t->plat, &serial_type, "serial1", -1, &cfg, &err));
    CHECK_EQ(inb(t, 0x2f8 + 7), 0xff);
    config_free(&cfg);
}

TEST(a_reset_is_complete)
{
    struct port p;
    struct qt *t = start_set_up(&p, 0x0f);

    feed(&p, "abcdefghijklmnop");
    outb(t, SCR, 1);
    device_reset(t->dev, RESET_WARM);
    qt_touched(t);
    CHECK(!irq(t, COM1_IRQ));
    CHECK_EQ(inb(t, IER), 0);
    CHECK_EQ(inb(t, IIR), 0x01);
    CHECK_EQ(inb(t, LSR), 0x60);
    CHECK_EQ(inb(t, MSR), 0xb0);
    CHECK_EQ(inb(t, SCR), 0);
    sink_close(&p.host);
}

/* How long until one byte's time-out, in bits of 1/9600 s, rounded. */
static unsigned timeout_bits(uint8_t lcr)
{
    struct port p;
    struct qt *t = start_set_up(&p, 0x01);
    unsigned bits = 0;

    qt_no_reload(t, "hundreds of steps");
    outb(t, LCR, 0x80);
    outb(t, DATA, 12);
    outb(t, LCR, lcr);
    feed(&p, "x");
    while (!irq(t, COM1_IRQ) && bits < 100) {
        clock_step(t, NS_PER_S / 9600 + 1);
        bits++;
    }
    sink_close(&p.host);
    return bits;
}

TEST(the_time_out_keeps_to_the_line_settings)
{
    CHECK_EQ(timeout_bits(0x03), 4 * 10); /* 8N1 */
    CHECK_EQ(timeout_bits(0x1a), 4 * 10); /* 7E1 */
    CHECK_EQ(timeout_bits(0x1f), 4 * 12); /* 8E2 */
    CHECK_EQ(timeout_bits(0x00), 4 * 7);  /* 5N1 */
}

TEST(clearing_the_receiver_ends_its_time_out)
{
    struct port p;
    struct qt *t = start_set_up(&p, 0x01);

    feed(&p, "x");
    clock_step(t, 5 * BYTE_NS);
    CHECK(irq(t, COM1_IRQ));
    outb(t, IIR, 0x83);
    CHECK(!irq(t, COM1_IRQ));
    feed(&p, "y");
    CHECK(!irq(t, COM1_IRQ)); /* its own time starts now */
    outb(t, LCR, 0x43);       /* a break outside loopback is not received */
    outb(t, LCR, 0x03);
    CHECK_EQ(inb(t, LSR), 0x61);
    CHECK_EQ(inb(t, DATA), 'y');
    CHECK_EQ(inb(t, LSR), 0x60);
    outb(t, IIR, 0x86); /* without the enable bit the rest does not count */
    CHECK_EQ(inb(t, IIR), 0x01);
    sink_close(&p.host);
}

TEST(causes_not_enabled_do_not_interrupt)
{
    struct port p;
    struct qt *t = start_set_up(&p, 0x00);

    feed(&p, "x");
    clock_step(t, 5 * BYTE_NS);
    outb(t, DATA, 'y');
    CHECK(!irq(t, COM1_IRQ));
    CHECK_EQ(inb(t, IIR), 0xc1);
    outb(t, IER, 0x01);
    CHECK_EQ(inb(t, IIR), 0xcc); /* it was there all the time */
    sink_close(&p.host);
}
