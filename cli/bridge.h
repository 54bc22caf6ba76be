/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cli/bridge.h: bridges of this machine. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* Is there a bridge of that name, and may this process put interfaces into it? */
bool bridge_usable(const char *bridge);
/* Puts an interface into it and switches it on; 0, or -1 with a line in err. */
int bridge_add(const char *bridge, const char *ifname, char *err, size_t size);
