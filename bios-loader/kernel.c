/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Linux kernel that is started without a boot loader: what a loader would fill in
 * (Documentation/x86/boot.rst, "the Linux/x86 Boot Protocol"), the items of fw_cfg that firmware
 * with a loader of its own (OVMF) takes it from, and an option ROM for one without (SeaBIOS).
 * Kernels of protocol 2.02 and up that go above 1 MiB: all since 2.4, and what is made like them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bios-loader/bios.h"
#include "bios-loader/blob.h"
#include "bios-loader/boot-rom.h"
#include "hw/fw-cfg.h"

#define SETUP_AT   0x10000 /* the option ROM knows it */
#define CMDLINE_AT 0x20000
#define KERNEL_AT  0x100000
#define HEAP_END   0xe000 /* in the set-up's segment: its stack is below; the option ROM knows it */
#define SETUP_MAX  0xb000 /* leaves it a heap */
#define FIRMWARES                                                                                  \
    0x200000 /* what firmware keeps at the end of low memory, with plenty to spare                 \
              */
#define FILE_MAX 0x7fffffff

/* The header, by offset (boot.rst, "Details of header fields") */
#define SETUP_SECTS     0x1f1
#define VID_MODE        0x1fa
#define BOOT_FLAG       0x1fe
#define MAGIC           0x202
#define VERSION         0x206
#define TYPE_OF_LOADER  0x210
#define LOADFLAGS       0x211
#define RAMDISK_IMAGE   0x218
#define RAMDISK_SIZE    0x21c
#define HEAP_END_PTR    0x224
#define CMD_LINE_PTR    0x228
#define INITRD_ADDR_MAX 0x22c
#define CMDLINE_SIZE    0x238
#define PREF_ADDRESS    0x258
#define INIT_SIZE       0x260
#define HEADER_END      0x264
#define LOADED_HIGH     0x01
#define CAN_USE_HEAP    0x80
#define LOADER_UNKNOWN  0xff

struct part { /* of what is put into guest memory */
    uint8_t *data;
    size_t len;
    uint32_t at;
};

struct image {
    struct part setup, kernel, initrd, cmdline;
};

static uint64_t get(const uint8_t *p, unsigned at, unsigned bytes)
{
    uint64_t val = 0;

    while (bytes--)
        val = val << 8 | p[at + bytes];
    return val;
}

static void put(uint8_t *p, unsigned at, uint64_t val, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        p[at + i] = (uint8_t)(val >> (8 * i));
}

/* Into memory of its own, so that the file may change. */
static int slurp(const char *opt, const char *path, struct part *p, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    ssize_t n = 1;

    if (fd < 0)
        return err_set(err, -errno, "%s %s: %s", opt, path, strerror(errno));
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX) {
        close(fd);
        return err_set(err, -EINVAL, "%s %s: not a file of less than 2 GiB", opt, path);
    }
    p->data = malloc((size_t)st.st_size + 1);
    while (p->data && n > 0 && p->len < (size_t)st.st_size) {
        n = read(fd, p->data + p->len, (size_t)st.st_size - p->len);
        p->len += n > 0 ? (size_t)n : 0;
    }
    if (n < 0)
        err_set(err, -errno, "%s %s: %s", opt, path, strerror(errno));
    close(fd);
    if (!p->data)
        return err_set(err, -ENOMEM, "%s %s: out of memory", opt, path);
    return n < 0 ? -EIO : 0;
}

/* The file is the set-up and the kernel itself, one behind the other. */
static int split(struct image *im, const char *path, struct err *err)
{
    struct part *all = &im->setup;
    size_t setup;

    if (all->len < HEADER_END || get(all->data, BOOT_FLAG, 2) != 0xaa55 ||
        memcmp(all->data + MAGIC, "HdrS", 4) || get(all->data, VERSION, 2) < 0x202 ||
        !(all->data[LOADFLAGS] & LOADED_HIGH))
        return err_set(err, -EINVAL,
                       "-kernel %s: not a Linux kernel (a bzImage, boot protocol 2.02 or newer)",
                       path);
    setup = (all->data[SETUP_SECTS] ? all->data[SETUP_SECTS] : 4) * 512u + 512;
    if (setup > SETUP_MAX || setup >= all->len)
        return err_set(err, -EINVAL, "-kernel %s: its set-up is of %zu bytes, the file of %zu",
                       path, setup, all->len);
    im->kernel.len = all->len - setup;
    im->kernel.data = malloc(im->kernel.len);
    if (!im->kernel.data)
        return err_set(err, -ENOMEM, "-kernel %s: out of memory", path);
    memcpy(im->kernel.data, all->data + setup, im->kernel.len);
    all->len = setup;
    return 0;
}

/* vga= is for the loader (boot.rst, "Special Command Line Options"). */
static unsigned video_mode(const char *cmdline)
{
    for (const char *at = strstr(cmdline, "vga="); at; at = strstr(at + 1, "vga=")) {
        if (at != cmdline && at[-1] != ' ')
            continue;
        at += strlen("vga=");
        return !strncmp(at, "normal", 6) ? 0xffff
               : !strncmp(at, "ext", 3)  ? 0xfffe
               : !strncmp(at, "ask", 3)  ? 0xfffd
                                         : (unsigned)strtoul(at, NULL, 0) & 0xffff;
    }
    return 0;
}

static int set_cmdline(struct image *im, const char *cmdline, struct err *err)
{
    uint8_t *h = im->setup.data;
    size_t len = strlen(cmdline), max = 255;

    if (get(h, VERSION, 2) >= 0x206)
        max = get(h, CMDLINE_SIZE, 4);
    if (max > 0xffff)
        max = 0xffff;
    if (len > max)
        return err_set(err, -EINVAL, "-append: the kernel takes %zu letters, these are %zu", max,
                       len);
    im->cmdline.data = (uint8_t *)strdup(cmdline);
    if (!im->cmdline.data)
        return err_set(err, -ENOMEM, "-append: out of memory");
    im->cmdline.len = len + 1;
    put(h, CMD_LINE_PTR, CMDLINE_AT, 4);
    if (video_mode(cmdline))
        put(h, VID_MODE, video_mode(cmdline), 2);
    return 0;
}

/* Memory that the kernel unpacks itself into. */
static uint64_t kernel_end(const struct image *im)
{
    const uint8_t *h = im->setup.data;
    uint64_t end = KERNEL_AT + im->kernel.len, at = KERNEL_AT;

    if (get(h, VERSION, 2) < 0x20a)
        return end;
    if (get(h, PREF_ADDRESS, 8) > at && get(h, PREF_ADDRESS, 8) < UINT32_MAX)
        at = get(h, PREF_ADDRESS, 8);
    at += get(h, INIT_SIZE, 4);
    return at > end ? at : end;
}

/* As high as it may lie, because the kernel does not look where it unpacks to. */
static int set_initrd(struct image *im, const char *path, uint64_t ram_low, struct err *err)
{
    uint8_t *h = im->setup.data;
    uint64_t top = get(h, VERSION, 2) >= 0x203 ? get(h, INITRD_ADDR_MAX, 4) + 1 : 0x38000000;
    uint64_t end = kernel_end(im), need = end + im->initrd.len + FIRMWARES + 4096;

    if (top > ram_low - FIRMWARES)
        top = ram_low - FIRMWARES;
    if (ram_low < need || top < end + im->initrd.len + 4096)
        return err_set(err, -EINVAL,
                       "-initrd %s: the kernel and it need %llu MiB of memory below 4 GiB, the "
                       "guest has %llu",
                       path, (unsigned long long)(need >> 20) + 1,
                       (unsigned long long)ram_low >> 20);
    im->initrd.at = (uint32_t)((top - im->initrd.len) & ~UINT64_C(4095));
    put(h, RAMDISK_IMAGE, im->initrd.at, 4);
    put(h, RAMDISK_SIZE, im->initrd.len, 4);
    return 0;
}

static int prepare(struct image *im, const struct bios_kernel *k, struct err *err)
{
    int rc = slurp("-kernel", k->kernel, &im->setup, err);
    uint8_t *h;

    rc = rc ? rc : split(im, k->kernel, err);
    if (rc)
        return rc;
    h = im->setup.data;
    h[TYPE_OF_LOADER] = LOADER_UNKNOWN;
    h[LOADFLAGS] |= CAN_USE_HEAP;
    put(h, HEAP_END_PTR, HEAP_END - 0x200, 2);
    im->setup.at = SETUP_AT;
    im->kernel.at = KERNEL_AT;
    im->cmdline.at = CMDLINE_AT;
    if (k->ram_low < KERNEL_AT + im->kernel.len + FIRMWARES)
        return err_set(err, -EINVAL, "-kernel %s: does not fit into the guest's memory", k->kernel);
    rc = set_cmdline(im, k->append ? k->append : "", err);
    if (!rc && k->initrd)
        rc = slurp("-initrd", k->initrd, &im->initrd, err);
    if (!rc && k->initrd)
        rc = set_initrd(im, k->initrd, k->ram_low, err);
    return rc;
}

/* The keys of its address, its size and itself. */
static int give(struct device *fw, struct part *p, uint16_t at, uint16_t size, uint16_t data,
                struct err *err)
{
    int rc = fw_cfg_add_uint(fw, at, p->at, 4, err);

    if (!rc)
        rc = fw_cfg_add_uint(fw, size, p->len, 4, err);
    if (!rc && p->len) {
        rc = fw_cfg_give_bytes(fw, data, p->data, p->len, err);
        p->data = NULL;
    }
    return rc;
}

#define ROM_PNP   0x20
#define ROM_TABLE 0x40
#define DMA_READ  0x02 /* of an item that is selected by the upper half */
#define DMA_PICK  0x08

static void put_be(uint8_t *p, uint64_t val, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        p[i] = (uint8_t)(val >> (8 * (bytes - 1 - i)));
}

static uint8_t sum_of(const uint8_t *p, size_t len)
{
    unsigned sum = 0;

    while (len--)
        sum += *p++;
    return (uint8_t)sum;
}

static int add_rom(struct device *fw, const struct image *im, struct err *err)
{
    const struct {
        uint16_t key;
        const struct part *part;
    } parts[] = { { FW_CFG_SETUP_DATA, &im->setup },
                  { FW_CFG_KERNEL_DATA, &im->kernel },
                  { FW_CFG_CMDLINE_DATA, &im->cmdline },
                  { FW_CFG_INITRD_DATA, &im->initrd } };
    uint8_t rom[sizeof(boot_rom)];

    memcpy(rom, boot_rom, sizeof(rom));
    for (unsigned i = 0; i < 4; i++) {
        uint8_t *desc = rom + ROM_TABLE + 16 * i;

        if (!parts[i].part->len)
            continue;
        put_be(desc, (uint32_t)parts[i].key << 16 | DMA_PICK | DMA_READ, 4);
        put_be(desc + 4, parts[i].part->len, 4);
        put_be(desc + 8, parts[i].part->at, 8);
    }
    rom[ROM_PNP + 9] = (uint8_t)-sum_of(rom + ROM_PNP, 32);
    rom[sizeof(rom) - 1] = (uint8_t)-sum_of(rom, sizeof(rom) - 1);
    return fw_cfg_add_file(fw, BIOS_KERNEL_ROM, rom, sizeof(rom), err);
}

int bios_kernel(struct device *fw_cfg, const struct bios_kernel *k, struct err *err)
{
    struct image im = { { 0 } };
    int rc = prepare(&im, k, err);

    rc = rc ? rc : add_rom(fw_cfg, &im, err);
    if (!rc)
        rc = give(fw_cfg, &im.setup, FW_CFG_SETUP_ADDR, FW_CFG_SETUP_SIZE, FW_CFG_SETUP_DATA, err);
    if (!rc)
        rc = give(fw_cfg, &im.kernel, FW_CFG_KERNEL_ADDR, FW_CFG_KERNEL_SIZE, FW_CFG_KERNEL_DATA,
                  err);
    if (!rc)
        rc = give(fw_cfg, &im.cmdline, FW_CFG_CMDLINE_ADDR, FW_CFG_CMDLINE_SIZE,
                  FW_CFG_CMDLINE_DATA, err);
    if (!rc)
        rc = give(fw_cfg, &im.initrd, FW_CFG_INITRD_ADDR, FW_CFG_INITRD_SIZE, FW_CFG_INITRD_DATA,
                  err);
    free(im.setup.data);
    free(im.kernel.data);
    free(im.cmdline.data);
    free(im.initrd.data);
    return rc;
}
