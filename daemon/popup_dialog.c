/* SPDX-License-Identifier: MIT */
#include "daemon/popup.h"

#include <errno.h>

static int start(struct popup *popup, void **ret_state)
{
    (void)popup;
    (void)ret_state;
    return -EOPNOTSUPP;
}

const struct popup_way popup_dialog = {.start = start};
