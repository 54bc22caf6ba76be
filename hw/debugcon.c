/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debug port: firmware writes characters here; a read of 0xe9 says it is
 * present. There is no document but firmware's own use of it (Bochs' port e9
 * hack, SeaBIOS and OVMF at 0x402). Config: iobase, sink.
 */
#include "hw/core/config.h"
#include "hw/core/platform.h"
#include "hw/core/sink.h"
#include "hw/devices.h"

#define PRESENT 0xe9

struct debugcon {
    struct device dev;
    struct sink out;
    uint64_t base;
};

static uint64_t debugcon_read(struct device *dev, uint64_t off, unsigned width)
{
    return PRESENT;
}

static void debugcon_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    sink_put(&container_of(dev, struct debugcon, dev)->out, val);
}

static const struct io_range debugcon_window = { IO_PORT, 0, 1, 1, debugcon_read, debugcon_write };

static int debugcon_init(struct device *dev, const struct config *cfg, struct err *err)
{
    struct debugcon *d = container_of(dev, struct debugcon, dev);
    int rc = config_uint(cfg, "iobase", 0x402, 0xffff, &d->base, err);

    if (rc == 0)
        rc = sink_open(&d->out, dev->plat->loop, cfg, "sink", err);
    if (rc < 0)
        return rc;
    rc = platform_map(dev->plat, dev, &debugcon_window, d->base, 1);
    if (rc < 0) {
        sink_close(&d->out);
        return err_set(err, rc, "%s: port %x is taken by another device; give another iobase",
                       dev->id, (unsigned)d->base);
    }
    return 0;
}

static void debugcon_fini(struct device *dev)
{
    struct debugcon *d = container_of(dev, struct debugcon, dev);

    platform_unmap(dev->plat, dev, &debugcon_window, d->base);
    sink_close(&d->out);
}

const struct device_type debugcon_type = {
    .name = "isa-debugcon",
    .version = 1,
    .size = sizeof(struct debugcon),
    .init = debugcon_init,
    .fini = debugcon_fini,
};
