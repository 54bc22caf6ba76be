/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keyboard controller at ports 0x60 and 0x64: an Intel 8042 (8742) with
 * the program of the IBM PS/2 (IBM PS/2 Hardware Interface Technical
 * Reference, "Keyboard and Auxiliary Device Controller"), and the keyboard and
 * mouse behind it (ps2-keyboard.c, ps2-mouse.c).
 *
 * The output buffer holds one byte: the controller's own answers come first,
 * then the keyboard, then the mouse. A byte of a device follows the last one
 * after LINE_NS, so that a byte just read can be read again, which old
 * keyboard handlers do when they call one another; and the interrupt line
 * falls and rises between two bytes, since the PIC looks for edges.
 *
 * Not modelled: the password (none is set), polling of the input port (C1,
 * C2), line errors and time-outs. A20 is remembered and masks nothing.
 */
#include <string.h>
#include "display/display.h"
#include "hw/core/config.h"
#include "hw/core/irq.h"
#include "hw/core/platform.h"
#include "hw/core/state.h"
#include "hw/devices.h"
#include "hw/piix4-pm.h"
#include "hw/ps2.h"

#define ST_OBF      0x01
#define ST_SYS      0x04
#define ST_CMD      0x08
#define ST_UNLOCKED 0x10
#define ST_AUX_OBF  0x20

/* Command byte, which is RAM byte 0 */
#define CB_KBD_INT   0x01
#define CB_AUX_INT   0x02
#define CB_SYS       0x04
#define CB_KBD_OFF   0x10
#define CB_AUX_OFF   0x20
#define CB_TRANSLATE 0x40

/* Output port */
#define OUT_RESET_N 0x01
#define OUT_A20     0x02
#define OUT_KBD_OBF 0x10
#define OUT_AUX_OBF 0x20
#define OUT_LINES   0xc0 /* keyboard clock and data, idle */
#define OUT_STORED  0xcf

#define IN_UNLOCKED  0x80
#define SELF_TEST_OK 0x55
#define NO_PASSWORD  0xf1
#define BREAK        0xf0
#define RAM          32
#define LINE_NS      (250 * NS_PER_US)

enum from { FROM_NOBODY, FROM_CONTROLLER, FROM_KEYBOARD, FROM_MOUSE };

struct i8042 {
    struct device dev;
    struct irq kbd_irq, aux_irq;
    struct display *display;
    struct {
        struct timer line; /* running: the next device byte is on its way */
        struct ps2_mouse mouse;
        struct ps2_keyboard keyboard;
        uint8_t ram[RAM];
        uint8_t obuf, from;        /* from: whose byte is unread in obuf */
        uint8_t answer, answer_as; /* the controller's, waiting for obuf */
        uint8_t param;             /* command whose byte comes next; 0: none */
        uint8_t outport;
        bool cmd_seen; /* the last write was to 0x64 */
        bool release;  /* translation has swallowed a BREAK */
    } s;
};

static const struct field i8042_state[] = { FIELD(struct i8042, line),
                                            PS2_MOUSE_FIELDS(struct i8042, mouse),
                                            PS2_KEYBOARD_FIELDS(struct i8042, keyboard),
                                            ARRAY(struct i8042, ram),
                                            FIELD(struct i8042, obuf),
                                            FIELD(struct i8042, from, .max = FROM_MOUSE),
                                            FIELD(struct i8042, answer),
                                            FIELD(struct i8042, answer_as, .max = FROM_MOUSE),
                                            FIELD(struct i8042, param),
                                            FIELD(struct i8042, outport),
                                            FIELD(struct i8042, cmd_seen),
                                            FIELD(struct i8042, release),
                                            FIELDS_END };

static struct i8042 *i8042_of(struct device *dev)
{
    return container_of(dev, struct i8042, dev);
}

static void i8042_sync(struct device *dev)
{
    struct i8042 *c = i8042_of(dev);
    uint8_t cb = c->s.ram[0];
    bool kbd = c->s.from == FROM_KEYBOARD || (c->s.from == FROM_CONTROLLER && !(cb & CB_KBD_OFF));

    irq_set(&c->kbd_irq, kbd && (cb & CB_KBD_INT));
    irq_set(&c->aux_irq, c->s.from == FROM_MOUSE && (cb & CB_AUX_INT));
    if (c->display)
        display_set_leds(c->display, c->s.keyboard.leds);
}

/* The output buffer */

static void load(struct i8042 *c, uint8_t byte, uint8_t from)
{
    c->s.obuf = byte;
    c->s.from = from;
}

/* The keyboard's next byte as the guest shall see it, or -1. */
static int keyboard_byte(struct i8042 *c)
{
    int byte = ps2_keyboard_take(&c->s.keyboard);

    if (byte < 0 || !(c->s.ram[0] & CB_TRANSLATE))
        return byte;
    if (byte == BREAK) {
        c->s.release = true;
        byte = ps2_keyboard_take(&c->s.keyboard);
        if (byte < 0)
            return byte;
    }
    byte = ps2_set2_to_set1(byte) | (c->s.release ? 0x80 : 0);
    c->s.release = false;
    return byte;
}

static void load_from_devices(struct i8042 *c)
{
    int byte = c->s.ram[0] & CB_KBD_OFF ? -1 : keyboard_byte(c);

    if (byte >= 0) {
        load(c, byte, FROM_KEYBOARD);
        return;
    }
    if (c->s.ram[0] & CB_AUX_OFF)
        return;
    ps2_mouse_fill(&c->s.mouse);
    byte = ps2_take(&c->s.mouse.out);
    if (byte >= 0)
        load(c, byte, FROM_MOUSE);
}

/* Fills the buffer if it is empty and something is there to fill it with; then the lines. */
static void pump(struct i8042 *c)
{
    if (c->s.from == FROM_NOBODY && c->s.answer_as != FROM_NOBODY) {
        load(c, c->s.answer, c->s.answer_as);
        c->s.answer_as = FROM_NOBODY;
    }
    if (c->s.from == FROM_NOBODY && c->s.line.at == TIMER_OFF)
        load_from_devices(c);
    i8042_sync(&c->dev);
}

static void line_ready(void *arg)
{
    pump(arg);
}

static void answer(struct i8042 *c, uint8_t byte, uint8_t as)
{
    c->s.answer = byte;
    c->s.answer_as = as;
}

static uint8_t read_data(struct i8042 *c)
{
    bool device = c->s.from == FROM_KEYBOARD || c->s.from == FROM_MOUSE;

    c->s.from = FROM_NOBODY;
    i8042_sync(&c->dev); /* the line falls before it may rise again */
    if (device)
        timer_set(c->dev.plat, &c->s.line, platform_now(c->dev.plat) + LINE_NS);
    return c->s.obuf;
}

/* Commands */

static void cmd_read_ram(struct i8042 *c, uint8_t cmd)
{
    answer(c, c->s.ram[cmd % RAM], FROM_CONTROLLER);
}

static void cmd_param(struct i8042 *c, uint8_t cmd)
{
    c->s.param = cmd;
}

static void cmd_nothing(struct i8042 *c, uint8_t cmd)
{
}

static void cmd_password(struct i8042 *c, uint8_t cmd)
{
    answer(c, NO_PASSWORD, FROM_CONTROLLER);
}

static void cmd_aux_off(struct i8042 *c, uint8_t cmd)
{
    c->s.ram[0] |= CB_AUX_OFF;
}

static void cmd_aux_on(struct i8042 *c, uint8_t cmd)
{
    c->s.ram[0] &= ~CB_AUX_OFF;
}

static void cmd_line_test(struct i8042 *c, uint8_t cmd)
{
    answer(c, 0, FROM_CONTROLLER); /* no error detected */
}

static void cmd_self_test(struct i8042 *c, uint8_t cmd)
{
    c->s.ram[0] |= CB_SYS;
    answer(c, SELF_TEST_OK, FROM_CONTROLLER);
}

static void cmd_kbd_off(struct i8042 *c, uint8_t cmd)
{
    c->s.ram[0] |= CB_KBD_OFF;
}

static void cmd_kbd_on(struct i8042 *c, uint8_t cmd)
{
    c->s.ram[0] &= ~CB_KBD_OFF;
}

static void cmd_read_in(struct i8042 *c, uint8_t cmd)
{
    answer(c, IN_UNLOCKED, FROM_CONTROLLER);
}

static void cmd_read_out(struct i8042 *c, uint8_t cmd)
{
    bool kbd = c->s.from == FROM_KEYBOARD || c->s.from == FROM_CONTROLLER;

    answer(c, c->s.outport | (kbd ? OUT_KBD_OBF : 0) | (c->s.from == FROM_MOUSE ? OUT_AUX_OBF : 0),
           FROM_CONTROLLER);
}

static void cmd_a20(struct i8042 *c, uint8_t cmd)
{
    c->s.outport = cmd == 0xdf ? c->s.outport | OUT_A20 : c->s.outport & ~OUT_A20;
}

static void cmd_test_inputs(struct i8042 *c, uint8_t cmd)
{
    /* T0, T1: the clocks, which a disabled interface holds low */
    answer(c, (c->s.ram[0] & CB_KBD_OFF ? 0 : 1) | (c->s.ram[0] & CB_AUX_OFF ? 0 : 2),
           FROM_CONTROLLER);
}

static void cmd_pulse(struct i8042 *c, uint8_t cmd)
{
    if (!(cmd & OUT_RESET_N))
        platform_power(c->dev.plat, POWER_RESET);
}

static const struct {
    uint8_t first, last;
    void (*run)(struct i8042 *c, uint8_t cmd);
} commands[] = {
    { 0x20, 0x3f, cmd_read_ram },    { 0x60, 0x7f, cmd_param },     { 0xa4, 0xa4, cmd_password },
    { 0xa5, 0xa5, cmd_param },       { 0xa6, 0xa6, cmd_nothing },   { 0xa7, 0xa7, cmd_aux_off },
    { 0xa8, 0xa8, cmd_aux_on },      { 0xa9, 0xa9, cmd_line_test }, { 0xaa, 0xaa, cmd_self_test },
    { 0xab, 0xab, cmd_line_test },   { 0xad, 0xad, cmd_kbd_off },   { 0xae, 0xae, cmd_kbd_on },
    { 0xc0, 0xc0, cmd_read_in },     { 0xc1, 0xc2, cmd_nothing },   { 0xd0, 0xd0, cmd_read_out },
    { 0xd1, 0xd4, cmd_param },       { 0xdd, 0xdd, cmd_a20 },       { 0xdf, 0xdf, cmd_a20 },
    { 0xe0, 0xe0, cmd_test_inputs }, { 0xf0, 0xff, cmd_pulse },
};

static void write_command(struct i8042 *c, uint8_t cmd)
{
    c->s.param = 0;
    for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        if (cmd >= commands[i].first && cmd <= commands[i].last) {
            commands[i].run(c, cmd);
            return;
        }
    guest_err(&c->dev, "command %02x does not exist", cmd);
}

/* Bytes that follow a command */

static void param_ram(struct i8042 *c, uint8_t cmd, uint8_t val)
{
    c->s.ram[cmd % RAM] = val;
}

static void param_password(struct i8042 *c, uint8_t cmd, uint8_t val)
{
    if (val) /* a zero ends it */
        c->s.param = cmd;
}

static void param_out(struct i8042 *c, uint8_t cmd, uint8_t val)
{
    c->s.outport = (val & OUT_STORED) | OUT_RESET_N;
    if (!(val & OUT_RESET_N))
        platform_power(c->dev.plat, POWER_RESET);
}

static void param_loop(struct i8042 *c, uint8_t cmd, uint8_t val)
{
    answer(c, val, cmd == 0xd2 ? FROM_KEYBOARD : FROM_MOUSE);
}

static void param_mouse(struct i8042 *c, uint8_t cmd, uint8_t val)
{
    c->s.ram[0] &= ~CB_AUX_OFF; /* to send, the interface must be on */
    ps2_mouse_write(&c->s.mouse, val);
}

static const struct {
    uint8_t first, last;
    void (*run)(struct i8042 *c, uint8_t cmd, uint8_t val);
} params[] = {
    { 0x60, 0x7f, param_ram },  { 0xa5, 0xa5, param_password }, { 0xd1, 0xd1, param_out },
    { 0xd2, 0xd3, param_loop }, { 0xd4, 0xd4, param_mouse },
};

static void write_data(struct i8042 *c, uint8_t val)
{
    uint8_t cmd = c->s.param;

    c->s.param = 0;
    for (unsigned i = 0; i < sizeof(params) / sizeof(params[0]); i++)
        if (cmd >= params[i].first && cmd <= params[i].last) {
            params[i].run(c, cmd, val);
            return;
        }
    c->s.ram[0] &= ~CB_KBD_OFF;
    ps2_keyboard_write(&c->s.keyboard, val);
}

/* Ports */

static uint64_t data_read(struct device *dev, uint64_t off, unsigned width)
{
    struct i8042 *c = i8042_of(dev);
    uint8_t val = read_data(c);

    pump(c);
    return val;
}

static void data_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct i8042 *c = i8042_of(dev);

    c->s.cmd_seen = false;
    write_data(c, val);
    pump(c);
}

static uint64_t status_read(struct device *dev, uint64_t off, unsigned width)
{
    struct i8042 *c = i8042_of(dev);

    return ST_UNLOCKED | (c->s.from != FROM_NOBODY ? ST_OBF : 0) |
           (c->s.ram[0] & CB_SYS ? ST_SYS : 0) | (c->s.cmd_seen ? ST_CMD : 0) |
           (c->s.from == FROM_MOUSE ? ST_AUX_OBF : 0);
}

static void command_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct i8042 *c = i8042_of(dev);

    c->s.cmd_seen = true;
    write_command(c, val);
    pump(c);
}

/* Input */

static void wake(struct i8042 *c)
{
    struct device *pm = pm_find(c->dev.plat);

    if (pm)
        pm_wake(pm);
}

void i8042_key(struct device *dev, uint16_t code, bool down)
{
    struct i8042 *c = i8042_of(dev);

    ps2_keyboard_key(&c->s.keyboard, code, down);
    pump(c);
    if (down)
        wake(c);
}

void i8042_move(struct device *dev, int dx, int dy, int dz, unsigned buttons)
{
    struct i8042 *c = i8042_of(dev);

    ps2_mouse_move(&c->s.mouse, dx, dy, dz, buttons);
    pump(c);
    if (buttons) /* moving alone does not wake a PC */
        wake(c);
}

static void input_key(void *dev, uint16_t code, bool down)
{
    i8042_key(dev, code, down);
}

static void input_rel(void *dev, int dx, int dy, int dz, unsigned buttons)
{
    i8042_move(dev, dx, dy, dz, buttons);
}

static const struct input_ops i8042_input = { .key = input_key, .rel = input_rel };

/* The device's life */

static void i8042_reset(struct device *dev, enum reset_kind kind)
{
    struct i8042 *c = i8042_of(dev);

    c->s.ram[0] = CB_KBD_INT | CB_AUX_INT;
    c->s.outport = OUT_LINES | OUT_A20 | OUT_RESET_N;
    c->s.cmd_seen = true;
    ps2_keyboard_reset(&c->s.keyboard);
    ps2_mouse_reset(&c->s.mouse);
}

static int i8042_init(struct device *dev, const struct config *cfg, struct err *err)
{
    struct i8042 *c = i8042_of(dev);

    irq_isa(dev, &c->kbd_irq, 1);
    irq_isa(dev, &c->aux_irq, 12);
    timer_init(dev->plat, &c->s.line, line_ready, c);
    c->display = config_obj(cfg, "display");
    if (c->display)
        display_add_input(c->display, &i8042_input, dev);
    return 0;
}

static void i8042_fini(struct device *dev)
{
    struct i8042 *c = i8042_of(dev);

    if (c->display)
        display_remove_input(c->display, dev);
    irq_set(&c->kbd_irq, false);
    irq_set(&c->aux_irq, false);
    timer_fini(dev->plat, &c->s.line);
}

static const struct io_range i8042_io[] = { { IO_PORT, 0x60, 1, 1, data_read, data_write },
                                            { IO_PORT, 0x64, 1, 1, status_read, command_write },
                                            { 0 } };

const struct device_type i8042_type = {
    .name = "i8042",
    .version = 1,
    DEVICE_LAYOUT(struct i8042),
    .io = i8042_io,
    .state = i8042_state,
    .init = i8042_init,
    .fini = i8042_fini,
    .reset = i8042_reset,
    .sync = i8042_sync,
};
