/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control protocol over real sockets, byte for byte: framing, negotiation,
 * limits, many clients, passed descriptors, and nonsense.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/unit/qmp-rig.h"
#include "tests/unit/qt.h"

/* ---- xentop ---- */

TEST(xentop_sends_no_newline)
{
    struct rig *r = rig_new("");
    struct client *c = dial(r, r->stat);
    struct block *b = block_open_mem(&r->f->loop, 1 << 20);

    b->stat[BLOCK_READ].bytes = 512;
    b->stat[BLOCK_WRITE].ops = 3;
    r->f->vm.drives[0].block = b;
    CHECK(got(c, GREETING));
    say(c, "{ \"execute\": \"qmp_capabilities\" }");
    CHECK(got(c, "{\"return\": {}}\r\n"));
    say(c, "{ \"execute\": \"query-blockstats\" }");
    CHECK(await(c, "}]}\r\n"));
    CHECK(strstr(c->in, "{\"return\": [{\"device\": \"ide0-hd0\", \"stats\": {"));
    CHECK(strstr(c->in, "\"rd_bytes\": 512, ") && strstr(c->in, "\"wr_operations\": 3, "));
    c->len = 0;
    say(c, "{ \"execute\": \"query-block\" }");
    CHECK(await(c, "}]}\r\n"));
    CHECK(strstr(c->in, "{\"device\": \"ide0-hd0\", \"locked\": false, \"removable\": false, "));
    CHECK(strstr(c->in, "\"virtual-size\": 1048576"));
    CHECK(strstr(c->in, "\"io-status\": \"ok\", \"tray_open\": false}]}\r\n"));
    hang_up(c);
    rig_free(r);
}

/* ---- the protocol ---- */

TEST(ids_come_back_as_they_are)
{
    static const char *const ids[] = {
        "1",    "-7",      "0",   "\"abc\"",          "null",
        "true", "[1, {}]", "1.5", "{\"a\": [\"b\"]}", "9007199254740993"
    };
    struct rig *r = rig_new("");
    struct client *c = libxl(r);

    for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        char text[128], reply[128];

        snprintf(text, sizeof(text), "{\"id\":%s,\"execute\":\"cont\"}", ids[i]);
        snprintf(reply, sizeof(reply), "{\"return\": {}, \"id\": %s}\r\n", ids[i]);
        say(c, text);
        CHECK(got(c, reply));
        snprintf(text, sizeof(text), "{\"id\":%s,\"execute\":\"\"}", ids[i]);
        snprintf(reply, sizeof(reply), "has not been found\"}, \"id\": %s}\r\n", ids[i]);
        say(c, text);
        CHECK(had(c, reply));
    }
    hang_up(c);
    rig_free(r);
}

TEST(negotiation_comes_first)
{
    struct rig *r = rig_new("");
    struct client *c = dial(r, r->cmd), *other = libxl(r);

    CHECK(got(c, GREETING));
    say(c, "{\"execute\":\"cont\",\"id\":1}");
    CHECK(got(c, "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"Expecting capabilities "
                 "negotiation with 'qmp_capabilities'\"}, \"id\": 1}\r\n"));
    qmp_event(r->q, "SHUTDOWN", NULL);
    CHECK(had(other, "\"event\": \"SHUTDOWN\"}\r\n"));
    say(c, "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[\"oob\"]}}");
    CHECK(got(c, "{\"error\": {\"class\": \"GenericError\", \"desc\": \"Capability oob not "
                 "available\"}}\r\n")); /* and no event before */
    say(c, "{\"execute\":\"qmp_capabilities\",\"arguments\":{\"enable\":[]}}");
    CHECK(got(c, "{\"return\": {}}\r\n"));
    say(c, "{\"execute\":\"qmp_capabilities\"}");
    CHECK(had(c, "\"class\": \"CommandNotFound\", \"desc\": \"Capabilities negotiation is already "
                 "complete"));
    CHECK(fake_log(r->f, ""));
    hang_up(c);
    hang_up(other);
    rig_free(r);
}

TEST(malformed_messages)
{
    static const struct {
        const char *text, *desc;
    } table[] = {
        { "{}", "QMP input lacks member 'execute'" },
        { "[]", "QMP input must be a JSON object" },
        { "{\"execute\":5}", "QMP input member 'execute' must be a string" },
        { "{\"execute\":\"cont\",\"extra\":1}", "QMP input member 'extra' is unexpected" },
        { "{\"exec-oob\":\"cont\"}", "QMP input member 'exec-oob' is unexpected" },
        { "{\"execute\":\"cont\",\"arguments\":[]}", "'arguments' must be an object" },
        { "{\"execute\":\"cont\",\"arguments\":{\"x\":1}}", "Parameter 'x' is unexpected" },
        { "{\"execute\":\"cont\",\"execute\":\"stop\"}", "JSON parse error, duplicate" },
        { "{\"execute\" \"cont\"}", "JSON parse error" },
        { "{\"execute\":\"\\ud800\"}", "JSON parse error" },
        { "{execute:1}", "JSON parse error" },
        { "{\x01", "JSON parse error" },
        { "{\"execute\":\"\xc3\x28\"}", "JSON parse error" },
        { "hello there\r\n", "JSON parse error, invalid character" },
        { "}", "JSON parse error, invalid character or bracket" },
        { "{]\n", "JSON parse error, invalid character or bracket" },
        { "{\"execute\":\"co\nnt\"}\n", "JSON parse error, invalid character" },
        { "\xff{\"a\":\xff", "JSON parse error, invalid character" },
        { "{\"execute\":\"eject\",\"arguments\":{\"id\":true}}",
          "type for 'id', expected: string" },
        { "{\"execute\":\"eject\",\"arguments\":{\"force\":1,\"id\":\"x\"}}", "expected: boolean" },
        { "{\"execute\":\"xen-set-global-dirty-log\"}", "Parameter 'enable' is missing" },
        { "{\"execute\":\"qom-set\",\"arguments\":{\"path\":\"/machine\",\"property\":\"type\"}}",
          "Parameter 'value' is missing" },
        { "{\"execute\":\"qom-set\",\"arguments\":{\"path\":\"/machine\",\"property\":\"type\","
          "\"value\":1}}",
          "Property 'type' of /machine is not writable" },
        { "{\"execute\":\"remove-fd\",\"arguments\":{\"fdset-id\":1.5}}", "expected: integer" },
        { "{\"execute\":\"remove-fd\",\"arguments\":{\"fdset-id\":1}}", "'fdset-id:1' not found" },
        { "{\"execute\":\"send-key\",\"arguments\":{\"keys\":{}}}", "expected: array" },
    };
    struct rig *r = rig_new("");
    struct client *c = libxl(r);

    for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        say(c, table[i].text);
        CHECK(had(c, table[i].desc));
        say(c, "\n{\"execute\":\"cont\",\"id\":77}");
        CHECK(await(c, OK("77")));
        c->len = 0;
    }
    hang_up(c);
    rig_free(r);
}

TEST(several_messages_in_one_write)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r);

    say(c,
        "{\"execute\":\"cont\",\"id\":1}{\"execute\":\"cont\",\"id\":2} \r\n\r\n\t{\"id\":\"}{"
        "\\\"\\\\\",\"execute\":\"cont\"}\n{\n \"execute\"\n:\n\"cont\" , \"id\":3}{\"execute\"");
    CHECK(got(c, OK("1") OK("2") OK("\"}{\\\"\\\\\"") OK("3")));
    say(c, ":\"cont\"");
    turn(r);
    say(c, ",\"id\":4}");
    CHECK(got(c, OK("4")));
    shutdown(c->fd, SHUT_WR);
    CHECK(!await(c, NULL) && c->eof);
    hang_up(c);
    rig_free(r);
}

TEST(a_client_that_stops_writing_still_gets_its_replies)
{
    struct rig *r = rig_new("");
    struct client *c = dial(r, r->cmd);

    say(c, "{\"execute\":\"qmp_capabilities\"}{\"execute\":\"query-commands\",\"id\":5}");
    shutdown(c->fd, SHUT_WR);
    CHECK(await(c, "\"id\": 5}\r\n"));
    await(c, NULL);
    CHECK(c->eof);
    hang_up(c);
    rig_free(r);
}

TEST(too_long_and_too_deep)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r), *other = libxl(r);
    char *big = calloc(1, QMP_MESSAGE_MAX + 64);
    int n;

    if (!big)
        abort();

    /* As long as may be: the last byte is the one that fits. */
    n = snprintf(big, 64, "{\"execute\":\"cont\",\"id\":\"");
    memset(big + n, 'x', QMP_MESSAGE_MAX - (size_t)n - 2);
    memcpy(big + QMP_MESSAGE_MAX - 2, "\"}", 3);
    say(c, big);
    CHECK(had(c, "xx\"}\r\n"));
    memcpy(big + QMP_MESSAGE_MAX - 2, "xxxx\"}", 7);
    say(c, big);
    CHECK(await(c, "JSON message exceeds 1 MiB"));
    await(c, NULL);
    CHECK(c->eof);
    hang_up(c);
    c = libxl(r);
    memset(big, '[', 64);
    memset(big + 64, ']', 64);
    big[128] = 0;
    say(c, big);
    CHECK(had(c, "must be a JSON object"));
    memset(big, '[', 100);
    big[100] = 0;
    say(c, big);
    CHECK(await(c, "JSON nesting exceeds 64 levels"));
    await(c, NULL);
    CHECK(c->eof);
    say(other, "{\"execute\":\"cont\",\"id\":1}");
    CHECK(got(other, OK("1")));
    hang_up(c);
    hang_up(other);
    free(big);
    rig_free(r);
}

TEST(names_that_are_not_utf8)
{
    struct rig *r = rig_new("-name|caf\xe9 \"\x01");
    struct client *c = libxl(r);

    say(c, "{\"execute\":\"query-name\"}");
    CHECK(got(c, "{\"return\": {\"name\": \"caf? \\\"\\u0001\"}}\r\n"));
    say(c, "{\"execute\":\"query-name\",\"id\":\"\xc3\xa9\"}");
    CHECK(had(c, "\"id\": \"\\u00E9\"}\r\n"));
    hang_up(c);
    rig_free(r);
}

/* ---- clients ---- */

TEST(many_short_connections)
{
    struct rig *r = rig_new("");
    unsigned fds;

    hang_up(dial(r, r->cmd)); /* a listener that has served once keeps a spare descriptor */
    hang_up(dial(r, r->stat));
    turn(r);
    turn(r);
    fds = open_fds();
    for (unsigned i = 0; i < 1000; i++) {
        struct client *c = dial(r, i & 1 ? r->cmd : r->stat);

        if (i % 3 == 0) {
            CHECK(had(c, GREETING));
            say(c, "{\"execute\":\"qmp_capabilities\"}{\"exec");
        }
        if (i % 7 == 0)
            turn(r);
        hang_up(c);
    }
    turn(r);
    turn(r);
    CHECK_EQ(open_fds(), fds);
    hang_up(libxl(r));
    rig_free(r);
}

TEST(clients_are_counted_per_socket)
{
    struct rig *r = rig_new("");
    struct client *c[QMP_CLIENTS_MAX], *more, *libxls;

    for (unsigned i = 0; i < QMP_CLIENTS_MAX; i++) {
        c[i] = dial(r, r->stat);
        CHECK(got(c[i], GREETING));
    }
    more = dial(r, r->stat);
    CHECK(!await(more, "QMP") && more->eof);
    libxls = libxl(r); /* the other socket still answers */
    qmp_event(r->q, "STOP", NULL);
    CHECK(had(libxls, "\"event\": \"STOP\"}\r\n"));
    hang_up(more);
    hang_up(c[3]);
    more = dial(r, r->stat);
    CHECK(got(more, GREETING));
    c[3] = more;
    for (unsigned i = 0; i < QMP_CLIENTS_MAX; i++)
        hang_up(c[i]);
    hang_up(libxls);
    rig_free(r);
}

TEST(slow_readers)
{
    static const char cmd[] = "{\"execute\":\"query-commands\"}";
    struct rig *r = rig_new("");
    struct client *c = libxl(r), *good = libxl(r);
    size_t sent = 0, replies = 0;

    /* Asks without reading: at some point it is not listened to any more, and not dropped. */
    for (unsigned idle = 0; idle < 50;) {
        ssize_t n = send(c->fd, cmd, sizeof(cmd) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);

        turn(r);
        CHECK(n == sizeof(cmd) - 1 || (n < 0 && errno == EAGAIN));
        idle = n < 0 ? idle + 1 : 0;
        sent += n > 0;
    }
    for (double end = seconds() + 5; replies < sent && seconds() < end;) {
        turn(r);
        slurp(c);
        replies = 0;
        for (const char *p = c->in; (p = strstr(p, "{\"return\"")); p++)
            replies++;
    }
    CHECK_EQ(replies, sent);
    /* Events do not wait: a client that never reads is dropped, the others are not. */
    for (unsigned i = 0; i < 40; i++) {
        char *big = malloc(200001);

        memset(big, 'e', 200000);
        big[200000] = 0;
        qmp_event(r->q, "RESET", json_pack("{s:s}", "x", big));
        free(big);
        CHECK(await(good, "\"}}\r\n"));
        good->len = 0;
    }
    slurp(c);
    await(c, NULL);
    CHECK(c->eof);
    say(good, "{\"execute\":\"cont\",\"id\":1}");
    CHECK(got(good, OK("1")));
    hang_up(c);
    hang_up(good);
    rig_free(r);
}

TEST(descriptors_are_not_leaked)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r);
    int null[2] = { open("/dev/null", O_RDWR | O_CLOEXEC), -1 };
    unsigned fds = open_fds();

    null[1] = null[0];
    for (unsigned i = 0; i < 40; i++) { /* nobody wants them */
        say_with_fds(c, "{", null, 2);
        say(c, "\"execute\":\"cont\",\"id\":1}");
        CHECK(got(c, OK("1")));
    }
    CHECK_EQ(open_fds(), fds);
    for (unsigned i = 0; i < 40; i++)
        say_with_fds(c, " ", null, 2); /* waiting: a bounded number */
    turn(r);
    CHECK(open_fds() <= fds + 16);
    say(c, "{\"execute\":\"cont\",\"id\":2}");
    CHECK(got(c, OK("2")));
    CHECK_EQ(open_fds(), fds);
    for (unsigned i = 0; i < 40; i++) { /* sets are bounded too */
        say_with_fds(c, "{\"execute\":\"add-fd\",\"id\":3}", null, 1);
        CHECK(had(c, i < 32 ? "\"id\": 3}\r\n" : "Too many file descriptors"));
    }
    CHECK_EQ(open_fds(), fds + 32);
    say(c, "{\"execute\":\"remove-fd\",\"arguments\":{\"fdset-id\":5},\"id\":4}");
    CHECK(got(c, OK("4")));
    say_with_fds(c, "{\"execute\":\"add-fd\",\"id\":3}", null, 1);
    CHECK(had(c, "\"fdset-id\": 5}, \"id\": 3}\r\n"));
    say_with_fds(c, "{\"exec", null, 1);
    turn(r);
    hang_up(c); /* and everything goes with the connection */
    CHECK_EQ(open_fds(), fds - 2);
    close(null[0]);
    rig_free(r);
}

/* A command before the one that brings the descriptor, in one read of the server. */
TEST(descriptor_behind_another_command)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r);
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    CHECK(send(c->fd, "{\"execute\":\"cont\",\"id\":1}", 25, 0) == 25);
    say_with_fds(c, "{", &fd, 1);
    CHECK(send(c->fd, "\"execute\":\"add-fd\",\"id\":2}", 26, 0) == 26);
    CHECK(had(c, "\"fdset-id\": 0}, \"id\": 2}\r\n"));
    close(fd);
    hang_up(c);
    rig_free(r);
}

/* As QEMU's parser takes them; a quote of the other kind inside, or one behind a backslash. */
TEST(strings_in_single_quotes)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r);

    say(c, "{'execute':'query-name','id':'a\"b\\'c'}");
    CHECK(had(c, "\"name\": \"g1\"}, \"id\": \"a\\\"b'c\"}\r\n"));
    say(c, "{'execute':'nonexistent','id':'\n");
    CHECK(had(c, "JSON parse error"));
    say(c, "{\"execute\":\"query-name\",\"id\":\"it's\"}");
    CHECK(had(c, "\"id\": \"it's\"}\r\n"));
    hang_up(c);
    rig_free(r);
}

static bool schema_has(const char *schema, const char *name, const char *words)
{
    char key[96];
    const char *at;

    snprintf(key, sizeof(key), "{\"name\": \"%s\", \"meta-type\": ", name);
    at = strstr(schema, key);
    return at && !strncmp(at + strlen(key), words, strlen(words));
}

TEST(the_schema_says_what_verbs_take)
{
    struct rig *r = rig_new("");
    struct client *c = libxl(r);

    say(c, "{\"execute\":\"query-qmp-schema\",\"id\":7}");
    CHECK(await(c, "\"id\": 7}\r\n"));
    CHECK(schema_has(c->in, "str", "\"builtin\", \"json-type\": \"string\"}"));
    CHECK(schema_has(c->in, "query-name",
                     "\"command\", \"arg-type\": \"q_empty\", \"ret-type\": \"any\"}"));
    CHECK(schema_has(c->in, "stop",
                     "\"command\", \"arg-type\": \"q_empty\", \"ret-type\": \"q_empty\"}"));
    CHECK(schema_has(c->in, "q_obj_human-monitor-command-arg",
                     "\"object\", \"members\": [{\"name\": \"command-line\", \"type\": \"str\"}, "
                     "{\"name\": \"cpu-index\", \"type\": \"int\", \"default\": null}]}"));
    CHECK(schema_has(c->in, "STOP", "\"event\", \"arg-type\": \"q_empty\"}"));
    CHECK(!strstr(c->in, "nbd-server-start")); /* it is there to be refused */
    hang_up(c);
    rig_free(r);
}
