/* SPDX-License-Identifier: MIT */
/*
 * Whether the key that a host shows is its own, by the first of these that says so: the pin in
 * known_hosts; an organisation's key that is trusted for the name and endorses it; the host's ssh
 * key, which the user's ssh knows, and which endorses it; a person at /dev/tty, who answers yes, no
 * or the key itself. A changed or revoked key is never asked about, and a broken file never means
 * trust.
 */
#ifndef MSG_CLIENT_TRUST_H
#define MSG_CLIENT_TRUST_H

#include "client/print.h"
#include "client/ssh_hosts.h"
#include "common/known_hosts.h"

#include <limits.h>

/* What a host's key was believed by. */
enum trust_by { TRUST_BY_NOTHING, TRUST_BY_PIN, TRUST_BY_ORGANISATION, TRUST_BY_SSH };

struct trust_host {
    char name[KNOWN_HOST_NAME]; /* as in known_hosts */
    const char *shown;          /* as typed */
    const char *files[KNOWN_HOSTS_FILES];
    bool declined; /* a person said no */
    bool broken;   /* known_hosts cannot be used: diag says why */
    struct diag diag;
    bool revoked; /* the key, or who endorses it */
    char
        changed[PATH_MAX + 16]; /* file:line of the pin that is not the host's key, or revokes it */
    enum trust_by by;
    char where[PATH_MAX + 16]; /* file:line of that */
    char host[256];            /* the bare name, in lower case */
    struct ssh_hosts ssh;      /* what ssh knows of the host */
    struct diag ssh_fault;     /* why that may not be all; empty: it is */
};

/* file: the user's known_hosts. All is borrowed. */
void trust_host_init(struct trust_host *trust, const struct call_server *server, const char *file);

/* Asks ssh, by a program of its own: before a call, and where the name has no pin. */
void trust_ask_ssh(struct trust_host *trust);

/* The question of a call's owner. */
enum call_judgement trust_judge_host(struct trust_host *trust, const struct noise_public *key,
                                     const struct slice_list *end);

/* True if known_hosts has the name: then nobody will be asked. */
bool trust_has_name(struct trust_host *trust);

/*
 * After CALL_KEY_UNKNOWN: asks at the terminal and writes the pin. True if the key is trusted now;
 * false without a terminal, or if the person declines.
 */
bool trust_ask(struct trust_host *trust, const struct call_result *result);

/* The line that has the name, or revokes the key, is in the system's file: for all users, and
 * root's. */
bool trust_is_systems(const struct trust_host *trust);

/* What a person's answer means for that key. Pure. */
enum trust_answer { TRUST_ANSWER_YES, TRUST_ANSWER_NO, TRUST_ANSWER_OTHER_KEY, TRUST_ANSWER_AGAIN };
enum trust_answer trust_answer(const char *typed, const struct noise_public *key);

/*
 * The line for a call that ended for a key's sake, with the fields it needs beside the key; LINES:
 * the outcome was another.
 */
enum line trust_line(const struct trust_host *trust, enum call_outcome outcome,
                     struct line_fields *fields);

#endif
