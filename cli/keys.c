/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every key of xl.cfg(5), and of the older xm, that the readers of guest.c do
 * not take: those that Xen's hypervisor or dom0 would follow and KVM has
 * nothing for, and those that would give the guest hardware that is not here.
 * What a key of the first kind asks for is left out with one line; one of the
 * second kind is an error. A value that asks for what is so anyway is silent.
 */
#include <stdlib.h>
#include <string.h>
#include "cli/guest.h"

enum kind {
    USED,   /* by guest.c and its parts */
    LEFT,   /* out, with a warning */
    REFUSED /* with what to do */
};

struct key {
    const char *name;
    enum kind kind;
    const char *silent; /* values that ask for nothing, with blanks between */
    const char *text;
};

#define XEN_OWN  "only Xen's hypervisor follows it; left out"
#define XEN_TOOL "is about dom0's tools; left out"
#define PV_ONLY  "is for PV and PVH guests; left out"
#define NO_PT    "host devices are not passed through; remove the key"
#define NO_SPICE "there is no SPICE; remove the key and use vnc=1"

static const struct key keys[] = {
    { "name", USED, NULL, NULL },
    { "type", USED, NULL, NULL },
    { "builder", USED, NULL, NULL },
    { "kernel", USED, NULL, NULL },
    { "ramdisk", USED, NULL, NULL },
    { "cmdline", USED, NULL, NULL },
    { "root", USED, NULL, NULL },
    { "extra", USED, NULL, NULL },
    { "uuid", USED, NULL, NULL },
    { "memory", USED, NULL, NULL },
    { "maxmem", USED, NULL, NULL },
    { "vcpus", USED, NULL, NULL },
    { "maxvcpus", USED, NULL, NULL },
    { "boot", USED, NULL, NULL },
    { "bios", USED, NULL, NULL },
    { "firmware", USED, NULL, NULL },
    { "nvram", USED, NULL, NULL },
    { "smbios", USED, NULL, NULL },
    { "smbios_firmware", USED, NULL, NULL },
    { "acpi_firmware", USED, NULL, NULL },
    { "firmware_override", USED, NULL, NULL },
    { "bios_path_override", USED, NULL, NULL },
    { "device_model_override", USED, NULL, NULL },
    { "device_model_args", USED, NULL, NULL },
    { "device_model_args_hvm", USED, NULL, NULL },
    { "disk", USED, NULL, NULL },
    { "hdtype", USED, NULL, NULL },
    { "vif", USED, NULL, NULL },
    { "vfb", USED, NULL, NULL },
    { "vga", USED, NULL, NULL },
    { "stdvga", USED, NULL, NULL },
    { "videoram", USED, NULL, NULL },
    { "vnc", USED, NULL, NULL },
    { "vnclisten", USED, NULL, NULL },
    { "vncdisplay", USED, NULL, NULL },
    { "vncunused", USED, NULL, NULL },
    { "vncpasswd", USED, NULL, NULL },
    { "sdl", USED, NULL, NULL },
    { "nographic", USED, NULL, NULL },
    { "keymap", USED, NULL, NULL },
    { "serial", USED, NULL, NULL },
    { "usb", USED, NULL, NULL },
    { "usbdevice", USED, NULL, NULL },
    { "usbversion", USED, NULL, NULL },
    { "soundhw", USED, NULL, NULL },
    { "acpi", USED, NULL, NULL },
    { "hpet", USED, NULL, NULL },
    { "localtime", USED, NULL, NULL },
    { "rtc_timeoffset", USED, NULL, NULL },
    { "mmio_hole", USED, NULL, NULL },
    { "on_poweroff", USED, NULL, NULL },
    { "on_reboot", USED, NULL, NULL },
    { "on_crash", USED, NULL, NULL },
    { "viridian", USED, NULL, NULL },
    { "hugepages", USED, NULL, NULL },

    /* How Xen runs the CPUs and the memory. */
    { "cpus", LEFT, "all", "CPUs are not pinned here; start portico with taskset" },
    { "cpus_soft", LEFT, "all", "CPUs are not pinned here; start portico with taskset" },
    { "cpu_weight", LEFT, "256", "is Xen's scheduler's; left out, nice(1) serves here" },
    { "cap", LEFT, "0", "is Xen's scheduler's; left out" },
    { "period", LEFT, "0", "is Xen's scheduler's; left out" },
    { "slice", LEFT, "0", "is Xen's scheduler's; left out" },
    { "latency", LEFT, "0", "is Xen's scheduler's; left out" },
    { "budget", LEFT, "0", "is Xen's scheduler's; left out" },
    { "extratime", LEFT, "0", "is Xen's scheduler's; left out" },
    { "pool", LEFT, "Pool-0", "is Xen's scheduler's; left out" },
    { "nodes", LEFT, NULL, "is Xen's placement; left out, numactl(8) serves here" },
    { "vnuma", LEFT, NULL, "the guest sees one memory node; left out" },
    { "claim_mode", LEFT, "0 1", XEN_TOOL },
    { "shadow_memory", LEFT, "0", XEN_OWN },
    { "hap", LEFT, "1", "KVM decides on nested paging (kvm_intel.ept, kvm_amd.npt); left out" },
    { "oos", LEFT, "1", XEN_OWN },
    { "altp2m", LEFT, "0 disabled", XEN_OWN },
    { "altp2mhvm", LEFT, "0", XEN_OWN },
    { "nestedhvm", LEFT, "0", "the guest has no VMX or SVM here; left out" },
    { "max_grant_frames", LEFT, NULL, XEN_OWN },
    { "max_maptrack_frames", LEFT, NULL, XEN_OWN },
    { "max_grant_version", LEFT, NULL, XEN_OWN },
    { "max_event_channels", LEFT, NULL, XEN_OWN },
    { "event_channels", LEFT, NULL, XEN_OWN },
    { "vmtrace_buf_kb", LEFT, "0", XEN_OWN },
    { "vpmu", LEFT, "0", XEN_OWN },
    { "xenpaging", LEFT, "0", XEN_OWN },
    { "mca_caps", LEFT, NULL, XEN_OWN },
    { "msr_relaxed", LEFT, "0", XEN_OWN },
    { "suppress_spurious_page_faults", LEFT, "0", XEN_OWN },
    { "e820_host", LEFT, "0", PV_ONLY },

    /* What the guest's CPUs and board show. */
    { "cpuid", LEFT, NULL, "the guest sees the CPU that KVM shows; left out" },
    { "pae", LEFT, "1", "the guest's CPU always has it; left out" },
    { "nx", LEFT, "1", "the guest's CPU always has it; left out" },
    { "apic", LEFT, "1", "the guest always has APICs; left out" },
    { "acpi_s3", LEFT, "0", "the guest cannot sleep (S3) here yet; left out" },
    { "acpi_s4", LEFT, "0 1", "the guest hibernates by itself or not at all; left out" },
    { "acpi_laptop_slate", LEFT, "0", "the tables have no such device; left out" },
    { "ms_vm_genid", LEFT, "none", "the guest has no generation id here; left out" },
    { "tsc_mode", LEFT, "0 default 2 native", "the guest sees the CPU's own counter; left out" },
    { "timer_mode", LEFT, "1 no_delay_for_missed_ticks", "is about Xen's timers; left out" },
    { "vpt_align", LEFT, "0 1", XEN_OWN },
    { "xen_platform_pci", LEFT, "0", "there is no Xen here for PV drivers; left out" },
    { "vendor_device", LEFT, "none", "there is no Xen here for PV drivers; left out" },
    { "opengl", LEFT, "0", "the window is drawn without OpenGL; left out" },
    { "xauthority", LEFT, NULL, "set XAUTHORITY in the environment; left out" },
    { "vncviewer", LEFT, "0", "is asked for on the command line: portico create -V" },
    { "vncconsole", LEFT, "0", "is asked for on the command line: portico create -V" },
    { "monitor", LEFT, "0 1", "use portico qemu-monitor-command; left out" },
    { "gfx_passthru_kind", LEFT, NULL, NO_PT },
    { "vkb_device", LEFT, "0 1", "there are no PV keyboards here; left out" },

    /* The toolstack's business on a Xen host. */
    { "device_model_version", LEFT, "qemu-xen", "the device model is Portico; left out" },
    { "device_model", LEFT, NULL, "the device model is Portico; left out" },
    { "device_model_user", LEFT, NULL, "start portico as that user; left out" },
    { "dm_restrict", LEFT, "0", "start portico as another user than root; left out" },
    { "device_model_stubdomain_override", LEFT, "0", XEN_TOOL },
    { "device_model_stubdomain_seclabel", LEFT, NULL, XEN_TOOL },
    { "stubdomain_kernel", LEFT, NULL, XEN_TOOL },
    { "stubdomain_ramdisk", LEFT, NULL, XEN_TOOL },
    { "stubdomain_cmdline", LEFT, NULL, XEN_TOOL },
    { "stubdomain_memory", LEFT, NULL, XEN_TOOL },
    { "driver_domain", LEFT, "0", XEN_TOOL },
    { "seclabel", LEFT, NULL, XEN_TOOL },
    { "init_seclabel", LEFT, NULL, XEN_TOOL },
    { "nomigrate", LEFT, "0 1", XEN_TOOL },
    { "xend_suspend_evtchn_compat", LEFT, "0", XEN_TOOL },
    { "on_watchdog", LEFT, "destroy", "Xen's watchdog is not here; left out" },
    { "on_soft_reset", LEFT, "soft-reset", "there is no soft reset here; left out" },
    { "restart", LEFT, NULL, "is old; write on_poweroff, on_reboot and on_crash" },
    { "run_hotplug_scripts", LEFT, NULL, XEN_TOOL },
    { "vif2", LEFT, NULL, "is not known to xl any more; use vif" },
    { "output_format", LEFT, NULL, XEN_TOOL },
    { "autoballoon", LEFT, NULL, XEN_TOOL },
    { "colo_checkpoint_host", LEFT, NULL, XEN_TOOL },
    { "colo_checkpoint_port", LEFT, NULL, XEN_TOOL },

    /* Guests of other kinds. */
    { "bootloader", LEFT, NULL, PV_ONLY },
    { "bootloader_args", LEFT, NULL, PV_ONLY },
    { "pvh", LEFT, "0", PV_ONLY },
    { "pvshim", LEFT, "0", PV_ONLY },
    { "pvshim_path", LEFT, NULL, PV_ONLY },
    { "pvshim_cmdline", LEFT, NULL, PV_ONLY },
    { "pvshim_extra", LEFT, NULL, PV_ONLY },
    { "device_model_args_pv", LEFT, NULL, PV_ONLY },
    { "device_tree", LEFT, NULL, "is for guests on Arm; left out" },
    { "gic_version", LEFT, NULL, "is for guests on Arm; left out" },
    { "tee", LEFT, "none", "is for guests on Arm; left out" },
    { "vuart", LEFT, NULL, "is for guests on Arm; left out" },

    /* Hardware that is not here: the guest would miss it. */
    { "pci", REFUSED, NULL, NO_PT },
    { "gfx_passthru", REFUSED, "0", NO_PT },
    { "igd", REFUSED, "0", NO_PT },
    { "rdm", LEFT, NULL, "goes with pci=; left out" },
    { "rdm_mem_boundary", LEFT, NULL, "goes with pci=; left out" },
    { "passthrough", LEFT, "disabled unknown", "goes with pci=; left out" },
    { "pci_msitranslate", LEFT, "0 1", "goes with pci=; left out" },
    { "pci_power_mgmt", LEFT, "0", "goes with pci=; left out" },
    { "pci_permissive", LEFT, "0", "goes with pci=; left out" },
    { "pci_seize", LEFT, "0", "goes with pci=; left out" },
    { "iomem", REFUSED, NULL, NO_PT },
    { "ioports", REFUSED, NULL, NO_PT },
    { "irqs", REFUSED, NULL, NO_PT },
    { "dtdev", REFUSED, NULL, NO_PT },
    { "usbctrl", REFUSED, NULL, "there are no PV USB controllers; use usb=1 and usbdevice" },
    { "usbdev", REFUSED, NULL, NO_PT },
    { "vtpm", REFUSED, NULL, "there is no TPM; remove the key" },
    { "tpm", REFUSED, NULL, "there is no TPM; remove the key" },
    { "vscsi", REFUSED, NULL, "there is no SCSI; put the disk into disk=[] as hda to hdd" },
    { "p9", REFUSED, NULL, "folders are not shared; remove the key" },
    { "virtio", REFUSED, NULL, "there are no virtio devices; remove the key" },
    { "pvcalls", REFUSED, NULL, "there is no PV socket; remove the key" },
    { "vdispl", REFUSED, NULL, "there is no PV display; use vnc=1 or sdl=1" },
    { "vsnd", REFUSED, NULL, "there is no PV sound; remove the key" },
    { "vkb", REFUSED, NULL, "there are no PV keyboards; remove the key" },
    { "channel", REFUSED, NULL, "there are no PV channels; use a second serial port" },
    { "spice", REFUSED, "0", NO_SPICE },
    { "spicehost", LEFT, NULL, "there is no SPICE; left out" },
    { "spiceport", LEFT, "0", "there is no SPICE; left out" },
    { "spicetls_port", LEFT, "0", "there is no SPICE; left out" },
    { "spicedisable_ticketing", LEFT, "0 1", "there is no SPICE; left out" },
    { "spicepasswd", LEFT, NULL, "there is no SPICE; left out" },
    { "spiceagent_mouse", LEFT, "0 1", "there is no SPICE; left out" },
    { "spicevdagent", LEFT, "0 1", "there is no SPICE; left out" },
    { "spice_clipboard_sharing", LEFT, "0 1", "there is no SPICE; left out" },
    { "spiceusbredirection", LEFT, "0", "there is no SPICE; left out" },
    { "spice_image_compression", LEFT, NULL, "there is no SPICE; left out" },
    { "spice_streaming_video", LEFT, NULL, "there is no SPICE; left out" },
};

#define NKEYS (sizeof(keys) / sizeof(keys[0]))

static const struct key *find_key(const char *name)
{
    for (unsigned i = 0; i < NKEYS; i++) {
        if (!strcmp(keys[i].name, name))
            return &keys[i];
    }
    return NULL;
}

/* Is `word` one of the words of `list`? */
static bool among(const char *list, const char *word)
{
    size_t len = strlen(word);

    while (list && *list) {
        size_t n = strcspn(list, " ");

        if (n == len && !strncmp(list, word, len))
            return true;
        list += n + (list[n] == ' ');
    }
    return false;
}

/* How many letters are to be changed, added, removed or swapped; a large number for long words. */
static unsigned distance(const char *a, const char *b)
{
    unsigned char d[40][40];
    size_t n = strlen(a), m = strlen(b);

    if (n >= 40 || m >= 40)
        return 99;
    for (size_t i = 0; i <= n; i++) {
        for (size_t j = 0; j <= m; j++) {
            unsigned best = (unsigned)(i ? j ? 99 : i : j);

            if (i && j) {
                best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
                best = d[i - 1][j] + 1u < best ? d[i - 1][j] + 1u : best;
                best = d[i][j - 1] + 1u < best ? d[i][j - 1] + 1u : best;
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    best = d[i - 2][j - 2] + 1u < best ? d[i - 2][j - 2] + 1u : best;
            }
            d[i][j] = (unsigned char)best;
        }
    }
    return d[n][m];
}

static const char *nearest(const char *name)
{
    unsigned best = strlen(name) > 4 ? 3 : 2;
    const char *found = NULL;

    for (unsigned i = 0; i < NKEYS; i++) {
        unsigned n = distance(name, keys[i].name);

        if (n < best) {
            best = n;
            found = keys[i].name;
        }
    }
    return found;
}

/* Nothing is asked for: an empty list or string, or a value that is so anyway. */
static bool asks_nothing(struct conf *c, const struct key *k)
{
    unsigned n = conf_count(c, k->name);
    const char *v = n == 1 ? conf_item(c, k->name, 0) : NULL;

    if (n == 0)
        return true;
    return n == 1 && v && (!*v || among(k->silent, v));
}

static void check_key(struct conf *c, const struct scan_key *s)
{
    const struct key *k = find_key(s->name);
    const char *near;

    if (s->before && s->line <= c->own_lines)
        conf_warn(c, s->name, -1, "is in line %u already; the last one counts", s->before);
    if (!k) {
        near = nearest(s->name);
        conf_warn(c, s->name, -1, "nobody knows this key%s%s%s; left out",
                  near ? " (did you mean " : "", near ? near : "", near ? "?)" : "");
        return;
    }
    if (k->kind == USED || asks_nothing(c, k))
        return;
    if (k->kind == REFUSED)
        conf_error(c, k->name, -1, "%s", k->text);
    else
        conf_warn(c, k->name, -1, "%s", k->text);
}

void guest_check_keys(struct conf *c)
{
    for (unsigned i = 0; i < c->scan.n; i++)
        check_key(c, &c->scan.keys[i]);
}
