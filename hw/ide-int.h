/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hw/ide-int.h: what the files of the controllers with ATA drives share.
 * Drives and their data: ide-unit.c (what a drive was told), ide-media.c,
 * ide-xfer.c and ide-io.c (data between medium and guest), ata*.c (the disk's
 * commands), atapi*.c (the CD drive's), ide-dma.c (walks of a table of guest
 * memory). Controllers, each a struct ide_host with its struct ide_transport:
 * the PIIX3's ide.c with bmdma.c, and ahci*.c (hw/ahci-int.h).
 */
#pragma once
#include "block/block.h"
#include "hw/core/state.h"
#include "hw/ide.h"

#define IDE_SECTOR        512
#define IDE_BUF           8192         /* largest DRQ block, and reply */
#define IDE_BOUNCE        (128u << 10) /* largest request to a medium */
#define IDE_DIRECT        (4u << 20)   /* the same into guest memory; a multiple of all sectors */
#define IDE_SG            512          /* pieces of that: at least what a walk of the PRDs gives */
#define IDE_TRIM          8 /* bytes of an entry of TRIM: 48 bits of address, 16 of count */
#define IDE_PACKET        12
#define IDE_RAW           2352                   /* a CD sector with its sync, header and ECC */
#define SMART_ERRORS      5                      /* entries of the error log */
#define SMART_ERROR_BYTES 12                     /* see ata-smart.c */
#define SMART_TESTS       21                     /* entries of the self-test log */
#define IDE_CD_MAX        (IDE_RAW + 296 + 96)   /* ... with C2 flags and subchannels */
#define IDE_MAX_MUL       (IDE_BUF / IDE_SECTOR) /* sectors per DRQ block, READ MULTIPLE */

/* Status register (ATA/ATAPI-7 §5.14) */
#define ST_ERR  0x01
#define ST_DRQ  0x08
#define ST_DSC  0x10
#define ST_DF   0x20
#define ST_DRDY 0x40
#define ST_BSY  0x80

/* Error register */
#define ER_ABRT 0x04
#define ER_IDNF 0x10
#define ER_UNC  0x40 /* on a write: write protected */

/* Device register */
#define DEV_HEAD 0x0f
#define DEV_1    0x10
#define DEV_LBA  0x40

/* Device control register */
#define CTL_NIEN 0x02
#define CTL_SRST 0x04
#define CTL_HOB  0x80

/* ATAPI: the sector count register is the interrupt reason */
#define REASON_CD 0x01
#define REASON_IO 0x02

/* Bus master registers (82371SB §2.7) */
#define BM_START   0x01
#define BM_TO_RAM  0x08
#define BM_ACTIVE  0x01
#define BM_ERROR   0x02
#define BM_INT     0x04
#define BM_CAPABLE 0x60 /* drive 0/1 DMA capable: the BIOS's notes */

enum ide_kind { IDE_NONE, IDE_DISK, IDE_CD };

/* What a channel does. The active unit shows DRQ or BSY accordingly. */
enum ide_phase {
    PH_IDLE,
    PH_PACKET, /* DRQ: the guest writes a command packet into buf */
    PH_IN,     /* DRQ: the guest reads buf[pos, end) */
    PH_OUT,    /* DRQ: the guest writes buf[pos, end) */
    PH_READ,   /* BSY: sectors are fetched from the medium */
    PH_WRITE,  /* BSY: buf, or what the PRDs point to, goes to the medium */
    PH_FLUSH,  /* BSY: the medium's caches are written out */
    PH_DMA,    /* BSY: buf waits for the bus master */
    PH_TRIM,   /* BSY: the ranges in buf[pos, len) are discarded */
    PH_COUNT
};

struct ide_chan_state {
    uint64_t lba;                          /* next sector, in the medium's size */
    uint32_t left;                         /* sectors from there to the command's end */
    uint32_t seq;                          /* of the wish for I/O; tells stale completions */
    uint32_t pos, end, len;                /* in buf: the guest's place, DRQ block, content */
    uint32_t prd;                          /* bus master table register */
    uint32_t prd_next, prd_addr, prd_left; /* entry to fetch; the rest of the current one */
    uint16_t limit, per_drq;               /* of a DRQ block: bytes; sectors */
    uint16_t fields, sub, sector; /* READ CD: what of a sector, of subchannels; bytes of both */
    uint8_t device, control, active, phase;
    uint8_t bm_cmd, bm_status;
    bool line; /* INTRQ as last driven */
    bool dma, out, prd_last;
    bool single;                /* after an error: sector by sector, to find it */
    bool through;               /* flush before the command ends */
    bool held;                  /* a failed request waits for ide_retry() */
    bool verify;                /* what is read goes nowhere */
    bool raw;                   /* CD sectors as fields and sub want them */
    uint8_t command, packet[2]; /* opcode; the packet's first two bytes */
    uint8_t buf[IDE_BUF];
};

enum ide_attention { UA_NONE, UA_RESET, UA_ABSENT, UA_CHANGED, UA_COUNT };
enum ide_event { EV_NONE, EV_EJECT_REQUEST, EV_NEW_MEDIUM, EV_REMOVED, EV_COUNT };
enum ide_power { PM_ACTIVE, PM_IDLE, PM_STANDBY, PM_SLEEP, PM_COUNT };

struct ide_unit_state {
    struct timer standby; /* of the power management feature set */
    uint64_t max;         /* sectors, by SET MAX ADDRESS; 0: all */
    uint16_t err_count;   /* SMART: errors so far */
    uint16_t speed;       /* CD, kB/s; 0: the fastest */
    /* Command block registers: [0] current, [1] the one before (read with HOB) */
    uint8_t feature[2], count[2], low[2], mid[2], high[2];
    uint8_t status, error;
    uint8_t heads, secs; /* CHS translation in effect */
    uint8_t multiple;    /* sectors per block, 0: not set */
    uint8_t xfer_mode;   /* as SET FEATURES 03h has it */
    uint8_t power;       /* enum ide_power */
    bool intrq, wcache, look_ahead, smart, smart_save;
    bool gone; /* unplugged for good */
    /* CD drive */
    uint8_t sense_key, asc, ascq;
    uint8_t attention, event; /* enum ide_attention, ide_event */
    bool tray_open, locked;
    /* Mode pages after their two header bytes */
    uint8_t page01[6], page0d[6], page0e[14], page1a[10];
    /* Disk */
    uint8_t standby_code;        /* the timer's period as STANDBY and IDLE gave it */
    bool native;                 /* the last command was READ NATIVE MAX ADDRESS (EXT) */
    uint8_t scratch[IDE_SECTOR]; /* READ, WRITE BUFFER */
    uint8_t err_log[SMART_ERRORS * SMART_ERROR_BYTES];
    uint8_t err_next;                  /* in err_log */
    uint8_t test_log[SMART_TESTS * 2]; /* subcommand, status */
    uint8_t test_last;                 /* its newest entry, from 1; 0: none */
};

struct ide;
struct ide_chan;
struct ide_unit;

enum xfer_fail {
    FAIL_IO,    /* the medium: err says what */
    FAIL_GONE,  /* there is no medium any more */
    FAIL_DMA,   /* the PRDs point to something that is no RAM */
    FAIL_SHORT, /* the PRDs end before the data does: no interrupt */
};

struct ide_unit_ops {                  /* what a kind of unit does */
    void (*reset)(struct ide_unit *u); /* hardware or SRST: signature, defaults */
    void (*command)(struct ide_unit *u, uint8_t cmd);
    void (*packet)(struct ide_unit *u);              /* buf holds IDE_PACKET bytes */
    void (*drq)(struct ide_unit *u, uint32_t bytes); /* buf[pos, pos + bytes) is being offered */
    void (*accepted)(struct ide_unit *u);            /* buf[0, len) has come from the guest */
    void (*cook)(struct ide_unit *u, uint64_t lba, const uint8_t *src, uint8_t *dst);
    void (*finished)(struct ide_unit *u);
    void (*failed)(struct ide_unit *u, enum xfer_fail why, int err);
};

/* A place in a table of regions of guest memory. */
struct dma_cursor {
    uint64_t addr;       /* the rest of the current entry: left bytes at addr */
    uint32_t next, left; /* next: of the entry to fetch, in the table's own way of counting */
    uint32_t walked;     /* entries fetched in this step: not of the state */
    uint32_t moved;      /* bytes since the table's begin */
    bool last;           /* the current entry is the last */
    bool asked;          /* an entry that was fetched asks for an interrupt */
};

struct dma_table {
    struct pci_func *pci;
    /* Fetches entry cur->next: addr, left (never 0), last, next, asked. False: it is not in RAM. */
    bool (*fetch)(struct dma_table *t, struct dma_cursor *cur);
};

enum dma_result { DMA_DONE, DMA_SHORT, DMA_ERROR };

struct ide_chan;

/* What is between a channel and the guest. */
struct ide_transport {
    /* Where the running command's data goes on, in s; and the new place. */
    struct dma_cursor (*cursor)(const struct ide_chan *ch);
    void (*commit)(struct ide_chan *ch, const struct dma_cursor *cur);
    bool (*active)(const struct ide_chan *ch);             /* may its data move now? */
    void (*end)(struct ide_chan *ch, enum dma_result how); /* it has moved, or cannot */
    void (*sync)(struct ide_chan *ch);                     /* after every step of a command */
    bool (*busy)(const struct ide_chan *ch);               /* commands besides s's; or NULL */
    void (*retry)(struct ide_chan *ch);                    /* of those; or NULL */
    void (*drop)(struct ide_chan *ch);                     /* of those; or NULL */
    void (*dropped)(struct ide_chan *ch);                  /* s's command is forgotten; or NULL */
    bool (*error_log)(struct ide_chan *ch, uint8_t *page); /* log 10h; NULL: no such log */
};

struct ide_unit {
    struct ide_unit_state *s;
    struct ide_chan *ch;
    const struct ide_unit_ops *ops; /* NULL: IDE_NONE */
    struct block *blk;              /* NULL: no medium */
    uint64_t blocks;                /* of the medium, in bsize */
    uint16_t bsize;                 /* 512 or 2048 */
    uint8_t kind, index;            /* index: 0 or 1 on the channel */
    uint8_t number;                 /* of the controller's units */
    bool writeback;
    uint8_t werror, rerror;     /* enum ide_action */
    uint64_t wwn;               /* 0: none */
    unsigned cyls, heads, secs; /* as configured; cyls 0: not */
    char serial[21], model[41], version[9];
};

struct ide_chan {
    struct ide_host *host;
    struct ide_chan_state *s;
    struct ide_unit *unit; /* two, or one where s.active and DEV_1 are never set */
    struct irq irq;
    struct dma_table table;
    uint8_t *bounce;    /* IDE_BOUNCE bytes; NULL on a channel without units */
    uint64_t ahead_lba; /* bounce holds these sectors of the running command */
    uint32_t ahead_n;
    struct block_req req;
    struct iovec iov[IDE_SG];
    int niov;
    bool pinned;                /* iov[] is guest memory that was lent for req */
    bool io_direct;             /* iov[] is, or was, guest memory */
    bool copies;                /* the host's I/O cannot use such memory */
    uint32_t seq, io_seq, io_n; /* io_*: what req was submitted for */
    uint8_t io_phase;
    bool closing;
    struct dma_cursor io_cursor; /* after a write's data was fetched */
};

struct ide_host { /* a PCI function with drives: first in its struct */
    struct pci_func pci;
    const struct ide_transport *tr;
    struct ide_chan *ch;
    struct ide_unit *unit;
    unsigned nch, nunits;
    const struct ide_events *events;
    void *events_arg;
    uint32_t gone; /* bit n: unit n was unplugged; outlives reset */
    bool sata;     /* its drives are Serial ATA's, with native command queuing */
};

struct ide { /* the PIIX3's */
    struct ide_host host;
    struct ide_chan ch[2];
    struct ide_unit unit[IDE_UNITS];
    struct {
        struct ide_chan_state ch[2];
        struct ide_unit_state unit[IDE_UNITS];
    } s;
};

extern const struct ide_unit_ops ata_ops, atapi_ops;
void ata_standby_fired(void *unit); /* of a timer */

static inline struct ide_unit *chan_active(struct ide_chan *ch)
{
    return &ch->unit[ch->s->active & 1];
}

static inline struct ide_unit *chan_selected(struct ide_chan *ch)
{
    return &ch->unit[ch->s->device & DEV_1 ? 1 : 0];
}

static inline struct device *ide_dev(struct ide_unit *u)
{
    return &u->ch->host->pci.dev;
}

static inline struct ide_host *ide_host_of(struct device *dev)
{
    return container_of(dev, struct ide_host, pci.dev);
}

/* ---- ide-unit.c ---- */
/*
 * Fills u from cfg's `key` ("drive0") and "KEY.kind", ...: see hw/ide.h. number and index are the
 * caller's; u->ch must be set. -errno and a line in err; ide_chan_fini() frees in any case.
 */
int ide_unit_init(struct ide_unit *u, const char *key, const struct config *cfg, struct err *err);
void ide_unit_reset(struct ide_unit *u); /* power-on: s is zero */
void ide_chan_fini(struct ide_chan *ch); /* cancels, waits, frees */
/* The command that the unit's registers hold begins. */
void ide_begin(struct ide_unit *u, uint8_t cmd);
/* What all commands end in. */
void ide_sync_chan(struct ide_chan *ch); /* every path into a channel ends here */
void ide_raise(struct ide_unit *u);      /* INTRQ pending */
/* The command is over: status, error, INTRQ. */
void ide_complete(struct ide_unit *u, uint8_t status, uint8_t error);
/* Signature: ATA/ATAPI-7 §5.2 (sector count, LBA low, mid, high). */
void ide_signature(struct ide_unit *u, uint8_t mid, uint8_t high);

/* ---- ide-media.c ---- */
void ide_set_medium(struct ide_unit *u, struct block *blk);
void ide_watch_medium(struct ide_unit *u, bool on); /* hear of its changes */
void ide_drop_gone(struct ide_host *host);          /* units that s says were unplugged */
/* Disks (no CD drives) from unit `first` on leave for good: hw/ide.h's ide_unplug(). */
void ide_unplug_from(struct ide_host *host, unsigned first);

/* ---- ide-state.c ---- */
extern const struct field ide_fields[];
bool ide_check(const struct device *dev);
/* Can a guest bring about this state of a channel, with that unit active? And of a unit? */
bool ide_check_chan(const struct ide_chan_state *s, const struct ide_unit *u,
                    const struct ide_unit_state *us);
bool ide_check_unit(const struct ide_unit_state *us);

/* ---- ide-io.c ---- */
/* What the unit's policy makes of an error, never IDE_ENOSPC; and telling who listens. */
enum ide_action ide_error_action(const struct ide_unit *u, bool write, int err);
void ide_error_event(struct ide_unit *u, bool write, int err, enum ide_action action);
/* A request that nobody wants any more still has guest memory: the channel is busy. */
bool xfer_lingers(const struct ide_chan *ch);
void xfer_resume(struct ide_chan *ch); /* start the I/O s asks for, if none is running */
/* The entry at buf[pos, pos + 8) of DATA SET MANAGEMENT's list. */
void xfer_trim_entry(const struct ide_chan *ch, uint32_t pos, uint64_t *lba, uint32_t *count);

/* ---- ide-xfer.c: all for the channel's active unit ---- */
/* buf[0, len) goes to the guest, by PIO or, with s.dma, by the bus master. */
void xfer_reply(struct ide_chan *ch, uint32_t len);
/* len bytes come from the guest into buf; then ops->accepted(). */
void xfer_accept(struct ide_chan *ch, uint32_t len);
/* Moves sectors s.lba to s.lba + s.left of the medium as s.out, s.dma and s.raw say. */
void xfer_media(struct ide_chan *ch);
void xfer_flush(struct ide_chan *ch);
void xfer_stop(struct ide_chan *ch); /* forget the command; what is in flight is stale */
void xfer_trim(struct ide_chan *ch); /* discard the ranges in buf[0, len) */
/* For ide-io.c: s asks for I/O; what is in flight is not for it. A request went well; or not. */
void xfer_want(struct ide_chan *ch, enum ide_phase phase);
void xfer_advance(struct ide_chan *ch, uint32_t n);
void xfer_fail(struct ide_chan *ch, enum xfer_fail why, int err);
void xfer_dma_reply(struct ide_chan *ch);
/* The guest has moved the last byte of a DRQ block; ide_sync_chan() is the caller's. */
void xfer_drq_done(struct ide_chan *ch);
uint32_t xfer_data_read(struct ide_chan *ch, unsigned width);
void xfer_data_write(struct ide_chan *ch, uint32_t val, unsigned width);
/* Sectors are on their way by DMA, and nobody has to try them again. */
bool xfer_dma_runs(const struct ide_chan *ch);
/* The running command's data is to go to, or come from, another place from here on. */
void xfer_dma_again(struct ide_chan *ch);

/* ---- ide-dma.c ---- */
/*
 * Moves up to len bytes at the cursor; *moved says how many. Ends at the table's last entry, and
 * (with DMA_DONE) after some whole units when the table is of so small regions that going on
 * would take too long; then the cursor is behind those units.
 */
enum dma_result ide_dma_move(struct dma_table *t, struct dma_cursor *cur, void *buf, uint32_t len,
                             uint32_t unit, bool to_guest, uint32_t *moved);
/*
 * Fills iov[IDE_SG] with up to max bytes of guest memory at the cursor, lent by the world, as a
 * multiple of unit. Bytes; 0: none can be had this way (the cursor is then of no use).
 */
uint64_t ide_dma_gather(struct dma_table *t, struct dma_cursor *cur, struct iovec *iov, int *niov,
                        uint64_t max, uint32_t unit, bool to_guest);
/* Gives back iov[from...]; *niov is then from. */
void ide_dma_release(struct dma_table *t, struct iovec *iov, int *niov, int from, bool written);
bool ide_dma_paused(const struct dma_cursor *cur); /* enough for this step */

/* ---- bmdma.c ---- */
extern const struct io_range bmdma_io;
struct dma_cursor bmdma_cursor(const struct ide_chan *ch);
void bmdma_commit(struct ide_chan *ch, const struct dma_cursor *cur);
bool bmdma_fetch(struct dma_table *t, struct dma_cursor *cur);
/* The device is done: active drops when the table is used up, start cleared, or the transfer
 * failed. */
void bmdma_end(struct ide_chan *ch, enum dma_result how);
void bmdma_drop(struct ide_chan *ch); /* there is no command whose end to wait for */
bool bmdma_active(const struct ide_chan *ch);

/* ---- ata-identify.c: words of IDENTIFY (PACKET) DEVICE ---- */
void ide_word(uint8_t *id, unsigned word, uint16_t val);
/* Words both kinds share: strings, transfer modes, cable, versions; then word 255's checksum. */
void ide_identify_common(struct ide_unit *u, uint8_t *id);
void ide_identify_checksum(uint8_t *id);
/* SET FEATURES 03h. False: a mode that IDENTIFY does not claim. */
bool ide_set_mode(struct ide_unit *u, uint8_t mode);
