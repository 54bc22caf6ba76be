/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest as options of portico-dm (docs/command-line.md): the ones that libxl
 * would give, in its order, so that the cards get the same PCI slots.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "cli/dm-line.h"

#define WORDS_MAX  320
#define LOST_TICKS "driftfix=slew" /* are delivered later, as by Xen's timers (timer_mode=1) */

struct words {
    char *word[WORDS_MAX + 1];
    unsigned n;
};

static void __attribute__((format(printf, 2, 3))) add(struct words *w, const char *fmt, ...)
{
    char *word = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&word, fmt, ap) < 0)
        word = guest_copy(NULL);
    va_end(ap);
    if (!word || w->n == WORDS_MAX) {
        fprintf(stderr, "portico: out of memory\n");
        exit(1);
    }
    w->word[w->n++] = word;
}

/* A comma in a value is written twice. */
static char *escape(const char *s)
{
    char *text = malloc(2 * strlen(s) + 1), *to = text;

    if (!text) {
        fprintf(stderr, "portico: out of memory\n");
        exit(1);
    }
    for (; *s; s++) {
        if (*s == ',')
            *to++ = ',';
        *to++ = *s;
    }
    *to = 0;
    return text;
}

static void add_socket(struct words *w, const char *dir, const char *name)
{
    char *path = escape(dir);

    add(w, "-qmp");
    add(w, "unix:%s/%s,server=on,wait=off", path, name);
    free(path);
}

static void add_machine(struct words *w, const struct guest *g)
{
    char hole[40] = "";

    if (g->mmio_hole)
        snprintf(hole, sizeof(hole), ",max-ram-below-4g=%lldM", 4096ll - g->mmio_hole);
    add(w, "pc%s%s", hole, g->hugepages ? ",memory-backend=ram" : "");
    if (!g->hugepages)
        return;
    add(w, "-object");
    add(w, "memory-backend-memfd,id=ram,size=%uM,hugetlb=on", g->memory);
}

/* "TYPE,key=value" */
static void add_smbios(struct words *w, const char *word)
{
    const char *value = strchr(word, '=') + 1;
    char *text = escape(value);

    add(w, "-smbios");
    add(w, "type=%.*s%s", (int)(value - word), word, text);
    free(text);
}

static void add_file(struct words *w, const char *option, const char *key, const char *file)
{
    char *path = file ? escape(file) : NULL;

    if (path) {
        add(w, "%s", option);
        add(w, "%s=%s", key, path);
    }
    free(path);
}

static void add_flash(struct words *w, unsigned unit, const char *file, const char *how)
{
    char *path = escape(file);

    add(w, "-drive");
    add(w, "if=pflash,unit=%u,format=raw,file=%s%s", unit, path, how);
    free(path);
}

static void add_board(struct words *w, const struct guest *g, const struct dm_place *p)
{
    add(w, "%s", p->dm);
    add(w, "-name");
    add(w, "%s", g->name);
    add(w, "-uuid");
    add(w, "%s", g->uuid);
    add(w, "-accel");
    add(w, "kvm");
    add(w, "-machine");
    add_machine(w, g);
    add(w, "-nodefaults");
    add(w, "-m");
    add(w, "%u", g->memory);
    add(w, "-smp");
    add(w, "%u,maxcpus=%u", g->vcpus, g->max_vcpus);
    if (g->hyperv) {
        add(w, "-cpu");
        add(w, "%s", guest_hyperv_cpu(g));
    }
    add(w, "-S"); /* the keeper says when */
    add_socket(w, p->dir, "qmp");
    add_socket(w, p->dir, "keeper");
    add(w, "-boot");
    add(w, "order=%s", g->boot);
    if (g->kernel) {
        add(w, "-kernel");
        add(w, "%s", g->kernel);
    }
    if (g->ramdisk) {
        add(w, "-initrd");
        add(w, "%s", g->ramdisk);
    }
    if (g->cmdline) {
        add(w, "-append");
        add(w, "%s", g->cmdline);
    }
    if (g->bios && !g->nvram) {
        add(w, "-bios");
        add(w, "%s", g->bios);
    }
    for (unsigned i = 0; i < g->nsmbios; i++)
        add_smbios(w, g->smbios[i]);
    add_file(w, "-smbios", "sized-file", g->smbios_file);
    add_file(w, "-acpitable", "file", g->acpi_file);
    if (g->bios && g->nvram) {
        add_flash(w, 0, g->bios, ",readonly=on");
        add_flash(w, 1, g->nvram, "");
    }
    if (!g->acpi)
        add(w, "-no-acpi");
    if (!g->hpet)
        add(w, "-no-hpet");
    if (g->on_reboot != THEN_RESTART)
        add(w, "-no-reboot");
    if (g->on_poweroff != THEN_DESTROY || g->on_reboot == THEN_PRESERVE)
        add(w, "-no-shutdown");
}

static void add_clock(struct words *w, const struct guest *g, int64_t now)
{
    time_t t = (time_t)(now + g->rtc_offset);
    struct tm tm;

    if (!g->rtc_offset_given) {
        add(w, "-rtc");
        add(w, "base=%s," LOST_TICKS, g->localtime ? "localtime" : "utc");
        return;
    }
    if (g->localtime)
        localtime_r(&t, &tm);
    else
        gmtime_r(&t, &tm);
    add(w, "-rtc");
    add(w, "base=%04d-%02d-%02dT%02d:%02d:%02d," LOST_TICKS, tm.tm_year + 1900, tm.tm_mon + 1,
        tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

static void add_screen(struct words *w, const struct guest_screen *s)
{
    const char *host = s->vnc_listen, *open = strchr(host, ':') && *host != '[' ? "[" : "";

    if (s->vnc && !s->nographic) {
        add(w, "-vnc");
        add(w, "%s%s%s:%u%s%s", open, host, *open ? "]" : "", s->vnc_display,
            s->vnc_unused ? ",to=99" : "", s->vnc_password ? ",password=on" : "");
    } else {
        add(w, "-vnc");
        add(w, "none");
    }
    if (s->sdl && !s->nographic) {
        add(w, "-display");
        add(w, "sdl");
    }
    if (s->keymap) {
        add(w, "-k");
        add(w, "%s", s->keymap);
    }
    if (s->vga) {
        add(w, "-device");
        add(w, "%s,vgamem_mb=%u", s->vga, s->videoram);
    } else {
        add(w, "-vga");
        add(w, "none");
    }
}

void dm_ifname(const struct guest *g, unsigned i, unsigned id, char name[IFNAME_SIZE])
{
    if (g->nics[i].ifname)
        snprintf(name, IFNAME_SIZE, "%s-emu", g->nics[i].ifname);
    else
        snprintf(name, IFNAME_SIZE, "vif%u.%u-emu", id, i);
}

static void add_nic(struct words *w, const struct guest *g, unsigned i, const struct dm_place *p)
{
    const struct guest_nic *n = &g->nics[i];
    char name[IFNAME_SIZE];

    add(w, "-device");
    add(w, "%s,id=nic%u,netdev=net%u,mac=%02x:%02x:%02x:%02x:%02x:%02x", n->model, i, i, n->mac[0],
        n->mac[1], n->mac[2], n->mac[3], n->mac[4], n->mac[5]);
    dm_ifname(g, i, p->id, name);
    add(w, "-netdev");
    if (n->user || p->user_nics & 1u << i)
        add(w, "user,id=net%u", i);
    else
        add(w, "tap,id=net%u,ifname=%s,script=no,downscript=no", i, name);
    if (n->rate) {
        add(w, "-object");
        add(w, "filter-shape,id=rate%u,netdev=net%u,queue=rx,bps=%llu", i, i,
            (unsigned long long)n->rate);
    }
}

static void add_disk(struct words *w, const struct guest *g, const struct guest_disk *d)
{
    char *path = d->path ? escape(d->path) : NULL;
    bool ahci = g->ahci && !d->cdrom;
    char where[32], image[64];

    snprintf(where, sizeof(where), ahci ? "none" : "ide,index=%u", d->unit);
    snprintf(image, sizeof(image), ",format=%s,cache=%s", d->format,
             d->direct ? "none" : "writeback");
    add(w, "-drive");
    add(w, "%s%s%sif=%s,id=%s,media=%s%s%s%s", path ? "file=" : "", path ? path : "",
        path ? "," : "", where, d->vdev, d->cdrom ? "cdrom" : "disk",
        d->readonly ? ",readonly=on" : "", path ? image : "",
        d->cdrom        ? ""
        : d->no_discard ? ",discard=ignore"
                        : ",discard=unmap");
    free(path);
    if (!ahci)
        return;
    add(w, "-device");
    add(w, "ide-hd,bus=ahci0.%u,unit=0,drive=%s", d->unit, d->vdev);
}

char **dm_line(const struct guest *g, const struct dm_place *place)
{
    struct words *w = calloc(1, sizeof(*w));

    if (!w) {
        fprintf(stderr, "portico: out of memory\n");
        exit(1);
    }
    add_board(w, g, place);
    add_clock(w, g, place->now);
    add_screen(w, &g->screen);
    for (unsigned i = 0; i < g->nserials; i++) {
        add(w, "-serial");
        add(w, "%s", g->serials[i]);
    }
    if (g->usb || g->nusb)
        add(w, "-usb");
    for (unsigned i = 0; i < g->nusb; i++) {
        add(w, "-usbdevice");
        add(w, "%s", g->usb_devices[i]);
    }
    if (g->sound) {
        add(w, "-device");
        add(w, "%s", g->sound);
    }
    for (unsigned i = 0; i < g->nnics; i++)
        add_nic(w, g, i, place);
    if (g->ahci) {
        add(w, "-device");
        add(w, "ahci,id=ahci0");
    }
    for (unsigned i = 0; i < g->ndisks; i++)
        add_disk(w, g, &g->disks[i]);
    for (unsigned i = 0; i < g->nargs; i++)
        add(w, "%s", g->args[i]);
    return w->word; /* the first member: the same address */
}

void dm_line_free(char **line)
{
    for (char **p = line; line && *p; p++)
        free(*p);
    free(line);
}
