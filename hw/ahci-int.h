/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/ahci-int.h: what the files of the AHCI controller share: ahci.c (PCI, the
 * registers of the whole, interrupts), ahci-port.c (a port's registers, its
 * link, received FISes), ahci-cmd.c (commands one at a time), ahci-ncq.c (and
 * many at once), ahci-state.c. Section numbers are of AHCI 1.3.1.
 */
#pragma once
#include "hw/ide-int.h"

#define AHCI_PORTS   6
#define AHCI_SLOTS   32
#define AHCI_NO_SLOT AHCI_SLOTS
#define AHCI_BOUNCE  (64u << 10) /* largest queued request that is not straight to guest memory */
#define AHCI_REGION  0x400000    /* largest region of a table entry (§4.2.3.3) */
#define AHCI_PRD     16          /* bytes of an entry */
#define AHCI_ACMD    16          /* bytes of the table's room for a packet */

/* Offsets of a port's registers (§3.3) */
enum {
    PX_CLB = 0x00,
    PX_CLBU = 0x04,
    PX_FB = 0x08,
    PX_FBU = 0x0c,
    PX_IS = 0x10,
    PX_IE = 0x14,
    PX_CMD = 0x18,
    PX_TFD = 0x20,
    PX_SIG = 0x24,
    PX_SSTS = 0x28,
    PX_SCTL = 0x2c,
    PX_SERR = 0x30,
    PX_SACT = 0x34,
    PX_CI = 0x38,
    PX_END = 0x80
};

/* PxIS and PxIE (§3.3.5) */
#define IS_DHRS 0x00000001 /* a register FIS */
#define IS_PSS  0x00000002 /* a PIO setup FIS */
#define IS_DSS  0x00000004
#define IS_SDBS 0x00000008 /* a set device bits FIS */
#define IS_UFS  0x00000010
#define IS_DPS  0x00000020 /* a table entry that asks for it was used */
#define IS_PCS  0x00000040 /* shows PxSERR.DIAG.X */
#define IS_PRCS 0x00400000 /* shows PxSERR.DIAG.N */
#define IS_OFS  0x01000000 /* more data than the table has room for */
#define IS_IFS  0x08000000 /* the drive refused a FIS */
#define IS_HBFS 0x20000000 /* guest memory that is none */
#define IS_TFES 0x40000000 /* the drive says error */
#define IS_W1C  (IS_DHRS | IS_PSS | IS_DSS | IS_SDBS | IS_DPS | IS_OFS | IS_IFS | IS_HBFS | IS_TFES)
#define IE_BITS 0x7d4000ff /* IS_W1C, PCS, PRCS and what never happens here */

/* PxCMD (§3.3.7) */
#define CMD_ST    0x00000001
#define CMD_SUD   0x00000002
#define CMD_POD   0x00000004
#define CMD_CLO   0x00000008
#define CMD_FRE   0x00000010
#define CMD_FR    0x00004000
#define CMD_CR    0x00008000
#define CMD_ATAPI 0x01000000
#define CMD_DLAE  0x02000000
#define CMD_BITS  (CMD_ST | CMD_FRE | CMD_ATAPI | CMD_DLAE)

#define SCTL_DET     0x00f
#define SCTL_BITS    0xfff
#define DET_RESET    1
#define DET_OFFLINE  4
#define SERR_PROTO   0x00000400 /* ERR.P */
#define SERR_PHYRDY  0x00010000 /* DIAG.N */
#define SERR_EXCHANG 0x04000000 /* DIAG.X */

#define TFD_NONE 0x007f /* no drive has said anything yet */
#define SIG_NONE 0xffffffff

/* Where a tag stands: flags of s.tag_flags[]; 0: free */
#define TAG_ACTIVE  0x01
#define TAG_WRITE   0x02
#define TAG_THROUGH 0x04 /* flush before it is done */
#define TAG_FLUSH   0x08 /* the data has moved */
#define TAG_HELD    0x10 /* failed; waits for ide_retry() */
#define TAG_SINGLE  0x20 /* after an error: sector by sector, to find it */
#define TAG_LAST    0x40 /* the current table entry is the last */
#define TAG_ASKED   0x80 /* a table entry asks for an interrupt */

#define LOG_NQ 0x80 /* s.log_tag: it was not a queued command */

struct ahci_port_state {
    struct ide_chan_state ch;
    struct ide_unit_state unit;
    uint64_t clb, fb; /* command list, received FISes */
    uint64_t table;   /* the running command's: its address */
    uint64_t log_lba; /* log 10h: of the last queued command that failed */
    uint64_t tag_lba[AHCI_SLOTS], tag_table[AHCI_SLOTS], tag_addr[AHCI_SLOTS];
    uint32_t tag_left[AHCI_SLOTS];                       /* sectors */
    uint32_t tag_next[AHCI_SLOTS], tag_rest[AHCI_SLOTS]; /* in the table: see dma_cursor */
    uint32_t is, ie, cmd, sig, sctl, serr, sact, ci;
    uint32_t prd_high; /* upper half of ch.prd_addr */
    uint32_t moved;    /* bytes of the running command */
    uint16_t tag_prds[AHCI_SLOTS];
    uint16_t tfd, prds;      /* prds: entries of the running command's table */
    uint8_t slot, ccs, last; /* running, or AHCI_NO_SLOT; for PxCMD; the last that was begun */
    uint8_t log_tag, log_status, log_error;
    uint8_t tag_flags[AHCI_SLOTS];
    uint8_t acmd[AHCI_ACMD];
    bool fis_due;  /* the drive's signature waits for PxCMD.FRE */
    bool halted;   /* an error; until PxCMD.ST falls */
    bool lost;     /* the drive sleeps or is held in reset: it does not answer */
    bool overflow; /* the running command's table was too short */
    bool fault;    /* ... or points to what is no memory */
    bool asked;
};

struct ahci;
struct ahci_port;

struct ahci_tag { /* a queued command's request */
    struct dma_table table;
    struct ahci_port *port;
    struct block_req req;
    struct iovec *iov;     /* IDE_SG; guest memory or the bounce buffer */
    uint8_t *bounce;       /* AHCI_BOUNCE bytes */
    struct dma_cursor cur; /* behind a request that was given guest memory, or a write's data */
    int niov;
    uint32_t n; /* its sectors */
    uint8_t index;
    bool pinned, direct;
    bool live; /* s wants what req brings; else it is stale */
};

struct ahci_port {
    struct ahci *ahci;
    struct ahci_port_state *s;
    struct ide_chan *ch;
    struct ide_unit *u;
    struct ahci_tag *tag; /* AHCI_SLOTS; NULL where there is no disk */
    uint8_t index;
    bool stepping, closing;
    bool copies; /* the host's I/O cannot use guest memory */
};

struct ahci {
    struct ide_host host;
    struct ide_chan ch[AHCI_PORTS];
    struct ide_unit unit[AHCI_PORTS];
    struct ahci_port port[AHCI_PORTS];
    struct {
        uint32_t ghc, is, index; /* index: of the I/O ports' window */
        bool sent;               /* a message for what is pending */
        uint8_t spare[3];        /* zero */
        struct ahci_port_state port[AHCI_PORTS];
    } s;
};

static inline struct ahci_port *ahci_port_of(const struct ide_chan *ch)
{
    struct ahci *a = container_of(ch->host, struct ahci, host);

    return &a->port[ch - a->ch];
}

/* Is there a drive at the other end, and is the link up? */
static inline bool ahci_linked(const struct ahci_port *p)
{
    unsigned det = p->s->sctl & SCTL_DET;

    return p->u->ops && det != DET_RESET && det != DET_OFFLINE;
}

/* ---- ahci.c ---- */
void ahci_irq(struct ahci *a);
/* Guest memory by 64-bit addresses, which must not wrap. False: not RAM, or no bus mastering. */
must_check bool ahci_read(struct ahci *a, uint64_t gpa, void *dst, size_t len);
must_check bool ahci_write(struct ahci *a, uint64_t gpa, const void *src, size_t len);

/* ---- ahci-port.c ---- */
uint32_t ahci_port_read(struct ahci_port *p, unsigned reg);
void ahci_port_write(struct ahci_port *p, unsigned reg, uint32_t val);
void ahci_port_reset(struct ahci_port *p);         /* GHC.HR, and after power-on */
void ahci_port_drop(struct ide_chan *ch);          /* the drive leaves */
bool ahci_port_lingers(const struct ahci_port *p); /* requests that nobody wants any more */
/* An error that is no drive's: PxIS bit; commands stop until PxCMD.ST falls. */
void ahci_port_halt(struct ahci_port *p, uint32_t is);
/* Received FISes; the port's and the drive's registers say what is in them (§4.2.1, SATA §10). */
void ahci_fis_register(struct ahci_port *p, bool interrupt);
void ahci_fis_pio(struct ahci_port *p, bool in, bool last, uint32_t bytes);
void ahci_fis_dma(struct ahci_port *p, unsigned tag, bool in, uint32_t bytes);
void ahci_fis_bits(struct ahci_port *p, uint8_t status, uint8_t error, uint32_t done);
void ahci_signature(struct ahci_port *p); /* the drive's, when it can be received */

/* ---- ahci-cmd.c ---- */
extern const struct ide_transport ahci_transport;
bool ahci_fetch(struct dma_table *t, struct dma_cursor *cur);
bool ahci_prd_fetch(struct ahci *a, uint64_t table, uint32_t entries, struct dma_cursor *cur);

/* ---- ahci-ncq.c ---- */
int ahci_ncq_init(struct ahci_port *p, struct err *err);
void ahci_ncq_fini(struct ahci_port *p);
bool ahci_ncq_active(const struct ahci_port *p); /* commands in flight, or held */
bool ahci_ncq_lingers(const struct ahci_port *p);
/* The queued command in slot; its FIS is in the unit's registers. */
void ahci_ncq_issue(struct ahci_port *p, unsigned slot, const uint8_t *fis, uint64_t table,
                    uint16_t prds);
void ahci_ncq_resume(struct ahci_port *p); /* starts the I/O that s asks for */
void ahci_ncq_stop(struct ahci_port *p);   /* forgets them all */
void ahci_ncq_drain(struct ahci_port *p);  /* waits for the stale ones */
void ahci_ncq_retry(struct ide_chan *ch);
/* A command that breaks the rules of queuing (SATA §13.6.3): all are aborted. */
void ahci_ncq_broken(struct ahci_port *p, unsigned tag);
bool ahci_ncq_log(struct ide_chan *ch, uint8_t *page); /* READ LOG EXT, page 10h */

/* ---- ahci-state.c ---- */
extern const struct field ahci_fields[];
bool ahci_check(const struct device *dev);
