/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * block/nbd-lib.h: libnbd, loaded when the first NBD disk is opened. Its TLS
 * and XML libraries would otherwise make every start several milliseconds
 * longer. The names are libnbd's own; nbd-lib.c alone knows them as pointers.
 */
#pragma once
#include <libnbd.h>
#include "hw/core/err.h"

/* 0, or -ENOENT and one line in err. Before any other call. */
int nbd_lib_load(struct err *err);

struct nbd_lib {
    __typeof__(nbd_aio_command_completed) *aio_command_completed;
    __typeof__(nbd_aio_connect_uri) *aio_connect_uri;
    __typeof__(nbd_aio_disconnect) *aio_disconnect;
    __typeof__(nbd_aio_flush) *aio_flush;
    __typeof__(nbd_aio_get_direction) *aio_get_direction;
    __typeof__(nbd_aio_get_fd) *aio_get_fd;
    __typeof__(nbd_aio_is_closed) *aio_is_closed;
    __typeof__(nbd_aio_is_dead) *aio_is_dead;
    __typeof__(nbd_aio_is_ready) *aio_is_ready;
    __typeof__(nbd_aio_notify_read) *aio_notify_read;
    __typeof__(nbd_aio_notify_write) *aio_notify_write;
    __typeof__(nbd_aio_pread) *aio_pread;
    __typeof__(nbd_aio_pwrite) *aio_pwrite;
    __typeof__(nbd_aio_trim) *aio_trim;
    __typeof__(nbd_aio_zero) *aio_zero;
    __typeof__(nbd_can_flush) *can_flush;
    __typeof__(nbd_can_trim) *can_trim;
    __typeof__(nbd_can_zero) *can_zero;
    __typeof__(nbd_close) *close;
    __typeof__(nbd_create) *create;
    __typeof__(nbd_get_block_size) *get_block_size;
    __typeof__(nbd_get_errno) *get_errno;
    __typeof__(nbd_get_error) *get_error;
    __typeof__(nbd_get_size) *get_size;
    __typeof__(nbd_is_read_only) *is_read_only;
    __typeof__(nbd_poll) *poll;
    __typeof__(nbd_set_uri_allow_tls) *set_uri_allow_tls;
};
extern struct nbd_lib nbd_lib;

#ifndef NBD_LIB_IMPL
#define nbd_aio_command_completed nbd_lib.aio_command_completed
#define nbd_aio_connect_uri       nbd_lib.aio_connect_uri
#define nbd_aio_disconnect        nbd_lib.aio_disconnect
#define nbd_aio_flush             nbd_lib.aio_flush
#define nbd_aio_get_direction     nbd_lib.aio_get_direction
#define nbd_aio_get_fd            nbd_lib.aio_get_fd
#define nbd_aio_is_closed         nbd_lib.aio_is_closed
#define nbd_aio_is_dead           nbd_lib.aio_is_dead
#define nbd_aio_is_ready          nbd_lib.aio_is_ready
#define nbd_aio_notify_read       nbd_lib.aio_notify_read
#define nbd_aio_notify_write      nbd_lib.aio_notify_write
#define nbd_aio_pread             nbd_lib.aio_pread
#define nbd_aio_pwrite            nbd_lib.aio_pwrite
#define nbd_aio_trim              nbd_lib.aio_trim
#define nbd_aio_zero              nbd_lib.aio_zero
#define nbd_can_flush             nbd_lib.can_flush
#define nbd_can_trim              nbd_lib.can_trim
#define nbd_can_zero              nbd_lib.can_zero
#define nbd_close                 nbd_lib.close
#define nbd_create                nbd_lib.create
#define nbd_get_block_size        nbd_lib.get_block_size
#define nbd_get_errno             nbd_lib.get_errno
#define nbd_get_error             nbd_lib.get_error
#define nbd_get_size              nbd_lib.get_size
#define nbd_is_read_only          nbd_lib.is_read_only
#define nbd_poll                  nbd_lib.poll
#define nbd_set_uri_allow_tls     nbd_lib.set_uri_allow_tls
#endif
