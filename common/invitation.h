/* SPDX-License-Identifier: MIT */
/*
 * An invitation in its two forms. The text is what its host prints and the invited person pastes:
 * `msg-invite:` and 86 characters of base64url without padding, of these 64 bytes:
 *
 *     id (8), the last second it can be used in, since 1970 UTC (4, big-endian), secret (16),
 *     the host's static key (32), the first 4 bytes of BLAKE2b-256 of all that: against slips
 *
 * The ticket is what its host keeps, a file of exactly five lines named by the id, each ended by
 * LF:
 *
 *     msg-invitation-v1
 *     id: <16 hex digits>
 *     until: <seconds since 1970 UTC>
 *     key: <43 characters of base64url: enrol_derive() of the secret>
 *     line: <what follows the key in authorized_keys: options and a name>
 *
 * The secret is in the text alone; whoever has a ticket's key can use the invitation. Pure: bytes
 * in, bytes out; what holds a secret is wiped by whoever holds it.
 */
#ifndef MSG_COMMON_INVITATION_H
#define MSG_COMMON_INVITATION_H

#include "common/authorized_keys.h"
#include "protocol/enrol.h"

#define INVITATION_TEXT    97          /* msg-invite: and 86 characters */
#define INVITATION_NAME    16          /* an id in hex */
#define INVITATION_LONGEST (24 * 3600) /* seconds that one can be used */
#define INVITATION_TICKET  (LIM_TRUST_LINE + 256)

struct invitation {
    uint8_t id[ENROL_ID];
    uint8_t secret[ENROL_SECRET];
    uint32_t until;
    struct noise_public host;
};

struct ticket {
    uint8_t id[ENROL_ID];
    int64_t until;
    struct enrol_key key;
    char name[LIM_NAME + 1];       /* of the account, as it stands in the line */
    char line[LIM_TRUST_LINE + 1]; /* options and name: a sound rest of a line of authorized_keys */
};

/* 0, or -EBADMSG: not an invitation, or a character is wrong or missing. */
int invitation_parse(struct slice text, struct invitation *ret_invitation);
void invitation_format(const struct invitation *invitation, char out[static INVITATION_TEXT + 1]);

void invitation_id_format(const uint8_t id[static ENROL_ID], char out[static INVITATION_NAME + 1]);
/* 0 or -EBADMSG; 16 lower case digits. */
int invitation_id_parse(struct slice text, uint8_t ret_id[static ENROL_ID]);

/* Takes options and a name into a ticket. 0, or -EBADMSG with what is wrong with them. */
int ticket_set_line(struct ticket *ticket, struct slice line, struct diag *ret_diag);

/* Whether its line lets somebody in from this address at this time (from=, expires=). */
bool ticket_admits(const struct ticket *ticket, const struct sockaddr *address, int64_t now_s);
/* The options of its line, which are its rights; empty if there are none. */
struct slice ticket_rights(const struct ticket *ticket);

/* A file's text. 0, or -EBADMSG with the reason. */
int ticket_parse(struct slice text, struct ticket *ret_ticket, struct diag *ret_diag);
/* The length written. */
size_t ticket_format(const struct ticket *ticket, char out[static INVITATION_TICKET]);

#endif
