/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VNC clients and helpers that stall, lie, crash or come in crowds. */
#include "tests/unit/vnc-world.h"
#include <fcntl.h>
#include <linux/input-event-codes.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "display/protocol.h"

/* A viewer that asks for everything and reads nothing holds up neither guest nor the others. */
VNC_TEST(a_stalled_viewer_stalls_nobody)
{
    struct world *w = world_usual();
    struct rfb stalled, good;
    int small = 4096, updates = 0;
    uint64_t begin;
    w->width = 1600;
    w->height = 1200;
    CHECK(visit(&stalled, w));
    setsockopt(stalled.fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    for (int i = 0; i < 8; i++)
        rfb_request(&stalled, false);
    rfb_pump(&w->loop, 200);
    CHECK(visit(&good, w));
    uv_update_time(&w->loop);
    begin = uv_now(&w->loop);
    while (uv_now(&w->loop) - begin < 1000) {
        w->seed++;
        w->change = (struct rect){ 0, 0, 64, 64 };
        rfb_request(&good, true);
        CHECK(rfb_update(&good));
        updates++;
    }
    CHECK(updates > 20);
    CHECK((good.pixels[0] & 0xffffff) == pattern(w->seed, 0, 0));
    CHECK_EQ(clients(w), 2);
    rfb_close(&good);
    rfb_close(&stalled);
    world_free(w);
}

VNC_TEST(garbage)
{
    static const char *const noise[] = {
        "GET / HTTP/1.1\r\n\r\n", "RFB 999.999\n", "RFB 003.008\n\377",
        "SSH-2.0-x\r\n",          "\026\003\001",
    };
    struct world *w = world_usual();
    struct rfb c;
    uint32_t lcg = 1;
    for (unsigned i = 0; i < sizeof(noise) / sizeof(noise[0]); i++) {
        CHECK(rfb_connect(&c, &w->loop, w->info.service));
        rfb_write(&c, noise[i], strlen(noise[i]));
        rfb_pump(&w->loop, 50);
        CHECK_EQ(clients(w), 0);
        rfb_close(&c);
    }
    for (unsigned i = 0; i < 9; i++) { /* past the handshake */
        uint8_t bytes[4096];
        CHECK(visit(&c, w));
        for (unsigned k = 0; k < sizeof(bytes); k++)
            bytes[k] = (uint8_t)((lcg = lcg * 1103515245u + 12345u) >> 16);
        bytes[0] = (uint8_t)(i < 8 ? i : 255);
        rfb_write(&c, bytes, sizeof(bytes));
        rfb_close(&c);
    }
    rfb_pump(&w->loop, 100);
    CHECK(visit(&c, w));
    CHECK(shows(&c, w, 0));
    rfb_close(&c);
    world_free(w);
}

VNC_TEST(scaled_copies_are_not_made)
{
    static const uint8_t scale[4] = { 8, 2, 0, 0 };
    struct world *w = world_usual();
    struct rfb c;

    CHECK(visit(&c, w));
    rfb_write(&c, scale, sizeof(scale));
    CHECK(rfb_ended(&c, 2000));
    rfb_close(&c);
    world_free(w);
}

VNC_TEST(a_dead_helper_is_replaced)
{
    struct world *w = world_usual();
    struct rfb c, other;

    CHECK(visit(&c, w) && visit(&other, w));
    rfb_key(&c, 'a', true);
    n_events(w, 1);
    w->nevents = 0;
    CHECK(child() > 0 && kill(child(), SIGSEGV) == 0);
    CHECK(rfb_ended(&c, 2000));
    n_events(w, 1);
    CHECK(event_is(w, 0, 'k', KEY_A, 0, 0, 0));
    CHECK_EQ(clients(w), 1);
    rfb_request(&other, false);
    CHECK(rfb_update(&other));
    rfb_close(&c);
    CHECK(visit(&c, w));
    CHECK(shows(&c, w, 0));
    rfb_close(&c);
    rfb_close(&other);
    world_free(w);
}

VNC_TEST(a_hundred_at_once)
{
    static struct rfb c[100];
    struct world *w = world_usual();
    unsigned greeted = 0;
    struct rfb late;
    for (unsigned i = 0; i < 100; i++)
        CHECK(rfb_connect(&c[i], &w->loop, w->info.service));
    for (unsigned n = 0; n < 1000 && !rfb_ended(&c[99], 10); n++)
        ;
    for (unsigned n = 0; n < 200 && greeted < VNC_CLIENTS; n++) {
        rfb_pump(&w->loop, 100);
        for (unsigned i = 0; i < 100; i++) {
            char b[12];
            greeted += recv(c[i].fd, b, sizeof(b), MSG_DONTWAIT) == sizeof(b);
        }
    }
    CHECK_EQ(greeted, VNC_CLIENTS);
    rfb_pump(&w->loop, 2000);
    CHECK(visit(&late, w)); /* those who never said a word make room */
    CHECK_EQ(clients(w), 1);
    for (unsigned i = 0; i < 100; i++)
        rfb_close(&c[i]);
    rfb_pump(&w->loop, 200);
    rfb_close(&late);
    CHECK(visit(&late, w));
    rfb_close(&late);
    world_free(w);
}

static bool copy_file(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    char b[65536];
    ssize_t n = -1;

    while (in >= 0 && out >= 0 && (n = read(in, b, sizeof(b))) > 0 && write(out, b, n) == n)
        ;
    close(in);
    close(out);
    return n == 0;
}

/* As after a chroot: the program is not there any more when somebody connects. */
VNC_TEST(a_nursery)
{
    char path[64];
    struct world *w = world_new();
    struct vnc_options o = usual();
    struct rfb c, other;

    snprintf(path, sizeof(path), "/tmp/portico-vnc-copy.%d", (int)getpid());
    CHECK(link(PORTICO_VNC, path) == 0 || copy_file(PORTICO_VNC, path));
    o.helper = path;
    o.early = true;
    o.password = true;
    CHECK(world_open(w, &o) == 0);
    CHECK(unlink(path) == 0);
    CHECK(vnc_set_password(w->vnc, "pw", &w->err) == 0);
    CHECK(rfb_connect(&c, &w->loop, w->info.service) && rfb_login(&c, "pw"));
    CHECK(rfb_connect(&other, &w->loop, w->info.service) && rfb_login(&other, "pw"));
    CHECK_EQ(clients(w), 2);
    rfb_request(&c, false);
    CHECK(rfb_update(&c) && shows(&c, w, 0));
    rfb_key(&c, 'a', true);
    n_events(w, 1);
    rfb_close(&c);
    n_events(w, 2);
    CHECK(event_is(w, 0, 'k', KEY_A, 1, 0, 0) && event_is(w, 1, 'k', KEY_A, 0, 0, 0));
    CHECK_EQ(clients(w), 1);
    rfb_request(&other, false);
    CHECK(rfb_update(&other));
    world_free(w); /* with one inside */
    rfb_close(&other);
}

/* A helper that has been taken over: a shell that says one packet of these bytes. */
static void lie(const char *path, const uint8_t *bytes, size_t len, bool greet)
{
    FILE *f = fopen(path, "w");

    CHECK(f != NULL);
    fprintf(f, "#!/bin/sh\n");
    if (greet) { /* VM_ADMITTED */
        fprintf(f, "printf '\\%o", VM_ADMITTED);
        for (size_t i = 1; i < sizeof(struct viewer_msg); i++)
            fprintf(f, "\\0");
        fprintf(f, "' >&3\n");
    }
    fprintf(f, "printf '");
    for (size_t i = 0; i < len; i++)
        fprintf(f, "\\%o", bytes[i]);
    fprintf(f, "' >&3\nsleep 3\n");
    fchmod(fileno(f), 0755);
    fclose(f);
}

VNC_TEST(a_helper_is_not_believed)
{
    static const struct {
        bool greet;
        size_t len;
        struct viewer_msg m;
    } lies[] = {
        { false, 7, { .type = VM_ADMITTED } },
        { false, sizeof(struct viewer_msg), { .type = 0 } },
        { false, sizeof(struct viewer_msg), { .type = VM_SURFACE } },
        { false, sizeof(struct viewer_msg), { .type = VM_KEY, .key = { KEY_A, 1 } } },
        { false, sizeof(struct viewer_msg), { .type = VM_LOOKING, .looking = { 1 } } },
        { false, sizeof(struct viewer_msg), { .type = VM_POINTER } },
        { true, sizeof(struct viewer_msg), { .type = VM_ADMITTED } },
        { true, sizeof(struct viewer_msg), { .type = VM_KEY, .key = { 768, 1 } } },
        { true, sizeof(struct viewer_msg), { .type = VM_KEY, .key = { 0x10001, 1 } } },
        { true, sizeof(struct viewer_msg), { .type = VM_KEY, .key = { KEY_A, 2 } } },
        { true, sizeof(struct viewer_msg), { .type = VM_POINTER, .pointer = { .x = INT32_MIN } } },
        { true, sizeof(struct viewer_msg), { .type = VM_POINTER, .pointer = { .dz = 1000 } } },
        { true, sizeof(struct viewer_msg), { .type = VM_POINTER, .pointer = { .buttons = 8 } } },
    };
    char path[64];

    snprintf(path, sizeof(path), "/tmp/portico-vnc-liar.%d", (int)getpid());
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct world *w = world_new();
        struct vnc_options o = usual();
        struct rfb c;
        lie(path, (const uint8_t *)&lies[i].m, lies[i].len, lies[i].greet);
        o.helper = path;
        CHECK(world_open(w, &o) == 0);
        CHECK(rfb_connect(&c, &w->loop, w->info.service));
        CHECK(rfb_ended(&c, 1000));
        CHECK_EQ(w->nevents, 0);
        CHECK_EQ(clients(w), 0);
        rfb_close(&c);
        world_free(w);
    }
    unlink(path);
}

/* One that is admitted and then hears nothing: nothing is queued for it, nothing waits. */
VNC_TEST(a_helper_that_does_not_listen)
{
    static const uint8_t looking[sizeof(struct viewer_msg)] = { VM_LOOKING, [8] = 1 };
    char path[64];
    struct world *w = world_new();
    struct vnc_options o = usual();
    struct rfb c;
    unsigned draws;

    snprintf(path, sizeof(path), "/tmp/portico-vnc-deaf.%d", (int)getpid());
    lie(path, looking, sizeof(looking), true);
    o.helper = path;
    CHECK(world_open(w, &o) == 0);
    CHECK(rfb_connect(&c, &w->loop, w->info.service));
    rfb_pump(&w->loop, 100);
    CHECK_EQ(clients(w), 1);
    draws = w->draws;
    for (unsigned i = 0; i < 2000; i++) {
        w->change = (struct rect){ (int)(i % 600), (int)(i % 300), 10, 10 };
        display_refresh(w->display, false);
        uv_run(&w->loop, UV_RUN_NOWAIT);
    }
    CHECK(w->draws >= draws + 2000);
    CHECK_EQ(clients(w), 1);
    rfb_close(&c);
    unlink(path);
    world_free(w);
}
