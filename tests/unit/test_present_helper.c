/* SPDX-License-Identifier: MIT */
/*
 * The processes of popups, with a script in their place: how many there are, and what they may
 * take.
 */
#include "daemon/present_helper.h"

#include "common/mem.h"
#include "tests/unit/folder.h"
#include "tests/unit/unit.h"

#include <signal.h>

#define OTHER_UID 4242

static sd_event *event;
static char program[PATH_MAX];

static void on_heard(void *userdata, const void *datagram, size_t len)
{
    (void)userdata;
    (void)datagram;
    (void)len;
}

/* What the next ones run: it does not mind the end of its socket. */
static void write_program(const char *script)
{
    FILE *out;
    snprintf(program, sizeof(program), "%s", in_folder("helper"));
    out = fopen(program, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    fprintf(out, "#!/bin/sh\n%s\n", script);
    fclose(out);
    CU_ASSERT_EQUAL(chmod(program, 0700), 0);
}

static int start(uid_t uid, enum session_reach reach, struct helper **ret_helper)
{
    const struct boundary_message place = {.verb = BOUNDARY_POPUP, .u.popup = {.reach = reach}};
    const struct boundary_message present = {
        .verb = BOUNDARY_PRESENT, .text = "alicehello", .text_len = 10};
    const struct helper_job job = {.program = program,
                                   .uid = uid,
                                   .gid = getegid(),
                                   .place = &place,
                                   .present = &present,
                                   .heard = on_heard};
    return helper_start(event, &job, ret_helper);
}

/* One that is told to end, and holds that up. */
static int start_ending(uid_t uid)
{
    struct helper *helper;
    int r = start(uid, REACH_DESKTOP, &helper);
    if (r == 0)
        helper_stop(helper);
    return r;
}

static void who_holds_up_its_end_takes_nobody_elses_place(void)
{
    write_program("exec sleep 2");
    for (int i = 0; i < LIM_POPUP_OWN; i++)
        CU_ASSERT_EQUAL_FATAL(start_ending(geteuid()), 0);
    CU_ASSERT_EQUAL(start_ending(geteuid()), -EAGAIN);
    CU_ASSERT_EQUAL(start_ending(OTHER_UID), 0);
    helper_stop_all();
}

/* The line of /proc/PID/limits that begins so, of a helper. */
static const char *limit(enum session_reach reach, const char *name)
{
    static char line[128];
    struct helper *helper;
    char script[PATH_MAX + 128], found[PATH_MAX];
    snprintf(found, sizeof(found), "%s", in_folder("found"));
    snprintf(script, sizeof(script), "exec grep '^%s' /proc/self/limits >%s", name, found);
    write_program(script);
    line[0] = '\0';
    if (start(geteuid(), reach, &helper) < 0)
        return line;
    for (int i = 0; i < 500 && line[0] == '\0'; i++) {
        FILE *in = fopen(found, "r");
        sd_event_run(event, 10000);
        if (in && !fgets(line, sizeof(line), in))
            line[0] = '\0';
        if (in)
            fclose(in);
    }
    remove(found);
    return line;
}

static void it_takes_little_of_the_service(void)
{
    CU_ASSERT_PTR_NOT_NULL(strstr(limit(REACH_DESKTOP, "Max processes"), " 0  "));
    CU_ASSERT_PTR_NULL(strstr(limit(REACH_TMUX, "Max processes"), " 0  "));
    CU_ASSERT_PTR_NOT_NULL(strstr(limit(REACH_TMUX, "Max core file size"), " 0  "));
#ifndef MSG_SANITIZED
    if (!unit_under_valgrind())
        CU_ASSERT_PTR_NOT_NULL(strstr(limit(REACH_DESKTOP, "Max data size"), " 67108864 "));
#endif
    helper_stop_all(); /* those whose end was not seen yet */
}

int main(void)
{
    CU_TestInfo tests[] = {
        UNIT_TEST(it_takes_little_of_the_service),
        UNIT_TEST(who_holds_up_its_end_takes_nobody_elses_place),
        UNIT_END,
    };
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    signal(SIGPIPE, SIG_IGN);
    folder_make();
    if (sd_event_new(&event) < 0)
        return 1;
    int status = unit_run("present_helper", tests);
    sd_event_unref(event);
    folder_remove();
    return status;
}
