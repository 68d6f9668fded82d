/* SPDX-License-Identifier: MIT */
/*
 * logind as a source of sessions, over the system bus: the list, the properties of each session
 * (present_login.h judges them), and news of both. Everything is asked for and answered later, on
 * the loop that is given. Where the bus or logind is away, slow or talks nonsense, what was known
 * stays known, and it is tried again after a pause; the log has one line for the loss and one for
 * the return. Owns its connection and its records. Never starts a bus; never asks a name service.
 */
#ifndef MSG_DAEMON_PRESENT_LOGIND_H
#define MSG_DAEMON_PRESENT_LOGIND_H

#include "daemon/present_login.h"

#include <systemd/sd-event.h>

#define LOGIND_DEADLINE_MS 5000  /* without any answer while one is due */
#define LOGIND_PAUSE_MS    5000  /* before it is tried again */
#define LOGIND_RELIST_MS   30000 /* the state of a session changes without a signal */
#define LOGIND_OPENING_MS  250   /* the same, of one that is being opened */
#define LOGIND_SOON_MS     50    /* news of one moment are one look */
#define LOGIND_WINDOW      16    /* calls under way: a bus refuses more than 128 */

struct logind;

struct logind_config {
    const char *address; /* of the bus; borrowed */
    uint64_t deadline_ms, pause_ms;
    /* The records are other than before; `anew`: sessions have come or gone. */
    void (*on_change)(void *userdata, bool anew);
    void *userdata;
};

int logind_new(sd_event *event, const struct logind_config *config, struct logind **ret_logind);
void logind_free(struct logind *logind);

/* The sessions, as last told, borrowed until the loop runs on; how many they are. */
size_t logind_records(const struct logind *logind, const struct login_record *ret_records[],
                      size_t capacity);

/* True while the first answer may still come. */
bool logind_is_pending(const struct logind *logind);

#endif
