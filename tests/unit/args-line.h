/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/unit/args-line.h: a command line in one string, and a real one of libxl's. */
#pragma once
#include <stdlib.h>
#include <string.h>
#include "control/args.h"
#include "tests/unit/qt.h"

#define ARGV_MAX 512

struct line {
    char *text, *argv[ARGV_MAX];
    int argc;
    struct vm_args a;
    struct err err;
    int rc;
};

/* Splits at '|' and parses. */
static inline struct line *parse(const char *text)
{
    struct line *l = calloc(1, sizeof(*l));

    l->text = strdup(text);
    l->argv[l->argc++] = l->text;
    for (char *p = l->text; *p && l->argc < ARGV_MAX; p++) {
        if (*p == '|') {
            *p = 0;
            l->argv[l->argc++] = p + 1;
        }
    }
    l->rc = args_parse(&l->a, l->argc, l->argv, &l->err);
    return l;
}

static inline void done(struct line *l)
{
    args_free(&l->a);
    free(l->text);
    free(l);
}

static inline bool is(const char *a, const char *b)
{
    return a && !strcmp(a, b);
}

/* What was recorded from a live libxl: all sorts of things at once. */
static const char full[] =
    "dm|-xen-domid|1|-no-shutdown|"
    "-chardev|socket,id=libxl-cmd,path=/var/run/xen/qmp-libxl-1,server=on,wait=off|"
    "-mon|chardev=libxl-cmd,mode=control|"
    "-chardev|socket,id=libxenstat-cmd,path=/var/run/xen/qmp-libxenstat-1,server=on,wait=off|"
    "-mon|chardev=libxenstat-cmd,mode=control|-nodefaults|-no-user-config|-name|g1|"
    "-vnc|127.0.0.1:0,password=on,to=99|-display|none|-k|en-us|-serial|pty|"
    "-device|VGA,vgamem_mb=16|-boot|order=cdn|-usb|-usbdevice|tablet|-device|ac97|"
    "-smp|2,maxcpus=4|-device|e1000,id=nic0,netdev=net0,mac=00:16:3e:11:22:33|"
    "-netdev|type=tap,id=net0,ifname=vif1.0-emu,br=xenbr0,script=no,downscript=no|"
    "-machine|xenfv,suppress-vmdesc=on|-m|240|"
    "-drive|file=/out/a.img,if=ide,index=0,media=disk,format=raw,cache=writeback|"
    "-drive|file=/out/b.qcow2,if=ide,index=1,media=disk,format=qcow2,cache=writeback|"
    "-drive|if=none,readonly=on,id=ide-5632|"
    "-device|ide-cd,id=ide-5632,drive=ide-5632,bus=ide.1,unit=0|"
    "-drive|if=none,readonly=on,id=ide-5696,file=/out/cd1.iso,format=raw|"
    "-device|ide-cd,id=ide-5696,drive=ide-5696,bus=ide.1,unit=1";
