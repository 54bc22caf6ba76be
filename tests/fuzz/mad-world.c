/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mad guest's machine, and what comes to it from outside. */
#include <stdlib.h>
#include <string.h>
#include "hw/core/buf.h"
#include "hw/fdc.h"
#include "hw/ide.h"
#include "tests/fuzz/mad-impl.h"

static bool always_looking(void *viewer)
{
    return true;
}

static void seen(void *viewer, const struct surface *s, struct rect r)
{
}

static const struct viewer_ops viewer = { .damaged = seen, .looking = always_looking };

/* ---- the world ---- */

static struct config *add(struct mad *f, const char *type, const char *id)
{
    return machine_spec_add(&f->spec, type, id);
}

static void add_sink(struct mad *f, unsigned i, const char *type, const char *id)
{
    struct config how = { 0 };
    struct config *cfg = add(f, type, id);
    struct err err;

    config_set(&how, "sink", "mem:");
    CHECK(sink_open(&f->sink[i], NULL, &how, "sink", &err) == 0);
    config_free(&how);
    config_set_obj(cfg, "sink", &f->sink[i]);
    if (!strcmp(id, "serial1"))
        config_set(cfg, "index", "1");
}

static void add_drives(struct mad *f)
{
    static const uint64_t size[] = { 8 << 20, 70000 * 512, 4 << 20 };
    struct config *ide = add(f, "piix3-ide", "ide"), *ahci_cfg = NULL;

    for (unsigned i = 0; i < 3; i++) {
        char key[16], kind[24];

        f->blk[i] = block_open_mem(f->t->plat.loop, size[i]);
        snprintf(key, sizeof(key), "drive%u", i);
        snprintf(kind, sizeof(kind), "drive%u.kind", i);
        config_set_obj(ide, key, f->blk[i]);
        config_set(ide, kind, i == MAD_CD ? "cdrom" : "disk");
    }
    for (unsigned i = 0; i < 2; i++) {
        struct config *ahci = i ? ahci_cfg : (ahci_cfg = add(f, "ahci", "ahci"));

        f->sata[i] = block_open_mem(f->t->plat.loop, size[i + 1]);
        config_set_obj(ahci, i ? "port3" : "port0", f->sata[i]);
        config_set(ahci, i ? "port3.kind" : "port0.kind", i ? "cdrom" : "disk");
    }
    f->floppy = block_open_mem(f->t->plat.loop, 1440 << 10);
    config_set_obj(add(f, "isa-fdc", "fdc"), "drive0.medium", f->floppy);
}

/* What is there where no hypervisor has it. */
static void add_clocks(struct mad *f)
{
    struct config *flash = add(f, "cfi.pflash01", "flash0");
    struct config *cmos = add(f, "cmos", "cmos"), *fw = add(f, "fw_cfg", "fw_cfg");

    config_set(cmos, "rtc", "on");
    config_set(cmos, "driftfix", "slew");
    config_set(fw, "ram-low", "0x1000000");
    add(f, "hpet", "hpet");
    f->flash = block_open_mem(f->t->plat.loop, 64 << 10);
    config_set_obj(flash, "medium", f->flash);
    config_set(flash, "base", "0xffff0000");
}

static void add_cards(struct mad *f)
{
    static const char *const type[] = { "rtl8139", "e1000", "pcnet", "ne2k_pci" };
    struct config *vga = f->cirrus ? add(f, "cirrus-vga", "cirrus") : add(f, "VGA", "vga");
    struct err err;

    config_set_obj(vga, "display", f->display);
    config_set(vga, "romfile", "");
    config_set(vga, "vgamem_mb", "8");
    for (unsigned i = 0; i < MAD_NETS; i++) {
        f->net[i] = net_open_mem(&err);
        config_set_obj(add(f, type[i], type[i]), "net", f->net[i]);
    }
}

static void add_usb(struct mad *f)
{
    static const char *const type[] = { "usb-tablet", "usb-kbd", "piix3-usb-uhci", "usb-mouse" };

    add(f, "piix3-usb-uhci", "piix3-usb");
    for (unsigned i = 0; i < 4; i++)
        config_set_obj(add(f, type[i], type[i]), "display", f->display);
}

static void add_sound(struct mad *f)
{
    static const char *const type[] = { "AC97", "ES1370", "sb16" };
    struct config how = { 0 };
    struct err err;

    config_set(&how, "driver", "none");
    f->sound = sound_open(NULL, "none", &how, ".", &err);
    CHECK(f->sound != NULL);
    config_free(&how);
    for (unsigned i = 0; i < sizeof(type) / sizeof(type[0]); i++)
        config_set_obj(add(f, type[i], type[i]), "sound", f->sound);
}

static void build(struct mad *f)
{
    struct err err = { "" };
    int rc = machine_build(&f->m, &f->t->plat, &f->spec, &err);

    if (rc)
        fprintf(stderr, "%s\n", err.msg);
    CHECK(rc == 0);
}

void mad_start(struct mad *f)
{
    f->t = qt_new();
    f->t->hurry = true; /* disks and cables are in memory */
    f->display = display_new(NULL);
    display_add_viewer(f->display, &viewer, f);
    add_drives(f);
    config_set_obj(add(f, "i8042", "i8042"), "display", f->display);
    config_set(add(f, "PIIX4_PM", "pm"), "pm1-timer", "on");
    add_clocks(f);
    add(f, "xen-platform", "platform");
    add_sink(f, 0, "isa-serial", "serial0");
    add_sink(f, 1, "isa-serial", "serial1");
    add_sink(f, 2, "isa-parallel", "parallel0");
    add_sink(f, 3, "isa-debugcon", "debugcon");
    add_cards(f);
    add_usb(f);
    add_sound(f);
    build(f);
}

void mad_finish(struct mad *f)
{
    machine_free(&f->m);
    for (unsigned i = 0; i < 3; i++)
        block_close(f->blk[i]);
    block_close(f->floppy);
    block_close(f->flash);
    for (unsigned i = 0; i < 2; i++)
        block_close(f->sata[i]);
    for (unsigned i = 0; i < MAD_NETS; i++)
        net_close(f->net[i]);
    for (unsigned i = 0; i < MAD_SINKS; i++)
        sink_close(&f->sink[i]);
    sound_close(f->sound);
    display_remove_viewer(f->display, f);
    display_free(f->display);
    machine_spec_free(&f->spec);
}

/* ---- what comes from outside ---- */

void clock_on(struct mad *f)
{
    int64_t began;

    f->t->now += below(f, 4) ? below(f, NS_PER_MS) : below(f, NS_PER_S);
    began = mad_begin(f);
    timers_run(&f->t->plat, f->t->now);
    note(f, T_TIMERS, began, NULL);
}

/* What a tap with IFF_VNET_HDR might say of a frame, or might not. */
struct net_offload mad_undone(struct mad *f)
{
    static const uint8_t gso[] = { NET_GSO_NONE, NET_GSO_NONE, NET_GSO_TCP4, NET_GSO_TCP6 };
    struct net_offload o = { below(f, 4) ? NET_F_NEEDS_CSUM : any(f),
                             below(f, 8) ? gso[below(f, 4)] : any(f) };

    o.gso_size = below(f, 4) ? 500 + below(f, 1000) : value(f);
    o.csum_start = below(f, 4) ? 34 : value(f);
    o.csum_offset = below(f, 4) ? 16 : value(f);
    return o;
}

void mad_deliver(struct mad *f, unsigned which, const struct net_offload *o, const uint8_t *frame,
                 size_t len)
{
    struct net *n = f->net[which];
    int64_t began;

    if (!f->full[which]) /* one after the other: what one call costs is one frame's */
        net_mem_put_offload(n, o, frame, len);
    n->takes = below(f, 2) ? 0 : any(f);
    began = mad_begin(f);
    f->full[which] = net_mem_run(n) != 0;
    note(f, T_FRAMES, began, NULL);
    while (net_mem_get(n, &(size_t){ 0 }))
        ;
}

void frame_in(struct mad *f)
{
    static const uint32_t sizes[] = { 1, 14, 60, 64, 1500, 1514, 1518, 9000, 65000, 65549 };
    unsigned which = below(f, MAD_NETS), len;
    struct net_offload o = { 0 };
    uint8_t *frame = calloc(1, NET_FRAME_MAX);
    int64_t began;
    bool odd;

    CHECK(frame != NULL);
    len = sizes[below(f, sizeof(sizes) / sizeof(sizes[0]))];
    if (below(f, 2))
        len = 1 + below(f, 2000);
    odd = below(f, 8) == 0;
    for (unsigned i = 0; i < len && i < 100; i++)
        frame[i] = i < 6 ? (odd ? any(f) : 0xff) : any(f);
    if (below(f, 2))
        memcpy(frame + 12, below(f, 2) ? "\x08\0E" : "\x81\0\0\1\x08\0E", 3);
    if (below(f, 3) == 0) {
        o = mad_undone(f);
        frame[46] = below(f, 8) ? 0x50 : any(f); /* TCP's header length */
    }
    net_mem_put_offload(f->net[which], &o, frame, len);
    free(frame);
    f->net[which]->takes = below(f, 2) ? 0 : any(f);
    began = mad_begin(f);
    net_mem_run(f->net[which]);
    note(f, T_FRAMES, began, NULL);
    while (net_mem_get(f->net[which], &(size_t){ 0 }))
        ;
    if (below(f, 20) == 0)
        net_set_link(f->net[which], below(f, 2));
}

void input(struct mad *f)
{
    uint64_t data = any(f);

    display_key(f->display, below(f, 300), below(f, 2));
    display_pointer(f->display, (int)any(f), (int)any(f), (int)any(f), any(f));
    if (below(f, 8) == 0)
        display_release_all(f->display);
    sink_feed(&f->sink[below(f, 2)], &data, sizeof(data));
}

void draw(struct mad *f)
{
    int64_t began = mad_begin(f);

    f->t->vram_dirty[below(f, 32)] |= any(f);
    display_refresh(f->display, below(f, 8) == 0);
    note(f, T_DRAW, began, NULL);
    free(display_text(f->display));
}

void change_disc(struct mad *f)
{
    struct device *ide = machine_find(&f->m, "ide");
    struct err err;

    if (below(f, 4) == 0)
        ide_eject(ide, MAD_CD, below(f, 2), &err);
    else
        ide_insert(ide, MAD_CD, f->blk[MAD_CD], &err);
    if (below(f, 4) == 0)
        floppy_eject(machine_find(&f->m, "fdc"), 0, &err);
    else
        floppy_insert(machine_find(&f->m, "fdc"), 0, f->floppy, &err);
    loop_step(f->t);
}

void reset(struct mad *f)
{
    enum reset_kind kind = below(f, 2) ? RESET_WARM : RESET_COLD;
    int64_t began = mad_begin(f);

    for (unsigned i = 0; i < f->m.n; i++)
        device_reset(f->m.dev[i], kind);
    note(f, T_RESET, began, NULL);
}

static void load(struct mad *f, unsigned i, struct buf *image, bool spoil)
{
    struct device *dev = f->m.dev[i];
    struct buf again = { 0 };
    struct err err = { "" };
    unsigned flips = spoil ? 1 + below(f, 4) : 0;

    while (flips--)
        image->data[below(f, image->len)] ^= 1u << below(f, 8);
    if (state_load(dev, image, &err) && !spoil) {
        fprintf(stderr, "%s\n", err.msg);
        f->failed = true;
    }
    state_save(dev, &again);
    if (!spoil && (again.len != image->len || memcmp(again.data, image->data, again.len))) {
        fprintf(stderr, "%s: differs after save and load\n", dev->id);
        state_print(dev, stderr);
        f->failed = true;
    }
    buf_free(&again);
}

/* As libxl does it: the guest stands, the disks are drained, another process goes on. */
void restore(struct mad *f, bool spoil)
{
    struct buf image[MACHINE_DEVICES] = { 0 };
    unsigned n = f->m.n;

    CHECK(ide_drain(machine_find(&f->m, "ide")) == 0);
    CHECK(ide_drain(machine_find(&f->m, "ahci")) == 0);
    CHECK(floppy_drain(machine_find(&f->m, "fdc")) == 0);
    for (unsigned i = 0; i < n; i++) {
        if (f->m.dev[i]->type->sync) /* cards look into their rings again: so does a load */
            f->m.dev[i]->type->sync(f->m.dev[i]);
        state_save(f->m.dev[i], &image[i]);
    }
    machine_free(&f->m);
    build(f);
    for (unsigned i = 0; i < n; i++) {
        load(f, i, &image[i], spoil);
        buf_free(&image[i]);
    }
}
