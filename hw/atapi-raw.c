/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole mode 1 sector around the 2048 bytes of an image, as READ CD gives
 * it: sync, header, EDC and ECC of ECMA-130 §14 and annexes A and B, no C2
 * errors, and the subchannels of a data track (ECMA-130 §22.3). What there is
 * no trace of in an image (the R to W subchannels) is zero.
 */
#include <string.h>
#include "hw/atapi.h"

#define AT_HEADER 12
#define AT_USER   16
#define AT_EDC    2064
#define AT_P      2076
#define AT_Q      2248

#define C2_BYTES     294
#define BLOCK_ERRORS 2 /* and a pad byte, in front of the C2 flags */

static uint8_t bcd(unsigned n)
{
    return n / 10 % 10 << 4 | n % 10;
}

/* Four bits at a time of the CRC (x^16 + x^15 + x^2 + 1)(x^16 + x^2 + x + 1), low bit first. */
static const uint32_t edc_table[16] = {
    0x00000000, 0x99011001, 0x82012001, 0x1b003000, 0xb4014001, 0x2d005000, 0x36006000, 0xaf017001,
    0xd8018001, 0x41009000, 0x5a00a000, 0xc301b001, 0x6c00c000, 0xf501d001, 0xee01e001, 0x7700f000,
};

static uint32_t edc(const uint8_t *p, unsigned len)
{
    uint32_t crc = 0;

    for (unsigned i = 0; i < len; i++) {
        crc ^= p[i];
        crc = crc >> 4 ^ edc_table[crc & 15];
        crc = crc >> 4 ^ edc_table[crc & 15];
    }
    return crc;
}

/* Times x in GF(2^8), x^8 + x^4 + x^3 + x^2 + 1. */
static uint8_t gf_double(uint8_t v)
{
    return v << 1 ^ (v & 0x80 ? 0x1d : 0);
}

/* Divided by x + 1: times its inverse, f4. */
static uint8_t gf_third(uint8_t v)
{
    uint8_t sum = 0;

    for (unsigned bit = 0x80; bit; bit >>= 1)
        sum = gf_double(sum) ^ (0xf4 & bit ? v : 0);
    return sum;
}

/*
 * The two check bytes of one codeword: the sum of all its bytes is zero, and so is the sum with
 * byte i (from the last) times x^i. Its bytes are at first, first + step, ... modulo size.
 */
static void ecc_word(const uint8_t *p, unsigned first, unsigned step, unsigned size, unsigned n,
                     uint8_t *check0, uint8_t *check1)
{
    uint8_t sum = 0, weighed = 0;

    for (unsigned i = 0; i < n; i++, first = (first + step) % size) {
        sum ^= p[first];
        weighed = gf_double(weighed) ^ p[first];
    }
    weighed = gf_double(gf_double(weighed));
    *check0 = gf_third(sum ^ weighed);
    *check1 = sum ^ *check0;
}

/* P: 43 columns of 24 words, Q: 26 diagonals of 43; the two bytes of a word apart. */
static void ecc(uint8_t *sector)
{
    uint8_t *p = sector + AT_HEADER;

    for (unsigned i = 0; i < 86; i++)
        ecc_word(p, i, 86, 2236, 24, sector + AT_P + i, sector + AT_P + 86 + i);
    for (unsigned i = 0; i < 52; i++)
        ecc_word(p, i / 2 * 86 + i % 2, 88, 2236, 43, sector + AT_Q + i, sector + AT_Q + 52 + i);
}

static void make_sector(uint8_t *r, uint64_t lba, const uint8_t *user)
{
    uint8_t msf[3];
    uint32_t crc;

    atapi_msf(msf, lba);
    memset(r, 0, IDE_RAW);
    memset(r + 1, 0xff, 10); /* 00, ten ff, 00: sync */
    for (int i = 0; i < 3; i++)
        r[AT_HEADER + i] = bcd(msf[i]);
    r[AT_HEADER + 3] = 1; /* mode 1 */
    memcpy(r + AT_USER, user, CD_BLOCK);
    crc = edc(r, AT_EDC);
    for (int i = 0; i < 4; i++)
        r[AT_EDC + i] = crc >> (8 * i);
    ecc(r);
}

/* ---- subchannels ---- */

/* Twelve bytes of mode 1 Q of track 1: where it is, and the CRC of that. */
static void make_q(uint8_t *q, uint64_t lba)
{
    uint16_t crc = 0;
    uint8_t at[3];

    memset(q, 0, 12);
    q[0] = 0x41; /* control: data; ADR 1 */
    q[1] = q[2] = 1;
    q[3] = bcd(lba / (60 * CD_FRAMES));
    q[4] = bcd(lba / CD_FRAMES % 60);
    q[5] = bcd(lba % CD_FRAMES);
    atapi_msf(at, lba);
    for (int i = 0; i < 3; i++)
        q[7 + i] = bcd(at[i]);
    for (int i = 0; i < 80; i++) {
        bool bit = (q[i / 8] >> (7 - i % 8) & 1) ^ crc >> 15;

        crc = crc << 1 ^ (bit ? 0x1021 : 0);
    }
    put_be16(q + 10, ~crc & 0xffff);
}

static unsigned sub_size(unsigned sub)
{
    return sub == READ_CD_SUB_Q ? 16 : sub ? 96 : 0;
}

static void put_sub(uint8_t *dst, unsigned sub, uint64_t lba)
{
    uint8_t q[12];

    make_q(q, lba);
    memset(dst, 0, sub_size(sub));
    if (sub == READ_CD_SUB_Q)
        memcpy(dst, q, sizeof(q));
    for (unsigned i = 0; sub == READ_CD_SUB_RAW && i < 96; i++)
        dst[i] = q[i / 8] >> (7 - i % 8) & 1 ? 0x40 : 0;
}

/* ---- what of all that was asked for ---- */

static const struct {
    uint8_t field;
    uint16_t at, len;
} parts[] = {
    { READ_CD_SYNC, 0, AT_HEADER },
    { READ_CD_HEADER, AT_HEADER, AT_USER - AT_HEADER },
    { READ_CD_USER, AT_USER, CD_BLOCK },
    { READ_CD_EDC, AT_EDC, IDE_RAW - AT_EDC },
};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

static unsigned c2_size(unsigned fields)
{
    unsigned c2 = fields & READ_CD_C2;

    return c2 == READ_CD_C2_FLAGS ? C2_BYTES : c2 ? C2_BYTES + BLOCK_ERRORS : 0;
}

bool atapi_fields_ok(unsigned fields)
{
    bool sync = fields & READ_CD_SYNC, header = fields & READ_CD_HEADER;
    bool user = fields & READ_CD_USER, sub = fields & READ_CD_SUBHEADER;

    if ((fields & READ_CD_C2) == READ_CD_C2)
        return false;
    if ((fields & READ_CD_EDC) && !user)
        return false;
    return !sync || header || (!user && !sub);
}

unsigned atapi_sector_size(unsigned fields, unsigned sub)
{
    unsigned n = c2_size(fields) + sub_size(sub);

    for (unsigned i = 0; i < PARTS; i++)
        n += fields & parts[i].field ? parts[i].len : 0;
    return n;
}

void atapi_cook(struct ide_unit *u, uint64_t lba, const uint8_t *src, uint8_t *dst)
{
    const struct ide_chan_state *s = u->ch->s;
    uint8_t sector[IDE_RAW];

    make_sector(sector, lba, src);
    for (unsigned i = 0; i < PARTS; i++) {
        if (s->fields & parts[i].field) {
            memcpy(dst, sector + parts[i].at, parts[i].len);
            dst += parts[i].len;
        }
    }
    memset(dst, 0, c2_size(s->fields));
    put_sub(dst + c2_size(s->fields), s->sub, lba);
}
