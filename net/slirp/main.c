/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portico-slirp: a network for one guest out of this user's ordinary sockets
 * (libslirp), for portico-dm, which starts it for -netdev user. Two processes:
 * a supervisor, which touches nothing that comes from the guest, and a worker
 * in a sandbox, which does all the rest. When the worker dies the next one goes
 * on with the same pair of sockets; frames wait in it meanwhile. docs/network.md.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "net/slirp/helper.h"

#define PAUSE_MS    100 /* before the next worker, and twice as long each time, up to */
#define PAUSE_MAX   5000
#define LONG_ENOUGH 10 /* seconds; who lived so long was well */
#define LINES       20 /* in the log, of workers that died */

static void tell(const char *line)
{
    char text[sizeof(((struct err *)0)->msg) + 2];
    int len = snprintf(text, sizeof(text), "%s\n", line);

    if (write(SLIRP_STATUS_FD, text, (size_t)len) < 0 && errno != EPIPE && errno != EBADF)
        perror("portico-slirp");
    close(SLIRP_STATUS_FD);
}

static bool is_pair(void)
{
    int type = 0;
    socklen_t len = sizeof(type);

    return !getsockopt(SLIRP_PAIR_FD, SOL_SOCKET, SO_TYPE, &type, &len) && type == SOCK_SEQPACKET;
}

static int work(const struct settings *s, pid_t supervisor)
{
    struct err err = { "" };
    struct wire *w = wire_open(s, &err);

    if (!w || sandbox_enter(s->slirp.tftp_path, &err)) {
        tell(err.msg);
        return EXIT_SETUP;
    }
    /* After the change of user, which clears it. */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != supervisor)
        return EXIT_GONE;
    tell(SLIRP_READY);
    wire_run(w);
    return EXIT_GONE;
}

static int64_t now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

static void say_death(int status, unsigned *lines)
{
    if (++*lines > LINES)
        return;
    if (WIFSIGNALED(status))
        fprintf(stderr, "portico-slirp: the worker died of signal %d; the next one goes on%s\n",
                WTERMSIG(status), *lines == LINES ? " (not said again)" : "");
    else
        fprintf(stderr, "portico-slirp: the worker ended (%d); the next one goes on%s\n",
                WEXITSTATUS(status), *lines == LINES ? " (not said again)" : "");
}

/* Whether portico-dm is still there: only then is a next worker of use. */
static bool is_wanted(void)
{
    char c;
    ssize_t n = recv(SLIRP_PAIR_FD, &c, 1, MSG_DONTWAIT | MSG_PEEK);

    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static int supervise(const struct settings *s)
{
    unsigned pause = PAUSE_MS, lines = 0;
    bool first = true;

    for (;;) {
        int64_t started = now_s();
        int status = 0;
        pid_t self = getpid(), pid = fork();

        if (pid == 0)
            _exit(work(s, self));
        if (first)
            close(SLIRP_STATUS_FD);
        if (pid > 0) {
            while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
            if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_GONE)
                return 0;
            if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SETUP && first)
                return EXIT_SETUP;
            say_death(status, &lines);
        }
        if (!is_wanted())
            return 0;
        first = false;
        pause = now_s() - started >= LONG_ENOUGH ? PAUSE_MS : pause * 2;
        pause = pause > PAUSE_MAX ? PAUSE_MAX : pause;
        nanosleep(&(struct timespec){ pause / 1000, pause % 1000 * 1000000L }, NULL);
    }
}

int main(int argc, char **argv)
{
    static struct settings s;
    struct err err = { "" };

    if (!is_pair()) {
        fprintf(stderr,
                "portico-slirp is started by portico-dm (-netdev user); it is not for the shell\n");
        return EXIT_SETUP;
    }
    close_range(SLIRP_STATUS_FD + 1, ~0u, 0);
    signal(SIGPIPE, SIG_IGN);
    if (settings_parse(&s, argc - 1, argv + 1, &err)) {
        tell(err.msg);
        return EXIT_SETUP;
    }
    return supervise(&s);
}
