/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts a device model and says how long it took until its guest wrote something to its serial
 * port, which is the program's standard output, and what the program's memory is then. launch MIB
 * TEXT SECONDS [-s LINE TEXT] PROGRAM ARG... MIB: of guest memory, which is not counted. Prints "ms
 * N" and "pss KIB"; with -s it writes LINE then and prints the line of the answer that has TEXT.
 * Status 0, or 1 with a line when time was over.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static char said[1 << 20];
static size_t len;

/* Until TEXT has come since byte `from`; NULL: it does not. */
static const char *wait_for(int fd, const char *text, size_t from, double until)
{
    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        const char *at = memmem(said + from, len - from, text, strlen(text));
        double left = until - now();
        ssize_t n;

        if (at)
            return at;
        if (left <= 0 || len == sizeof(said) - 1 || poll(&p, 1, (int)left + 1) < 0)
            return NULL;
        if (!p.revents)
            continue;
        n = read(fd, said + len, sizeof(said) - 1 - len);
        if (n <= 0)
            return NULL;
        for (ssize_t i = 0; i < n; i++) /* a BIOS writes whatever it likes */
            said[len + i] = said[len + i] ? said[len + i] : ' ';
        len += (size_t)n;
    }
}

struct area {
    unsigned long long from, to, pss;
};

/* Guest memory is the largest area and those right below it that make it up to MIB. */
static long long pss_without(pid_t pid, unsigned long long ram)
{
    static struct area a[8192];
    char path[64], line[512];
    unsigned n = 0, big = 0;
    long long sum = 0;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/smaps", (int)pid);
    f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f)) {
        unsigned long long x, y;

        if (sscanf(line, "%llx-%llx ", &x, &y) == 2 && n < 8192)
            a[n++] = (struct area){ x, y, 0 };
        else if (n && sscanf(line, "Pss: %llu", &x) == 1)
            a[n - 1].pss = x;
    }
    if (f)
        fclose(f);
    for (unsigned i = 0; i < n; i++)
        big = a[i].to - a[i].from > a[big].to - a[big].from ? i : big;
    for (unsigned i = 0; i < n; i++) {
        if (a[i].to > a[big].to || a[i].from < a[big].to - ram)
            sum += (long long)a[i].pss;
    }
    return sum;
}

static pid_t start(char **argv, int *in, int *out)
{
    int to[2], from[2];
    pid_t pid;

    if (pipe(to) || pipe(from))
        exit(1);
    pid = fork();
    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(to[0], 0);
        dup2(from[1], 1);
        for (int fd = 3; fd < 16; fd++)
            close(fd);
        execv(argv[0], argv);
        fprintf(stderr, "launch: %s: %s\n", argv[0], strerror(errno));
        _exit(127);
    }
    *in = to[1];
    *out = from[0];
    close(from[1]);
    close(to[0]);
    return pid;
}

/* Writes LINE until it is answered: a guest may have been too busy to listen. */
static int ask(const char *line, const char *text, int in, int out)
{
    for (int tries = 0; tries < 10; tries++) {
        size_t from = len;
        const char *at;

        if (write(in, line, strlen(line)) < 0 || write(in, "\r", 1) < 0)
            return 1;
        at = wait_for(out, text, from, now() + 20000);
        if (at && wait_for(out, "\n", (size_t)(at - said), now() + 5000)) {
            printf("%.*s\n", (int)strcspn(at, "\r\n"), at);
            return 0;
        }
    }
    return 1;
}

int main(int argc, char **argv)
{
    int in, out, rc = 1, at = 4;
    const char *line = NULL, *text = NULL;
    double begin;
    pid_t pid;

    if (argc > 7 && !strcmp(argv[4], "-s")) {
        line = argv[5];
        text = argv[6];
        at = 7;
    }
    if (argc <= at)
        return fprintf(stderr, "launch MIB TEXT SECONDS [-s LINE TEXT] PROGRAM ARG...\n"), 2;
    begin = now();
    pid = start(argv + at, &in, &out);
    if (wait_for(out, argv[2], 0, begin + atof(argv[3]) * 1e3)) {
        printf("ms %.2f\n", now() - begin);
        printf("pss %lld\n", pss_without(pid, strtoull(argv[1], NULL, 10) << 20));
        rc = line ? ask(line, text, in, out) : 0;
    }
    if (rc)
        fprintf(stderr, "launch: %s: no \"%s\" in time; it said: %.200s\n", argv[at],
                line ? text : argv[2], said);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return rc;
}
