/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Intel 82371AB (PIIX4) function 3, power management. Intel 290562, chapter 7;
 * ACPI 2.0 chapter 4. Beside the chip's own blocks stand those that the guest's
 * DSDT describes, for hot-plug: hw/piix4-hotplug.c.
 *
 * Under Xen the hypervisor has PM1_STS, PM1_EN and the timer, so only PM1_CNT
 * is claimed. With config "pm1-timer" they are here as well. Not modelled: SMM
 * (an APM command other than the two that switch ACPI on and off does
 * nothing), the device monitors, clock control, GPIO (their registers hold
 * what is written), and anything on the SMBus: its host controller is idle and
 * every transaction ends with a device error.
 *
 * With config "smm" off the SMI of APM commands is on from the start, as if
 * firmware had been here before: SeaBIOS then leaves SMM alone, for which it
 * would wait for ever.
 */
#include <string.h>
#include "hw/core/config.h"
#include "hw/devices.h"
#include "hw/piix4-pm-int.h"

/* Config space */
#define CFG_PMBASE    0x40
#define CFG_DEVACTB   0x58
#define CFG_PMREGMISC 0x80 /* bit 0: the PM block is decoded */
#define CFG_SMBBA     0x90
#define CFG_SMBHSTCFG 0xd2 /* bit 0: the SMBus host is enabled */

#define DEVACTB_APMC_EN 0x02 /* bit 25, in the last byte: an APM command is an SMI */

/* The PM block */
#define OFF_PM1_EVT  0x00
#define OFF_PM1_CNT  0x04
#define OFF_PM_TMR   0x08
#define PM1_TMR      0x0001
#define PM1_GBL      0x0020
#define PM1_PWRBTN   0x0100
#define PM1_RTC      0x0400
#define PM1_WAK      0x8000
#define PM1_STS_BITS (PM1_TMR | PM1_GBL | PM1_PWRBTN | PM1_RTC | PM1_WAK)
#define PM1_EN_BITS  (PM1_TMR | PM1_GBL | PM1_PWRBTN | PM1_RTC)
#define CNT_SCI_EN   0x0001
#define CNT_SLP_TYP  0x1c00
#define CNT_SLP_EN   0x2000
#define CNT_BITS     (CNT_SLP_TYP | 0x0002 | CNT_SCI_EN)
#define TIMER_HZ     3579545
#define TIMER_HIGH   (1u << 23) /* TMR_STS is set whenever this bit changes */
#define TIMER_PERIOD (TIMER_HIGH * NS_PER_S / TIMER_HZ) /* ns from change to change */

#define APM_ACPI_ON  0xf1
#define APM_ACPI_OFF 0xf0

#define SCI_IRQ 9

/* SMBus host (82371AB 7.3) */
#define SMB_HSTSTS     0x00
#define SMB_HSTCNT     0x02
#define HSTSTS_DEV_ERR 0x04
#define HSTSTS_BITS    0x1e
#define HSTCNT_START   0x40

#define P struct piix4_pm
static const struct field piix4_pm_state[] = { FIELD(P, overflow),
                                               FIELD(P, pci_up),
                                               FIELD(P, pci_down),
                                               FIELD(P, timer_high, .max = TIMER_HIGH),
                                               FIELD(P, pm1_sts, .bits = PM1_STS_BITS),
                                               FIELD(P, pm1_en, .bits = PM1_EN_BITS),
                                               FIELD(P, pm1_cnt, .bits = CNT_BITS),
                                               FIELD(P, gpe_sts, .bits = GPE_BITS),
                                               FIELD(P, gpe_en),
                                               ARRAY(P, apm),
                                               ARRAY(P, smb),
                                               ARRAY(P, cpus),
                                               FIELD(P, asleep, .since = 2),
                                               ARRAY(P, spare, .since = 2),
                                               FIELDS_END };

/* Byte n of a register pair {status, enable}: status bits are cleared by ones. */
uint8_t pm_pair_read(uint16_t sts, uint16_t en, uint64_t off)
{
    return (off & 2 ? en : sts) >> (8 * (off & 1));
}

void pm_pair_write(uint16_t *sts, uint16_t *en, uint16_t en_bits, uint64_t off, uint8_t val)
{
    unsigned shift = 8 * (off & 1);

    if (off & 2)
        *en = ((*en & ~(0xff << shift)) | val << shift) & en_bits;
    else
        *sts &= ~(val << shift);
}

/* The power management timer: 24 bits at 3.58 MHz */

/* Puts overflow back into the future, however late we are. */
static void timer_catch_up(struct piix4_pm *p)
{
    int64_t now = platform_now(p->pci.dev.plat), at = p->due;
    int64_t missed;

    if (!p->pm1)
        return;
    if (at == TIMER_OFF)
        at = now + TIMER_PERIOD;
    if (at <= now) {
        missed = (now - at) / TIMER_PERIOD + 1;
        at += missed * TIMER_PERIOD;
        p->s.pm1_sts |= PM1_TMR;
        if (missed & 1)
            p->s.timer_high ^= TIMER_HIGH;
    }
    p->due = at;
    if (at != p->s.overflow.at)
        timer_set(p->pci.dev.plat, &p->s.overflow, at);
}

static uint64_t pm_tmr_read(struct device *dev, uint64_t off, unsigned width)
{
    struct piix4_pm *p = pm_of(dev);
    int64_t left;

    timer_catch_up(p);
    left = (p->s.overflow.at - platform_now(dev->plat)) * TIMER_HZ / NS_PER_S;
    dev->type->sync(dev);
    return p->s.timer_high | ((TIMER_HIGH - 1 - left) & (TIMER_HIGH - 1));
}

static void pm_overflow(void *arg)
{
    struct piix4_pm *p = arg;

    timer_catch_up(p);
    p->pci.dev.type->sync(&p->pci.dev);
}

/* PM1 events */

static uint64_t pm1_evt_read(struct device *dev, uint64_t off, unsigned width)
{
    struct piix4_pm *p = pm_of(dev);

    timer_catch_up(p);
    return pm_pair_read(p->s.pm1_sts, p->s.pm1_en, off);
}

static void pm1_evt_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct piix4_pm *p = pm_of(dev);

    timer_catch_up(p);
    pm_pair_write(&p->s.pm1_sts, &p->s.pm1_en, PM1_EN_BITS, off, val);
    dev->type->sync(dev);
}

/* PM1 control. The sleep types are those of hvmloader's and SeaBIOS' DSDT. */

static void pm_sleep(struct piix4_pm *p, unsigned type)
{
    static const enum power asks[] = { POWER_OFF, POWER_SUSPEND, POWER_OFF };

    if (type < sizeof(asks) / sizeof(asks[0])) {
        p->s.asleep = asks[type] == POWER_SUSPEND;
        if (p->s.asleep && p->sleeps)
            p->sleeps(p->sleeps_arg);
        platform_power(p->pci.dev.plat, asks[type]);
        return;
    }
    guest_err(&p->pci.dev, "sleep type %u does not exist", type);
}

static uint64_t pm1_cnt_read(struct device *dev, uint64_t off, unsigned width)
{
    return pm_of(dev)->s.pm1_cnt >> (8 * off);
}

static void pm1_cnt_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct piix4_pm *p = pm_of(dev);
    uint16_t mask = width == 2 ? 0xffff : 0xff << (8 * off);
    uint16_t cnt = (p->s.pm1_cnt & ~mask) | (val << (8 * off) & mask);

    p->s.pm1_cnt = cnt & CNT_BITS;
    if (cnt & CNT_SLP_EN)
        pm_sleep(p, (cnt & CNT_SLP_TYP) >> 10);
    dev->type->sync(dev);
}

void pm_set_sleeps(struct device *pm, void (*sleeps)(void *arg), void *arg)
{
    struct piix4_pm *p = pm_of(pm);

    p->sleeps = sleeps;
    p->sleeps_arg = arg;
}

void pm_wake(struct device *pm)
{
    if (!pm_of(pm)->s.asleep)
        return;
    pm_woken(pm);
    platform_power(pm->plat, POWER_WAKE);
}

void pm_woken(struct device *pm)
{
    pm_of(pm)->s.asleep = false;
}

struct device *pm_find(struct platform *plat)
{
    struct pci_func *pm = plat->pci[PCI_DEVFN(1, 3)];

    return pm && pm->dev.type == &piix4_pm_type.dev ? &pm->dev : NULL;
}

void pm_power_button(struct device *pm)
{
    struct piix4_pm *p = pm_of(pm);

    if (!p->pm1)
        return;
    p->s.pm1_sts |= PM1_PWRBTN;
    pm->type->sync(pm);
    pm_wake(pm);
}

void pm_rtc_alarm(struct device *pm)
{
    struct piix4_pm *p = pm_of(pm);

    if (!p->pm1)
        return;
    p->s.pm1_sts |= PM1_RTC;
    pm->type->sync(pm);
    if (p->s.pm1_en & PM1_RTC)
        pm_wake(pm);
}

/* APM: a command would enter SMM; firmware's two are obeyed on the spot. */

static uint64_t apm_read(struct device *dev, uint64_t off, unsigned width)
{
    return pm_of(dev)->s.apm[off & 1];
}

static void apm_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    struct piix4_pm *p = pm_of(dev);

    p->s.apm[off & 1] = val;
    if (off == 0 && val == APM_ACPI_ON)
        p->s.pm1_cnt |= CNT_SCI_EN;
    else if (off == 0 && val == APM_ACPI_OFF)
        p->s.pm1_cnt &= ~CNT_SCI_EN;
    dev->type->sync(dev);
}

/* SMBus host: nobody is there to answer */

static uint64_t smb_read(struct device *dev, uint64_t off, unsigned width)
{
    return pm_of(dev)->s.smb[off & (SMB_REGS - 1)];
}

static void smb_write(struct device *dev, uint64_t off, uint64_t val, unsigned width)
{
    uint8_t *smb = pm_of(dev)->s.smb;

    if (off == SMB_HSTSTS) {
        smb[SMB_HSTSTS] &= ~val;
        return;
    }
    smb[off & (SMB_REGS - 1)] = off == SMB_HSTCNT ? val & ~HSTCNT_START : val;
    if (off == SMB_HSTCNT && (val & HSTCNT_START))
        smb[SMB_HSTSTS] |= HSTSTS_DEV_ERR;
}

/* The movable blocks */

static const struct io_range pm1_evt = { IO_PORT, OFF_PM1_EVT, 4, 1, pm1_evt_read, pm1_evt_write };
static const struct io_range pm1_cnt = {
    IO_PORT, OFF_PM1_CNT, 2, 1 | 2, pm1_cnt_read, pm1_cnt_write
};
static const struct io_range pm_tmr = { IO_PORT, OFF_PM_TMR, 4, 4, pm_tmr_read, NULL };
static const struct io_range smbus = { IO_PORT, 0, SMB_REGS, 1, smb_read, smb_write };

static void place(struct device *dev, const struct io_range *r, uint64_t old, uint64_t base)
{
    if (old)
        platform_unmap(dev->plat, dev, r, old + r->base);
    if (base && platform_map(dev->plat, dev, r, base + r->base, r->size))
        guest_err(dev, "ports %llx overlap another's", (unsigned long long)base + r->base);
}

static void pm_remap(struct piix4_pm *p)
{
    struct device *dev = &p->pci.dev;
    bool pm_on = p->pci.cfg[CFG_PMREGMISC] & 1;
    bool smb_on =
        (p->pci.cfg[CFG_SMBHSTCFG] & 1) && (pci_cfg16(&p->pci, PCI_COMMAND) & PCI_COMMAND_IO);
    uint64_t pm_at = pm_on ? pci_cfg16(&p->pci, CFG_PMBASE) & 0xffc0 : 0;
    uint64_t smb_at = smb_on ? pci_cfg16(&p->pci, CFG_SMBBA) & 0xfff0 : 0;

    if (pm_at != p->pm_at) {
        place(dev, &pm1_cnt, p->pm_at, pm_at);
        if (p->pm1) {
            place(dev, &pm1_evt, p->pm_at, pm_at);
            place(dev, &pm_tmr, p->pm_at, pm_at);
        }
        p->pm_at = pm_at;
    }
    if (smb_at != p->smb_at) {
        place(dev, &smbus, p->smb_at, smb_at);
        p->smb_at = smb_at;
    }
}

/* The device's life */

/*
 * SCI is one bit that under Xen the hypervisor's PM1 events share, and setting
 * it low clears theirs as well: irq_set() passes on only real changes of ours.
 */
static void pm_sync(struct device *dev)
{
    struct piix4_pm *p = pm_of(dev);
    bool pm1 = p->pm1 && (p->s.pm1_cnt & CNT_SCI_EN) && (p->s.pm1_sts & p->s.pm1_en);

    memcpy(p->cpus, p->s.cpus, sizeof(p->cpus));
    p->woken = p->s.pm1_sts & (PM1_PWRBTN | PM1_RTC);
    if (p->s.overflow.at != TIMER_OFF)
        p->due = p->s.overflow.at;
    pm_remap(p);
    irq_set(&p->sci, pm1 || (p->s.gpe_sts & p->s.gpe_en));
}

static bool pm_check(const struct device *dev)
{
    const struct piix4_pm *p = container_of(dev, const struct piix4_pm, pci.dev);

    if (p->s.overflow.at != TIMER_OFF && p->s.overflow.at > platform_now(dev->plat) + TIMER_PERIOD)
        return false;
    return (p->s.timer_high == 0 || p->s.timer_high == TIMER_HIGH) &&
           !(p->s.pm1_sts & ~PM1_STS_BITS) && !(p->s.pm1_en & ~PM1_EN_BITS) &&
           !memcmp(p->s.spare, (uint8_t[sizeof(p->s.spare)]){ 0 }, sizeof(p->s.spare)) &&
           !(p->s.pm1_cnt & ~CNT_BITS) && !(p->s.gpe_sts & ~GPE_BITS) &&
           !(p->s.smb[SMB_HSTSTS] & ~HSTSTS_DEV_ERR);
}

static void pm_reset(struct device *dev, enum reset_kind kind)
{
    struct piix4_pm *p = pm_of(dev);

    if (kind == RESET_COLD) {
        for (unsigned cpu = 0; cpu < p->cpus_at_start; cpu++)
            p->s.cpus[cpu / 8] |= 1u << (cpu % 8);
    } else {
        memcpy(p->s.cpus, p->cpus, sizeof(p->cpus));
    }
    if (kind == RESET_WAKE && p->pm1) /* ACPI 4.8.3.1.1: WAK_STS, and who it was */
        p->s.pm1_sts = PM1_WAK | p->woken;
    if (p->no_smm)
        p->pci.cfg[CFG_DEVACTB + 3] |= DEVACTB_APMC_EN;
    p->due = TIMER_OFF;
    timer_catch_up(p);
}

static int pm_init(struct device *dev, const struct config *cfg, struct err *err)
{
    struct piix4_pm *p = pm_of(dev);
    int rc = config_uint(cfg, "cpus", 1, PM_CPUS, &p->cpus_at_start, err);

    if (rc < 0)
        return rc;
    p->pm1 = config_bool(cfg, "pm1-timer", false);
    p->no_smm = !config_bool(cfg, "smm", true);
    irq_isa(dev, &p->sci, SCI_IRQ);
    timer_init(dev->plat, &p->s.overflow, pm_overflow, p);
    return 0;
}

static void pm_fini(struct device *dev)
{
    struct piix4_pm *p = pm_of(dev);

    irq_set(&p->sci, false);
    p->pci.cfg[CFG_PMREGMISC] = p->pci.cfg[CFG_SMBHSTCFG] = 0;
    pm_remap(p);
    timer_fini(dev->plat, &p->s.overflow);
}

static const struct io_range pm_io[] = {
    { IO_PORT, 0xae00, 0x18, 1, pm_pci_hp_read, pm_pci_hp_write },
    { IO_PORT, 0xaf00, PM_CPUS / 8, 1, pm_cpus_read, pm_cpus_write },
    { IO_PORT, 0xafe0, 4, 1, pm_gpe_read, pm_gpe_write },
    { IO_PORT, 0xb2, 2, 1, apm_read, apm_write },
    { 0 }
};

static const struct pci_reg pm_regs[] = { { 0x06, 2, 0x0280, 0, 0xf900 },           /* PCISTS */
                                          { CFG_PMBASE, 4, 0x00000001, 0xffc0, 0 }, /* PMBA */
                                          { 0x44, 4, 0, 0xffffffff, 0 },            /* CNTA */
                                          { 0x48, 4, 0, 0xffffffff, 0 },            /* CNTB */
                                          { 0x4c, 4, 0, 0xffffffff, 0 },            /* GPICTL */
                                          { 0x50, 4, 0, 0xffffffff, 0 },            /* DEVRESD */
                                          { 0x54, 4, 0, 0xffffffff, 0 },            /* DEVACTA */
                                          { CFG_DEVACTB, 4, 0, 0xffffffff, 0 },     /* DEVACTB */
                                          { 0x5c, 4, 0, 0xffffffff, 0 },            /* DEVRESA */
                                          { 0x60, 4, 0, 0xffffffff, 0 },            /* DEVRESB */
                                          { 0x64, 4, 0, 0xffffffff, 0 },            /* DEVRESC */
                                          { 0x68, 4, 0, 0xffffffff, 0 },            /* DEVRESE */
                                          { 0x6c, 4, 0, 0xffffffff, 0 },            /* DEVRESF */
                                          { 0x70, 4, 0, 0xffffffff, 0 },            /* DEVRESG */
                                          { 0x74, 4, 0, 0xffffffff, 0 },            /* DEVRESH */
                                          { 0x78, 4, 0, 0xffffffff, 0 },            /* DEVRESI */
                                          { 0x7c, 4, 0, 0xffffffff, 0 },            /* DEVRESJ */
                                          { CFG_PMREGMISC, 1, 0, 0x01, 0 },         /* PMREGMISC */
                                          { CFG_SMBBA, 4, 0x00000001, 0xfff0, 0 },  /* SMBBA */
                                          { CFG_SMBHSTCFG, 4, 0, 0x00ffff0f,
                                            0 }, /* SMBHSTCFG, SMBSLVC, SMBSHDW1-2 */
                                          { 0 } };

const struct pci_type piix4_pm_type = {
    .dev = { .name = "PIIX4_PM",
             .version = 2,
             DEVICE_LAYOUT(struct piix4_pm),
             .io = pm_io,
             .state = piix4_pm_state,
             .pci = true,
             .init = pm_init,
             .fini = pm_fini,
             .reset = pm_reset,
             .sync = pm_sync,
             .check = pm_check },
    .vendor = 0x8086,
    .device = 0x7113,
    .subvendor = 0x1af4,
    .subdevice = 0x1100,
    .class_code = 0x068000,
    .revision = 3,
    .intx = 1,
    .regs = pm_regs,
};
