/* SPDX-License-Identifier: MIT */
/*
 * Making endorsements: a statement, and the signature of an ssh key behind it, as the files of
 * endorsements have them.
 */
#ifndef MSG_CLIENT_ENDORSE_H
#define MSG_CLIENT_ENDORSE_H

#include "client/ssh_sign.h"
#include "common/diag.h"
#include "common/endorsement.h"

/*
 * Signs the statement by ssh-keygen, and reads the whole as a verifier will. *ret_len bytes of
 * text. -EINVAL: what the statement would say cannot be said; -EBADMSG: the key is of another type,
 * and what to do then; another negative errno with the reason.
 */
int endorse_sign(const struct ssh_signer *signer, const struct endorsement *endorsement,
                 char text[static ENDORSEMENT_TEXT_MAX], size_t *ret_len, struct ssh_key *ret_key,
                 struct diag *ret_diag);

/* Reads one as a verifier will, and says who signed it. 0 or -EBADMSG. */
int endorse_read(struct slice text, struct ssh_key *ret_key);

#define ENDORSE_DAY 16 /* "2027-12-31" */

/* The last day on which it holds, in UTC. */
void endorse_last_day(const struct endorsement *endorsement, char out[static ENDORSE_DAY]);

/* Milliseconds since 1970: serials are counted up from there. */
uint64_t endorse_serial(void);

/*
 * From now to the end of the day (YYYY-MM-DD; NULL: for so many seconds). -EBADMSG: not a day to
 * come.
 */
int endorse_time(struct endorsement *endorsement, const char *day, int64_t seconds);

#endif
