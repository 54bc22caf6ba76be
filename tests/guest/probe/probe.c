/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest that is no operating system and is there seconds after the firmware: it takes commands at
 * its serial port, one a line, and answers each with one line "PROBE: …". For what Linux hides:
 * CPUID, MSRs, NMIs, clocks, faults. It starts as bare/ does (bare/boot.S, bare/bare.ld).
 */
#include <stddef.h>
#include <stdint.h>

#define COM1 0x3f8
#define HPET ((volatile uint32_t *)0xfed00000)
#define APIC ((volatile uint32_t *)0xfee00000)

extern char __start_bss[], __end_bss[];
extern const char ap_start[], ap_end[];
void bare_main(void);
void *memset(void *p, int c, size_t n);
void *memcpy(void *to, const void *from, size_t n);
void exception(uint32_t vector);

void *memset(void *p, int c, size_t n)
{
    for (char *q = p; n; n--)
        *q++ = c;
    return p;
}

void *memcpy(void *to, const void *from, size_t n)
{
    char *q = to;

    for (const char *r = from; n; n--)
        *q++ = *r++;
    return to;
}

static uint8_t inb(uint16_t port)
{
    uint8_t v;

    __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static uint32_t inl(uint16_t port)
{
    uint32_t v;

    __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
    return v;
}

static void outb(uint16_t port, uint8_t v)
{
    __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static void outw(uint16_t port, uint16_t v)
{
    __asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}

static void outl(uint16_t port, uint32_t v)
{
    __asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port));
}

static uint64_t tsc(void)
{
    uint32_t lo, hi;

    __asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
    return (uint64_t)hi << 32 | lo;
}

/* Division of 64 by 32 bits: there is no library. */
static uint64_t over(uint64_t n, uint32_t d)
{
    uint64_t q = 0, rest = 0;

    for (int i = 63; i >= 0; i--) {
        rest = rest << 1 | (n >> i & 1);
        if (rest >= d) {
            rest -= d;
            q |= 1ull << i;
        }
    }
    return q;
}

/* ---- talking ---- */

static void put(const char *s)
{
    for (; *s; s++) {
        while (!(inb(COM1 + 5) & 0x20))
            ;
        outb(COM1, *s);
    }
}

static void put_hex(const char *name, uint64_t v)
{
    char text[20], *p = text + sizeof(text) - 1;

    *p = 0;
    do
        *--p = "0123456789abcdef"[v & 15];
    while (v >>= 4);
    put(name);
    put(p);
}

static void put_dec(const char *name, uint64_t v)
{
    char text[24], *p = text + sizeof(text) - 1;

    *p = 0;
    do {
        uint64_t q = over(v, 10);

        *--p = '0' + (char)(v - q * 10);
        v = q;
    } while (v);
    put(name);
    put(p);
}

static void say(const char *what)
{
    put("PROBE: ");
    put(what);
}

static void end(void)
{
    put("\r\n");
}

static uint32_t word_hex(const char **s)
{
    uint32_t v = 0;

    while (**s == ' ')
        ++*s;
    for (; **s && **s != ' '; ++*s)
        v = v << 4 | (**s & 15) + (**s > '9' ? 9 : 0);
    return v;
}

static uint32_t word_dec(const char **s)
{
    uint32_t v = 0;

    while (**s == ' ')
        ++*s;
    for (; **s >= '0' && **s <= '9'; ++*s)
        v = v * 10 + (**s - '0');
    return v;
}

/* ---- interrupts ---- */

static volatile uint32_t nmis, ticks;
static uint64_t idt[256];
static void *again[5]; /* where a command goes on that an exception ended */

static void on_nmi(void)
{
    nmis++;
}

static void on_tick(void) /* of the RTC: reading C takes the request back */
{
    outb(0x70, 0x0c);
    inb(0x71);
    outb(0xa0, 0x20);
    outb(0x20, 0x20);
    ticks++;
}

void exception(uint32_t vector)
{
    say("exception ");
    put_dec("", vector);
    end();
    __builtin_longjmp(again, 1);
}

#define ENTRY(name, call)                                                                          \
    void name(void);                                                                               \
    __asm__(#name ": pusha; cld; call " #call "; popa; iret")
ENTRY(nmi_entry, on_nmi_c);
ENTRY(tick_entry, on_tick_c);
void on_nmi_c(void);
void on_tick_c(void);
void on_nmi_c(void)
{
    on_nmi();
}
void on_tick_c(void)
{
    on_tick();
}

extern const uint32_t exception_entries[32];
#define X(n)  "x" #n ": push $" #n "; jmp x_all\n"
#define XS(n) ".long x" #n "\n"
__asm__(X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16)
            X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30)
                X(31) "x_all: call exception\n"
                      ".balign 4\nexception_entries:\n" XS(0) XS(1) XS(2) XS(3) XS(4) XS(5) XS(6)
                          XS(7) XS(8) XS(9) XS(10) XS(11) XS(12) XS(13) XS(14) XS(15) XS(16) XS(17)
                              XS(18) XS(19) XS(20) XS(21) XS(22) XS(23) XS(24) XS(25) XS(26) XS(27)
                                  XS(28) XS(29) XS(30) XS(31));

static void gate(unsigned n, uint32_t to)
{
    idt[n] = (uint64_t)(to & 0xffff0000) << 32 | 0x8e00ull << 32 | 8 << 16 | (to & 0xffff);
}

static void load_idt(const void *table, uint16_t limit)
{
    struct {
        uint16_t limit;
        uint32_t base;
    } __attribute__((packed)) r = { limit, (uint32_t)table };

    __asm__ volatile("lidt %0" : : "m"(r));
}

static void set_interrupts(void)
{
    for (unsigned i = 0; i < 32; i++)
        gate(i, exception_entries[i]);
    gate(2, (uint32_t)nmi_entry);
    gate(0x28, (uint32_t)tick_entry);
    load_idt(idt, sizeof(idt) - 1);
    for (unsigned i = 0; i < 2; i++) { /* 8259A: ICW1-4; all masked but the cascade and IRQ 8 */
        uint16_t port = i ? 0xa0 : 0x20;

        outb(port, 0x11);
        outb(port + 1, i ? 0x28 : 0x20);
        outb(port + 1, i ? 2 : 4);
        outb(port + 1, 1);
        outb(port + 1, i ? 0xfe : 0xfb);
    }
}

/* ---- clocks ---- */

static uint16_t pm_base;

/* The PIIX4's function 3 (82371AB, 7.1): base, and enabled. */
static void find_pm(void)
{
    for (uint32_t dev = 0; dev < 32; dev++) {
        uint32_t at = 0x80000000 | dev << 11 | 3 << 8;

        outl(0xcf8, at);
        if (inl(0xcfc) != 0x71138086)
            continue;
        outl(0xcf8, at | 0x40);
        pm_base = inl(0xcfc) & 0xffc0;
    }
}

static uint32_t pm_timer(void)
{
    return inl(pm_base + 8) & 0xffffff;
}

/* Waits for so many ticks of the PM timer, 3579545 a second; it wraps every 4.7 s. How many it was.
 */
static uint64_t wait_pm(uint64_t n)
{
    uint32_t last = pm_timer(), now;
    uint64_t gone = 0;

    while (gone < n) {
        now = pm_timer();
        gone += (now - last) & 0xffffff;
        last = now;
    }
    return gone;
}

static uint8_t cmos(uint8_t reg)
{
    outb(0x70, reg);
    return inb(0x71);
}

static void set_cmos(uint8_t reg, uint8_t v)
{
    outb(0x70, reg);
    outb(0x71, v);
}

/*
 * "clocks N": at each of N + 1 new seconds of the RTC, what the PM timer and the HPET have counted,
 * and how long it took to read the latter, in ticks of the former. Whoever runs us may have been
 * late: the least late of many tell.
 */
static void do_clocks(const char *s)
{
    uint32_t seconds = word_dec(&s), last = pm_timer(), hpet_last = 0, now, hpet_now;
    uint64_t pm = 0, hpet = 0;

    HPET[0x10 / 4] |= 1;
    for (uint32_t i = 0; i <= seconds; i++) {
        uint8_t was = cmos(0);

        do {
            now = pm_timer();
            pm += (now - last) & 0xffffff;
            last = now;
        } while (cmos(0) == was);
        now = pm_timer();
        hpet_now = HPET[0xf0 / 4]; /* the low half: 42 s at 100 MHz */
        pm += (now - last) & 0xffffff;
        last = now;
        hpet += i ? hpet_now - hpet_last : 0;
        hpet_last = hpet_now;
        say("edge ");
        put_dec("", i);
        put_dec(" ", pm);
        put_dec(" ", hpet);
        put_dec(" ", (pm_timer() - now) & 0xffffff);
        put_dec(" ", HPET[1]); /* femtoseconds of a tick */
        end();
    }
    say("clocks");
    end();
}

/* "ticks DEAF LISTEN": tenths of a second without and with interrupts, RTC at 64 Hz. */
static void do_ticks(const char *s)
{
    uint32_t deaf = word_dec(&s), listen = word_dec(&s);
    uint64_t gone;

    ticks = 0;
    set_cmos(0x0a, 0x2a);
    cmos(0x0c);
    set_cmos(0x0b, cmos(0x0b) | 0x40);
    gone = wait_pm((uint64_t)deaf * 357954);
    __asm__ volatile("sti");
    gone += wait_pm((uint64_t)listen * 357954);
    __asm__ volatile("cli");
    set_cmos(0x0b, cmos(0x0b) & ~0x40);
    cmos(0x0c);
    say("ticks ");
    put_dec("", ticks);
    put_dec(" of ", over(gone * 64, 3579545));
    end();
}

/* ---- the rest ---- */

static void do_cpuid(const char *s)
{
    uint32_t a = word_hex(&s), c = word_hex(&s), b, d;

    say("cpuid ");
    put_hex("", a);
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    put_hex(" ", a);
    put_hex(" ", b);
    put_hex(" ", c);
    put_hex(" ", d);
    end();
}

static void do_rdmsr(const char *s)
{
    uint32_t msr = word_hex(&s), lo, hi;

    __asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
    say("rdmsr ");
    put_hex("", msr);
    put_dec(" ", (uint64_t)hi << 32 | lo);
    end();
}

static void do_wrmsr(const char *s)
{
    uint32_t msr = word_hex(&s), hi = word_hex(&s), lo = word_hex(&s);

    __asm__ volatile("wrmsr" : : "c"(msr), "a"(lo), "d"(hi));
    say("wrmsr");
    end();
}

static void do_nmi(const char *s)
{
    say("nmi ");
    put_dec("", nmis);
    end();
}

/* LVT LINT1 as a PC's firmware may leave it: "lint1 400" takes NMIs, "lint1 10400" does not. */
static void do_lint1(const char *s)
{
    APIC[0xf0 / 4] |= 0x100;
    APIC[0x360 / 4] = word_hex(&s);
    say("lint1");
    end();
}

static volatile uint32_t *const awake = (uint32_t *)0x9000;

/* All other processors count themselves. "smp N" waits for N of them. */
static void do_smp(const char *s)
{
    uint32_t want = word_dec(&s);

    memcpy((void *)0x8000, ap_start, ap_end - ap_start);
    *awake = 0;
    APIC[0xf0 / 4] |= 0x100;
    APIC[0x300 / 4] = 0xc4500; /* INIT to all but self */
    wait_pm(36000);
    for (int i = 0; i < 2; i++) {
        APIC[0x300 / 4] = 0xc4608; /* start-up at 0x8000 */
        wait_pm(3600);
    }
    for (int i = 0; i < 600 && *awake < want; i++)
        wait_pm(357954);
    say("smp ");
    put_dec("", *awake);
    end();
}
__asm__(".code16\nap_start: xor %ax, %ax; mov %ax, %ds; lock incl 0x9000; 1: cli; hlt; jmp 1b\n"
        "ap_end: .code32");

/* "high MIB": so much above 4 GiB keeps what is written, every 64 MiB. PAE, a page table of 2 MiB
 * pages. */
static void do_high(const char *s)
{
    static uint64_t table[4] __attribute__((aligned(4096)));
    static uint64_t pages[4][512] __attribute__((aligned(4096)));
    volatile uint32_t *window = (void *)0x3fe00000;
    uint32_t mib = word_dec(&s), wrong = 0, cr;

    for (unsigned i = 0; i < 2048; i++)
        pages[i / 512][i % 512] = (uint64_t)i << 21 | 0x83;
    for (unsigned i = 0; i < 4; i++)
        table[i] = (uint32_t)pages[i] | 1;
    __asm__ volatile("mov %%cr4, %0" : "=r"(cr));
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr | 0x20));
    __asm__ volatile("mov %0, %%cr3" : : "r"(table));
    __asm__ volatile("mov %%cr0, %0" : "=r"(cr));
    __asm__ volatile("mov %0, %%cr0" : : "r"(cr | 0x80000000));
    for (unsigned turn = 0; turn < 2; turn++) {
        for (uint32_t m = 0; m < mib; m += 64) {
            pages[0][511] = (0x100000000ull + ((uint64_t)m << 20)) | 0x83;
            __asm__ volatile("mov %0, %%cr3" : : "r"(table));
            if (!turn)
                window[5] = 0x12345678 ^ m;
            else
                wrong += window[5] != (0x12345678 ^ m);
        }
    }
    __asm__ volatile("mov %0, %%cr0" : : "r"(cr));
    say("high wrong=");
    put_dec("", wrong);
    end();
}

/* Cycles of a read of a port that is served outside the kernel: the keyboard's status. */
static void do_ports(const char *s)
{
    uint32_t n = word_dec(&s);
    uint64_t best = ~0ull;

    for (int batch = 0; batch < 10; batch++) {
        uint64_t at = tsc();

        for (uint32_t i = 0; i < n; i++)
            inb(0x64);
        at = tsc() - at;
        best = at < best ? at : best;
    }
    say("ports ");
    put_dec("", over(best, n));
    end();
}

static void do_fault(const char *s)
{
    say("fault");
    end();
    if (word_hex(&s) == 3) { /* a triple one */
        load_idt(NULL, 0);
        __asm__ volatile("int3");
    }
    ((void (*)(void))0xfed80000)(); /* where nothing is */
}

/* Until the power button is pressed; then off. */
static void do_button(const char *s)
{
    outw(pm_base, 0x100);
    say("button waits");
    end();
    while (!(inl(pm_base) & 0x100))
        ;
    say("button");
    end();
    outw(pm_base + 4, 0x2000);
}

static void do_off(const char *s)
{
    outw(pm_base + 4, 0x2000);
}

static void do_reset(const char *s)
{
    outb(0xcf9, 6);
}

static const struct {
    const char *name;
    void (*run)(const char *);
} commands[] = {
    { "cpuid", do_cpuid },   { "rdmsr", do_rdmsr }, { "wrmsr", do_wrmsr }, { "nmi", do_nmi },
    { "lint1", do_lint1 },   { "smp", do_smp },     { "high", do_high },   { "ports", do_ports },
    { "clocks", do_clocks }, { "ticks", do_ticks }, { "fault", do_fault }, { "button", do_button },
    { "off", do_off },       { "reset", do_reset },
};

static void run(const char *line)
{
    for (unsigned i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        const char *n = commands[i].name, *l = line;

        while (*n && *n == *l)
            n++, l++;
        if (!*n && (!*l || *l == ' ')) {
            commands[i].run(l);
            return;
        }
    }
    say("what?");
    end();
}

static void read_line(char *line, unsigned size)
{
    unsigned n = 0;
    char c = 0;

    while (c != '\r' && c != '\n') {
        while (!(inb(COM1 + 5) & 1))
            ;
        c = inb(COM1);
        if (n < size - 1)
            line[n++] = c;
    }
    line[n ? n - 1 : 0] = 0;
}

void bare_main(void)
{
    static char line[80];

    memset(__start_bss, 0, __end_bss - __start_bss);
    outb(COM1 + 3, 0x83); /* 115200, 8n1, FIFO */
    outb(COM1, 1);
    outb(COM1 + 1, 0);
    outb(COM1 + 3, 3);
    outb(COM1 + 2, 7);
    set_interrupts();
    find_pm();
    say("ready");
    end();
    __builtin_setjmp(again);
    for (;;) {
        read_line(line, sizeof(line));
        run(line);
    }
}
