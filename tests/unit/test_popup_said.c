/* SPDX-License-Identifier: MIT */
#include "daemon/popup_said.h"
#include "tests/unit/unit.h"

static const struct {
    const char *text;
    unsigned answers;
    enum said said;
    unsigned answer;
} cases[] = {
    {"", 0, SAID_NOTHING, 0},
    {"none\n", 0, SAID_NONE, 0},
    {"shown zenity", 0, SAID_NOTHING, 0},
    {"shown zenity\n", 0, SAID_OPEN, 0},
    {"shown xmessage\n", 0, SAID_OPEN, 0},
    {"shown xterm\n", 0, SAID_NOTHING, 0},
    {"status 1\n", 0, SAID_NOTHING, 0},
    {"shown zenity\nOK\nstatus 1\n", 0, SAID_CONFIRMED, 0},
    {"shown zenity\nOK\nstatus 1", 0, SAID_OPEN, 0},
    {"shown zenity\nOK\nstatus 1\n", 2, SAID_DISMISSED, 0},
    {"shown zenity\n2\nstatus 1\n", 2, SAID_CONFIRMED, 2},
    {"shown zenity\n3\nstatus 1\n", 2, SAID_DISMISSED, 0},
    {"shown zenity\n0\nstatus 1\n", 2, SAID_DISMISSED, 0},
    {"shown zenity\n4294967298\nstatus 1\n", 2, SAID_DISMISSED, 0},
    {"shown zenity\n2\nstatus 143\n", 2, SAID_DISMISSED, 0},
    {"shown zenity\nstatus 1\n", 0, SAID_DISMISSED, 0},
    {"shown zenity\nstatus 0\n", 0, SAID_AGAIN, 0}, /* Enter, if anything */
    {"shown zenity\nOK\nstatus 0\n", 0, SAID_AGAIN, 0},
    {"shown xmessage\nstatus 100\n", 0, SAID_CONFIRMED, 0},
    {"shown xmessage\nstatus 100\n", 2, SAID_DISMISSED, 0},
    {"shown xmessage\nstatus 101\n", 0, SAID_DISMISSED, 0},
    {"shown xmessage\nstatus 102\n", 2, SAID_CONFIRMED, 2},
    {"shown xmessage\nstatus 103\n", 2, SAID_DISMISSED, 0},
    {"shown xmessage\nstatus 99\n", 0, SAID_DISMISSED, 0},
    {"shown xmessage\nstatus 0\n", 0, SAID_DISMISSED, 0},
    {"shown xmessage\nstatus 1\n", 1, SAID_DISMISSED, 0},
    {"shown xmessage\nstatus x\n", 1, SAID_DISMISSED, 0},
};

static void what_a_dialog_says_means_this(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const char *by = NULL;
        unsigned answer = 0;
        enum said said = said_read(slice_of(cases[i].text), cases[i].answers, &by, &answer);

        if (said != cases[i].said || answer != cases[i].answer)
            printf("%zu: %s: %d, %u\n", i, cases[i].text, (int)said, answer);
        CU_ASSERT(said == cases[i].said && answer == cases[i].answer);
        CU_ASSERT((said == SAID_OPEN) == (by != NULL));
    }
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(what_a_dialog_says_means_this),
        UNIT_END,
    };
    return unit_run("popup_said", tests);
}
