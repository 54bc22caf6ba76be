/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portico-vnc: talks RFB (RFC 6143) to one VNC client for portico-dm, which
 * starts it when somebody connects. Its end of the pair is descriptor 3
 * (display/protocol.h); everything else comes over that. docs/vnc.md.
 * As `portico-vnc nursery` it waits in the sandbox and forks for each client:
 * for a portico-dm that will be in a chroot when somebody connects.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "display/vnc/helper.h"

static bool is_pair(void)
{
    int type = 0;
    socklen_t len = sizeof(type);

    return getsockopt(VIEWER_FD, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET;
}

/* Returns in the child, for one client. Only portico-dm is heard here; its end ends us. */
static void wait_for_birth(void)
{
    for (;;) {
        struct viewer_msg m;
        int fd;

        channel_hear(&m, &fd, true);
        if (fd < 0)
            continue;
        if (m.type == VM_FORK && fork() == 0) {
            dup2(fd, VIEWER_FD);
            close(fd);
            return;
        }
        close(fd);
    }
}

/* Says in one packet what is wrong with the credentials on descriptor 0; an empty one: nothing. */
static int check_creds(struct helper *h)
{
    const char *wrong = auth_creds(h, 0);
    char text[256];
    int n = snprintf(text, sizeof(text), "%s", wrong ? wrong : "");

    return send(VIEWER_FD, text, (size_t)n + 1, MSG_NOSIGNAL) < 0 ? EXIT_FAILED : EXIT_GONE;
}

static void make_pair_wait(void)
{
    fcntl(VIEWER_FD, F_SETFL, fcntl(VIEWER_FD, F_GETFL) & ~O_NONBLOCK);
}

int main(int argc, char **argv)
{
    static struct helper h;

    if (!is_pair()) {
        fprintf(stderr, "portico-vnc is started by portico-dm (-vnc); it is not for the shell\n");
        return EXIT_FAILED;
    }
    make_pair_wait();
    if (argc > 1 && !strcmp(argv[1], "check"))
        return check_creds(&h);
    auth_warm_up();
    sandbox_enter();
    if (argc > 1 && !strcmp(argv[1], "nursery")) {
        signal(SIGCHLD, SIG_IGN);
        wait_for_birth();
        make_pair_wait();
    }
    sandbox_close();
    alarm(GREETING_SECONDS); /* until the client is in; then server.c turns it off */
    if (server_start(&h) == 0)
        server_run(&h);
    _exit(EXIT_GONE);
}
