/* SPDX-License-Identifier: MIT */
/*
 * The file in which the owner of a static key keeps what endorses it, to be shown to the other
 * side:
 * `~/.config/msg/endorsements` of a user, `/etc/msgd/host_endorsements` of a host; an organisation
 * writes one for all, `/etc/msg/endorsements`. One endorsement behind the other, each a statement
 * and its armoured signature.
 */
#ifndef MSG_COMMON_ENDORSEMENTS_H
#define MSG_COMMON_ENDORSEMENTS_H

#include "common/diag.h"
#include "common/endorsement.h"
#include "protocol/messages.h"

#include <sys/types.h>

struct endorsements {
    uint8_t bytes[LIM_ENDORSEMENTS][LIM_ENDORSEMENT];
    struct slice items[LIM_ENDORSEMENTS]; /* of bytes: the struct is not to be copied */
    struct slice_list list;
    int64_t ended; /* when the last of those whose time is over ended; 0: none is */
};

/*
 * Those of this kind and key whose time is not over; others are left out. A file that is not there
 * has none. 0, -EBADMSG ("file: reason"), -E2BIG (more than LIM_ENDORSEMENTS), or as file_read().
 */
int endorsements_load(const char *file, enum endorsement_kind kind, const struct noise_public *key,
                      int64_t now_s, struct endorsements *ret_endorsements, struct diag *ret_diag);

/* Adds those of another file as far as there is room. Nothing is added where it fails. */
int endorsements_load_more(const char *file, enum endorsement_kind kind,
                           const struct noise_public *key, int64_t now_s,
                           struct endorsements *endorsements, struct diag *ret_diag);

/* Until when a signer's word holds, and since when that is soon. */
struct endorsement_end {
    struct ssh_key by;
    int64_t soon, at;
};

/*
 * One for each signer, of its endorsement that ends last; how many. Soon is a tenth of its time
 * before the end, at most a week.
 */
size_t endorsements_ends(const struct endorsements *endorsements,
                         struct endorsement_end ret_ends[static LIM_ENDORSEMENTS]);

/* "2026-12-01 09:30 UTC" */
#define ENDORSEMENTS_TIME 32
void endorsements_format_time(int64_t at, char out[static ENDORSEMENTS_TIME]);

void endorsements_copy(struct endorsements *to, const struct endorsements *from);

/*
 * Puts a text, a statement and its armoured signature, into the file, which is made if missing;
 * what is there of the same signer, of another key or over is taken out. Errors as above.
 */
int endorsements_add(const char *file, struct slice text, int64_t now_s, mode_t mode,
                     struct diag *ret_diag);

#endif
