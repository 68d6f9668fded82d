/* SPDX-License-Identifier: MIT */
#include "protocol/slice.h"

#include "tests/unit/unit.h"

static bool reads_as(const char *digits, uint64_t max, uint64_t wanted)
{
    uint64_t number = ~wanted;

    return slice_number(slice_of(digits), max, &number) && number == wanted;
}

static bool is_refused(struct slice digits, uint64_t max)
{
    uint64_t number = 7;

    return !slice_number(digits, max, &number) && number == 7;
}

static void numbers_up_to_their_limit(void)
{
    CU_ASSERT(reads_as("0", 0, 0));
    CU_ASSERT(reads_as("007", 9, 7));
    CU_ASSERT(reads_as("65535", 65535, 65535));
    CU_ASSERT(is_refused(SLICE("65536"), 65535));
    CU_ASSERT(is_refused(SLICE("5"), 4));
    CU_ASSERT(reads_as("18446744073709551615", UINT64_MAX, UINT64_MAX));
    CU_ASSERT(is_refused(SLICE("18446744073709551616"), UINT64_MAX));
    CU_ASSERT(is_refused(SLICE("99999999999999999999"), UINT64_MAX));
}

static void numbers_are_digits_alone(void)
{
    static const char *const others[] = {"", "-1", "+1", " 1", "1 ", "1.0", "0x1", "1e3", "a"};

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        CU_ASSERT(is_refused(slice_of(others[i]), 1000));
    CU_ASSERT(is_refused((struct slice){"1\0002", 3}, 1000));
    CU_ASSERT(is_refused((struct slice){NULL, 0}, 1000));
}

static bool takes(struct slice *rest, const char *line, const char *text)
{
    struct slice taken = slice_take_line(rest);

    return slice_eq(taken, slice_of(line)) && slice_eq(slice_of_line(taken), slice_of(text));
}

static void lines_one_after_the_other(void)
{
    struct slice rest = SLICE("one\ntwo\r\n\n\r\nlast\r");

    CU_ASSERT(takes(&rest, "one\n", "one"));
    CU_ASSERT(takes(&rest, "two\r\n", "two"));
    CU_ASSERT(takes(&rest, "\n", ""));
    CU_ASSERT(takes(&rest, "\r\n", ""));
    CU_ASSERT_EQUAL(rest.len, 5);
    CU_ASSERT(takes(&rest, "last\r", "last"));
    CU_ASSERT_EQUAL(rest.len, 0);
    CU_ASSERT(takes(&rest, "", ""));
}

static void a_line_keeps_what_is_not_its_end(void)
{
    CU_ASSERT(slice_eq(slice_of_line(SLICE("a\r\r\n")), SLICE("a\r")));
    CU_ASSERT(slice_eq(slice_of_line(SLICE("a\rb\n")), SLICE("a\rb")));
    CU_ASSERT_EQUAL(slice_of_line((struct slice){NULL, 0}).len, 0);
}

static void takes_what_stands_in_front(void)
{
    struct slice rest = SLICE("ca:key");

    CU_ASSERT(slice_begins(rest, SLICE("ca:key")));
    CU_ASSERT_FALSE(slice_begins(rest, SLICE("ca:keys")));
    CU_ASSERT_FALSE(slice_begins((struct slice){NULL, 0}, SLICE("c")));
    CU_ASSERT(slice_begins((struct slice){NULL, 0}, SLICE("")));
    CU_ASSERT_FALSE(slice_take(&rest, SLICE("key")));
    CU_ASSERT(slice_eq(rest, SLICE("ca:key")));
    CU_ASSERT(slice_take(&rest, SLICE("ca:")));
    CU_ASSERT(slice_eq(rest, SLICE("key")));
}

static void copies_as_much_as_fits(void)
{
    char out[5] = "xxxx";

    slice_copy(out, sizeof(out), SLICE("four"));
    CU_ASSERT_STRING_EQUAL(out, "four");
    slice_copy(out, sizeof(out), SLICE("fives"));
    CU_ASSERT_STRING_EQUAL(out, "five");
    slice_copy(out, 1, SLICE("x"));
    CU_ASSERT_STRING_EQUAL(out, "");
    slice_copy(out, sizeof(out), (struct slice){NULL, 0});
    CU_ASSERT_STRING_EQUAL(out, "");
}

static CU_TestInfo tests[] = {
    UNIT_TEST(numbers_up_to_their_limit),
    UNIT_TEST(numbers_are_digits_alone),
    UNIT_TEST(lines_one_after_the_other),
    UNIT_TEST(a_line_keeps_what_is_not_its_end),
    UNIT_TEST(takes_what_stands_in_front),
    UNIT_TEST(copies_as_much_as_fits),
    UNIT_END,
};

int main(void)
{
    return unit_run("slice", tests);
}
