/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intel 82441FX (PMC), the host bridge of the 440FX. Intel 290549, chapter 3.2.
 *
 * Only its config space exists: the registers hold what firmware writes. They
 * have no effect here: PAM (0x59-0x5f) is looked at by ioreq/host-mem.c where
 * memory is ours; where it is a hypervisor's, 0xc0000-0xfffff is always RAM. SMRAM
 * (0x72) moves nothing.
 */
#include "hw/devices.h"

static const struct pci_reg i440fx_regs[] = {
    { 0x04, 2, 0x0006, 0x0140, 0 },         /* PCICMD: memory and mastering are hardwired on */
    { 0x06, 2, 0x0280, 0, 0xf900 },         /* PCISTS: fast back-to-back, DEVSEL# medium */
    { 0x50, 2, 0x0000, 0xffff, 0 },         /* PMCCFG */
    { 0x52, 1, 0x00, 0xff, 0 },             /* DETURBO */
    { 0x53, 1, 0x80, 0xff, 0 },             /* DBC */
    { 0x54, 1, 0x00, 0xff, 0 },             /* AXC */
    { 0x55, 2, 0x0000, 0xffff, 0 },         /* DRT */
    { 0x57, 1, 0x01, 0xff, 0 },             /* DRAMC */
    { 0x58, 1, 0x00, 0xff, 0 },             /* DRAMT */
    { 0x59, 3, 0, 0xffffff, 0 },            /* PAM0-2 */
    { 0x5c, 4, 0, 0xffffffff, 0 },          /* PAM3-6 */
    { 0x60, 4, 0x01010101, 0xffffffff, 0 }, /* DRB0-3 */
    { 0x64, 4, 0x01010101, 0xffffffff, 0 }, /* DRB4-7 */
    { 0x68, 1, 0x00, 0xff, 0 },             /* FDHC */
    { 0x70, 1, 0x00, 0xff, 0 },             /* MTT */
    { 0x71, 1, 0x10, 0xff, 0 },             /* CLT */
    { 0x72, 1, 0x02, 0x7f, 0 },             /* SMRAM */
    { 0x90, 1, 0x00, 0xff, 0 },             /* ERRCMD */
    { 0x91, 1, 0x00, 0, 0xff },             /* ERRSTS */
    { 0x93, 1, 0x00, 0x0f, 0 },             /* TRC: the reset itself is port 0xcf9 */
    { 0 }
};

/*
 * The subsystem id says "QEMU" to SeaBIOS, which only then looks for fw_cfg
 * and drives SCSI disks.
 */
const struct pci_type i440fx_type = {
    .dev = { .name = "i440FX", .version = 1, .size = sizeof(struct pci_func), .pci = true },
    .vendor = 0x8086,
    .device = 0x1237,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .class_code = 0x060000,
    .revision = 2,
    .regs = i440fx_regs,
};
