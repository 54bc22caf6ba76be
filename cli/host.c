/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this machine is. */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/host.h"
#include "cli/place.h"

#define CPUINFO_SIZE 65536 /* all CPUs have the same flags: the first ones will do */

bool host_is_dom0(void)
{
    char text[256] = "";
    FILE *f = fopen("/proc/xen/capabilities", "re");

    if (f && !fgets(text, sizeof(text), f))
        text[0] = 0;
    if (f)
        fclose(f);
    return strstr(text, "control_d") != NULL;
}

/* A word of a line "flags : fpu vme …". */
bool host_flags_have_virt(const char *cpuinfo)
{
    const char *line = cpuinfo;

    while (line && *line) {
        size_t len = strcspn(line, "\n");

        if (!strncmp(line, "flags", 5)) {
            for (const char *w = line; w < line + len; w += strcspn(w, " \n")) {
                w += strspn(w, " ");
                if (!strncmp(w, "vmx", 3) || !strncmp(w, "svm", 3)) {
                    if (w[3] == ' ' || w[3] == '\n' || !w[3])
                        return true;
                }
            }
        }
        line += len + (line[len] == '\n');
    }
    return false;
}

bool host_has_virt(void)
{
    char *text = calloc(1, CPUINFO_SIZE);
    FILE *f = fopen("/proc/cpuinfo", "re");
    bool has = text && f && fread(text, 1, CPUINFO_SIZE - 1, f) && host_flags_have_virt(text);

    if (f)
        fclose(f);
    free(text);
    return has;
}

int host_check(bool force)
{
    if (force)
        return 0;
    if (access("/dev/kvm", F_OK))
        return complain("there is no KVM here (/dev/kvm); load the module kvm_intel or kvm_amd, or "
                        "switch virtualization on in the firmware");
    if (access("/dev/kvm", R_OK | W_OK))
        return complain("/dev/kvm: %s; join the group kvm (adduser $USER kvm)", strerror(errno));
    if (!host_has_virt())
        return complain("this CPU has neither VT-x nor AMD-V (vmx, svm in /proc/cpuinfo), and most "
                        "guests would not run; --force tries all the same");
    return 0;
}

static bool try_path(char *path, size_t size, const char *dir, const char *rest)
{
    int n = snprintf(path, size, "%s%s", dir, rest);

    return n > 0 && (size_t)n < size && !access(path, X_OK);
}

const char *host_find_dm(const char *given, char *path, size_t size)
{
    static const char *const places[] = { "/portico-dm", "/../libexec/portico/portico-dm",
                                          "/../control/portico-dm" };
    const char *env = getenv("PORTICO_DM");
    char self[1024], *dir;
    ssize_t n;

    if (given || (env && *env)) {
        snprintf(path, size, "%s", given ? given : env);
        return path;
    }
    n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    self[n > 0 ? n : 0] = 0;
    dir = dirname(self);
    for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (try_path(path, size, dir, places[i]))
            return path;
    }
    snprintf(path, size, "%s", PORTICO_DM_PATH);
    return path;
}
