/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What firmware the guest starts with, and the variables of UEFI: a file of the guest's own,
 * which begins as a copy of the one that comes with OVMF (Debian's package ovmf).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli/guest.h"

static char *join(const char *a, const char *b, const char *c)
{
    size_t size = strlen(a) + strlen(b) + strlen(c) + 1;
    char *text = malloc(size);

    if (!text) {
        fprintf(stderr, "portico: out of memory\n");
        exit(1);
    }
    snprintf(text, size, "%s%s%s", a, b, c);
    return text;
}

/* Where it is kept unless nvram= says: a folder that outlives a restart of the machine. */
static char *default_nvram(const char *name)
{
    const char *dir = getenv("PORTICO_STATE_DIR"), *xdg = getenv("XDG_DATA_HOME");
    const char *home = getenv("HOME");
    char *folder, *path;

    if (dir && *dir)
        folder = guest_copy(dir);
    else if (geteuid() == 0 || ((!xdg || *xdg != '/') && (!home || *home != '/')))
        folder = guest_copy("/var/lib/portico");
    else if (xdg && *xdg == '/')
        folder = join(xdg, "/portico", "");
    else
        folder = join(home, "/.local/share", "/portico");
    path = join(folder, "/", name);
    free(folder);
    folder = join(path, ".nvram", "");
    free(path);
    return folder;
}

/* …CODE….fd has its variables beside it in …VARS….fd. */
static char *vars_beside(const char *code)
{
    const char *base = strrchr(code, '/'), *at;
    char *vars = guest_copy(code);

    at = strstr(base ? base : code, "CODE");
    if (at)
        memcpy(vars + (at - code), "VARS", 4);
    return vars;
}

static void read_ovmf(struct guest *g, struct conf *c, const char *key)
{
    static const char *const there[] = { "/usr/share/OVMF/OVMF_CODE_4M.fd",
                                         "/usr/share/OVMF/OVMF_CODE.fd" };
    const char *nvram = conf_string(c, "nvram");

    for (unsigned i = 0; !g->bios && i < sizeof(there) / sizeof(there[0]); i++) {
        if (!access(there[i], R_OK))
            g->bios = guest_copy(there[i]);
    }
    if (!g->bios) {
        conf_error(c, key, -1,
                   "OVMF is not here; install the package ovmf, or name its OVMF_CODE file in "
                   "bios_path_override");
        return;
    }
    g->nvram_from = vars_beside(g->bios);
    g->nvram = nvram && *nvram ? guest_copy(nvram) : g->name ? default_nvram(g->name) : NULL;
}

/* xl.cfg(5), smbios=: words of hvmloader's for what -smbios has. */
static const struct {
    const char *xl, *ours;
} smbios_words[] = { { "bios_vendor", "0,vendor" },
                     { "bios_version", "0,version" },
                     { "system_manufacturer", "1,manufacturer" },
                     { "system_product_name", "1,product" },
                     { "system_version", "1,version" },
                     { "system_serial_number", "1,serial" },
                     { "baseboard_manufacturer", "2,manufacturer" },
                     { "baseboard_product_name", "2,product" },
                     { "baseboard_version", "2,version" },
                     { "baseboard_serial_number", "2,serial" },
                     { "baseboard_asset_tag", "2,asset" },
                     { "baseboard_location_in_chassis", "2,location" },
                     { "enclosure_manufacturer", "3,manufacturer" },
                     { "enclosure_serial_number", "3,serial" },
                     { "enclosure_asset_tag", "3,asset" },
                     { "oem", "11,value" } };

static const char *smbios_word(const char *item, size_t len)
{
    for (unsigned i = 0; i < sizeof(smbios_words) / sizeof(smbios_words[0]); i++) {
        if (strlen(smbios_words[i].xl) == len && !strncmp(item, smbios_words[i].xl, len))
            return smbios_words[i].ours;
    }
    return NULL;
}

static void read_smbios(struct guest *g, struct conf *c)
{
    unsigned n = conf_list(c, "smbios");

    for (unsigned i = 0; i < n; i++) {
        const char *item = conf_item(c, "smbios", i), *eq = item ? strchr(item, '=') : NULL;
        const char *word = eq ? smbios_word(item, (size_t)(eq - item)) : NULL;

        if (!item)
            continue;
        if (!word)
            conf_error(c, "smbios", (int)i, "\"%.60s\" is not known; xl.cfg(5) has the words",
                       item);
        else if (g->nsmbios == GUEST_SMBIOS)
            conf_error(c, "smbios", (int)i, "more than %d words; leave some out", GUEST_SMBIOS);
        else
            g->smbios[g->nsmbios++] = join(word, eq, "");
    }
}

static char *read_path(struct conf *c, const char *key)
{
    const char *path = conf_string(c, key);

    return path && *path ? guest_copy(path) : NULL;
}

void guest_read_firmware(struct guest *g, struct conf *c)
{
    const char *bios = conf_string(c, "bios"), *firmware = conf_string(c, "firmware");
    const char *path = conf_string(c, "bios_path_override"), *nvram = conf_string(c, "nvram");
    bool ovmf = bios && !strcmp(bios, "ovmf");

    if (bios && !strcmp(bios, "rombios"))
        conf_error(c, "bios", -1, "rombios is of old Xen only; use bios=\"seabios\"");
    else if (bios && !ovmf && strcmp(bios, "seabios"))
        conf_error(c, "bios", -1, "\"%.20s\" is not known; use bios=\"seabios\" or \"ovmf\"", bios);
    if (path && *path)
        g->bios = guest_copy(path);
    read_smbios(g, c);
    g->smbios_file = read_path(c, "smbios_firmware");
    g->acpi_file = read_path(c, "acpi_firmware");
    if (ovmf)
        read_ovmf(g, c, "bios");
    else if (firmware && (!strcmp(firmware, "uefi") || !strcmp(firmware, "ovmf")))
        read_ovmf(g, c, "firmware");
    else if (nvram && *nvram)
        conf_warn(c, "nvram", -1, "is for bios=\"ovmf\"; left out");
}

void guest_look_firmware(const struct guest *g, struct conf *c)
{
    struct stat from, own;

    if (!g->nvram || access(g->bios, R_OK))
        return;
    if (stat(g->nvram_from, &from))
        conf_error(c, "bios", -1, "%.200s: %s; it is to be beside the firmware's file",
                   g->nvram_from, strerror(errno));
    else if (!stat(g->nvram, &own) && own.st_size != from.st_size)
        conf_error(c, "bios", -1,
                   "%.200s has variables of another OVMF; remove it, and they begin anew",
                   g->nvram);
}

/* The folders above path. */
static int make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        int rc;

        *slash = 0;
        rc = mkdir(path, 0755) && errno != EEXIST;
        *slash = '/';
        if (rc)
            return -1;
    }
    return 0;
}

static int copy(int from, int to)
{
    char buf[65536];
    ssize_t n;

    while ((n = read(from, buf, sizeof(buf))) > 0) {
        for (ssize_t done = 0, w; done < n; done += w) {
            w = write(to, buf + done, (size_t)(n - done));
            if (w <= 0)
                return -1;
        }
    }
    return n < 0 || fsync(to) ? -1 : 0;
}

/* The name appears when all is there: a half copy would be taken for a guest's variables. */
int guest_make_nvram(const struct guest *g)
{
    char *new;
    int from, to, rc;

    if (!g->nvram || !access(g->nvram, F_OK))
        return 0;
    new = join(g->nvram, ".new", "");
    rc = make_folders(new);
    from = open(g->nvram_from, O_RDONLY | O_CLOEXEC);
    to = rc ? -1 : open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    rc = from < 0 || to < 0 || copy(from, to) || rename(new, g->nvram) ? -1 : 0;
    if (rc)
        fprintf(stderr, "portico: %s: %s; nvram= names another place\n", g->nvram, strerror(errno));
    if (from >= 0)
        close(from);
    if (to >= 0)
        close(to);
    free(new);
    return rc;
}
