/* SPDX-License-Identifier: MIT */
#include "daemon/present_login.h"

#include "common/mem.h"
#include "daemon/present_user.h"

#include <stddef.h>

/* ---- texts ----------------------------------------------------------------------------------- */

static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text < 0x20 || *text > 0x7e)
            return false;
    return true;
}

/* Of names that programs give: no blank in it. */
static bool is_word(const char *text)
{
    return is_printable(text) && !strchr(text, ' ');
}

static bool is_id(const char *text)
{
    return text[0] != '\0' && is_word(text) && !strchr(text, '/');
}

/* ---- the properties, in the order of their bits in `seen` ------------------------------------ */

struct property {
    const char *name, *type;
    size_t offset, size;
    bool (*fits)(const char *text); /* of texts */
    bool needed;
};

#define TEXT(name, field, fits, needed)                                                            \
    {                                                                                              \
        name, "s", offsetof(struct login_record, field),                                           \
            sizeof(((struct login_record *)NULL)->field), fits, needed                             \
    }
#define FIELD(name, type, field, needed)                                                           \
    {                                                                                              \
        name, type, offsetof(struct login_record, field),                                          \
            sizeof(((struct login_record *)NULL)->field), NULL, needed                             \
    }

static const struct property properties[] = {
    TEXT("Id", id, is_id, true),
    TEXT("Name", user, user_is_name, true),
    TEXT("TTY", line, device_is_line, false),
    TEXT("Display", display, is_word, false),
    {"Seat", "(so)", offsetof(struct login_record, seat), 65, is_word, false},
    TEXT("RemoteHost", from, is_printable, false),
    TEXT("Class", class, is_word, false),
    TEXT("Type", type, is_word, false),
    TEXT("State", state, is_word, false),
    FIELD("User", "(uo)", uid, true),
    FIELD("Leader", "u", leader, true),
    FIELD("VTNr", "u", vt, false),
    FIELD("Timestamp", "t", since_us, false),
    FIELD("IdleSinceHint", "t", idle_since_us, false),
    FIELD("IdleHint", "b", idle, false),
    FIELD("LockedHint", "b", locked, false),
};

static const struct property *find_property(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(properties); i++)
        if (strcmp(properties[i].name, name) == 0)
            return &properties[i];
    return NULL;
}

const char *login_property_type(const char *name)
{
    const struct property *property = find_property(name);
    return property ? property->type : NULL;
}

/* ---- values ---------------------------------------------------------------------------------- */

static bool take_text(const struct property *property, char *field, const char *text)
{
    size_t len = strnlen(text, property->size);
    memset(field, 0, property->size);
    if (len >= property->size || !property->fits(text))
        return false;
    memcpy(field, text, len);
    return true;
}

#define VT_LAST 63

/* -1 as uid means "no change" to setresuid(2); a time is int64_t elsewhere. */
static bool take_number(const struct property *property, void *field, uint64_t number)
{
    bool fits = strcmp(property->name, "User") == 0     ? number < UINT32_MAX
                : strcmp(property->name, "Leader") == 0 ? number >= 1 && number <= INT32_MAX
                : strcmp(property->name, "VTNr") == 0   ? number <= VT_LAST
                                                        : number <= INT64_MAX;
    if (!fits)
        return false;
    if (property->size == sizeof(bool))
        *(bool *)field = number != 0;
    else if (property->size == sizeof(uint32_t))
        *(uint32_t *)field = (uint32_t)number;
    else
        *(uint64_t *)field = number;
    return true;
}

int login_take(struct login_record *record, const char *name, const struct login_value *value)
{
    const struct property *property = find_property(name);
    if (!property)
        return -ENOENT;
    void *field = (char *)record + property->offset;
    char type = property->type[0] == '(' ? property->type[1] : property->type[0];
    bool good = value->type == type && (type == 's' ? take_text(property, field, value->text)
                                                    : take_number(property, field, value->number));
    uint32_t bit = 1U << (property - properties);
    record->seen = good ? record->seen | bit : record->seen & ~bit;
    return good || !property->needed ? 0 : -EBADMSG;
}

bool login_is_whole(const struct login_record *record)
{
    for (size_t i = 0; i < ARRAY_SIZE(properties); i++)
        if (properties[i].needed && !(record->seen & (1U << i)))
            return false;
    return true;
}
