/* SPDX-License-Identifier: MIT */
/*
 * The course of msgctl doctor: the checks of doctor.def in their order, each tried only if what it
 * needs has passed, numbered, and printed as it is known. Pure but for the stream that it prints
 * to: what a check looks at is its function's. All that is printed is escaped here.
 */
#ifndef MSG_CLIENT_DOCTOR_H
#define MSG_CLIENT_DOCTOR_H

#include "client/ctl.h"
#include "common/diag.h"

enum doctor_check {
#define CHECK(ID, ...) CHECK_##ID,
#include "client/doctor.def"
    CHECKS
};

enum check_state {
    CHECK_OK,
    CHECK_FAILS,
    CHECK_SKIPPED, /* was not tried, or cannot be told: never a failure by itself */
    CHECK_STOPPED, /* by a signal: nothing is printed, and nothing else is tried */
};

/* What a check found. Zeroed, it is ok. */
struct finding {
    enum check_state state;
    char found[1200]; /* in words, cut if longer */
    char mend[2048];  /* of one that fails: a line to type */
    bool there;       /* to be typed on the other host */
    char as[64];      /* by whom: a login name; empty: by the caller */
};

#define AS_ROOT "root"

/* Both fill what a zeroed finding lacks; format and arguments are what was found. */
void check_ok(struct finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void check_skip(struct finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void check_fail(struct finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The line that mends it: here, by the caller; here, by root; there, by root. */
void check_mend(struct finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void check_mend_as_root(struct finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void check_mend_there(struct finding *finding, const char *as, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * A library's complaint: "...; run: COMMAND" is parted there, and what begins with "FILE:LINE: " is
 * mended by an editor at that line. Otherwise the mending line is the caller's to set.
 */
void check_fail_diag(struct finding *finding, const struct diag *diag);

typedef void (*check_function)(void *context, struct finding *finding);

struct doctor {
    bool local;       /* this host, over its Unix socket */
    const char *host; /* the other one, for what is to be typed there; it may come with a check */
    bool json;
    FILE *out;
};

/*
 * Runs them all. The status of the first that fails; 0 if none does, or a check was stopped: then
 * *ret_stopped is true.
 */
int doctor_run(const struct doctor *doctor, const check_function functions[CHECKS], void *context,
               bool *ret_stopped);

#endif
