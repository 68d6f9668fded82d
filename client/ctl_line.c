/* SPDX-License-Identifier: MIT */
#include "client/ctl_line.h"

#include "common/log.h"
#include "common/mem.h"

/* In the order in which msgctl's usage shows them. */
static const struct {
    enum ctl_option option;
    const char *word;
} words[] = {
    {CTL_TO, "to="},     {CTL_ALL, "all"},    {CTL_WHO, "who"},          {CTL_OVERRIDE, "override"},
    {CTL_RATE, "rate="}, {CTL_FROM, "from="}, {CTL_EXPIRES, "expires="}, {CTL_NAMES, "names="}};

static bool holds_blank(const char *what, const char *text)
{
    if (strpbrk(text, " \t"))
        log_error("%s holds a blank: %s", what, text);
    return strpbrk(text, " \t");
}

bool ctl_rights_line(const struct ctl *ctl, const char *name, char *out, size_t capacity)
{
    size_t len = 0;

    if (holds_blank("the name", name))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(words) && len < capacity; i++) {
        const char *value = ctl->given[words[i].option];
        if (value && holds_blank("an option", value))
            return false;
        if (value)
            len += (size_t)snprintf(out + len, capacity - len, "%s%s ", words[i].word, value);
    }
    if (len < capacity)
        len += (size_t)snprintf(out + len, capacity - len, "%s", name);
    if (len >= capacity)
        log_error("the line of authorized_keys would be too long");
    return len < capacity;
}
