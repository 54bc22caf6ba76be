/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vif=[ ... ]: xl-network-configuration(5), as far as an emulated card is concerned. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libxlutil.h>
#include "cli/guest.h"

#define DEFAULT_BRIDGE "xenbr0"
#define IFNAME_MAX     11 /* IFNAMSIZ - 1, without "-emu" */

struct vif {
    struct guest *g;
    struct conf *c;
    struct guest_nic *n;
    bool pv_only, mac_given;
};

static void key_mac(struct vif *v, const char *val)
{
    unsigned b[6];
    char rest;

    if (strlen(val) != 17 || sscanf(val, "%2x:%2x:%2x:%2x:%2x:%2x%c", &b[0], &b[1], &b[2], &b[3],
                                    &b[4], &b[5], &rest) != 6) {
        conf_error(v->c, "vif", v->n->item, "mac=%.40s: write it as 00:16:3e:01:02:03", val);
        return;
    }
    for (unsigned i = 0; i < 6; i++)
        v->n->mac[i] = (uint8_t)b[i];
    v->mac_given = true;
    if (b[0] & 1)
        conf_error(v->c, "vif", v->n->item,
                   "mac=%s is a multicast address; make the second digit even", val);
}

static void key_model(struct vif *v, const char *val)
{
    static const char *const models[] = { "rtl8139", "e1000", "pcnet", "ne2k_pci" };

    for (unsigned i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        if (strcmp(val, models[i]))
            continue;
        free(v->n->model);
        v->n->model = guest_copy(val);
        return;
    }
    conf_error(v->c, "vif", v->n->item,
               "model=%.40s is not there; use rtl8139, e1000, pcnet or ne2k_pci", val);
}

static void key_bridge(struct vif *v, const char *val)
{
    if (!*val || strlen(val) > 15 || strchr(val, '/'))
        conf_error(v->c, "vif", v->n->item, "bridge=%.40s is no name of a bridge", val);
    free(v->n->bridge);
    v->n->bridge = guest_copy(val);
}

static void key_vifname(struct vif *v, const char *val)
{
    if (!*val || strlen(val) > IFNAME_MAX || strpbrk(val, "/ "))
        conf_error(v->c, "vif", v->n->item,
                   "vifname=%.40s: give 1 to %d characters, no slash and no blank", val,
                   IFNAME_MAX);
    free(v->n->ifname);
    v->n->ifname = guest_copy(val);
}

static void key_type(struct vif *v, const char *val)
{
    if (!strcmp(val, "user"))
        v->n->user = true;
    else if (!strcmp(val, "vif") || !strcmp(val, "netfront"))
        v->pv_only = true;
    else if (strcmp(val, "ioemu"))
        conf_error(v->c, "vif", v->n->item, "type=%.40s is not known; use ioemu, vif or user", val);
}

static void key_rate(struct vif *v, const char *val)
{
    libxl_device_nic x;

    libxl_device_nic_init(&x);
    conf_hush(v->c);
    if (xlu_vif_parse_rate(v->c->xlu, val, &x))
        conf_error(v->c, "vif", v->n->item, "rate=%.40s: write it as 10Mb/s or 1MB/s@20ms", val);
    else if (x.rate_interval_usecs)
        v->n->rate = x.rate_bytes_per_interval * 1000000u / x.rate_interval_usecs;
    conf_hush(v->c);
    libxl_device_nic_dispose(&x);
}

static void key_script(struct vif *v, const char *val)
{
    const char *slash = strrchr(val, '/');

    if (strcmp(slash ? slash + 1 : val, "vif-bridge"))
        conf_warn(v->c, "vif", v->n->item,
                  "script=%.40s is not run; the card is put into its bridge", val);
}

static void key_backend(struct vif *v, const char *val)
{
    if (strcmp(val, "0") && strcmp(val, "dom0") && strcmp(val, "Domain-0"))
        conf_error(v->c, "vif", v->n->item, "backend=%.40s: there are no driver domains; remove it",
                   val);
}

static void key_left(struct vif *v, const char *val)
{
    conf_warn(v->c, "vif", v->n->item,
              "ip, mtu, vlan, gatewaydev, accel and netdev are for scripts; left out");
}

static void key_silent(struct vif *v, const char *val)
{
}

static const struct {
    const char *name;
    void (*take)(struct vif *v, const char *val);
} vif_keys[] = {
    { "mac", key_mac },        { "model", key_model },      { "bridge", key_bridge },
    { "type", key_type },      { "vifname", key_vifname },  { "rate", key_rate },
    { "script", key_script },  { "backend", key_backend },  { "ip", key_left },
    { "mtu", key_left },       { "vlan", key_left },        { "gatewaydev", key_left },
    { "netdev", key_left },    { "accel", key_left },       { "devid", key_silent },
    { "trusted", key_silent }, { "untrusted", key_silent },
};

static void take_word(struct vif *v, char *word)
{
    char *eq = strchr(word, '='), *end;

    while (isspace((unsigned char)*word))
        word++;
    if (eq)
        *eq++ = 0;
    end = word + strlen(word);
    while (end > word && isspace((unsigned char)end[-1]))
        *--end = 0;
    while (eq && isspace((unsigned char)*eq))
        eq++;
    end = eq ? eq + strlen(eq) : word;
    while (eq && end > eq && isspace((unsigned char)end[-1]))
        *--end = 0;
    if (!*word)
        return;
    for (unsigned i = 0; i < sizeof(vif_keys) / sizeof(vif_keys[0]); i++) {
        if (!strcmp(word, vif_keys[i].name)) {
            vif_keys[i].take(v, eq ? eq : "");
            return;
        }
    }
    conf_error(v->c, "vif", v->n->item,
               "%.40s is not known; use mac, model, bridge, type, vifname, rate", word);
}

/* The same guest has the same address at each start, and another one on another machine. */
static void make_mac(const struct guest *g, struct guest_nic *n, unsigned index)
{
    uint64_t h = guest_hash(g->name, "mac", index);

    n->mac[0] = 0x00; /* Xen's own range */
    n->mac[1] = 0x16;
    n->mac[2] = 0x3e;
    n->mac[3] = (uint8_t)(h >> 16) & 0x7f;
    n->mac[4] = (uint8_t)(h >> 8);
    n->mac[5] = (uint8_t)h;
}

static void check_twins(struct guest *g, struct conf *c)
{
    const struct guest_nic *n = &g->nics[g->nnics - 1];

    for (unsigned i = 0; i + 1 < g->nnics; i++) {
        if (!memcmp(g->nics[i].mac, n->mac, 6))
            conf_error(c, "vif", n->item, "has the mac of vif[%d]; give it another",
                       g->nics[i].item);
    }
}

static void read_vif(struct guest *g, struct conf *c, int item, const char *spec)
{
    struct vif v = { .g = g, .c = c, .n = &g->nics[g->nnics] };
    char *text = guest_copy(spec), *save = NULL;

    memset(v.n, 0, sizeof(*v.n));
    v.n->item = item;
    v.n->model = guest_copy("rtl8139");
    v.n->bridge = guest_copy(DEFAULT_BRIDGE);
    for (char *w = strtok_r(text, ",", &save); w; w = strtok_r(NULL, ",", &save))
        take_word(&v, w);
    free(text);
    if (v.pv_only) {
        conf_warn(c, "vif", item,
                  "type=vif is for PV drivers only, which have no Xen here; "
                  "left out (type=ioemu gives the guest a card)");
        free(v.n->model);
        free(v.n->bridge);
        free(v.n->ifname);
        return;
    }
    if (!v.mac_given)
        make_mac(g, v.n, (unsigned)item);
    g->nnics++;
    check_twins(g, c);
}

void guest_read_nics(struct guest *g, struct conf *c)
{
    unsigned n = conf_list(c, "vif");

    for (unsigned i = 0; i < n; i++) {
        const char *spec = conf_item(c, "vif", i);

        if (g->nnics == GUEST_NICS) {
            conf_error(c, "vif", (int)i, "is one too many; give at most %d", GUEST_NICS);
            return;
        }
        if (spec)
            read_vif(g, c, (int)i, spec);
    }
}
