/* SPDX-License-Identifier: MIT */
/*
 * The audit: one record for each request, which says who asked, from where, for what, and what
 * became of it; never a text or title unless audit_text is set. A message's is written when the
 * last of its deliveries is final, every other request's when it is answered. Refused handshakes
 * leave one for each source and minute. Records of what is neither a message nor a grant are at
 * most LIM_RECORDS_A_MINUTE of an account; those beyond are counted, and audit_tell_missing() says
 * how many.
 */
#ifndef MSG_DAEMON_NET_AUDIT_H
#define MSG_DAEMON_NET_AUDIT_H

#include "daemon/net_requests.h"

/* The journal's MESSAGE_ID of a request's record, and of a refusal's. */
#define AUDIT_REQUEST_ID "f43f8151f1394a00889165b4f68035ae"
#define AUDIT_REFUSAL_ID "f58f080a859042c8805e2ded8c19df96"

/* A request is answered for good: outcome "ok", "again" and so on, or the ERROR code. */
void audit_answered(const struct call *call, const char *outcome);
void audit_refused(const struct call *call, const char *code, const char *at);

/* A message: what is known of it when it is accepted is kept with it, and its end writes it. */
void audit_accepted(const struct call *call, struct book_request *request);
void audit_ended(struct server *server, struct book_request *request);

/* A key was let in by an invitation. */
void audit_enrolled(const struct conn *conn, const char *invitation);

/*
 * Somebody was not let in: at which step and why. Without a journal the line on stderr, "refused
 * HOST, STEP: REASON", is all. held: whether others were not told.
 */
void audit_turned_away(const struct conn *conn, const char *step, const char *reason, bool held);

/* Says how many records are missing since it was called last. */
void audit_tell_missing(struct server *server);

#endif
