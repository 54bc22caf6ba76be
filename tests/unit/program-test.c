/* SPDX-License-Identifier: GPL-2.0-or-later */
/* portico-dm as a program, started wrongly: one line on standard error, exit 1, nothing else. */
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/unit/qt.h"

extern char **environ;

struct outcome {
    int status; /* exit status, -1 when it died of a signal */
    char err[4096], out[4096];
};

static void read_back(int fd, char *text, size_t size)
{
    ssize_t n = pread(fd, text, size - 1, 0);

    text[n > 0 ? n : 0] = 0;
    close(fd);
}

/* Runs it with the words of `line`; kills it after ten seconds. */
static struct outcome run(const char *line)
{
    struct outcome o = { .status = -1 };
    char words[512], *argv[32] = { (char *)(uintptr_t) "timeout", (char *)(uintptr_t) "10",
                                   (char *)(uintptr_t)PORTICO_DM };
    int out = open("/tmp", O_TMPFILE | O_RDWR, 0600), status, n = 3;
    int err = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    posix_spawn_file_actions_t fa;
    pid_t pid;
    char *save = NULL;

    snprintf(words, sizeof(words), "%s", line);
    for (char *w = strtok_r(words, " ", &save); w && n < 31; w = strtok_r(NULL, " ", &save))
        argv[n++] = w;
    posix_spawn_file_actions_init(&fa);
    posix_spawn_file_actions_adddup2(&fa, out, 1);
    posix_spawn_file_actions_adddup2(&fa, err, 2);
    CHECK(posix_spawnp(&pid, "timeout", &fa, NULL, argv, environ) == 0);
    posix_spawn_file_actions_destroy(&fa);
    CHECK(waitpid(pid, &status, 0) == pid);
    if (WIFEXITED(status))
        o.status = WEXITSTATUS(status);
    read_back(out, o.out, sizeof(o.out));
    read_back(err, o.err, sizeof(o.err));
    return o;
}

static unsigned lines(const char *text)
{
    unsigned n = 0;

    while ((text = strchr(text, '\n'))) {
        text++;
        n++;
    }
    return n;
}

static const struct {
    const char *line, *says;
} wrong[] = {
    { "", "-xen-domid" },
    { "-xen-domid x", "-xen-domid x" },
    { "-xen-domid 99999", "-xen-domid 99999" },
    { "-xen-domid 1 -no-such-option", "-no-such-option" },
    { "-xen-domid 1 -device no-such-device", "no-such-device" },
    { "-xen-domid 1 -device rtl8139,netdev=n,mac=zz -netdev tap,id=n,ifname=t", "zz" },
    { "-xen-domid 1 -spice port=1", "-spice" },
    { "-accel kvm -smp 65", "-smp" },
};

TEST(started_wrongly_it_says_so_in_one_line)
{
    for (unsigned i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct outcome o = run(wrong[i].line);

        if (o.status != 1 || lines(o.err) != 1 || !strstr(o.err, wrong[i].says) || o.out[0])
            fprintf(stderr, "\"%s\": status %d, says: %s\n", wrong[i].line, o.status, o.err);
        CHECK_EQ(o.status, 1);
        CHECK_EQ(lines(o.err), 1);
        CHECK(strstr(o.err, wrong[i].says) != NULL);
        CHECK(!o.out[0]);
    }
}

TEST(without_xen_it_says_so)
{
    struct outcome o;

    if (access("/dev/xen/privcmd", F_OK) == 0)
        return; /* on a Xen host there is no such case; the lab's tests take wrong domains */
    o = run("-xen-domid 1 -m 256");
    CHECK_EQ(o.status, 1);
    CHECK_EQ(lines(o.err), 1);
    CHECK(strstr(o.err, "no Xen here: /dev/xen/privcmd") != NULL);
}

TEST(help_and_version_go_to_standard_output)
{
    struct outcome o = run("-version");

    CHECK_EQ(o.status, 0);
    CHECK(strstr(o.out, "portico-dm " PORTICO_VERSION) == o.out);
    o = run("-help");
    CHECK_EQ(o.status, 0);
    CHECK(strstr(o.out, "-xen-domid") != NULL);
}
