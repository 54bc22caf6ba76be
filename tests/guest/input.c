/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keyboard and mouse: reports what arrives, as the kernel's input layer sees it. */
#include <fcntl.h>
#include <linux/input.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "guest.h"

#define MAX_INPUTS 8

static int open_inputs(struct pollfd *p, char names[][48])
{
    int n = 0;

    for (int i = 0; i < MAX_INPUTS; i++) {
        char path[32];
        int fd;

        snprintf(path, sizeof(path), "/dev/input/event%d", i);
        fd = open(path, O_RDONLY | O_NONBLOCK);
        if (fd < 0)
            continue;
        names[n][0] = 0;
        ioctl(fd, EVIOCGNAME(48), names[n]);
        for (char *c = names[n]; *c; c++)
            if (*c == ' ')
                *c = '_';
        p[n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
    }
    return n;
}

static void report(const struct input_event *e, const char *name)
{
    if (e->type == EV_KEY)
        say("key %d %s %s", e->code, e->value ? "down" : "up", name);
    else if (e->type == EV_REL)
        say("rel %s %d %s",
            e->code == REL_X   ? "x"
            : e->code == REL_Y ? "y"
                               : "wheel",
            e->value, name);
    else if (e->type == EV_ABS)
        say("abs %s %d %s", e->code == ABS_X ? "x" : "y", e->value, name);
}

/*
 * input [SECONDS]: reports every event until that time is over, or until Escape is released (and
 * a second for what is still on its way): a test need not guess how long the host takes.
 */
static void cmd_input(int argc, char **argv)
{
    double end = seconds() + num(argc, argv, 1, 10);
    char names[MAX_INPUTS][48];
    struct pollfd p[MAX_INPUTS];
    int n = open_inputs(p, names), events = 0;

    for (int i = 0; i < n; i++)
        say("input device %s", names[i]);
    say("input listening");
    while (seconds() < end) {
        struct input_event e;

        poll(p, n, 100);
        for (int i = 0; i < n; i++)
            while (read(p[i].fd, &e, sizeof(e)) == sizeof(e)) {
                report(&e, names[i]);
                events++;
                if (e.type == EV_KEY && e.code == KEY_ESC && !e.value)
                    end = seconds() + 1;
            }
    }
    for (int i = 0; i < n; i++)
        close(p[i].fd);
    say("input end events=%d", events);
}

static void load_usb_modules(void)
{
    char name[128], path[160];
    FILE *list = fopen("/modules/usb", "r");

    while (list && fscanf(list, "%127s", name) == 1) {
        int fd;

        snprintf(path, sizeof(path), "/modules/%s", name);
        fd = open(path, O_RDONLY);
        syscall(SYS_finit_module, fd, "", 0);
        close(fd);
    }
    if (list)
        fclose(list);
}

/* Until then a tablet that is plugged in is nobody's, and the PS/2 mouse moves. */
static void cmd_usb(int argc, char **argv)
{
    double end = seconds() + num(argc, argv, 1, 60);
    struct pollfd p[MAX_INPUTS];
    char names[MAX_INPUTS][48];
    bool found = false;

    load_usb_modules();
    while (!found && seconds() < end) {
        int n = open_inputs(p, names);

        for (int i = 0; i < n; i++) {
            found |= strstr(names[i], "Tablet") != NULL;
            close(p[i].fd);
        }
        usleep(100000);
    }
    say("usb %s", found ? "tablet" : "nothing");
}

const struct command input_commands[] = {
    { "input", cmd_input, "[SECONDS]: report keys and mouse movements" },
    { "usb", cmd_usb, "[SECONDS]: load the drivers, wait for a tablet" },
    { 0 }
};
