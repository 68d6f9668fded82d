/* SPDX-License-Identifier: MIT */
#include "daemon/net_tickets.h"

#include "common/file.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/ticket_file.h"

#include <dirent.h>
#include <sodium.h>

struct tickets {
    char *folder;
    struct ticket *list;
    size_t count;
    struct ticket nobodys; /* with a key that nobody knows: what an unknown id is judged by */
    bool looked;
    uint64_t looked_ms;
    struct stat st; /* of the folder; zero where it is not there */
    struct log_limit faults;
};

int tickets_new(struct tickets **ret_tickets, const char *folder)
{
    struct tickets *tickets = calloc(1, sizeof(*tickets));

    if (!tickets)
        return -ENOMEM;
    tickets->folder = strdup(folder);
    tickets->list = calloc(LIM_INVITATIONS, sizeof(*tickets->list));
    tickets->faults.period_ms = 60000;
    randombytes_buf(tickets->nobodys.key.bytes, ENROL_KEY);
    if (!tickets->folder || !tickets->list) {
        tickets_free(tickets);
        return -ENOMEM;
    }
    *ret_tickets = tickets;
    return 0;
}

static void forget_all(struct tickets *tickets)
{
    sodium_memzero(tickets->list, tickets->count * sizeof(*tickets->list));
    tickets->count = 0;
}

void tickets_free(struct tickets *tickets)
{
    if (!tickets)
        return;
    if (tickets->list)
        forget_all(tickets);
    sodium_memzero(&tickets->nobodys, sizeof(tickets->nobodys));
    free(tickets->list);
    free(tickets->folder);
    free(tickets);
}

/* ---- the folder ------------------------------------------------------------------------------ */

static void complain(struct tickets *tickets, const char *name, const struct diag *diag,
                     uint64_t now_ms)
{
    uint64_t held;

    if (log_limit_pass(&tickets->faults, name, now_ms + 1, &held))
        log_error("invitation: %s", diag->text);
}

/* Takes one entry of the folder, if its name is an id. */
static void take(struct tickets *tickets, const char *name, uint64_t now_ms)
{
    uint8_t id[ENROL_ID];
    struct diag diag;

    if (invitation_id_parse(slice_of(name), id) < 0)
        return;
    if (tickets->count == LIM_INVITATIONS)
        diag_set(&diag, -E2BIG, "%.900s holds more than %d", tickets->folder, LIM_INVITATIONS);
    else if (ticket_load(tickets->folder, name, &tickets->list[tickets->count], &diag) == 0) {
        tickets->count++;
        return;
    }
    complain(tickets, name, &diag, now_ms);
}

static void read_folder(struct tickets *tickets, uint64_t now_ms)
{
    DIR *folder = opendir(tickets->folder);
    const struct dirent *entry;

    forget_all(tickets);
    while (folder && (entry = readdir(folder)))
        take(tickets, entry->d_name, now_ms);
    if (folder)
        closedir(folder);
}

void tickets_refresh(struct tickets *tickets, uint64_t now_ms)
{
    struct stat st;

    if (stat(tickets->folder, &st) < 0)
        memset(&st, 0, sizeof(st));
    if (tickets->looked && file_same(&st, &tickets->st) &&
        now_ms - tickets->looked_ms < LIM_FILE_RECHECK)
        return;
    tickets->looked = true;
    tickets->looked_ms = now_ms;
    tickets->st = st;
    read_folder(tickets, now_ms);
}

/* ---- judging --------------------------------------------------------------------------------- */

enum ticket_verdict tickets_judge(const struct tickets *tickets, const struct enrolled *enrolled,
                                  const uint8_t id[static ENROL_ID],
                                  const uint8_t mac[static ENROL_MAC],
                                  const uint8_t hash[static NOISE_HASH], int64_t now_s,
                                  const struct ticket **ret_ticket)
{
    const struct ticket *found = &tickets->nobodys;

    for (size_t i = 0; i < tickets->count; i++)
        found = memcmp(tickets->list[i].id, id, ENROL_ID) == 0 ? &tickets->list[i] : found;
    bool proved = enrol_verify(&found->key, ENROL_CLIENT, hash, mac);
    bool used = enrolled_used(enrolled, id);
    if (found == &tickets->nobodys)
        return TICKET_UNKNOWN;
    if (!proved)
        return TICKET_WRONG;
    if (used)
        return TICKET_USED;
    if (now_s > found->until || found->until > now_s + INVITATION_LONGEST)
        return TICKET_LATE;
    *ret_ticket = found;
    return TICKET_GOOD;
}
