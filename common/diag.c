/* SPDX-License-Identifier: MIT */
#include "common/diag.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int diag_set(struct diag *ret_diag, int error, const char *format, ...)
{
    if (ret_diag) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(ret_diag->text, sizeof(ret_diag->text), format, arguments);
        va_end(arguments);
    }
    return error;
}

int diag_errno(struct diag *ret_diag, int error, const char *path)
{
    return diag_set(ret_diag, error, "%s: %s", path, strerror(-error));
}
