/* SPDX-License-Identifier: MIT */
#include "daemon/net_endorsed.h"

#include "common/file.h"

#include <errno.h>

int endorsed_refresh(struct net_endorsed *endorsed, const char *file,
                     const struct noise_public *key, int64_t now_s, struct diag *ret_diag)
{
    static struct endorsements fresh; /* large, and of no use between two calls */
    struct stat st;

    if (stat(file, &st) < 0)
        memset(&st, 0, sizeof(st));
    if (endorsed->looked && file_same(&st, &endorsed->st))
        return 0;
    endorsed->looked = true;
    endorsed->st = st;
    int r = endorsements_load(file, ENDORSEMENT_HOST, key, now_s, &fresh, ret_diag);
    if (r < 0)
        return r;
    endorsements_copy(&endorsed->shown, &fresh);
    endorsed->n_ends = endorsements_ends(&fresh, endorsed->ends);
    endorsed->over = fresh.list.n == 0 ? fresh.ended : 0;
    memset(endorsed->told, 0, sizeof(endorsed->told));
    return 0;
}

/* ---- its end --------------------------------------------------------------------------------- */

static bool tell(struct diag *ret_news, const struct ssh_key *by, bool past, int64_t at)
{
    char time[ENDORSEMENTS_TIME], signer[SSH_KEY_TEXT_LEN + 1] = "";

    endorsements_format_time(at, time);
    if (by)
        ssh_key_format(by, signer);
    diag_set(ret_news, -ETIME,
             "the endorsement of the host key%s%s %s %s; clients that trust this host by it need a "
             "new one: msgctl key endorse --host, or msgctl ca sign by the organisation",
             by ? " by " : "", signer, past ? "ended on" : "ends on", time);
    return true;
}

bool endorsed_has_news(struct net_endorsed *endorsed, int64_t now_s, struct diag *ret_news)
{
    int64_t over = endorsed->over;

    endorsed->over = 0;
    if (over > 0)
        return tell(ret_news, NULL, true, over);
    for (size_t i = 0; i < endorsed->n_ends; i++) {
        const struct endorsement_end *end = &endorsed->ends[i];
        bool past = now_s >= end->at;
        if (now_s < end->soon || endorsed->told[i] >= (past ? END_TOLD : END_SOON_TOLD))
            continue;
        endorsed->told[i] = past ? END_TOLD : END_SOON_TOLD;
        return tell(ret_news, &end->by, past, end->at);
    }
    return false;
}
