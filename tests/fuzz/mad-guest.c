/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mad guest's choice of what to do next. */
#include "hw/core/state.h"
#include "hw/devices.h"
#include "tests/fuzz/mad-impl.h"

static const struct {
    unsigned weight;
    void (*fn)(struct mad *f);
} acts[] = {
    { 400, any_window },   { 40, any_config },   { 4, mad_place_windows }, { 30, junk_page },
    { 40, ide_command },   { 40, ahci_command }, { 40, e1000_ring },       { 40, rtl8139_ring },
    { 1, rtl8139_eeprom }, { 40, pcnet_ring },   { 40, ne2000_packet },    { 4, vbe_mode },
    { 4, smbus },          { 40, clock_on },     { 20, frame_in },         { 10, input },
    { 6, draw },           { 4, change_disc },   { 40, cd_packet },        { 6, vga_mode },
    { 10, ps2 },           { 6, cmos },          { 30, floppy_command },   { 10, firmware_dma },
    { 80, usb_schedule },  { 40, cirrus_blit },  { 10, flash_command },    { 30, ac97_list },
    { 30, es1370_frames }, { 30, sb16_block },
};

static void act(struct mad *f)
{
    unsigned total = 0, pick;

    for (unsigned i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
        total += acts[i].weight;
    pick = below(f, total + 14);
    for (unsigned i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        if (pick < acts[i].weight) {
            acts[i].fn(f);
            return;
        }
        pick -= acts[i].weight;
    }
    if (pick < 10)
        loop_step(f->t);
    else if (pick == 10)
        restore(f, below(f, 2));
    else if (pick == 11 && below(f, 4) == 0)
        reset(f);
}

static bool is_nic(const struct device *dev)
{
    return dev->type == &e1000_type.dev || dev->type == &rtl8139_type.dev ||
           dev->type == &pcnet_type.dev || dev->type == &ne2000_type.dev;
}

void mad_step(struct mad *f)
{
    if (f->nics)
        mad_net_act(f);
    else
        act(f);
    for (unsigned i = 0; i < f->m.n; i++) {
        if (!(f->nics && !is_nic(f->m.dev[i])) && !state_valid(f->m.dev[i])) {
            state_print(f->m.dev[i], stderr);
            fprintf(stderr, "%s: not a state that can be\n", f->m.dev[i]->id);
            f->failed = true;
        }
    }
}
