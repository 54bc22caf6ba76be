/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The grammar that libxl and libvirt write options in (key=value, doubled
 * commas, dotted keys, JSON): the input's first byte picks an option that
 * takes one, the rest is its value; an id is declared for it to refer to.
 */
#include <string.h>
#include "control/args.h"
#include "tests/fuzz/fuzz.h"

static const char *const options[] = {
    "-drive", "-device", "-chardev", "-netdev", "-blockdev", "-machine", "-smp",    "-m",
    "-vnc",   "-boot",   "-mon",     "-global", "-set",      "-rtc",     "-serial", "-name",
    "-qtest", "-nic",    "-net",     "-action", "-uuid",     "-accel",   "-k",      "-object",
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char val[4096], option[16];
    static char words[] = "portico-dm\0-xen-domid\0001\0-drive\0if=none,id=d,file=/x,format=raw\0"
                          "-chardev\0null,id=c";
    char *argv[16], *p = words;
    int argc = 0;
    struct vm_args a;
    struct err err = { "" };

    if (size < 1 || size > sizeof(val))
        return 0;
    strncpy(option, options[data[0] % (sizeof(options) / sizeof(options[0]))], sizeof(option) - 1);
    memcpy(val, data + 1, size - 1);
    val[size - 1] = 0;
    for (; p < words + sizeof(words); p += strlen(p) + 1)
        argv[argc++] = p;
    argv[argc++] = option;
    argv[argc++] = val;
    argv[argc] = NULL;
    if (args_parse(&a, argc, argv, &err) == 0)
        args_free(&a);
    return 0;
}
