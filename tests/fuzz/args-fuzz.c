/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line: the input's lines are the arguments. No file is opened by the parser. */
#include <string.h>
#include "control/args.h"
#include "tests/fuzz/fuzz.h"

#define WORDS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[8192];
    char *argv[WORDS + 2] = { text }, *p = text;
    struct vm_args a;
    struct err err = { "" };
    int argc = 1;

    if (size >= sizeof(text) - 16)
        return 0;
    memcpy(text, "portico-dm", 11);
    p = text + 11;
    memcpy(p, data, size);
    p[size] = 0;
    for (char *end = p + size; p < end && argc <= WORDS; p += strlen(p) + 1) {
        char *newline = strchr(p, '\n');

        if (newline)
            *newline = 0;
        argv[argc++] = p;
    }
    if (args_parse(&a, argc, argv, &err) == 0)
        args_free(&a);
    return 0;
}
