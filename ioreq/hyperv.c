/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names, and the bits of the leaves 40000003h and 40000004h (TLFS 2.4.4, 2.4.5). */
#include "ioreq/hyperv.h"
#include <errno.h>
#include <string.h>
#include "hw/core/device.h"

#define VENDOR_EBX    0x7263694d /* "Microsoft Hv" */
#define VENDOR_ECX    0x666f736f
#define VENDOR_EDX    0x76482074
#define INTERFACE     0x31237648 /* "Hv#1" */
#define BUILD         14393      /* of Windows Server 2016, the first with all of these */
#define VERSION       0x000a0000
#define VPS_MAX       64
#define SPIN_FOR_EVER 0xffffffff

enum { FEATURES_EAX, FEATURES_EBX, FEATURES_EDX, ADVICE_EAX, WORDS };

#define HYPERCALLS (1u << 5) /* of FEATURES_EAX: its MSRs, which every other thing needs */

static const struct {
    const char *name;
    uint32_t bit, needs;
    uint32_t word[WORDS];
} parts[] = {
    { "hv-relaxed", HYPERV_RELAXED, 0, { [ADVICE_EAX] = 1u << 5 } },
    { "hv-vapic", HYPERV_VAPIC, 0, { [FEATURES_EAX] = 1u << 4, [ADVICE_EAX] = 1u << 3 } },
    { "hv-vpindex", HYPERV_VPINDEX, 0, { [FEATURES_EAX] = 1u << 6 } },
    { "hv-runtime", HYPERV_RUNTIME, 0, { [FEATURES_EAX] = 1u << 0 } },
    { "hv-time", HYPERV_TIME, 0, { [FEATURES_EAX] = 1u << 1 | 1u << 9 } },
    { "hv-crash", HYPERV_CRASH, 0, { [FEATURES_EDX] = 1u << 10 } },
    { "hv-reset", HYPERV_RESET, 0, { [FEATURES_EAX] = 1u << 7 } },
    { "hv-frequencies",
      HYPERV_FREQUENCIES,
      0,
      { [FEATURES_EAX] = 1u << 11, [FEATURES_EDX] = 1u << 8 } },
    { "hv-synic",
      HYPERV_SYNIC,
      HYPERV_VPINDEX,
      { [FEATURES_EAX] = 1u << 2, [FEATURES_EBX] = 1u << 4 | 1u << 5 } },
    { "hv-stimer", HYPERV_STIMER, HYPERV_SYNIC | HYPERV_TIME, { [FEATURES_EAX] = 1u << 3 } },
    { "hv-tlbflush", HYPERV_TLBFLUSH, HYPERV_VPINDEX, { [ADVICE_EAX] = 1u << 2 | 1u << 11 } },
    { "hv-ipi", HYPERV_IPI, HYPERV_VPINDEX, { [ADVICE_EAX] = 1u << 10 | 1u << 11 } },
    { "hv-spinlocks", HYPERV_SPINLOCKS, 0, { 0 } },
};

#define PARTS (sizeof(parts) / sizeof(parts[0]))

uint32_t hyperv_by_name(const char *name)
{
    if (strncmp(name, "hv-", 3) && strncmp(name, "hv_", 3))
        return 0;
    for (unsigned i = 0; i < PARTS; i++) {
        if (!strcmp(name + 3, parts[i].name + 3))
            return parts[i].bit;
    }
    return 0;
}

const char *hyperv_name(uint32_t bits)
{
    for (unsigned i = 0; i < PARTS; i++) {
        if (bits & parts[i].bit)
            return parts[i].name;
    }
    return "";
}

int hyperv_check(uint32_t wanted, struct err *err)
{
    for (unsigned i = 0; i < PARTS; i++) {
        uint32_t missing = parts[i].needs & ~wanted;

        if (wanted & parts[i].bit && missing)
            return err_set(err, -EINVAL, "%s needs %s; give that too", parts[i].name,
                           hyperv_name(missing));
    }
    return 0;
}

static void words_of(const struct kvm_cpuid2 *can, uint32_t word[WORDS])
{
    memset(word, 0, WORDS * sizeof(word[0]));
    for (unsigned i = 0; i < can->nent; i++) {
        const struct kvm_cpuid_entry2 *e = &can->entries[i];

        if (e->function == HYPERV_FIRST + 3) {
            word[FEATURES_EAX] = e->eax;
            word[FEATURES_EBX] = e->ebx;
            word[FEATURES_EDX] = e->edx;
        } else if (e->function == HYPERV_FIRST + 4) {
            word[ADVICE_EAX] = e->eax;
        }
    }
}

uint32_t hyperv_leaves(uint32_t wanted, const struct kvm_cpuid2 *can,
                       struct kvm_cpuid_entry2 out[HYPERV_LEAVES])
{
    uint32_t able[WORDS], word[WORDS] = { HYPERCALLS }, missing = 0;

    words_of(can, able);
    for (unsigned i = 0; i < PARTS; i++) {
        bool fits = !(parts[i].needs & missing);

        for (unsigned w = 0; w < WORDS; w++)
            fits &= !(parts[i].word[w] & ~able[w]);
        if (!(wanted & parts[i].bit))
            continue;
        if (!fits)
            missing |= parts[i].bit;
        for (unsigned w = 0; fits && w < WORDS; w++)
            word[w] |= parts[i].word[w];
    }
    memset(out, 0, HYPERV_LEAVES * sizeof(out[0]));
    for (unsigned i = 0; i < HYPERV_LEAVES; i++)
        out[i].function = HYPERV_FIRST + i;
    out[0].eax = HYPERV_FIRST + HYPERV_LEAVES - 1;
    out[0].ebx = VENDOR_EBX;
    out[0].ecx = VENDOR_ECX;
    out[0].edx = VENDOR_EDX;
    out[1].eax = INTERFACE;
    out[2].eax = BUILD;
    out[2].ebx = VERSION;
    out[3].eax = word[FEATURES_EAX];
    out[3].ebx = word[FEATURES_EBX];
    out[3].edx = word[FEATURES_EDX];
    out[4].eax = word[ADVICE_EAX];
    out[4].ebx = SPIN_FOR_EVER;
    out[5].eax = out[5].ebx = VPS_MAX;
    return missing;
}
