/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Xen's paravirtual devices: disks, channels; and another kernel, which finds them all anew. */
#include <dirent.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>
#include "guest.h"

/* xvd: the PV disks there are. */
static void cmd_xvd(int argc, char **argv)
{
    char list[256] = "", size[32], path[300];
    struct dirent **e;
    int n = scandir("/sys/block", &e, NULL, alphasort);

    for (int i = 0; i < n; i++) {
        if (strncmp(e[i]->d_name, "xvd", 3))
            continue;
        snprintf(path, sizeof(path), "/sys/block/%s/size", e[i]->d_name);
        slurp(path, size, sizeof(size));
        snprintf(list + strlen(list), sizeof(list) - strlen(list), " %.8s:%s", e[i]->d_name, size);
    }
    say("xvd%s.", list);
}

/* driver NAME DEVICE bind|unbind: of the bus of PV devices. */
static void cmd_driver(int argc, char **argv)
{
    char path[160];
    int fd;

    if (argc < 4)
        return;
    snprintf(path, sizeof(path), "/sys/bus/xen/drivers/%s/%s", argv[1], argv[3]);
    fd = open(path, O_WRONLY);
    if (fd < 0 || write(fd, argv[2], strlen(argv[2])) < 0)
        say("error driver %s: %m", path);
    else
        say("driver %s %s %s", argv[1], argv[2], argv[3]);
    if (fd >= 0)
        close(fd);
}

/* The last PV console there is: xl's own one, if the guest has it, is the first. */
static int open_last_console(void)
{
    char path[32];
    int fd = -1;

    for (int i = 7; i >= 0 && fd < 0; i--) {
        snprintf(path, sizeof(path), "/dev/hvc%d", i);
        fd = open(path, O_RDWR | O_NOCTTY);
    }
    return fd;
}

/* channel WORD: sends it as a line on a PV console, and tells the line that comes back. */
static void cmd_channel(int argc, char **argv)
{
    int fd = open_last_console();
    struct pollfd p = { fd, POLLIN, 0 };
    struct termios t;
    char line[128];
    size_t n = 0;

    if (fd < 0 || tcgetattr(fd, &t)) {
        say("error channel: %m");
        return;
    }
    cfmakeraw(&t);
    tcsetattr(fd, TCSANOW, &t);
    dprintf(fd, "%s\n", argc > 1 ? argv[1] : "hello");
    while (n < sizeof(line) - 1 && poll(&p, 1, 20000) > 0 && read(fd, line + n, 1) == 1 &&
           line[n] != '\n')
        n++;
    line[n] = 0;
    say("channel %s", line);
    close(fd);
}

/* kexec: the CD's kernel in the place of this one, without a reset of the machine. */
static void cmd_kexec(int argc, char **argv)
{
    char cmdline[512] = "";
    int kernel, initrd;

    slurp("/proc/cmdline", cmdline, sizeof(cmdline));
    mkdir("/mnt", 0755);
    if (mount("/dev/sr0", "/mnt", "iso9660", MS_RDONLY, NULL))
        say("error kexec: no CD: %m");
    kernel = open("/mnt/vmlinuz", O_RDONLY);
    initrd = open("/mnt/initrd", O_RDONLY);
    if (syscall(SYS_kexec_file_load, kernel, initrd, strlen(cmdline) + 1, cmdline, 0UL)) {
        say("error kexec: %m");
        return;
    }
    close(kernel);
    close(initrd);
    umount("/mnt");
    sync();
    say("kexec");
    reboot(RB_KEXEC);
    say("error kexec: %m");
}

const struct command pv_commands[] = { { "xvd", cmd_xvd, "the PV disks and their sectors" },
                                       { "driver", cmd_driver,
                                         "NAME DEVICE bind|unbind: a PV device" },
                                       { "channel", cmd_channel, "WORD: to dom0 and back" },
                                       { "kexec", cmd_kexec, "start the CD's kernel" },
                                       { 0 } };
