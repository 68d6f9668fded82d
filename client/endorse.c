/* SPDX-License-Identifier: MIT */
#include "client/endorse.h"

#include "common/clock.h"
#include "common/date.h"
#include "common/keys.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

int endorse_read(struct slice text, struct ssh_key *ret_key)
{
    uint8_t entry[LIM_ENDORSEMENT];
    struct endorsed endorsed;
    size_t len = 0;
    const char *reason = NULL;
    if (endorsement_next(&text, entry, &len, &reason) != 1 ||
        endorsement_open((struct slice){(char *)entry, len}, &endorsed, &reason) < 0 ||
        !endorsement_verify(&endorsed, NULL))
        return -EBADMSG;
    *ret_key = endorsed.sig.key;
    return 0;
}

static int tell_other_type(const struct ssh_signer *signer, const struct noise_public *key,
                           struct diag *ret_diag)
{
    char text[KEY_TEXT_LEN + 1];
    key_format(key, text);
    return diag_set(
        ret_diag, -EBADMSG,
        "%.900s is no ssh-ed25519 key, and others (RSA, ECDSA, sk) cannot serve; for a "
        "host that you can ssh to: msgctl pair HOST; or make one: ssh-keygen -t ed25519; or "
        "be listed without: msgctl authorize %s NAME",
        signer->file, text);
}

int endorse_sign(const struct ssh_signer *signer, const struct endorsement *endorsement,
                 char text[static ENDORSEMENT_TEXT_MAX], size_t *ret_len, struct ssh_key *ret_key,
                 struct diag *ret_diag)
{
    size_t armour = 0;
    int len = endorsement_format(endorsement, text);
    if (len < 0)
        return diag_set(ret_diag, len,
                        "this cannot be said in an endorsement: names of a-z 0-9 . _ - (%.*s), and "
                        "an end that is still to come",
                        (int)endorsement->names.len, endorsement->names.ptr);
    if (ssh_signer_cannot_serve(signer))
        return tell_other_type(signer, &endorsement->key, ret_diag);
    int r = ssh_sign(signer, ENDORSEMENT_NAMESPACE, (struct slice){text, (size_t)len}, text + len,
                     ENDORSEMENT_TEXT_MAX - (size_t)len, &armour, ret_diag);
    if (r < 0 && r != -EFBIG)
        return r;
    if (r < 0 || endorse_read((struct slice){text, (size_t)len + armour}, ret_key) < 0)
        return tell_other_type(signer, &endorsement->key, ret_diag);
    *ret_len = (size_t)len + armour;
    return 0;
}

void endorse_last_day(const struct endorsement *endorsement, char out[static ENDORSE_DAY])
{
    time_t last = (time_t)endorsement->before - 1;
    struct tm tm;
    strftime(out, ENDORSE_DAY, "%Y-%m-%d", gmtime_r(&last, &tm));
}

uint64_t endorse_serial(void)
{
    return clock_ms(CLOCK_REALTIME);
}

int endorse_time(struct endorsement *endorsement, const char *day, int64_t seconds)
{
    int64_t now = (int64_t)time(NULL), before = now + seconds;
    if (day && (date_parse_end(slice_of(day), &before) < 0 || before <= now))
        return -EBADMSG;
    endorsement->after = now;
    endorsement->before = before;
    return 0;
}
