/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The qtest protocol, spoken to a real portico-dm: every answer's form, and every mistake. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "tests/unit/qt.h"
#include "tests/unit/qtest-rig.h"

TEST(answers_have_qemus_form)
{
    struct rig *r = rig_new("-m 16");

    CHECK(is(ask(r, "endianness"), "OK little"));
    CHECK(is(ask(r, "inb 0x64"), "OK 0x0018"));
    CHECK(is(ask(r, "inb 100"), "OK 0x0018"));
    CHECK(is(ask(r, "inb 0144"), "OK 0x0018"));
    CHECK(is(ask(r, "inb +0X64"), "OK 0x0018"));
    CHECK(is(ask(r, "outl 0xcf8 0x80000000"), "OK"));
    CHECK(is(ask(r, "inl 0xcf8"), "OK 0x80000000"));
    CHECK(is(ask(r, "inl 0xcfc"), "OK 0x12378086"));
    CHECK(is(ask(r, "inw 0xcfe"), "OK 0x1237"));
    CHECK(is(ask(r, "inb 0xcfd"), "OK 0x0080"));
    CHECK(is(ask(r, "inw 0x390"), "OK 0xffff")); /* nobody is there */
    CHECK(is(ask(r, "writeq 0x1000 0x1122334455667788"), "OK"));
    CHECK(is(ask(r, "readb 0x1007"), "OK 0x0000000000000011"));
    CHECK(is(ask(r, "readw 0x1003"), "OK 0x0000000000004455"));
    CHECK(is(ask(r, "readl 0x1001"), "OK 0x0000000044556677"));
    CHECK(is(ask(r, "readq 0x1000"), "OK 0x1122334455667788"));
    CHECK(is(ask(r, "writeb 0x1000 0x1ff"), "OK")); /* what does not fit is left out */
    CHECK(is(ask(r, "writew 0x1002 -1"), "OK"));
    CHECK(is(ask(r, "writel 0x1004 0x01020304"), "OK"));
    CHECK(is(ask(r, "read 0x1000 8"), "OK 0xff77ffff04030201"));
    CHECK(is(ask(r, "module_load hw- anything"), "OK"));
    rig_free(r);
}

TEST(bytes_in_hexadecimal_and_base_64)
{
    struct rig *r = rig_new("-m 16");

    CHECK(is(ask(r, "write 0x2000 4 0x01aBcD04"), "OK"));
    CHECK(is(ask(r, "read 0x2000 5"), "OK 0x01abcd0400"));
    CHECK(is(ask(r, "write 0x2000 3 0x0102"), "OK")); /* what is missing is zero */
    CHECK(is(ask(r, "read 0x2000 4"), "OK 0x01020004"));
    CHECK(is(ask(r, "write 0x2000 1 0x55aa"), "OK")); /* what is too much is not written */
    CHECK(is(ask(r, "read 0x2000 2"), "OK 0x5502"));
    CHECK(is(ask(r, "write 0x2000 1 0x"), "ERR invalid argument size"));
    CHECK(is(ask(r, "write 0x2000 1 0xzz"), "OK"));
    CHECK(is(ask(r, "read 0x2000 1"), "OK 0xff"));
    CHECK(is(ask(r, "memset 0x2000 4 0x1ab"), "OK"));
    CHECK(is(ask(r, "memset 0x2004 0 0xff"), "OK"));
    CHECK(is(ask(r, "read 0x2000 5"), "OK 0xabababab00"));
    CHECK(is(ask(r, "b64write 0x3000 4 AQID/w=="), "OK"));
    CHECK(is(ask(r, "b64read 0x3000 1"), "OK AQ=="));
    CHECK(is(ask(r, "b64read 0x3000 2"), "OK AQI="));
    CHECK(is(ask(r, "b64read 0x3000 3"), "OK AQID"));
    CHECK(is(ask(r, "b64read 0x3000 4"), "OK AQID/w=="));
    CHECK(is(ask(r, "b64read 0x3000 0"), "OK "));
    CHECK(is(ask(r, "b64write 0x3000 2 BAUG"), "OK")); /* no more than asked for */
    CHECK(is(ask(r, "read 0x3000 4"), "OK 0x040503ff"));
    CHECK(is(ask(r, "b64write 0x3000 9 !B!A=="), "OK")); /* noise is skipped */
    CHECK(is(ask(r, "read 0x3000 2"), "OK 0x0405"));
    CHECK(is(ask(r, "b64write 0x3000 1 AA"), "ERR invalid argument size"));
    rig_free(r);
}

TEST(nonsense_fails_and_nothing_else)
{
    static const char *const lines[] = {
        "",
        " ",
        " inb 0x64",
        "inb",
        "inb zz",
        "inb 0x64z",
        "inb 0x10000",
        "inb -1",
        "inb  0x64",
        "outb 0x80",
        "outb 0x80 zz",
        "outb 0x80 0x10000000000000000",
        "inb 08",
        "inb 0x",
        "inb -",
        "readb",
        "readq zz",
        "writeq 0",
        "read",
        "read 0x1000",
        "read 0x1000 0",
        "read zz 4",
        "read 0x1000 0x40000000",
        "read 0x1000 -1",
        "read 0x1000 0xffffffffffffffff",
        "write 0x1000 4",
        "write 0x1000 0x40000000 0x00",
        "write",
        "b64read 0 0x1000001",
        "b64write 0 4",
        "memset 0x1000 4",
        "memset 0 0x40000000 1",
        "memset 0 -1 1",
        "clock_step abc",
        "clock_step ",
        "clock_set",
        "clock_set -1",
        "clock_set 0x8000000000000000",
        "irq_intercept_in",
        "irq_intercept_in nosuch",
        "irq_intercept_out nosuch",
        "set_irq_in",
        "set_irq_in ioapic unnamed-gpio-in 24 1",
        "set_irq_in ioapic unnamed-gpio-in -1 1",
        "set_irq_in ioapic foo 1 1",
        "set_irq_in nosuch unnamed-gpio-in 1 1",
        "set_irq_in ioapic unnamed-gpio-in 1 x",
        "set_irq_in ioapic unnamed-gpio-in 1",
        "module_load",
        "module_load x",
        "INB 0x64",
        "inb\t0x64",
        "rtas a 1 2 3 4",
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567",
    };
    struct rig *r = rig_new("-m 16");

    for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        const char *got = ask(r, "%s", lines[i]);

        if (strncmp(got, "FAIL ", 5) || strlen(got) > 130)
            fprintf(stderr, "%s: %s\n", lines[i], got);
        CHECK(!strncmp(got, "FAIL ", 5) && strlen(got) <= 130);
    }
    CHECK(is(ask(r, "foo bar"), "FAIL Unknown command 'foo'"));
    CHECK(is(ask(r, "irq_intercept_in nosuch"), "FAIL Unknown device"));
    CHECK(is(ask(r, "endianness"), "OK little"));
    rig_free(r);
}

/* The keyboard controller, told to put a byte into its output buffer, pulls interrupt 1. */
static const char *key_byte(struct rig *r)
{
    CHECK(is(ask(r, "outb 0x64 0xd2"), "OK"));
    return ask(r, "outb 0x60 0x55");
}

TEST(lines_come_before_the_answer)
{
    struct rig *r = rig_new("-m 16");

    CHECK(is(ask(r, "outb 0x64 0x60"), "OK"));
    CHECK(is(ask(r, "outb 0x60 0x01"), "OK"));
    CHECK(is(key_byte(r), "OK")); /* nobody listens yet */
    CHECK(is(ask(r, "inb 0x60"), "OK 0x0055"));
    CHECK(is(ask(r, "irq_intercept_in ioapic"), "OK"));
    CHECK(is(ask(r, "irq_intercept_in ioapic"), "OK"));
    CHECK(is(ask(r, "irq_intercept_in i440fx"), "FAIL IRQ intercept already enabled"));
    CHECK(is(key_byte(r), "IRQ raise 1|OK"));
    CHECK(is(ask(r, "inb 0x60"), "IRQ lower 1|OK 0x0055"));
    CHECK(is(ask(r, "set_irq_in ioapic unnamed-gpio-in 23 1"), "IRQ raise 23|OK"));
    CHECK(is(ask(r, "set_irq_in ioapic unnamed-gpio-in 23 1"), "OK"));
    CHECK(is(ask(r, "set_irq_in ioapic unnamed-gpio-in 23 0"), "IRQ lower 23|OK"));
    rig_free(r);

    r = rig_new("-m 16");
    CHECK(is(ask(r, "irq_intercept_out /machine/i440fx/ioapic"), "OK")); /* it has none */
    CHECK(is(ask(r, "set_irq_in ioapic unnamed-gpio-in 4 1"), "OK"));
    rig_free(r);
}

static unsigned config_read(struct rig *r, unsigned devfn, unsigned off)
{
    CHECK(is(ask(r, "outl 0xcf8 0x%x", 0x80000000 | devfn << 8 | off), "OK"));
    return (unsigned)strtoul(ask(r, "inl 0xcfc") + 3, NULL, 16);
}

static const char *config_write(struct rig *r, unsigned devfn, unsigned off, unsigned val)
{
    CHECK(is(ask(r, "outl 0xcf8 0x%x", 0x80000000 | devfn << 8 | off), "OK"));
    return ask(r, "outl 0xcfc 0x%x", val);
}

/* An e1000 pulls pin A; PIIX3's routing registers say which interrupt that is. */
TEST(a_pci_line_goes_where_the_links_say)
{
    struct rig *r = rig_new("-m 16 -device e1000,romfile=");
    unsigned slot, shift;

    for (slot = 0; slot < 32 && config_read(r, slot << 3, 0) != 0x100e8086; slot++)
        ;
    CHECK(slot < 32);
    shift = 8 * ((slot - 1) & 3); /* of the slot's PIRQ */
    CHECK(is(ask(r, "irq_intercept_in ioapic"), "OK"));
    CHECK(is(config_write(r, slot << 3, 0x10, 0xfe000000), "OK"));
    CHECK(is(config_write(r, slot << 3, 0x04, 6), "OK"));
    CHECK(is(ask(r, "writel 0xfe0000d0 4"), "OK"));
    CHECK(is(ask(r, "writel 0xfe0000c8 4"), "OK")); /* pulled, but routed nowhere */
    CHECK(is(config_write(r, 8, 0x60, 0x80808080 & ~(0xffu << shift)), "OK"));
    CHECK(is(config_write(r, 8, 0x60, (0x80808080 & ~(0xffu << shift)) | 0xbu << shift),
             "IRQ raise 11|OK"));
    CHECK(is(config_write(r, 8, 0x60, (0x80808080 & ~(0xffu << shift)) | 0xau << shift),
             "IRQ lower 11|IRQ raise 10|OK"));
    CHECK(is(ask(r, "set_irq_in ioapic unnamed-gpio-in 10 0"), "IRQ lower 10|OK"));
    CHECK(is(ask(r, "set_irq_in ioapic unnamed-gpio-in 10 1"), "IRQ raise 10|OK"));
    CHECK(is(ask(r, "readl 0xfe0000c0"), "IRQ lower 10|OK 0x0000000000000004"));
    rig_free(r);
}

/* PAM0 and PAM1 of the host bridge: 0xc0000-0xc7fff and 0xf0000-0xfffff are RAM. */
static void open_shadow(struct rig *r)
{
    ask(r, "outl 0xcf8 0x80000058");
    ask(r, "outl 0xcfc 0x00333000");
}

TEST(memory_is_where_a_pc_has_it)
{
    struct rig *r = rig_new("-m 4096");

    CHECK(is(ask(r, "write 0xbffffffe 4 0x01020304"), "OK"));
    CHECK(is(ask(r, "read 0xbffffffe 4"), "OK 0x01020000"));
    CHECK(is(ask(r, "write 0x9fffe 4 0x01020304"), "OK")); /* no card, no window */
    CHECK(is(ask(r, "read 0x9fffe 4"), "OK 0x01020000"));
    CHECK(is(ask(r, "write 0xbfffe 4 0x01020304"), "OK")); /* PAM: nothing of it is RAM */
    CHECK(is(ask(r, "read 0xbfffe 4"), "OK 0x00000000"));
    open_shadow(r);
    CHECK(is(ask(r, "write 0xbfffe 4 0x01020304"), "OK"));
    CHECK(is(ask(r, "read 0xbfffe 4"), "OK 0x00000304"));
    CHECK(is(ask(r, "writeq 0x13ffffff8 0x1122334455667788"), "OK"));
    CHECK(is(ask(r, "readq 0x13ffffff8"), "OK 0x1122334455667788"));
    CHECK(is(ask(r, "writeq 0x140000000 0x1122334455667788"), "OK"));
    CHECK(is(ask(r, "readq 0x140000000"), "OK 0x0000000000000000"));
    CHECK(is(ask(r, "read 0xfffffffffffffffe 4"), "OK 0x00000000"));
    CHECK(is(ask(r, "writel 0xffffffffffffffff 1"), "OK"));
    rig_free(r);

    r = rig_new("-m 3500"); /* up to 3.5 GiB is in one piece */
    CHECK(is(ask(r, "writel 0xdabffffc 0x12345678"), "OK"));
    CHECK(is(ask(r, "readl 0xdabffffc"), "OK 0x0000000012345678"));
    CHECK(is(ask(r, "writel 0xdac00000 0x12345678"), "OK"));
    CHECK(is(ask(r, "readl 0xdac00000"), "OK 0x0000000000000000"));
    rig_free(r);
}

TEST(firmware_is_below_4_gib_and_below_1_mib)
{
    char name[] = "/tmp/portico-qtest-XXXXXX", options[128];
    uint8_t page[4096];
    int fd = mkstemp(name);
    struct rig *r;

    for (unsigned i = 0; i < 64; i++) {
        memset(page, (int)i, sizeof(page));
        CHECK(write(fd, page, sizeof(page)) == sizeof(page));
    }
    close(fd);
    snprintf(options, sizeof(options), "-m 16 -bios %s", name);
    r = rig_new(options);
    CHECK(is(ask(r, "readw 0xfffbffff"), "OK 0x0000000000000000"));
    CHECK(is(ask(r, "readw 0xfffc1000"), "OK 0x0000000000000101"));
    CHECK(is(ask(r, "readw 0xffffffff"), "OK 0x000000000000003f"));
    CHECK(is(ask(r, "writeb 0xfffffff0 0x55"), "OK"));
    CHECK(is(ask(r, "readb 0xfffffff0"), "OK 0x000000000000003f"));
    CHECK(is(ask(r, "readw 0xdffff"), "OK 0x0000000000002000"));
    CHECK(is(ask(r, "readw 0xfffff"), "OK 0x000000000000003f"));
    CHECK(is(ask(r, "writeb 0xffff0 0x55"), "OK")); /* the ROM itself */
    CHECK(is(ask(r, "readb 0xffff0"), "OK 0x000000000000003f"));
    open_shadow(r);
    CHECK(is(ask(r, "writeb 0xffff0 0x55"), "OK"));
    CHECK(is(ask(r, "readb 0xffff0"), "OK 0x0000000000000055"));
    rig_free(r);
    unlink(name);
}

/* The clock's periodic interrupt: 1024 Hz. */
static void start_periodic(struct rig *r)
{
    CHECK(is(ask(r, "outb 0x70 0x0a"), "OK"));
    CHECK(is(ask(r, "outb 0x71 0x26"), "OK"));
    CHECK(is(ask(r, "outb 0x70 0x0b"), "OK"));
    CHECK(is(ask(r, "outb 0x71 0x42"), "OK"));
    CHECK(is(ask(r, "outb 0x70 0x0c"), "OK"));
}

TEST(time_stands_until_it_is_moved)
{
    struct rig *r = rig_new("-m 16");

    CHECK(is(ask(r, "clock_step 0"), "OK 0"));
    CHECK(is(ask(r, "clock_step 100"), "OK 100"));
    CHECK(is(ask(r, "clock_step -5"), "OK 100"));
    CHECK(is(ask(r, "clock_set 1000"), "OK 1000"));
    CHECK(is(ask(r, "clock_set 5"), "OK 1000")); /* it does not go back */
    CHECK(is(ask(r, "clock_step 0x7fffffffffffffff"), "OK 1000"));
    CHECK(is(ask(r, "irq_intercept_in ioapic"), "OK"));
    start_periodic(r);
    CHECK(is(ask(r, "clock_step 1000000"), "IRQ raise 8|OK 1001000"));
    CHECK(is(ask(r, "clock_step 1000000"), "OK 2001000")); /* nobody answered it */
    CHECK(is(ask(r, "inb 0x71"), "IRQ lower 8|OK 0x00c0"));
    CHECK(!strncmp(ask(r, "clock_step"), "IRQ raise 8|OK ", 15)); /* to the deadline */
    rig_free(r);
}

/* Far more timers fire than one turn of the loop takes; requests behind it wait for their turn. */
TEST(a_long_step_does_not_hold_the_loop)
{
    struct rig *r = rig_new("-m 16");

    start_periodic(r);
    rig_send(r, "clock_step 60000000000\nendianness\n", 34);
    CHECK(is(rig_line(r), "OK 60000000000"));
    CHECK(is(rig_line(r), "OK little"));
    rig_send(r, "clock_set 0x1000000000000000\nendianness\n", 40); /* some 36 years */
    kill(r->pid, SIGTERM);
    CHECK_EQ(rig_wait(r), 0);
    rig_free(r);
}

TEST(many_requests_at_once_are_answered_in_order)
{
    struct rig *r = rig_new("-m 16");
    char text[65536], expected[64];
    size_t n = 0;

    for (unsigned i = 0; i < 1000; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "writel 0x%x %u\nreadl 0x%x\n",
                              0x4000 + 4 * i, i, 0x4000 + 4 * i);
    rig_send(r, text, n);
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(expected, sizeof(expected), "OK 0x%016x", i);
        CHECK(is(rig_line(r), "OK"));
        CHECK(is(rig_line(r), expected));
    }
    for (const char *p = "inb 0x64\r\nendianness\n"; *p; p++) { /* by single bytes */
        rig_send(r, p, 1);
        if (p[1] == '4')
            usleep(20000);
    }
    CHECK(is(rig_line(r), "OK 0x0018"));
    CHECK(is(rig_line(r), "OK little"));
    rig_free(r);
}

/* The answers are 64 MiB; the client takes none of them before it has asked for all. */
TEST(a_client_that_does_not_read_is_waited_for)
{
    struct rig *r = rig_new("-m 16");

    for (unsigned i = 0; i < 32; i++)
        rig_send(r, "read 0x0 0x100000\n", 18);
    rig_send(r, "endianness\n", 11);
    for (unsigned i = 0; i < 32; i++) {
        const char *line = rig_line(r);

        CHECK(line && strlen(line) == 5 + 2 * 0x100000 && !strncmp(line, "OK 0x", 5));
    }
    CHECK(is(rig_line(r), "OK little"));
    rig_free(r);
}

TEST(a_line_has_an_end)
{
    struct rig *r = rig_new("-m 16");
    char *much = malloc(1 << 20);

    memset(much, 'x', 1 << 20);
    for (unsigned i = 0; i < 40; i++)
        rig_send(r, much, 1 << 20);
    CHECK(is(rig_line(r), "FAIL the request is too long"));
    rig_send(r, "\nendianness\n", 12);
    CHECK(is(rig_line(r), "OK little"));
    rig_send(r, "write 0x0 0x80000 0x", 20); /* a long one that is right */
    memset(much, '5', 1 << 20);
    rig_send(r, much, 1 << 20);
    CHECK(is(ask(r, "%s", ""), "OK"));
    CHECK(is(ask(r, "readl 0x7fffc"), "OK 0x0000000055555555"));
    free(much);
    rig_free(r);
}

TEST(random_bytes_do_no_harm)
{
    struct rig *r = rig_new("-m 16");
    unsigned seed = 12345;

    for (unsigned i = 0; i < 200; i++) {
        char bytes[256];
        unsigned n = 0;

        for (; n < sizeof(bytes) - 1; n++) {
            seed = seed * 1103515245 + 12345;
            bytes[n] = (char)(seed >> 16);
            if (bytes[n] == '\n')
                bytes[n] = 0;
        }
        bytes[n++] = '\n';
        rig_send(r, bytes, n);
        CHECK(!strncmp(rig_line(r), "FAIL Unknown command '", 22));
    }
    CHECK(is(ask(r, "endianness"), "OK little"));
    rig_free(r);
}
