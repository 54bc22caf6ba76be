/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The unit tests' main(), apart so that a fuzzer can bring its own. */
#include "tests/unit/qt.h"

int main(int argc, char **argv)
{
    return qt_main(argc, argv);
}
