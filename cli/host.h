/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/host.h: what this machine is. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* A Xen dom0, where xl is the tool. */
bool host_is_dom0(void);
/* Do the flags of /proc/cpuinfo, or of the text, say that there is hardware virtualization? */
bool host_has_virt(void);
bool host_flags_have_virt(const char *cpuinfo);
/* Can guests run on KVM here? 0, or 1 with a line. force: portico-dm is to say what is missing. */
int host_check(bool force);
/* The path of portico-dm: `given` when not NULL, $PORTICO_DM, beside this program, as installed. */
const char *host_find_dm(const char *given, char *path, size_t size);
