/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/qtest-rig.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/unit/qt.h"

#define PATIENCE_MS 30000
#define WORDS       64

static void child(const char *options, int fd, const int in[2], const int out[2])
{
    char text[2048], number[16], *argv[WORDS + 1], *save = NULL;
    int n = 0;

    snprintf(text, sizeof(text), PORTICO_DM " -accel qtest -nodefaults -vga none -display none %s",
             options);
    snprintf(number, sizeof(number), "fd:%d", fd);
    for (char *w = strtok_r(text, " ", &save); w && n < WORDS; w = strtok_r(NULL, " ", &save))
        argv[n++] = strcmp(w, "fd:%d") ? w : number;
    argv[n] = NULL;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that failed leaves nobody behind */
    if (in[0] >= 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
    }
    execv(PORTICO_DM, argv);
    _exit(127);
}

struct rig *rig_start(const char *options)
{
    struct rig *r = calloc(1, sizeof(*r));
    int pair[2] = { -1, -1 }, in[2] = { -1, -1 }, out[2] = { -1, -1 };

    signal(SIGPIPE, SIG_IGN);
    if (strstr(options, "stdio")) {
        CHECK(pipe(in) == 0 && pipe(out) == 0);
    } else {
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    }
    r->pid = fork();
    if (r->pid == 0) {
        close(pair[0]);
        child(options, pair[1], in, out);
    }
    CHECK(r->pid > 0);
    r->fd = in[0] >= 0 ? in[1] : pair[0];
    r->out = in[0] >= 0 ? out[0] : pair[0];
    close(in[0] >= 0 ? in[0] : pair[1]);
    if (in[0] >= 0)
        close(out[1]);
    return r;
}

struct rig *rig_new(const char *options)
{
    char text[2048];

    snprintf(text, sizeof(text), "-qtest fd:%%d -qtest-log none %s", options);
    return rig_start(text);
}

void rig_take_socket(struct rig *r, int fd)
{
    close(r->fd);
    r->fd = r->out = fd;
    r->len = r->taken = 0;
}

void rig_send(struct rig *r, const void *bytes, size_t len)
{
    const char *p = bytes;

    while (len) {
        ssize_t n = write(r->fd, p, len);

        if (n < 0 && errno == EINTR)
            continue;
        CHECK(n > 0);
        p += n;
        len -= (size_t)n;
    }
}

static bool receive(struct rig *r)
{
    struct pollfd p = { .fd = r->out, .events = POLLIN };
    ssize_t n;

    if (r->cap - r->len < 65536) {
        if (r->taken)
            memmove(r->text, r->text + r->taken, r->len - r->taken);
        r->len -= r->taken;
        r->taken = 0;
        r->cap = r->len + 2 * 65536 + r->cap / 2;
        r->text = realloc(r->text, r->cap);
        CHECK(r->text != NULL);
    }
    if (poll(&p, 1, PATIENCE_MS) != 1)
        return false;
    n = read(r->out, r->text + r->len, r->cap - r->len - 1);
    if (n <= 0)
        return false;
    r->len += (size_t)n;
    return true;
}

const char *rig_line(struct rig *r)
{
    size_t seen = r->taken;

    for (;;) {
        char *end = r->len > seen ? memchr(r->text + seen, '\n', r->len - seen) : NULL;
        size_t kept = seen - r->taken;

        if (end) {
            const char *line = r->text + r->taken;

            *end = 0;
            r->taken = (size_t)(end + 1 - r->text);
            return line;
        }
        kept = r->len - r->taken;
        if (!receive(r))
            return NULL;
        seen = r->taken + kept;
    }
}

const char *ask(struct rig *r, const char *fmt, ...)
{
    static char text[4096];
    char line[2048];
    const char *got;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
    va_end(ap);
    line[n++] = '\n';
    rig_send(r, line, (size_t)n);
    text[0] = 0;
    while ((got = rig_line(r))) {
        size_t at = strlen(text);

        snprintf(text + at, sizeof(text) - at, "%s%s", at ? "|" : "", got);
        if (strncmp(got, "IRQ ", 4))
            return text;
    }
    return "(no answer)";
}

bool is(const char *answer, const char *expected)
{
    if (!strcmp(answer, expected))
        return true;
    fprintf(stderr, "expected: %s\n     got: %.200s\n", expected, answer);
    return false;
}

int rig_wait(struct rig *r)
{
    for (int i = 0; i < PATIENCE_MS / 10; i++) {
        int status;
        pid_t got = waitpid(r->pid, &status, WNOHANG);

        if (got == r->pid) {
            r->pid = 0;
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        }
        usleep(10000);
    }
    return -1;
}

bool rig_lives(struct rig *r)
{
    siginfo_t info = { .si_pid = 0 };

    /* WNOWAIT: how it ended is rig_wait()'s to say */
    return r->pid && !waitid(P_PID, (id_t)r->pid, &info, WEXITED | WNOHANG | WNOWAIT) &&
           !info.si_pid;
}

void rig_free(struct rig *r)
{
    if (r->pid > 0) {
        kill(r->pid, SIGKILL);
        waitpid(r->pid, NULL, 0);
    }
    if (r->out != r->fd)
        close(r->out);
    close(r->fd);
    free(r->text);
    free(r);
}
