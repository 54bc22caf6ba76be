/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/fuzz/mad-impl.h: what the mad-*.c files share. */
#pragma once
#include "tests/fuzz/mad-guest.h"

/* Numbers: any, and less than n. */
uint64_t any64(struct mad *f);
uint32_t any(struct mad *f);
unsigned below(struct mad *f, unsigned n);
/* A register value such as a guest may choose; an address in RAM, mostly in its first 256 KiB. */
uint32_t value(struct mad *f);
uint32_t ram_addr(struct mad *f);

void io(struct mad *f, enum io_space space, bool write, uint64_t addr, uint64_t val,
        unsigned width);
void config_cycle(struct mad *f, bool write, unsigned devfn, unsigned off, uint32_t val,
                  unsigned width);
int64_t cpu_now(void);
/* A call begins: what it costs is counted from here; cpu_now(). */
int64_t mad_begin(struct mad *f);
/* Where that device's BAR is, 0: nowhere. */
uint32_t mad_window(struct mad *f, const char *id, unsigned bar);
/* A call of this kind that began at mad_begin() `began` is over. */
void note(struct mad *f, enum mad_timed kind, int64_t began, const struct io_req *req);

/* mad-io.c */
void mad_poke(struct mad *f, uint32_t addr, uint32_t val); /* into RAM; nothing past its end */
void any_window(struct mad *f);
void any_config(struct mad *f);
void junk_page(struct mad *f);
/* mad-devices.c: driven with some sense, so that the nonsense gets deep */
void ide_command(struct mad *f);
void cd_packet(struct mad *f);
void ahci_command(struct mad *f);
void e1000_ring(struct mad *f);
void rtl8139_ring(struct mad *f);
void rtl8139_eeprom(struct mad *f);
void pcnet_ring(struct mad *f);
void ne2000_packet(struct mad *f);
void vbe_mode(struct mad *f);
void vga_mode(struct mad *f);
void cirrus_blit(struct mad *f);
void floppy_command(struct mad *f);
void firmware_dma(struct mad *f);
void flash_command(struct mad *f);
void ps2(struct mad *f);
void cmos(struct mad *f);
void smbus(struct mad *f);
void usb_schedule(struct mad *f);
/* mad-net.c: what a guest that is after its network cards does */
void mad_net_act(struct mad *f);
/* mad-sound.c */
void ac97_list(struct mad *f);
void es1370_frames(struct mad *f);
void sb16_block(struct mad *f);
/* mad-world.c: what comes from outside */
void clock_on(struct mad *f);
void frame_in(struct mad *f);
void input(struct mad *f);
void draw(struct mad *f);
void change_disc(struct mad *f);
void reset(struct mad *f);
void restore(struct mad *f, bool spoil);
/* Gives a cable a frame and lets its card have what it has room for. */
void mad_deliver(struct mad *f, unsigned which, const struct net_offload *o, const uint8_t *frame,
                 size_t len);
struct net_offload mad_undone(struct mad *f); /* what may be undone in a frame, or not */
