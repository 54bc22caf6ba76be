/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a configuration asks for: the guest as a whole. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/guest.h"

#define MEMORY_MAX (4L << 20) /* MiB: what portico-dm takes */

char *guest_copy(const char *s)
{
    char *copy = s ? strdup(s) : NULL;

    if (s && !copy) {
        fprintf(stderr, "portico: out of memory\n");
        exit(1);
    }
    return copy;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* xl makes a PV guest of a file that does not say hvm: here it cannot be meant. */
static void read_type(struct conf *c)
{
    const char *type = conf_string(c, "type"), *builder = conf_string(c, "builder");

    if (type && strcmp(type, "hvm"))
        conf_error(c, "type", -1, "\"%.20s\": only HVM guests run here; write type=\"hvm\"", type);
    else if (!type && builder && strcmp(builder, "hvm"))
        conf_error(c, "builder", -1, "\"%.20s\": only HVM guests run here; write type=\"hvm\"",
                   builder);
    else if (!type && !builder)
        report_error(c->report, 0, "type",
                     "is missing, which means a PV guest, and only HVM guests run here; "
                     "write type=\"hvm\"");
}

/* As xl has it: cmdline, or else root and extra. */
static char *make_cmdline(struct conf *c)
{
    const char *cmdline = conf_string(c, "cmdline"), *root = conf_string(c, "root");
    const char *extra = conf_string(c, "extra");
    char *text = NULL;

    if (cmdline && (root || extra))
        conf_warn(c, root ? "root" : "extra", -1, "is old, and cmdline is there; left out");
    if (cmdline)
        return guest_copy(cmdline);
    if (root && asprintf(&text, "root=%s%s%s", root, extra ? " " : "", extra ? extra : "") < 0)
        text = NULL;
    return root ? text : guest_copy(extra);
}

/* Files of old have hvmloader here. */
static void read_kernel(struct guest *g, struct conf *c)
{
    static const char *const with[] = { "ramdisk", "cmdline", "root", "extra" };
    const char *kernel = conf_string(c, "kernel"), *ramdisk = conf_string(c, "ramdisk");

    if (!kernel || !*kernel || !strncmp(base_name(kernel), "hvmloader", strlen("hvmloader"))) {
        for (unsigned i = 0; i < sizeof(with) / sizeof(with[0]); i++) {
            const char *val = conf_string(c, with[i]);

            if (val && *val)
                conf_warn(c, with[i], -1, "goes with a kernel that is started directly; left out");
        }
        return;
    }
    g->kernel = guest_copy(kernel);
    g->ramdisk = ramdisk && *ramdisk ? guest_copy(ramdisk) : NULL;
    g->cmdline = make_cmdline(c);
}

static void read_name(struct guest *g, struct conf *c)
{
    const char *name = conf_string(c, "name");
    bool bad = false, number = true;

    if (!name) {
        if (!conf_has(c, "name"))
            report_error(c->report, 0, "name", "is missing; write name=\"...\"");
        return;
    }
    for (const char *p = name; *p; p++) {
        bad |= (unsigned char)*p < ' ' || *p == 127 || *p == '/' || *p == ',';
        number &= isdigit((unsigned char)*p) != 0;
    }
    if (!*name || strlen(name) > 80)
        conf_error(c, "name", -1, "has %s; give 1 to 80 characters",
                   *name ? "too many characters" : "no characters");
    else if (number)
        conf_error(c, "name", -1, "is a number, as guests have them too; give it a letter");
    else if (bad)
        conf_error(c, "name", -1, "has a slash, a comma or a control character; leave it out");
    else
        g->name = guest_copy(name);
}

/* FNV-1a, and a last stir so that all bits depend on all characters. */
static uint64_t hash(uint64_t h, const char *s)
{
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 0x100000001b3u;
    h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdu;
    return h ^ (h >> 29);
}

uint64_t guest_hash(const char *name, const char *what, unsigned index)
{
    char id[64] = "";
    FILE *f = fopen("/etc/machine-id", "re");

    if (f) {
        if (!fgets(id, sizeof(id), f))
            id[0] = 0;
        fclose(f);
    }
    return hash(hash(hash(0xcbf29ce484222325u + index, id), name ? name : ""), what);
}

/* RFC 9562 section 5.8: of our own making. A guest that says none has the same one each time. */
static char *make_uuid(const struct guest *g)
{
    uint64_t hi = guest_hash(g->name, "uuid", 0), lo = guest_hash(g->name, "uuid", 1);
    char text[40];

    hi = (hi & ~0xf000ull) | 0x8000;
    lo = (lo & ~(3ull << 62)) | 2ull << 62;
    snprintf(text, sizeof(text), "%08x-%04x-%04x-%04x-%012llx", (unsigned)(hi >> 32),
             (unsigned)(hi >> 16) & 0xffff, (unsigned)hi & 0xffff, (unsigned)(lo >> 48),
             (unsigned long long)lo & 0xffffffffffffull);
    return guest_copy(text);
}

static void read_uuid(struct guest *g, struct conf *c)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    const char *uuid = conf_string(c, "uuid");
    bool good = uuid && strlen(uuid) == strlen(form);

    for (unsigned i = 0; good && form[i]; i++)
        good = form[i] == '-' ? uuid[i] == '-' : isxdigit((unsigned char)uuid[i]) != 0;
    if (uuid && !good)
        conf_error(c, "uuid", -1, "\"%.60s\" is no UUID; write it as %s, or remove the key", uuid,
                   form);
    g->uuid = good ? guest_copy(uuid) : make_uuid(g);
}

static void read_memory(struct guest *g, struct conf *c)
{
    long memory = 0, max = 0;

    if (conf_number(c, "memory", 1, MEMORY_MAX, &memory))
        g->memory = (unsigned)memory;
    else if (!conf_has(c, "memory") && conf_number(c, "maxmem", 1, MEMORY_MAX, &memory))
        g->memory = (unsigned)memory;
    else if (!conf_has(c, "memory") && !conf_has(c, "maxmem"))
        report_error(c->report, 0, "memory", "is missing; write memory=MiB");
    if (!memory || !conf_has(c, "memory") || !conf_number(c, "maxmem", 1, MEMORY_MAX, &max))
        return;
    if (max < memory)
        conf_error(c, "maxmem", -1, "%ld is less than memory=%ld; remove the key", max, memory);
    else if (max > memory)
        conf_warn(c, "maxmem", -1, "memory does not grow here; the guest has %ld MiB", memory);
}

static void read_cpus(struct guest *g, struct conf *c)
{
    long n = 1, max = 0;

    if (!conf_number(c, "vcpus", 1, GUEST_CPUS, &n))
        n = 1;
    if (!conf_number(c, "maxvcpus", 1, GUEST_CPUS, &max))
        max = n;
    else if (max < n) {
        conf_error(c, "maxvcpus", -1, "%ld is less than vcpus=%ld; remove the key", max, n);
        max = n;
    }
    g->vcpus = (unsigned)n;
    g->max_vcpus = (unsigned)max;
}

static void read_boot(struct guest *g, struct conf *c)
{
    const char *boot = conf_string(c, "boot");
    size_t len = boot ? strspn(boot, "abcdn") : 0;

    g->boot = guest_copy(boot && *boot && !boot[len] ? boot : "cda");
    if (boot && boot[len])
        conf_error(c, "boot", -1,
                   "\"%.20s\" has the letter %c; use a (floppy), c (disk), d (CD), n (network)",
                   boot, boot[len]);
    for (size_t i = 0; boot && i < len; i++) {
        if (memchr(boot, boot[i], i)) {
            conf_error(c, "boot", -1, "\"%.20s\" has the letter %c twice; leave one out", boot,
                       boot[i]);
            return;
        }
    }
}

/* firmware_override= is Xen's hvmloader, whose work is done without it here. */
static void read_loader(struct conf *c)
{
    const char *path = conf_string(c, "firmware_override");

    if (path && *path && strncmp(base_name(path), "hvmloader", strlen("hvmloader")))
        conf_error(c, "firmware_override", -1,
                   "%.80s would run in hvmloader's place, which is not here; for another BIOS use "
                   "bios_path_override",
                   path);
}

static void read_model(struct guest *g, struct conf *c)
{
    static const char *const lists[] = { "device_model_args", "device_model_args_hvm" };
    const char *path = conf_string(c, "device_model_override");

    if (path && !strncmp(base_name(path), "portico-dm", strlen("portico-dm")))
        g->dm = guest_copy(path);
    else if (path && *path)
        conf_warn(c, "device_model_override", -1, "%.80s is not portico-dm; left out", path);
    for (unsigned l = 0; l < 2; l++) {
        unsigned n = conf_list(c, lists[l]);

        for (unsigned i = 0; i < n; i++) {
            const char *arg = conf_item(c, lists[l], i);

            if (arg && g->nargs == GUEST_ARGS) {
                conf_error(c, lists[l], (int)i, "is one too many; give at most %d", GUEST_ARGS);
                return;
            }
            if (arg)
                g->args[g->nargs++] = guest_copy(arg);
        }
    }
}

static const struct {
    const char *name;
    enum guest_then then;
    const char *differs; /* from what xl does, or NULL */
} actions[] = {
    { "destroy", THEN_DESTROY, NULL },
    { "restart", THEN_RESTART, NULL },
    { "preserve", THEN_PRESERVE, NULL },
    { "rename-restart", THEN_RESTART, "the old guest is not kept; as \"restart\"" },
    { "coredump-destroy", THEN_DESTROY, "no core is dumped; as \"destroy\"" },
    { "coredump-restart", THEN_RESTART, "no core is dumped; as \"restart\"" },
    { "soft-reset", THEN_RESTART, "there is no soft reset; as \"restart\"" },
};

static enum guest_then read_action(struct conf *c, const char *key, enum guest_then otherwise)
{
    const char *v = conf_string(c, key);

    for (unsigned i = 0; v && i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(v, actions[i].name))
            continue;
        if (actions[i].differs)
            conf_warn(c, key, -1, "%s", actions[i].differs);
        return actions[i].then;
    }
    if (v)
        conf_error(c, key, -1,
                   "\"%.30s\" is not known; use \"destroy\", \"restart\" or \"preserve\"", v);
    return otherwise;
}

static void read_actions(struct guest *g, struct conf *c)
{
    g->on_poweroff = read_action(c, "on_poweroff", THEN_DESTROY);
    g->on_reboot = read_action(c, "on_reboot", THEN_RESTART);
    g->on_crash = read_action(c, "on_crash", THEN_DESTROY);
    if (g->on_crash == THEN_PRESERVE)
        conf_warn(c, "on_crash", -1, "of a crash only the log is kept; as \"destroy\"");
}

static void read_board(struct guest *g, struct conf *c)
{
    const char *hdtype = conf_string(c, "hdtype");

    g->acpi = g->hpet = true;
    conf_flag(c, "acpi", &g->acpi);
    conf_flag(c, "hpet", &g->hpet);
    conf_flag(c, "localtime", &g->localtime);
    conf_flag(c, "hugepages", &g->hugepages);
    g->rtc_offset_given = conf_number(c, "rtc_timeoffset", -(1L << 40), 1L << 40, &g->rtc_offset);
    if (conf_number(c, "mmio_hole", 256, 3840, &g->mmio_hole) && g->mmio_hole < 512) {
        conf_warn(c, "mmio_hole", -1, "512 MiB is the least here");
        g->mmio_hole = 512;
    }
    if (hdtype && !strcmp(hdtype, "ahci"))
        g->ahci = true;
    else if (hdtype && strcmp(hdtype, "ide"))
        conf_error(c, "hdtype", -1, "\"%.20s\" is not known; use \"ide\" or \"ahci\"", hdtype);
}

int guest_read(struct guest *g, struct conf *c)
{
    memset(g, 0, sizeof(*g));
    read_type(c);
    read_kernel(g, c);
    read_name(g, c);
    read_uuid(g, c);
    read_memory(g, c);
    read_cpus(g, c);
    read_boot(g, c);
    guest_read_firmware(g, c);
    read_loader(c);
    read_model(g, c);
    read_actions(g, c);
    read_board(g, c);
    guest_read_disks(g, c);
    guest_read_nics(g, c);
    guest_read_screen(g, c);
    guest_read_ports(g, c);
    guest_read_hyperv(g, c);
    guest_check_keys(c);
    return c->report->errors ? -1 : 0;
}

static void free_all(char **list, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        free(list[i]);
}

void guest_free(struct guest *g)
{
    for (unsigned i = 0; i < g->ndisks; i++) {
        free(g->disks[i].vdev);
        free(g->disks[i].path);
        free(g->disks[i].format);
    }
    for (unsigned i = 0; i < g->nnics; i++) {
        free(g->nics[i].model);
        free(g->nics[i].bridge);
        free(g->nics[i].ifname);
    }
    free_all(g->serials, g->nserials);
    free_all(g->usb_devices, g->nusb);
    free_all(g->args, g->nargs);
    free(g->screen.vga);
    free(g->screen.vnc_listen);
    free(g->screen.vnc_password);
    free(g->screen.keymap);
    free(g->name);
    free(g->uuid);
    free(g->boot);
    free(g->bios);
    free(g->nvram);
    free_all(g->smbios, g->nsmbios);
    free(g->smbios_file);
    free(g->acpi_file);
    free(g->nvram_from);
    free(g->kernel);
    free(g->ramdisk);
    free(g->cmdline);
    free(g->dm);
    free(g->sound);
    memset(g, 0, sizeof(*g));
}

/* A qcow2 image that is given to the guest as it lies on the disk would be written over. */
static void look_inside(const struct guest_disk *d, struct conf *c)
{
    char magic[4] = "";
    FILE *f;

    if (strcmp(d->format, "raw"))
        return;
    f = fopen(d->path, "re");
    if (f && fread(magic, 1, 4, f) == 4 && !memcmp(magic, "QFI\xfb", 4))
        conf_warn(c, "disk", d->item,
                  "%.200s is a qcow2 image, and is given to the guest as it "
                  "lies there; say format=qcow2 if that is not meant",
                  d->path);
    if (f)
        fclose(f);
}

static void look_at_disk(const struct guest_disk *d, struct conf *c)
{
    struct stat st;

    if (!d->path || strstr(d->path, "://") || !strncmp(d->path, "nbd:", 4))
        return;
    if (stat(d->path, &st))
        conf_error(c, "disk", d->item, "%.200s: %s; make the file, or correct the path", d->path,
                   strerror(errno));
    else if (S_ISDIR(st.st_mode))
        conf_error(c, "disk", d->item, "%.200s is a folder; name an image", d->path);
    else if (access(d->path, d->readonly ? R_OK : R_OK | W_OK))
        conf_error(c, "disk", d->item, "%.200s: %s; correct the rights, or the user", d->path,
                   strerror(errno));
    else if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
        conf_error(c, "disk", d->item, "%.200s is neither a file nor a disk; name an image",
                   d->path);
    else
        look_inside(d, c);
}

static void look_at_file(struct conf *c, const char *key, const char *path)
{
    if (path && access(path, R_OK))
        conf_error(c, key, -1, "%.200s: %s; correct the path", path, strerror(errno));
}

int guest_look(const struct guest *g, struct conf *c)
{
    for (unsigned i = 0; i < g->ndisks; i++)
        look_at_disk(&g->disks[i], c);
    look_at_file(c, "bios_path_override", g->bios);
    guest_look_firmware(g, c);
    look_at_file(c, "smbios_firmware", g->smbios_file);
    look_at_file(c, "acpi_firmware", g->acpi_file);
    look_at_file(c, "kernel", g->kernel);
    look_at_file(c, "ramdisk", g->ramdisk);
    if (g->dm && access(g->dm, X_OK))
        conf_error(c, "device_model_override", -1, "%.200s: %s; correct the path or remove the key",
                   g->dm, strerror(errno));
    return c->report->errors ? -1 : 0;
}
