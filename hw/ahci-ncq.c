/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AHCI: native command queuing (SATA 2.6 §13.6; AHCI 1.3.1 §5.6.4): READ and
 * WRITE FPDMA QUEUED, one request to the medium for each tag, all at the same
 * time and done in whatever order the host does them. All a tag still has to
 * do is in s, and ahci_ncq_resume() starts what that asks for, also in a
 * process that has just loaded it. An error aborts all tags; the drive tells
 * which one it was in page 10h of its log. A request that nobody wants any
 * more still has guest memory: until it is done the port takes no command.
 */
#include "hw/ahci-int.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "block/impl.h"
#include "hw/ata-int.h"

#define NCQ_WRITE 0x61
#define NCQ_FUA   0x80 /* of the device register */
#define SECTORS48 65536

static struct ahci_port_state *tag_s(const struct ahci_tag *t)
{
    return t->port->s;
}

static uint8_t *tag_flags(const struct ahci_tag *t)
{
    return &t->port->s->tag_flags[t->index];
}

static bool tag_writes(const struct ahci_tag *t)
{
    return *tag_flags(t) & TAG_WRITE;
}

static bool tag_fetch(struct dma_table *table, struct dma_cursor *cur)
{
    struct ahci_tag *t = container_of(table, struct ahci_tag, table);

    return ahci_prd_fetch(t->port->ahci, tag_s(t)->tag_table[t->index],
                          tag_s(t)->tag_prds[t->index], cur);
}

static struct dma_cursor tag_cursor(const struct ahci_tag *t)
{
    const struct ahci_port_state *s = tag_s(t);
    unsigned i = t->index;

    return (struct dma_cursor){ .next = s->tag_next[i],
                                .addr = s->tag_addr[i],
                                .left = s->tag_rest[i],
                                .last = s->tag_flags[i] & TAG_LAST,
                                .asked = s->tag_flags[i] & TAG_ASKED };
}

static void tag_commit(struct ahci_tag *t, const struct dma_cursor *cur)
{
    struct ahci_port_state *s = tag_s(t);
    unsigned i = t->index;

    s->tag_next[i] = cur->next;
    s->tag_addr[i] = cur->addr;
    s->tag_rest[i] = cur->left;
    s->tag_flags[i] &= ~(TAG_LAST | TAG_ASKED);
    s->tag_flags[i] |= (cur->last ? TAG_LAST : 0) | (cur->asked ? TAG_ASKED : 0);
}

static void tag_unpin(struct ahci_tag *t)
{
    if (t->pinned)
        ide_dma_release(&t->table, t->iov, &t->niov, 0, t->req.op == BLOCK_READ);
    t->pinned = false;
}

static void tag_clear(struct ahci_tag *t)
{
    struct ahci_port_state *s = tag_s(t);
    unsigned i = t->index;

    t->live = false;
    s->tag_flags[i] = 0;
    s->tag_prds[i] = 0;
    s->tag_lba[i] = s->tag_table[i] = s->tag_addr[i] = 0;
    s->tag_left[i] = s->tag_next[i] = s->tag_rest[i] = 0;
}

bool ahci_ncq_active(const struct ahci_port *p)
{
    for (unsigned i = 0; i < AHCI_SLOTS; i++) {
        if (p->s->tag_flags[i])
            return true;
    }
    return false;
}

bool ahci_ncq_lingers(const struct ahci_port *p)
{
    for (unsigned i = 0; p->tag && i < AHCI_SLOTS; i++) {
        if (p->tag[i].req.busy && !p->tag[i].live)
            return true;
    }
    return false;
}

void ahci_ncq_stop(struct ahci_port *p)
{
    for (unsigned i = 0; p->tag && i < AHCI_SLOTS; i++) {
        tag_clear(&p->tag[i]);
        block_cancel(&p->tag[i].req);
    }
}

void ahci_ncq_drain(struct ahci_port *p)
{
    for (unsigned i = 0; p->tag && i < AHCI_SLOTS; i++) {
        if (p->tag[i].req.busy && !p->tag[i].live)
            block_drain(p->tag[i].req.block);
    }
}

void ahci_ncq_retry(struct ide_chan *ch)
{
    struct ahci_port *p = ahci_port_of(ch);

    for (unsigned i = 0; i < AHCI_SLOTS; i++)
        p->s->tag_flags[i] &= ~TAG_HELD;
}

/* ---- errors (SATA §13.6.3) ---- */

static void show_lba(struct ide_unit *u, uint64_t lba)
{
    for (unsigned i = 0; i < 2; i++) {
        u->s->low[i] = lba >> (24 * i);
        u->s->mid[i] = lba >> (24 * i + 8);
        u->s->high[i] = lba >> (24 * i + 16);
    }
}

/* All tags are aborted; the log knows which one it was. */
static void ncq_abort(struct ahci_port *p, uint8_t tag, uint64_t lba, uint8_t error)
{
    struct ahci_port_state *s = p->s;

    ahci_ncq_stop(p);
    s->log_tag = tag;
    s->log_status = ST_DRDY | ST_DSC | ST_ERR;
    s->log_error = error;
    s->log_lba = lba;
    show_lba(p->u, lba);
    p->u->s->status = s->log_status;
    p->u->s->error = error;
}

/* The drive does not take the command: it says so in a register FIS. */
static void ncq_refuse(struct ahci_port *p, uint8_t tag, uint64_t lba, uint8_t error)
{
    ncq_abort(p, tag, lba, error);
    ahci_fis_register(p, true);
}

void ahci_ncq_broken(struct ahci_port *p, unsigned tag)
{
    ncq_refuse(p, tag, 0, ER_ABRT);
}

static void tag_fail(struct ahci_tag *t, uint8_t error, bool log)
{
    struct ahci_port *p = t->port;

    ncq_abort(p, t->index, tag_s(t)->tag_lba[t->index], error);
    if (log)
        ata_log_error(p->u);
    ahci_fis_bits(p, p->s->log_status, error, 0);
}

/* The table of tag t does not do: too short, or not all of it is memory. */
static void tag_table_fails(struct ahci_tag *t, enum dma_result how)
{
    if (how == DMA_ERROR) {
        ahci_port_halt(t->port, IS_HBFS);
    } else {
        t->port->s->is |= IS_OFS;
        tag_fail(t, ER_ABRT, false);
    }
}

bool ahci_ncq_log(struct ide_chan *ch, uint8_t *page)
{
    struct ahci_port_state *s = ahci_port_of(ch)->s;
    uint8_t sum = 0;

    memset(page, 0, IDE_SECTOR);
    page[0] = s->log_tag;
    page[2] = s->log_status;
    page[3] = s->log_error;
    for (unsigned i = 0; i < 3; i++) {
        page[4 + i] = s->log_lba >> (8 * i);
        page[8 + i] = s->log_lba >> (24 + 8 * i);
    }
    page[7] = DEV_LBA;
    for (unsigned i = 0; i < IDE_SECTOR - 1; i++)
        sum += page[i];
    page[IDE_SECTOR - 1] = -sum;
    return true;
}

/* ---- what a request brought ---- */

static void tag_complete(struct ahci_tag *t)
{
    struct ahci_port *p = t->port;

    if (*tag_flags(t) & TAG_ASKED)
        p->s->is |= IS_DPS;
    tag_clear(t);
    ahci_fis_bits(p, ST_DRDY | ST_DSC, 0, 1u << t->index);
}

/* A read's bounce buffer goes on to guest memory; false: it could not, and all is over. */
static bool tag_deliver(struct ahci_tag *t)
{
    struct dma_cursor cur = tag_cursor(t);
    uint32_t moved;
    enum dma_result how =
        ide_dma_move(&t->table, &cur, t->bounce, t->n * IDE_SECTOR, IDE_SECTOR, true, &moved);

    if (how != DMA_DONE) {
        tag_table_fails(t, how);
        return false;
    }
    if (moved < t->n * IDE_SECTOR)
        *tag_flags(t) |= TAG_SINGLE; /* a table of crumbs */
    t->n = moved / IDE_SECTOR;
    t->cur = cur;
    return true;
}

static void tag_advance(struct ahci_tag *t)
{
    struct ahci_port_state *s = tag_s(t);
    uint8_t *flags = tag_flags(t);

    if (*flags & TAG_FLUSH) {
        tag_complete(t);
        return;
    }
    if (!tag_writes(t) && !t->direct && !tag_deliver(t))
        return;
    tag_commit(t, &t->cur);
    s->tag_lba[t->index] += t->n;
    s->tag_left[t->index] -= t->n;
    if (s->tag_left[t->index])
        return; /* ahci_ncq_resume() goes on */
    if (*flags & TAG_THROUGH)
        *flags |= TAG_FLUSH;
    else
        tag_complete(t);
}

static void tag_error(struct ahci_tag *t, int err)
{
    struct ide_unit *u = t->port->u;
    uint8_t *flags = tag_flags(t);
    bool write = *flags & (TAG_WRITE | TAG_FLUSH);
    enum ide_action action = ide_error_action(u, write, err);

    if (!u->blk) {
        tag_fail(t, ER_ABRT, false);
    } else if (err == EFAULT && t->direct && !(*flags & TAG_FLUSH)) {
        t->port->copies = true; /* O_DIRECT cannot use memory of this kind */
    } else if (action == IDE_STOP) {
        *flags |= TAG_HELD;
        ide_error_event(u, write, err, action);
    } else if (t->n > 1 && err != EROFS && !(*flags & TAG_FLUSH)) {
        *flags |= TAG_SINGLE;
    } else {
        ide_error_event(u, write, err, action);
        if (action == IDE_IGNORE)
            tag_advance(t);
        else
            tag_fail(t, !write ? ER_UNC : err == EROFS ? ER_ABRT | ER_UNC : ER_ABRT, true);
    }
}

static void tag_done(struct block_req *req, int err)
{
    struct ahci_tag *t = req->arg;
    struct ahci_port *p = t->port;
    bool wanted = t->live && !p->closing;

    t->live = false;
    if (wanted && err && req->op == BLOCK_READ && p->u->rerror == IDE_IGNORE)
        iov_zero(t->iov, t->niov, 0, req->len);
    tag_unpin(t);
    if (wanted && (err || !p->u->blk))
        tag_error(t, err);
    else if (wanted)
        tag_advance(t);
    if (!p->closing)
        ide_sync_chan(p->ch);
}

/* ---- one request ---- */

static void tag_submit(struct ahci_tag *t, enum block_op op, uint64_t off, uint64_t len)
{
    t->live = true;
    t->req = (struct block_req){ .op = op, .offset = off, .len = len, .done = tag_done, .arg = t };
    if (op != BLOCK_FLUSH) {
        t->req.iov = t->iov;
        t->req.niov = t->niov;
    }
    block_submit(t->port->u->blk, &t->req);
}

static uint32_t tag_chunk(const struct ahci_tag *t, uint32_t most)
{
    uint32_t n = *tag_flags(t) & TAG_SINGLE ? 1 : most / IDE_SECTOR;
    uint32_t left = tag_s(t)->tag_left[t->index];

    return left < n ? left : n;
}

/* Straight between medium and guest memory; false: it needs the bounce buffer. */
static bool tag_direct(struct ahci_tag *t, uint64_t off)
{
    struct block *blk = t->port->u->blk;
    struct dma_cursor cur = tag_cursor(t);
    uint64_t len = (uint64_t)tag_chunk(t, IDE_DIRECT) * IDE_SECTOR;

    if (t->port->copies || off >= blk->size || len > blk->size - off)
        return false;
    len = ide_dma_gather(&t->table, &cur, t->iov, &t->niov, len, IDE_SECTOR, !tag_writes(t));
    if (!len)
        return false;
    t->pinned = t->direct = true;
    t->cur = cur;
    t->n = len / IDE_SECTOR;
    tag_submit(t, tag_writes(t) ? BLOCK_WRITE : BLOCK_READ, off, len);
    return true;
}

/* A write's data comes from guest memory into the bounce buffer; false: it cannot. */
static bool tag_collect(struct ahci_tag *t)
{
    struct dma_cursor cur = tag_cursor(t);
    uint32_t moved;
    enum dma_result how =
        ide_dma_move(&t->table, &cur, t->bounce, t->n * IDE_SECTOR, IDE_SECTOR, false, &moved);

    if (how == DMA_ERROR || moved < IDE_SECTOR) {
        tag_table_fails(t, how);
        return false;
    }
    if (moved < t->n * IDE_SECTOR)
        *tag_flags(t) |= TAG_SINGLE;
    t->n = moved / IDE_SECTOR;
    t->cur = cur;
    return true;
}

static void tag_bounce(struct ahci_tag *t, uint64_t off)
{
    struct block *blk = t->port->u->blk;
    uint64_t len;

    t->direct = false;
    t->n = tag_chunk(t, AHCI_BOUNCE);
    if (tag_writes(t) && !tag_collect(t))
        return;
    len = (uint64_t)t->n * IDE_SECTOR;
    if (!tag_writes(t) && off < blk->size && len > blk->size - off) {
        memset(t->bounce, 0, len); /* an image that ends within a sector */
        len = blk->size - off;
    }
    t->iov[0] = (struct iovec){ t->bounce, len };
    t->niov = 1;
    tag_submit(t, tag_writes(t) ? BLOCK_WRITE : BLOCK_READ, off, len);
}

static void tag_start(struct ahci_tag *t)
{
    struct ahci_port_state *s = tag_s(t);
    uint64_t off = s->tag_lba[t->index] * IDE_SECTOR;

    if (!t->port->u->blk) {
        tag_fail(t, ER_ABRT, false);
    } else if (*tag_flags(t) & TAG_FLUSH) {
        t->direct = false;
        t->n = 0;
        tag_submit(t, BLOCK_FLUSH, 0, 0);
    } else {
        if (!tag_direct(t, off))
            tag_bounce(t, off);
    }
}

void ahci_ncq_resume(struct ahci_port *p)
{
    for (unsigned i = 0; p->tag && i < AHCI_SLOTS; i++) {
        uint8_t flags = p->s->tag_flags[i];

        if (flags && !(flags & TAG_HELD) && !p->tag[i].req.busy)
            tag_start(&p->tag[i]);
    }
}

/* ---- a new command ---- */

static bool issue_ok(struct ahci_port *p, unsigned slot, unsigned tag, uint64_t lba, uint32_t n,
                     bool write)
{
    uint64_t all = ata_sectors(p->u);

    if (tag != slot || p->s->tag_flags[tag])
        ncq_refuse(p, tag, lba, ER_ABRT);
    else if (lba >= all || n > all - lba)
        ncq_refuse(p, tag, lba < all ? all : lba, ER_IDNF | ER_ABRT);
    else if (write && p->u->blk && p->u->blk->readonly)
        ncq_refuse(p, tag, lba, ER_ABRT | ER_UNC);
    else
        return true;
    return false;
}

void ahci_ncq_issue(struct ahci_port *p, unsigned slot, const uint8_t *fis, uint64_t table,
                    uint16_t prds)
{
    struct ahci_port_state *s = p->s;
    struct ide_unit_state *u = p->u->s;
    unsigned tag = u->count[0] >> 3;
    uint32_t n = u->feature[0] | u->feature[1] << 8;
    uint64_t lba = u->low[0] | u->mid[0] << 8 | (uint64_t)u->high[0] << 16 |
                   (uint64_t)u->low[1] << 24 | (uint64_t)u->mid[1] << 32 |
                   (uint64_t)u->high[1] << 40;
    bool write = fis[2] == NCQ_WRITE;

    n = n ? n : SECTORS48;
    p->ch->s->command = fis[2];
    u->native = false;
    ide_set_medium(p->u, p->u->blk);
    if (!issue_ok(p, slot, tag, lba, n, write))
        return;
    ata_wake(p->u);
    s->tag_lba[tag] = lba;
    s->tag_left[tag] = n;
    s->tag_table[tag] = table;
    s->tag_prds[tag] = prds;
    s->tag_next[tag] = s->tag_rest[tag] = 0;
    s->tag_flags[tag] = TAG_ACTIVE | (write ? TAG_WRITE : 0) | (prds ? 0 : TAG_LAST) |
                        (write && ((fis[7] & NCQ_FUA) || !u->wcache) ? TAG_THROUGH : 0);
    s->ci &= ~(1u << slot);
    u->status = ST_DRDY | ST_DSC;
    u->error = 0;
    ahci_fis_register(p, false); /* taken: the bus is free again */
    if (!s->halted)
        ahci_fis_dma(p, tag, !write, n * IDE_SECTOR);
}

/* ---- memory ---- */

int ahci_ncq_init(struct ahci_port *p, struct err *err)
{
    p->tag = calloc(AHCI_SLOTS, sizeof(*p->tag));
    for (unsigned i = 0; p->tag && i < AHCI_SLOTS; i++) {
        struct ahci_tag *t = &p->tag[i];

        t->table = (struct dma_table){ &p->ahci->host.pci, tag_fetch };
        t->port = p;
        t->index = i;
        t->iov = malloc(IDE_SG * sizeof(*t->iov));
        t->bounce = malloc(AHCI_BOUNCE);
        if (!t->iov || !t->bounce)
            return err_set(err, -ENOMEM, "%s: out of memory", ide_dev(p->u)->id);
    }
    return p->tag ? 0 : err_set(err, -ENOMEM, "%s: out of memory", ide_dev(p->u)->id);
}

void ahci_ncq_fini(struct ahci_port *p)
{
    for (unsigned i = 0; p->tag && i < AHCI_SLOTS; i++) {
        block_cancel(&p->tag[i].req);
        if (p->tag[i].req.busy)
            block_drain(p->tag[i].req.block);
        free(p->tag[i].iov);
        free(p->tag[i].bounce);
    }
    free(p->tag);
    p->tag = NULL;
}
