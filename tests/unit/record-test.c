/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioreq/record.h with real portico-dms: what one does in the qtest world with
 * -trace ioreq= another does again with -replay, and a tape that was changed,
 * cut off or made up is found to be so.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "ioreq/record-impl.h"
#include "tests/unit/qt.h"
#include "tests/unit/qtest-rig.h"
#include "tests/unit/random.h"

#define DISK_SIZE (1u << 20)
#define TRIES     3000 /* of 10 ms, for what takes its time */

struct session {
    char dir[64], disk[96], tape[96], text[96], options[1024];
    int net; /* the other end of the card's cable */
    struct rig *r;
};

static void put_file(const char *path, const void *bytes, size_t len)
{
    FILE *f = fopen(path, "w");

    CHECK(f && fwrite(bytes, 1, len, f) == len && fclose(f) == 0);
}

static size_t get_file(const char *path, uint8_t **bytes)
{
    FILE *f = fopen(path, "r");
    struct stat st;

    CHECK(f && !fstat(fileno(f), &st));
    *bytes = malloc((size_t)st.st_size + 1);
    CHECK(*bytes && fread(*bytes, 1, (size_t)st.st_size, f) == (size_t)st.st_size);
    (*bytes)[st.st_size] = 0;
    fclose(f);
    return (size_t)st.st_size;
}

static struct sockaddr_un unix_addr(const struct session *s, const char *name)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };

    snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s", s->dir, name);
    return a;
}

static void fill_disk(const char *path, uint8_t seed)
{
    uint8_t *bytes = malloc(DISK_SIZE);

    for (unsigned i = 0; i < DISK_SIZE; i++)
        bytes[i] = (uint8_t)(i / 512 * 7 + i + seed);
    put_file(path, bytes, DISK_SIZE);
    free(bytes);
}

static void session_new(struct session *s)
{
    struct sockaddr_un here;

    snprintf(s->dir, sizeof(s->dir), "/tmp/record-test-XXXXXX");
    CHECK(mkdtemp(s->dir) != NULL);
    snprintf(s->disk, sizeof(s->disk), "%s/disk", s->dir);
    snprintf(s->tape, sizeof(s->tape), "%s/tape", s->dir);
    snprintf(s->text, sizeof(s->text), "%s/text", s->dir);
    fill_disk(s->disk, 0);
    here = unix_addr(s, "net-b");
    s->net = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(s->net >= 0 && !bind(s->net, (struct sockaddr *)&here, sizeof(here)));
    snprintf(s->options, sizeof(s->options),
             "-m 16 -drive file=%s,format=raw,if=ide,snapshot=on -device VGA,romfile= "
             "-netdev dgram,id=n,local.type=unix,local.path=%s/net-a,remote.type=unix,"
             "remote.path=%s/net-b -device rtl8139,netdev=n,romfile= "
             "-serial unix:%s/serial,server,nowait -qmp unix:%s/qmp,server=on,wait=off",
             s->disk, s->dir, s->dir, s->dir, s->dir);
}

static void session_free(struct session *s)
{
    static const char *const names[] = { "disk",   "tape", "text", "net-a", "net-b",
                                         "serial", "qmp",  "cut",  NULL };
    char path[160];

    close(s->net);
    for (unsigned i = 0; names[i]; i++) {
        snprintf(path, sizeof(path), "%s/%s", s->dir, names[i]);
        unlink(path);
    }
    CHECK(rmdir(s->dir) == 0);
}

/* ---- what the guest does ---- */

static unsigned in(struct rig *r, unsigned port)
{
    const char *a = ask(r, "inb 0x%x", port), *ok = strstr(a, "OK ");

    CHECK(ok != NULL);
    return (unsigned)strtoul(ok + 3, NULL, 0);
}

static void out(struct rig *r, unsigned port, unsigned val)
{
    CHECK(strstr(ask(r, "outb 0x%x 0x%x", port, val), "OK"));
}

static void wait_bit(struct rig *r, unsigned port, unsigned bit, bool set)
{
    for (unsigned i = 0; i < TRIES; i++) {
        if (!(in(r, port) & bit) == !set)
            return;
        usleep(10000);
    }
    CHECK(!"the bit comes");
}

static void config(struct rig *r, unsigned devfn, unsigned off, unsigned val)
{
    CHECK(is(ask(r, "outl 0xcf8 0x%x", 0x80000000 | devfn << 8 | off), "OK"));
    CHECK(is(ask(r, "outl 0xcfc 0x%x", val), "OK"));
}

/* One sector by bus master; the PRD table is at 0x1000. */
static void dma(struct rig *r, unsigned command, unsigned lba, unsigned to)
{
    CHECK(is(ask(r, "writeq 0x1000 0x%llx", 0x8000020000000000ULL | to), "OK"));
    CHECK(is(ask(r, "outl 0xc004 0x1000"), "OK"));
    out(r, 0xc002, 0x06);
    out(r, 0xc000, command == 0xc8 ? 8 : 0);
    out(r, 0x1f6, 0xe0);
    out(r, 0x1f2, 1);
    out(r, 0x1f3, lba);
    out(r, 0x1f4, 0);
    out(r, 0x1f5, 0);
    out(r, 0x1f7, command);
    out(r, 0xc000, command == 0xc8 ? 9 : 1);
    wait_bit(r, 0xc002, 4, true);
    out(r, 0xc000, 0);
    CHECK(in(r, 0x1f7) == 0x50);
}

static void use_disk(struct rig *r)
{
    config(r, 0x09, 0x20, 0xc000);
    config(r, 0x09, 0x04, 5);
    out(r, 0x1f6, 0xe0);
    out(r, 0x1f7, 0xec); /* IDENTIFY, by PIO */
    wait_bit(r, 0x1f7, 8, true);
    for (unsigned i = 0; i < 256; i++)
        ask(r, "inw 0x1f0");
    dma(r, 0xc8, 3, 0x2000);
    CHECK(is(ask(r, "read 0x2000 4"), "OK 0x15161718"));
    CHECK(is(ask(r, "memset 0x3000 512 0xa5"), "OK"));
    dma(r, 0xca, 5, 0x3000);
    dma(r, 0xc8, 5, 0x4000);
    CHECK(is(ask(r, "read 0x4000 4"), "OK 0xa5a5a5a5"));
    out(r, 0x1f7, 0xe7); /* FLUSH CACHE */
    wait_bit(r, 0x1f7, 0x80, false);
}

static void use_clock(struct rig *r)
{
    out(r, 0x70, 0x0a);
    out(r, 0x71, 0x26);
    out(r, 0x70, 0x0b);
    out(r, 0x71, 0x42); /* periodic interrupt */
    for (unsigned i = 0; i < 5; i++) {
        CHECK(strstr(ask(r, "clock_step 100000000"), "OK"));
        out(r, 0x70, 0x0c);
        CHECK(in(r, 0x71) & 0x40);
    }
    out(r, 0x70, 0x00);
    in(r, 0x71);
}

static int connect_to(const struct session *s, const char *name)
{
    struct sockaddr_un a = unix_addr(s, name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    CHECK(fd >= 0 && !connect(fd, (struct sockaddr *)&a, sizeof(a)));
    return fd;
}

static void say(int fd, const char *text)
{
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static void use_keys(const struct session *s)
{
    int qmp = connect_to(s, "qmp"), serial = connect_to(s, "serial");

    say(qmp, "{\"execute\":\"qmp_capabilities\"}\n"
             "{\"execute\":\"send-key\",\"arguments\":{\"keys\":[{\"type\":\"qcode\","
             "\"data\":\"a\"}]}}\n");
    wait_bit(s->r, 0x64, 1, true);
    CHECK(in(s->r, 0x60) == 0x1c); /* set 2: nothing translates yet */
    say(serial, "Z");
    for (unsigned i = 0; i < TRIES && !(in(s->r, 0x3fd) & 1); i++) {
        CHECK(strstr(ask(s->r, "clock_step 1000000"), "OK")); /* a character takes its time */
        usleep(1000);
    }
    CHECK(in(s->r, 0x3f8) == 'Z');
    close(serial);
    close(qmp);
}

/* Receive ring at 0x10000, transmit buffer at 0x20000. Slots go by the command line: VGA, card. */
static void use_card(const struct session *s)
{
    struct sockaddr_un to = unix_addr(s, "net-a");
    uint8_t frame[100] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 0x88, 0xb5 };
    struct rig *r = s->r;

    config(r, 0x18, 0x10, 0xc100);
    config(r, 0x18, 0x04, 5);
    CHECK(is(ask(r, "outl 0xc130 0x10000"), "OK")); /* RBSTART */
    out(r, 0xc137, 0x0c);                           /* receiver and transmitter on */
    CHECK(is(ask(r, "outl 0xc144 0xf"), "OK"));     /* RCR: whoever it is for */
    for (unsigned i = 14; i < sizeof(frame); i++)
        frame[i] = (uint8_t)i;
    CHECK(sendto(s->net, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to)) ==
          (ssize_t)sizeof(frame));
    wait_bit(r, 0xc13e, 1, true); /* ISR: ROK */
    CHECK(is(ask(r, "read 0x10010 4"), "OK 0x88b50e0f"));
    CHECK(is(ask(r, "write 0x20000 14 0xffffffffffff02000000000988b5"), "OK"));
    CHECK(is(ask(r, "outl 0xc120 0x20000"), "OK"));
    CHECK(is(ask(r, "outl 0xc110 60"), "OK"));
    wait_bit(r, 0xc13e, 4, true); /* TOK */
    CHECK(recv(s->net, frame, sizeof(frame), 0) == 60);
}

/* The CPU writes video memory where nobody sees it, and reads it where we are asked. */
static void use_screen(struct rig *r)
{
    char before[64];

    config(r, 0x10, 0x10, 0xe0000000);
    config(r, 0x10, 0x04, 7);
    out(r, 0x3c2, 3);
    out(r, 0x3ce, 6);
    out(r, 0x3cf, 1); /* graphics, 128 KiB at a0000 */
    snprintf(before, sizeof(before), "%s", ask(r, "readb 0xa0000"));
    CHECK(is(ask(r, "writel 0xe0000000 0xc6c6c6c6"), "OK"));
    CHECK(is(ask(r, "readb 0xa0000"), "OK 0x00000000000000c6"));
    CHECK(strcmp(before, "OK 0x00000000000000c6") != 0);
}

static void use_reset(struct rig *r)
{
    out(r, 0x1f2, 0x77);
    out(r, 0x64, 0xfe);
    CHECK(in(r, 0x1f2) == 1); /* as a drive that was reset has it */
}

static void record(struct session *s)
{
    char options[2048];

    snprintf(options, sizeof(options), "-trace ioreq=%s %s", s->tape, s->options);
    s->r = rig_new(options);
    use_disk(s->r);
    use_clock(s->r);
    use_keys(s);
    use_card(s);
    use_screen(s->r);
    use_reset(s->r);
    kill(s->r->pid, SIGTERM);
    CHECK(rig_wait(s->r) == 0);
    rig_free(s->r);
    s->r = NULL;
}

/* ---- playing ---- */

/* The exit status; -1: it died. What it said is in s->text. */
static int replay(const struct session *s, const char *tape, const char *options)
{
    char text[2048], *argv[80], *save = NULL;
    int n = 0, status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        int fd = open(s->text, O_WRONLY | O_CREAT | O_TRUNC, 0600);

        snprintf(text, sizeof(text), PORTICO_DM " -replay %s -accel qtest -nodefaults -vga none %s",
                 tape, options);
        for (char *w = strtok_r(text, " ", &save); w && n < 79; w = strtok_r(NULL, " ", &save))
            argv[n++] = w;
        argv[n] = NULL;
        dup2(fd, 1);
        dup2(fd, 2);
        execv(PORTICO_DM, argv);
        _exit(127);
    }
    CHECK(pid > 0 && waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool said(const struct session *s, const char *what)
{
    uint8_t *text;
    bool found;

    get_file(s->text, &text);
    found = strstr((char *)text, what) != NULL;
    if (!found)
        fprintf(stderr, "expected: %s\n     got: %.600s\n", what, (char *)text);
    free(text);
    return found;
}

static unsigned lines(const struct session *s)
{
    uint8_t *text;
    unsigned n = 0;

    get_file(s->text, &text);
    for (uint8_t *c = text; *c; c++)
        n += *c == '\n';
    free(text);
    return n;
}

TEST(a_session_plays_again)
{
    struct session s;
    uint8_t *bytes;
    bool seen[256] = { false };
    static const uint8_t wanted[] = { T_IN,     T_OUT, T_MEM_IN, T_TIMERS, T_DISK,  T_WANTS,
                                      T_FRAME,  T_KEY, T_SERIAL, T_RESET,  T_VRAM,  T_END,
                                      T_ANSWER, T_NOW, T_WALL,   T_READ,   T_WRITE, T_RANGE,
                                      T_PCI,    T_ISA, T_POWER,  T_SUBMIT, T_SEND };
    struct tape_header head;
    struct tape_reader *rd;
    const struct tape_rec *rec;
    const char *why;
    struct err err = { "" };

    session_new(&s);
    record(&s);
    CHECK(get_file(s.tape, &bytes) > 1000 && !memcmp(bytes, TAPE_MAGIC, 16));
    free(bytes);
    rd = tape_reader_new(s.tape, &head, &err);
    CHECK(rd && !strcmp(head.world, "qtest"));
    for (; (rec = tape_peek(rd, &why)); tape_next(rd))
        seen[rec->kind] = true;
    tape_reader_free(rd);
    for (unsigned i = 0; i < sizeof(wanted); i++) {
        if (!seen[wanted[i]])
            fprintf(stderr, "kind %u is not in the tape\n", wanted[i]);
        CHECK(seen[wanted[i]]);
    }
    CHECK(replay(&s, s.tape, s.options) == 0);
    CHECK(said(&s, "no difference") && lines(&s) == 1);
    session_free(&s);
}

/* Where in the tape the bytes are, behind `from`. */
static size_t find(const uint8_t *tape, size_t len, size_t from, const void *bytes, size_t n)
{
    const uint8_t *p = memmem(tape + from, len - from, bytes, n);

    CHECK(p != NULL);
    return (size_t)(p - tape);
}

TEST(a_changed_tape_is_found)
{
    /* Time stands still; a read of port 0x1f7, width 1, takes interrupt 14 back; answer 0x50. */
    static const uint8_t status[] = { T_IN, 0, 0xf7, 0x03, 1, T_ISA, 14, 0, T_ANSWER, 0x50 };
    /* A DMA write: 0x2000 (in 7 bits each), 512 bytes, status 0, a hash of 8 bytes. */
    static const uint8_t sector[] = { T_WRITE, 0x80, 0x40, 0x80, 0x04, 0, 8 };
    /* Interrupt 14 goes up. */
    static const uint8_t wire[] = { T_ISA, 14, 1 };
    struct session s;
    uint8_t *tape;
    size_t len, at;

    session_new(&s);
    record(&s);
    len = get_file(s.tape, &tape);
    at = find(tape, len, 0, status, sizeof(status)) + sizeof(status) - 1;
    tape[at] ^= 1;
    put_file(s.tape, tape, len);
    CHECK(replay(&s, s.tape, s.options) == 1 && lines(&s) == 1);
    CHECK(said(&s, "read of port 0x1f7, width 1: recorded \"answer 0x51\", now \"answer 0x50\""));
    tape[at] ^= 1;

    at = find(tape, len, 0, sector, sizeof(sector)) + sizeof(sector) + 3;
    tape[at] ^= 0x80;
    put_file(s.tape, tape, len);
    CHECK(replay(&s, s.tape, s.options) == 1 && lines(&s) == 1);
    CHECK(said(&s, "DMA writes 0x2000, 512 bytes: other bytes"));
    tape[at] ^= 0x80;

    at = find(tape, len, 0, wire, sizeof(wire)) + 2;
    tape[at] = 0;
    put_file(s.tape, tape, len);
    CHECK(replay(&s, s.tape, s.options) == 1 && lines(&s) == 1);
    CHECK(said(&s, "recorded \"ISA interrupt 14 is 0\", now \"ISA interrupt 14 is 1\""));
    free(tape);
    session_free(&s);
}

TEST(another_machine_is_found)
{
    struct session s;
    char options[1200];

    session_new(&s);
    record(&s);
    snprintf(options, sizeof(options), "%s -device rtl8139,romfile=", s.options);
    CHECK(replay(&s, s.tape, options) == 1 && said(&s, "while the machine is built"));
    fill_disk(s.disk, 1); /* another disk: IDENTIFY is the same, what is read is not */
    CHECK(replay(&s, s.tape, s.options) == 1 && said(&s, "DMA writes 0x2000"));
    fill_disk(s.disk, 0);
    CHECK(replay(&s, s.tape, s.options) == 0);
    session_free(&s);
}

TEST(nothing_makes_the_player_fall)
{
    struct session s;
    uint64_t seed = 7;
    uint8_t *tape, *copy;
    size_t len;
    char cut[160];
    int rc;

    session_new(&s);
    record(&s);
    len = get_file(s.tape, &tape);
    copy = malloc(len);
    snprintf(cut, sizeof(cut), "%s/cut", s.dir);
    for (unsigned i = 0; i < 40; i++) {
        put_file(cut, tape, i < 4 ? i * 11 : rnd_below(&seed, (unsigned)len - 1));
        CHECK(replay(&s, cut, s.options) == 1 && lines(&s) == 1);
    }
    for (unsigned i = 0; i < 60; i++) {
        memcpy(copy, tape, len);
        for (unsigned k = 0; k <= i % 4; k++)
            copy[32 + rnd_below(&seed, (unsigned)len - 32)] = (uint8_t)rnd_below(&seed, 256);
        put_file(cut, copy, len);
        rc = replay(&s, cut, s.options);
        if (rc != 0 && rc != 1)
            said(&s, "an end without a crash");
        CHECK(rc == 0 || rc == 1);
    }
    free(copy);
    free(tape);
    session_free(&s);
}

TEST(what_cannot_be_said_is_refused)
{
    struct session s;
    char options[1400];

    session_new(&s);
    CHECK(replay(&s, "/no/such/tape", s.options) == 1 &&
          said(&s, "-replay /no/such/tape: No such"));
    CHECK(replay(&s, s.disk, s.options) == 1 && said(&s, "not made by -trace ioreq="));
    CHECK(replay(&s, "/dev/null", s.options) == 1 && said(&s, "not a file"));
    record(&s);
    snprintf(options, sizeof(options), "-trace ioreq=%s %s", s.tape, s.options);
    CHECK(replay(&s, s.tape, options) == 1 && said(&s, "not supported with -replay"));
    snprintf(options, sizeof(options), "-accel xen %s", s.options);
    CHECK(replay(&s, s.tape, options) == 1 && said(&s, "was recorded with -accel qtest"));
    session_free(&s);
}

/* A medium that comes from outside ends the recording, and what there is plays. */
TEST(what_no_tape_holds_ends_it)
{
    struct session s;
    char options[1400];
    int qmp;

    session_new(&s);
    snprintf(options, sizeof(options), "-trace ioreq=%s %s -drive if=ide,media=cdrom,id=cd", s.tape,
             s.options);
    s.r = rig_new(options);
    use_disk(s.r);
    qmp = connect_to(&s, "qmp");
    say(qmp, "{\"execute\":\"qmp_capabilities\"}\n"
             "{\"execute\":\"eject\",\"arguments\":{\"device\":\"cd\",\"force\":true}}\n");
    for (unsigned i = 0; i < TRIES;
         i++) { /* its answer comes behind it; the tape is flushed then */
        char text[512] = "";
        ssize_t n = read(qmp, text, sizeof(text) - 1);

        CHECK(n > 0);
        if (strstr(text, "\"return\"") && i)
            break;
    }
    use_clock(s.r);
    kill(s.r->pid, SIGTERM);
    CHECK(rig_wait(s.r) == 0);
    rig_free(s.r);
    close(qmp);
    snprintf(options, sizeof(options), "%s -drive if=ide,media=cdrom,id=cd", s.options);
    CHECK(replay(&s, s.tape, options) == 0);
    CHECK(said(&s, "no difference; the recording ended there: a medium was taken out"));
    session_free(&s);
}
