/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/bootorder.h: what the command line tells firmware of disks. */
#pragma once

struct vm_args;

/*
 * fw_cfg's "bios-geometry", what lcyls=, lheads= and lsecs= of the disks say: lines of an Open
 * Firmware path and three numbers. The caller frees it; NULL: nobody said so.
 */
char *args_geometry(const struct vm_args *a);
