/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VeNCrypt from the client's side: certificates, anonymous TLS, passwords under it. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <rfb/rfb.h>
#include "tests/unit/vnc-world.h"

#define LONG_PASSWORD "correct horse battery staple"

/* ---- a folder as -object tls-creds-x509,dir= has it ---- */

static void put_file(const char *dir, const char *name, const void *data, size_t len)
{
    char path[128];
    int fd;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && write(fd, data, len) == (ssize_t)len);
    close(fd);
}

static void make_creds(const char *dir)
{
    gnutls_x509_privkey_t key = NULL;
    gnutls_x509_crt_t crt = NULL;
    gnutls_datum_t pem = { NULL, 0 };
    time_t now = time(NULL);

    CHECK(gnutls_x509_privkey_init(&key) == 0 && gnutls_x509_crt_init(&crt) == 0);
    CHECK(gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                       GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) == 0);
    gnutls_x509_crt_set_version(crt, 3);
    gnutls_x509_crt_set_serial(crt, "\1", 1);
    gnutls_x509_crt_set_activation_time(crt, now - 3600);
    gnutls_x509_crt_set_expiration_time(crt, now + 86400);
    gnutls_x509_crt_set_dn(crt, "CN=localhost", NULL);
    gnutls_x509_crt_set_key(crt, key);
    CHECK(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0) == 0);
    CHECK(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem) == 0);
    put_file(dir, "server-key.pem", pem.data, pem.size);
    gnutls_free(pem.data);
    CHECK(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem) == 0);
    put_file(dir, "server-cert.pem", pem.data, pem.size);
    put_file(dir, "ca-cert.pem", pem.data, pem.size);
    gnutls_free(pem.data);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
}

static void remove_creds(const char *dir)
{
    static const char *const names[] = { "server-key.pem", "server-cert.pem", "ca-cert.pem" };
    char path[128];

    for (unsigned i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
}

/* ---- a client ---- */

struct peer {
    struct rfb c;
    gnutls_session_t tls;
    gnutls_certificate_credentials_t cert;
    gnutls_anon_client_credentials_t anon;
};

/* The loop of the server runs in this thread: nothing here may wait for long. */
static bool shake(struct peer *p)
{
    int rc = GNUTLS_E_AGAIN;

    fcntl(p->c.fd, F_SETFL, O_NONBLOCK);
    gnutls_transport_set_int(p->tls, p->c.fd);
    for (unsigned i = 0; i < 2000 && rc < 0 && !gnutls_error_is_fatal(rc); i++) {
        rc = gnutls_handshake(p->tls);
        rfb_pump(p->c.loop, 5);
    }
    return rc == 0;
}

static bool put(struct peer *p, const void *data, size_t len)
{
    return gnutls_record_send(p->tls, data, len) == (ssize_t)len;
}

static bool get(struct peer *p, void *dst, size_t len)
{
    char *to = dst;

    for (unsigned i = 0; i < 4000 && len > 0; i++) {
        ssize_t n = gnutls_record_recv(p->tls, to, len);
        if (n == 0 || (n < 0 && gnutls_error_is_fatal((int)n)))
            return false;
        if (n < 0) {
            rfb_pump(p->c.loop, 5);
            continue;
        }
        to += n;
        len -= (size_t)n;
    }
    return len == 0;
}

static bool start_tls(struct peer *p, bool anon)
{
    gnutls_init(&p->tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK);
    gnutls_priority_set_direct(p->tls, anon ? "NORMAL:-VERS-TLS1.3:+ANON-ECDH:+ANON-DH" : "NORMAL",
                               NULL);
    gnutls_certificate_allocate_credentials(&p->cert);
    gnutls_anon_allocate_client_credentials(&p->anon);
    if (anon)
        gnutls_credentials_set(p->tls, GNUTLS_CRD_ANON, p->anon);
    else
        gnutls_credentials_set(p->tls, GNUTLS_CRD_CERTIFICATE, p->cert);
    return shake(p);
}

/* Up to the subtype's own questions; false when it is not offered or TLS does not come about. */
static bool dial(struct peer *p, struct world *w, uint32_t subtype)
{
    uint8_t b[64], n;
    uint32_t be = htonl(subtype);
    bool offered = false;

    *p = (struct peer){ .tls = NULL };
    CHECK(rfb_connect(&p->c, &w->loop, w->info.service) && rfb_read(&p->c, b, 12));
    rfb_write(&p->c, "RFB 003.008\n", 12);
    CHECK(rfb_read(&p->c, &n, 1) && n == 1 && rfb_read(&p->c, b, 1) && b[0] == 19);
    rfb_write(&p->c, "\023", 1);
    CHECK(rfb_read(&p->c, b, 2) && b[0] == 0 && b[1] == 2);
    rfb_write(&p->c, b, 2);
    CHECK(rfb_read(&p->c, b, 1) && b[0] == 0 && rfb_read(&p->c, &n, 1) && n <= 4);
    CHECK(rfb_read(&p->c, b, n * 4u));
    for (unsigned i = 0; i < n; i++)
        offered |= memcmp(b + i * 4, &be, 4) == 0;
    rfb_write(&p->c, &be, 4);
    CHECK(rfb_read(&p->c, b, 1) && b[0] == offered);
    return offered && start_tls(p, subtype < 260);
}

static void hang_up(struct peer *p)
{
    if (p->tls)
        gnutls_deinit(p->tls);
    if (p->cert)
        gnutls_certificate_free_credentials(p->cert);
    if (p->anon)
        gnutls_anon_free_client_credentials(p->anon);
    rfb_close(&p->c);
}

static bool result_is_good(struct peer *p)
{
    uint32_t result = 1;

    return get(p, &result, 4) && result == 0;
}

/* The picture's first line, raw, through TLS. */
static bool sees(struct peer *p)
{
    static const uint8_t wish[] = { 3, 0, 0, 0, 0, 0, 2, 208, 0, 1 };
    uint8_t init[24], name[64], head[16];
    static uint32_t row[720];

    if (!put(p, "\1", 1) || !get(p, init, 24) || !get(p, name, init[23]) ||
        !put(p, wish, sizeof(wish)) || !get(p, head, 16) || !get(p, row, sizeof(row)))
        return false;
    return head[0] == 0 && (row[5] & 0xffffff) == pattern(0, 5, 0);
}

static bool plain(struct peer *p, const char *password)
{
    uint8_t m[128] = { 0, 0, 0, 3, 0, 0, 0, (uint8_t)strlen(password), 'm', 'e', '!' };

    memcpy(m + 11, password, strlen(password));
    return put(p, m, 11 + strlen(password)) && result_is_good(p);
}

static bool vnc(struct peer *p, const char *password)
{
    unsigned char challenge[16];
    char pw[9] = { 0 };

    memcpy(pw, password, strnlen(password, 8));
    if (!get(p, challenge, 16))
        return false;
    rfbEncryptBytes(challenge, pw);
    return put(p, challenge, 16) && result_is_good(p);
}

static struct world *tls_world(const char *dir, bool password, bool verify)
{
    struct world *w = world_new();
    struct vnc_options o = usual();

    o.creds = vnc_creds(dir, verify, &w->err);
    CHECK(o.creds > 0);
    o.tls_vnc = true;
    o.password = password;
    CHECK(world_open(w, &o) == 0);
    close(o.creds);
    if (password)
        CHECK(vnc_set_password(w->vnc, LONG_PASSWORD, &w->err) == 0);
    return w;
}

VNC_TEST(a_certificate_and_a_password)
{
    char dir[] = "/tmp/portico-tls.XXXXXX";
    struct world *w;
    struct peer p;

    CHECK(mkdtemp(dir) != NULL);
    make_creds(dir);
    w = tls_world(dir, true, false);
    CHECK(!strcmp(w->info.auth, "vencrypt+x509+vnc"));
    CHECK(dial(&p, w, 261) && vnc(&p, LONG_PASSWORD) && sees(&p)); /* X509Vnc */
    hang_up(&p);
    CHECK(dial(&p, w, 261) && !vnc(&p, "wrong"));
    hang_up(&p);
    CHECK(dial(&p, w, 262) && plain(&p, LONG_PASSWORD) &&
          sees(&p)); /* X509Plain: all of it counts */
    hang_up(&p);
    CHECK(dial(&p, w, 262) && !plain(&p, "correct horse battery stapler"));
    hang_up(&p);
    CHECK(!dial(&p, w, 260)); /* X509None is not offered */
    hang_up(&p);
    world_free(w);

    w = tls_world(dir, false, true); /* who has no certificate of ours stays outside */
    CHECK(!dial(&p, w, 260) || !result_is_good(&p));
    hang_up(&p);
    world_free(w);
    remove_creds(dir);
}

VNC_TEST(anonymous)
{
    struct world *w = tls_world(NULL, false, false);
    struct peer p;
    uint8_t b[16];

    CHECK(!strcmp(w->info.auth, "vencrypt+tls+none"));
    CHECK(dial(&p, w, 257) && result_is_good(&p) && sees(&p));
    hang_up(&p);
    CHECK(!dial(&p, w, 258));
    hang_up(&p);
    /* A client of 1998 knows no VeNCrypt: it is told so, in the clear. */
    CHECK(rfb_connect(&p.c, &w->loop, w->info.service) && rfb_read(&p.c, b, 12));
    rfb_write(&p.c, "RFB 003.003\n", 12);
    CHECK(rfb_read(&p.c, b, 4) && b[3] == 0);
    rfb_close(&p.c);
    world_free(w);
}

VNC_TEST(credentials_that_are_none)
{
    char dir[] = "/tmp/portico-tls.XXXXXX";
    struct world *w = world_new();
    struct vnc_options o = usual();

    CHECK(mkdtemp(dir) != NULL);
    CHECK(vnc_creds(dir, false, &w->err) == -ENOENT && strstr(w->err.msg, "server-cert.pem"));
    make_creds(dir);
    put_file(dir, "server-key.pem", "nonsense\n", 9);
    o.creds = vnc_creds(dir, false, &w->err);
    CHECK(o.creds > 0);
    o.tls_vnc = true;
    CHECK(world_open(w, &o) == -EINVAL && strstr(w->err.msg, "TLS credentials"));
    close(o.creds);
    world_free(w);
    remove_creds(dir);
}
