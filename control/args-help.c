/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/args-help.c: what -help prints. docs/command-line.md has the whole of it. */
#include "control/args-impl.h"

const char *args_help(void)
{
    return "usage: portico-dm -xen-domid N [options]       (libxl starts it so)\n"
           "\n"
           "the guest\n"
           "  -name TEXT              its name, any characters\n"
           "  -machine xenfv|pc|none[,accel=A][,max-ram-below-4g=BYTES]\n"
           "  -accel xen|qtest        who runs the CPUs\n"
           "  -m MB                   memory; or with a suffix K M G T\n"
           "  -smp N[,maxcpus=M]      CPUs now, and after hot-plug\n"
           "  -boot order=LETTERS[,once=LETTERS][,menu=on][,splash-time=MS][,reboot-timeout=MS]\n"
           "                          a floppy, c disk, d CD, n network\n"
           "  -rtc base=utc|localtime|DATE[,clock=host|vm]  -bios F  -nodefaults\n"
           "  -action reboot=shutdown|reset,shutdown=pause|poweroff  -no-reboot  -no-shutdown\n"
           "  -kernel F [-initrd F] [-append TEXT]   a Linux kernel, without a boot loader\n"
           "  -uuid UUID  -no-acpi  -S (wait for `cont`)  -preconfig  -incoming fd:K\n"
           "  -readconfig F (options from a file)\n"
           "\n"
           "disks and cards\n"
           "  -drive file=F,if=ide,index=0-3[,media=disk|cdrom][,format=raw]\n"
           "  -drive if=none,id=D[,file=F]  -device ide-cd|ide-hd,drive=D,bus=ide.B,unit=U\n"
           "  -blockdev DRIVER,node-name=N,file=M|filename=F  then -device ide-hd,drive=N\n"
           "  -hda F .. -hdd F  -cdrom F  -fda F  -fdb F\n"
           "  -device VGA|cirrus-vga[,vgamem_mb=M]  -vga std|cirrus|none\n"
           "  -device AC97|ES1370|sb16[,audiodev=A]  -audiodev none|wav|sdl,id=A[,path=F]\n"
           "  -device rtl8139|e1000|pcnet|ne2k_pci,netdev=D[,mac=M]\n"
           "  -netdev tap,id=D,ifname=IF,script=no\n"
           "  -netdev socket|dgram|stream,id=D,..  -nic TYPE,model=M,..  -nic none\n"
           "  -device help  -device DRIVER,help\n"
           "  -usb  -usbdevice tablet\n"
           "\n"
           "the world outside\n"
           "  -vnc HOST:N[,to=M][,password=on]  -vnc unix:PATH  -vnc none  -k LAYOUT\n"
           "  -web-console [HOST:]PORT[,token-secret=ID][,tls-creds=ID]\n"
           "  -object secret,id=ID,file=F  -object tls-creds-x509,id=ID,dir=D\n"
           "  -serial pty|file:F|unix:F,server|tcp:H:P|null|none  (n-th is COM n)\n"
           "  -parallel SINK          a printer port\n"
           "  -debugcon SINK          the firmware's messages (port 0x402)\n"
           "  -chardev socket,id=C,path=F,server=on,wait=off  -mon chardev=C,mode=control\n"
           "  -qmp unix:F,server,nowait\n"
           "  -L DIR                  where ROM images are\n"
           "  -trace ioreq=F          record what the guest does; -replay F plays it without one\n"
           "\n"
           "confinement\n"
           "  -xen-domid-restrict  -chroot DIR  -runas USER|UID:GID\n"
           "\n"
           "  -help  -version\n";
}

const char *args_machines(void)
{
    return "Supported machines are:\n"
           "none                 empty machine\n"
           "pc                   Standard PC (i440FX + PIIX, 1996) (default)\n"
           "pc-i440fx-7.2        Standard PC (i440FX + PIIX, 1996)\n"
           "xenfv                Xen fully virtualized PC\n"
           "xenfv-4.2            Xen fully virtualized PC";
}
