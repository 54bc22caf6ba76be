/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plays inputs on a fuzz target without libFuzzer: PROGRAM FILE-OR-FOLDER… */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "tests/fuzz/fuzz.h"

#define INPUT_MAX (16u << 20)

static int play_file(const char *path)
{
    FILE *in = fopen(path, "rb");
    uint8_t *data = malloc(INPUT_MAX), *tight;
    size_t n;

    if (!in || !data) {
        perror(path);
        free(data);
        if (in)
            fclose(in);
        return 1;
    }
    n = fread(data, 1, INPUT_MAX, in);
    fclose(in);
    tight = realloc(data, n ? n : 1); /* what is read behind it, ASan sees */
    if (!tight)
        tight = data;
    LLVMFuzzerTestOneInput(tight, n);
    free(tight);
    return 0;
}

static int play_folder(const char *path)
{
    DIR *d = opendir(path);
    int rc = 0;

    if (!d) {
        perror(path);
        return 1;
    }
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char file[1024];

        snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
        if (e->d_name[0] != '.')
            rc |= play_file(file);
    }
    closedir(d);
    return rc;
}

int main(int argc, char **argv)
{
    int rc = 0;

    for (int i = 1; i < argc; i++) {
        struct stat st;

        rc |=
            !stat(argv[i], &st) && S_ISDIR(st.st_mode) ? play_folder(argv[i]) : play_file(argv[i]);
    }
    return rc;
}
