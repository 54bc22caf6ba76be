/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disk=[ ... ]: libxlutil reads the strings (xl-disk-configuration(5)), old and new syntax. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <libxlutil.h>
#include "cli/guest.h"

/*
 * Old examples have blanks that xl does not like: 'phy:/dev/cdrom , hdc:cdrom , r'. Leaves out
 * those beside commas and at both ends; behind "target=" the text is a file name as it stands.
 */
static char *tidy(const char *spec)
{
    char *copy = guest_copy(spec), *to = copy, *target = strstr(copy, "target=");

    for (const char *p = copy; *p; p++) {
        if (target && p >= target && (target == copy || to == copy || to[-1] == ',')) {
            memmove(to, p, strlen(p) + 1);
            return copy;
        }
        if (*p == ',') {
            while (to > copy && isspace((unsigned char)to[-1]))
                to--;
        } else if (isspace((unsigned char)*p) && (to == copy || to[-1] == ',')) {
            continue;
        }
        *to++ = *p;
    }
    while (to > copy && isspace((unsigned char)to[-1]))
        to--;
    *to = 0;
    return copy;
}

/* "cfg: config parsing error in disk specification: WHAT in `SPEC'" */
static void report_disk(struct conf *c, int item)
{
    static const char before[] = "disk specification: ";
    const char *said = conf_said(c), *what = strstr(said, before);

    what = what ? what + strlen(before) : said;
    conf_error(c, "disk", item, "%.*s; write it as xl-disk-configuration(5) has it",
               (int)strcspn(what, "\n"), *what ? what : "cannot be read");
}

/* "hda" to "hdd", or "xvda" to "xvdd" which HVM guests see as those; -1: reported. */
static int find_unit(struct conf *c, int item, const char *vdev)
{
    const char *name = strncmp(vdev, "ioemu:", 6) ? vdev : vdev + 6;
    bool xvd = !strncmp(name, "xvd", 3), hd = !strncmp(name, "hd", 2);
    const char *letter = name + (xvd ? 3 : 2);

    if (!strncmp(name, "sd", 2))
        conf_error(c, "disk", item, "%.20s: there is no SCSI; use hda to hdd", vdev);
    else if ((!xvd && !hd) || !islower((unsigned char)*letter))
        conf_error(c, "disk", item, "%.20s is no disk of a PC; use hda to hdd", vdev);
    else if (letter[1])
        conf_error(c, "disk", item, "%.20s is not a whole disk; use hda to hdd", vdev);
    else if (*letter <= 'd')
        return *letter - 'a';
    else
        conf_warn(c, "disk", item, "%.20s is for PV drivers only, which have no Xen here; left out",
                  vdev);
    return -1;
}

static const char *find_format(struct conf *c, int item, const libxl_device_disk *x)
{
    switch (x->format) {
    case LIBXL_DISK_FORMAT_QCOW2:
        return "qcow2";
    case LIBXL_DISK_FORMAT_VHD:
        return "vpc";
    case LIBXL_DISK_FORMAT_QCOW:
    case LIBXL_DISK_FORMAT_QED:
        conf_error(c, "disk", item,
                   "format=%s is not read here; convert it: qemu-img convert -O qcow2",
                   x->format == LIBXL_DISK_FORMAT_QED ? "qed" : "qcow");
        return NULL;
    default:
        return "raw";
    }
}

static bool can_have(struct guest *g, struct conf *c, int item, const libxl_device_disk *x,
                     unsigned unit)
{
    if (x->script)
        conf_error(c, "disk", item,
                   "script %.40s is not run here; attach the disk to this machine and name it",
                   x->script);
    else if (x->backend_domname)
        conf_error(c, "disk", item, "backend=%.40s: there are no driver domains; remove it",
                   x->backend_domname);
    else {
        for (unsigned i = 0; i < g->ndisks; i++) {
            if (g->disks[i].unit != unit)
                continue;
            conf_error(c, "disk", item, "%.20s has disk[%d] already; use another of hda to hdd",
                       x->vdev, g->disks[i].item);
            return false;
        }
        return true;
    }
    return false;
}

static void take_disk(struct guest *g, struct conf *c, int item, const libxl_device_disk *x)
{
    int unit = find_unit(c, item, x->vdev);
    const char *format = unit < 0 ? NULL : find_format(c, item, x);
    struct guest_disk *d = &g->disks[g->ndisks];
    char vdev[] = "hda";

    if (!format || !can_have(g, c, item, x, (unsigned)unit))
        return;
    vdev[2] = (char)('a' + unit);
    d->vdev = guest_copy(vdev);
    d->path = x->pdev_path && *x->pdev_path ? guest_copy(x->pdev_path) : NULL;
    d->format = guest_copy(format);
    d->cdrom = x->is_cdrom;
    d->readonly = x->is_cdrom || !x->readwrite;
    d->direct = x->direct_io_safe;
    d->no_discard =
        !libxl_defbool_is_default(x->discard_enable) && !libxl_defbool_val(x->discard_enable);
    d->unit = (unsigned)unit;
    d->item = item;
    g->ndisks++; /* there are as many as units */
}

static void read_disk(struct guest *g, struct conf *c, int item, const char *spec)
{
    libxl_device_disk x;
    char *text = tidy(spec);
    const char *one = text;

    libxl_device_disk_init(&x);
    conf_hush(c);
    if (!*text)
        conf_error(c, "disk", item, "is empty; name an image, or remove it");
    else if (xlu_disk_parse(c->xlu, 1, &one, &x))
        report_disk(c, item);
    else
        take_disk(g, c, item, &x);
    conf_hush(c);
    libxl_device_disk_dispose(&x);
    free(text);
}

void guest_read_disks(struct guest *g, struct conf *c)
{
    unsigned n = conf_list(c, "disk");

    for (unsigned i = 0; i < n; i++) {
        const char *spec = conf_item(c, "disk", i);

        if (spec)
            read_disk(g, c, (int)i, spec);
    }
}
