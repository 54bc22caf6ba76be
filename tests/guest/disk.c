/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks: which mode the driver uses, reading with a checksum, writing a pattern. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "guest.h"

#define CHUNK (1024 * 1024)

static uint8_t chunk[CHUNK] __attribute__((aligned(4096)));

/* The least number N of the "ataN" in the folder of a PCI function: that of its first port. */
static int first_ata(const char *pci)
{
    int least = -1;
    struct dirent **e;
    int n = scandir(pci, &e, NULL, alphasort);

    for (int i = 0; i < n; i++)
        if (!strncmp(e[i]->d_name, "ata", 3) && (least < 0 || atoi(e[i]->d_name + 3) < least))
            least = atoi(e[i]->d_name + 3);
    return least;
}

/* Which of xl's hda to hdd a SCSI device is: a port of AHCI, or a unit of an IDE channel; or -1. */
static int disk_number(const char *scsi)
{
    int host, bus, target, lun, port, number = -1;
    char path[300], driver[300], *real, *ata, *chip;

    if (sscanf(scsi, "%d:%d:%d:%d", &host, &bus, &target, &lun) != 4)
        return -1;
    snprintf(path, sizeof(path), "/sys/bus/scsi/devices/%s", scsi);
    real = realpath(path, NULL);
    ata = real ? strstr(real, "/ata") : NULL;
    if (ata) {
        port = atoi(ata + 4);
        *ata = 0;
        port -= first_ata(real);
        snprintf(driver, sizeof(driver), "%s/driver", real);
        chip = realpath(driver, NULL);
        number = chip && !strcmp(strrchr(chip, '/'), "/ahci") ? port : port * 2 + target;
        free(chip);
    }
    free(real);
    return number;
}

/* A PV disk: its name is Linux' own. It may be on its way. */
static bool pv_block_name(const char *xvd, char *out, size_t size)
{
    char path[80], sectors[32] = "0";

    snprintf(path, sizeof(path), "/sys/block/%s/size", xvd);
    for (int i = 0; i < 100 && (!slurp(path, sectors, sizeof(sectors)) || !atoll(sectors)); i++)
        usleep(100000);
    snprintf(out, size, "%s", xvd);
    return atoll(sectors) > 0;
}

/* "hda" to "hdd", as in xl's configuration, to what Linux calls it; "xvda" is itself. */
static bool block_name(const char *hd, char *out, size_t size)
{
    struct dirent **e;
    int n;

    if (!strncmp(hd, "xvd", 3))
        return pv_block_name(hd, out, size);
    n = scandir("/sys/bus/scsi/devices", &e, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char path[300];
        struct dirent **b;
        int nb;

        if (disk_number(e[i]->d_name) != hd[2] - 'a')
            continue;
        snprintf(path, sizeof(path), "/sys/bus/scsi/devices/%s/block", e[i]->d_name);
        nb = scandir(path, &b, NULL, alphasort);
        for (int j = 0; j < nb; j++)
            if (b[j]->d_name[0] != '.') {
                snprintf(out, size, "%.*s", (int)size - 1, b[j]->d_name);
                return true;
            }
    }
    return false;
}

/* The mode libata chose, for example "XFER_UDMA_5"; PIO shows as XFER_PIO_4. */
static void transfer_mode(const char *block, char *out, size_t size)
{
    char path[300], *real, *ata;

    snprintf(out, size, "?");
    snprintf(path, sizeof(path), "/sys/block/%s/device", block);
    real = realpath(path, NULL);
    ata = real ? strstr(real, "/ata") : NULL;
    if (ata) {
        int port = atoi(ata + 4), target = 0;
        char *t = strstr(ata, "/target");

        if (t)
            sscanf(t, "/target%*d:%*d:%d", &target);
        snprintf(path, sizeof(path), "/sys/class/ata_device/dev%d.%d/xfer_mode", port, target);
        slurp(path, out, size);
    }
    free(real);
}

static void wait_for_disks(void)
{
    struct dirent **e;

    for (int i = 0; i < 100 && scandir("/sys/bus/scsi/devices", &e, NULL, NULL) <= 3; i++)
        usleep(100000);
    usleep(200000); /* the block device follows the SCSI device */
}

static void cmd_disks(int argc, char **argv)
{
    wait_for_disks();
    for (char c = 'a'; c <= 'd'; c++) {
        char hd[] = { 'h', 'd', c, 0 }, block[64], mode[32], size[32], path[300];

        if (!block_name(hd, block, sizeof(block)))
            continue;
        transfer_mode(block, mode, sizeof(mode));
        snprintf(path, sizeof(path), "/sys/block/%s/size", block);
        slurp(path, size, sizeof(size));
        say("disk %s %s sectors=%s mode=%s", hd, block, size, mode);
    }
}

int open_disk(const char *hd, int flags)
{
    char block[64], path[80];
    int fd;

    if (!block_name(hd, block, sizeof(block))) {
        say("error no disk %s", hd);
        return -1;
    }
    snprintf(path, sizeof(path), "/dev/%s", block);
    fd = open(path, flags | O_DIRECT);
    if (fd < 0)
        say("error %s: %m", path);
    return fd;
}

/* read DISK [MIB]: time is that of the reads alone, checksumming is not the disk's work. */
static void cmd_read(int argc, char **argv)
{
    const char *hd = argc > 1 ? argv[1] : "hda";
    int mib = num(argc, argv, 2, 1 << 20), fd = open_disk(hd, O_RDONLY);
    double spent = 0, start;
    uint64_t bytes = 0;
    struct md5 m;
    char hex[33];
    ssize_t n = 0;

    if (fd < 0)
        return;
    md5_init(&m);
    while (mib-- > 0) {
        start = seconds();
        n = read(fd, chunk, CHUNK);
        spent += seconds() - start;
        if (n <= 0)
            break;
        bytes += n;
        md5_add(&m, chunk, n);
    }
    if (n < 0)
        say("error read %s at %llu: %m", hd, (unsigned long long)bytes);
    md5_hex(&m, hex);
    say("read %s md5=%s bytes=%llu seconds=%.2f mbps=%.1f", hd, hex, (unsigned long long)bytes,
        spent, bytes / 1e6 / (spent > 0 ? spent : 1));
    close(fd);
}

/* write DISK MIB SEED */
static void cmd_write(int argc, char **argv)
{
    const char *hd = argc > 1 ? argv[1] : "hda";
    int mib = num(argc, argv, 2, 32), fd = open_disk(hd, O_WRONLY);
    uint64_t x = 0x9e3779b97f4a7c15ull + num(argc, argv, 3, 1), bytes = 0;
    double spent = 0, start;
    struct md5 m;
    char hex[33];

    if (fd < 0)
        return;
    md5_init(&m);
    for (int i = 0; i < mib; i++) {
        for (size_t j = 0; j < CHUNK; j += 8) { /* xorshift64 */
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            memcpy(chunk + j, &x, 8);
        }
        md5_add(&m, chunk, CHUNK);
        start = seconds();
        if (write(fd, chunk, CHUNK) != CHUNK) {
            say("error write %s at %llu: %m", hd, (unsigned long long)bytes);
            break;
        }
        spent += seconds() - start;
        bytes += CHUNK;
    }
    start = seconds();
    if (fsync(fd))
        say("error fsync %s: %m", hd);
    spent += seconds() - start;
    md5_hex(&m, hex);
    say("write %s md5=%s bytes=%llu seconds=%.2f mbps=%.1f", hd, hex, (unsigned long long)bytes,
        spent, bytes / 1e6 / (spent > 0 ? spent : 1));
    close(fd);
}

/* random DISK read|write COUNT [DEPTH]: 4 KiB each, all over the first 32 MiB, DEPTH at a time. */
static void random_worker(int fd, bool writes, int count, uint64_t x)
{
    static uint8_t page[4096] __attribute__((aligned(4096)));

    for (int i = 0; i < count; i++) {
        off_t at;

        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        at = (off_t)(x % 8192) * 4096;
        if ((writes ? pwrite(fd, page, 4096, at) : pread(fd, page, 4096, at)) != 4096)
            _exit(1);
    }
    _exit(0);
}

static void cmd_random(int argc, char **argv)
{
    const char *hd = argc > 1 ? argv[1] : "hda";
    bool writes = argc > 2 && !strcmp(argv[2], "write");
    int count = num(argc, argv, 3, 1000), depth = num(argc, argv, 4, 8), status, failed = 0;
    int fd = open_disk(hd, writes ? O_RDWR : O_RDONLY);
    double start = seconds(), spent;

    if (fd < 0)
        return;
    for (int i = 0; i < depth; i++) {
        if (!fork())
            random_worker(fd, writes, count / depth, 88172645463325252ull + (uint64_t)i * 7919);
    }
    while (wait(&status) > 0)
        failed += status != 0;
    if (fsync(fd))
        failed++;
    spent = seconds() - start;
    say("random %s %s failed=%d seconds=%.2f iops=%.0f", hd, writes ? "write" : "read", failed,
        spent, count / (spent > 0 ? spent : 1));
    close(fd);
}

/* reload OPTIONS: the ATA drivers again, with other options for libata, such as dma=0. */
static void cmd_reload(int argc, char **argv)
{
    unload_ata();
    load_modules("/modules/list", argc > 1 ? argv[1] : "");
    cmd_disks(0, NULL);
    say("reloaded %s", argc > 1 ? argv[1] : "");
}

/* volume DISK: the label of its ISO 9660 file system, read as a new opening of the device. The
 * answer is said after closing it, for an open CD has its tray locked. */
static void cmd_volume(int argc, char **argv)
{
    const char *hd = argc > 1 ? argv[1] : "hdc";
    int fd = open_disk(hd, O_RDONLY);
    char label[33] = "";
    ssize_t n;
    int error;

    if (fd < 0)
        return;
    n = pread(fd, chunk, 4096, 32768);
    error = errno;
    close(fd);
    if (n != 4096)
        say("error volume %s: %s", hd, n < 0 ? strerror(error) : "too short");
    else if (memcmp(chunk + 1, "CD001", 5))
        say("volume %s none", hd);
    else {
        memcpy(label, chunk + 40, 32);
        label[strcspn(label, " ")] = 0;
        say("volume %s label=%s", hd, label);
    }
}

/* mount DISK and umount: a mounted CD has its tray locked. */
static void cmd_mount(int argc, char **argv)
{
    char block[64], path[80];

    if (!strcmp(argv[0], "umount")) {
        say(umount("/mnt") ? "error umount %m" : "umount");
        return;
    }
    if (!block_name(argc > 1 ? argv[1] : "hdc", block, sizeof(block))) {
        say("error no such disk");
        return;
    }
    snprintf(path, sizeof(path), "/dev/%s", block);
    mkdir("/mnt", 0755);
    say(mount(path, "/mnt", "iso9660", MS_RDONLY, NULL) ? "error mount %m" : "mount %s", block);
}

/* copy FROM TO: all of it; a CD of tests/guest makes a disk that boots. */
static void cmd_copy(int argc, char **argv)
{
    int from = argc > 2 ? open_disk(argv[1], O_RDONLY) : -1;
    int to = from < 0 ? -1 : open_disk(argv[2], O_WRONLY);
    ssize_t n = 0, total = 0;

    while (to >= 0 && (n = read(from, chunk, CHUNK)) > 0 && write(to, chunk, n) == n)
        total += n;
    if (to >= 0 && (n || fsync(to)))
        say("error copy: %m");
    else if (to >= 0)
        say("copy %zd", total);
    close(from);
    close(to);
}

const struct command disk_commands[] = {
    { "disks", cmd_disks, "the disks and their transfer modes" },
    { "read", cmd_read, "DISK [MIB]: checksum and speed" },
    { "write", cmd_write, "DISK [MIB [SEED]]: a pseudo-random pattern" },
    { "random", cmd_random, "DISK read|write [COUNT [DEPTH]]: 4 KiB requests a second" },
    { "copy", cmd_copy, "FROM TO: a whole disk" },
    { "volume", cmd_volume, "DISK: the label of a CD" },
    { "mount", cmd_mount, "DISK: a CD; its tray is locked then" },
    { "umount", cmd_mount, "it again" },
    { "reload", cmd_reload, "[OPTIONS]: load libata with options such as dma=0" },
    { 0 }
};
