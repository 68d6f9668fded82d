/* SPDX-License-Identifier: MIT */
/* What /ANSWERS takes, and what it says about the rest. */
#include "client/answers.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#define FOUR    "abcd"
#define SIXTEEN FOUR FOUR FOUR FOUR
#define UMLAUTS "\u00e4\u00f6\u00fc\u00df" /* four characters, eight bytes */

/* The labels, parted by `|`; or the error, behind `!`. */
static const char *read_as(const char *typed, const char *charset)
{
    static char text[1024];
    struct message_error error;
    struct answers answers;
    size_t len = 0;

    if (answers_read(typed, charset, &answers, &error) < 0) {
        snprintf(text, sizeof(text), "!%s", error.text);
        return text;
    }
    text[0] = '\0';
    for (size_t i = 0; i < answers.n; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s", i ? "|" : "",
                                (int)answers.labels[i].len, answers.labels[i].ptr);
    answers_release(&answers);
    return text;
}

#define READS(typed, wanted) CU_ASSERT_STRING_EQUAL(read_as(typed, "UTF-8"), wanted)

static void labels(void)
{
    READS("Yes,No", "Yes|No");
    READS("OK", "OK");
    READS("  Yes , Ask me later ", "Yes|Ask me later");
    READS("\u00c4h,\u00e4h", "\u00c4h|\u00e4h"); /* only ASCII has case here, as on hosts */
    CU_ASSERT_STRING_EQUAL(read_as("\xe4h,nein", "ISO-8859-1"), "\u00e4h|nein");
}

static void lengths(void)
{
    READS(SIXTEEN SIXTEEN, SIXTEEN SIXTEEN);
    READS("No," SIXTEEN SIXTEEN "e", "!answer 2 has 33 characters; at most 32 can be sent");
    READS(UMLAUTS UMLAUTS UMLAUTS UMLAUTS UMLAUTS UMLAUTS UMLAUTS UMLAUTS,
          UMLAUTS UMLAUTS UMLAUTS UMLAUTS UMLAUTS UMLAUTS UMLAUTS UMLAUTS);
    READS("\u4f60" UMLAUTS UMLAUTS UMLAUTS UMLAUTS UMLAUTS UMLAUTS UMLAUTS "\u00e4\u00f6\u00fc",
          "!the answer has 65 bytes; at most 64 can be sent");
}

static void numbers(void)
{
    READS("1,2,3,4,5,6,7,8", "1|2|3|4|5|6|7|8");
    READS("1,2,3,4,5,6,7,8,9", "!more than 8 answers");
    READS("", "!answer 1 is empty");
    READS("Yes,,No", "!answer 2 is empty");
    READS("Yes, ", "!answer 2 is empty");
    READS(",", "!answer 1 is empty");
}

static void unfit(void)
{
    READS("Yes,No,yES", "!answers 1 and 3 are the same; case does not count");
    READS("Yes,N\x1bo", "!answer line 1, column 2: control character ESC");
    READS("Yes,a\tb", "!answer line 1, column 2: control character TAB");
    READS("\xff", "!answer line 1, column 1: byte 0xFF, which is not UTF-8");
    READS("\u2003", "!the answer is nothing but white space");
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(labels), UNIT_TEST(lengths), UNIT_TEST(numbers), UNIT_TEST(unfit), UNIT_END,
    };

    return unit_run("answers", tests);
}
