/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest memory of a Xen domain: the cache of mappings, and what is lent. Xen's library is played.
 */
#include "ioreq/guest-mem.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xendevicemodel.h>
#include <xenforeignmemory.h>
#include "tests/unit/qt.h"

#define MIB (1ULL << 20)

static struct {
    unsigned mapped;      /* mappings that exist now */
    unsigned dirty_first; /* of the last report */
    unsigned dirty_pages;
    uint64_t hole; /* page without RAM */
} fake;

/* Machine pages come from an address-addressed file, so that two mappings of a page are one. */
void *xenforeignmemory_map(xenforeignmemory_handle *fmem, uint32_t dom, int prot, size_t pages,
                           const xen_pfn_t arr[], int err[])
{
    static int fd = -1;
    void *p;

    if (fd < 0)
        fd = memfd_create("ram", MFD_CLOEXEC);
    CHECK(ftruncate(fd, 1LL << 34) == 0);
    p = mmap(NULL, pages << 12, prot, MAP_SHARED, fd, arr[0] << 12);
    CHECK(p != MAP_FAILED);
    for (size_t i = 0; i < pages; i++)
        err[i] = arr[i] == fake.hole ? -EINVAL : 0;
    fake.mapped++;
    return p;
}

int xenforeignmemory_unmap(xenforeignmemory_handle *fmem, void *addr, size_t pages)
{
    CHECK(munmap(addr, pages << 12) == 0);
    fake.mapped--;
    return 0;
}

int xendevicemodel_modified_memory(xendevicemodel_handle *dmod, domid_t domid, uint64_t first,
                                   uint32_t nr)
{
    fake.dirty_first = first;
    fake.dirty_pages = nr;
    return 0;
}

static struct guest_mem *mem_new(void)
{
    memset(&fake, 0, sizeof(fake));
    fake.hole = ~0ULL;
    return guest_mem_new(NULL, NULL, 1);
}

TEST(lent_memory_survives_an_invalidation)
{
    struct guest_mem *m = mem_new();
    uint64_t got = 0;
    char buf[8] = "";
    char *p = guest_mem_pin(m, 5 * MIB + 100, 4096, &got);

    CHECK(p && got == 4096);
    guest_mem_drop(m);
    CHECK_EQ(fake.mapped, 1);
    strncpy(p, "hello", 6);
    CHECK_EQ(guest_mem_copy(m, 5 * MIB + 100, buf, 6, false), 0);
    CHECK(!strcmp(buf, "hello"));
    CHECK_EQ(fake.mapped, 2); /* the lent one is no longer found */
    guest_mem_unpin(m, p, 4096, true);
    CHECK_EQ(fake.mapped, 1);
    CHECK_EQ(fake.dirty_pages, 0); /* nobody logs */
    guest_mem_free(m);
    CHECK_EQ(fake.mapped, 0);
}

TEST(lent_memory_survives_eviction)
{
    struct guest_mem *m = mem_new();
    uint64_t got;
    char c = 1;
    char *p = guest_mem_pin(m, 3 * MIB, 100, &got);
    char *q = guest_mem_pin(m, 3 * MIB + 50, 100, &got); /* the same mapping again */

    CHECK(p + 50 == q);
    CHECK_EQ(guest_mem_copy(m, 259 * MIB, &c, 1, true), 0); /* takes its place in the cache */
    CHECK_EQ(fake.mapped, 2);
    guest_mem_unpin(m, p, 100, false);
    CHECK_EQ(fake.mapped, 2);
    q[0] = 2;
    guest_mem_unpin(m, q, 100, false);
    CHECK_EQ(fake.mapped, 1);
    guest_mem_free(m);
    CHECK_EQ(fake.mapped, 0);
}

TEST(what_is_given_back_in_time_stays_cached)
{
    struct guest_mem *m = mem_new();
    uint64_t got;

    for (int i = 0; i < 3; i++)
        guest_mem_unpin(m, guest_mem_pin(m, MIB, 100, &got), 100, true);
    CHECK_EQ(fake.mapped, 1);
    guest_mem_log_dirty(m, true);
    guest_mem_unpin(m, guest_mem_pin(m, MIB + 4000, 200, &got), 200, true);
    CHECK_EQ(fake.dirty_first, 256);
    CHECK_EQ(fake.dirty_pages, 2);
    guest_mem_free(m);
}

TEST(holes_ends_and_how_much_can_be_lent)
{
    struct guest_mem *m = mem_new();
    void *lent[64];
    uint64_t got;

    fake.hole = 258;
    CHECK(guest_mem_pin(m, MIB + 4096, 65536, &got) != NULL);
    CHECK_EQ(got, 4096); /* up to the hole */
    CHECK(guest_mem_pin(m, MIB + 8192, 1, &got) == NULL);
    CHECK(guest_mem_pin(m, 1ULL << 52, 1, &got) == NULL);
    CHECK(guest_mem_pin(m, 2 * MIB - 4, 65536, &got) != NULL);
    CHECK_EQ(got, 4); /* up to the end of the chunk */
    for (unsigned i = 0; i < 62; i++) {
        lent[i] = guest_mem_pin(m, (10 + i) * MIB, 1, &got);
        CHECK(lent[i] != NULL);
    }
    CHECK(guest_mem_pin(m, 100 * MIB, 1, &got) == NULL); /* then devices copy */
    guest_mem_unpin(m, lent[7], 1, false);
    CHECK(guest_mem_pin(m, 100 * MIB, 1, &got) != NULL);
    guest_mem_free(m);
    CHECK_EQ(fake.mapped, 0);
}
