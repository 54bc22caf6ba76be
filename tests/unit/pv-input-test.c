/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The back ends of PV keyboards, pointers and channels, with a front end that is a test. */
#include <string.h>
#include "display/display.h"
#include "hw/core/sink.h"
#include "tests/unit/fake-pv.h"
#include "tests/unit/qt.h"

struct rig {
    struct qt *t;
    struct fake_pv f;
};

static uint32_t page_word(struct rig *r, unsigned page, unsigned at)
{
    uint32_t v;

    memcpy(&v, r->f.page[page] + at, 4);
    return v;
}

static void put_bytes(uint8_t *at, uint32_t v, unsigned n)
{
    memcpy(at, &v, n);
}

#define KB_BE       "backend/vkbd/7/0"
#define KB_FE       "/local/domain/7/device/vkbd/0"
#define KB_EVENT(n) (1024 + 40 * (n))

static void kb_begin(struct rig *r, struct display *d, bool abs, bool gref)
{
    const struct pv_outside outside = { .display = d };

    memset(r, 0, sizeof(*r));
    r->t = qt_new();
    qt_no_reload(r->t, "back ends are no devices");
    CHECK(fake_pv_open(&r->f, r->t->plat.loop, NULL));
    fake_set(&r->f, KB_BE "/frontend", KB_FE);
    fake_set(&r->f, KB_BE "/frontend-id", "7");
    fake_set(&r->f, KB_BE "/online", "1");
    fake_set(&r->f, KB_BE "/state", "1");
    fake_set(&r->f, KB_FE "/state", "1");
    CHECK(fake_pv_start(&r->f, &outside));
    fake_settle(&r->f);
    CHECK(!strcmp(fake_get(&r->f, KB_BE "/feature-abs-pointer"), "1"));
    CHECK(!strcmp(fake_get(&r->f, KB_BE "/width"), "32768"));
    fake_set(&r->f, gref ? KB_FE "/page-gref" : KB_FE "/page-ref", "3");
    fake_set(&r->f, KB_FE "/event-channel", "6");
    fake_set(&r->f, KB_FE "/request-abs-pointer", "%d", abs);
    fake_set(&r->f, KB_FE "/state", "3");
    fake_settle(&r->f);
    CHECK(!strcmp(fake_get(&r->f, KB_BE "/state"), "4"));
}

static void kb_end(struct rig *r, struct display *d)
{
    CHECK(fake_pv_close(&r->f));
    display_key(d, 30, true); /* nobody hears it */
    display_free(d);
}

TEST(keys_and_positions_reach_the_guest)
{
    struct display *d = display_new(NULL);
    struct rig r;

    kb_begin(&r, d, true, false);
    display_resize(d, 101, 51);
    display_key(d, 30, true);
    CHECK_EQ(page_word(&r, 3, 4), 1); /* in_prod */
    CHECK_EQ(r.f.page[3][KB_EVENT(0)], 3);
    CHECK_EQ(r.f.page[3][KB_EVENT(0) + 1], 1);
    CHECK_EQ(page_word(&r, 3, KB_EVENT(0) + 4), 30);
    CHECK(r.f.notified[6] == 1);
    CHECK(display_pointer_is_absolute(d));
    display_pointer(d, 100, 0, 1, BUTTON_LEFT);
    CHECK_EQ(r.f.page[3][KB_EVENT(1)], 4);
    CHECK_EQ(page_word(&r, 3, KB_EVENT(1) + 4), 32767);
    CHECK_EQ(page_word(&r, 3, KB_EVENT(1) + 8), 0);
    CHECK_EQ(page_word(&r, 3, KB_EVENT(2) + 4), 0x110);
    kb_end(&r, d);
}

TEST(movements_where_positions_were_not_asked_for)
{
    struct display *d = display_new(NULL);
    struct rig r;

    kb_begin(&r, d, false, true);
    display_resize(d, 101, 51);
    CHECK(!display_pointer_is_absolute(d));
    display_pointer(d, 10, 10, 0, 0);
    display_pointer(d, 13, 8, 0, 0);
    CHECK(page_word(&r, 3, 4) >= 1);
    {
        unsigned last = KB_EVENT(page_word(&r, 3, 4) - 1);

        CHECK_EQ(r.f.page[3][last], 1);
        CHECK_EQ(page_word(&r, 3, last + 4), 3);
        CHECK_EQ(page_word(&r, 3, last + 8), (uint32_t)-2);
    }
    kb_end(&r, d);
}

TEST(a_guest_that_takes_no_keys_loses_them)
{
    struct display *d = display_new(NULL);
    struct rig r;

    kb_begin(&r, d, true, true);
    for (unsigned i = 0; i < 200; i++)
        display_key(d, 30, i & 1);
    CHECK_EQ(page_word(&r, 3, 4), 51);
    put_bytes(r.f.page[3], 0x7fffffff, 4); /* an in_cons that cannot be */
    display_key(d, 30, true);
    CHECK_EQ(page_word(&r, 3, 4), 51);
    put_bytes(r.f.page[3], 51, 4);
    display_key(d, 31, true);
    CHECK_EQ(page_word(&r, 3, 4), 52);
    CHECK_EQ(page_word(&r, 3, KB_EVENT(0) + 4), 31);
    CHECK_EQ(page_word(&r, 3, 1024 + 51 * 40), 0);
    kb_end(&r, d);
}

#define CH_BE "backend/console/7/1"
#define CH_FE "/local/domain/7/device/console/1"

static struct sink *find_sink(void *arg, const char *id)
{
    return strcmp(id, "libxl-channel1") ? NULL : arg;
}

static void channel(struct rig *r, struct sink *sink, const char *output)
{
    const struct pv_outside outside = { .sink = find_sink, .arg = sink };
    struct config cfg = { 0 };

    memset(r, 0, sizeof(*r));
    r->t = qt_new();
    qt_no_reload(r->t, "back ends are no devices");
    config_set(&cfg, "sink", "mem:");
    CHECK_EQ(sink_open(sink, r->t->plat.loop, &cfg, "sink", NULL), 0);
    config_free(&cfg);
    CHECK(fake_pv_open(&r->f, r->t->plat.loop, NULL));
    fake_set(&r->f, CH_BE "/frontend", CH_FE);
    fake_set(&r->f, CH_BE "/frontend-id", "7");
    fake_set(&r->f, CH_BE "/online", "1");
    fake_set(&r->f, CH_BE "/state", "1");
    fake_set(&r->f, CH_FE "/type", "ioemu");
    fake_set(&r->f, CH_FE "/output", "%s", output);
    fake_set(&r->f, CH_FE "/state", "1");
    CHECK(fake_pv_start(&r->f, &outside));
    fake_settle(&r->f);
    fake_set(&r->f, CH_FE "/ring-ref", "3");
    fake_set(&r->f, CH_FE "/port", "9");
    fake_set(&r->f, CH_FE "/state", "3");
    fake_settle(&r->f);
}

TEST(a_channel_carries_bytes_both_ways)
{
    struct sink sink = { 0 };
    struct rig r;
    size_t len;

    channel(&r, &sink, "chardev:libxl-channel1");
    CHECK(!strcmp(fake_get(&r.f, CH_BE "/state"), "4"));
    memcpy(r.f.page[3] + 1024, "hello", 5);
    put_bytes(r.f.page[3] + 3084, 5, 4); /* out_prod */
    fake_event(&r.f, 9);
    CHECK_EQ(page_word(&r, 3, 3080), 5);
    CHECK(!memcmp(sink_mem(&sink, &len), "hello", 5) && len == 5);
    sink_feed(&sink, "yes", 3);
    CHECK_EQ(page_word(&r, 3, 3076), 3);
    CHECK(!memcmp(r.f.page[3], "yes", 3));
    CHECK_EQ(r.f.notified[9], 2);
    put_bytes(r.f.page[3] + 3084, 5000, 4); /* more than there is room for */
    fake_event(&r.f, 9);
    CHECK_EQ(page_word(&r, 3, 3080), 5);
    CHECK(fake_pv_close(&r.f));
    sink_close(&sink);
}

/* The node is the guest's to write: it must not get at another chardev by it. */
TEST(a_channel_is_wired_to_its_own_chardev_only)
{
    struct sink sink = { 0 };
    struct rig r;

    channel(&r, &sink, "chardev:libxl-cmd");
    CHECK(!strcmp(fake_get(&r.f, CH_BE "/state"), "1"));
    CHECK(fake_pv_close(&r.f));
    sink_close(&sink);
}
