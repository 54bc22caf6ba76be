/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts the test guest and carries out the commands that come over the serial port. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include "guest.h"

struct line {
    int fd;
    size_t len;
    char text[512];
};

static struct line serial = { .fd = -1 }, screen = { .fd = -1 };

static void put(int fd, const char *text, size_t len)
{
    while (fd >= 0 && len) {
        ssize_t n = write(fd, text, len);

        if (n <= 0)
            return;
        text += n, len -= n;
    }
}

void say(const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    int n = snprintf(text, sizeof(text), "PORTICO-GUEST: ");

    va_start(ap, fmt);
    n += vsnprintf(text + n, sizeof(text) - n - 2, fmt, ap);
    va_end(ap);
    if (n > (int)sizeof(text) - 3)
        n = sizeof(text) - 3;
    memcpy(text + n, "\r\n", 2);
    put(serial.fd, text, n + 2);
    put(screen.fd, text, n + 2);
}

double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

int num(int argc, char **argv, int i, int otherwise)
{
    return i < argc ? atoi(argv[i]) : otherwise;
}

bool slurp(const char *path, char *buf, size_t size)
{
    int fd = open(path, O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

    if (fd >= 0)
        close(fd);
    buf[n > 0 ? n : 0] = 0;
    buf[strcspn(buf, "\n")] = 0;
    return n > 0;
}

/* The file names modules in an order that can be loaded. */
void load_modules(const char *names, const char *libata_options)
{
    char name[128], path[160];
    FILE *list = fopen(names, "r");

    while (list && fscanf(list, "%127s", name) == 1) {
        int fd;

        snprintf(path, sizeof(path), "/modules/%s", name);
        fd = open(path, O_RDONLY);
        syscall(SYS_finit_module, fd, strcmp(name, "libata.ko") ? "" : libata_options, 0);
        close(fd);
    }
    if (list)
        fclose(list);
}

/* A module that is still at work, scanning its disks, leaves a little later. */
void unload_ata(void)
{
    static const char *const names[] = { "ata_piix", "ahci", "libahci", "libata" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        int tries = 300;

        while (syscall(SYS_delete_module, names[i], O_NONBLOCK) && errno != ENOENT && --tries)
            usleep(100000);
        if (!tries)
            say("unload error %s: %m", names[i]);
    }
}

static void cmd_echo(int argc, char **argv)
{
    say("echo %s", argc > 1 ? argv[1] : "");
}

static void cmd_info(int argc, char **argv)
{
    char clock[64];
    struct utsname u;

    uname(&u);
    slurp("/sys/devices/system/clocksource/clocksource0/current_clocksource", clock, sizeof(clock));
    say("info kernel=%s cpus=%ld mem=%ldMiB clock=%s uptime=%.1f", u.release,
        sysconf(_SC_NPROCESSORS_ONLN),
        sysconf(_SC_PHYS_PAGES) / (1024 * 1024 / sysconf(_SC_PAGESIZE)), clock, seconds());
}

static void cmd_pci(int argc, char **argv)
{
    struct dirent **e;
    int n = scandir("/sys/bus/pci/devices", &e, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        char path[300], vendor[16], device[16], class[16];

        if (e[i]->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vendor", e[i]->d_name);
        slurp(path, vendor, sizeof(vendor));
        snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/device", e[i]->d_name);
        slurp(path, device, sizeof(device));
        snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/class", e[i]->d_name);
        slurp(path, class, sizeof(class));
        say("pci %s %s:%s class %s", e[i]->d_name, vendor + 2, device + 2, class + 2);
    }
}

static void cmd_cmdline(int argc, char **argv)
{
    char text[1024];

    slurp("/proc/cmdline", text, sizeof(text));
    say("cmdline %.900s", text);
}

static void cmd_end(int argc, char **argv)
{
    bool off = !strcmp(argv[0], "poweroff");

    say("%s", argv[0]);
    sync();
    tcdrain(serial.fd);
    reboot(off ? RB_POWER_OFF : RB_AUTOBOOT);
}

static bool spit(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (fd >= 0)
        close(fd);
    return ok;
}

/* A page that must come through it is written before, and looked at behind. */
static void cmd_suspend(int argc, char **argv)
{
    static unsigned char page[65536];
    char after[16];
    bool same = true;

    for (size_t i = 0; i < sizeof(page); i++)
        page[i] = (unsigned char)(i * 7 + i / 256);
    snprintf(after, sizeof(after), "+%d", num(argc, argv, 1, 0));
    if (argc > 1 && !spit("/sys/class/rtc/rtc0/wakealarm", after))
        say("suspend error wakealarm: %m");
    say("suspend begins");
    tcdrain(serial.fd);
    if (!spit("/sys/power/state", "mem")) {
        say("suspend error: %m");
        return;
    }
    for (size_t i = 0; i < sizeof(page); i++)
        same &= page[i] == (unsigned char)(i * 7 + i / 256);
    say("suspend is over, memory is %s, cpus=%ld", same ? "kept" : "LOST",
        sysconf(_SC_NPROCESSORS_ONLN));
}

static void cmd_help(int argc, char **argv);

static const struct command basic_commands[] = { { "help", cmd_help, "this list" },
                                                 { "echo", cmd_echo, "WORD: say it back" },
                                                 { "info", cmd_info, "kernel, processors, memory" },
                                                 { "pci", cmd_pci, "the PCI devices" },
                                                 { "cmdline", cmd_cmdline, "the kernel's" },
                                                 { "suspend", cmd_suspend,
                                                   "[SECONDS]: ACPI S3; the clock wakes it" },
                                                 { "poweroff", cmd_end, "by ACPI" },
                                                 { "reboot", cmd_end, "by ACPI" },
                                                 { 0 } };

static const struct command *const tables[] = { basic_commands, disk_commands,   verify_commands,
                                                input_commands, hammer_commands, fuzz_commands,
                                                net_commands,   pv_commands };
#define TABLES (sizeof(tables) / sizeof(tables[0]))

static void cmd_help(int argc, char **argv)
{
    for (size_t t = 0; t < TABLES; t++)
        for (const struct command *c = tables[t]; c->name; c++)
            say("help %s %s", c->name, c->help);
}

static void run_line(char *text)
{
    char *argv[12];
    int argc = 0;

    for (char *w = strtok(text, " \r"); w && argc < 12; w = strtok(NULL, " \r"))
        argv[argc++] = w;
    if (!argc)
        return;
    for (size_t t = 0; t < TABLES; t++)
        for (const struct command *c = tables[t]; c->name; c++)
            if (!strcmp(c->name, argv[0])) {
                c->run(argc, argv);
                return;
            }
    say("what is \"%s\"?", argv[0]);
}

static void take_input(struct line *l)
{
    char c;

    if (read(l->fd, &c, 1) != 1)
        return;
    if (c != '\n' && c != '\r') {
        if (l->len < sizeof(l->text) - 1)
            l->text[l->len++] = c;
        return;
    }
    l->text[l->len] = 0;
    l->len = 0;
    run_line(l->text);
}

static void open_terminals(void)
{
    struct termios t;

    screen.fd = open("/dev/tty0", O_RDWR | O_NOCTTY);
    serial.fd = open("/dev/ttyS0", O_RDWR | O_NOCTTY);
    if (serial.fd >= 0 && tcgetattr(serial.fd, &t)) { /* no such chip */
        close(serial.fd);
        serial.fd = -1;
    }
    if (serial.fd >= 0) {
        cfmakeraw(&t);
        cfsetspeed(&t, B115200);
        t.c_cflag |= CLOCAL;
        tcsetattr(serial.fd, TCSANOW, &t);
    }
}

int main(void)
{
    /* Six bars of colour, which a test finds in a picture of the screen without reading text. */
    static const char banner[] =
        "\r\n  *** PORTICO GUEST USERLAND ***\r\n\r\n"
        "  \033[41m    \033[42m    \033[44m    \033[45m    \033[46m    \033[47m    \033[0m\r\n\r\n";

    mount("proc", "/proc", "proc", 0, NULL);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    mount("dev", "/dev", "devtmpfs", 0, NULL);
    signal(SIGPIPE, SIG_IGN);
    reboot(RB_DISABLE_CAD);
    open_terminals();
    put(screen.fd, banner, sizeof(banner) - 1);
    say("userland %.1f", seconds());
    load_modules("/modules/list", "");
    cmd_info(0, NULL);
    run_line((char[]){ "disks" });
    say("ready %.1f", seconds());
    for (;;) {
        struct pollfd p[2] = { { serial.fd, POLLIN, 0 }, { screen.fd, POLLIN, 0 } };

        poll(p, 2, -1);
        if (p[0].revents & POLLIN)
            take_input(&serial);
        if (p[1].revents & POLLIN)
            take_input(&screen);
        if ((p[0].revents | p[1].revents) & ~POLLIN)
            usleep(10000); /* a hung-up terminal must not make us spin */
    }
}
