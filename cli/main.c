/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portico: the verbs of xl for guests on KVM, from the same configuration
 * files. On a Xen host xl is the tool; there it only checks files.
 */
#include <stdio.h>
#include <string.h>
#include "cli/host.h"
#include "cli/verbs.h"

struct verb {
    const char *name, *args, *does;
    int (*run)(int argc, char **argv); /* NULL: `does` says why it is not there */
    bool anywhere;                     /* also on a Xen host */
};

#define NO_SAVE "a guest on KVM cannot be saved yet; shut it down instead"
#define NO_PLUG "cannot be changed while the guest runs; change the file and start it anew"

static const struct verb verbs[] = {
    { "create", "[-c] [-V] [-F] [-p] [-q] [--force] FILE [KEY=VALUE...]", "start a guest",
      verb_create, false },
    { "check", "[-l] FILE [KEY=VALUE...]",
      "say what is wrong with a file, and what would be started", verb_check, true },
    { "list", "[-l] [--json] [GUEST]", "the guests that are there", verb_list, false },
    { "console", "[-n PORT] GUEST", "be its serial terminal", verb_console, false },
    { "vncviewer", "GUEST", "show its screen", verb_vncviewer, false },
    { "pause", "GUEST", "let it stand still", verb_pause, false },
    { "unpause", "GUEST", "let it run", verb_unpause, false },
    { "shutdown", "[-w] -a | GUEST", "press its power button", verb_shutdown, false },
    { "reboot", "[-F] GUEST", "press its power button and start it again; -F: reset", verb_reboot,
      false },
    { "destroy", "GUEST", "end it at once", verb_destroy, false },
    { "trigger", "GUEST power|reset|s3resume", "press one of its buttons", verb_trigger, false },
    { "cd-insert", "GUEST DRIVE FILE", "put an image into a CD drive", verb_cd_insert, false },
    { "cd-eject", "[-F] GUEST DRIVE", "take it out", verb_cd_eject, false },
    { "block-list", "[--json] GUEST", "its drives", verb_block_list, false },
    { "network-list", "[--json] GUEST", "its network cards", verb_network_list, false },
    { "screenshot", "GUEST FILE.png", "its screen as a picture (also .ppm)", verb_screenshot,
      false },
    { "rename", "GUEST NAME", "give it another name", verb_rename, false },
    { "info", "[--json] [GUEST]", "about this machine, or a guest", verb_info, false },
    { "top", "[-b] [-d SECONDS] [-i TIMES]", "what guests use, live", verb_top, false },
    { "uptime", "[GUEST]", "since when they run", verb_uptime, false },
    { "dmesg", "GUEST", "its log, also after its end", verb_dmesg, false },
    { "domid", "GUEST", "its number", verb_domid, false },
    { "domname", "GUEST", "its name", verb_domname, false },
    { "qemu-monitor-command", "GUEST COMMAND", "talk to its device model", verb_monitor, false },
    { "save", NULL, NO_SAVE, NULL, false },
    { "restore", NULL, NO_SAVE, NULL, false },
    { "migrate", NULL, NO_SAVE, NULL, false },
    { "mem-set", NULL, "the memory " NO_PLUG, NULL, false },
    { "mem-max", NULL, "the memory " NO_PLUG, NULL, false },
    { "vcpu-set", NULL, "the number of CPUs " NO_PLUG, NULL, false },
    { "block-attach", NULL, "the list of disks " NO_PLUG, NULL, false },
    { "block-detach", NULL, "the list of disks " NO_PLUG, NULL, false },
    { "network-attach", NULL, "the list of cards " NO_PLUG, NULL, false },
    { "network-detach", NULL, "the list of cards " NO_PLUG, NULL, false },
};

#define NVERBS (sizeof(verbs) / sizeof(verbs[0]))

static void help(void)
{
    printf("portico VERB ...: HVM guests of xl's configuration files, on KVM\n\n");
    for (unsigned i = 0; i < NVERBS; i++) {
        if (verbs[i].run)
            printf("  %s %s\n      %s\n", verbs[i].name, verbs[i].args, verbs[i].does);
    }
    printf("\nGUEST is a name or a number. Exit status: 0; 1: it failed; 2: asked wrongly, or the "
           "file "
           "is wrong.\nThe manual: portico(1).\n");
}

static int run(const struct verb *v, int argc, char **argv)
{
    if (!v->anywhere && host_is_dom0())
        return complain("this is a Xen host: use xl %s (with device_model_override= for Portico)",
                        v->name);
    if (!v->run)
        return complain("%s: %s", v->name, v->does);
    return v->run(argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";

    if (!strcmp(name, "help") || !strcmp(name, "--help") || !strcmp(name, "-h")) {
        help();
        return 0;
    }
    if (!strcmp(name, "--version") || !strcmp(name, "version")) {
        printf("portico " PORTICO_VERSION "\n");
        return 0;
    }
    for (unsigned i = 0; i < NVERBS; i++) {
        if (!strcmp(name, verbs[i].name))
            return run(&verbs[i], argc, argv);
    }
    if (*name)
        complain("%s: no such verb; `portico help` lists them", name);
    else
        complain("what is to be done? `portico help` lists the verbs");
    return 2;
}
