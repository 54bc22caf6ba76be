/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * viridian=: which of Hyper-V's interfaces the guest finds, in the groups of
 * xl.cfg(5). What a group is on KVM is said in QEMU's names for the parts.
 */
#include <stdio.h>
#include <string.h>
#include "cli/guest.h"

enum { BASE = 1 }; /* all others need it */

static const struct {
    const char *name;
    bool usual; /* viridian=1, and "defaults" */
    const char
        *parts; /* of -cpu; "": nothing that is to be asked for, as it is always so or never */
} groups[] = {
    { "base", true, ",hv-relaxed,hv-vpindex,hv-vapic" },
    { "freq", true, ",hv-frequencies" },
    { "time_ref_count", true, ",hv-time" },
    { "reference_tsc", false, ",hv-time" },
    { "hcall_remote_tlb_flush", false, ",hv-tlbflush" },
    { "apic_assist", true, "" },
    { "crash_ctl", true, ",hv-crash" },
    { "synic", false, ",hv-synic" },
    { "stimer", false, ",hv-time,hv-synic,hv-stimer" },
    { "hcall_ipi", false, ",hv-ipi" },
    { "ex_processor_masks", false, "" },
    { "no_vp_limit", true, "" },
    { "cpu_hotplug", true, "" },
};

#define GROUPS (sizeof(groups) / sizeof(groups[0]))
#define ALL    ((1u << GROUPS) - 1)

static unsigned usual(void)
{
    unsigned bits = 0;

    for (unsigned i = 0; i < GROUPS; i++)
        bits |= groups[i].usual ? 1u << i : 0;
    return bits;
}

/* A word of the list; 0: there is none of that name. */
static unsigned bits_of(const char *name)
{
    if (!strcmp(name, "all"))
        return ALL;
    if (!strcmp(name, "defaults"))
        return usual();
    for (unsigned i = 0; i < GROUPS; i++) {
        if (!strcmp(name, groups[i].name))
            return 1u << i;
    }
    return 0;
}

static void read_list(struct guest *g, struct conf *c, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const char *word = conf_item(c, "viridian", i);
        bool off = word && *word == '!';
        unsigned bits = word ? bits_of(word + off) : 0;

        if (word && !bits)
            conf_error(c, "viridian", (int)i,
                       "\"%.30s\" is not known; use defaults, all, or groups of xl.cfg(5)", word);
        g->hyperv = off ? g->hyperv & ~bits : g->hyperv | bits;
    }
    if (g->hyperv && !(g->hyperv & BASE)) {
        conf_error(c, "viridian", -1,
                   "the group \"base\" is missing, which all others need; add it");
        g->hyperv = 0;
    }
}

void guest_read_hyperv(struct guest *g, struct conf *c)
{
    unsigned n = conf_count(c, "viridian");
    const char *one = n == 1 ? conf_item(c, "viridian", 0) : NULL;
    bool on = false;

    if (one && strlen(one) == strspn(one, "0123456789")) {
        conf_flag(c, "viridian", &on);
        g->hyperv = on ? usual() : 0;
    } else if (n) {
        read_list(g, c, n);
    }
}

const char *guest_hyperv_cpu(const struct guest *g)
{
    static char line[256];
    size_t n = (size_t)snprintf(line, sizeof(line), "host");

    for (unsigned i = 0; i < GROUPS; i++) {
        if (g->hyperv & 1u << i)
            n += (size_t)snprintf(line + n, sizeof(line) - n, "%s", groups[i].parts);
    }
    return line;
}
