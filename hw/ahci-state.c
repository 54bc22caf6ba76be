/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AHCI: the state table, and which states a guest can bring about. */
#include "hw/ahci-int.h"
#include "hw/ide-state.h"

#define F(m, ...) FIELD(struct ahci, m, __VA_ARGS__)
#define A(m, ...) ARRAY(struct ahci, m, __VA_ARGS__)

/* clang-format off */
#define PORT_FIELDS(n)                                                                             \
    IDE_CHAN_FIELDS(struct ahci, port[n].ch, AHCI_REGION),                                         \
    IDE_UNIT_FIELDS(struct ahci, port[n].unit),                                                    \
    F(port[n].clb, .bits = ~0x3ffULL), F(port[n].fb, .bits = ~0xffULL),                            \
    F(port[n].table, .bits = ~0x7fULL), F(port[n].log_lba, .max = 1ULL << 48),                     \
    A(port[n].tag_lba, .max = 1ULL << 48), A(port[n].tag_table, .bits = ~0x7fULL),                 \
    A(port[n].tag_addr), A(port[n].tag_left, .max = 65536),                                        \
    A(port[n].tag_next, .max = 65535 * AHCI_PRD), A(port[n].tag_rest, .max = AHCI_REGION),         \
    F(port[n].is, .bits = IS_W1C), F(port[n].ie, .bits = IE_BITS),                                 \
    F(port[n].cmd, .bits = CMD_BITS), F(port[n].sig), F(port[n].sctl, .bits = SCTL_BITS),          \
    F(port[n].serr, .bits = SERR_PROTO | SERR_PHYRDY | SERR_EXCHANG),                              \
    F(port[n].sact), F(port[n].ci), F(port[n].prd_high), F(port[n].moved),                         \
    A(port[n].tag_prds), F(port[n].tfd), F(port[n].prds),                                          \
    F(port[n].slot, .max = AHCI_NO_SLOT), F(port[n].ccs, .max = AHCI_SLOTS - 1),                   \
    F(port[n].last, .max = AHCI_SLOTS - 1), F(port[n].log_tag, .bits = LOG_NQ | 0x1f),             \
    F(port[n].log_status), F(port[n].log_error), A(port[n].tag_flags), A(port[n].acmd),            \
    F(port[n].fis_due), F(port[n].halted), F(port[n].lost), F(port[n].overflow),                   \
    F(port[n].fault), F(port[n].asked)
/* clang-format on */

const struct field ahci_fields[] = { F(ghc, .bits = 0x80000002),
                                     F(is, .bits = (1u << AHCI_PORTS) - 1),
                                     F(index, .bits = 0xffc),
                                     F(sent),
                                     A(spare),
                                     PORT_FIELDS(0),
                                     PORT_FIELDS(1),
                                     PORT_FIELDS(2),
                                     PORT_FIELDS(3),
                                     PORT_FIELDS(4),
                                     PORT_FIELDS(5),
                                     FIELDS_END };

/* A queued command has something to do, and a table that it may still be within. */
static bool check_tag(const struct ahci_port_state *s, unsigned i)
{
    uint8_t flags = s->tag_flags[i];

    if (!flags)
        return !s->tag_left[i];
    if (!(flags & TAG_ACTIVE) || s->tag_next[i] % AHCI_PRD ||
        s->tag_next[i] / AHCI_PRD > s->tag_prds[i])
        return false;
    if ((flags & (TAG_FLUSH | TAG_THROUGH)) && !(flags & TAG_WRITE))
        return false;
    return flags & TAG_FLUSH ? (flags & TAG_THROUGH) && !s->tag_left[i] : s->tag_left[i] != 0;
}

/* Queued commands are a running disk's, and not beside another command. */
static bool check_tags(const struct ahci_port_state *s, const struct ide_unit *u)
{
    bool any = false;

    for (unsigned i = 0; i < AHCI_SLOTS; i++) {
        if (!check_tag(s, i))
            return false;
        any |= s->tag_flags[i];
    }
    return !any || (u->kind == IDE_DISK && !s->unit.gone && s->slot == AHCI_NO_SLOT &&
                    (s->cmd & CMD_ST) && !s->halted);
}

static bool check_port(const struct ahci_port_state *s, const struct ide_unit *u)
{
    if (!ide_check_chan(&s->ch, u, &s->unit) || !ide_check_unit(&s->unit) || !check_tags(s, u))
        return false;
    if (s->ch.active || (s->ch.device & DEV_1))
        return false;
    if (s->slot == AHCI_NO_SLOT && s->ch.phase != PH_IDLE)
        return false;
    if (s->slot != AHCI_NO_SLOT && (!(s->cmd & CMD_ST) || s->halted || !u->kind || s->unit.gone))
        return false;
    if (s->ch.phase == PH_IN || s->ch.phase == PH_OUT || s->ch.phase == PH_PACKET)
        return false; /* moved at once, never seen */
    return (s->cmd & CMD_ST) || !(s->ci | s->sact);
}

bool ahci_check(const struct device *dev)
{
    const struct ahci *a = container_of(dev, const struct ahci, host.pci.dev);

    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        if (!check_port(&a->s.port[i], &a->unit[i]))
            return false;
    }
    for (unsigned i = 0; i < sizeof(a->s.spare); i++) {
        if (a->s.spare[i])
            return false;
    }
    return true;
}
