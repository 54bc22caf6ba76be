/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portico-vnc: who may come in. VNC authentication (RFC 6143 7.2.2), and
 * VeNCrypt version 0.2 (the RFB protocol's community edition, "VeNCrypt"):
 * TLS with a certificate or anonymous, under it nothing, VNC authentication or
 * a name and a password in plain.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "display/vnc/helper.h"

#define CHALLENGE 16
#define NAME_MAX_ 256 /* of a user: any will do, there is one password */

#define SECURITY_VENCRYPT 19

enum { /* VeNCrypt's subtypes */
       TLS_NONE = 257,
       TLS_VNC,
       TLS_PLAIN,
       X509_NONE,
       X509_VNC,
       X509_PLAIN,
};

struct creds {
    bool anonymous, verify;
    gnutls_anon_server_credentials_t anon;
    gnutls_certificate_credentials_t cert;
};

/* ---- VNC authentication ---- */

/* In place of the library's, whose challenge can be guessed from time and process id. */
void rfbRandomBytes(unsigned char *bytes)
{
    if (getrandom(bytes, CHALLENGE, 0) != CHALLENGE)
        _exit(EXIT_FAILED);
}

static bool password_counts(const struct helper *h)
{
    return h->password[0] && (h->expires == 0 || time(NULL) < h->expires);
}

void auth_warm_up(void)
{
    unsigned char bytes[CHALLENGE] = { 0 };
    char password[] = "x";

    rfbEncryptBytes(bytes, password);
    gnutls_global_init();
}

void auth_refused(const struct helper *h, bool guessed)
{
    struct viewer_msg m = { .type = VM_REFUSED };

    channel_say(&m);
    if (guessed)
        sleep(1); /* one guess a second */
}

/* RFC 6143 7.2.2. The time it takes tells nothing about the password. */
rfbBool auth_check(rfbClientPtr cl, const char *response, int len)
{
    struct helper *h = helper_of(cl);
    unsigned char want[CHALLENGE], differ = 0;

    memcpy(want, cl->authChallenge, CHALLENGE);
    rfbEncryptBytes(want, h->password);
    for (int i = 0; i < CHALLENGE && i < len; i++)
        differ |= want[i] ^ (unsigned char)response[i];
    /* A library that refuses to do DES (FIPS) leaves the challenge as it was. */
    if (len == CHALLENGE && differ == 0 && password_counts(h) &&
        memcmp(want, cl->authChallenge, CHALLENGE) != 0)
        return TRUE;
    auth_refused(h, password_counts(h));
    return FALSE;
}

bool auth_same(const char *a, size_t alen, const char *b, size_t size)
{
    unsigned differ = 0;

    for (size_t i = 0; i < size; i++)
        differ |= (unsigned char)(i < alen ? a[i] : 0) ^ (unsigned char)b[i];
    return !differ && alen < size;
}

/* ---- TLS ---- */

static gnutls_datum_t part_of(const uint8_t *file, const struct creds_file *head, unsigned part)
{
    size_t at = sizeof(*head);

    for (unsigned i = 0; i < part; i++)
        at += head->len[i];
    return (gnutls_datum_t){ (unsigned char *)(uintptr_t)(file + at), head->len[part] };
}

static const char *load_cert(struct creds *c, const uint8_t *file, const struct creds_file *head)
{
    gnutls_datum_t cert = part_of(file, head, CREDS_CERT), key = part_of(file, head, CREDS_KEY);
    gnutls_datum_t ca = part_of(file, head, CREDS_CA), crl = part_of(file, head, CREDS_CRL);
    int rc = gnutls_certificate_allocate_credentials(&c->cert);

    if (!rc)
        rc = gnutls_certificate_set_x509_key_mem(c->cert, &cert, &key, GNUTLS_X509_FMT_PEM);
    if (!rc && ca.size)
        rc = gnutls_certificate_set_x509_trust_mem(c->cert, &ca, GNUTLS_X509_FMT_PEM);
    if (rc >= 0 && crl.size)
        rc = gnutls_certificate_set_x509_crl_mem(c->cert, &crl, GNUTLS_X509_FMT_PEM);
    if (rc >= 0)
        gnutls_certificate_set_known_dh_params(c->cert, GNUTLS_SEC_PARAM_MEDIUM);
    return rc < 0 ? gnutls_strerror(rc) : NULL;
}

static const char *load(struct creds *c, const uint8_t *file, size_t size)
{
    struct creds_file head;
    size_t sum = sizeof(head);
    int rc;

    if (size < sizeof(head))
        return "no credentials";
    memcpy(&head, file, sizeof(head));
    for (unsigned i = 0; i < CREDS_PARTS; i++)
        sum += head.len[i] <= CREDS_MAX ? head.len[i] : CREDS_MAX;
    if (sum > size)
        return "the credentials are cut off";
    c->anonymous = head.anonymous;
    c->verify = head.verify_peer && !head.anonymous;
    if (!c->anonymous)
        return load_cert(c, file, &head);
    rc = gnutls_anon_allocate_server_credentials(&c->anon);
    if (!rc)
        rc = gnutls_anon_set_server_known_dh_params(c->anon, GNUTLS_SEC_PARAM_MEDIUM);
    return rc < 0 ? gnutls_strerror(rc) : NULL;
}

const char *auth_creds(struct helper *h, int fd)
{
    static struct creds creds; /* one process, one client: the key is here once */
    struct stat st;
    const char *wrong;
    void *p;

    if (fstat(fd, &st) || st.st_size <= 0 || st.st_size > (off_t)CREDS_MAX)
        return "no credentials";
    p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED)
        return strerror(errno);
    wrong = load(&creds, p, (size_t)st.st_size);
    munmap(p, (size_t)st.st_size);
    h->creds = &creds;
    return wrong;
}

int auth_start_tls(struct helper *h)
{
    /* TLS 1.3 knows no anonymous peers. */
    const char *priority =
        h->creds->anonymous ? "NORMAL:-VERS-TLS1.3:+ANON-ECDH:+ANON-DH" : "NORMAL";
    struct gnutls_session_int *tls;
    unsigned status = 0;
    int rc = gnutls_init(&tls, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);

    if (!rc)
        rc = gnutls_priority_set_direct(tls, priority, NULL);
    if (!rc)
        rc = h->creds->anonymous
                 ? gnutls_credentials_set(tls, GNUTLS_CRD_ANON, h->creds->anon)
                 : gnutls_credentials_set(tls, GNUTLS_CRD_CERTIFICATE, h->creds->cert);
    if (rc)
        return -1;
    gnutls_certificate_server_set_request(tls, h->creds->verify ? GNUTLS_CERT_REQUIRE
                                                                : GNUTLS_CERT_IGNORE);
    if (stream_start_tls(&h->stream, tls))
        return -1;
    if (h->creds->verify && (gnutls_certificate_verify_peers2(tls, &status) || status)) {
        auth_refused(h, false);
        return -1;
    }
    return 0;
}

/* ---- VeNCrypt ---- */

static bool put32(rfbClientPtr cl, uint32_t v)
{
    v = htonl(v);
    return rfbWriteExact(cl, (const char *)&v, 4) == 1;
}

static bool get32(rfbClientPtr cl, uint32_t *v)
{
    if (rfbReadExact(cl, (char *)v, 4) != 1)
        return false;
    *v = ntohl(*v);
    return true;
}

static void come_in(rfbClientPtr cl)
{
    /* 3.7 knows no result where no password is asked for */
    if (cl->protocolMinorVersion > 7 && !put32(cl, rfbVncAuthOK))
        rfbCloseClient(cl);
    else
        cl->state = RFB_INITIALISATION;
}

static void ask_vnc(rfbClientPtr cl)
{
    rfbRandomBytes(cl->authChallenge);
    if (rfbWriteExact(cl, (const char *)cl->authChallenge, CHALLENGE) != 1)
        rfbCloseClient(cl);
    else
        cl->state = RFB_AUTHENTICATION;
}

static void ask_plain(rfbClientPtr cl)
{
    static const char why[] = "the password is wrong";
    struct helper *h = helper_of(cl);
    char name[NAME_MAX_], password[SECRET_MAX];
    uint32_t nlen, plen;
    bool good;

    alarm(PASSWORD_SECONDS);
    h->stage = 1;
    if (!get32(cl, &nlen) || !get32(cl, &plen) || nlen > sizeof(name) || plen > sizeof(password) ||
        rfbReadExact(cl, name, (int)nlen) != 1 || rfbReadExact(cl, password, (int)plen) != 1) {
        rfbCloseClient(cl);
        return;
    }
    good = auth_same(password, plen, h->password, sizeof(h->password)) && password_counts(h);
    explicit_bzero(password, sizeof(password));
    if (good) {
        come_in(cl);
        return;
    }
    auth_refused(h, password_counts(h));
    if (put32(cl, rfbVncAuthFailed) && cl->protocolMinorVersion > 7 && put32(cl, sizeof(why) - 1))
        rfbWriteExact(cl, why, sizeof(why) - 1);
    rfbCloseClient(cl);
}

/* What this server offers under TLS; the one everybody knows first. */
static unsigned subtypes(const struct helper *h, uint32_t out[2])
{
    uint32_t none = h->creds->anonymous ? TLS_NONE : X509_NONE;

    out[0] = h->auth ? none + 1 : none;
    out[1] = none + 2;
    return h->auth ? 2 : 1;
}

static bool choose(rfbClientPtr cl, uint32_t *chosen)
{
    static const char version[2] = { 0, 2 };
    char theirs[2], answer = 0, count;
    uint32_t offer[2];
    unsigned n = subtypes(helper_of(cl), offer);
    bool known = false;

    if (rfbWriteExact(cl, version, 2) != 1 || rfbReadExact(cl, theirs, 2) != 1)
        return false;
    if (theirs[0] != version[0] || theirs[1] != version[1])
        answer = (char)255;
    if (rfbWriteExact(cl, &answer, 1) != 1 || answer)
        return false;
    count = (char)n;
    if (rfbWriteExact(cl, &count, 1) != 1)
        return false;
    for (unsigned i = 0; i < n; i++) {
        if (!put32(cl, offer[i]))
            return false;
    }
    if (!get32(cl, chosen))
        return false;
    for (unsigned i = 0; i < n; i++)
        known |= offer[i] == *chosen;
    answer = known;
    return rfbWriteExact(cl, &answer, 1) == 1 && known;
}

static void vencrypt(rfbClientPtr cl)
{
    uint32_t chosen;

    if (!choose(cl, &chosen) || auth_start_tls(helper_of(cl))) {
        rfbCloseClient(cl);
        return;
    }
    if (chosen == TLS_VNC || chosen == X509_VNC)
        ask_vnc(cl);
    else if (chosen == TLS_PLAIN || chosen == X509_PLAIN)
        ask_plain(cl);
    else
        come_in(cl);
}

/* The library calls this when it knows the client's version; without VeNCrypt its own will do. */
void rfbAuthNewClient(rfbClientPtr cl)
{
    static rfbSecurityHandler handler = { .type = SECURITY_VENCRYPT, .handler = vencrypt };
    static const char types[2] = { 1, SECURITY_VENCRYPT };
    struct helper *h = helper_of(cl);
    void (*library)(rfbClientPtr);

    if (!h->creds || h->stream.tls) {
        *(void **)&library = dlsym(RTLD_NEXT, "rfbAuthNewClient");
        if (library)
            library(cl);
        else
            rfbCloseClient(cl);
        return;
    }
    if (cl->protocolMinorVersion < 7) {
        rfbClientConnFailed(cl, "this display needs VeNCrypt (TLS)");
        return;
    }
    rfbRegisterSecurityHandler(&handler);
    if (rfbWriteExact(cl, types, sizeof(types)) != 1)
        rfbCloseClient(cl);
    else
        cl->state = RFB_SECURITY_TYPE;
}
