/* SPDX-License-Identifier: MIT */
#include "common/date.h"

#include <errno.h>

/* All of text as digits; -1 otherwise. */
static int digits(struct slice text)
{
    int value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return -1;
        value = value * 10 + text.ptr[i] - '0';
    }
    return value;
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01 to a day that exists. */
static int64_t days_before(int year, int month, int day)
{
    int64_t past = year - 1, days = past * 365 + past / 4 - past / 100 + past / 400 - 719162;
    for (int m = 1; m < month; m++)
        days += month_days(year, m);
    return days + day - 1;
}

int date_parse_end(struct slice text, int64_t *ret_seconds)
{
    if (text.len != 10 || text.ptr[4] != '-' || text.ptr[7] != '-')
        return -EBADMSG;
    int year = digits((struct slice){text.ptr, 4}), month = digits((struct slice){text.ptr + 5, 2}),
        day = digits((struct slice){text.ptr + 8, 2});
    if (year < 1970 || month < 1 || month > 12 || day < 1 || day > month_days(year, month))
        return -EBADMSG;
    *ret_seconds = (days_before(year, month, day) + 1) * 86400;
    return 0;
}
