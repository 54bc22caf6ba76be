/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Internal snapshots: only where their tables are, so that nothing touches them. */
#include "block/qcow2.h"
#include <endian.h>
#include <errno.h>
#include <string.h>

#define SNAP_HEAD 40 /* bytes; then extra data, the id, the name */

int q_snapshot_get(struct qcow2 *q, uint64_t *pos, struct q_snapshot *snap)
{
    uint8_t head[SNAP_HEAD];
    uint64_t off;
    uint32_t size, extra;
    uint16_t id, name;
    int rc;

    if (*pos >= q->end || q->end - *pos < SNAP_HEAD)
        return EINVAL;
    rc = image_file_get(q->im, *pos, head, sizeof(head));
    if (rc)
        return rc;
    memcpy(&off, head, 8);
    memcpy(&size, head + 8, 4);
    memcpy(&id, head + 12, 2);
    memcpy(&name, head + 14, 2);
    memcpy(&extra, head + 36, 4);
    snap->l1_off = be64toh(off);
    snap->l1_size = be32toh(size);
    if (snap->l1_off & (q_csize(q) - 1) || snap->l1_size > Q_L1_MAX / 8 || snap->l1_off >= q->end ||
        be32toh(extra) > 1024)
        return EINVAL;
    *pos += (SNAP_HEAD + (uint64_t)be32toh(extra) + be16toh(id) + be16toh(name) + 7) & ~7ULL;
    return 0;
}
