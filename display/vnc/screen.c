/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portico-vnc: the guest's screen as portico-dm shares it. The library reads
 * the pixels in place, so nothing here may let it draw into them: it never
 * gets a cursor of its own (screen->cursor stays NULL).
 */
#include "display/vnc/helper.h"
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "display/display.h"

#define BLANK_WIDTH  640
#define BLANK_HEIGHT 480
#define CURSOR_MAX   64

/* xRGB, little endian: RFB 7.4 */
static void set_format(struct helper *h, uint32_t stride)
{
    rfbPixelFormat *f = &h->screen->serverFormat;

    f->depth = 24;
    f->redShift = 16;
    f->greenShift = 8;
    f->blueShift = 0;
    h->screen->paddedWidthInBytes = (int)stride;
    if (h->cl) /* the library looked at the format before it was ours */
        h->screen->setTranslateFunction(h->cl);
}

static void show(struct helper *h, void *pixels, size_t len, uint32_t width, uint32_t height,
                 uint32_t stride)
{
    void *old = h->pixels;
    size_t old_len = h->pixels_len;
    bool same = old && h->screen->width == (int)width && h->screen->height == (int)height;

    h->pixels = pixels;
    h->pixels_len = len;
    if (same) { /* the client need not hear of a new size */
        h->screen->frameBuffer = pixels;
        h->screen->paddedWidthInBytes = (int)stride;
        rfbMarkRectAsModified(h->screen, 0, 0, (int)width, (int)height);
    } else {
        rfbNewFramebuffer(h->screen, pixels, (int)width, (int)height, 8, 3, 4);
        set_format(h, stride);
    }
    if (old)
        munmap(old, old_len);
}

void screen_blank(struct helper *h)
{
    size_t len = (size_t)BLANK_WIDTH * BLANK_HEIGHT * 4;
    void *p = mmap(NULL, len, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        _exit(EXIT_FAILED);
    show(h, p, len, BLANK_WIDTH, BLANK_HEIGHT, BLANK_WIDTH * 4);
}

static void hear_surface(struct helper *h, const struct viewer_msg *m, int fd)
{
    uint32_t w = m->surface.width, height = m->surface.height, stride = m->surface.stride;
    struct stat st;
    void *p;

    h->answered = true;
    h->resizable = m->surface.resizable;
    if (w == 0) {
        screen_blank(h);
        return;
    }
    if (w > SURFACE_MAX_WIDTH || height == 0 || height > SURFACE_MAX_HEIGHT || stride < w * 4 ||
        stride > SURFACE_MAX_WIDTH * 8 || stride % 4 || fstat(fd, &st) ||
        st.st_size < (off_t)stride * height)
        _exit(EXIT_FAILED);
    p = mmap(NULL, (size_t)stride * height, PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        _exit(EXIT_FAILED);
    show(h, p, (size_t)stride * height, w, height, stride);
}

static void hear_damage(struct helper *h, const struct viewer_msg *m, int fd)
{
    const struct viewer_msg *d = m;
    int64_t right = (int64_t)d->damage.x + d->damage.w;
    int64_t bottom = (int64_t)d->damage.y + d->damage.h;
    int w = h->screen->width, height = h->screen->height;

    if (d->damage.x < 0 || d->damage.y < 0 || d->damage.x >= w || d->damage.y >= height ||
        right <= d->damage.x || bottom <= d->damage.y)
        return;
    rfbMarkRectAsModified(h->screen, d->damage.x, d->damage.y, right < w ? (int)right : w,
                          bottom < height ? (int)bottom : height);
}

static void free_cursor(struct helper *h)
{
    free(h->cursor.richSource);
    free(h->cursor.mask);
    free(h->cursor.source);
    h->cursor = (rfbCursor){ 0 };
}

static void hear_cursor(struct helper *h, const struct viewer_msg *m, int fd)
{
    int w = m->cursor.w, height = m->cursor.h, row = (w + 7) / 8;
    size_t len = (size_t)w * (size_t)height * 4;
    uint8_t *mask = NULL, *argb = NULL;

    free_cursor(h);
    h->cl->cursorWasChanged = TRUE;
    if (w <= 0 || height <= 0 || w > CURSOR_MAX || height > CURSOR_MAX)
        return;
    argb = malloc(len);
    mask = calloc((size_t)row, (size_t)height);
    if (!argb || !mask || pread(fd, argb, len, 0) != (ssize_t)len) {
        free(argb);
        free(mask);
        return;
    }
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < w; x++) {
            if (argb[(y * w + x) * 4 + 3] >= 0x80)
                mask[y * row + x / 8] |= (uint8_t)(0x80 >> x % 8);
        }
    }
    h->cursor.width = (unsigned short)w;
    h->cursor.height = (unsigned short)height;
    h->cursor.xhot = (unsigned short)m->cursor.hot_x;
    h->cursor.yhot = (unsigned short)m->cursor.hot_y;
    h->cursor.richSource = argb;
    h->cursor.mask = mask;
    h->cursor.cleanupSource = TRUE; /* the library makes a two-colour one when asked to */
}

static void hear_password(struct helper *h, const struct viewer_msg *m, int fd)
{
    memcpy(h->password, m->password.password, sizeof(h->password));
    h->password[sizeof(h->password) - 1] = 0;
    h->expires = m->password.expires;
}

static void hear_token(struct helper *h, const struct viewer_msg *m, int fd)
{
    memcpy(h->token, m->token.token, sizeof(h->token));
    h->token[sizeof(h->token) - 1] = 0;
}

static void hear_creds(struct helper *h, const struct viewer_msg *m, int fd)
{
    if (fd < 0 || auth_creds(h, fd))
        _exit(EXIT_FAILED);
}

static void hear_pages(struct helper *h, const struct viewer_msg *m, int fd)
{
    const struct pages_file *f;
    struct stat st;

    if (fstat(fd, &st) || st.st_size < (off_t)sizeof(*f))
        _exit(EXIT_FAILED);
    f = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (f == MAP_FAILED || f->n > PAGES_FILES ||
        (size_t)st.st_size < sizeof(*f) + f->n * sizeof(f->entry[0]))
        _exit(EXIT_FAILED);
    for (uint32_t i = 0; i < f->n; i++) {
        if ((uint64_t)f->entry[i].off + f->entry[i].len > (uint64_t)st.st_size)
            _exit(EXIT_FAILED);
    }
    h->pages = (const uint8_t *)f;
    h->pages_len = (size_t)st.st_size;
}

static void hear_leds(struct helper *h, const struct viewer_msg *m, int fd)
{
    input_leds(h, m->leds.leds);
}

/* The library keeps what it moves in order with what has changed and was not sent yet. */
static void hear_copy(struct helper *h, const struct viewer_msg *m, int fd)
{
    int64_t w = m->copy.w, height = m->copy.h;
    int x = m->copy.x, y = m->copy.y, fx = m->copy.from_x, fy = m->copy.from_y;

    if (x < 0 || y < 0 || fx < 0 || fy < 0 || w <= 0 || height <= 0 || x + w > h->screen->width ||
        y + height > h->screen->height || fx + w > h->screen->width ||
        fy + height > h->screen->height)
        return;
    /* For a client that draws no cursor the library would look at one of its own; there is none. */
    if (!h->cl->enableCursorShapeUpdates)
        rfbMarkRectAsModified(h->screen, x, y, x + (int)w, y + (int)height);
    else
        rfbScheduleCopyRect(h->screen, x, y, x + (int)w, y + (int)height, x - fx, y - fy);
}

static void hear_paste(struct helper *h, const struct viewer_msg *m, int fd)
{
    paste_start(h);
}

static void hear_mode(struct helper *h, const struct viewer_msg *m, int fd)
{
    input_mode(h, m->pointer_mode.absolute != 0);
}

static const struct {
    uint32_t type;
    bool has_fd;
    void (*hear)(struct helper *h, const struct viewer_msg *m, int fd);
} ears[] = {
    { VM_SURFACE, true, hear_surface },    { VM_DAMAGE, false, hear_damage },
    { VM_CURSOR, true, hear_cursor },      { VM_PASSWORD, false, hear_password },
    { VM_POINTER_MODE, false, hear_mode }, { VM_TOKEN, false, hear_token },
    { VM_CREDS, true, hear_creds },        { VM_PAGES, true, hear_pages },
    { VM_LEDS, false, hear_leds },         { VM_COPY, false, hear_copy },
    { VM_PASTE, false, hear_paste },       { VM_ANSWER, true, console_answer },
};

void screen_hear(struct helper *h, const struct viewer_msg *m, int fd)
{
    for (size_t i = 0; i < sizeof(ears) / sizeof(ears[0]); i++) {
        if (ears[i].type == m->type)
            ears[i].hear(h, m, fd);
    }
    if (fd >= 0)
        close(fd);
}
