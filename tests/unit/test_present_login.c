/* SPDX-License-Identifier: MIT */
#include "daemon/present_login.h"

#include "common/mem.h"
#include "tests/unit/unit.h"

#include <stddef.h>

static int take(struct login_record *record, const char *name, const char *text)
{
    const struct login_value value = {.type = 's', .text = text};
    return login_take(record, name, &value);
}

static int take_number(struct login_record *record, const char *name, char type, uint64_t number)
{
    const struct login_value value = {.type = type, .number = number};
    return login_take(record, name, &value);
}

static struct login_record whole(void)
{
    struct login_record record = {0};

    CU_ASSERT_EQUAL(take(&record, "Id", "c1"), 0);
    CU_ASSERT_EQUAL(take(&record, "Name", "bob"), 0);
    CU_ASSERT_EQUAL(take_number(&record, "User", 'u', 1000), 0);
    CU_ASSERT_EQUAL(take_number(&record, "Leader", 'u', 4711), 0);
    return record;
}

static void all_properties_have_their_place(void)
{
    struct login_record record = whole();

    CU_ASSERT_EQUAL(take(&record, "TTY", "tty2"), 0);
    CU_ASSERT_EQUAL(take(&record, "Display", ":0"), 0);
    CU_ASSERT_EQUAL(take(&record, "Seat", "seat0"), 0);
    CU_ASSERT_EQUAL(take(&record, "RemoteHost", "192.0.2.7"), 0);
    CU_ASSERT_EQUAL(take(&record, "Class", "background-light"), 0);
    CU_ASSERT_EQUAL(take(&record, "Type", "wayland"), 0);
    CU_ASSERT_EQUAL(take(&record, "State", "active"), 0);
    CU_ASSERT_EQUAL(take_number(&record, "VTNr", 'u', 2), 0);
    CU_ASSERT_EQUAL(take_number(&record, "Timestamp", 't', 1234567), 0);
    CU_ASSERT_EQUAL(take_number(&record, "IdleSinceHint", 't', 2345678), 0);
    CU_ASSERT_EQUAL(take_number(&record, "IdleHint", 'b', 1), 0);
    CU_ASSERT_EQUAL(take_number(&record, "LockedHint", 'b', 1), 0);
    CU_ASSERT_EQUAL(take(&record, "Desktop", "GNOME"), -ENOENT);
    CU_ASSERT_STRING_EQUAL(record.id, "c1");
    CU_ASSERT_STRING_EQUAL(record.user, "bob");
    CU_ASSERT_STRING_EQUAL(record.line, "tty2");
    CU_ASSERT_STRING_EQUAL(record.display, ":0");
    CU_ASSERT_STRING_EQUAL(record.seat, "seat0");
    CU_ASSERT_STRING_EQUAL(record.from, "192.0.2.7");
    CU_ASSERT_STRING_EQUAL(record.class, "background-light");
    CU_ASSERT_STRING_EQUAL(record.type, "wayland");
    CU_ASSERT_STRING_EQUAL(record.state, "active");
    CU_ASSERT(record.uid == 1000 && record.leader == 4711 && record.vt == 2);
    CU_ASSERT(record.since_us == 1234567 && record.idle_since_us == 2345678);
    CU_ASSERT(record.idle && record.locked);
    CU_ASSERT(login_is_whole(&record));
}

static void what_must_be_there(void)
{
    static const char *const needed[] = {"Id", "Name", "User", "Leader"};

    for (size_t left_out = 0; left_out < ARRAY_SIZE(needed); left_out++) {
        struct login_record record = {0};
        for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
            const struct login_value value = {
                .type = i < 2 ? 's' : 'u', .text = "bob", .number = 7};
            CU_ASSERT_FALSE(login_is_whole(&record));
            if (i != left_out)
                CU_ASSERT_EQUAL(login_take(&record, needed[i], &value), 0);
        }
        CU_ASSERT_FALSE(login_is_whole(&record));
    }
}

static void what_is_said_twice_counts_the_second_time(void)
{
    struct login_record record = whole();

    CU_ASSERT_EQUAL(take(&record, "Id", "c2"), 0);
    CU_ASSERT_STRING_EQUAL(record.id, "c2");
    CU_ASSERT_EQUAL(take(&record, "Id", "c 3"), -EBADMSG);
    CU_ASSERT_FALSE(login_is_whole(&record));
}

/* What must be there costs the session, what need not is left out. */
static void unfit_texts(void)
{
    static const struct {
        const char *name, *text;
        int outcome;
        size_t offset;
    } rows[] = {
        {"Id", "", -EBADMSG, 0},
        {"Id", "c 1", -EBADMSG, 0},
        {"Id", "../1", -EBADMSG, 0},
        {"Id", "c\x1b[2J", -EBADMSG, 0},
        {"Name", "", -EBADMSG, 0},
        {"Name", "-bob", -EBADMSG, 0},
        {"Name", "bob/..", -EBADMSG, 0},
        {"Name", "bob\n", -EBADMSG, 0},
        {"TTY", "ssh", 0, offsetof(struct login_record, line)},
        {"TTY", "cron", 0, offsetof(struct login_record, line)},
        {"TTY", "tty0", 0, offsetof(struct login_record, line)},
        {"TTY", "tty64", 0, offsetof(struct login_record, line)},
        {"TTY", "pts/01", 0, offsetof(struct login_record, line)},
        {"TTY", "pts/3/../../sda", 0, offsetof(struct login_record, line)},
        {"TTY", "/dev/tty2", 0, offsetof(struct login_record, line)},
        {"TTY", "ttyS0", 0, offsetof(struct login_record, line)},
        {"Display", ": 0", 0, offsetof(struct login_record, display)},
        {"Seat", "se\xc3\xa4t", 0, offsetof(struct login_record, seat)},
        {"RemoteHost", "h\x07", 0, offsetof(struct login_record, from)},
        {"Type", "sixteen-letters!", 0, offsetof(struct login_record, type)},
        {"Class", "four-and-twenty-letters!", 0, offsetof(struct login_record, class)},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct login_record record = whole();
        CU_ASSERT_EQUAL(take(&record, rows[i].name, rows[i].text), rows[i].outcome);
        if (rows[i].outcome == 0)
            CU_ASSERT_STRING_EQUAL((char *)&record + rows[i].offset, "");
    }
}

static void texts_have_their_length(void)
{
    struct login_record record = whole();
    char text[66];

    memset(text, 'x', sizeof(text));
    text[64] = '\0';
    CU_ASSERT_EQUAL(take(&record, "Id", text), 0);
    CU_ASSERT_EQUAL(strlen(record.id), 64);
    CU_ASSERT_EQUAL(take(&record, "Name", text), 0);
    CU_ASSERT_EQUAL(take(&record, "RemoteHost", text), 0);
    CU_ASSERT_EQUAL(strlen(record.from), 64);
    text[64] = 'x', text[65] = '\0';
    CU_ASSERT_EQUAL(take(&record, "Id", text), -EBADMSG);
    CU_ASSERT_EQUAL(take(&record, "Name", text), -EBADMSG);
    CU_ASSERT_EQUAL(take(&record, "RemoteHost", text), 0);
    CU_ASSERT_STRING_EQUAL(record.from, "");
    CU_ASSERT_EQUAL(take(&record, "Type", "fifteen-letters"), 0);
    CU_ASSERT_STRING_EQUAL(record.type, "fifteen-letters");
    CU_ASSERT_EQUAL(take(&record, "Type", "x11"), 0);
    for (size_t i = 3; i < sizeof(record.type); i++) /* nothing of the one before */
        CU_ASSERT_EQUAL(record.type[i], '\0');
}

static void numbers_have_their_bounds(void)
{
    struct login_record record = whole();

    CU_ASSERT_EQUAL(take_number(&record, "User", 'u', 0), 0);
    CU_ASSERT_EQUAL(take_number(&record, "User", 'u', UINT32_MAX - 1), 0);
    CU_ASSERT_EQUAL(take_number(&record, "User", 'u', UINT32_MAX), -EBADMSG);
    CU_ASSERT_EQUAL(take_number(&record, "Leader", 'u', 0), -EBADMSG);
    CU_ASSERT_EQUAL(take_number(&record, "Leader", 'u', 1), 0);
    CU_ASSERT_EQUAL(take_number(&record, "Leader", 'u', INT32_MAX), 0);
    CU_ASSERT_EQUAL(take_number(&record, "Leader", 'u', INT32_MAX + 1ULL), -EBADMSG);
    CU_ASSERT_EQUAL(take_number(&record, "VTNr", 'u', 63), 0);
    CU_ASSERT_EQUAL(take_number(&record, "VTNr", 'u', 64), 0);
    CU_ASSERT_EQUAL(record.vt, 63);
    CU_ASSERT_EQUAL(take_number(&record, "Timestamp", 't', INT64_MAX), 0);
    CU_ASSERT_EQUAL(take_number(&record, "Timestamp", 't', INT64_MAX + 1ULL), 0);
    CU_ASSERT_EQUAL(record.since_us, INT64_MAX);
}

static void types_are_what_they_are(void)
{
    struct login_record record = whole();

    CU_ASSERT_STRING_EQUAL(login_property_type("User"), "(uo)");
    CU_ASSERT_STRING_EQUAL(login_property_type("IdleHint"), "b");
    CU_ASSERT_PTR_NULL(login_property_type("Desktop"));
    CU_ASSERT_EQUAL(take_number(&record, "Id", 'u', 1), -EBADMSG);
    CU_ASSERT_EQUAL(take(&record, "User", "1000"), -EBADMSG);
    CU_ASSERT_EQUAL(take_number(&record, "Leader", 't', 1), -EBADMSG);
    CU_ASSERT_EQUAL(take_number(&record, "LockedHint", 'u', 1), 0);
    CU_ASSERT_FALSE(record.locked);
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(all_properties_have_their_place),
        UNIT_TEST(what_must_be_there),
        UNIT_TEST(what_is_said_twice_counts_the_second_time),
        UNIT_TEST(unfit_texts),
        UNIT_TEST(texts_have_their_length),
        UNIT_TEST(numbers_have_their_bounds),
        UNIT_TEST(types_are_what_they_are),
        UNIT_END,
    };

    return unit_run("present_login", tests);
}
