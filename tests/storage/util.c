/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files, tools and images for the tests of storage: see util.h. */
#include "tests/storage/util.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "block/store.h"

#define ARGS_MAX 32

static char folder[256];
static pid_t folder_owner;

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    return remove(path);
}

static void remove_folder(void)
{
    if (getpid() == folder_owner)
        nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *scratch(void)
{
    const char *tmp = getenv("TMPDIR");

    if (folder_owner)
        return folder;
    snprintf(folder, sizeof(folder), "%s/portico-storage-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(folder)) {
        perror(folder);
        exit(1);
    }
    folder_owner = getpid();
    atexit(remove_folder);
    return folder;
}

const char *scratch_path(const char *name)
{
    static char path[16][512];
    static unsigned next;
    char *p = path[next++ % 16];

    snprintf(p, sizeof(path[0]), "%s/%s", scratch(), name);
    return p;
}

int scratch_file(const char *name)
{
    int fd = open(scratch_path(name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0) {
        perror(name);
        exit(1);
    }
    return fd;
}

static size_t read_all(int fd, char *out, size_t size)
{
    char skip[512];
    size_t len = 0;
    ssize_t n;

    for (;;) {
        bool room = out && len + 1 < size;

        n = room ? read(fd, out + len, size - 1 - len) : read(fd, skip, sizeof(skip));
        if (n <= 0)
            return len;
        if (room)
            len += n;
    }
}

int run(char *out, size_t size, const char *program, ...)
{
    const char *argv[ARGS_MAX] = { program };
    int pipefd[2], status, n = 1;
    va_list ap;
    pid_t pid;
    size_t len;

    va_start(ap, program);
    while (n < ARGS_MAX - 1 && (argv[n] = va_arg(ap, const char *)))
        n++;
    va_end(ap);
    if (pipe2(pipefd, O_CLOEXEC))
        return -1;
    pid = fork();
    if (pid == 0) {
        dup2(pipefd[1], 1);
        dup2(pipefd[1], 2);
        execvp(program, (char *const *)argv);
        _exit(127);
    }
    close(pipefd[1]);
    len = read_all(pipefd[0], out, size);
    if (out && size)
        out[len] = '\0';
    close(pipefd[0]);
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool have_tool(const char *program)
{
    return run(NULL, 0, program, "--version", NULL) == 0;
}

struct store *path_store(const char *path, bool readonly)
{
    struct block_options o =
        BLOCK_OPTIONS(.file = path, .readonly = readonly, .locking = BLOCK_LOCK_OFF);
    struct err err = { "" };
    struct store *st = store_open(&o, &err);

    if (!st)
        fprintf(stderr, "%s\n", err.msg);
    return st;
}

struct image *path_image(const struct image_ops *ops, const char *path, bool readonly,
                         struct err *err)
{
    struct store *st = path_store(path, readonly);

    if (!st) {
        err_set(err, -ENOENT, "disk %s: cannot be opened", path);
        return NULL;
    }
    return image_open(ops, st, path, readonly, NULL, NULL, err);
}

int image_get(struct image *im, uint64_t off, void *data, size_t len)
{
    struct iovec iov = { data, len };
    struct image_buf buf = { &iov, 1, 0 };

    return im->ops->read(im, off, len, &buf);
}

int image_put(struct image *im, uint64_t off, const void *data, size_t len)
{
    struct iovec iov = { (void *)(uintptr_t)data, len };
    struct image_buf buf = { &iov, 1, 0 };

    return im->ops->write(im, off, len, &buf);
}

uint64_t env_number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text && *text ? strtoull(text, NULL, 0) : otherwise;
}
