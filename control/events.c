/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control/events.c: events of the control protocol that are nobody's answer:
 * the guest sets its clock, a VNC client comes, is let in, leaves. QEMU's
 * names and data.
 */
#include <stdlib.h>
#include "control/parts.h"
#include "control/qmp.h"
#include "control/types.h"
#include "display/vnc.h"
#include "hw/rtc.h"

#define PAUSE_MS 1000 /* a guest can set its clock as often as it likes */

static json_t *text(const char *s)
{
    json_t *val = json_string(s);

    return val ? val : json_string("?"); /* a path that is not UTF-8 */
}

/* ---- the clock ---- */

static void tell_rtc(struct vm *vm)
{
    const struct device *cmos = machine_find(&vm->machine, "cmos");
    struct qom_object o;

    if (cmos && qom_of_device(vm, cmos, &o))
        qmp_event(
            vm->qmp, "RTC_CHANGE",
            json_pack("{s:I, s:s}", "offset", (json_int_t)vm->rtc.offset, "qom-path", o.path));
    vm->rtc.waits = false;
}

static void on_pause_over(uv_timer_t *h)
{
    struct vm *vm = h->data;

    if (!vm->rtc.waits)
        return;
    tell_rtc(vm);
    uv_timer_start(h, on_pause_over, PAUSE_MS, 0);
}

/* The first one at once; of those in the second after it the last. */
static void clock_was_set(void *arg, int64_t offset)
{
    struct vm *vm = arg;

    vm->rtc.offset = offset;
    vm->rtc.waits = true;
    if (uv_is_active((uv_handle_t *)&vm->rtc.pause))
        return;
    tell_rtc(vm);
    uv_timer_start(&vm->rtc.pause, on_pause_over, PAUSE_MS, 0);
}

void vm_events_listen(struct vm *vm)
{
    struct device *cmos = machine_find(&vm->machine, "cmos");

    uv_timer_init(vm->loop, &vm->rtc.pause);
    uv_unref((uv_handle_t *)&vm->rtc.pause);
    vm->rtc.pause.data = vm;
    if (cmos)
        rtc_listen(cmos, clock_was_set, vm);
}

/* ---- viewers ---- */

void vm_vnc_client(void *arg, enum vnc_client_is what, const struct vnc_client *who)
{
    static const char *const names[] = { [VNC_CLIENT_CONNECTED] = "VNC_CONNECTED",
                                         [VNC_CLIENT_ADMITTED] = "VNC_INITIALIZED",
                                         [VNC_CLIENT_GONE] = "VNC_DISCONNECTED" };
    struct vm *vm = arg;
    struct vnc_info *info = calloc(1, sizeof(*info));
    bool web = who->websocket;

    if (!info)
        return;
    vnc_query(vm->vnc, info);
    web &= info->web_service[0] != 0;
    qmp_event(vm->qmp, names[what],
              json_pack("{s:{s:o, s:o, s:o, s:b, s:o}, s:{s:o, s:o, s:o, s:b}}", "server", "host",
                        text(web ? info->web_host : info->host), "service",
                        text(web ? info->web_service : info->service), "family",
                        text(web ? info->web_family : info->family), "websocket", web, "auth",
                        text(info->auth), "client", "host", text(who->host), "service",
                        text(who->service), "family", text(who->family), "websocket",
                        who->websocket));
    free(info);
}
