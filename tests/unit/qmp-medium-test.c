/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verbs that change drives step by step: trays, nodes, sizes; what query-block says of them. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/unit/qmp-rig.h"
#include "tests/unit/qt.h"

#define CD   "\"id\":\"ide-5696\""
#define DONE "{\"return\": {}}\r\n"

static void run(struct client *c, const char *verb, const char *args, const char *reply)
{
    char text[1024];

    snprintf(text, sizeof(text), "{\"execute\":\"%s\",\"arguments\":{%s}}", verb, args);
    say(c, text);
    CHECK(had(c, reply));
}

static void image(struct rig *r, const char *name, off_t size, char path[64])
{
    int fd = temp_file(r, name, "", path);

    CHECK(ftruncate(fd, size) == 0);
    close(fd);
}

TEST(nodes_and_trays)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r);
    struct vm_drive *d = &r->f->vm.drives[1];
    char path[64], args[512];

    image(r, "cd.iso", 4096, path);
    snprintf(args, sizeof(args),
             "\"driver\":\"raw\",\"node-name\":\"x1\",\"read-only\":true,"
             "\"file\":{\"driver\":\"file\",\"filename\":\"%s\"}",
             path);
    run(c, "blockdev-add", args, DONE);
    run(c, "blockdev-add", args, "Duplicate nodes with node-name='x1'");
    run(c, "query-named-block-nodes", "", "\"node-name\": \"x1\"");
    run(c, "blockdev-insert-medium", CD ",\"node-name\":\"x1\"", "is not open");
    run(c, "blockdev-open-tray", CD, "\"tray-open\": true}}\r\n" DONE);
    run(c, "blockdev-open-tray", CD, DONE);
    run(c, "blockdev-insert-medium", CD ",\"node-name\":\"zz\"", "Node 'zz' not found");
    run(c, "blockdev-insert-medium", CD ",\"node-name\":\"x1\"", DONE);
    CHECK(!d->block);
    run(c, "blockdev-insert-medium", CD ",\"node-name\":\"x1\"", "Node 'x1' is already in use");
    run(c, "blockdev-close-tray", CD, "\"tray-open\": false}}\r\n" DONE);
    CHECK(d->block && d->block->size == 4096 && d->block->readonly);
    run(c, "query-block", "", "\"node-name\": \"x1\"");
    run(c, "blockdev-del", "\"node-name\":\"x1\"", "Node x1 is in use");
    run(c, "eject", CD, DONE);
    CHECK(!d->block && d->tray_open);
    run(c, "blockdev-insert-medium", CD ",\"node-name\":\"x1\"", DONE); /* it outlived the drive */
    run(c, "blockdev-remove-medium", CD, DONE);
    run(c, "blockdev-close-tray", CD, DONE);
    run(c, "blockdev-del", "\"node-name\":\"x1\"", DONE);
    run(c, "blockdev-del", "\"node-name\":\"x1\"", "Failed to find node with node-name='x1'");
    CHECK(unlink(path) == 0);
    hang_up(c);
    rig_free(r);
}

TEST(format_over_a_named_file)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r);
    char path[64], args[256];

    image(r, "a.img", 8192, path);
    snprintf(args, sizeof(args), "\"driver\":\"file\",\"node-name\":\"f\",\"filename\":\"%s\"",
             path);
    run(c, "blockdev-add", args, DONE);
    run(c, "blockdev-add", "\"driver\":\"raw\",\"node-name\":\"x\",\"file\":\"nosuch\"",
        "Cannot find device='' nor node-name='nosuch'");
    run(c, "blockdev-add", "\"driver\":\"raw\",\"node-name\":\"x\",\"file\":\"f\"", DONE);
    run(c, "blockdev-add", "\"driver\":\"raw\",\"node-name\":\"y\",\"file\":\"f\"",
        "Node 'f' is already in use");
    run(c, "blockdev-del", "\"node-name\":\"f\"", "Node f is in use");
    run(c, "query-named-block-nodes", "", "\"drv\": \"file\""); /* though raw has it open */
    run(c, "block_resize", "\"node-name\":\"x\",\"size\":16384", DONE);
    run(c, "query-named-block-nodes", "", "\"virtual-size\": 16384");
    r->f->vm.drives[0].block = block_open_mem(&r->f->loop, 1 << 20);
#define LIMITS(b, br)                                                                              \
    "\"bps\":" b ",\"bps_rd\":" br ",\"bps_wr\":0,\"iops\":7,\"iops_rd\":0,\"iops_wr\":0"
    run(c, "block_set_io_throttle", "\"id\":\"ide0-hd0\"," LIMITS("1", "1"),
        "bps/iops/max total values and read/write values cannot be used at the same time");
    run(c, "block_set_io_throttle", "\"id\":\"ide0-hd0\"," LIMITS("-1", "0"), "must be within");
    run(c, "block_set_io_throttle", "\"id\":\"ide0-hd0\"," LIMITS("0", "0") ",\"iops_max\":3",
        "cannot be lower than");
    run(c, "block_set_io_throttle", "\"id\":\"ide0-hd0\",\"bps\":1", "is missing");
    run(c, "block_resize", "\"node-name\":\"x\",\"size\":-1", "Parameter 'size' expects a >0 size");
    run(c, "block_resize", "\"device\":\"zz\",\"size\":512",
        "Cannot find device='zz' nor node-name=''");
    run(c, "blockdev-del", "\"node-name\":\"x\"", DONE);
    CHECK(qmp_node_of(&r->f->vm, NULL) == NULL && r->f->vm.nodes[0].block); /* f again */
    run(c, "blockdev-del", "\"node-name\":\"f\"", DONE);
    CHECK_EQ(r->f->vm.args.nnodes, 0);
    CHECK(unlink(path) == 0);
    hang_up(c);
    rig_free(r);
}

TEST(nodes_of_the_command_line)
{
    char path[64], name[] = "/tmp/portico-node-XXXXXX", more[300];
    int fd = mkstemp(name);
    struct err err = { "" };
    struct rig *r;
    struct client *c;

    CHECK(fd >= 0 && ftruncate(fd, 8192) == 0);
    snprintf(path, sizeof(path), "%s", name);
    snprintf(more, sizeof(more),
             "-blockdev|driver=file,node-name=f1,filename=%s|"
             "-blockdev|driver=raw,node-name=r1,file=f1,detect-zeroes=on,read-only=on",
             path);
    r = rig_new(more);
    c = libxl(r);
    CHECK_EQ(vm_nodes_open(&r->f->vm, &err), 0);
    CHECK(!r->f->vm.nodes[0].block && r->f->vm.nodes[1].block);
    run(c, "query-named-block-nodes", "", "\"node-name\": \"f1\"");
    run(c, "query-named-block-nodes", "", "\"detect_zeroes\": \"unmap\"");
    run(c, "blockdev-del", "\"node-name\":\"f1\"", "Node f1 is in use");
    run(c, "blockdev-open-tray", CD, "\"tray-open\": true}}\r\n" DONE);
    run(c, "blockdev-insert-medium", CD ",\"node-name\":\"f1\"", "already in use");
    run(c, "blockdev-insert-medium", CD ",\"node-name\":\"r1\"", DONE);
    run(c, "blockdev-del", "\"node-name\":\"r1\"", "Node r1 is in use");
    CHECK(unlink(path) == 0);
    close(fd);
    hang_up(c);
    rig_free(r);
}

TEST(limits_are_set_and_shown)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r);
    char path[64];
    struct err err = { "" };

    image(r, "a.img", 8192, path);
    r->f->vm.drives[0].block = block_open(&r->f->loop, &BLOCK_OPTIONS(.file = path), &err);
    CHECK(r->f->vm.drives[0].block != NULL);
    run(c, "block_set_io_throttle",
        "\"id\":\"ide0-hd0\"," LIMITS("4096", "0") ",\"iops_max\":9,\"iops_size\":512", DONE);
    run(c, "query-block", "",
        "\"iops\": 7, \"iops_max\": 9, \"iops_max_length\": 1, \"bps\": 4096, ");
    run(c, "query-block", "", "\"group\": \"ide0-hd0\"");
    CHECK(unlink(path) == 0);
    hang_up(c);
    rig_free(r);
}

/* Limits are the drive's, not the medium's: they stay when that is changed. */
TEST(groups_of_drives)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r);
    struct vm_drive *d = r->f->vm.drives;
    struct block_throttle t;
    char hd[64], cd[64], args[200];
    struct err err = { "" };

    image(r, "a.img", 8192, hd);
    image(r, "b.iso", 8192, cd);
    snprintf(args, sizeof(args), CD ",\"filename\":\"%s\"", cd);
    d[0].block = block_open(&r->f->loop, &BLOCK_OPTIONS(.file = hd), &err);
    d[1].block = block_open(&r->f->loop, &BLOCK_OPTIONS(.file = cd, .readonly = true), &err);
    CHECK(d[0].block && d[1].block);
    run(c, "block_set_io_throttle", "\"id\":\"ide0-hd0\",\"group\":\"g\"," LIMITS("4096", "0"),
        DONE);
    run(c, "block_set_io_throttle", CD ",\"group\":\"g\"," LIMITS("8192", "0"), DONE);
    CHECK(block_group_of(d[0].block) == block_group_of(d[1].block));
    block_get_throttle(d[0].block, &t);
    CHECK_EQ(t.bps[BLOCK_LIMIT_TOTAL].avg, 8192);
    run(c, "query-block", "", "\"group\": \"g\"");
    run(c, "blockdev-change-medium", args, "\"tray-open\": false}}\r\n" DONE);
    CHECK(block_group_of(d[0].block) == block_group_of(d[1].block));
    run(c, "eject", CD, DONE);
    run(c, "block_set_io_throttle",
        "\"id\":\"ide0-hd0\",\"bps\":0,\"bps_rd\":0,\"bps_wr\":0,\"iops\":0,\"iops_rd\":0,"
        "\"iops_wr\":0",
        DONE);
    block_get_throttle(d[0].block, &t);
    CHECK(!t.bps[BLOCK_LIMIT_TOTAL].avg && !block_group_name(block_group_of(d[0].block)));
    run(c, "blockdev-change-medium", args, "\"tray-open\": false}}\r\n" DONE);
    block_get_throttle(d[1].block, &t);
    CHECK_EQ(t.bps[BLOCK_LIMIT_TOTAL].avg, 8192); /* as before it was empty */
    CHECK(unlink(hd) == 0 && unlink(cd) == 0);
    hang_up(c);
    rig_free(r);
}

TEST(nodes_that_cannot_be)
{
    static const char *const table[][2] = {
        { "\"driver\":\"raw\"", "'node-name' must be specified" },
        { "\"driver\":\"raw\",\"node-name\":\"\"", "Invalid node-name" },
        { "\"driver\":\"raw\",\"node-name\":\"x\"", "must be specified for \\\"file" },
        { "\"driver\":\"raw\",\"node-name\":\"x\",\"file\":{\"driver\":\"file\",\"filename\":\"/"
          "no\"}",
          "Could not open '/no'" },
        { "\"driver\":\"raw\",\"node-name\":\"x\",\"file\":[1]", "must be specified for \\\"file" },
        { "\"driver\":\"blkdebug\",\"node-name\":\"x\",\"image\":{\"driver\":\"null-co\"},"
          "\"inject-error\":[{\"event\":\"none\"},{\"event\":\"when\"}]",
          "fault rule: event" },
        { "\"driver\":\"raw\",\"node-name\":\"x\",\"file\":{\"driver\":\"ssh\",\"filename\":\"/"
          "a\"}",
          "Unknown driver 'ssh'" },
        { "\"driver\":\"nope\",\"node-name\":\"x\",\"file\":{\"driver\":\"file\",\"filename\":\"/"
          "a\"}",
          "Unknown driver 'nope'" },
        { "\"driver\":\"raw\",\"node-name\":\"ide-5696\"", "conflicting with a device id" },
        { "\"driver\":1", "expected: string" },
        { "\"driver\":\"a\",\"b\":{\"b\":{\"b\":{\"b\":{\"b\":{\"b\":{"
          "\"b\":{\"b\":{\"b\":{\"b\":{\"b\":{\"b\":{"
          "\"b\":{\"b\":{\"b\":{\"b\":{\"b\":{\"b\":{\"b\":1}}}}}}}}}}}}}}}}}},\"node-name\":\"x\"",
          "Invalid parameter type" },
    };
    struct rig *r = rig_new("");
    struct client *c = libxl(r);

    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        run(c, "blockdev-add", table[i][0], table[i][1]);
    run(c, "query-named-block-nodes", "", "{\"return\": []}");
    hang_up(c);
    rig_free(r);
}

TEST(a_locked_tray)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r);

    r->f->locked = true;
    run(c, "blockdev-open-tray", CD, DONE); /* the guest was asked; no more was promised */
    CHECK(!r->f->vm.drives[1].tray_open);
    run(c, "eject", CD, "is locked and force was not specified, wait for tray to open");
    run(c, "blockdev-remove-medium", CD, "Tray of device 'ide-5696' is not open");
    run(c, "blockdev-open-tray", CD ",\"force\":true", "\"tray-open\": true");
    run(c, "eject", CD ",\"device\":\"ide-5696\"", "Need exactly one of 'device' and 'id'");
    run(c, "eject", "\"device\":\"ide0-hd0\"", "Device 'ide0-hd0' is not removable");
    hang_up(c);
    rig_free(r);
}

TEST(truncated_images_are_refused)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r);
    uint8_t pvd[7] = { 1, 'C', 'D', '0', '0', '1', 1 };
    uint32_t sectors = 10000; /* little endian as this host; 20 MB */
    char path[64], args[256];
    int fd = temp_file(r, "short.iso", "", path);

    CHECK(pwrite(fd, pvd, sizeof(pvd), 32768) == sizeof(pvd));
    CHECK(pwrite(fd, &sectors, 4, 32768 + 80) == 4 && ftruncate(fd, 65536) == 0);
    close(fd);
    snprintf(args, sizeof(args), CD ",\"filename\":\"%s\"", path);
    run(c, "blockdev-change-medium", args, "is truncated: it has 65536 bytes, its volume says");
    CHECK(!r->f->vm.drives[1].tray_open); /* nothing was taken out for it */
    run(c, "blockdev-change-medium", CD ",\"filename\":\"/x\",\"read-only-mode\":\"read-write\"",
        "a CD is read-only");
    run(c, "blockdev-change-medium", CD ",\"filename\":\"/x\",\"read-only-mode\":\"zz\"",
        "Invalid parameter 'zz'");
    CHECK(unlink(path) == 0);
    hang_up(c);
    rig_free(r);
}

TEST(why_a_guest_stands)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r);
    struct vm *vm = &r->f->vm;

    vm->drives[1].failed = 28; /* ENOSPC */
    vm->running = false;
    vm->halt = HALT_IO_ERROR;
    run(c, "query-status", "",
        "{\"status\": \"io-error\", \"singlestep\": false, \"running\": false}");
    run(c, "query-block", "", "\"io-status\": \"nospace\"");
    vm->halt = HALT_SHUTDOWN;
    run(c, "query-status", "", "\"status\": \"shutdown\"");
    vm->running = true;
    vm->suspended = true;
    run(c, "query-status", "",
        "{\"status\": \"suspended\", \"singlestep\": false, \"running\": false}");
    hang_up(c);
    rig_free(r);
}
