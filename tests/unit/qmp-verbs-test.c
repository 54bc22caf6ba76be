/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verbs of the control protocol, with a guest that is not there: what
 * libxl says over a domain's life, and what people and scripts say.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tests/unit/qmp-rig.h"
#include "tests/unit/qt.h"

/* ---- what libxl does ---- */

TEST(start_of_a_domain)
{
    struct rig *r = rig_new("");
    struct client *c;
    char text[512];

    r->f->vm.running = false;
    r->f->vm.prelaunch = true;
    r->f->serial0 = "pty:/dev/pts/1";
    c = libxl(r);
    say(c, "{\"execute\":\"query-status\",\"id\":2020372736}\r\n");
    CHECK(got(c, "{\"return\": {\"status\": \"prelaunch\", \"singlestep\": false, "
                 "\"running\": false}, \"id\": 2020372736}\r\n"));
    say(c, "{\"execute\":\"query-chardev\",\"id\":2020372738}\r\n");
    snprintf(text, sizeof(text),
             "{\"return\": [{\"frontend-open\": true, \"filename\": \"unix:%s,server=on\", "
             "\"label\": \"libxl-cmd\"}, {\"frontend-open\": true, \"filename\": "
             "\"unix:%s,server=on\", \"label\": \"libxenstat-cmd\"}, {\"frontend-open\": true, "
             "\"filename\": \"pty:/dev/pts/1\", \"label\": \"serial0\"}], \"id\": 2020372738}\r\n",
             r->cmd, r->stat);
    CHECK(got(c, text));
    say(c, "{\"execute\":\"query-vnc\",\"id\":2020372739}\r\n");
    CHECK(got(c, "{\"return\": {\"enabled\": true, \"auth\": \"vnc\", \"family\": \"ipv4\", "
                 "\"clients\": [{\"host\": \"10.0.0.9\", \"service\": \"40000\", \"family\": "
                 "\"ipv4\", \"websocket\": false}], \"service\": \"5901\", \"host\": "
                 "\"127.0.0.1\"}, \"id\": 2020372739}\r\n"));
    say(c, "{\"execute\":\"change-vnc-password\",\"id\":2020372740,\"arguments\":{\"password\":"
           "\"s3cret\"}}\r\n");
    CHECK(got(c, OK("2020372740")));
    hang_up(c);
    c = libxl(r);
    say(c, "{\"execute\":\"cont\",\"id\":2020372738}\r\n");
    CHECK(had(c, "\"event\": \"RESUME\"}\r\n" OK("2020372738")));
    say(c, "{\"execute\":\"cont\",\"id\":2020372739}\r\n");
    CHECK(got(c, OK("2020372739")));
    CHECK(fake_log(r->f, "password s3cret;cont;cont;"));
    hang_up(c);
    rig_free(r);
}

TEST(cd_insert)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r);
    struct vm_drive *d = &r->f->vm.drives[1];
    char path[64], text[256];
    int fd = temp_file(r, "cd.iso", "", path);
    int passed = -1;

    CHECK(ftruncate(fd, 4096) == 0);

    say(c, "{\"execute\":\"query-version\",\"id\":2020372736}\r\n");
    CHECK(got(c, "{\"return\": " VERSION ", \"id\": 2020372736}\r\n"));
    say(c, "{\"execute\":\"eject\",\"id\":2020372738,\"arguments\":{\"id\":\"ide-5696\"}}\r\n");
    CHECK(had(c, "\"event\": \"DEVICE_TRAY_MOVED\", \"data\": {\"device\": \"ide-5696\", \"id\": "
                 "\"ide-5696\", \"tray-open\": true}}\r\n" OK("2020372738")));
    say_with_fds(c, "{", &fd, 1);
    turn(r);
    turn(r);
    snprintf(text, sizeof(text),
             "\"execute\":\"add-fd\",\"id\":2020372739,\"arguments\":{"
             "\"opaque\":\"raw:%s\"}}\r\n",
             path);
    say(c, text);
    CHECK(await(c, ", \"fdset-id\": 0}, \"id\": 2020372739}\r\n"));
    CHECK(sscanf(c->in, "{\"return\": {\"fd\": %d,", &passed) == 1 && is_open(passed));
    c->len = 0;
    say(c, "{\"execute\":\"query-fdsets\",\"id\":1}");
    CHECK(had(c, "\"opaque\": \"raw:/tmp/qmp-test-"));
    say(c, "{\"execute\":\"blockdev-change-medium\",\"id\":2020372740,\"arguments\":{\"id\":"
           "\"ide-5696\",\"filename\":\"/dev/fdset/0\",\"format\":\"raw\"}}\r\n");
    CHECK(had(c, "\"tray-open\": false}}\r\n" OK("2020372740")));
    CHECK(d->block && d->block->size == 4096 && d->block->readonly);
    snprintf(text, sizeof(text), "eject ide-5696;eject ide-5696;insert ide-5696 %s;", path);
    CHECK(fake_log(r->f, text));
    hang_up(c);
    close(fd);
    CHECK(!is_open(passed)); /* gone with the connection; the medium is a duplicate */
    block_close(d->block);
    d->block = NULL;
    unlink(path);
    rig_free(r);
}

TEST(eject_errors)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r);

    say(c, "{\"execute\":\"eject\",\"arguments\":{\"id\":\"nope\"},\"id\":1}");
    CHECK(got(c, "{\"error\": {\"class\": \"DeviceNotFound\", \"desc\": \"Device 'nope' not "
                 "found\"}, \"id\": 1}\r\n"));
    say(c, "{\"execute\":\"eject\",\"arguments\":{\"id\":\"ide0-hd0\"},\"id\":2}");
    CHECK(got(c, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"Device 'ide0-hd0' is not "
                 "removable\"}, \"id\": 2}\r\n"));
    r->f->locked = true;
    say(c, "{\"execute\":\"eject\",\"arguments\":{\"id\":\"ide-5696\"},\"id\":3}");
    CHECK(had(c, "is locked and force was not specified"));
    CHECK(fake_log(r->f, "eject ide-5696;")); /* the guest has heard of it */
    say(c, "{\"execute\":\"eject\",\"arguments\":{\"device\":\"ide-5696\",\"force\":true}}");
    CHECK(had(c, "{\"return\": {}}\r\n"));
    say(c, "{\"execute\":\"eject\",\"arguments\":{},\"id\":4}");
    CHECK(had(c, "Need exactly one of 'device' and 'id'"));
    say(c, "{\"execute\":\"blockdev-change-medium\",\"arguments\":{\"id\":\"ide-5696\","
           "\"filename\":\"/dev/fdset/3\"}}");
    CHECK(had(c, "/dev/fdset/3: there is no such set of descriptors"));
    say(c, "{\"execute\":\"blockdev-change-medium\",\"arguments\":{\"id\":\"ide-5696\","
           "\"filename\":\"/no/such/file\"}}");
    CHECK(had(c, "Could not open '/no/such/file'"));
    say(c, "{\"execute\":\"blockdev-change-medium\",\"arguments\":{\"id\":\"ide-5696\","
           "\"filename\":\"/x\",\"read-only-mode\":\"read-write\"}}");
    CHECK(had(c, "a CD is read-only"));
    hang_up(c);
    rig_free(r);
}

TEST(save)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r);
    char path[64], text[32] = "";
    int fd = temp_file(r, "save", "something longer from before", path), ro;

    say(c, "{\"execute\":\"xen-set-global-dirty-log\",\"id\":1,\"arguments\":{\"enable\":true}}");
    CHECK(got(c, OK("1")));
    say(c, "{\"execute\":\"stop\",\"id\":2}\r\n");
    CHECK(had(c, "\"event\": \"STOP\"}\r\n" OK("2")));
    say_with_fds(c, "{\"execute\":\"add-fd\",\"id\":3}\r\n", &fd, 1);
    CHECK(had(c, "\"fdset-id\": 0}, \"id\": 3}\r\n"));
    say(c, "{\"execute\":\"xen-save-devices-state\",\"id\":4,\"arguments\":{\"filename\":"
           "\"/dev/fdset/0\",\"live\":false}}\r\n");
    CHECK(got(c, OK("4")));
    CHECK(pread(fd, text, sizeof(text), 0) == 5 && !strcmp(text, "STATE"));
    CHECK(fake_log(r->f, "dirty 1;stop;save;"));
    r->f->fail = "disk full";
    say(c, "{\"execute\":\"xen-save-devices-state\",\"id\":5,\"arguments\":{\"filename\":"
           "\"/dev/fdset/0\",\"live\":true}}\r\n");
    CHECK(had(c, "xen-save-devices-state: disk full"));
    CHECK(fake_log(r->f, "save;"));
    say(c, "{\"execute\":\"cont\"}");
    CHECK(had(c, "{\"return\": {}}"));
    snprintf(text, sizeof(text), "%.20s/2", r->dir);
    say(c, "{\"execute\":\"xen-save-devices-state\",\"arguments\":{\"filename\":\"");
    say(c, text);
    say(c, "\"}}");
    CHECK(had(c, "{\"return\": {}}"));
    CHECK(fake_log(r->f, "cont;stop;save;cont;")); /* a running guest stands meanwhile */
    CHECK(unlink(text) == 0);
    ro = open(path, O_RDONLY | O_CLOEXEC);
    say_with_fds(c, "{\"execute\":\"add-fd\",\"arguments\":{\"fdset-id\":7}}", &ro, 1);
    CHECK(had(c, "\"fdset-id\": 7}"));
    say(c, "{\"execute\":\"xen-save-devices-state\",\"arguments\":{\"filename\":"
           "\"/dev/fdset/7\"}}");
    CHECK(had(c, "holds no descriptor that is open for writing"));
    say(c, "{\"execute\":\"xen-load-devices-state\",\"arguments\":{\"filename\":\"/x\"}}");
    CHECK(had(c, "a state is loaded at start only"));
    close(ro);
    close(fd);
    unlink(path);
    hang_up(c);
    rig_free(r);
}

TEST(vcpu_set)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r);

    say(c, "{\"execute\":\"query-hotpluggable-cpus\",\"id\":1}");
    CHECK(had(c, "[{\"props\": {\"core-id\": 0, \"thread-id\": 0, \"socket-id\": 3}, "
                 "\"vcpus-count\": 1, \"type\": \"qemu32-i386-cpu\"}, {"));
    say(c, "{\"execute\":\"device_add\",\"id\":2,\"arguments\":{\"id\":\"cpu-2\",\"driver\":"
           "\"qemu32-i386-cpu\",\"socket-id\":2,\"core-id\":0,\"thread-id\":0}}\r\n");
    CHECK(got(c, OK("2")));
    CHECK(fake_log(r->f, "plug 2;"));
    say(c, "{\"execute\":\"query-cpus-fast\",\"id\":3}");
    CHECK(await(c, "\"id\": 3}"));
    CHECK(strstr(c->in, "\"cpu-index\": 2, \"target\": \"i386\"}], "));
    CHECK(strstr(c->in, "\"cpu-index\": 0") && !strstr(c->in, "\"cpu-index\": 3"));
    c->len = 0;
    say(c, "{\"execute\":\"device_add\",\"arguments\":{\"id\":\"cpu-2\",\"driver\":"
           "\"qemu32-i386-cpu\",\"socket-id\":2,\"core-id\":0,\"thread-id\":0}}");
    CHECK(had(c, "CPU[2] with socket-id 2 exists"));
    say(c, "{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"qemu32-i386-cpu\","
           "\"socket-id\":4}}");
    CHECK(had(c, "Invalid CPU socket-id: 4 must be in range 0:3"));
    say(c, "{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"qemu32-i386-cpu\"}}");
    CHECK(had(c, "Parameter 'socket-id' is missing"));
    say(c, "{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"qemu32-i386-cpu\","
           "\"socket-id\":\"3\"}}");
    CHECK(had(c, "Invalid parameter type for 'socket-id', expected: integer"));
    say(c, "{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"xen-pci-passthrough\",\"id\":"
           "\"pci-pt-01_00.0\",\"hostaddr\":\"0000:01:00.0\",\"permissive\":true}}");
    CHECK(had(c, "device_add xen-pci-passthrough: not supported; devices of the host"));
    say(c, "{\"execute\":\"query-cpus\"}");
    CHECK(had(c, "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"The command query-cpus "
                 "has not been found\"}}\r\n"));
    say(c, "{\"execute\":\"device_del\",\"arguments\":{\"id\":\"xenusb-1\"}}");
    CHECK(had(c, "\"class\": \"DeviceNotFound\""));
    hang_up(c);
    rig_free(r);
}

TEST(small_verbs)
{
    static const struct {
        const char *verb, *reply, *log;
    } table[] = {
        { "system_wakeup", "{\"return\": {}}\r\n", "power 3;" },
        { "system_reset", "{\"return\": {}}\r\n", "power 1;" },
        { "query-name", "{\"return\": {\"name\": \"g1\"}}\r\n", "" },
        { "query-kvm", "{\"return\": {\"enabled\": false, ", "" },
        { "query-uuid", "00000000-0000-0000-0000-000000000000", "" },
        { "query-events", "\"class\": \"CommandNotFound\"", "" }, /* as in QEMU 7.2 */
        { "query-target", "{\"return\": {\"arch\": \"i386\"}}\r\n", "" },
        { "query-iothreads", "{\"return\": []}\r\n", "" },
        { "query-memory-size-summary", "{\"base-memory\": 134217728, \"plugged-memory\": 0}", "" },
        { "query-chardev-backends", "{\"name\": \"socket\"}", "" },
        { "query-machines",
          "\"name\": \"pc-i440fx-7.2\", \"numa-mem-supported\": false, "
          "\"cpu-max\": 128, \"deprecated\": false, \"alias\": \"pc\", "
          "\"is-default\": true",
          "" },
        { "query-command-line-options",
          "{\"option\": \"smp-opts\", \"parameters\": [{\"name\": "
          "\"cpus\", \"type\": \"number\"}",
          "" },
        { "query-commands", "{\"name\": \"portico-screen-text\"}", "" },
        { "query-vnc-servers", "[{\"id\": \"default\", \"server\": [{\"host\": \"127.0.0.1\"", "" },
        { "query-pci", "{\"return\": []}\r\n", "" },
        { "xen-colo-do-checkpoint", "COLO replication is not there", "" },
        { "system_powerdown", "\"event\": \"POWERDOWN\"}\r\n{\"return\": {}}\r\n", "button;" },
        { "inject-nmi", "{\"return\": {}}\r\n", "nmi;" },
        { "system_reset",
          "\"event\": \"RESET\", \"data\": {\"guest\": false, \"reason\": "
          "\"host-qmp-system-reset\"}}\r\n{\"return\": {}}\r\n",
          "power 1;" },
        { "add-fd", "No file descriptor supplied via SCM_RIGHTS", "" },
        { "quit", "\"reason\": \"host-qmp-quit\"}}\r\n{\"return\": {}}\r\n", "quit;" },
    };
    struct rig *r = rig_new("");
    struct client *c = libxl(r);

    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char text[128];

        snprintf(text, sizeof(text), "{\"execute\":\"%s\"}", table[i].verb);
        say(c, text);
        CHECK(had(c, table[i].reply));
        CHECK(fake_log(r->f, table[i].log));
    }
    r->f->vnc_enabled = false;
    say(c, "{\"execute\":\"query-vnc\"}");
    CHECK(got(c, "{\"return\": {\"enabled\": false}}\r\n"));
    hang_up(c);
    rig_free(r);
}

TEST(vnc_passwords)
{
    static const struct {
        const char *text, *reply, *log;
    } table[] = {
        { "set_password\",\"arguments\":{\"protocol\":\"vnc\",\"password\":\"x\"}}",
          "{\"return\": {}}", "password x;" },
        { "set_password\",\"arguments\":{\"protocol\":\"spice\",\"password\":\"x\"}}",
          "protocol 'spice' is not supported", "" },
        { "expire_password\",\"arguments\":{\"protocol\":\"vnc\",\"time\":\"now\"}}",
          "{\"return\": {}}", "expire now;" },
        { "expire_password\",\"arguments\":{\"protocol\":\"vnc\",\"time\":\"never\"}}",
          "{\"return\": {}}", "expire never;" },
        { "expire_password\",\"arguments\":{\"protocol\":\"vnc\",\"time\":\"+60\"}}",
          "{\"return\": {}}", "expire later;" },
        { "expire_password\",\"arguments\":{\"protocol\":\"vnc\",\"time\":\"soon\"}}",
          "time 'soon' is not", "" },
        { "change-vnc-password\",\"arguments\":{\"password\":5}}",
          "Invalid parameter type for 'password', expected: string", "" },
    };
    struct rig *r = rig_new("");
    struct client *c = libxl(r);

    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char text[256];

        snprintf(text, sizeof(text), "{\"execute\":\"%s", table[i].text);
        say(c, text);
        CHECK(had(c, table[i].reply));
        CHECK(fake_log(r->f, table[i].log));
    }
    r->f->fail = "no DES";
    say(c, "{\"execute\":\"change-vnc-password\",\"arguments\":{\"password\":\"p\"}}");
    CHECK(had(c, "change-vnc-password: no DES"));
    hang_up(c);
    rig_free(r);
}

/* ---- people and scripts ---- */

TEST(human_monitor)
{
    static const struct {
        const char *line, *reply;
    } table[] = {
        { "bogus", "{\"return\": \"unknown command: 'bogus'\\r\\n\", \"id\": 1}\r\n" },
        { "info bogus", "{\"return\": \"unknown command: 'info bogus'\\r\\n\", \"id\": 1}\r\n" },
        { "", "{\"return\": \"\", \"id\": 1}\r\n" },
        { "info version", "\"7.2.22 (Portico " PORTICO_VERSION ")\\r\\n\"" },
        { "info status", "\"VM status: running\\r\\n\"" },
        { "info name", "\"g1\\r\\n\"" },
        { "info block", "ide-5696: [not inserted]\\r\\n    Removable device: not locked, tray "
                        "closed\\r\\n" },
        { "info blockstats", "ide0-hd0: rd_bytes=0 wr_bytes=0 " },
        { "info vnc",
          "Server: 127.0.0.1:5901 (ipv4)\\r\\n  Auth: vnc\\r\\nClient: 10.0.0.9:40000" },
        { "info chardev", "libxl-cmd: filename=unix:/tmp/" },
        { "info cpus", "\"CPU #0\\r\\nCPU #1\\r\\n\"" },
        { "info registers nosuch", "Error: Device 'nosuch' not found" },
        { "info", "info registers [ID] -- " },
        { "help", "screendump FILE [-f png|ppm] -- " },
        { "screendump", "screendump: too few arguments: screendump FILE" },
        { "screendump /no/dir/x", "Error: screendump: there is no picture" },
        { "eject -f", "Error: eject [-f] ID" },
        { "eject nosuch", "Error: Device 'nosuch' not found\\r\\n" },
        { "change ide-5696 /no/such", "Error: Could not open '/no/such'" },
        { "sendkey nosuch", "Error: Invalid key name 'nosuch'" },
        { "screentext", "Error: portico-screen-text: the screen shows no text" },
        { "drive_add 0", "drive_add: string expected" },
        { "drive_add -n 0", "drive_add: string expected" },
        { "drive_add 0 if=ide,id=x", "Can't hot-add drive to type 1\\r\\n" },
        { "drive_add 0 id=x", "Can't hot-add drive to type 1\\r\\n" },
        { "drive_add 0 if=virtio,id=x", "Can't hot-add drive to type 7\\r\\n" },
        { "drive_add -n 0 driver=null-co,node-name=ide-5696", "Error: node-name=ide-5696 is" },
        { "drive_del nosuch", "Device 'nosuch' not found\\r\\n" },
    };
    struct rig *r = rig_new("");
    struct client *c = libxl(r);

    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char text[256];

        snprintf(text, sizeof(text),
                 "{\"execute\":\"human-monitor-command\",\"id\":1,"
                 "\"arguments\":{\"command-line\":\"%s\"}}",
                 table[i].line);
        say(c, text);
        CHECK(had(c, table[i].reply));
    }
    CHECK(fake_log(r->f, ""));
    say(c, "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\" stop\\n\"}}");
    CHECK(had(c, "{\"return\": \"\"}\r\n"));
    say(c, "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":"
           "\"eject -f ide-5696\"}}");
    CHECK(had(c, "{\"return\": \"\"}\r\n"));
    CHECK(fake_log(r->f, "stop;eject ide-5696 force;"));
    say(c, "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":"
           "\"drive_add 0:0:0 if=none,id=d\"}}");
    CHECK(had(c, "{\"return\": \"OK\\r\\n\"}"));
    say(c, "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":"
           "\"drive_del ide-5696\"}}");
    CHECK(had(c, "{\"return\": \"\"}\r\n"));
    CHECK(fake_log(r->f, "drive_add d;drive_del ide-5696;"));
    hang_up(c);
    rig_free(r);
}
