/* SPDX-License-Identifier: MIT */
#include "daemon/popup.h"

#include <stdlib.h>

int popup_page(const char *buffer)
{
    (void)buffer;
    return EXIT_FAILURE;
}
