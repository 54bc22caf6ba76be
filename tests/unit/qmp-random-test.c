/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nonsense for the control protocol: messages that were right once, damaged. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/unit/qmp-rig.h"
#include "tests/unit/qt.h"
#include "tests/unit/random.h"

/* No path in here names a file that may be made, and random_messages sees to the damaged ones. */
static const char *const seeds[] = {
    "{\"execute\":\"qmp_capabilities\",\"id\":2020372737}\r\n",
    "{\"execute\":\"query-chardev\",\"id\":[1,{\"a\":null}]}",
    "{ \"execute\": \"query-blockstats\" }",
    "{ \"execute\": \"query-block\" }",
    "{\"execute\":\"eject\",\"id\":2020372738,\"arguments\":{\"id\":\"ide-5696\",\"force\":true}}",
    "{\"execute\":\"add-fd\",\"id\":3,\"arguments\":{\"opaque\":\"raw:/x\",\"fdset-id\":9}}\r\n",
    "{\"execute\":\"remove-fd\",\"arguments\":{\"fdset-id\":0,\"fd\":5}}",
    "{\"execute\":\"blockdev-change-medium\",\"arguments\":{\"id\":\"ide-5696\",\"filename\":"
    "\"/dev/fdset/0\",\"format\":\"raw\"}}",
    "{\"execute\":\"xen-save-devices-state\",\"arguments\":{\"filename\":\"/dev/fdset/0\"}}",
    "{\"execute\":\"screendump\",\"arguments\":{\"filename\":\"/dev/fdset/0\",\"format\":\"png\"}}",
    "{\"execute\":\"device_add\",\"arguments\":{\"id\":\"cpu-3\",\"driver\":\"qemu32-i386-cpu\","
    "\"socket-id\":3,\"core-id\":0,\"thread-id\":0}}",
    "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"info registers\"}}",
    "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"sendkey a-b 1\"}}",
    "{\"execute\":\"send-key\",\"arguments\":{\"keys\":[{\"type\":\"qcode\",\"data\":\"a\"}],"
    "\"hold-time\":1}}",
    "{\"execute\":\"input-send-event\",\"arguments\":{\"events\":[{\"type\":\"rel\",\"data\":{"
    "\"axis\":\"x\",\"value\":32767}},{\"type\":\"btn\",\"data\":{\"down\":true,\"button\":"
    "\"left\"}},{\"type\":\"key\",\"data\":{\"down\":true,\"key\":{\"type\":\"number\",\"data\":1}}"
    "}]"
    "}}",
    "{\"execute\":\"expire_password\",\"arguments\":{\"protocol\":\"vnc\",\"time\":\"+9\"}}",
    "{\"execute\":\"device_add\",\"arguments\":{\"driver\":\"e1000\",\"id\":\"a\",\"addr\":12}}",
    "{\"execute\":\"device_del\",\"arguments\":{\"id\":\"/machine/peripheral/ide-5696\"}}",
    "{\"execute\":\"qom-get\",\"arguments\":{\"path\":\"ide-5696\",\"property\":\"serial\"}}",
    "{\"execute\":\"qom-list\",\"arguments\":{\"path\":\"/machine/peripheral\"}}",
    "{\"execute\":\"qom-list-types\",\"arguments\":{\"implements\":\"device\",\"abstract\":true}}",
    "{\"execute\":\"blockdev-add\",\"arguments\":{\"driver\":\"raw\",\"node-name\":\"n\",\"file\":{"
    "\"driver\":\"file\",\"filename\":\"/nosuch/x\"},\"cache\":{\"direct\":true}}}",
    "{\"execute\":\"blockdev-open-tray\",\"arguments\":{\"id\":\"ide-5696\"}}",
    "{\"execute\":\"blockdev-close-tray\",\"arguments\":{\"id\":\"ide-5696\"}}",
    "{\"execute\":\"block_set_io_throttle\",\"arguments\":{\"id\":\"ide0-hd0\",\"bps\":1,"
    "\"bps_rd\":0,\"bps_wr\":0,\"iops\":0,\"iops_rd\":0,\"iops_wr\":0}}",
    "{\"execute\":\"block_resize\",\"arguments\":{\"device\":\"ide0-hd0\",\"size\":512}}",
    "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"info qtree\"}}",
    "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"xp /9xb 0x12\"}}",
    "{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"device_add a,b=c\"}}",
    "{\"execute\":\"stop\"}{\"execute\":\"cont\"}",
};

static size_t fuzz_message(char *text, size_t size, uint64_t *seed)
{
    const char *from = seeds[rnd_below(seed, sizeof(seeds) / sizeof(seeds[0]))];
    size_t len = strlen(from);

    memcpy(text, from, len);
    for (unsigned n = rnd_below(seed, 5); n; n--) {
        size_t at = rnd_below(seed, (unsigned)len);

        switch (rnd_below(seed, 4)) {
        case 0:
            text[at] = (char)rnd_below(seed, 256);
            break;
        case 1:
            text[at] = "{}[]\",:\\0-1\n"[rnd_below(seed, 12)];
            break;
        case 2: /* twice the same piece */
            if (len < size / 2) {
                size_t piece = 1 + rnd_below(seed, 32);

                piece = piece > len - at ? len - at : piece;
                memmove(text + at + piece, text + at, len - at);
                len += piece;
            }
            break;
        default: /* a piece less */
            memmove(text + at, text + at + 1, len - at - 1);
            len -= len > 1;
        }
    }
    if (!rnd_below(seed, 4))
        text[len++] = '\n';
    return len;
}

/* Sends it all, reading what comes; false when the server hung up. */
static bool push(struct client *c, const char *text, size_t len)
{
    while (len) {
        ssize_t n = send(c->fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno != EAGAIN)
            return false;
        if (n > 0) {
            text += n;
            len -= (size_t)n;
        }
        turn(c->r);
        c->len = 0;
        slurp(c);
        if (c->eof)
            return false;
    }
    return true;
}

TEST(random_messages)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r);
    uint64_t seed = 7;
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC), saved = dup(STDERR_FILENO);
    char batch[65536];
    bool up;

    dup2(fd, STDERR_FILENO); /* the log would be full of it */
    for (unsigned i = 0; i < 100000;) {
        size_t len = 0;

        for (; len < sizeof(batch) - 2048 && i < 100000; i++)
            len += fuzz_message(batch + len, 1024, &seed);
        if (!rnd_below(&seed, 4))
            say_with_fds(c, " ", &fd, 1);
        setfsuid(65534); /* root could make the files that damaged names are about */
        up = push(c, batch, len);
        setfsuid(geteuid());
        if (!up) {
            hang_up(c);
            c = libxl(r);
        }
        if (r->f->vm.drives[1].block && !r->f->vm.drives[1].tray_open && r->f->fail)
            r->f->fail = NULL;
        fake_log(r->f, r->f->log);
    }
    hang_up(c);
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(fd);
    c = libxl(r);
    say(c, "{\"execute\":\"query-name\",\"id\":1}");
    CHECK(got(c, "{\"return\": {\"name\": \"g1\"}, \"id\": 1}\r\n"));
    hang_up(c);
    rig_free(r);
}
