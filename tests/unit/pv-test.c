/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The back ends of PV disks, with a front end that is a test: xenbus, rings, requests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>
#include "ioreq/pv/blkring.h"
#include "tests/unit/fake-pv.h"
#include "tests/unit/qt.h"

#define BE  "backend/qdisk/7/768"
#define FE  "/local/domain/7/device/vbd/768"
#define MIB (1u << 20)

struct front { /* of one queue */
    bool abi32;
    unsigned first, pages; /* of the ring */
    uint32_t req_prod, rsp_cons;
    unsigned entries, port;
};

struct rig {
    struct qt *t;
    struct fake_pv f;
    char dir[32], image[64];
    struct front q[4];
};

/* ---- a front end ---- */

static uint8_t *ring_at(struct rig *r, const struct front *q)
{
    return r->f.page[q->first];
}

static uint32_t ring_word(struct rig *r, const struct front *q, unsigned i)
{
    uint32_t v;

    memcpy(&v, ring_at(r, q) + 4 * i, 4);
    return v;
}

static void set_ring_word(struct rig *r, const struct front *q, unsigned i, uint32_t v)
{
    memcpy(ring_at(r, q) + 4 * i, &v, 4);
}

static void ring_fresh(struct rig *r, struct front *q, unsigned first, unsigned pages)
{
    unsigned slot = q->abi32 ? 108 : 112;

    q->first = first;
    q->pages = pages;
    q->req_prod = q->rsp_cons = 0;
    for (q->entries = 1; 64 + 2 * q->entries * slot <= pages * PV_PAGE;)
        q->entries *= 2;
    memset(ring_at(r, q), 0, (size_t)pages * PV_PAGE);
    set_ring_word(r, q, 1, 1);
    set_ring_word(r, q, 3, 1);
}

static void put_bytes(uint8_t *at, uint64_t v, unsigned n)
{
    memcpy(at, &v, n);
}

static uint8_t *next_slot(struct rig *r, struct front *q)
{
    unsigned slot = q->abi32 ? 108 : 112;
    uint8_t *s = ring_at(r, q) + 64 + (size_t)(q->req_prod++ % q->entries) * slot;

    memset(s, 0xee, slot); /* padding is nobody's */
    return s;
}

static void publish(struct rig *r, struct front *q)
{
    set_ring_word(r, q, 0, q->req_prod);
    fake_event(&r->f, q->port);
}

/* n segments of whole pages from page `page` on, but the first and last sectors given. */
static void put_data(struct rig *r, struct front *q, unsigned op, uint64_t id, uint64_t sector,
                     unsigned n, unsigned page, unsigned first, unsigned last)
{
    uint8_t *s = next_slot(r, q), *seg;
    unsigned less = q->abi32 ? 4 : 0;

    s[0] = (uint8_t)op;
    s[1] = (uint8_t)n;
    put_bytes(s + 8 - less, id, 8);
    put_bytes(s + 16 - less, sector, 8);
    seg = s + 24 - less;
    for (unsigned i = 0; i < n && i < 11; i++, seg += 8) {
        put_bytes(seg, page + i, 4);
        seg[4] = (uint8_t)(i ? 0 : first);
        seg[5] = (uint8_t)(i + 1 < n ? 7 : last);
    }
}

static void put_indirect(struct rig *r, struct front *q, unsigned op, uint64_t id, uint64_t sector,
                         unsigned n, unsigned page, unsigned list_page)
{
    uint8_t *s = next_slot(r, q), *seg = r->f.page[list_page];
    unsigned less = q->abi32 ? 4 : 0;

    s[0] = 6;
    s[1] = (uint8_t)op;
    put_bytes(s + 2, n, 2);
    put_bytes(s + 8 - less, id, 8);
    put_bytes(s + 16 - less, sector, 8);
    put_bytes(s + 28 - less, list_page, 4);
    for (unsigned i = 0; i < n && i < 512; i++, seg += 8) {
        put_bytes(seg, page + i, 4);
        seg[4] = 0;
        seg[5] = 7;
    }
}

static bool answered(struct rig *r, const struct front *q)
{
    return ring_word(r, q, 2) != q->rsp_cons;
}

/* The status of the next response, which must be for id. */
static int response(struct rig *r, struct front *q, uint64_t id)
{
    unsigned slot = q->abi32 ? 108 : 112;
    const uint8_t *s;
    int16_t status;
    uint64_t its;

    loop_until(r->t, answered(r, q));
    CHECK(answered(r, q));
    s = ring_at(r, q) + 64 + (size_t)(q->rsp_cons++ % q->entries) * slot;
    memcpy(&its, s, 8);
    memcpy(&status, s + 10, 2);
    CHECK_EQ(its, id);
    set_ring_word(r, q, 3, q->rsp_cons + 1); /* tell of the next */
    return status;
}

static int one(struct rig *r, struct front *q, unsigned op, uint64_t sector, unsigned n,
               unsigned page)
{
    static uint64_t id = 0x1122334455667788;

    put_data(r, q, op, ++id, sector, n, page, 0, 7);
    publish(r, q);
    return response(r, q, id);
}

/* ---- a guest ---- */

static void nodes(struct rig *r, const char *params, const char *mode)
{
    fake_set(&r->f, BE "/frontend", FE);
    fake_set(&r->f, BE "/frontend-id", "7");
    fake_set(&r->f, BE "/params", "%s", params);
    fake_set(&r->f, BE "/mode", "%s", mode);
    fake_set(&r->f, BE "/dev", "hda");
    fake_set(&r->f, BE "/device-type", "disk");
    fake_set(&r->f, BE "/discard-enable", "1");
    fake_set(&r->f, BE "/online", "1");
    fake_set(&r->f, BE "/state", "1");
    fake_set(&r->f, FE "/state", "1");
}

static void make_image(struct rig *r, size_t bytes)
{
    FILE *file;

    snprintf(r->dir, sizeof(r->dir), "/tmp/pv-test-XXXXXX");
    CHECK(mkdtemp(r->dir) != NULL);
    snprintf(r->image, sizeof(r->image), "%s/disk", r->dir);
    file = fopen(r->image, "w");
    for (size_t i = 0; i < bytes; i += 4)
        fwrite(&i, 4, 1, file);
    fclose(file);
}

/* A disk whose every word says where it is, that nobody has connected to yet. */
static void begin_in(struct qt *t, struct rig *r, const char *mode)
{
    char params[80];

    memset(r, 0, sizeof(*r));
    r->t = t;
    qt_no_reload(r->t, "back ends are no devices");
    make_image(r, MIB);
    CHECK(fake_pv_open(&r->f, r->t->plat.loop, NULL));
    snprintf(params, sizeof(params), "aio:%s", r->image);
    nodes(r, params, mode);
    CHECK(fake_pv_start(&r->f, NULL));
    fake_settle(&r->f);
}

static void begin(struct rig *r, const char *mode)
{
    begin_in(qt_new(), r, mode);
}

static void end(struct rig *r)
{
    CHECK(fake_pv_close(&r->f));
    loop_step(r->t);
    unlink(r->image);
    rmdir(r->dir);
}

static int state(struct rig *r)
{
    return atoi(fake_get(&r->f, BE "/state"));
}

static void connect_one(struct rig *r, bool persistent)
{
    ring_fresh(r, &r->q[0], 1, 1);
    r->q[0].port = 5;
    fake_set(&r->f, FE "/ring-ref", "1");
    fake_set(&r->f, FE "/event-channel", "5");
    fake_set(&r->f, FE "/protocol", r->q[0].abi32 ? "x86_32-abi" : "x86_64-abi");
    fake_set(&r->f, FE "/feature-persistent", "%d", persistent);
    fake_set(&r->f, FE "/state", "3");
    fake_settle(&r->f);
}

static uint32_t page_word(struct rig *r, unsigned page, unsigned at)
{
    uint32_t v;

    memcpy(&v, r->f.page[page] + at, 4);
    return v;
}

static uint32_t image_word(struct rig *r, size_t at)
{
    FILE *file = fopen(r->image, "r");
    uint32_t v = 0;

    fseek(file, (long)at, SEEK_SET);
    CHECK_EQ(fread(&v, 4, 1, file), 1);
    fclose(file);
    return v;
}

/* ---- xenbus ---- */

TEST(the_back_end_says_what_it_can_and_waits)
{
    struct rig r;

    begin(&r, "w");
    CHECK_EQ(state(&r), 2);
    CHECK(!strcmp(fake_get(&r.f, BE "/feature-persistent"), "1"));
    CHECK(!strcmp(fake_get(&r.f, BE "/feature-max-indirect-segments"), "256"));
    CHECK(!strcmp(fake_get(&r.f, BE "/max-ring-page-order"), "4"));
    CHECK(!strcmp(fake_get(&r.f, BE "/multi-queue-max-queues"), "4"));
    CHECK(!strcmp(fake_get(&r.f, BE "/feature-flush-cache"), "1"));
    CHECK(!strcmp(fake_get(&r.f, BE "/feature-discard"), "1"));
    CHECK(!strcmp(fake_get(&r.f, BE "/feature-barrier"), ""));
    CHECK(!strcmp(fake_get(&r.f, BE "/hotplug-status"), "connected"));
    CHECK(!strcmp(fake_get(&r.f, FE "/virtual-device"), "768"));
    CHECK(!strcmp(fake_get(&r.f, BE "/sectors"), "")); /* the image is not open */
    connect_one(&r, true);
    CHECK_EQ(state(&r), 4);
    CHECK(!strcmp(fake_get(&r.f, BE "/sectors"), "2048"));
    CHECK(!strcmp(fake_get(&r.f, BE "/info"), "0"));
    end(&r);
}

TEST(a_disk_is_detached_when_the_guest_lets_go)
{
    struct rig r;
    struct pv_disk d;

    begin(&r, "w");
    connect_one(&r, true);
    CHECK_EQ(one(&r, &r.q[0], BLK_READ, 0, 1, 10), BLK_OK);
    fake_set(&r.f, BE "/online", "0");
    fake_set(&r.f, BE "/state", "5");
    fake_settle(&r.f);
    CHECK_EQ(state(&r), 5);
    CHECK(pv_disk(r.f.pv, 0, &d) && d.connected);
    fake_set(&r.f, FE "/state", "5");
    fake_settle(&r.f);
    fake_set(&r.f, FE "/state", "6");
    fake_settle(&r.f);
    CHECK_EQ(state(&r), 6);
    CHECK(!pv_disk(r.f.pv, 0, &d));
    CHECK_EQ(r.f.mapped, 0);
    fake_rm(&r.f, BE);
    fake_rm(&r.f, FE);
    fake_settle(&r.f);
    for (int i = 0; i < 3; i++) { /* and another comes in its place */
        char params[80];

        snprintf(params, sizeof(params), "aio:%s", r.image);
        nodes(&r, params, "w");
        fake_settle(&r.f);
        CHECK_EQ(state(&r), 2);
        connect_one(&r, i & 1);
        CHECK_EQ(one(&r, &r.q[0], BLK_READ, 0, 1, 10), BLK_OK);
        fake_rm(&r.f, FE); /* the guest is gone: its nodes vanish */
        fake_settle(&r.f);
        CHECK_EQ(state(&r), 6);
        CHECK_EQ(r.f.mapped, 0);
        fake_rm(&r.f, BE);
        fake_settle(&r.f);
        CHECK(!pv_disk(r.f.pv, 0, &d));
    }
    end(&r);
}

TEST(one_that_no_driver_took_is_detached_at_once)
{
    struct rig r;

    begin(&r, "w");
    fake_set(&r.f, BE "/online", "0");
    fake_set(&r.f, BE "/state", "5");
    fake_settle(&r.f);
    CHECK_EQ(state(&r), 6);
    end(&r);
}

TEST(a_driver_comes_back)
{
    struct rig r;

    begin(&r, "w");
    connect_one(&r, true);
    fake_set(&r.f, FE "/state", "5");
    fake_settle(&r.f);
    CHECK_EQ(state(&r), 5);
    fake_set(&r.f, FE "/state", "6");
    fake_settle(&r.f);
    CHECK_EQ(state(&r), 6);
    CHECK_EQ(r.f.mapped, 0);
    fake_set(&r.f, FE "/state", "1");
    fake_settle(&r.f);
    CHECK_EQ(state(&r), 2);
    connect_one(&r, false);
    CHECK_EQ(state(&r), 4);
    fake_set(&r.f, FE "/state", "1"); /* another kernel, that knows nothing of the last: kexec */
    fake_settle(&r.f);
    CHECK_EQ(state(&r), 2);
    CHECK_EQ(r.f.mapped, 0);
    connect_one(&r, true);
    CHECK_EQ(one(&r, &r.q[0], BLK_READ, 8, 1, 10), BLK_OK);
    CHECK_EQ(page_word(&r, 10, 0), 4096);
    end(&r);
}

static void lie(struct qt *t, const char *key, const char *val)
{
    struct rig r;
    char path[96];

    begin_in(t, &r, "w");
    snprintf(path, sizeof(path), FE "/%s", key);
    ring_fresh(&r, &r.q[0], 1, 1);
    fake_set(&r.f, FE "/ring-ref", "1");
    fake_set(&r.f, FE "/event-channel", "5");
    if (*val)
        fake_set(&r.f, path, "%s", val);
    else
        fake_rm(&r.f, path);
    fake_set(&r.f, FE "/state", "3");
    fake_settle(&r.f);
    CHECK_EQ(state(&r), 5);
    CHECK_EQ(r.f.mapped, 0);
    fake_set(&r.f, FE "/state", "6");
    fake_settle(&r.f);
    CHECK_EQ(state(&r), 6);
    end(&r);
}

TEST(front_ends_that_lie_are_turned_away)
{
    struct qt *t = qt_new();

    lie(t, "ring-ref", "");
    lie(t, "ring-ref", "-1");
    lie(t, "ring-ref", "4294967296");
    lie(t, "ring-ref", "99999999999999999999999999");
    lie(t, "ring-ref", "1x");
    lie(t, "ring-ref", "0"); /* not granted */
    lie(t, "event-channel", "");
    lie(t, "event-channel", "0");
    lie(t, "event-channel", "31999");
    lie(t, "protocol", "sparc-abi");
    lie(t, "ring-page-order", "5");
    lie(t, "ring-page-order", "1"); /* but there is no ring-ref0 */
    lie(t, "multi-queue-num-queues", "0");
    lie(t, "multi-queue-num-queues", "5");
    lie(t, "multi-queue-num-queues", "2"); /* but there is no queue-0 */
}

TEST(an_image_that_is_missing_or_in_use_is_an_error_of_one_line)
{
    struct rig r;
    struct err err = { "" };
    struct block *twin;

    begin(&r, "w");
    twin = block_open(r.t->plat.loop, &BLOCK_OPTIONS(.file = r.image, .format = "raw"), &err);
    CHECK(twin != NULL);
    connect_one(&r, true); /* the emulated twin is still there: it was not unplugged */
    CHECK_EQ(state(&r), 5);
    block_close(twin);
    fake_set(&r.f, FE "/state", "6");
    fake_settle(&r.f);
    fake_set(&r.f, FE "/state", "1");
    fake_settle(&r.f);
    connect_one(&r, true);
    CHECK_EQ(state(&r), 4);
    fake_set(&r.f, FE "/state", "6");
    fake_settle(&r.f);
    fake_set(&r.f, BE "/params", "aio:/nowhere/at/all");
    fake_set(&r.f, FE "/state", "1");
    fake_settle(&r.f);
    connect_one(&r, true);
    CHECK_EQ(state(&r), 5);
    end(&r);
}

TEST(what_is_not_for_this_guest_is_left_alone)
{
    struct rig r;
    struct pv_disk d;

    begin(&r, "w");
    fake_set(&r.f, "backend/qdisk/7/832/frontend", "/local/domain/8/device/vbd/832");
    fake_set(&r.f, "backend/qdisk/7/832/frontend-id", "8");
    fake_set(&r.f, "backend/qdisk/7/832/online", "1");
    fake_set(&r.f, "backend/qdisk/7/832/state", "1");
    fake_set(&r.f, "backend/qdisk/7/ghost/state", "1");
    fake_settle(&r.f);
    CHECK(pv_disk(r.f.pv, 0, &d) && d.id == 768);
    CHECK(!pv_disk(r.f.pv, 1, &d));
    CHECK(!strcmp(fake_get(&r.f, "backend/qdisk/7/832/state"), "1"));
    end(&r);
}

/* ---- requests ---- */

static void data_of_kind(bool abi32, bool persistent)
{
    struct rig r;

    begin(&r, "w");
    r.q[0].abi32 = abi32;
    connect_one(&r, persistent);
    CHECK_EQ(state(&r), 4);
    CHECK_EQ(one(&r, &r.q[0], BLK_READ, 16, 11, 10), BLK_OK);
    for (unsigned i = 0; i < 11 * PV_PAGE; i += 4)
        CHECK_EQ(page_word(&r, 10 + i / PV_PAGE, i % PV_PAGE), 16 * 512 + i);
    /* Parts of pages: sectors 3..7 of the first, 0..2 of the second. */
    memset(r.f.page[30], 0x77, 2 * PV_PAGE);
    put_data(&r, &r.q[0], BLK_READ, 1, 100, 2, 30, 3, 2);
    publish(&r, &r.q[0]);
    CHECK_EQ(response(&r, &r.q[0], 1), BLK_OK);
    CHECK_EQ(page_word(&r, 30, 3 * 512 - 4), 0x77777777);
    CHECK_EQ(page_word(&r, 30, 3 * 512), 100 * 512);
    CHECK_EQ(page_word(&r, 31, 3 * 512 - 4), 108 * 512 - 4);
    CHECK_EQ(page_word(&r, 31, 3 * 512), 0x77777777);
    memset(r.f.page[40], 0x5a, PV_PAGE);
    CHECK_EQ(one(&r, &r.q[0], BLK_WRITE, 8, 1, 40), BLK_OK);
    CHECK_EQ(one(&r, &r.q[0], BLK_FLUSH, 0, 0, 0), BLK_OK);
    CHECK_EQ(image_word(&r, 8 * 512 - 4), 8 * 512 - 4);
    CHECK_EQ(image_word(&r, 8 * 512), 0x5a5a5a5a);
    CHECK_EQ(image_word(&r, 16 * 512 - 4), 0x5a5a5a5a);
    CHECK_EQ(image_word(&r, 16 * 512), 16 * 512);
    CHECK_EQ(r.f.copies != 0, !persistent);
    CHECK(r.f.notified[5] >= 4);
    end(&r);
}

TEST(data_by_persistent_grants)
{
    data_of_kind(false, true);
}

TEST(data_by_grant_copy)
{
    data_of_kind(false, false);
}

TEST(data_of_a_32_bit_guest)
{
    data_of_kind(true, true);
    data_of_kind(true, false);
}

TEST(a_persistent_page_is_mapped_once)
{
    struct rig r;
    unsigned maps;

    begin(&r, "w");
    connect_one(&r, true);
    CHECK_EQ(one(&r, &r.q[0], BLK_READ, 0, 8, 10), BLK_OK);
    maps = r.f.maps;
    CHECK_EQ(r.f.mapped, 9);
    for (unsigned i = 0; i < 5; i++)
        CHECK_EQ(one(&r, &r.q[0], BLK_READ, 0, 8, 10), BLK_OK);
    CHECK_EQ(r.f.maps, maps);
    CHECK_EQ(one(&r, &r.q[0], BLK_READ, 0, 8, 12), BLK_OK); /* two that are new */
    CHECK_EQ(r.f.maps, maps + 1);
    CHECK_EQ(r.f.mapped, 11);
    end(&r);
}

TEST(indirect_segments)
{
    struct rig r;

    for (int persistent = 0; persistent < 2; persistent++) {
        for (int abi32 = 0; abi32 < 2; abi32++) {
            begin(&r, "w");
            r.q[0].abi32 = abi32;
            connect_one(&r, persistent);
            put_indirect(&r, &r.q[0], BLK_READ, 9, 0, 200, 100, 50);
            publish(&r, &r.q[0]);
            CHECK_EQ(response(&r, &r.q[0], 9), BLK_OK);
            CHECK_EQ(r.f.page[1][64 + 8], BLK_READ); /* what Linux compares it with */
            for (unsigned i = 0; i < 200 * PV_PAGE; i += 508)
                CHECK_EQ(page_word(&r, 100 + i / PV_PAGE, i % PV_PAGE), i);
            memset(r.f.page[300], 0x21, 256 * PV_PAGE);
            put_indirect(&r, &r.q[0], BLK_WRITE, 10, 0, 256, 300, 50);
            publish(&r, &r.q[0]);
            CHECK_EQ(response(&r, &r.q[0], 10), BLK_OK);
            CHECK_EQ(image_word(&r, MIB - 4), 0x21212121);
            put_indirect(&r, &r.q[0], BLK_READ, 11, 0, 257, 300, 50); /* more than was offered */
            put_indirect(&r, &r.q[0], BLK_READ, 12, 0, 0, 300, 50);
            put_indirect(&r, &r.q[0], BLK_FLUSH, 13, 0, 1, 300, 50);
            put_indirect(&r, &r.q[0], BLK_INDIRECT, 14, 0, 1, 300, 50);
            put_indirect(&r, &r.q[0], BLK_READ, 15, 0, 1, 300, 0); /* a list that is not granted */
            publish(&r, &r.q[0]);
            for (uint64_t id = 11; id <= 15; id++)
                CHECK_EQ(response(&r, &r.q[0], id), BLK_ERROR);
            end(&r);
        }
    }
}

TEST(rings_of_many_pages_and_many_queues)
{
    struct rig r;

    begin(&r, "w");
    fake_set(&r.f, FE "/multi-queue-num-queues", "4");
    fake_set(&r.f, FE "/ring-page-order", "2");
    for (unsigned n = 0; n < 4; n++) {
        ring_fresh(&r, &r.q[n], 1 + 4 * n, 4);
        r.q[n].port = 5 + n;
        for (unsigned i = 0; i < 4; i++) {
            char key[96];

            snprintf(key, sizeof(key), FE "/queue-%u/ring-ref%u", n, i);
            fake_set(&r.f, key, "%u", 1 + 4 * n + i);
            snprintf(key, sizeof(key), FE "/queue-%u/event-channel", n);
            fake_set(&r.f, key, "%u", 5 + n);
        }
        CHECK_EQ(r.q[n].entries, 128);
    }
    fake_set(&r.f, FE "/state", "3");
    fake_settle(&r.f);
    CHECK_EQ(state(&r), 4);
    for (unsigned n = 0; n < 4; n++) { /* more at once than are at work at a time */
        for (unsigned i = 0; i < 100; i++)
            put_data(&r, &r.q[n], BLK_READ, 7, 8 * i, 1, 100 + i, 0, 7);
        publish(&r, &r.q[n]);
        for (unsigned i = 0; i < 100; i++)
            CHECK_EQ(response(&r, &r.q[n], 7), BLK_OK);
        for (unsigned i = 0; i < 100; i++)
            CHECK_EQ(page_word(&r, 100 + i, 4), i * PV_PAGE + 4);
    }
    end(&r);
}

TEST(a_ring_goes_round_and_round)
{
    struct rig r;

    begin(&r, "w");
    connect_one(&r, true);
    CHECK_EQ(r.q[0].entries, 32);
    for (unsigned round = 0; round < 8; round++) {
        for (unsigned i = 0; i < 31; i++)
            put_data(&r, &r.q[0], BLK_READ, round, 8 * i, 1, 100 + i, 0, 7);
        publish(&r, &r.q[0]);
        for (unsigned i = 0; i < 31; i++)
            CHECK_EQ(response(&r, &r.q[0], round), BLK_OK);
        CHECK_EQ(page_word(&r, 130, 0), 30 * PV_PAGE);
    }
    end(&r);
}

TEST(requests_that_cannot_be_are_errors)
{
    struct rig r;
    struct front *q = &r.q[0];

    begin(&r, "w");
    connect_one(&r, true);
    CHECK_EQ(one(&r, q, 2, 0, 1, 10), BLK_UNSUPPORTED); /* a barrier */
    CHECK_EQ(one(&r, q, 4, 0, 1, 10), BLK_UNSUPPORTED);
    CHECK_EQ(one(&r, q, 255, 0, 1, 10), BLK_UNSUPPORTED);
    CHECK_EQ(one(&r, q, BLK_READ, 0, 0, 10), BLK_ERROR);
    CHECK_EQ(one(&r, q, BLK_READ, 0, 12, 10), BLK_ERROR);
    CHECK_EQ(one(&r, q, BLK_READ, 2048, 1, 10), BLK_ERROR);
    CHECK_EQ(one(&r, q, BLK_READ, 2041, 1, 10), BLK_ERROR);
    CHECK_EQ(one(&r, q, BLK_WRITE, UINT64_MAX, 1, 10), BLK_ERROR);
    CHECK_EQ(one(&r, q, BLK_WRITE, UINT64_MAX / 512, 1, 10), BLK_ERROR);
    CHECK_EQ(one(&r, q, BLK_READ, 0, 1, 0), BLK_ERROR); /* not granted */
    CHECK_EQ(one(&r, q, BLK_WRITE, 0, 1, 0xffffffff), BLK_ERROR);
    put_data(&r, q, BLK_READ, 1, 0, 1, 10, 5, 4); /* first behind last */
    put_data(&r, q, BLK_READ, 2, 0, 1, 10, 0, 8); /* behind the page */
    publish(&r, q);
    CHECK_EQ(response(&r, q, 1), BLK_ERROR);
    CHECK_EQ(response(&r, q, 2), BLK_ERROR);
    r.f.readonly[60] = true;
    CHECK_EQ(one(&r, q, BLK_READ, 0, 1, 60), BLK_ERROR);
    CHECK_EQ(one(&r, q, BLK_WRITE, 0, 1, 60), BLK_OK); /* reading from it is enough */
    CHECK_EQ(one(&r, q, BLK_READ, 2040, 1, 10), BLK_OK);
    CHECK_EQ(state(&r), 4);
    end(&r);
}

TEST(indices_that_cannot_be_end_the_connection)
{
    struct rig r;

    for (int late = 0; late < 2; late++) {
        begin(&r, "w");
        connect_one(&r, true);
        if (late)
            CHECK_EQ(one(&r, &r.q[0], BLK_READ, 0, 1, 10), BLK_OK);
        set_ring_word(&r, &r.q[0], 0, late + 33);
        fake_event(&r.f, 5);
        CHECK_EQ(state(&r), 5);
        CHECK_EQ(r.f.mapped, 0);
        fake_event(&r.f, 5);
        fake_settle(&r.f);
        fake_set(&r.f, FE "/state", "6");
        fake_settle(&r.f);
        CHECK_EQ(state(&r), 6);
        fake_set(&r.f, FE "/state", "1"); /* it may do better next time */
        fake_settle(&r.f);
        connect_one(&r, true);
        CHECK_EQ(one(&r, &r.q[0], BLK_READ, 0, 1, 10), BLK_OK);
        end(&r);
    }
}

static void put_discard(struct rig *r, struct front *q, uint64_t id, unsigned flag, uint64_t sector,
                        uint64_t n)
{
    uint8_t *s = next_slot(r, q);

    s[0] = BLK_DISCARD;
    s[1] = (uint8_t)flag;
    put_bytes(s + 8, id, 8);
    put_bytes(s + 16, sector, 8);
    put_bytes(s + 24, n, 8);
}

TEST(discard)
{
    struct rig r;

    begin(&r, "w");
    connect_one(&r, true);
    put_discard(&r, &r.q[0], 1, 0, 8, 8);
    put_discard(&r, &r.q[0], 2, 1, 8, 8); /* secure */
    put_discard(&r, &r.q[0], 3, 0, 0, 2049);
    put_discard(&r, &r.q[0], 4, 0, UINT64_MAX, UINT64_MAX);
    publish(&r, &r.q[0]);
    for (unsigned i = 0; i < 4; i++) { /* they may overtake each other */
        int id = r.f.page[1][64 + 112 * (r.q[0].rsp_cons % 32)], status;

        loop_until(r.t, answered(&r, &r.q[0]));
        id = r.f.page[1][64 + 112 * (r.q[0].rsp_cons % 32)];
        status = response(&r, &r.q[0], (uint64_t)id);
        CHECK_EQ(status, id == 1 ? BLK_OK : id == 2 ? BLK_UNSUPPORTED : BLK_ERROR);
    }
    CHECK_EQ(image_word(&r, 8 * 512), 0);
    CHECK_EQ(image_word(&r, 16 * 512), 16 * 512);
    end(&r);
}

TEST(a_disk_for_reading_only)
{
    struct rig r;

    begin(&r, "r");
    CHECK(!strcmp(fake_get(&r.f, BE "/feature-discard"), ""));
    connect_one(&r, true);
    CHECK(!strcmp(fake_get(&r.f, BE "/info"), "4"));
    CHECK_EQ(one(&r, &r.q[0], BLK_READ, 8, 1, 10), BLK_OK);
    CHECK_EQ(one(&r, &r.q[0], BLK_WRITE, 8, 1, 11), BLK_ERROR);
    put_discard(&r, &r.q[0], 1, 0, 8, 8);
    publish(&r, &r.q[0]);
    CHECK_EQ(response(&r, &r.q[0], 1), BLK_UNSUPPORTED);
    CHECK_EQ(image_word(&r, 8 * 512), 8 * 512);
    end(&r);
}

/* ---- while it runs ---- */

TEST(a_cd_is_changed)
{
    struct rig r;

    begin(&r, "r");
    fake_rm(&r.f, BE);
    fake_settle(&r.f);
    nodes(&r, "aio:", "r"); /* empty when the guest was made */
    fake_set(&r.f, BE "/device-type", "cdrom");
    fake_set(&r.f, FE "/state", "1");
    fake_settle(&r.f);
    connect_one(&r, true);
    CHECK_EQ(state(&r), 4);
    CHECK(!strcmp(fake_get(&r.f, BE "/sectors"), "0"));
    CHECK(!strcmp(fake_get(&r.f, BE "/info"), "5"));
    CHECK_EQ(one(&r, &r.q[0], BLK_READ, 0, 1, 10), BLK_ERROR);
    fake_set(&r.f, BE "/params", "%s", "");
    fake_settle(&r.f);
    fake_set(&r.f, BE "/params", "aio:%s", r.image);
    fake_settle(&r.f);
    CHECK(!strcmp(fake_get(&r.f, BE "/sectors"), "2048"));
    CHECK_EQ(one(&r, &r.q[0], BLK_READ, 8, 1, 10), BLK_OK);
    CHECK_EQ(page_word(&r, 10, 0), 8 * 512);
    fake_set(&r.f, BE "/params", "%s", "");
    fake_settle(&r.f);
    CHECK_EQ(one(&r, &r.q[0], BLK_READ, 0, 1, 10), BLK_ERROR);
    fake_set(&r.f, BE "/params", "aio:/nowhere/cd.iso");
    fake_settle(&r.f);
    CHECK_EQ(one(&r, &r.q[0], BLK_READ, 0, 1, 10), BLK_ERROR);
    CHECK_EQ(state(&r), 4);
    end(&r);
}

TEST(a_disk_grows)
{
    struct rig r;
    struct pv_disk d;
    struct err err = { "" };

    begin(&r, "w");
    connect_one(&r, true);
    CHECK(pv_disk(r.f.pv, 0, &d));
    CHECK(!strcmp(d.name, "hda"));
    CHECK_EQ(one(&r, &r.q[0], BLK_READ, 2048, 1, 10), BLK_ERROR);
    CHECK_EQ(block_resize(d.block, 2 * MIB, &err), 0);
    CHECK(!strcmp(fake_get(&r.f, BE "/sectors"), "4096"));
    CHECK_EQ(one(&r, &r.q[0], BLK_READ, 2048, 1, 10), BLK_OK);
    CHECK_EQ(page_word(&r, 10, 0), 0);
    CHECK(d.block->stat[BLOCK_READ].ops >= 1);
    end(&r);
}

TEST(a_stopped_guest_is_let_be)
{
    struct rig r;

    begin(&r, "w");
    connect_one(&r, true);
    put_data(&r, &r.q[0], BLK_READ, 1, 8, 1, 10, 0, 7);
    publish(&r, &r.q[0]);
    pv_hold(r.f.pv, true);
    CHECK_EQ(pv_drain(r.f.pv), 0); /* what was begun is answered when it returns */
    CHECK(answered(&r, &r.q[0]));
    CHECK_EQ(response(&r, &r.q[0], 1), BLK_OK);
    CHECK(!pv_busy(r.f.pv));
    put_data(&r, &r.q[0], BLK_READ, 2, 8, 1, 10, 0, 7);
    publish(&r, &r.q[0]);
    loop_step(r.t);
    CHECK(!answered(&r, &r.q[0]));
    pv_hold(r.f.pv, false);
    CHECK_EQ(response(&r, &r.q[0], 2), BLK_OK);
    end(&r);
}

TEST(requests_that_wait_already_when_it_connects)
{
    struct rig r;

    begin(&r, "w");
    ring_fresh(&r, &r.q[0], 1, 1);
    put_data(&r, &r.q[0], BLK_READ, 3, 8, 1, 10, 0, 7);
    set_ring_word(&r, &r.q[0], 0, 1); /* and no event */
    fake_set(&r.f, FE "/ring-ref", "1");
    fake_set(&r.f, FE "/event-channel", "5");
    fake_set(&r.f, FE "/state", "3");
    fake_settle(&r.f);
    CHECK_EQ(response(&r, &r.q[0], 3), BLK_OK);
    end(&r);
}

TEST(the_end_comes_with_requests_in_flight)
{
    struct rig r;

    begin(&r, "w");
    connect_one(&r, true);
    for (unsigned i = 0; i < 20; i++)
        put_data(&r, &r.q[0], BLK_READ, i, 8 * i, 1, 10 + i, 0, 7);
    publish(&r, &r.q[0]);
    end(&r);
}

/* ---- the ring alone ---- */

TEST(who_wants_to_be_told_is_told_once)
{
    static _Alignas(8) uint8_t mem[PV_PAGE];
    uint32_t *w = (uint32_t *)(void *)mem;
    struct blkring ring;
    struct blk_req req;

    qt_no_reload(qt_new(), "no device");
    memset(mem, 0, sizeof(mem));
    CHECK(!blkring_init(&ring, mem, 64, BLK_ABI_64));
    CHECK(blkring_init(&ring, mem, sizeof(mem), BLK_ABI_64));
    CHECK_EQ(ring.entries, 32);
    w[0] = 3;
    for (int i = 0; i < 3; i++)
        CHECK_EQ(blkring_pop(&ring, &req), 1);
    CHECK_EQ(blkring_pop(&ring, &req), 0);
    w[3] = 2; /* rsp_event: tell of the second */
    blkring_respond(&ring, &req, BLK_OK);
    CHECK(!blkring_publish(&ring));
    blkring_respond(&ring, &req, BLK_OK);
    CHECK(blkring_publish(&ring));
    blkring_respond(&ring, &req, BLK_OK);
    CHECK(!blkring_publish(&ring));
    CHECK(!blkring_rest(&ring));
    CHECK_EQ(w[1], 4); /* req_event */
    w[0] = 4;
    CHECK(blkring_rest(&ring));
    w[0] = 4 + 32;
    CHECK_EQ(blkring_pop(&ring, &req), -1);
    w[0] = 2; /* back */
    CHECK_EQ(blkring_pop(&ring, &req), -1);
}
