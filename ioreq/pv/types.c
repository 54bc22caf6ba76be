/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of kinds of back ends. */
#include <stddef.h>
#include "ioreq/pv/bus.h"

const struct pv_type *const pv_types[] = { &pv_qdisk_type, &pv_vkbd_type, &pv_console_type, NULL };
