/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved states of every device, of every version there ever was, in
 * tests/state: ID-vN.state as state_save() wrote it, ID-vN.txt what a device
 * that had loaded it printed. They are loaded for ever: a field may be added
 * (struct field's `since`), but what an old image says must go on to mean the
 * same. A device without an image of its present version fails here; then
 *
 *   GOLDEN_MAKE=1 build/…/tests/unit/golden-test
 *
 * writes the images that are missing, and never touches one that is there.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "hw/core/buf.h"
#include "hw/core/state.h"
#include "hw/ide.h"
#include "tests/fuzz/mad-guest.h"

#define STEPS 3000
#define SEED  1981

static void name_of(char path[512], const struct device *dev, const char *ext)
{
    snprintf(path, 512, STATE_DIR "/%s-v%u.%s", dev->id, dev->type->version, ext);
}

static bool remembers(const struct device *dev)
{
    return dev->type->pci || (dev->type->state && dev->type->state[0].kind != F_END);
}

static char *slurp(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    char *text = calloc(1, 1 << 20);

    *len = f && text ? fread(text, 1, (1 << 20) - 1, f) : 0;
    if (f)
        fclose(f);
    return text;
}

static char *printed(const struct device *dev)
{
    char *text = NULL, *copy;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);

    state_print(dev, f);
    if (dev->type->pci) {
        const struct pci_func *pf = container_of(dev, const struct pci_func, dev);

        fprintf(f, "config space=");
        for (size_t i = 0; i < sizeof(pf->cfg); i++)
            fprintf(f, "%02x", pf->cfg[i] & pf->writable[i]); /* the rest is the chip's */
        fputc('\n', f);
    }
    fclose(f);
    copy = strdup(text);
    free(text);
    return copy;
}

static int load(struct device *dev, const char *path, struct err *err)
{
    struct buf b = { 0 };
    size_t len;
    char *bytes = slurp(path, &len);
    int rc;

    buf_put(&b, bytes, len);
    free(bytes);
    rc = state_load(dev, &b, err);
    if (!rc && b.pos != b.len)
        rc = err_set(err, -1, "%s: too long", path);
    buf_free(&b);
    return rc;
}

/* Every line of the old print is in the new one. */
static bool still_means(const struct device *dev, const char *path)
{
    size_t len;
    char *want = slurp(path, &len), *have = printed(dev), *save = NULL;
    bool same = len > 0;

    for (char *line = strtok_r(want, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *at = strstr(have, line);

        if (!at || (at != have && at[-1] != '\n') || at[strlen(line)] != '\n') {
            fprintf(stderr, "%s: \"%.200s\" is not so after loading\n", path, line);
            same = false;
        }
    }
    free(want);
    free(have);
    return same;
}

/* A machine that a guest has been through, without the guest's last requests in flight. */
static void start(struct mad *f, bool cirrus, unsigned steps)
{
    memset(f, 0, sizeof(*f));
    f->seed = SEED;
    f->cirrus = cirrus;
    mad_start(f);
    if (steps)
        mad_place_windows(f);
    for (unsigned i = 0; i < steps && !f->failed; i++)
        mad_step(f);
    CHECK(!f->failed && ide_drain(machine_find(&f->m, "ide")) == 0);
    CHECK(ide_drain(machine_find(&f->m, "ahci")) == 0);
}

static void write_file(const char *path, const void *data, size_t len)
{
    FILE *f = fopen(path, "wbx");

    CHECK(f && fwrite(data, 1, len, f) == len);
    fclose(f);
    fprintf(stderr, "made %s\n", path);
}

static void make(bool cirrus)
{
    static struct mad rich, fresh;

    start(&rich, cirrus, STEPS);
    start(&fresh, cirrus, 0);
    for (unsigned i = 0; i < rich.m.n; i++) {
        struct device *dev = rich.m.dev[i];
        struct buf b = { 0 };
        struct err err = { "" };
        char path[512], *text;

        name_of(path, dev, "state");
        if (!remembers(dev) || !access(path, F_OK))
            continue;
        state_save(dev, &b);
        write_file(path, b.data, b.len);
        buf_free(&b);
        dev = machine_find(&fresh.m, dev->id);
        if (load(dev, path, &err))
            fprintf(stderr, "%s\n", err.msg);
        text = printed(dev);
        name_of(path, dev, "txt");
        write_file(path, text, strlen(text));
        free(text);
    }
    mad_finish(&rich);
    mad_finish(&fresh);
}

static void each_has_an_image(bool cirrus)
{
    static struct mad f;

    if (getenv("GOLDEN_MAKE") && qt_new()->reload)
        make(cirrus);
    start(&f, cirrus, 0);
    for (unsigned i = 0; i < f.m.n; i++) {
        char path[512];

        name_of(path, f.m.dev[i], "state");
        if (remembers(f.m.dev[i]) && access(path, F_OK))
            fprintf(stderr, "%s is missing: see golden-test.c\n", path);
        CHECK(!remembers(f.m.dev[i]) || !access(path, F_OK));
    }
    mad_finish(&f);
}

TEST(every_device_has_an_image_of_its_version)
{
    each_has_an_image(false);
}

TEST(so_has_the_cirrus)
{
    each_has_an_image(true);
}

TEST(old_images_load_and_mean_what_they_meant)
{
    static struct mad f, other; /* a machine has one display card */
    DIR *d = opendir(STATE_DIR);
    unsigned n = 0;

    CHECK(d != NULL);
    start(&f, false, 0);
    start(&other, true, 0);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char path[512], id[64], *cut = strstr(e->d_name, ".state");
        struct err err = { "" };
        struct device *dev;

        if (!cut)
            continue;
        snprintf(id, sizeof(id), "%.*s", (int)(strrchr(e->d_name, '-') - e->d_name), e->d_name);
        snprintf(path, sizeof(path), STATE_DIR "/%.200s", e->d_name);
        dev = machine_find(&f.m, id);
        if (!dev)
            dev = machine_find(&other.m, id);
        CHECK(dev != NULL);
        if (load(dev, path, &err))
            fprintf(stderr, "%s\n", err.msg);
        CHECK(!err.msg[0] && state_valid(dev));
        snprintf(strstr(path, ".state"), 8, ".txt");
        CHECK(still_means(dev, path));
        n++;
    }
    closedir(d);
    CHECK(n >= 10);
    mad_finish(&f);
    mad_finish(&other);
}
