/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What Xen's script vif-bridge does for a tap interface: the ioctls of netdevice(7). */
#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "cli/bridge.h"

bool bridge_usable(const char *bridge)
{
    char path[64];

    snprintf(path, sizeof(path), "/sys/class/net/%.15s/bridge", bridge);
    return geteuid() == 0 && !access(path, F_OK) && !access("/dev/net/tun", R_OK | W_OK);
}

static int switch_on(int fd, const char *ifname)
{
    struct ifreq r = { 0 };

    snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", ifname);
    if (ioctl(fd, SIOCGIFFLAGS, &r))
        return -1;
    r.ifr_flags |= IFF_UP;
    return ioctl(fd, SIOCSIFFLAGS, &r);
}

static int join(int fd, const char *bridge, const char *ifname)
{
    struct ifreq r = { 0 };

    snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", bridge);
    r.ifr_ifindex = (int)if_nametoindex(ifname);
    if (!r.ifr_ifindex)
        return -1;
    return ioctl(fd, SIOCBRADDIF, &r);
}

int bridge_add(const char *bridge, const char *ifname, char *err, size_t size)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), rc = -1;

    if (fd >= 0 && !join(fd, bridge, ifname) && !switch_on(fd, ifname))
        rc = 0;
    else
        snprintf(err, size, "the interface %s cannot be put into the bridge %s: %s", ifname, bridge,
                 strerror(errno));
    if (fd >= 0)
        close(fd);
    return rc;
}
