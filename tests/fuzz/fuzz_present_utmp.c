/* SPDX-License-Identifier: MIT */
/* Records of utmp, and the answer of the child that looks a name up: what passes is clean. */
#include <stdlib.h>
#include <string.h>
#include <utmp.h>

#include "daemon/present_user.h"
#include "daemon/present_utmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
    if (!good)
        abort();
}

static void check_padded(const char *field, size_t size)
{
    for (size_t i = strnlen(field, size - 1); i < size; i++)
        check(field[i] == '\0');
}

static void check_record(const uint8_t *record)
{
    struct utmp_login login;

    if (!utmp_read(record, &login))
        return;
    check_padded(login.line, sizeof(login.line));
    check_padded(login.user, sizeof(login.user));
    check_padded(login.from, sizeof(login.from));
    check(device_is_line(login.line) && user_is_name(login.user) && login.leader > 0);
    for (const char *at = login.from; *at != '\0'; at++)
        check(*at >= 0x20 && *at < 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct user_ids ids;

    for (size_t at = 0; at + sizeof(struct utmp) <= size; at += sizeof(struct utmp))
        check_record(data + at);
    if (user_answer_read(data, size, &ids) == 0)
        check(size == sizeof(struct user_answer) && ids.uid != (uid_t)-1 && ids.gid != (gid_t)-1);
    return 0;
}
