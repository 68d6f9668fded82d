/* SPDX-License-Identifier: MIT */
#include "protocol/messages.h"

enum selector_kind msg_selector_kind(const struct msg_selector *selector)
{
    return selector->all ? SEL_ALL : SEL_NONE;
}
