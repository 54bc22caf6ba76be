/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The chardevs that libxl makes for xl's channel=: open sinks, for PV consoles. */
#include <stdio.h>
#include <string.h>
#include "control/parts.h"

static bool is_channel(const struct chardev_arg *ch)
{
    return ch->id && !strncmp(ch->id, "libxl-channel", strlen("libxl-channel")) && !ch->monitor &&
           (!strcmp(ch->kind, "pty") || (!strcmp(ch->kind, "socket") && ch->path));
}

int channels_open(struct vm *vm, struct err *err)
{
    for (unsigned i = 0; i < vm->args.nchardevs; i++) {
        const struct chardev_arg *ch = &vm->args.chardevs[i];
        struct config cfg = { 0 };
        char spec[512];
        int rc;

        if (!is_channel(ch))
            continue;
        snprintf(spec, sizeof(spec), "pty");
        if (ch->path)
            snprintf(spec, sizeof(spec), "unix:%s%s%s", ch->path, ch->server ? ",server" : "",
                     ch->server && !ch->wait ? ",nowait" : "");
        config_set(&cfg, "sink", spec);
        rc = sink_open(&vm->channels[i], vm->loop, &cfg, "sink", err);
        config_free(&cfg);
        if (rc)
            return rc;
        vm->channel_open[i] = true;
    }
    return 0;
}

void channels_close(struct vm *vm)
{
    for (unsigned i = 0; i < ARGS_CHARDEVS; i++) {
        if (vm->channel_open[i])
            sink_close(&vm->channels[i]);
        vm->channel_open[i] = false;
    }
}

struct sink *channel_sink(void *arg, const char *id)
{
    struct vm *vm = arg;

    for (unsigned i = 0; i < vm->args.nchardevs; i++) {
        if (vm->channel_open[i] && !strcmp(vm->args.chardevs[i].id, id))
            return &vm->channels[i];
    }
    return NULL;
}
