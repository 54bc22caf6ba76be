/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tests/fuzz/fuzz.h: what libFuzzer calls. Each *-fuzz.c is one target;
 * tests/fuzz/README.md says how to run them. fuzz-main.c is the main() of a
 * build without libFuzzer: it plays the files that it is given.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
