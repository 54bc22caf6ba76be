/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioreq/pv/grants.h: persistent grants: pages that a front end grants for as
 * long as it is connected. Each is mapped once, when it is first named, and
 * stays mapped until grants_free(). There is a bound to how many.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "ioreq/pv/pv.h"

#define GRANTS_MAX 2048u /* mapped for one queue: 8 MiB; what is beyond is copied */

struct grants;

struct grants *grants_new(const struct pv_ops *ops, void *arg); /* NULL: out of memory */
void grants_free(struct grants *g);                             /* NULL is fine */
/* The pages of refs[0..n) into page[]. False: they cannot all be had. n <= 512. */
bool grants_get(struct grants *g, const uint32_t *refs, unsigned n, void **page);
unsigned grants_mapped(const struct grants *g);
