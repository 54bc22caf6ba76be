/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keyboard controller, as SeaBIOS, Linux and Windows drive it. */
#include <linux/input-event-codes.h>
#include "display/display.h"
#include "hw/devices.h"
#include "hw/ps2.h"
#include "tests/unit/qt.h"

#define KBD_IRQ 1
#define AUX_IRQ 12
#define LINE    (300 * NS_PER_US)

static struct qt *start(uint8_t command_byte)
{
    struct qt *t = qt_start(&i8042_type);

    outb(t, 0x64, 0x60);
    outb(t, 0x60, command_byte);
    return t;
}

/* The next byte the guest would see, with the wait it would need; -1: none. */
static int next(struct qt *t)
{
    for (unsigned i = 0; i < 3; i++) {
        if (inb(t, 0x64) & 1)
            return inb(t, 0x60);
        clock_step(t, LINE);
    }
    return -1;
}

static int answer(struct qt *t, uint8_t cmd)
{
    outb(t, 0x64, cmd);
    return next(t);
}

static void key(struct qt *t, unsigned code, bool down)
{
    i8042_key(t->dev, code, down);
    qt_touched(t);
}

static void move(struct qt *t, int dx, int dy, unsigned buttons)
{
    i8042_move(t->dev, dx, dy, 0, buttons);
    qt_touched(t);
}

static int to_mouse(struct qt *t, uint8_t val)
{
    outb(t, 0x64, 0xd4);
    outb(t, 0x60, val);
    return next(t);
}

TEST(self_tests)
{
    struct qt *t = qt_start(&i8042_type);

    CHECK_EQ(inb(t, 0x64), 0x18);
    CHECK_EQ(answer(t, 0xaa), 0x55);
    CHECK_EQ(inb(t, 0x64), 0x1c); /* the system flag */
    CHECK_EQ(answer(t, 0xab), 0x00);
    CHECK_EQ(answer(t, 0xa9), 0x00);
    CHECK_EQ(answer(t, 0xa4), 0xf1);
    CHECK_EQ(answer(t, 0xc0), 0x80);
    CHECK_EQ(answer(t, 0xe0), 0x03);
    CHECK_EQ(answer(t, 0xa1), -1);
    CHECK_EQ(guest_errors(t), 1);
}

TEST(command_byte_and_ram)
{
    struct qt *t = start(0x47);

    CHECK_EQ(answer(t, 0x20), 0x47);
    outb(t, 0x64, 0xad);
    outb(t, 0x64, 0xa7);
    CHECK_EQ(answer(t, 0x20), 0x77);
    CHECK_EQ(answer(t, 0xe0), 0x00);
    outb(t, 0x64, 0xae);
    outb(t, 0x64, 0xa8);
    CHECK_EQ(answer(t, 0x20), 0x47);
    outb(t, 0x64, 0x7f);
    outb(t, 0x60, 0xa5);
    CHECK_EQ(answer(t, 0x3f), 0xa5);
    CHECK_EQ(answer(t, 0x2f), 0x00);
}

TEST(status_tells_command_from_data)
{
    struct qt *t = start(0x04);

    CHECK_EQ(inb(t, 0x64), 0x14);
    outb(t, 0x64, 0xae);
    CHECK_EQ(inb(t, 0x64), 0x1c);
}

TEST(a_key_through_translation)
{
    struct qt *t = start(0x45);

    key(t, KEY_A, true);
    CHECK(irq(t, KBD_IRQ) && !irq(t, AUX_IRQ));
    CHECK_EQ(inb(t, 0x64) & 0x21, 0x01);
    CHECK_EQ(inb(t, 0x60), 0x1e);
    CHECK(!irq(t, KBD_IRQ));
    CHECK_EQ(inb(t, 0x60), 0x1e); /* and again, for the next handler in the chain */
    key(t, KEY_A, false);
    CHECK_EQ(next(t), 0x9e);
    key(t, KEY_F7, true);
    CHECK_EQ(next(t), 0x41);
    key(t, KEY_UP, false);
    CHECK_EQ(next(t), 0xe0);
    CHECK_EQ(next(t), 0xc8);
    CHECK_EQ(next(t), -1);
}

TEST(a_key_without_translation)
{
    struct qt *t = start(0x05);

    key(t, KEY_A, true);
    key(t, KEY_A, false);
    CHECK_EQ(next(t), 0x1c);
    CHECK_EQ(next(t), 0xf0);
    CHECK_EQ(next(t), 0x1c);
}

TEST(an_edge_for_every_byte)
{
    struct qt *t = start(0x45);

    key(t, KEY_UP, true);
    for (unsigned i = 0; i < 2; i++) {
        CHECK(irq(t, KBD_IRQ));
        inb(t, 0x60);
        CHECK(!irq(t, KBD_IRQ));
        clock_step(t, LINE);
    }
    CHECK(!irq(t, KBD_IRQ));
    outb(t, 0x64, 0x60);
    outb(t, 0x60, 0x44); /* no interrupt wanted */
    key(t, KEY_UP, true);
    CHECK(!irq(t, KBD_IRQ));
    CHECK_EQ(inb(t, 0x64) & 1, 1);
}

TEST(a_disabled_keyboard_waits)
{
    struct qt *t = start(0x45);

    outb(t, 0x64, 0xad);
    key(t, KEY_B, true);
    CHECK_EQ(next(t), -1);
    outb(t, 0x64, 0xae);
    CHECK_EQ(next(t), 0x30);
    outb(t, 0x64, 0xad);
    outb(t, 0x60, 0xee); /* sending enables it */
    CHECK_EQ(next(t), 0xee);
    CHECK_EQ(answer(t, 0x20), 0x45);
}

TEST(the_controllers_answer_goes_before_waiting_keys)
{
    struct qt *t = start(0x45);

    key(t, KEY_A, true); /* is in the buffer already */
    key(t, KEY_B, true);
    outb(t, 0x64, 0x20);
    CHECK_EQ(inb(t, 0x60), 0x1e);
    CHECK_EQ(inb(t, 0x60), 0x45);
    CHECK_EQ(next(t), 0x30);
}

TEST(keyboard_commands_and_translated_identity)
{
    struct qt *t = start(0x45);

    outb(t, 0x60, 0xf2);
    CHECK_EQ(next(t), 0xfa);
    CHECK_EQ(next(t), 0xab);
    CHECK_EQ(next(t), 0x41); /* 83, translated: what real ones show */
    outb(t, 0x60, 0xff);
    CHECK_EQ(next(t), 0xfa);
    CHECK_EQ(next(t), 0xaa);
    outb(t, 0x60, 0xed);
    CHECK_EQ(next(t), 0xfa);
    outb(t, 0x60, 0x02);
    CHECK_EQ(next(t), 0xfa);
}

TEST(the_mouse_and_its_interrupt)
{
    struct qt *t = start(0x47);

    CHECK_EQ(to_mouse(t, 0xff), 0xfa);
    CHECK_EQ(next(t), 0xaa);
    CHECK_EQ(next(t), 0x00);
    CHECK_EQ(to_mouse(t, 0xf4), 0xfa);
    clock_step(t, LINE);
    move(t, 2, -1, 1);
    CHECK(irq(t, AUX_IRQ) && !irq(t, KBD_IRQ));
    CHECK_EQ(inb(t, 0x64) & 0x21, 0x21);
    CHECK_EQ(inb(t, 0x60), 0x09);
    CHECK(!irq(t, AUX_IRQ));
    CHECK_EQ(next(t), 0x02);
    CHECK_EQ(next(t), 0x01);
    CHECK_EQ(next(t), -1);
    outb(t, 0x64, 0xa7);
    move(t, 7, 0, 1);
    move(t, 7, 0, 1);
    CHECK_EQ(next(t), -1);
    outb(t, 0x64, 0xa8);
    CHECK_EQ(next(t), 0x09);
    CHECK_EQ(next(t), 0x0e); /* gathered meanwhile */
}

TEST(loop_back)
{
    struct qt *t = start(0x47);

    outb(t, 0x64, 0xd3); /* Linux looks for a mouse port, and a multiplexer, so */
    outb(t, 0x60, 0x5a);
    CHECK(irq(t, AUX_IRQ));
    CHECK_EQ(inb(t, 0x64) & 0x21, 0x21);
    CHECK_EQ(inb(t, 0x60), 0x5a);
    outb(t, 0x64, 0xd2);
    outb(t, 0x60, 0x1c);
    CHECK(irq(t, KBD_IRQ));
    CHECK_EQ(inb(t, 0x64) & 0x21, 0x01);
    CHECK_EQ(inb(t, 0x60), 0x1c); /* not translated */
}

TEST(output_port)
{
    struct qt *t = start(0x44);

    CHECK_EQ(answer(t, 0xd0), 0xc3);
    outb(t, 0x64, 0xd1);
    outb(t, 0x60, 0xdd);
    CHECK_EQ(answer(t, 0xd0), 0xcd); /* A20 is off */
    outb(t, 0x64, 0xdf);
    CHECK_EQ(answer(t, 0xd0), 0xcf);
    outb(t, 0x64, 0xdd);
    CHECK_EQ(answer(t, 0xd0), 0xcd);
    CHECK_EQ(t->power, -1);
    outb(t, 0x64, 0xd1);
    outb(t, 0x60, 0xce);
    CHECK_EQ(t->power, POWER_RESET);
}

TEST(reset_by_pulse)
{
    struct qt *t = start(0x44);

    outb(t, 0x64, 0xff);
    CHECK_EQ(t->power, -1);
    outb(t, 0x64, 0xfe);
    CHECK_EQ(t->power, POWER_RESET);
    t->power = -1;
    outb(t, 0x64, 0xf0);
    CHECK_EQ(t->power, POWER_RESET);
}

TEST(password_bytes_go_nowhere)
{
    struct qt *t = start(0x45);

    outb(t, 0x64, 0xa5);
    outb(t, 0x60, 0x1e);
    outb(t, 0x60, 0xff);
    outb(t, 0x60, 0x00);
    CHECK_EQ(next(t), -1); /* the keyboard has seen none of it */
    outb(t, 0x60, 0xee);
    CHECK_EQ(next(t), 0xee);
}

TEST(a_reset_is_complete)
{
    struct qt *t = start(0x47);

    CHECK_EQ(to_mouse(t, 0xf4), 0xfa);
    key(t, KEY_A, true);
    device_reset(t->dev, RESET_WARM);
    qt_touched(t);
    CHECK_EQ(inb(t, 0x64), 0x18);
    CHECK(!irq(t, KBD_IRQ));
    CHECK_EQ(next(t), -1);
    move(t, 1, 1, 0);
    CHECK_EQ(next(t), -1);
    CHECK_EQ(answer(t, 0x20), 0x03);
}

TEST(a_flood_from_both)
{
    struct qt *t = start(0x47);
    unsigned bytes = 0;

    qt_no_reload(t, "ten thousand accesses");
    CHECK_EQ(to_mouse(t, 0xf4), 0xfa);
    for (unsigned i = 0; i < 500; i++) {
        key(t, KEY_A + i % 8, !(i & 1));
        move(t, i, -(int)i, i & 7);
    }
    while (next(t) >= 0)
        bytes++;
    CHECK(bytes > 60 && bytes < 1000);
    key(t, KEY_A, true);
    CHECK_EQ(next(t), 0x1e);
}

TEST(which_bytes_interrupt)
{
    struct qt *t = start(0x45); /* keyboard only */

    CHECK_EQ(to_mouse(t, 0xf4), 0xfa);
    clock_step(t, LINE);
    move(t, 1, 1, 0);
    CHECK_EQ(inb(t, 0x64) & 0x21, 0x21);
    CHECK(!irq(t, AUX_IRQ) && !irq(t, KBD_IRQ));
    outb(t, 0x64, 0xa7);
    inb(t, 0x60);
    outb(t, 0x64, 0x20); /* an answer of the controller does */
    CHECK(irq(t, KBD_IRQ));
    inb(t, 0x60);
    outb(t, 0x64, 0xad);
    outb(t, 0x64, 0x20); /* but not while the keyboard is off */
    CHECK(!irq(t, KBD_IRQ));
    CHECK_EQ(inb(t, 0x60), 0x75);
}

TEST(output_port_follows_the_buffer)
{
    struct qt *t = start(0x47);

    key(t, KEY_A, true);
    outb(t, 0x64, 0xd0);
    CHECK_EQ(inb(t, 0x60), 0x1e);
    CHECK_EQ(inb(t, 0x60), 0xd3);
    outb(t, 0x64, 0xd3);
    outb(t, 0x60, 0x00);
    outb(t, 0x64, 0xd0);
    CHECK_EQ(inb(t, 0x60), 0x00);
    CHECK_EQ(inb(t, 0x60), 0xe3);
}

TEST(input_comes_from_the_display)
{
    struct display *d = display_new(NULL);
    struct qt *t = qt_new();

    qt_no_reload(t, "the display calls the device that was made first");
    qt_config_obj(t, "display", d);
    qt_add(t, &i8042_type, -1);
    CHECK_EQ(to_mouse(t, 0xf4), 0xfa);
    display_key(d, KEY_ESC, true);
    CHECK_EQ(next(t), 0x76);
    display_pointer(d, 10, 10, 0, 0);
    while (next(t) >= 0)
        continue;
    display_pointer(d, 12, 9, 0, BUTTON_LEFT);
    CHECK_EQ(next(t) & 0x0f, 0x09);
    device_free(t->dev); /* before the display, which it leaves */
    config_free(&t->cfgs[0]);
    t->ndevs = 0;
    display_free(d);
}

TEST(keys_and_buttons_wake_who_sleeps)
{
    struct qt *t = qt_start(&i8042_type);

    qt_config(t, "pm1-timer", "on");
    qt_add(t, &piix4_pm_type.dev, PCI_DEVFN(1, 3));
    cfg_write(t, PCI_DEVFN(1, 3), 0x40, 0x601, 4);
    cfg_write(t, PCI_DEVFN(1, 3), 0x80, 1, 1);
    key(t, KEY_A, true);
    CHECK_EQ(t->power, -1);
    outw(t, 0x604, 0x2400);
    t->power = -1;
    key(t, KEY_A, false);
    move(t, 3, 3, 0);
    CHECK_EQ(t->power, -1);
    key(t, KEY_B, true);
    CHECK_EQ(t->power, POWER_WAKE);
    outw(t, 0x604, 0x2400);
    t->power = -1;
    move(t, 0, 0, 1);
    CHECK_EQ(t->power, POWER_WAKE);
}
