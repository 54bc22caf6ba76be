/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest on KVM is told of its processor, and of Hyper-V. */
#include <string.h>
#include "control/args.h"
#include "ioreq/hyperv.h"
#include "ioreq/kvm-cpuid.h"
#include "tests/unit/qt.h"

static void add(struct cpuid *id, uint32_t function, uint32_t index, uint32_t all)
{
    struct kvm_cpuid_entry2 *e = &id->entries[id->head.nent++];

    *e = (struct kvm_cpuid_entry2){ .function = function, .index = index };
    e->eax = e->ebx = e->ecx = e->edx = all;
}

static const struct kvm_cpuid_entry2 *find(const struct cpuid *id, uint32_t function,
                                           uint32_t index)
{
    for (unsigned i = 0; i < id->head.nent; i++) {
        if (id->entries[i].function == function && id->entries[i].index == index)
            return &id->entries[i];
    }
    CHECK(!"no such leaf");
    return NULL;
}

/* A machine that has everything. */
static void host(struct cpuid *id)
{
    memset(id, 0, sizeof(*id));
    for (uint32_t leaf = 0; leaf <= 0x1f; leaf++)
        add(id, leaf, 0, ~0u);
    add(id, 0xb, 1, ~0u);
    add(id, 0x40000000, 0, 0x40000001);
    add(id, 0x40000001, 0, 0x01007efb);
    for (uint32_t leaf = 0x80000000; leaf <= 0x80000022; leaf++)
        add(id, leaf, 0, ~0u);
}

TEST(what_is_unsafe_is_left_out)
{
    static struct cpuid id;
    const struct cpuid_wish w = { .index = 2, .cpus = 5 };

    host(&id);
    CHECK_EQ(kvm_cpuid_make(&id, &w, NULL), 0);
    CHECK_EQ(find(&id, 1, 0)->ecx & (1u << 3 | 1u << 5 | 1u << 6 | 1u << 15), 0);
    CHECK_EQ(find(&id, 1, 0)->ecx & 1, 1); /* SSE3 stays */
    CHECK_EQ(find(&id, 1, 0)->ecx >> 31, 1);
    CHECK_EQ(find(&id, 0x80000001, 0)->ecx & 1u << 2, 0);
    CHECK_EQ(find(&id, 7, 0)->ebx, ~(1u << 2 | 1u << 25));
    CHECK_EQ(find(&id, 0xa, 0)->eax, 0);
    CHECK_EQ(find(&id, 0x8000000a, 0)->edx, 0);
    CHECK_EQ(find(&id, 0x40000000, 0)->eax, 0x40000001); /* KVM's own stay where they are */
}

TEST(vcpus_are_cores_of_one_package)
{
    static struct cpuid id;

    for (unsigned cpus = 1; cpus <= 64; cpus++) {
        const struct cpuid_wish w = { .index = cpus - 1, .cpus = cpus };
        unsigned bits = 0;

        while (1u << bits < cpus)
            bits++;
        host(&id);
        kvm_cpuid_make(&id, &w, NULL);
        CHECK_EQ(find(&id, 1, 0)->ebx >> 24, cpus - 1);
        if (cpus > 1)
            CHECK_EQ(find(&id, 1, 0)->ebx >> 16 & 0xff, 1u << bits);
        CHECK_EQ(find(&id, 0xb, 0)->edx, cpus - 1);
        CHECK_EQ(find(&id, 0xb, 1)->ebx, cpus);
        CHECK_EQ(find(&id, 0xb, 1)->eax, bits);
        CHECK_EQ(find(&id, 0x80000008, 0)->ecx & 0xff, cpus - 1);
        CHECK_EQ(find(&id, 0x80000008, 0)->ecx >> 12, bits);
        CHECK_EQ(find(&id, 0x8000001e, 0)->eax, cpus - 1);
    }
}

/* As the kernel answers, all or without some bit. */
static void kvm_offers(struct cpuid *can, uint32_t features, uint32_t advice)
{
    memset(can, 0, sizeof(*can));
    add(can, 0x40000003, 0, ~0u);
    can->entries[0].eax = features;
    add(can, 0x40000004, 0, advice);
}

TEST(hyperv_stands_before_kvm)
{
    static struct cpuid id, can;
    const struct cpuid_wish w = { .cpus = 1,
                                  .hyperv = HYPERV_RELAXED | HYPERV_VPINDEX | HYPERV_TIME };
    const struct kvm_cpuid_entry2 *e;

    host(&id);
    kvm_offers(&can, ~0u, ~0u);
    CHECK_EQ(kvm_cpuid_make(&id, &w, &can.head), 0);
    e = find(&id, 0x40000000, 0);
    CHECK(!memcmp(&e->ebx, "Microsoft Hv", 12));
    CHECK_EQ(e->eax, 0x40000005);
    CHECK(!memcmp(&find(&id, 0x40000001, 0)->eax, "Hv#1", 4));
    /* the reference counter and its page, hypercalls, the vCPU's number; no more */
    CHECK_EQ(find(&id, 0x40000003, 0)->eax, 1u << 1 | 1u << 5 | 1u << 6 | 1u << 9);
    CHECK_EQ(find(&id, 0x40000003, 0)->edx, 0);
    CHECK_EQ(find(&id, 0x40000004, 0)->eax, 1u << 5);
    CHECK_EQ(find(&id, 0x40000100, 0)->eax, 0x40000101);
    CHECK_EQ(find(&id, 0x40000101, 0)->eax, 0x01007efb);
}

TEST(what_kvm_lacks_is_said)
{
    static struct cpuid id, can;
    struct cpuid_wish w = { .cpus = 1 };

    w.hyperv = HYPERV_VPINDEX | HYPERV_TIME | HYPERV_SYNIC | HYPERV_STIMER | HYPERV_TLBFLUSH;
    host(&id);
    kvm_offers(&can, ~(1u << 2), ~(1u << 2)); /* no synthetic interrupts, no flushing */
    CHECK_EQ(kvm_cpuid_make(&id, &w, &can.head), HYPERV_SYNIC | HYPERV_STIMER | HYPERV_TLBFLUSH);
    CHECK_EQ(find(&id, 0x40000003, 0)->eax & (1u << 2 | 1u << 3), 0);
    CHECK_EQ(find(&id, 0x40000004, 0)->eax, 0);
    host(&id);
    CHECK_EQ(kvm_cpuid_make(&id, &w, NULL), w.hyperv); /* a kernel that has nothing */
    CHECK_EQ(find(&id, 0x40000003, 0)->eax, 1u << 5);
    id.head.nent = CPUID_MAX - 2; /* there is no room */
    CHECK_EQ(kvm_cpuid_make(&id, &w, &can.head), w.hyperv);
    CHECK_EQ(id.head.nent, CPUID_MAX - 2);
}

/* "" or the message; *a is for args_free(). */
static const char *line(struct vm_args *a, const char *words)
{
    static struct err err;
    char text[300], *argv[20], *save = NULL;
    int argc = 0;

    snprintf(text, sizeof(text), "%s", words);
    for (char *w = strtok_r(text, " ", &save); w; w = strtok_r(NULL, " ", &save))
        argv[argc++] = w;
    err.msg[0] = 0;
    return args_parse(a, argc, argv, &err) ? err.msg : "";
}

static const struct {
    const char *words, *says;
    uint32_t hyperv;
    uint64_t page;
} lines[] = {
    { "dm -accel kvm -cpu host", "", 0, 0 },
    { "dm -accel kvm -cpu host,hv-relaxed,hv_vpindex=on,hv-time", "",
      HYPERV_RELAXED | HYPERV_VPINDEX | HYPERV_TIME, 0 },
    { "dm -accel kvm -cpu host,hv-time,hv-time,hv-spinlocks=0x1fff", "",
      HYPERV_TIME | HYPERV_SPINLOCKS, 0 },
    { "dm -accel kvm -cpu host,hv-relaxed,hv-relaxed=off", "", 0, 0 },
    { "dm -accel kvm -cpu host,hv-evmcs", "-cpu hv-evmcs: not supported; leave it out", 0, 0 },
    { "dm -accel kvm -cpu host,hv-stimer,hv-time", "hv-stimer needs hv-synic; give that too", 0,
      0 },
    { "dm -accel kvm -m 64 -object memory-backend-memfd,id=r,size=64M,hugetlb=on "
      "-machine pc,memory-backend=r",
      "", 0, 2u << 20 },
    { "dm -accel kvm -m 1024 -object memory-backend-memfd,id=r,size=1G,hugetlb=on,hugetlbsize=1G "
      "-machine pc,memory-backend=r",
      "", 0, 1u << 30 },
    { "dm -accel kvm -m 64 -object memory-backend-ram,id=r -machine memory-backend=r", "", 0, 0 },
    { "dm -accel kvm -m 64 -object memory-backend-memfd,id=r,hugetlb=on", "", 0, 0 },
    { "dm -accel kvm -m 64 -machine memory-backend=r",
      "-machine memory-backend=r: there is no such -object", 0, 0 },
    { "dm -accel kvm -m 64 -object memory-backend-ram,id=r,size=65M -machine memory-backend=r",
      "-object id=r: size=65M must be what -m says", 0, 0 },
    { "dm -accel kvm -m 65 -object memory-backend-memfd,id=r,hugetlb=on -machine memory-backend=r",
      "-m: must be a multiple of hugetlbsize=2M", 0, 0 },
    { "dm -accel kvm -object memory-backend-memfd,id=r,hugetlb=on,hugetlbsize=4M",
      "-object hugetlbsize=4M: must be 2M or 1G", 0, 0 },
    { "dm -accel kvm -object memory-backend-memfd,hugetlb=on",
      "-object memory-backend-memfd: id= is missing", 0, 0 },
    { "dm -xen-domid 1 -object memory-backend-memfd,id=r,hugetlb=on -machine memory-backend=r",
      "-object hugetlb=on: the guest's memory is Xen's", 0, 0 },
};

TEST(the_command_line_asks_for_it)
{
    for (unsigned i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct vm_args a = { 0 };
        const char *says = line(&a, lines[i].words);

        if (strcmp(says, lines[i].says))
            printf("%s: %s\n", lines[i].words, says);
        CHECK(!strcmp(says, lines[i].says));
        if (!*says) {
            CHECK_EQ(a.hyperv, lines[i].hyperv);
            CHECK_EQ(a.huge_page, lines[i].page);
        }
        args_free(&a);
    }
}
