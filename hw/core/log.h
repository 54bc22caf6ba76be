/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log is standard error, one line a message. The number of lines is
 * bounded: a burst of LOG_BURST lines, then one every LOG_SECONDS_PER_LINE.
 * What a guest or a peer can provoke at will has an allowance of its own, as
 * large: it must not silence what there is to say about the host.
 */
#pragma once

#define LOG_BURST            200
#define LOG_SECONDS_PER_LINE 10

void log_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_provoked(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
